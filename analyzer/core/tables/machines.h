/*
 * machines.h - instruction sets: their registers and address shapes; OS builds.
 */
#ifndef DT_TABLES_MACHINES_H
#define DT_TABLES_MACHINES_H

#include "core/model/crash.h"

/* Registers by number. x64: 0..15 in the order of unwind codes (rax rcx rdx rbx
 * rsp rbp rsi rdi r8..r15), 16 rip, 17 rflags. x86: eax ecx edx ebx esp ebp esi
 * edi, 8 eip, 9 eflags. arm64: x0..x28, 29 fp, 30 lr, 31 sp, 32 pc, 33 cpsr. */
enum {
	DT_X64_RAX, DT_X64_RCX, DT_X64_RDX, DT_X64_RBX, DT_X64_RSP, DT_X64_RBP, DT_X64_RSI, DT_X64_RDI,
	DT_X64_R8, DT_X64_R9, DT_X64_R10, DT_X64_R11, DT_X64_R12, DT_X64_R13, DT_X64_R14, DT_X64_R15,
	DT_X64_RIP, DT_X64_RFLAGS, DT_X64_COUNT
};
enum {
	DT_X86_EAX, DT_X86_ECX, DT_X86_EDX, DT_X86_EBX, DT_X86_ESP, DT_X86_EBP, DT_X86_ESI, DT_X86_EDI,
	DT_X86_EIP, DT_X86_EFLAGS, DT_X86_COUNT
};
enum { DT_ARM64_FP = 29, DT_ARM64_LR = 30, DT_ARM64_SP = 31, DT_ARM64_PC = 32, DT_ARM64_CPSR = 33, DT_ARM64_COUNT };

struct dt_machine_row {
	enum dt_machine machine;
	const char *name;
	unsigned address_bits;  /* 64 or 32 */
	size_t register_count;
	const char *const *registers; /* lower case */
	unsigned ip, sp;        /* their numbers */
};

/* NULL for DT_machine_NULL. */
const struct dt_machine_row *dt_machine_row(enum dt_machine machine);
/* The number of a register, or -1. */
int dt_machine_register(enum dt_machine machine, const char *name);

/* Whether an address is canonical on x64 with 48-bit addresses (57-bit machines: their
 * upper-half addresses outside 48 bits count as canonical too when la57). Always true for x86 and arm64 user/kernel halves. */
bool dt_address_is_canonical(enum dt_machine machine, uint64_t address);
/* Whether it lies in the kernel's half. */
bool dt_address_is_kernel(enum dt_machine machine, uint64_t address);

/* "Windows 10 2004-22H2 (build 19041)" for a kernel build. product_type as in the dump header
 * (1 workstation, 2 domain controller, 3 server, 0 unknown): 20348 is Server 2022; 26100 with a server product is Server 2025.
 * The builds that name several releases say so. Written to out; always something. */
struct dt_buf;
void dt_os_name(uint32_t major, uint32_t minor, uint32_t build, unsigned product_type, struct dt_buf *out);

#endif

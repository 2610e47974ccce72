/*
 * context.h - register sets as the several records keep them, made one shape.
 */
#ifndef DT_DUMP_CONTEXT_H
#define DT_DUMP_CONTEXT_H

#include "core/base/bytes.h"
#include "core/model/crash.h"
#include "core/tables/machines.h"

/* A register set. A register that the source does not hold is not known, never 0. */
struct dt_context {
	enum dt_machine machine;       /* DT_machine_NULL: empty */
	enum dt_fault_source source;
	uint64_t known;                /* bit n: reg[n] is known */
	uint64_t reg[DT_ARM64_COUNT];  /* by the numbers of machines.h */
	uint64_t fault_address;        /* trap frames: CR2 / FaultAddress */
	bool has_fault_address;
	bool user_mode;                /* CS (or CPSR) says user mode */
	uint64_t va;                   /* where the record stood; 0 when in a header */
};

static inline void dt_context_set(struct dt_context *context, unsigned number, uint64_t value)
{
	context->reg[number] = value;
	context->known |= UINT64_C(1) << number;
}

static inline struct dt_opt dt_context_get(const struct dt_context *context, unsigned number)
{
	return (struct dt_opt){ context->reg[number], (context->known >> number & 1) != 0 };
}

struct dt_opt dt_context_ip(const struct dt_context *context);
struct dt_opt dt_context_sp(const struct dt_context *context);

/* Sizes of the records, bytes. */
enum {
	DT_CONTEXT_X64_SIZE = 0x4d0,
	DT_CONTEXT_X86_SIZE = 0x2cc,
	DT_CONTEXT_ARM64_SIZE = 0x390,
	DT_TRAP_FRAME_X64_SIZE = 0x190,
	DT_TRAP_FRAME_ARM64_SIZE = 0x150,
	DT_TRAP_FRAME_X86_SIZE = 0x8c,
	DT_TRAP_FRAME_X86_KERNEL_SIZE = 0x74, /* of a trap in the kernel: the processor pushes no stack pointer then */
};
size_t dt_context_size(enum dt_machine machine);

/* Reads a CONTEXT. false when the bytes are too short, or its flags do not name the machine, or lack the control part. Registers
 * whose group (control, integer) the flags leave out are not known. Offsets: WDK headers; formats confirmed on real dumps. */
bool dt_context_parse(struct dt_context *out, enum dt_machine machine, struct dt_bytes bytes);
/* Reads an x64 KTRAP_FRAME: rax rcx rdx r8-r11 rsp rip rflags are known, and rbp
 * (stored by the fault handlers' entries); rbx rsi rdi r12-r15 are not. */
bool dt_trap_frame_parse_x64(struct dt_context *out, struct dt_bytes bytes);
/* Reads an ARM64 KTRAP_FRAME: x0-x18 fp lr sp pc. */
bool dt_trap_frame_parse_arm64(struct dt_context *out, struct dt_bytes bytes);

/* Reads an x86 KTRAP_FRAME that stands at va: all registers. It holds no fault address. */
bool dt_trap_frame_parse_x86(struct dt_context *out, struct dt_bytes bytes, uint64_t va);

/* Registers as the record wants them: one entry for each register of the machine, unknown ones null. */
struct dt_arena;
void dt_context_record(const struct dt_context *context, struct dt_arena *arena, struct dt_facts *facts);

#endif

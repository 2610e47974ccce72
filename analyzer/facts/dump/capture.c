/*
 * capture.c - the processors' registers in a hypervisor's capture.
 *
 * QEMU writes for each processor a note named CORE, which a debugger of Linux wants, and one named QEMU, which
 * has what finding the kernel takes: control registers, descriptor tables, the bases of segments. Offsets: QEMU's
 * target/i386/arch_dump.c; the last number, the kernel's other GS base, is missing from old versions. Of ARM64
 * processors there is the note for Linux only (target/arm/arch_dump.c, NT_PRSTATUS): the registers, none of the system's.
 */
#include "facts/dump/capture.h"

#include <string.h>

#include "core/tables/machines.h"

enum {
	NOTE_HEAD = 12,
	MOST_NOTES = 4096,
	MOST_CPUS = 512,
	Q_SIZE = 432,      /* without the last number */
	Q_RFLAGS = 144,
	Q_CS = 152,        /* selector; segments have 24 bytes, their base at 16 */
	Q_GS_BASE = 248 + 16,
	Q_IDT_BASE = 368 + 16,
	Q_CR2 = 392 + 16,
	Q_CR3 = 392 + 24,
	Q_CR4 = 392 + 32,
	Q_KERNEL_GS = 432,
	A_SIZE = 392,
	A_REGISTERS = 112, /* x0 to x30, sp, pc, pstate */
	A_REGION = 18,     /* Windows keeps the processor's region in x18 while it runs in the kernel */
	NT_PRSTATUS = 1,
};

/* The registers in the order of the note, from offset 8 on. */
static const uint8_t order[] = { DT_X64_RAX, DT_X64_RBX, DT_X64_RCX, DT_X64_RDX, DT_X64_RSI, DT_X64_RDI, DT_X64_RSP, DT_X64_RBP, DT_X64_R8,
	                         DT_X64_R9,  DT_X64_R10, DT_X64_R11, DT_X64_R12, DT_X64_R13, DT_X64_R14, DT_X64_R15, DT_X64_RIP, DT_X64_RFLAGS };

void dt_capture_begin(struct dt_dump *dump, enum dt_kind kind)
{
	dump->format = DT_FORMAT_CAPTURE;
	dump->kind = kind;
	dump->machine = DT_MACHINE_X64;
	dump->writer = DT_WRITER_HYPERVISOR;
	dump->complete = DT_TRUE;
}

static struct dt_cpu_state read_cpu(struct dt_bytes note)
{
	struct dt_cpu_state cpu = { .context = { .machine = DT_MACHINE_X64, .source = DT_FAULT_HEADER_CONTEXT } };

	for (unsigned i = 0; i < sizeof(order); i++)
		dt_context_set(&cpu.context, order[i], dt_bytes_u64_or(note, 8 + 8 * i, 0));
	cpu.context.user_mode = (dt_bytes_u32_or(note, Q_CS, 0) & 3) == 3;
	cpu.idt = dt_bytes_u64_or(note, Q_IDT_BASE, 0);
	cpu.cr2 = dt_bytes_u64_or(note, Q_CR2, 0);
	cpu.cr3 = dt_bytes_u64_or(note, Q_CR3, 0);
	cpu.cr4 = dt_bytes_u64_or(note, Q_CR4, 0);
	/* In the kernel GS is the processor's region; in a program it is kept aside. */
	cpu.kpcr = dt_bytes_u64_or(note, cpu.context.user_mode ? Q_KERNEL_GS : Q_GS_BASE, 0);
	if (!dt_address_is_kernel(DT_MACHINE_X64, cpu.kpcr))
		cpu.kpcr = dt_bytes_u64_or(note, Q_KERNEL_GS, 0);
	return cpu;
}

/* Numbers of machines.h are those of the note, one behind the other. */
static struct dt_cpu_state read_arm64(struct dt_bytes note)
{
	struct dt_cpu_state cpu = { .context = { .machine = DT_MACHINE_ARM64, .source = DT_FAULT_HEADER_CONTEXT } };

	for (unsigned i = 0; i < DT_ARM64_COUNT; i++)
		dt_context_set(&cpu.context, i, dt_bytes_u64_or(note, A_REGISTERS + 8 * (uint64_t)i, 0));
	cpu.context.user_mode = (cpu.context.reg[DT_ARM64_CPSR] & 0xf) == 0; /* EL0 */
	if (dt_address_is_kernel(DT_MACHINE_ARM64, cpu.context.reg[A_REGION]))
		cpu.kpcr = cpu.context.reg[A_REGION];
	return cpu;
}

/* The note of one processor, by its name and type; false for others. */
static bool read_note(const struct dt_dump *dump, struct dt_bytes head, struct dt_bytes name, struct dt_bytes note, struct dt_cpu_state *out)
{
	if (dump->machine == DT_MACHINE_ARM64 && dt_bytes_match(name, 0, "CORE", 5) && dt_bytes_u32_or(head, 8, 0) == NT_PRSTATUS && note.len >= A_SIZE) {
		*out = read_arm64(note);
		return true;
	}
	if (dump->machine != DT_MACHINE_X64 || !dt_bytes_match(name, 0, "QEMU", 5) || note.len < Q_SIZE)
		return false;
	*out = read_cpu(note);
	return true;
}

void dt_capture_notes(struct dt_dump *dump, struct dt_bytes notes)
{
	struct dt_cpu_state *cpus = DT_ARENA_ARRAY(dump->arena, MOST_CPUS, struct dt_cpu_state);
	uint64_t off = 0;

	for (unsigned i = 0; cpus && i < MOST_NOTES; i++) {
		uint64_t name_len = dt_bytes_u32_or(notes, off, 0), len = dt_bytes_u32_or(notes, off + 4, 0);
		uint64_t name = off + NOTE_HEAD, at = name + ((name_len + 3) & ~UINT64_C(3));

		if (!dt_bytes_has(notes, off, NOTE_HEAD) || (name_len == 0 && len == 0))
			break;
		if (name_len == 5 && dump->cpu_count < MOST_CPUS &&
		    read_note(dump, dt_bytes_clip(notes, off, NOTE_HEAD), dt_bytes_clip(notes, name, 5), dt_bytes_clip(notes, at, len), &cpus[dump->cpu_count]))
			dump->cpu_count++;
		off = at + ((len + 3) & ~UINT64_C(3));
	}
	dump->cpus = cpus;
	if (dump->cpu_count == 0) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "notes", "no registers of processors as QEMU writes them");
		dt_dump_missing(dump, "registers: the capture has none that lead to the kernel");
		return;
	}
	dump->processors = dt_some(dump->cpu_count);
	/* Until memory says which of them crashed. */
	dump->context = cpus[0].context;
}

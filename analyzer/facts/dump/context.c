/*
 * context.c - CONTEXT of x64, x86 and ARM64, and KTRAP_FRAME of x64 and ARM64.
 *
 * Offsets: WDK headers (ntddk.h, winnt.h), ReactOS ndk/amd64/asm.h, the unwinder
 * of dotnet/runtime for the ARM64 frame; all but the last seen on real dumps.
 */
#include "facts/dump/context.h"

#include "core/base/arena.h"

#define CONTEXT_ARCH_MASK 0x00ff0000u
#define CONTEXT_CONTROL 1u
#define CONTEXT_INTEGER 2u

/* One register of a record: its number, where it stands, how wide it is, and the group of flags that fills it. */
struct slot {
	uint8_t number;
	uint8_t width; /* 4 or 8 bytes */
	uint8_t group; /* CONTEXT_CONTROL, CONTEXT_INTEGER; 0: always */
	uint16_t off;
};

/* How one machine keeps its CONTEXT. */
struct layout {
	enum dt_machine machine;
	size_t size;       /* of the whole record */
	size_t needed;     /* bytes up to the end of the registers read here */
	uint16_t flags_off;
	uint32_t arch;     /* what CONTEXT_ARCH_MASK of the flags must be */
	uint16_t mode_off; /* SegCs, or Cpsr */
	uint32_t mode_mask, mode_user;
	const struct slot *slots;
	size_t slot_count;
};

static const struct slot x64_slots[] = {
	{ DT_X64_RAX, 8, CONTEXT_INTEGER, 0x78 },
	{ DT_X64_RCX, 8, CONTEXT_INTEGER, 0x80 },
	{ DT_X64_RDX, 8, CONTEXT_INTEGER, 0x88 },
	{ DT_X64_RBX, 8, CONTEXT_INTEGER, 0x90 },
	{ DT_X64_RSP, 8, CONTEXT_CONTROL, 0x98 },
	{ DT_X64_RBP, 8, CONTEXT_INTEGER, 0xa0 },
	{ DT_X64_RSI, 8, CONTEXT_INTEGER, 0xa8 },
	{ DT_X64_RDI, 8, CONTEXT_INTEGER, 0xb0 },
	{ DT_X64_R8, 8, CONTEXT_INTEGER, 0xb8 },
	{ DT_X64_R9, 8, CONTEXT_INTEGER, 0xc0 },
	{ DT_X64_R10, 8, CONTEXT_INTEGER, 0xc8 },
	{ DT_X64_R11, 8, CONTEXT_INTEGER, 0xd0 },
	{ DT_X64_R12, 8, CONTEXT_INTEGER, 0xd8 },
	{ DT_X64_R13, 8, CONTEXT_INTEGER, 0xe0 },
	{ DT_X64_R14, 8, CONTEXT_INTEGER, 0xe8 },
	{ DT_X64_R15, 8, CONTEXT_INTEGER, 0xf0 },
	{ DT_X64_RIP, 8, CONTEXT_CONTROL, 0xf8 },
	{ DT_X64_RFLAGS, 4, CONTEXT_CONTROL, 0x44 },
};

static const struct slot x86_slots[] = {
	{ DT_X86_EDI, 4, CONTEXT_INTEGER, 0x9c },
	{ DT_X86_ESI, 4, CONTEXT_INTEGER, 0xa0 },
	{ DT_X86_EBX, 4, CONTEXT_INTEGER, 0xa4 },
	{ DT_X86_EDX, 4, CONTEXT_INTEGER, 0xa8 },
	{ DT_X86_ECX, 4, CONTEXT_INTEGER, 0xac },
	{ DT_X86_EAX, 4, CONTEXT_INTEGER, 0xb0 },
	{ DT_X86_EBP, 4, CONTEXT_CONTROL, 0xb4 },
	{ DT_X86_EIP, 4, CONTEXT_CONTROL, 0xb8 },
	{ DT_X86_EFLAGS, 4, CONTEXT_CONTROL, 0xc0 },
	{ DT_X86_ESP, 4, CONTEXT_CONTROL, 0xc4 },
};

#define ARM64_X(n) { n, 8, CONTEXT_INTEGER, 0x08 + 8 * (n) }
static const struct slot arm64_slots[] = {
	ARM64_X(0),  ARM64_X(1),  ARM64_X(2),  ARM64_X(3),  ARM64_X(4),  ARM64_X(5),  ARM64_X(6),  ARM64_X(7),
	ARM64_X(8),  ARM64_X(9),  ARM64_X(10), ARM64_X(11), ARM64_X(12), ARM64_X(13), ARM64_X(14), ARM64_X(15),
	ARM64_X(16), ARM64_X(17), ARM64_X(18), ARM64_X(19), ARM64_X(20), ARM64_X(21), ARM64_X(22), ARM64_X(23),
	ARM64_X(24), ARM64_X(25), ARM64_X(26), ARM64_X(27), ARM64_X(28),
	{ DT_ARM64_FP, 8, CONTEXT_CONTROL, 0xf0 },
	{ DT_ARM64_LR, 8, CONTEXT_CONTROL, 0xf8 },
	{ DT_ARM64_SP, 8, CONTEXT_CONTROL, 0x100 },
	{ DT_ARM64_PC, 8, CONTEXT_CONTROL, 0x108 },
	{ DT_ARM64_CPSR, 4, CONTEXT_CONTROL, 0x04 },
};

#define SLOTS(table) table, sizeof(table) / sizeof(table[0])
static const struct layout layouts[] = {
	{ DT_MACHINE_X64, DT_CONTEXT_X64_SIZE, 0x100, 0x30, 0x00100000, 0x38, 3, 3, SLOTS(x64_slots) },
	{ DT_MACHINE_X86, DT_CONTEXT_X86_SIZE, 0xcc, 0x00, 0x00010000, 0xbc, 3, 3, SLOTS(x86_slots) },
	{ DT_MACHINE_ARM64, DT_CONTEXT_ARM64_SIZE, 0x110, 0x00, 0x00400000, 0x04, 0xf, 0, SLOTS(arm64_slots) },
};

static const struct slot x64_trap_slots[] = {
	{ DT_X64_RAX, 8, 0, 0x30 },
	{ DT_X64_RCX, 8, 0, 0x38 },
	{ DT_X64_RDX, 8, 0, 0x40 },
	{ DT_X64_R8, 8, 0, 0x48 },
	{ DT_X64_R9, 8, 0, 0x50 },
	{ DT_X64_R10, 8, 0, 0x58 },
	{ DT_X64_R11, 8, 0, 0x60 },
	{ DT_X64_RBP, 8, 0, 0x158 },
	{ DT_X64_RIP, 8, 0, 0x168 },
	{ DT_X64_RFLAGS, 4, 0, 0x178 },
	{ DT_X64_RSP, 8, 0, 0x180 },
};

#define ARM64_TRAP_X(n) { n, 8, 0, 0xa0 + 8 * (n) }
static const struct slot arm64_trap_slots[] = {
	ARM64_TRAP_X(0),  ARM64_TRAP_X(1),  ARM64_TRAP_X(2),  ARM64_TRAP_X(3),  ARM64_TRAP_X(4),
	ARM64_TRAP_X(5),  ARM64_TRAP_X(6),  ARM64_TRAP_X(7),  ARM64_TRAP_X(8),  ARM64_TRAP_X(9),
	ARM64_TRAP_X(10), ARM64_TRAP_X(11), ARM64_TRAP_X(12), ARM64_TRAP_X(13), ARM64_TRAP_X(14),
	ARM64_TRAP_X(15), ARM64_TRAP_X(16), ARM64_TRAP_X(17), ARM64_TRAP_X(18),
	{ DT_ARM64_CPSR, 4, 0, 0x90 },
	{ DT_ARM64_SP, 8, 0, 0x98 },
	{ DT_ARM64_LR, 8, 0, 0x138 },
	{ DT_ARM64_FP, 8, 0, 0x140 },
	{ DT_ARM64_PC, 8, 0, 0x148 },
};

/* Ebx, Esi and Edi are stored by the entries of all traps on x86. */
static const struct slot x86_trap_slots[] = {
	{ DT_X86_EDX, 4, 0, 0x3c }, { DT_X86_ECX, 4, 0, 0x40 }, { DT_X86_EAX, 4, 0, 0x44 }, { DT_X86_EDI, 4, 0, 0x54 },
	{ DT_X86_ESI, 4, 0, 0x58 }, { DT_X86_EBX, 4, 0, 0x5c }, { DT_X86_EBP, 4, 0, 0x60 }, { DT_X86_EIP, 4, 0, 0x68 },
	{ DT_X86_EFLAGS, 4, 0, 0x70 },
};

static const struct layout *layout_of(enum dt_machine machine)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].machine == machine)
			return &layouts[i];
	return NULL;
}

size_t dt_context_size(enum dt_machine machine)
{
	const struct layout *layout = layout_of(machine);

	return layout ? layout->size : 0;
}

static struct dt_opt register_of(const struct dt_context *context, bool stack)
{
	const struct dt_machine_row *row = dt_machine_row(context->machine);

	if (!row)
		return (struct dt_opt){ 0, false };
	return dt_context_get(context, stack ? row->sp : row->ip);
}

struct dt_opt dt_context_ip(const struct dt_context *context)
{
	return register_of(context, false);
}

struct dt_opt dt_context_sp(const struct dt_context *context)
{
	return register_of(context, true);
}

/* The caller has checked that all slots lie inside. */
static void take(struct dt_context *out, struct dt_bytes bytes, const struct slot *slots, size_t count,
                 uint32_t groups)
{
	for (size_t i = 0; i < count; i++) {
		const struct slot *slot = &slots[i];
		bool wide = slot->width == 8;

		if (slot->group && !(groups & slot->group))
			continue;
		dt_context_set(out, slot->number,
		               wide ? dt_bytes_u64_or(bytes, slot->off, 0) : dt_bytes_u32_or(bytes, slot->off, 0));
	}
}

bool dt_context_parse(struct dt_context *out, enum dt_machine machine, struct dt_bytes bytes)
{
	const struct layout *layout = layout_of(machine);

	if (!layout || bytes.len < layout->needed)
		return false;
	uint32_t flags = dt_bytes_u32_or(bytes, layout->flags_off, 0);
	if ((flags & CONTEXT_ARCH_MASK) != layout->arch || !(flags & CONTEXT_CONTROL))
		return false;
	*out = (struct dt_context){ .machine = machine, .source = DT_FAULT_CONTEXT_RECORD };
	take(out, bytes, layout->slots, layout->slot_count, flags);
	out->user_mode = (dt_bytes_u16_or(bytes, layout->mode_off, 0) & layout->mode_mask) == layout->mode_user;
	return true;
}

bool dt_trap_frame_parse_x64(struct dt_context *out, struct dt_bytes bytes)
{
	if (bytes.len < DT_TRAP_FRAME_X64_SIZE)
		return false;
	*out = (struct dt_context){ .machine = DT_MACHINE_X64, .source = DT_FAULT_TRAP_FRAME };
	out->has_fault_address = true;
	take(out, bytes, SLOTS(x64_trap_slots), 0);
	out->fault_address = dt_bytes_u64_or(bytes, 0xd0, 0);
	out->user_mode = (dt_bytes_u16_or(bytes, 0x170, 0) & 3) == 3;
	return true;
}

bool dt_trap_frame_parse_arm64(struct dt_context *out, struct dt_bytes bytes)
{
	if (bytes.len < DT_TRAP_FRAME_ARM64_SIZE)
		return false;
	*out = (struct dt_context){ .machine = DT_MACHINE_ARM64, .source = DT_FAULT_TRAP_FRAME };
	out->has_fault_address = true;
	take(out, bytes, SLOTS(arm64_trap_slots), 0);
	out->fault_address = dt_bytes_u64_or(bytes, 0x08, 0);
	out->user_mode = (dt_bytes_u32_or(bytes, 0x90, 0) & 0xf) == 0;
	return true;
}

bool dt_trap_frame_parse_x86(struct dt_context *out, struct dt_bytes bytes, uint64_t va)
{
	uint32_t sp = (uint32_t)va + DT_TRAP_FRAME_X86_KERNEL_SIZE;

	if (bytes.len < DT_TRAP_FRAME_X86_KERNEL_SIZE)
		return false;
	*out = (struct dt_context){ .machine = DT_MACHINE_X86, .source = DT_FAULT_TRAP_FRAME };
	take(out, bytes, SLOTS(x86_trap_slots), 0);
	out->user_mode = (dt_bytes_u16_or(bytes, 0x6c, 0) & 3) == 3;
	if (!out->user_mode || dt_bytes_u32(bytes, 0x74, &sp))
		dt_context_set(out, DT_X86_ESP, sp);
	return true;
}

void dt_context_record(const struct dt_context *context, struct dt_arena *arena, struct dt_facts *facts)
{
	const struct dt_machine_row *row = dt_machine_row(context->machine);

	facts->registers = NULL;
	facts->registers_count = 0;
	if (!row)
		return;
	struct dt_register *registers = DT_ARENA_ARRAY(arena, row->register_count, struct dt_register);
	if (!registers)
		return;
	for (unsigned i = 0; i < row->register_count; i++)
		registers[i] = (struct dt_register){ row->registers[i], dt_context_get(context, i) };
	facts->registers = registers;
	facts->registers_count = row->register_count;
}

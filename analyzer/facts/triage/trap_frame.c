/*
 * Finds an x64 or ARM64 KTRAP_FRAME by its own evidence. Offsets: ReactOS
 * ndk/amd64/asm.h and dotnet's ARM64 unwinder; checked on 36 frames of real dumps.
 */
#include "facts/triage/pass.h"

enum {
	X64_FRAME_FAULT_ADDRESS = 0xd0,
	X64_FRAME_RIP = 0x168,
	X64_FRAME_CS = 0x170,
	X64_FRAME_EFLAGS = 0x178,
	X64_FRAME_RSP = 0x180,
	X64_FRAME_SS = 0x188,
	X86_FRAME_EIP = 0x68,
	X86_FRAME_CS = 0x6c,
	X86_FRAME_EFLAGS = 0x70,
	ARM64_FRAME_SP = 0x98,
	ARM64_FRAME_PC = 0x148,
};

/* What the processor pushed: the segment registers hold one of few values, as
 * full 64-bit words. A 16-bit test would take a CONTEXT for a trap frame. */
static bool x64_machine_frame_is_sound(struct dt_bytes frame)
{
	uint64_t cs = dt_bytes_u64_or(frame, X64_FRAME_CS, 0), eflags = dt_bytes_u64_or(frame, X64_FRAME_EFLAGS, 0);
	uint16_t ss = dt_bytes_u16_or(frame, X64_FRAME_SS, 0xffff);
	bool kernel = cs == 0x10;

	if (!kernel && cs != 0x33 && cs != 0x23)
		return false;
	if (ss != 0x18 && ss != 0x2b && ss != 0)
		return false;
	/* Bit 1 is always set, bits 22 and up are reserved. */
	if (!(eflags & 2) || eflags >> 22)
		return false;
	uint64_t rip = dt_bytes_u64_or(frame, X64_FRAME_RIP, 0);
	/* The kernel can call through a NULL pointer or into a program: what could not be fetched is then where it is. */
	if (kernel && dt_bytes_u64_or(frame, X64_FRAME_FAULT_ADDRESS, ~rip) == rip)
		return true;
	return kernel == dt_address_is_kernel(DT_MACHINE_X64, rip) || !dt_address_is_canonical(DT_MACHINE_X64, rip);
}

/* A fault in kernel code leaves its stack pointer right above the frame: the processor aligns
 * to 16 before it pushes. (Vectors with a stack of their own are found by pointer only.) */
static bool x64_stack_pointer_fits(const struct dt_context *context, uint64_t va)
{
	uint64_t above = context->reg[DT_X64_RSP] - va;

	return context->user_mode || above == 0x190 || above == 0x198;
}

static bool arm64_frame_is_sound(const struct dt_dump *dump, struct dt_bytes frame, uint64_t va)
{
	uint64_t sp = dt_bytes_u64_or(frame, ARM64_FRAME_SP, 0), pc = dt_bytes_u64_or(frame, ARM64_FRAME_PC, 0);

	if (sp % 16 || pc % 4 || dt_address_is_kernel(DT_MACHINE_ARM64, pc) != dt_address_is_kernel(DT_MACHINE_ARM64, sp))
		return false;
	if (!dt_address_is_kernel(DT_MACHINE_ARM64, pc))
		return true;
	return sp > va && sp <= dump->stack_va + dump->stack_len;
}

/* Ring 0 code runs with CS 8, programs with 0x1b; the upper half of the word is what was there. */
static bool x86_frame_is_sound(struct dt_bytes frame)
{
	uint32_t cs = dt_bytes_u32_or(frame, X86_FRAME_CS, 0), eflags = dt_bytes_u32_or(frame, X86_FRAME_EFLAGS, 0);
	bool kernel = (cs & 0xffff) == 8;

	if (!kernel && (cs & 0xffff) != 0x1b)
		return false;
	return (eflags & 2) && eflags >> 22 == 0 &&
	       kernel == dt_address_is_kernel(DT_MACHINE_X86, dt_bytes_u32_or(frame, X86_FRAME_EIP, 0));
}

static bool parse(const struct dt_dump *dump, struct dt_bytes frame, uint64_t va, struct dt_context *out)
{
	bool ok = false;

	if (dump->machine == DT_MACHINE_X64)
		ok = x64_machine_frame_is_sound(frame) && dt_trap_frame_parse_x64(out, frame);
	else if (dump->machine == DT_MACHINE_ARM64)
		ok = arm64_frame_is_sound(dump, frame, va) && dt_trap_frame_parse_arm64(out, frame);
	else if (dump->machine == DT_MACHINE_X86)
		ok = x86_frame_is_sound(frame) && dt_trap_frame_parse_x86(out, frame, va);
	if (!ok)
		return false;
	out->source = DT_FAULT_TRAP_FRAME;
	out->va = va;
	return true;
}

static size_t frame_size(const struct dt_dump *dump)
{
	if (dump->machine == DT_MACHINE_X86)
		return DT_TRAP_FRAME_X86_KERNEL_SIZE;
	return dump->machine == DT_MACHINE_ARM64 ? DT_TRAP_FRAME_ARM64_SIZE : DT_TRAP_FRAME_X64_SIZE;
}

bool dt_trap_frame_at(const struct dt_dump *dump, uint64_t va, struct dt_context *out)
{
	uint8_t bytes[DT_TRAP_FRAME_X64_SIZE];
	size_t size = frame_size(dump);

	return va % (dump->machine == DT_MACHINE_X86 ? 4 : 8) == 0 && dt_memory_read_all(&dump->memory, va, bytes, size) &&
	       parse(dump, (struct dt_bytes){ bytes, size }, va, out);
}

/* The word at off of the stack, as wide as the machine's. */
static bool word_at(const struct dt_dump *dump, struct dt_bytes stack, uint64_t off, uint64_t *out)
{
	uint32_t narrow;

	if (dump->machine != DT_MACHINE_X86)
		return dt_bytes_u64(stack, off, out);
	if (!dt_bytes_u32(stack, off, &narrow))
		return false;
	*out = narrow;
	return true;
}

/* Whether a frame that was found holds the fault address that was reported; x86 frames hold none. */
static bool address_fits(const struct dt_dump *dump, const struct dt_context *frame, struct dt_opt address)
{
	if (!address.known || dump->machine == DT_MACHINE_X86)
		return true;
	return frame->has_fault_address && frame->fault_address == address.value;
}

static uint64_t ip_offset(enum dt_machine machine)
{
	return machine == DT_MACHINE_ARM64 ? ARM64_FRAME_PC : machine == DT_MACHINE_X86 ? X86_FRAME_EIP : X64_FRAME_RIP;
}

bool dt_trap_frame_find(const struct dt_dump *dump, struct dt_opt ip, struct dt_opt address, struct dt_context *out)
{
	struct dt_bytes stack = dt_bytes_clip(dt_memory_view(&dump->memory, dump->stack_va), 0, DT_MAX_STACK_SCAN);
	size_t size = frame_size(dump), step = dump->machine == DT_MACHINE_X86 ? 4 : 8;
	uint64_t ip_off = ip_offset(dump->machine), saved;
	struct dt_context found;

	if (!ip.known && (!address.known || dump->machine == DT_MACHINE_X86))
		return false;
	for (uint64_t off = 0; word_at(dump, stack, off + ip_off, &saved); off += step) {
		uint64_t va = dump->stack_va + off;
		if (ip.known && saved != ip.value)
			continue;
		if (!dt_bytes_has(stack, off, size) || !parse(dump, dt_bytes_clip(stack, off, size), va, &found))
			continue;
		if (dump->machine == DT_MACHINE_X64 && !x64_stack_pointer_fits(&found, va))
			continue;
		if (!address_fits(dump, &found, address))
			continue;
		*out = found;
		return true;
	}
	return false;
}

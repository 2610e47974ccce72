/*
 * Finds an x64 or ARM64 KTRAP_FRAME by its own evidence. Offsets: ReactOS
 * ndk/amd64/asm.h and dotnet's ARM64 unwinder; checked on 36 frames of real dumps.
 */
#include "facts/triage/pass.h"

enum {
	X64_FRAME_RIP = 0x168,
	X64_FRAME_CS = 0x170,
	X64_FRAME_EFLAGS = 0x178,
	X64_FRAME_RSP = 0x180,
	X64_FRAME_SS = 0x188,
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

static bool parse(const struct dt_dump *dump, struct dt_bytes frame, uint64_t va, struct dt_context *out)
{
	bool ok = false;

	if (dump->machine == DT_MACHINE_X64)
		ok = x64_machine_frame_is_sound(frame) && dt_trap_frame_parse_x64(out, frame);
	else if (dump->machine == DT_MACHINE_ARM64)
		ok = arm64_frame_is_sound(dump, frame, va) && dt_trap_frame_parse_arm64(out, frame);
	if (!ok)
		return false;
	out->source = DT_FAULT_TRAP_FRAME;
	out->va = va;
	return true;
}

static size_t frame_size(const struct dt_dump *dump)
{
	return dump->machine == DT_MACHINE_ARM64 ? DT_TRAP_FRAME_ARM64_SIZE : DT_TRAP_FRAME_X64_SIZE;
}

bool dt_trap_frame_at(const struct dt_dump *dump, uint64_t va, struct dt_context *out)
{
	uint8_t bytes[DT_TRAP_FRAME_X64_SIZE];
	size_t size = frame_size(dump);

	return va % 8 == 0 && dt_memory_read_all(&dump->memory, va, bytes, size) &&
	       parse(dump, (struct dt_bytes){ bytes, size }, va, out);
}

bool dt_trap_frame_find(const struct dt_dump *dump, struct dt_opt ip, struct dt_opt address, struct dt_context *out)
{
	struct dt_bytes stack = dt_bytes_clip(dt_memory_view(&dump->memory, dump->stack_va), 0, DT_MAX_STACK_SCAN);
	size_t size = frame_size(dump);
	uint64_t ip_off = dump->machine == DT_MACHINE_ARM64 ? ARM64_FRAME_PC : X64_FRAME_RIP, saved;
	struct dt_context found;

	if (!ip.known && !address.known)
		return false;
	for (uint64_t off = 0; dt_bytes_u64(stack, off + ip_off, &saved); off += 8) {
		uint64_t va = dump->stack_va + off;
		if (ip.known && saved != ip.value)
			continue;
		if (!dt_bytes_has(stack, off, size) || !parse(dump, dt_bytes_clip(stack, off, size), va, &found))
			continue;
		if (dump->machine == DT_MACHINE_X64 && !x64_stack_pointer_fits(&found, va))
			continue;
		if (address.known && (!found.has_fault_address || found.fault_address != address.value))
			continue;
		*out = found;
		return true;
	}
	return false;
}

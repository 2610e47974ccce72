/*
 * The registers of the fault. In most kernel dumps the header's context is
 * KeBugCheckEx's, and the fault's own is in a trap frame or a CONTEXT record in memory;
 * the roles of the parameters say which.
 */
#include "facts/triage/pass.h"

/* KeBugCheckEx begins by storing its four register arguments in their home slots, and its fifth stands above
 * them: [rsp+8] code, then the parameters. Real dumps: the code there can be the one before Windows
 * made it more precise (0xA for 0xD1), and 0x50's third is the trap frame, which the header replaces. */
static unsigned home_slots_that_agree(const struct dt_dump *dump, uint64_t sp)
{
	unsigned agree = 0;
	uint64_t word;

	for (unsigned i = 0; i < 4; i++)
		if (dt_memory_u64(&dump->memory, sp + 0x10 + 8 * i, &word) && word == dump->bugcheck_parameter[i])
			agree++;
	return agree;
}

/* Linkers fill the space between functions with int3 or with nop forms. */
static bool begins_after_padding(const struct dt_dump *dump, uint64_t ip)
{
	static const uint8_t nops[] = { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 };
	uint8_t before[8];

	if (!dt_memory_read_all(&dump->memory, ip - sizeof(before), before, sizeof(before)))
		return false;
	if (before[7] == 0xcc && before[6] == 0xcc)
		return true;
	for (size_t i = 0; i < sizeof(nops); i++)
		if (before[i] != nops[i])
			return false;
	return true;
}

/* Whether the header's context stands at the first instruction of KeBugCheckEx or KeBugCheck, so that
 * the word at its stack pointer is the return address to whoever called it. */
static bool stands_at_bugcheck_entry(const struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_opt ip = dt_context_ip(&dump->context), sp = dt_context_sp(&dump->context);
	const struct dt_module *module = ip.known ? dt_dump_module_at(dump, ip.value) : NULL;
	uint64_t fault_ip, code;

	if (dump->machine != DT_MACHINE_X64 || !module || !sp.known || !dump->kdbg.kern_base ||
	    module->base.value != dump->kdbg.kern_base)
		return false;
	if (dt_pass_role(pass, DT_ROLE_IP, &fault_ip) && fault_ip == ip.value)
		return false;
	/* All four parameters as arguments (three for codes that put a record in the place of one), or the code
	 * itself; or, for KeBugCheck with its one argument in rcx, the begin of a function. */
	if (home_slots_that_agree(dump, sp.value) >= 3 && dt_memory_u64(&dump->memory, sp.value + 8, &code) && code >> 32 == 0)
		return true;
	return begins_after_padding(dump, ip.value);
}

static bool from_record(struct dt_pass *pass, struct dt_context *out)
{
	const struct dt_dump *dump = pass->dump;
	uint8_t bytes[DT_CONTEXT_X64_SIZE];
	size_t size = dt_context_size(dump->machine);
	uint64_t va;

	if (!dt_pass_role(pass, DT_ROLE_CONTEXT_RECORD, &va) || !va || size > sizeof(bytes))
		return false;
	if (!dt_memory_read_all(&dump->memory, va, bytes, size) ||
	    !dt_context_parse(out, dump->machine, (struct dt_bytes){ bytes, size })) {
		dt_note_add(pass->notes, DT_NOTE_INFO, "context record",
		            "the CONTEXT at 0x%llx that the stop code names is not in the dump%s", (unsigned long long)va,
		            dt_pass_absence(pass, va));
		return false;
	}
	out->source = DT_FAULT_CONTEXT_RECORD;
	out->va = va;
	dt_pass_hole(pass, va, size);
	return true;
}

/* For the exceptions of system threads (0x7E) the header has the fault's context itself. */
static bool from_header(const struct dt_pass *pass, struct dt_context *out)
{
	struct dt_opt ip = dt_context_ip(&pass->dump->context);
	uint64_t fault_ip;

	if (!dt_pass_role(pass, DT_ROLE_IP, &fault_ip) || !dt_opt_is(ip, fault_ip))
		return false;
	*out = pass->dump->context;
	out->source = DT_FAULT_HEADER_CONTEXT;
	return true;
}

static struct dt_opt reported_address(const struct dt_pass *pass)
{
	struct dt_opt address = pass->facts->exception.address;

	/* -1 stands for "the processor told none" (general protection). */
	if (address.known && address.value == UINT64_MAX)
		address.known = false;
	return address;
}

static struct dt_opt reported_ip(const struct dt_pass *pass)
{
	uint64_t ip;

	if (dt_pass_role(pass, DT_ROLE_IP, &ip) && ip)
		return dt_some(ip);
	if (pass->record.present && pass->record.address)
		return dt_some(pass->record.address);
	if (pass->facts->exception.access == DT_ACCESS_EXECUTE)
		return pass->facts->exception.address;
	return (struct dt_opt){ 0 };
}

static bool frame_agrees(const struct dt_pass *pass, const struct dt_context *frame)
{
	struct dt_opt ip = reported_ip(pass), address = reported_address(pass);

	if (ip.known && !dt_opt_is(dt_context_ip(frame), ip.value))
		return false;
	return !address.known || !frame->has_fault_address || frame->fault_address == address.value;
}

static bool frame_of_parameter(struct dt_pass *pass, struct dt_context *out)
{
	uint64_t va;

	if (!dt_pass_role(pass, DT_ROLE_TRAP_FRAME, &va) || !va)
		return false;
	if (dt_trap_frame_at(pass->dump, va, out) && frame_agrees(pass, out))
		return true;
	dt_note_add(pass->notes, DT_NOTE_INFO, "trap frame", "no trap frame at 0x%llx, which the stop code names",
	            (unsigned long long)va);
	return false;
}

/* What KeBugCheckEx was called with: one of its arguments can be the trap frame. */
static bool frame_of_argument(struct dt_pass *pass, struct dt_context *out)
{
	struct dt_opt sp = dt_context_sp(&pass->dump->context);
	uint64_t va;

	if (!pass->at_bugcheck_entry)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (dt_memory_u64(&pass->dump->memory, sp.value + 0x10 + 8 * i, &va) && va != pass->dump->bugcheck_parameter[i] &&
		    dt_trap_frame_at(pass->dump, va, out) && frame_agrees(pass, out))
			return true;
	return false;
}

static const uint16_t frame_sizes[DT_machine_COUNT] = {
	[DT_MACHINE_X64] = DT_TRAP_FRAME_X64_SIZE,
	[DT_MACHINE_X86] = DT_TRAP_FRAME_X86_KERNEL_SIZE,
	[DT_MACHINE_ARM64] = DT_TRAP_FRAME_ARM64_SIZE,
};

static bool from_trap_frame(struct dt_pass *pass, struct dt_context *out)
{
	struct dt_opt ip = reported_ip(pass), address = reported_address(pass);
	bool has_access = pass->facts->exception.address.known;

	if (!frame_of_parameter(pass, out) && !frame_of_argument(pass, out) &&
	    !(dt_trap_frame_find(pass->dump, ip, has_access ? address : (struct dt_opt){ 0 }, out)))
		return false;
	dt_pass_hole(pass, out->va, frame_sizes[pass->dump->machine]);
	return true;
}

void dt_pass_context(struct dt_pass *pass)
{
	struct dt_context found = { 0 };

	if (pass->dump->format == DT_FORMAT_USER) {
		if (pass->dump->exception.present)
			pass->context = pass->dump->context;
	} else {
		pass->at_bugcheck_entry = stands_at_bugcheck_entry(pass);
		if (from_record(pass, &found) || from_header(pass, &found) || from_trap_frame(pass, &found))
			pass->context = found;
	}
	if (pass->context.machine != DT_machine_NULL)
		dt_context_record(&pass->context, pass->arena, pass->facts);
}

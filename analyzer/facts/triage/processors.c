/*
 * All processors of a machine whose kernel memory the dump holds: what each ran, its last page fault, where it was when the machine
 * stopped. A minidump has the block of one processor only, and gives none here.
 */
#include "facts/triage/pass.h"

struct reader {
	struct dt_pass *pass;
	const struct dt_kdbg *kdbg;
	unsigned width;
};

static struct dt_opt pointer(const struct reader *r, uint64_t va)
{
	const struct dt_memory *memory = &r->pass->dump->memory;
	uint64_t wide;
	uint32_t narrow;

	if (r->width == 8)
		return dt_memory_u64(memory, va, &wide) ? dt_some(wide) : (struct dt_opt){ 0 };
	return dt_memory_u32(memory, va, &narrow) ? dt_some(narrow) : (struct dt_opt){ 0 };
}

static bool is_kernel(const struct reader *r, struct dt_opt va)
{
	return va.known && va.value && dt_address_is_kernel(r->pass->dump->machine, va.value);
}

/* The CONTEXT that the block points to. Processors that ran nothing of note left it empty. */
static void read_ip(const struct reader *r, uint64_t prcb, struct dt_processor *out)
{
	enum dt_machine machine = r->pass->dump->machine;
	size_t size = dt_context_size(machine);
	uint8_t raw[DT_CONTEXT_X64_SIZE];
	struct dt_context context;
	struct dt_opt va = r->kdbg->off_prcb_context ? pointer(r, prcb + r->kdbg->off_prcb_context) : (struct dt_opt){ 0 };

	if (!is_kernel(r, va) || size > sizeof(raw) || !dt_memory_read_all(&r->pass->dump->memory, va.value, raw, size) ||
	    !dt_context_parse(&context, machine, (struct dt_bytes){ raw, size }) || !dt_context_ip(&context).value)
		return;
	out->ip = dt_context_ip(&context);
	(void)dt_pass_locate(r->pass, out->ip.value, &out->module, &out->offset);
}

static void read_thread(const struct reader *r, uint64_t prcb, struct dt_processor *out)
{
	struct dt_opt thread = pointer(r, prcb + r->kdbg->off_prcb_current_thread), process;

	if (!is_kernel(r, thread))
		return;
	out->thread = thread;
	process = pointer(r, thread.value + r->kdbg->off_kthread_apc_process);
	if (r->kdbg->off_kthread_apc_process && is_kernel(r, process))
		(void)dt_process_at(r->pass->dump, process.value, r->pass->arena, &out->process, &out->pid);
}

/* One processor; false where the block is not its own. */
static bool read_processor(const struct reader *r, uint64_t prcb, uint32_t number, struct dt_processor *out)
{
	uint32_t told;

	if (!dt_memory_u32(&r->pass->dump->memory, prcb + r->kdbg->off_prcb_number, &told) || told != number)
		return false;
	*out = (struct dt_processor){ .number = dt_some(number) };
	if (r->kdbg->off_prcb_special_registers)
		out->cr2 = pointer(r, prcb + r->kdbg->off_prcb_special_registers + r->width);
	if (out->cr2.value == 0 || r->pass->dump->machine == DT_MACHINE_ARM64)
		out->cr2 = (struct dt_opt){ 0 };
	read_thread(r, prcb, out);
	read_ip(r, prcb, out);
	return true;
}

void dt_pass_processors(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct reader r = { pass, &dump->kdbg, dump->machine == DT_MACHINE_X86 ? 4 : 8 };
	struct dt_facts *facts = pass->facts;
	struct dt_opt prcb;

	if (!dump->memory.space || !r.kdbg->processor_block || !r.kdbg->off_prcb_number || !r.kdbg->off_prcb_current_thread)
		return;
	facts->processors = DT_ARENA_ARRAY(pass->arena, DT_MAX_PROCESSORS, struct dt_processor);
	for (uint32_t i = 0; facts->processors && (!dump->processors.known || i < dump->processors.value); i++) {
		prcb = pointer(&r, r.kdbg->processor_block + (uint64_t)i * r.width);
		if (!is_kernel(&r, prcb) || dt_pass_is_full(pass, "processors", i, DT_MAX_PROCESSORS))
			return;
		if (read_processor(&r, prcb.value, i, &facts->processors[facts->processors_count]))
			facts->processors_count++;
	}
}

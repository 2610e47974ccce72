/*
 * processors.c - the processor blocks, which of them crashed, and what it was running.
 *
 * No field says which processor called KeBugCheckEx. Its thread's stack holds the stack pointer of the header's context;
 * where that does not tell, the fault address that the processor kept (CR2) is the stop code's first parameter.
 */
#include <inttypes.h>

#include "facts/kernel/walk.h"

enum { MOST_PROCESSORS = 2048, KPRCB_CR2 = 8, MOST_PART = 0x10000, OBJECT_PROCESS = 3, OBJECT_THREAD = 6 };

struct stack {
	uint64_t limit, base;
};

struct processor {
	uint64_t prcb, thread;
	struct stack stack; /* 0, 0 unknown */
	uint64_t cr2;
};

/* KTHREAD.StackLimit follows InitialStack in all versions; StackBase is told since Windows 8, and stands at the end of
 * the page that InitialStack lies in. */
static bool read_stack(const struct dt_kernel_walk *walk, uint64_t thread, struct stack *out)
{
	const struct dt_kdbg *kdbg = &walk->dump->kdbg;
	uint32_t limit = kdbg->off_kthread_stack_limit ? kdbg->off_kthread_stack_limit : kdbg->off_kthread_initial_stack + walk->width;

	if (!thread || !kdbg->off_kthread_initial_stack || !dt_walk_kernel_pointer(walk, thread + limit, &out->limit))
		return false;
	if (kdbg->off_kthread_stack_base && !dt_walk_kernel_pointer(walk, thread + kdbg->off_kthread_stack_base, &out->base))
		return false;
	if (!kdbg->off_kthread_stack_base) {
		if (!dt_walk_kernel_pointer(walk, thread + kdbg->off_kthread_initial_stack, &out->base))
			return false;
		out->base = (out->base + DT_PAGE_SIZE - 1) & ~(uint64_t)(DT_PAGE_SIZE - 1);
	}
	return out->base > out->limit && out->base - out->limit <= DT_MAX_KERNEL_STACK;
}

/* One processor; false where no block stands at va. */
static bool read_processor(const struct dt_kernel_walk *walk, uint64_t va, uint32_t number, struct processor *out)
{
	const struct dt_kdbg *kdbg = &walk->dump->kdbg;
	uint32_t told;

	*out = (struct processor){ .prcb = va };
	if (kdbg->off_prcb_number && (!dt_memory_u32(&walk->dump->memory, va + kdbg->off_prcb_number, &told) || told != number))
		return false;
	if (!kdbg->off_prcb_current_thread || !dt_walk_kernel_pointer(walk, va + kdbg->off_prcb_current_thread, &out->thread))
		return false;
	if (!read_stack(walk, out->thread, &out->stack))
		out->stack = (struct stack){ 0 };
	if (kdbg->off_prcb_special_registers)
		(void)dt_walk_pointer(walk, va + kdbg->off_prcb_special_registers + (walk->width == 8 ? KPRCB_CR2 : 4), &out->cr2);
	return true;
}

static bool holds(const struct processor *processor, struct dt_opt sp)
{
	return sp.known && sp.value >= processor->stack.limit && sp.value < processor->stack.base;
}

/* What speaks for this processor being the one that crashed; 0 nothing. */
static unsigned evidence(const struct dt_dump *dump, const struct processor *processor)
{
	if (!dump->header_is_stale && holds(processor, dt_context_sp(&dump->context)))
		return 2;
	return dump->has_bugcheck && dump->bugcheck_parameter[0] && processor->cr2 == dump->bugcheck_parameter[0];
}

static bool find_crashed(struct dt_kernel_walk *walk, struct processor *out)
{
	const struct dt_dump *dump = walk->dump;
	uint64_t count = dump->processors.known ? dump->processors.value : MOST_PROCESSORS, va;
	struct processor processor, first = { 0 };
	unsigned best = 0, seen = 0;

	for (uint32_t i = 0; i < count && i < MOST_PROCESSORS && best < 2; i++) {
		if (!dt_walk_kernel_pointer(walk, dump->kdbg.processor_block + (uint64_t)i * walk->width, &va))
			break;
		if (!read_processor(walk, va, i, &processor))
			continue;
		unsigned found = evidence(dump, &processor);
		first = seen++ ? first : processor;
		if (found > best) {
			best = found;
			*out = processor;
		}
	}
	if (best == 0 && seen == 1)
		*out = first;
	return best || seen == 1;
}

/* A capture has one processor's registers at hand: its block is reached from them. */
static bool find_captured(struct dt_kernel_walk *walk, struct processor *out)
{
	const struct dt_kdbg *kdbg = &walk->dump->kdbg;

	for (uint32_t i = 0; walk->kpcr && kdbg->off_pcr_contained_prcb && i < MOST_PROCESSORS; i++) {
		uint32_t number;

		if (!dt_memory_u32(&walk->dump->memory, walk->kpcr + kdbg->off_pcr_contained_prcb + kdbg->off_prcb_number, &number))
			return false;
		return number < MOST_PROCESSORS && read_processor(walk, walk->kpcr + kdbg->off_pcr_contained_prcb, number, out);
	}
	return false;
}

/* Offsets that the dump itself told are believed; those of a build only where they lead to dispatcher objects of their kind. */
static bool is_object(const struct dt_dump *dump, uint64_t va, uint8_t type)
{
	uint8_t found;

	return dump->kdbg.valid || (dt_memory_read_all(&dump->memory, va, &found, 1) && (found & 0x7f) == type);
}

static struct dt_region copy(const struct dt_dump *dump, uint64_t va, uint32_t size)
{
	struct dt_region out = { .va = va };

	if (va && size)
		out.bytes = dt_memory_copy(&dump->memory, va, size < MOST_PART ? size : MOST_PART);
	return out;
}

/* The context that the crashed processor's block points to: where whoever stopped the machine put its registers. */
static void take_context(struct dt_kernel_walk *walk, const struct processor *processor)
{
	struct dt_dump *dump = walk->dump;
	size_t size = dt_context_size(dump->machine);
	uint8_t raw[DT_CONTEXT_X64_SIZE];
	struct dt_context context;
	uint64_t va;

	if (!dump->kdbg.off_prcb_context || size > sizeof(raw) || !dt_walk_kernel_pointer(walk, processor->prcb + dump->kdbg.off_prcb_context, &va) ||
	    !dt_memory_read_all(&dump->memory, va, raw, size) || !dt_context_parse(&context, dump->machine, (struct dt_bytes){ raw, size }) ||
	    !dt_context_ip(&context).value)
		return;
	dump->context = context;
	dump->context.source = DT_FAULT_HEADER_CONTEXT;
}

static bool has_context(const struct dt_dump *dump)
{
	return !dump->header_is_stale && dt_context_ip(&dump->context).known && dt_context_sp(&dump->context).value;
}

void dt_walk_processors(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct dt_kdbg *kdbg = &dump->kdbg;
	struct processor processor;

	if (!(kdbg->processor_block && find_crashed(walk, &processor)) && !find_captured(walk, &processor)) {
		dt_note_add(dump->notes, DT_NOTE_INFO, "processors", "which processor crashed, and what it was running, is not known");
		return;
	}
	uint64_t process = 0;
	if (!is_object(dump, processor.thread, OBJECT_THREAD)) {
		processor.thread = 0;
		processor.stack = (struct stack){ 0 };
	}
	if (processor.thread && kdbg->off_kthread_apc_process &&
	    (!dt_walk_kernel_pointer(walk, processor.thread + kdbg->off_kthread_apc_process, &process) || !is_object(dump, process, OBJECT_PROCESS)))
		process = 0;
	dump->prcb = copy(dump, processor.prcb, kdbg->size_prcb);
	dump->thread = copy(dump, processor.thread, kdbg->size_ethread);
	dump->process = copy(dump, process, kdbg->size_eprocess);
	if (!has_context(dump))
		take_context(walk, &processor);
	dump->thread_stack_limit = processor.stack.limit;
	dump->thread_stack_base = processor.stack.base;
}

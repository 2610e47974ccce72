/*
 * kernel_stack.c - the stack of the crash, copied as a whole from its pages.
 */
#include "facts/kernel/walk.h"

/* From the stack pointer to the thread's stack base; where the processor ran on another stack (interrupts, double
 * faults), to the end of that one, which a gap of unmapped pages marks. */
void dt_walk_stack(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	struct dt_opt sp = dt_context_sp(&dump->context);
	size_t most = DT_MAX_KERNEL_STACK;
	struct dt_error err;

	if (!sp.known || !dt_address_is_kernel(dump->machine, sp.value))
		return;
	uint64_t va = sp.value & ~(uint64_t)(walk->width - 1);
	if (va >= dump->thread_stack_limit && va < dump->thread_stack_base)
		most = (size_t)(dump->thread_stack_base - va);
	struct dt_bytes bytes = dt_memory_copy(&dump->memory, va, most);
	if (bytes.len == 0) {
		const char *absence = dt_memory_absence(&dump->memory, va);
		dt_note_add(dump->notes, DT_NOTE_WARNING, "stack", "the stack at 0x%llx is not in the dump%s%s", (unsigned long long)va,
		            absence ? ": " : "", absence ? absence : "");
		dt_dump_missing(dump, "stack of the crash");
		return;
	}
	if (bytes.len == DT_MAX_KERNEL_STACK)
		dt_note_add(dump->notes, DT_NOTE_INFO, "stack", "no end within %u bytes; what follows is not looked at", DT_MAX_KERNEL_STACK);
	if (!dt_memory_add(&dump->memory, va, bytes, DT_RANGE_STACK) || dt_memory_seal(&dump->memory, dump->notes, &err) != DT_OK)
		return;
	dump->stack_va = va;
	dump->stack_len = bytes.len;
}

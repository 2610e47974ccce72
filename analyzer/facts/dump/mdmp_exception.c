/*
 * mdmp_exception.c - the exception, and which thread the dump is about.
 */
#include <inttypes.h>

#include "facts/dump/mdmp.h"

enum {
	E_THREAD = 0x00,
	E_CODE = 0x08,
	E_FLAGS = 0x0c,
	E_NESTED = 0x10,
	E_ADDRESS = 0x18,
	E_PARAMETER_COUNT = 0x20,
	E_PARAMETERS = 0x28,
	E_CONTEXT = 0xa0,
	E_SIZE = 0xa0, /* without the location of the context, which some writers leave out */
	E_MAX_PARAMETERS = 15,
};
enum { B_VALIDITY = 0, B_REQUESTING = 8, B_HAS_REQUESTING = 2 };

static uint32_t parameter_count(struct mdmp *m, uint32_t count)
{
	if (count <= E_MAX_PARAMETERS)
		return count;
	dt_note_add(m->dump->notes, DT_NOTE_WARNING, "exception", "%" PRIu32 " parameters, expected at most %d",
	            count, E_MAX_PARAMETERS);
	return E_MAX_PARAMETERS;
}

void mdmp_exception(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_bytes bytes = stream->bytes;
	struct dt_exception_record *record = &m->dump->exception;

	if (bytes.len < E_SIZE) {
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, stream->name,
		            "0x%zx bytes at 0x%" PRIx32 ", expected 0x%x", bytes.len, stream->off, E_SIZE);
		return;
	}
	record->present = true;
	record->code = dt_bytes_u32_or(bytes, E_CODE, 0);
	record->flags = dt_bytes_u32_or(bytes, E_FLAGS, 0);
	record->nested = mdmp_va(m, dt_bytes_u64_or(bytes, E_NESTED, 0));
	record->address = mdmp_va(m, dt_bytes_u64_or(bytes, E_ADDRESS, 0));
	record->parameter_count = parameter_count(m, dt_bytes_u32_or(bytes, E_PARAMETER_COUNT, 0));
	for (uint32_t i = 0; i < record->parameter_count; i++)
		record->parameter[i] = mdmp_va(m, dt_bytes_u64_or(bytes, E_PARAMETERS + 8 * i, 0));
	m->dump->exception_thread = dt_bytes_u32_or(bytes, E_THREAD, 0);
	m->dump->has_exception_thread = true;
	m->dump->live = DT_FALSE;
}

void mdmp_breakpad_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	m->dump->writer = DT_WRITER_TOOL;
	if (!(dt_bytes_u32_or(stream->bytes, B_VALIDITY, 0) & B_HAS_REQUESTING))
		return;
	m->has_requesting_thread = dt_bytes_u32(stream->bytes, B_REQUESTING, &m->requesting_thread);
}

/* The exception's own context is that of the moment of the exception; the thread list's can be that of the
 * handler. */
static void choose_context(struct mdmp *m, const struct dt_dump_thread *thread)
{
	struct dt_dump *dump = m->dump;
	struct dt_bytes own = { NULL, 0 };

	if (dump->machine == DT_machine_NULL)
		return;
	if (dump->exception.present)
		own = mdmp_location(m, m->stream[MDMP_exception].bytes, E_CONTEXT);
	if (dt_context_parse(&dump->context, dump->machine, own)) {
		m->context = own;
		return;
	}
	if (thread && dt_context_parse(&dump->context, dump->machine, thread->context)) {
		m->context = thread->context;
		if (dump->exception.present)
			dt_note_add(dump->notes, DT_NOTE_INFO, "exception",
			            "it has no readable registers; those of its thread's entry are used");
		return;
	}
	if (dump->exception.present) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "exception", "its registers are not in the file");
		dt_dump_missing(dump, "registers of the exception");
	}
}

/* The stack as the thread list describes it; where the stack pointer lies elsewhere (a fiber, a lying list), what
 * memory has from there. */
static void choose_stack(struct mdmp *m, const struct dt_dump_thread *thread)
{
	struct dt_dump *dump = m->dump;
	struct dt_opt sp = dt_context_sp(&dump->context);

	if (thread && thread->stack_va) {
		dump->stack_va = thread->stack_va;
		dump->stack_len = thread->stack.len
		                          ? thread->stack.len
		                          : dt_memory_span(&dump->memory, thread->stack_va, DT_MAX_STACK_SCAN);
	}
	if (!sp.known ||
	    (dump->stack_len && sp.value >= dump->stack_va && sp.value - dump->stack_va < dump->stack_len))
		return;
	size_t len = dt_memory_span(&dump->memory, sp.value, DT_MAX_STACK_SCAN);
	if (len == 0)
		return;
	dump->stack_va = sp.value;
	dump->stack_len = len;
}

void mdmp_choose_thread(struct mdmp *m)
{
	struct dt_dump *dump = m->dump;

	if (!dump->exception.present && m->has_requesting_thread) {
		dump->exception_thread = m->requesting_thread;
		dump->has_exception_thread = true;
	}
	if (!dump->exception.present && !dump->has_exception_thread)
		return;
	const struct dt_dump_thread *thread = mdmp_thread(m, dump->exception_thread);
	if (!thread && dump->thread_count)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "exception",
		            "its thread 0x%" PRIx32 " is not in the thread list", dump->exception_thread);
	choose_context(m, thread);
	choose_stack(m, thread);
}

/*
 * mdmp_threads.c - ThreadList, ThreadExList, ThreadInfoList, ThreadNames.
 */
#include <inttypes.h>

#include "facts/dump/mdmp.h"

enum {
	THREAD_STRIDE = 48,
	THREAD_EX_STRIDE = 64,
	THREAD_TEB = 0x10,
	THREAD_STACK_VA = 0x18,
	THREAD_STACK = 0x20,
	THREAD_CONTEXT = 0x28,
};
enum { INFO_STRIDE = 64, INFO_FLAGS = 0x04, INFO_START = 0x30, INFO_INVALID = 0x01 | 0x08 };
enum { NAME_STRIDE = 12 };

struct dt_dump_thread *mdmp_thread(struct mdmp *m, uint32_t id)
{
	for (size_t i = 0; i < m->dump->thread_count; i++)
		if (m->dump->threads[i].id == id)
			return &m->dump->threads[i];
	return NULL;
}

/* What there is of the bytes a location names; counts those that are not all there. */
static struct dt_bytes located(const struct mdmp *m, struct dt_bytes entry, uint64_t off, size_t *cut)
{
	uint32_t size = dt_bytes_u32_or(entry, off, 0), rva = dt_bytes_u32_or(entry, off + 4, 0);
	struct dt_bytes bytes = { NULL, 0 };

	if (size == 0 || rva == 0)
		return bytes;
	bytes = dt_bytes_clip(m->file, rva, size);
	*cut += bytes.len < size;
	return bytes;
}

static void read_threads(struct mdmp *m, const struct mdmp_stream *stream, uint32_t stride)
{
	struct dt_dump *dump = m->dump;
	uint64_t off = 0;
	size_t count = mdmp_list(m, stream, stride, DT_MAX_THREADS, &off), cut = 0;

	dump->threads = DT_ARENA_ARRAY(dump->arena, count, struct dt_dump_thread);
	dump->thread_count = dump->threads ? count : 0;
	for (size_t i = 0; i < dump->thread_count; i++, off += stride) {
		struct dt_bytes entry = dt_bytes_clip(stream->bytes, off, stride);
		struct dt_dump_thread *thread = &dump->threads[i];

		thread->id = dt_bytes_u32_or(entry, 0, 0);
		thread->teb = mdmp_va(m, dt_bytes_u64_or(entry, THREAD_TEB, 0));
		thread->stack_va = mdmp_va(m, dt_bytes_u64_or(entry, THREAD_STACK_VA, 0));
		thread->stack = located(m, entry, THREAD_STACK, &cut);
		thread->context = located(m, entry, THREAD_CONTEXT, &cut);
		dt_memory_add(&dump->memory, thread->stack_va, thread->stack, DT_RANGE_STACK);
	}
	if (cut) {
		dt_dump_cut(dump, stream->name,
		            "%zu stacks and register sets reach behind the end of the file at 0x%zx", cut,
		            m->file.len);
		dt_dump_missing(dump, "stacks or registers of some threads");
	}
}

void mdmp_thread_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	read_threads(m, stream, THREAD_STRIDE);
}

void mdmp_thread_ex_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	if (m->dump->thread_count == 0)
		read_threads(m, stream, THREAD_EX_STRIDE);
}

void mdmp_thread_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t off = 0;
	uint32_t stride = INFO_STRIDE;
	size_t count = mdmp_table(m, stream, INFO_START + 8, false, DT_MAX_THREADS, &off, &stride);

	for (size_t i = 0; i < count; i++, off += stride) {
		struct dt_dump_thread *thread = mdmp_thread(m, dt_bytes_u32_or(stream->bytes, off, 0));

		if (thread && !(dt_bytes_u32_or(stream->bytes, off + INFO_FLAGS, 0) & INFO_INVALID))
			thread->start = mdmp_va(m, dt_bytes_u64_or(stream->bytes, off + INFO_START, 0));
	}
}

void mdmp_thread_names(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t off = 0;
	size_t count = mdmp_list(m, stream, NAME_STRIDE, DT_MAX_THREADS, &off);

	for (size_t i = 0; i < count; i++, off += NAME_STRIDE) {
		struct dt_dump_thread *thread = mdmp_thread(m, dt_bytes_u32_or(stream->bytes, off, 0));
		uint64_t rva = dt_bytes_u64_or(stream->bytes, off + 4, 0);

		if (thread && !thread->name && rva <= UINT32_MAX)
			thread->name = mdmp_string(m, (uint32_t)rva);
	}
}

/*
 * mdmp_memory.c - MemoryList, Memory64List, MemoryInfoList.
 */
#include <inttypes.h>

#include "facts/dump/mdmp.h"

enum { MEMORY_STRIDE = 16, MEMORY_SIZE = 0x08, MEMORY_RVA = 0x0c };
enum { MEMORY64_COUNT = 0x00, MEMORY64_BASE = 0x08, MEMORY64_FIRST = 0x10, MEMORY64_STRIDE = 16 };
enum { INFO_STRIDE = 48 };

static size_t room_for_ranges(const struct mdmp *m)
{
	return DT_MAX_RANGES - m->dump->memory.count;
}

static bool reserve(struct mdmp *m, const struct mdmp_stream *stream, size_t count)
{
	struct dt_error err;

	if (count == 0)
		return false;
	if (dt_memory_reserve(&m->dump->memory, count, &err) == DT_OK)
		return true;
	dt_dump_cut(m->dump, stream->name, "%s", err.text);
	return false;
}

static void say_cut(struct mdmp *m, const struct mdmp_stream *stream, size_t cut, size_t count)
{
	dt_dump_cut(m->dump, stream->name, "%zu of %zu ranges reach behind the end of the file at 0x%zx", cut,
	            count, m->file.len);
	dt_dump_missing(m->dump, dt_arena_printf(m->dump->arena, "memory: %zu of %zu ranges are not all there",
	                                         cut, count));
}

void mdmp_memory_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t off = 0;
	size_t count = mdmp_list(m, stream, MEMORY_STRIDE, room_for_ranges(m), &off), cut = 0;

	if (!reserve(m, stream, count))
		return;
	for (size_t i = 0; i < count; i++, off += MEMORY_STRIDE) {
		uint64_t va = mdmp_va(m, dt_bytes_u64_or(stream->bytes, off, 0));
		uint32_t size = dt_bytes_u32_or(stream->bytes, off + MEMORY_SIZE, 0);
		struct dt_bytes bytes =
			dt_bytes_clip(m->file, dt_bytes_u32_or(stream->bytes, off + MEMORY_RVA, 0), size);

		cut += bytes.len < size;
		dt_memory_add(&m->dump->memory, va, bytes, DT_RANGE_BLOCK);
	}
	if (cut)
		say_cut(m, stream, cut, count);
}

/* The count of Memory64List is 64 bits wide; what lies about it is cut to what the stream holds. */
static size_t memory64_count(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t count = dt_bytes_u64_or(stream->bytes, MEMORY64_COUNT, 0);
	uint64_t room =
		stream->bytes.len > MEMORY64_FIRST ? (stream->bytes.len - MEMORY64_FIRST) / MEMORY64_STRIDE : 0;
	uint64_t there = count < room ? count : room;

	if (there < count) {
		dt_dump_cut(m->dump, stream->name,
		            "%" PRIu64 " ranges at 0x%" PRIx32 ", %" PRIu64 " of them are in the stream", count,
		            stream->off, there);
		dt_dump_missing(m->dump,
		                dt_arena_printf(m->dump->arena,
		                                "memory: %" PRIu64 " of %" PRIu64 " ranges are described", there,
		                                count));
	}
	if (there > room_for_ranges(m)) {
		dt_dump_cut(m->dump, stream->name, "%" PRIu64 " ranges, %zu of them are read", count,
		            room_for_ranges(m));
		there = room_for_ranges(m);
	}
	return (size_t)there;
}

void mdmp_memory64_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	size_t count = memory64_count(m, stream), cut = 0;
	uint64_t data = dt_bytes_u64_or(stream->bytes, MEMORY64_BASE, 0), off = MEMORY64_FIRST;

	if (!reserve(m, stream, count))
		return;
	for (size_t i = 0; i < count; i++, off += MEMORY64_STRIDE) {
		uint64_t size = dt_bytes_u64_or(stream->bytes, off + 8, 0);
		struct dt_bytes bytes = dt_bytes_clip(m->file, data, size);

		cut += bytes.len < size;
		dt_memory_add(&m->dump->memory, mdmp_va(m, dt_bytes_u64_or(stream->bytes, off, 0)), bytes,
		              DT_RANGE_BLOCK);
		if (__builtin_add_overflow(data, size, &data))
			data = UINT64_MAX;
	}
	if (cut)
		say_cut(m, stream, cut, count);
}

void mdmp_memory_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t off = 0;
	uint32_t stride = INFO_STRIDE;
	size_t count = mdmp_table(m, stream, INFO_STRIDE, true, DT_MAX_RANGES, &off, &stride);

	m->dump->memory_info = dt_bytes_clip(stream->bytes, off, (uint64_t)count * stride);
	m->dump->memory_info_stride = m->dump->memory_info.len ? stride : 0;
}

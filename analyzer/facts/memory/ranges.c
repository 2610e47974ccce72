/*
 * ranges.c - collecting, ordering and reading ranges of virtual memory.
 *
 * Ends are kept as the last address that belongs to a range, so that a range
 * may end at the top of the address space.
 */
#include "facts/memory/memory.h"

#include <string.h>

void dt_memory_init(struct dt_memory *mem, struct dt_arena *arena)
{
	*mem = (struct dt_memory){ .arena = arena };
}

enum dt_status dt_memory_reserve(struct dt_memory *mem, size_t count, struct dt_error *err)
{
	if (count > DT_MAX_RANGES || mem->count > DT_MAX_RANGES - count)
		return dt_fail(err, DT_ERR_LIMIT, "memory: %zu ranges and %zu more, at most %d are read",
		               mem->count, count, DT_MAX_RANGES);
	if (count <= mem->cap - mem->count)
		return DT_OK;
	struct dt_range *ranges = DT_ARENA_ARRAY(mem->arena, mem->count + count, struct dt_range);
	if (!ranges)
		return dt_fail(err, DT_ERR_NOMEM, "memory: no room for %zu ranges", mem->count + count);
	if (mem->count)
		memcpy(ranges, mem->ranges, mem->count * sizeof(*ranges));
	mem->ranges = ranges;
	mem->cap = mem->count + count;
	return DT_OK;
}

/* Pieces that follow each other both in memory and in the file are one range: writers cut code at page borders.
 */
static bool extend_last(struct dt_memory *mem, uint64_t va, struct dt_bytes bytes, enum dt_range_rank rank)
{
	struct dt_range *last = mem->count ? &mem->ranges[mem->count - 1] : NULL;

	if (!last || last->rank != rank || dt_range_last(last) != va - 1 || va == 0 ||
	    last->bytes.data + last->bytes.len != bytes.data)
		return false;
	last->bytes.len += bytes.len;
	return true;
}

bool dt_memory_add(struct dt_memory *mem, uint64_t va, struct dt_bytes bytes, enum dt_range_rank rank)
{
	if (mem->sealed || bytes.len == 0 || bytes.len - 1 > UINT64_MAX - va)
		return false;
	if (extend_last(mem, va, bytes, rank))
		return true;
	if (mem->count == mem->cap) {
		size_t more = mem->cap ? mem->cap : 64;

		if (more > DT_MAX_RANGES - mem->count)
			more = DT_MAX_RANGES - mem->count;
		if (more == 0 || dt_memory_reserve(mem, more, NULL) != DT_OK)
			return false;
	}
	mem->ranges[mem->count++] = (struct dt_range){ .va = va, .bytes = bytes, .rank = rank };
	return true;
}

/* The index of the last range that begins at or before va; count when there is none. */
static size_t find(const struct dt_memory *mem, uint64_t va)
{
	size_t low = 0, high = mem->sealed ? mem->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mem->ranges[middle].va <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : mem->count;
}

/* The index of the range that holds va; count when none does. */
static size_t holder(const struct dt_memory *mem, uint64_t va)
{
	size_t at = find(mem, va);

	return at < mem->count && va <= dt_range_last(&mem->ranges[at]) ? at : mem->count;
}

static bool follows(const struct dt_memory *mem, size_t at)
{
	return at + 1 < mem->count && mem->ranges[at + 1].va - 1 == dt_range_last(&mem->ranges[at]);
}

/* Copies from the ranges that follow each other without a gap. */
static size_t read_ranges(const struct dt_memory *mem, uint64_t va, uint8_t *out, size_t len)
{
	size_t at = holder(mem, va), done = 0;

	while (at < mem->count && done < len) {
		const struct dt_range *range = &mem->ranges[at];
		size_t skip = (size_t)(va + done - range->va);
		size_t n = range->bytes.len - skip;

		if (n > len - done)
			n = len - done;
		memcpy(out + done, range->bytes.data + skip, n);
		done += n;
		at = follows(mem, at) ? at + 1 : mem->count;
	}
	return done;
}

struct dt_bytes dt_memory_view_page(const struct dt_memory *mem, uint64_t va)
{
	return mem->space ? dt_space_at(mem->space, va) : (struct dt_bytes){ NULL, 0 };
}

static size_t read_page(const struct dt_memory *mem, uint64_t va, uint8_t *out, size_t len)
{
	struct dt_bytes page = dt_memory_view_page(mem, va);
	size_t n = page.len < len ? page.len : len;

	if (n)
		memcpy(out, page.data, n);
	return n;
}

size_t dt_memory_read(const struct dt_memory *mem, uint64_t va, void *out, size_t len)
{
	size_t done = 0, n;

	do {
		n = read_ranges(mem, va + done, (uint8_t *)out + done, len - done);
		if (n == 0)
			n = read_page(mem, va + done, (uint8_t *)out + done, len - done);
		done += n;
	} while (n && done < len && mem->space && va + done > va);
	return done;
}

bool dt_memory_read_all(const struct dt_memory *mem, uint64_t va, void *out, size_t len)
{
	if (dt_memory_span(mem, va, len) < len)
		return false;
	return dt_memory_read(mem, va, out, len) == len;
}

bool dt_memory_u64(const struct dt_memory *mem, uint64_t va, uint64_t *out)
{
	uint8_t raw[8];

	if (dt_memory_read(mem, va, raw, sizeof(raw)) < sizeof(raw))
		return false;
	return dt_bytes_u64((struct dt_bytes){ raw, sizeof(raw) }, 0, out);
}

bool dt_memory_u32(const struct dt_memory *mem, uint64_t va, uint32_t *out)
{
	uint8_t raw[4];

	if (dt_memory_read(mem, va, raw, sizeof(raw)) < sizeof(raw))
		return false;
	return dt_bytes_u32((struct dt_bytes){ raw, sizeof(raw) }, 0, out);
}

static size_t span_ranges(const struct dt_memory *mem, uint64_t va, size_t max)
{
	size_t at = holder(mem, va);

	if (at == mem->count)
		return 0;
	uint64_t span = dt_range_last(&mem->ranges[at]) - va;
	for (; span < max && follows(mem, at); at++)
		span += mem->ranges[at + 1].bytes.len;
	return span < max ? (size_t)(span + 1) : max;
}

size_t dt_memory_span(const struct dt_memory *mem, uint64_t va, size_t max)
{
	size_t span = 0, n;

	do {
		n = span_ranges(mem, va + span, max - span);
		if (n == 0 && mem->space)
			n = dt_space_at(mem->space, va + span).len;
		span += n;
	} while (n && span < max && mem->space && va + span > va);
	return span < max ? span : max;
}

static size_t span_ranges_before(const struct dt_memory *mem, uint64_t va, size_t max)
{
	size_t at = va ? holder(mem, va - 1) : mem->count;

	if (at == mem->count)
		return 0;
	uint64_t span = va - mem->ranges[at].va;
	for (; span < max && at && follows(mem, at - 1); at--)
		span += mem->ranges[at - 1].bytes.len;
	return span < max ? (size_t)span : max;
}

/* Pages are there from their begin on, or not at all, but for the last one of a file. */
static size_t page_before(const struct dt_memory *mem, uint64_t va)
{
	uint64_t begin = (va - 1) & ~(uint64_t)(DT_PAGE_SIZE - 1);

	if (!mem->space || va == 0 || dt_space_at(mem->space, begin).len < va - begin)
		return 0;
	return (size_t)(va - begin);
}

size_t dt_memory_span_before(const struct dt_memory *mem, uint64_t va, size_t max)
{
	size_t span = 0, n;

	do {
		n = span_ranges_before(mem, va - span, max - span);
		if (n == 0)
			n = page_before(mem, va - span);
		span += n;
	} while (n && span < max && mem->space && va > span);
	return span < max ? span : max;
}

struct dt_bytes dt_memory_view(const struct dt_memory *mem, uint64_t va)
{
	size_t at = holder(mem, va);

	if (at == mem->count)
		return (struct dt_bytes){ NULL, 0 };
	return dt_bytes_clip(mem->ranges[at].bytes, va - mem->ranges[at].va, UINT64_MAX);
}

struct dt_bytes dt_memory_copy(const struct dt_memory *mem, uint64_t va, size_t max)
{
	size_t len = dt_memory_span(mem, va, max);
	struct dt_bytes view = dt_bytes_clip(dt_memory_view(mem, va), 0, len);

	if (len == 0 || view.len == len)
		return view;
	uint8_t *bytes = dt_arena_alloc(mem->arena, len);
	if (!bytes)
		return (struct dt_bytes){ NULL, 0 };
	return (struct dt_bytes){ bytes, dt_memory_read(mem, va, bytes, len) };
}

const char *dt_memory_absence(const struct dt_memory *mem, uint64_t va)
{
	if (!mem->space || holder(mem, va) < mem->count)
		return NULL;
	return dt_absence_text(dt_space_absence(mem->space, va));
}

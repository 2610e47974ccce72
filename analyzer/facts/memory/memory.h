/*
 * memory.h - one view of virtual memory, whatever the dump has it as.
 *
 * A triage dump and a user minidump have ranges {address, bytes}: they are added
 * one by one and then sealed. Reads go on from one range into the next
 * (records straddle a data block and the call stack). Where ranges overlap, the
 * one with the higher rank is read; where their bytes differ, that is noted.
 * A dump of physical memory has an address space instead; it may have ranges too, which
 * are read before it: copies of what is looked at often, or as a whole.
 */
#ifndef DT_MEMORY_MEMORY_H
#define DT_MEMORY_MEMORY_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/model/notes.h"
#include "facts/memory/space.h"

/* Which of two overlapping ranges is believed: the higher. */
enum dt_range_rank {
	DT_RANGE_BLOCK = 0, /* data blocks, memory lists */
	DT_RANGE_COPY,      /* raw copies of PRCB, EPROCESS, ETHREAD */
	DT_RANGE_STACK,     /* the call stack */
};

struct dt_range {
	uint64_t va;
	struct dt_bytes bytes;
	enum dt_range_rank rank;
};

/* The address of the last byte; a range in dt_memory has at least one. */
static inline uint64_t dt_range_last(const struct dt_range *range)
{
	return range->va + (range->bytes.len - 1);
}

struct dt_memory {
	struct dt_arena *arena;
	struct dt_range *ranges; /* after sealing: ascending, disjoint */
	size_t count, cap;
	bool sealed;
	struct dt_space *space;  /* NULL: there are only ranges. Owned by who set it */
};

void dt_memory_init(struct dt_memory *mem, struct dt_arena *arena);
/* Makes room for count further ranges at once. DT_ERR_NOMEM; DT_ERR_LIMIT past DT_MAX_RANGES. */
DT_MUST_USE enum dt_status dt_memory_reserve(struct dt_memory *mem, size_t count, struct dt_error *err);
/* Adds a range; empty ones and ones that wrap around are ignored (false). The bytes are borrowed until the dump is closed. */
bool dt_memory_add(struct dt_memory *mem, uint64_t va, struct dt_bytes bytes, enum dt_range_rank rank);
/* Sorts and cuts overlaps. Differences are noted. Reads before sealing find nothing. */
DT_MUST_USE enum dt_status dt_memory_seal(struct dt_memory *mem, struct dt_notes *notes, struct dt_error *err);

/* Copies up to len bytes from va; stops at the first byte the dump does not
 * have. Gives the number copied. */
size_t dt_memory_read(const struct dt_memory *mem, uint64_t va, void *out, size_t len);
/* All or nothing. */
bool dt_memory_read_all(const struct dt_memory *mem, uint64_t va, void *out, size_t len);
bool dt_memory_u64(const struct dt_memory *mem, uint64_t va, uint64_t *out);
bool dt_memory_u32(const struct dt_memory *mem, uint64_t va, uint32_t *out);
/* How many bytes there are from va on without a gap, at most max. */
size_t dt_memory_span(const struct dt_memory *mem, uint64_t va, size_t max);
/* How many bytes there are without a gap directly before va, at most max. */
size_t dt_memory_span_before(const struct dt_memory *mem, uint64_t va, size_t max);
/* The bytes from va to the end of the range that holds va, without copying; empty when no range does. */
struct dt_bytes dt_memory_view(const struct dt_memory *mem, uint64_t va);
/* The same, copied into the arena where several ranges or pages have them: max bytes, or what there is without a gap. */
struct dt_bytes dt_memory_copy(const struct dt_memory *mem, uint64_t va, size_t max);
/* The bytes from va to the end of its page, from the address space alone; empty when there is none. They live until the next read. */
struct dt_bytes dt_memory_view_page(const struct dt_memory *mem, uint64_t va);
/* Why there is no byte at va; NULL when there is one, or when nothing more can be said than that it is not there. */
const char *dt_memory_absence(const struct dt_memory *mem, uint64_t va);

#endif

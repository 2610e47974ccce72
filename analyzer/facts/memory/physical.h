/*
 * physical.h - from a physical address of the crashed machine to bytes of the dump.
 *
 * A dump of memory has its pages in one of three ways: in runs that stand one behind the other (complete
 * dumps, RDMP, ELF segments), by a bit for each page (kernel, automatic and active dumps), or compressed, to
 * be asked for one by one. All are looked up here; finding a page costs the same in a small and in a large file.
 * Lies of a dump's tables cost nothing but the pages they lie about.
 */
#ifndef DT_MEMORY_PHYSICAL_H
#define DT_MEMORY_PHYSICAL_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/model/notes.h"
#include "facts/memory/bits.h"

enum { DT_PAGE_SIZE = 0x1000, DT_PAGE_SHIFT = 12 };

/* Physical memory [pa, pa + len) stands at off of the file. */
struct dt_extent {
	uint64_t pa, len, off;
};

/* Reads page pfn (4 KiB) into out; false when the dump does not have it. */
typedef bool dt_page_reader(void *reader, uint64_t pfn, uint8_t *out);

struct dt_page_slot;

struct dt_physical {
	struct dt_bytes file;
	struct dt_arena *arena;
	/* extents, ascending and disjoint */
	const struct dt_extent *extents;
	size_t extent_count, last_extent;
	/* a bit for each page */
	struct dt_bits bits;
	uint64_t first_page_off;
	/* pages on request */
	dt_page_reader *read;
	void *reader;
	struct dt_page_slot *slots;
	/* how many */
	uint64_t end;     /* address behind the last page that they describe */
	uint64_t pages;   /* the dump's tables describe */
	uint64_t present; /* of those lie inside the file */
	uint64_t lookups; /* so far */
};

void dt_physical_init(struct dt_physical *physical, struct dt_bytes file, struct dt_arena *arena);
/* Whether one of the three below was set. */
bool dt_physical_is_set(const struct dt_physical *physical);
/* Takes extents in any order, at most DT_MAX_RANGES. Empty ones and ones that wrap are left out; where two overlap, the one that begins
 * lower has the address, and that is noted. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_physical_set_extents(struct dt_physical *physical, const struct dt_extent *extents, size_t count,
                                                   struct dt_notes *notes, struct dt_error *err);
/* Takes a bitmap: bit n (least significant first) says that page n is stored; pages follow each other from first_page_off on, in
 * the order of their numbers. Bits beyond the bitmap's bytes are 0. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_physical_set_bitmap(struct dt_physical *physical, struct dt_bytes bitmap, uint64_t bit_count,
                                                  uint64_t first_page_off, struct dt_error *err);
/* Takes a function that reads pages, of which the last stands before end; a cache of 256 pages stands in front of it. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_physical_set_reader(struct dt_physical *physical, dt_page_reader *read, void *reader, uint64_t end,
                                                  struct dt_error *err);

/* The bytes from pa to the end of its page, or fewer where the file ends; empty when the dump does not have them. They live until the
 * next call where pages are read on request, else as long as the file. */
struct dt_bytes dt_physical_at(struct dt_physical *physical, uint64_t pa);

#endif

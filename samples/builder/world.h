/*
 * world.h - the physical memory of a machine: pages, and the page tables that map them. Private to the builder.
 *
 * Layouts: Intel SDM volume 3 (4 and 5 levels, PAE, 32-bit), Arm ARM (4 KiB granule); Windows' software entries as the
 * WDK's MMPTE types have them.
 */
#ifndef SAMPLE_WORLD_H
#define SAMPLE_WORLD_H

#include "image.h"
#include "recipe.h"

enum { PAGE = 0x1000 };

/* A page of physical memory that holds something. */
struct frame {
	uint64_t pfn;
	uint8_t *data;
	bool left_out; /* mapped, and not in the dump */
};

/* How an address is mapped. */
enum mapping { MAP_PRESENT, MAP_TRANSITION, MAP_PROTOTYPE, MAP_ZERO, MAP_PAGE_FILE, MAP_LEFT_OUT };

struct mapped {
	uint64_t va;
	uint64_t pfn;
	enum mapping how;
};

struct world {
	struct recipe *recipe;
	struct frame *frames;
	size_t frame_count, frame_cap;
	struct mapped *pages;
	size_t page_count, page_cap;
	uint64_t next_pfn, root;
	const struct paging *paging;
};

/* An empty machine: `paging 4|5|pae|x86|arm64`, `frames PFN` (where memory is taken from), `dtb ADDRESS`. */
void world_init(struct world *world, struct recipe *recipe);
void world_free(struct world *world);
/* Writes bytes at a virtual address; pages come into being as they are written. */
void world_poke(struct world *world, uint64_t va, const void *data, size_t len);
void world_number(struct world *world, uint64_t va, uint64_t value, size_t size);
/* Changes how the page of an address is mapped; it need not exist. */
void world_map(struct world *world, uint64_t va, enum mapping how);
/* Builds the page tables; nothing may be written after. Sorts the frames. */
void world_finish(struct world *world);
/* Reads what was written; zeros elsewhere. */
uint64_t world_read(const struct world *world, uint64_t va, size_t size);

/* Runs of frames that are in the dump, ascending: {pfn, count}; gives their number, at most max. */
size_t world_runs(const struct world *world, uint64_t (*runs)[2], size_t max);

#endif

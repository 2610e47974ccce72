/*
 * unloaded.c - MmUnloadedDrivers: the last fifty images that were unloaded, a ring.
 *
 * Offsets: the kernel's type information, volatility.
 */
#include "facts/kernel/walk.h"

enum { RING = 50 };

void dt_walk_unloaded(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const unsigned size = walk->width == 8 ? 0x28 : 0x18, start = 2 * walk->width;
	uint64_t ring;

	if (!dump->kdbg.unloaded_drivers || !dt_walk_kernel_pointer(walk, dump->kdbg.unloaded_drivers, &ring))
		return;
	dump->unloaded = DT_ARENA_ARRAY(dump->arena, RING, struct dt_unloaded);
	for (unsigned i = 0; dump->unloaded && i < RING; i++) {
		uint64_t entry = ring + (uint64_t)i * size, first, last;

		if (!dt_walk_kernel_pointer(walk, entry + start, &first) || !dt_walk_kernel_pointer(walk, entry + start + walk->width, &last) ||
		    last <= first)
			continue;
		dump->unloaded[dump->unloaded_count++] =
			(struct dt_unloaded){ .name = dt_walk_string(walk, entry), .start = dt_some(first), .end = dt_some(last) };
	}
}

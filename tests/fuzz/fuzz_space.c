/* Any bytes as physical memory, from address 0 on: the first eight give the form of paging and the root, the rest is walked at addresses
 * that it itself names. */
#include <stdlib.h>
#include <string.h>

#include "facts/image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(const struct dt_memory *memory, uint64_t va, struct dt_arena *arena)
{
	uint8_t bytes[64];
	struct dt_image image;
	struct dt_image_version version;

	(void)dt_memory_read(memory, va, bytes, sizeof(bytes));
	(void)dt_memory_span(memory, va, 0x10000);
	(void)dt_memory_span_before(memory, va, 0x10000);
	(void)dt_memory_absence(memory, va);
	if (!dt_image_open(&image, memory, va & ~UINT64_C(0xfff)))
		return;
	(void)dt_image_debug_id(&image, arena);
	(void)dt_image_version(&image, arena, &version);
	(void)dt_image_export(&image, "KiBugCheckData", &va);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_bytes bytes = { data, len };
	struct dt_physical physical;
	struct dt_memory memory;
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_error err;
	struct dt_extent all = { 0, len, 0 };

	dt_arena_init(&arena, 4u << 20);
	dt_notes_init(&notes, &arena);
	dt_physical_init(&physical, bytes, &arena);
	dt_memory_init(&memory, &arena);
	uint64_t head = dt_bytes_u64_or(bytes, 0, 0);
	if (dt_physical_set_extents(&physical, &all, 1, &notes, &err) == DT_OK &&
	    dt_space_open(&memory.space, &physical, (enum dt_paging)(head % DT_PAGING_COUNT), head >> 3, &err) == DT_OK) {
		for (uint64_t off = 8; off < len && off < 0x1000; off += 8)
			walk(&memory, dt_bytes_u64_or(bytes, off, 0), &arena);
		dt_space_close(memory.space);
	}
	dt_arena_deinit(&arena);
	return 0;
}

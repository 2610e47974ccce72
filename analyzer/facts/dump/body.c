/*
 * body.c - what the bodies of memory dumps share.
 */
#include "facts/dump/body.h"

#include <inttypes.h>

bool dt_body_has_bitmap(struct dt_bytes file, const struct dt_header_shape *header)
{
	return (dt_bytes_match(file, header->size, "SDMP", 4) || dt_bytes_match(file, header->size, "FDMP", 4)) &&
	       dt_bytes_match(file, header->size + UINT64_C(4), "DUMP", 4);
}

bool dt_body_has_ranges(struct dt_bytes file, const struct dt_header_shape *header)
{
	return dt_bytes_u32_or(file, header->size, 0) == 0x40 && dt_bytes_match(file, header->size + UINT64_C(4), "RDMPDUMP", 8);
}

void dt_body_set_extents(struct dt_dump *dump, const struct dt_extent *extents, size_t count)
{
	struct dt_error err;

	if (dt_physical_set_extents(&dump->physical, extents, count, dump->notes, &err) != DT_OK)
		dt_dump_cut(dump, "physical memory", "%s", err.text);
}

void dt_body_say_share(struct dt_dump *dump)
{
	uint64_t pages = dump->physical.pages, present = dump->physical.present;

	if (dump->complete == DT_NOT_KNOWN)
		dump->complete = DT_TRUE;
	if (pages == 0 || present == pages)
		return;
	uint64_t percent = present / (pages / 100 + 1);
	if (pages < UINT64_MAX / 100)
		percent = present * 100 / pages;
	dt_dump_cut(dump, "file", "0x%" PRIx64 " pages of memory expected, the file ends at 0x%zx behind 0x%" PRIx64 " of them", pages,
	            dump->file.len, present);
	dt_dump_missing(dump, dt_arena_printf(dump->arena,
	                                      "end of the file: 0x%" PRIx64 " of 0x%" PRIx64 " pages of memory are there (%" PRIu64 " %%)",
	                                      present, pages, percent));
}

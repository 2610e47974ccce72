/*
 * ranges.c - RDMP: ranges of pages, as Windows 10 and its debuggers write them (.dump /k, /ka, /f).
 *
 * Offsets: kdmp-parser; no real file was at hand, so what the table says is checked against itself.
 */
#include <inttypes.h>

#include "facts/dump/body.h"

enum { R_METADATA_SIZE = 0x10, R_FIRST_PAGE = 0x18, R_COUNT = 0x20, R_PAGES = 0x28, R_RANGES = 0x30, RANGE = 16 };
#define MAX_PFN (UINT64_C(1) << 40)

struct reading {
	struct dt_dump *dump;
	uint64_t at, end;        /* of the table */
	uint64_t off;            /* in the file, of the next range's pages */
	uint64_t pages;          /* so far */
	struct dt_extent *extents;
	size_t count, cap;
};

static bool read_range(struct reading *r)
{
	uint64_t pfn = dt_bytes_u64_or(r->dump->file, r->at, 0), count = dt_bytes_u64_or(r->dump->file, r->at + 8, 0);

	if (pfn == 0 && count == 0)
		return false;
	if (pfn >= MAX_PFN || count > MAX_PFN - pfn || r->off > UINT64_MAX - (count << DT_PAGE_SHIFT)) {
		dt_note_add(r->dump->notes, DT_NOTE_WARNING, "ranges",
		            "the range at 0x%" PRIx64 " has 0x%" PRIx64 " pages from page 0x%" PRIx64
		            " on, which no machine has; it and those behind it are not read",
		            r->at, count, pfn);
		return false;
	}
	r->extents[r->count++] = (struct dt_extent){ pfn << DT_PAGE_SHIFT, count << DT_PAGE_SHIFT, r->off };
	r->off += count << DT_PAGE_SHIFT;
	r->pages += count;
	r->at += RANGE;
	return true;
}

/* Where the table ends: at the first page, or before. */
static void place(struct reading *r, const struct dt_header_shape *header)
{
	struct dt_bytes file = r->dump->file;
	uint64_t body = header->size, size = dt_bytes_u64_or(file, body + R_METADATA_SIZE, 0), first = dt_bytes_u64_or(file, body + R_FIRST_PAGE, 0);

	r->at = body + R_RANGES;
	r->off = first;
	r->end = first < file.len ? first : file.len;
	if (first < r->at)
		dt_dump_cut(r->dump, "ranges", "the first page stands at 0x%" PRIx64 ", inside the headers, which end at 0x%" PRIx64, first, r->at);
	else if (size - 0x20 != first - (body + 0x40))
		dt_note_add(r->dump->notes, DT_NOTE_WARNING, "ranges",
		            "the table's size 0x%" PRIx64 " and the first page's place 0x%" PRIx64 " do not agree: the place is believed", size,
		            first);
}

void dt_body_ranges(struct dt_dump *dump, const struct dt_header_shape *header, bool complete)
{
	struct reading r = { .dump = dump };
	uint64_t told = dt_bytes_u64_or(dump->file, header->size + UINT64_C(0x28), 0);

	place(&r, header);
	uint64_t room = r.end > r.at ? (r.end - r.at) / RANGE : 0;
	r.cap = room < DT_MAX_RANGES ? (size_t)room : DT_MAX_RANGES;
	r.extents = DT_ARENA_ARRAY(dump->arena, r.cap, struct dt_extent);
	if (!r.extents || r.cap == 0) {
		dt_dump_missing(dump, "memory: where the pages stand in the file cannot be known");
		return;
	}
	while (r.count < r.cap && !(complete && told && r.pages >= told) && read_range(&r))
		;
	if (complete && told != r.pages)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "ranges", "0x%" PRIx64 " pages are told, the ranges have 0x%" PRIx64, told, r.pages);
	dt_body_set_extents(dump, r.extents, r.count);
	dt_body_say_share(dump);
	dt_secondary_read(dump, r.off);
}

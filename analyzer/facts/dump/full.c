/*
 * full.c - complete memory dumps: the pages of all physical runs, one behind the other.
 *
 * The header's PHYSICAL_MEMORY_DESCRIPTOR is all there is of an index. A run that lies takes no other's pages away: the
 * runs behind it stand where its count says.
 */
#include <inttypes.h>

#include "facts/dump/body.h"

enum { MOST_RUNS = 86 };
/* Physical addresses have at most 52 bits. */
#define MAX_PFN (UINT64_C(1) << 40)

/* One run; false where it, or all behind it, cannot be placed in the file. */
static bool read_run(struct dt_dump *dump, const struct dt_header_shape *header, unsigned index, uint64_t *pages,
                     struct dt_extent *out)
{
	uint64_t off = header->runs_off + 2 * header->width + 2 * header->width * (uint64_t)index;
	uint64_t pfn = dt_bytes_word_or_zero(dump->file, off, header->width), count = dt_bytes_word_or_zero(dump->file, off + header->width, header->width);

	if (pfn >= MAX_PFN || count > MAX_PFN - pfn) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "physical memory",
		            "run %u at 0x%" PRIx64 ": 0x%" PRIx64 " pages from page 0x%" PRIx64
		            " on would end beyond 52 bits of address; it and the runs behind it are not read",
		            index, off, count, pfn);
		return false;
	}
	*out = (struct dt_extent){ pfn << DT_PAGE_SHIFT, count << DT_PAGE_SHIFT, header->size + (*pages << DT_PAGE_SHIFT) };
	*pages += count;
	return true;
}

void dt_body_full(struct dt_dump *dump, const struct dt_header_shape *header)
{
	struct dt_opt count = dt_field32(dump->file, header->runs_off);
	uint64_t told = dt_bytes_word_or_zero(dump->file, header->runs_off + header->width, header->width), pages = 0;
	struct dt_extent extents[MOST_RUNS];
	unsigned taken = 0;

	if (!count.known || count.value == 0 || count.value > header->most_runs) {
		dt_dump_cut(dump, "physical memory", "NumberOfRuns at 0x%x is 0x%x, expected 1 to %u: no page can be found", header->runs_off,
		            dt_bytes_u32_or(dump->file, header->runs_off, 0), header->most_runs);
		dt_dump_missing(dump, "memory: the header does not say which pages the file holds");
		return;
	}
	while (taken < count.value && read_run(dump, header, taken, &pages, &extents[taken]))
		taken++;
	if (taken == count.value && told != pages)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "physical memory",
		            "NumberOfPages at 0x%x is 0x%" PRIx64 ", the runs have 0x%" PRIx64 ": the runs are believed",
		            header->runs_off + header->width, told, pages);
	dt_body_set_extents(dump, extents, taken);
	dt_body_say_share(dump);
	if (taken == count.value)
		dt_secondary_read(dump, header->size + (pages << DT_PAGE_SHIFT));
}

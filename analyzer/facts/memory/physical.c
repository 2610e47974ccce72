#include "facts/memory/physical.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/limits.h"
#include "facts/memory/sort.h"

enum { SLOTS = 256 };

/* A page that was read on request. */
struct dt_page_slot {
	uint64_t pfn;
	bool filled, present;
	uint8_t bytes[DT_PAGE_SIZE];
};

void dt_physical_init(struct dt_physical *physical, struct dt_bytes file, struct dt_arena *arena)
{
	*physical = (struct dt_physical){ .file = file, .arena = arena };
}

bool dt_physical_is_set(const struct dt_physical *physical)
{
	return physical->extents || physical->bits.ranks || physical->read;
}

/* ---- extents --------------------------------------------------------------- */

static bool is_sound(const struct dt_extent *extent)
{
	return extent->len && extent->len - 1 <= UINT64_MAX - extent->pa && extent->len <= UINT64_MAX - extent->off;
}

/* The part of an extent from `from` on. */
static struct dt_extent behind(const struct dt_extent *extent, uint64_t from)
{
	uint64_t skip = from - extent->pa;

	return (struct dt_extent){ from, extent->len - skip, extent->off + skip };
}

static uint64_t bytes_in_file(const struct dt_physical *physical, const struct dt_extent *extent)
{
	uint64_t left = extent->off < physical->file.len ? physical->file.len - extent->off : 0;

	return extent->len < left ? extent->len : left;
}

/* Appends an extent behind those that are there, without what they have already. */
static void append(struct dt_extent *out, size_t *count, struct dt_extent extent, size_t *overlaps)
{
	const struct dt_extent *last = *count ? &out[*count - 1] : NULL;
	uint64_t end = last ? last->pa + (last->len - 1) : 0;

	if (last && extent.pa <= end) {
		(*overlaps)++;
		if (extent.pa + (extent.len - 1) <= end)
			return;
		extent = behind(&extent, end + 1);
	}
	out[(*count)++] = extent;
}

enum dt_status dt_physical_set_extents(struct dt_physical *physical, const struct dt_extent *extents, size_t count,
                                       struct dt_notes *notes, struct dt_error *err)
{
	struct dt_sort_key *keys = DT_ARENA_ARRAY(physical->arena, 2 * count, struct dt_sort_key);
	struct dt_extent *sorted = DT_ARENA_ARRAY(physical->arena, count, struct dt_extent);
	size_t sound = 0, kept = 0, overlaps = 0;

	if (!keys || !sorted)
		return dt_fail(err, DT_ERR_NOMEM, "physical memory: no room for %zu runs", count);
	for (size_t i = 0; i < count; i++)
		if (is_sound(&extents[i]))
			keys[sound++] = (struct dt_sort_key){ extents[i].pa, (uint32_t)i };
	dt_sort_keys(keys, sound, keys + count);
	for (size_t i = 0; i < sound; i++)
		append(sorted, &kept, extents[keys[i].index], &overlaps);
	if (overlaps)
		dt_note_add(notes, DT_NOTE_WARNING, "physical memory",
		            "%zu of %zu runs overlap others: of pages that two have, those of the lower run are read", overlaps,
		            count);
	physical->extents = sorted;
	physical->extent_count = kept;
	for (size_t i = 0; i < kept; i++) {
		physical->pages += sorted[i].len >> DT_PAGE_SHIFT;
		physical->present += bytes_in_file(physical, &sorted[i]) >> DT_PAGE_SHIFT;
	}
	physical->end = kept ? sorted[kept - 1].pa + sorted[kept - 1].len : 0;
	return DT_OK;
}

static bool extent_holds(const struct dt_extent *extent, uint64_t pa)
{
	return pa >= extent->pa && pa - extent->pa < extent->len;
}

static const struct dt_extent *extent_of(struct dt_physical *physical, uint64_t pa)
{
	size_t low = 0, high = physical->extent_count;

	/* Page tables and what they lead to lie in the same run mostly. */
	if (high && extent_holds(&physical->extents[physical->last_extent], pa))
		return &physical->extents[physical->last_extent];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (physical->extents[middle].pa <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !extent_holds(&physical->extents[low - 1], pa))
		return NULL;
	physical->last_extent = low - 1;
	return &physical->extents[low - 1];
}

static struct dt_bytes in_extents(struct dt_physical *physical, uint64_t pa, uint64_t len)
{
	const struct dt_extent *extent = extent_of(physical, pa);

	if (!extent)
		return (struct dt_bytes){ NULL, 0 };
	uint64_t left = extent->len - (pa - extent->pa);
	return dt_bytes_clip(physical->file, extent->off + (pa - extent->pa), len < left ? len : left);
}

/* ---- a bitmap -------------------------------------------------------------- */

enum dt_status dt_physical_set_bitmap(struct dt_physical *physical, struct dt_bytes bitmap, uint64_t bit_count,
                                      uint64_t first_page_off, struct dt_error *err)
{
	uint64_t room = first_page_off < physical->file.len ? (physical->file.len - first_page_off) >> DT_PAGE_SHIFT : 0;

	if (!dt_bits_init(&physical->bits, bitmap, bit_count, physical->arena))
		return dt_fail(err, DT_ERR_NOMEM, "physical memory: no room to index a bitmap of 0x%zx bytes", bitmap.len);
	physical->first_page_off = first_page_off;
	physical->end = physical->bits.count << DT_PAGE_SHIFT;
	physical->pages = physical->bits.set;
	physical->present = physical->pages < room ? physical->pages : room;
	return DT_OK;
}

static struct dt_bytes in_bitmap(const struct dt_physical *physical, uint64_t pa, uint64_t len)
{
	uint64_t pfn = pa >> DT_PAGE_SHIFT, off;

	if (!dt_bits_get(&physical->bits, pfn))
		return (struct dt_bytes){ NULL, 0 };
	off = dt_bits_rank(&physical->bits, pfn) << DT_PAGE_SHIFT | (pa & (DT_PAGE_SIZE - 1));
	/* The sum is small unless the first page's offset is a lie. */
	if (__builtin_add_overflow(physical->first_page_off, off, &off))
		return (struct dt_bytes){ NULL, 0 };
	return dt_bytes_clip(physical->file, off, len);
}

/* ---- pages on request ------------------------------------------------------- */

enum dt_status dt_physical_set_reader(struct dt_physical *physical, dt_page_reader *read, void *reader, uint64_t end, struct dt_error *err)
{
	physical->slots = DT_ARENA_ARRAY(physical->arena, SLOTS, struct dt_page_slot);
	if (!physical->slots)
		return dt_fail(err, DT_ERR_NOMEM, "physical memory: no room for a cache of %d pages", SLOTS);
	physical->read = read;
	physical->reader = reader;
	physical->end = end;
	return DT_OK;
}

static struct dt_bytes in_reader(struct dt_physical *physical, uint64_t pa, uint64_t len)
{
	uint64_t pfn = pa >> DT_PAGE_SHIFT;
	struct dt_page_slot *slot = &physical->slots[(pfn ^ pfn >> 9) % SLOTS];

	if (!slot->filled || slot->pfn != pfn) {
		slot->pfn = pfn;
		slot->filled = true;
		slot->present = physical->read(physical->reader, pfn, slot->bytes);
	}
	if (!slot->present)
		return (struct dt_bytes){ NULL, 0 };
	return (struct dt_bytes){ slot->bytes + (pa & (DT_PAGE_SIZE - 1)), (size_t)len };
}

struct dt_bytes dt_physical_at(struct dt_physical *physical, uint64_t pa)
{
	uint64_t len = DT_PAGE_SIZE - (pa & (DT_PAGE_SIZE - 1));

	physical->lookups++;
	if (physical->extents)
		return in_extents(physical, pa, len);
	if (physical->bits.ranks)
		return in_bitmap(physical, pa, len);
	return physical->read ? in_reader(physical, pa, len) : (struct dt_bytes){ NULL, 0 };
}

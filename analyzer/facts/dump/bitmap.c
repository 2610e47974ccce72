/*
 * bitmap.c - kernel, automatic, active and complete dumps of Windows 8 and later, and the kernel dumps before them: a
 * bit for each physical page, then the pages whose bit is set.
 *
 * Offsets: kdmp-parser's BMP_HEADER64, LeechCore, rizin and volatility agree on the newer form; SUMMARY_DUMP of the
 * kernel's type information on the older. No real file was at hand.
 */
#include <inttypes.h>

#include "facts/dump/body.h"

/* Where one of the two forms has its parts, from the body's begin. */
struct layout {
	uint32_t first_page;   /* file offset of the first page */
	unsigned first_width;
	uint32_t present;      /* number of pages stored */
	uint32_t bits;         /* number of bits */
	unsigned count_width;
	uint32_t bitmap;
};
static const struct layout newer = { 0x20, 8, 0x28, 0x30, 8, 0x38 };
static const struct layout older64 = { 0x0c, 4, 0x14, 0x18, 4, 0x28 };
static const struct layout older32 = { 0x0c, 4, 0x14, 0x18, 4, 0x20 };

/* 8 TiB of memory. */
#define MAX_BITS UINT64_C(0x7fffffff)

static bool is_placed(struct dt_dump *dump, uint64_t bitmap_off, uint64_t bits, uint64_t first)
{
	uint64_t end = bitmap_off + (bits + 7) / 8;

	if (bits == 0 || bits > MAX_BITS) {
		dt_dump_cut(dump, "bitmap", "the bitmap at 0x%" PRIx64 " has 0x%" PRIx64 " bits, expected 1 to 0x%" PRIx64, bitmap_off, bits,
		            MAX_BITS);
		return false;
	}
	if (first < end) {
		dt_dump_cut(dump, "bitmap", "the first page stands at 0x%" PRIx64 ", inside the bitmap or the header, which end at 0x%" PRIx64,
		            first, end);
		return false;
	}
	return true;
}

/* The bits are the truth about what was stored: the pages stand in their order. */
static void check_count(struct dt_dump *dump, uint64_t off, uint64_t told, bool whole)
{
	if (whole && told != dump->physical.pages)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "bitmap",
		            "0x%" PRIx64 " pages are stored, the number at 0x%" PRIx64 " says, and 0x%" PRIx64 " bits are set: the bits are believed",
		            told, off, dump->physical.pages);
}

static void read_bitmap(struct dt_dump *dump, uint64_t body, const struct layout *layout)
{
	uint64_t first = dt_bytes_word_or_zero(dump->file, body + layout->first_page, layout->first_width);
	uint64_t told = dt_bytes_word_or_zero(dump->file, body + layout->present, layout->count_width);
	uint64_t bits = dt_bytes_word_or_zero(dump->file, body + layout->bits, layout->count_width);
	uint64_t at = body + layout->bitmap;
	struct dt_error err;

	if (!is_placed(dump, at, bits, first)) {
		dt_dump_missing(dump, "memory: where the pages stand in the file cannot be known");
		return;
	}
	struct dt_bytes bitmap = dt_dump_part(dump, "bitmap", at, (bits + 7) / 8);
	if (dt_physical_set_bitmap(&dump->physical, bitmap, bits, first, &err) != DT_OK) {
		dt_dump_cut(dump, "bitmap", "%s", err.text);
		return;
	}
	check_count(dump, body + layout->present, told, bitmap.len == (bits + 7) / 8);
	dt_body_say_share(dump);
	if (first <= dump->file.len && dump->physical.pages <= (dump->file.len - first) >> DT_PAGE_SHIFT)
		dt_secondary_read(dump, first + (dump->physical.pages << DT_PAGE_SHIFT));
}

void dt_body_bitmap(struct dt_dump *dump, const struct dt_header_shape *header)
{
	read_bitmap(dump, header->size, &newer);
}

void dt_body_summary(struct dt_dump *dump, const struct dt_header_shape *header)
{
	read_bitmap(dump, header->size, header->width == 8 ? &older64 : &older32);
}

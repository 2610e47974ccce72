#include "facts/dump/flat.h"

#include <inttypes.h>
#include <string.h>

#include "facts/memory/sort.h"

enum { HEADER = 0x1000, RECORD = 16 };

void dt_flat_plain(struct dt_flat *flat, struct dt_bytes file)
{
	*flat = (struct dt_flat){ .file = file, .end = file.len };
}

static uint64_t big(struct dt_bytes file, uint64_t off)
{
	return __builtin_bswap64(dt_bytes_u64_or(file, off, 0));
}

/* The records in the stream's order; how many. *ended: its end mark was met. */
static size_t count_records(struct dt_bytes file, bool *ended)
{
	uint64_t at = HEADER;
	size_t count = 0;

	*ended = false;
	while (count < DT_MAX_RANGES && dt_bytes_has(file, at, RECORD)) {
		uint64_t len = big(file, at + 8);

		/* The end mark is -1, -1; no record is longer than the file. */
		*ended = len == UINT64_MAX;
		if (len > file.len)
			break;
		at += RECORD + len;
		count++;
	}
	return count;
}

static void take_records(struct dt_flat *flat, struct dt_flat_record *records, size_t count)
{
	uint64_t at = HEADER;

	for (size_t i = 0; i < count; i++) {
		uint64_t off = big(flat->file, at), len = dt_bytes_clip(flat->file, at + RECORD, big(flat->file, at + 8)).len;

		records[i] = (struct dt_flat_record){ off, len, at + RECORD };
		if (len <= UINT64_MAX - off && off + len > flat->end)
			flat->end = off + len;
		at += RECORD + big(flat->file, at + 8);
	}
}

/* By offset; of equal ones the later record, which overwrote the earlier, comes last and is found first. */
static bool sort_records(struct dt_flat *flat, struct dt_flat_record *records, size_t count, struct dt_arena *arena)
{
	struct dt_sort_key *keys = DT_ARENA_ARRAY(arena, 2 * count, struct dt_sort_key);
	struct dt_flat_record *sorted = DT_ARENA_ARRAY(arena, count, struct dt_flat_record);

	if (!keys || !sorted)
		return false;
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct dt_sort_key){ records[i].off, (uint32_t)i };
	dt_sort_keys(keys, count, keys + count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = records[keys[i].index];
	flat->records = sorted;
	flat->count = count;
	return true;
}

bool dt_flat_open(struct dt_flat *flat, struct dt_dump *dump)
{
	bool ended;
	size_t count = count_records(dump->file, &ended);
	struct dt_flat_record *records = DT_ARENA_ARRAY(dump->arena, count, struct dt_flat_record);

	dt_flat_plain(flat, dump->file);
	flat->end = 0;
	if (!records)
		return false;
	take_records(flat, records, count);
	if (!ended) {
		dt_dump_cut(dump, "flattened file", "its end mark is not there behind %zu records: the file ends at 0x%zx, or more than %d are in it", count,
		            dump->file.len, DT_MAX_RANGES);
		dt_dump_missing(dump, "end of the flattened file");
	}
	return sort_records(flat, records, count, dump->arena);
}

/* How many records begin at or before off. */
static size_t records_until(const struct dt_flat *flat, uint64_t off)
{
	size_t low = 0, high = flat->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (flat->records[middle].off <= off)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct dt_flat_record *record_at(const struct dt_flat *flat, uint64_t off)
{
	size_t until = records_until(flat, off);

	return until && off - flat->records[until - 1].off < flat->records[until - 1].len ? &flat->records[until - 1] : NULL;
}

/* What no record wrote is a hole, and zero: how much of it there is from off on. QEMU writes headers without the rest of their
 * block. */
static uint64_t hole(const struct dt_flat *flat, uint64_t off)
{
	size_t next = flat->records ? records_until(flat, off) : 0;

	if (!flat->records || off >= flat->end)
		return 0;
	return (next < flat->count ? flat->records[next].off : flat->end) - off;
}

/* What one record has from off on. */
static struct dt_bytes piece(const struct dt_flat *flat, uint64_t off, uint64_t len)
{
	const struct dt_flat_record *record;

	if (!flat->records)
		return dt_bytes_clip(flat->file, off, len);
	record = record_at(flat, off);
	if (!record)
		return (struct dt_bytes){ NULL, 0 };
	uint64_t skip = off - record->off, left = record->len - skip;
	return dt_bytes_clip(flat->file, record->at + skip, len < left ? len : left);
}

bool dt_flat_read(const struct dt_flat *flat, uint64_t off, uint8_t *out, size_t len)
{
	while (len) {
		struct dt_bytes bytes = piece(flat, off, len);
		uint64_t zeros = bytes.len ? 0 : hole(flat, off);
		size_t n = bytes.len ? bytes.len : zeros < len ? (size_t)zeros : len;

		if (n == 0)
			return false;
		if (bytes.len)
			memcpy(out, bytes.data, n);
		else
			memset(out, 0, n);
		out += n;
		off += n;
		len -= n;
	}
	return true;
}

struct dt_bytes dt_flat_view(const struct dt_flat *flat, uint64_t off, uint64_t len, struct dt_arena *arena)
{
	struct dt_bytes bytes = piece(flat, off, len), none = { NULL, 0 };
	uint8_t *copy;

	if (bytes.len == len)
		return bytes;
	/* More than the file has cannot be in it. */
	if (len > flat->file.len || !(copy = dt_arena_alloc(arena, (size_t)len)) || !dt_flat_read(flat, off, copy, (size_t)len))
		return none;
	return (struct dt_bytes){ copy, (size_t)len };
}

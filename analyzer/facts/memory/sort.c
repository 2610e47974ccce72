/*
 * sort.c - insertion for short lists, least significant byte first for long ones.
 */
#include "facts/memory/sort.h"

#include <string.h>

#define SHORT_LIST 48

static bool is_sorted(const struct dt_sort_key *keys, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (keys[i].key < keys[i - 1].key)
			return false;
	return true;
}

static void insertion(struct dt_sort_key *keys, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct dt_sort_key moved = keys[i];
		size_t at = i;

		for (; at && keys[at - 1].key > moved.key; at--)
			keys[at] = keys[at - 1];
		keys[at] = moved;
	}
}

/* The bits in which any two keys differ. */
static uint64_t varying_bits(const struct dt_sort_key *keys, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < count; i++)
		bits |= keys[i].key ^ keys[0].key;
	return bits;
}

static void by_byte(const struct dt_sort_key *from, struct dt_sort_key *to, size_t count, unsigned shift)
{
	size_t begin[256] = { 0 };
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		begin[from[i].key >> shift & 0xff]++;
	for (size_t i = 0; i < 256; i++) {
		size_t here = begin[i];

		begin[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[begin[from[i].key >> shift & 0xff]++] = from[i];
}

void dt_sort_keys(struct dt_sort_key *keys, size_t count, struct dt_sort_key *scratch)
{
	struct dt_sort_key *from = keys, *to = scratch;

	if (is_sorted(keys, count))
		return;
	if (count <= SHORT_LIST) {
		insertion(keys, count);
		return;
	}
	uint64_t varying = varying_bits(keys, count);
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!(varying >> shift & 0xff))
			continue;
		by_byte(from, to, count, shift);
		struct dt_sort_key *swap = from;
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, count * sizeof(*keys));
}

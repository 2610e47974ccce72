/*
 * seal.c - from ranges in any order to ascending, disjoint ones.
 *
 * Ranges of one rank are cut where an earlier one already has the address (of
 * two that begin alike, the one added first is kept). Then each rank is laid
 * over the ones below it. Bytes that two ranges both have are compared, within
 * a budget, since blocks of a forged dump can all lie upon each other.
 */
#include <inttypes.h>
#include <string.h>

#include "facts/memory/memory.h"
#include "facts/memory/sort.h"

#define COMPARE_BUDGET (8u << 20) /* bytes */
#define COMPARE_COST 64           /* of one comparison, in bytes of the budget */

struct sealer {
	struct dt_arena *arena;
	struct dt_notes *notes;
	size_t budget;
	size_t different; /* overlaps whose bytes differ */
	uint64_t first_different;
	bool exhausted;
};

struct list {
	struct dt_range *items;
	size_t count;
};

/* The part of a range that lies in first..last; the two overlap. */
static struct dt_range part_of(const struct dt_range *range, uint64_t first, uint64_t last)
{
	uint64_t begin = range->va > first ? range->va : first;
	uint64_t end = dt_range_last(range) < last ? dt_range_last(range) : last;
	struct dt_bytes bytes = dt_bytes_clip(range->bytes, begin - range->va, end - begin + 1);

	return (struct dt_range){ .va = begin, .bytes = bytes, .rank = range->rank };
}

static void compare(struct sealer *sealer, const struct dt_range *a, const struct dt_range *b)
{
	struct dt_range x = part_of(a, b->va, dt_range_last(b));
	struct dt_range y = part_of(b, x.va, dt_range_last(&x));

	if (x.bytes.data == y.bytes.data)
		return;
	if (x.bytes.len + COMPARE_COST > sealer->budget) {
		sealer->exhausted = true;
		return;
	}
	sealer->budget -= x.bytes.len + COMPARE_COST;
	if (memcmp(x.bytes.data, y.bytes.data, x.bytes.len) == 0)
		return;
	if (sealer->different++ == 0 || x.va < sealer->first_different)
		sealer->first_different = x.va;
}

/* Compares a range with those of a list that it overlaps, from the list's end backwards. Every step costs. */
static void compare_back(struct sealer *sealer, const struct list *list, const struct dt_range *range)
{
	for (size_t i = list->count; i && dt_range_last(&list->items[i - 1]) >= range->va && !sealer->exhausted; i--) {
		if (list->items[i - 1].va <= dt_range_last(range))
			compare(sealer, &list->items[i - 1], range);
		else if (sealer->budget > COMPARE_COST)
			sealer->budget -= COMPARE_COST;
		else
			sealer->exhausted = true;
	}
}

/* Takes the ranges of one rank out of the ascending list, cut to be disjoint, and puts them at `to`. */
static struct list take_rank(struct sealer *sealer, const struct list *sorted, enum dt_range_rank rank,
                             struct dt_range *to)
{
	struct list out = { to, 0 };

	for (size_t i = 0; i < sorted->count; i++) {
		const struct dt_range *range = &sorted->items[i];

		if (range->rank != rank)
			continue;
		if (out.count && dt_range_last(&out.items[out.count - 1]) >= range->va) {
			uint64_t taken = dt_range_last(&out.items[out.count - 1]);

			compare_back(sealer, &out, range);
			if (dt_range_last(range) > taken)
				out.items[out.count++] = part_of(range, taken + 1, UINT64_MAX);
		} else {
			out.items[out.count++] = *range;
		}
	}
	return out;
}

/* Appends what is left of a range below the upper list's items from *at on; *at moves to the first item that ends
 * behind it. */
static void append_uncovered(struct sealer *sealer, struct list *out, struct dt_range range,
                             const struct list *upper, size_t *at)
{
	uint64_t last = dt_range_last(&range);

	while (*at < upper->count && dt_range_last(&upper->items[*at]) < range.va)
		out->items[out->count++] = upper->items[(*at)++];
	while (*at < upper->count && upper->items[*at].va <= last) {
		const struct dt_range *over = &upper->items[*at];

		compare(sealer, over, &range);
		if (over->va > range.va)
			out->items[out->count++] = part_of(&range, range.va, over->va - 1);
		if (dt_range_last(over) >= last)
			return;
		range = part_of(&range, dt_range_last(over) + 1, UINT64_MAX);
		out->items[out->count++] = *over;
		(*at)++;
	}
	out->items[out->count++] = range;
}

/* Both lists are ascending and disjoint; so is the result, where upper hides lower. */
static struct list overlay(struct sealer *sealer, const struct list *lower, const struct list *upper)
{
	struct list out = { NULL, 0 };
	size_t at = 0;

	if (upper->count == 0)
		return *lower;
	out.items = DT_ARENA_ARRAY(sealer->arena, lower->count + 2 * upper->count, struct dt_range);
	if (!out.items)
		return out;
	for (size_t i = 0; i < lower->count; i++)
		append_uncovered(sealer, &out, lower->items[i], upper, &at);
	while (at < upper->count)
		out.items[out.count++] = upper->items[at++];
	return out;
}

static bool is_disjoint(const struct list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->items[i].va <= dt_range_last(&list->items[i - 1]))
			return false;
	return true;
}

/* Lays the ranks upon each other. The lists by rank use the room of the ranges as they were added: together they
 * are not longer. */
static struct list flatten(struct sealer *sealer, const struct list *sorted, struct dt_range *room)
{
	struct list block = take_rank(sealer, sorted, DT_RANGE_BLOCK, room);
	struct list copy = take_rank(sealer, sorted, DT_RANGE_COPY, block.items + block.count);
	struct list stack = take_rank(sealer, sorted, DT_RANGE_STACK, copy.items + copy.count);
	struct list upper = overlay(sealer, &copy, &stack);

	return upper.items ? overlay(sealer, &block, &upper) : upper;
}

/* A copy of the ranges in the order of their addresses; NULL without memory. */
static struct dt_range *sorted_copy(const struct dt_memory *mem)
{
	struct dt_sort_key *keys = DT_ARENA_ARRAY(mem->arena, mem->count, struct dt_sort_key);
	struct dt_sort_key *scratch = DT_ARENA_ARRAY(mem->arena, mem->count, struct dt_sort_key);
	struct dt_range *ranges = DT_ARENA_ARRAY(mem->arena, mem->count, struct dt_range);

	if (!keys || !scratch || !ranges)
		return NULL;
	for (size_t i = 0; i < mem->count; i++)
		keys[i] = (struct dt_sort_key){ mem->ranges[i].va, (uint32_t)i };
	dt_sort_keys(keys, mem->count, scratch);
	for (size_t i = 0; i < mem->count; i++)
		ranges[i] = mem->ranges[keys[i].index];
	return ranges;
}

static void report(const struct sealer *sealer)
{
	if (sealer->different)
		dt_note_add(
			sealer->notes, DT_NOTE_WARNING, "memory",
			"%zu overlapping ranges have different bytes, the first at 0x%" PRIx64
			"; the call stack is believed before copies of structures, and those before data blocks",
			sealer->different, sealer->first_different);
	if (sealer->exhausted)
		dt_note_add(sealer->notes, DT_NOTE_WARNING, "memory",
		            "ranges overlap so often that not all overlaps were compared");
}

enum dt_status dt_memory_seal(struct dt_memory *mem, struct dt_notes *notes, struct dt_error *err)
{
	struct sealer sealer = { .arena = mem->arena, .notes = notes, .budget = COMPARE_BUDGET };
	struct list ranges = { mem->ranges, mem->count };

	mem->sealed = true;
	if (is_disjoint(&ranges))
		return DT_OK;
	ranges.items = sorted_copy(mem);
	if (ranges.items && !is_disjoint(&ranges))
		ranges = flatten(&sealer, &ranges, mem->ranges);
	if (!ranges.items) {
		mem->count = 0;
		return dt_fail(err, DT_ERR_NOMEM, "memory: no room to put %zu ranges in order", mem->cap);
	}
	mem->ranges = ranges.items;
	mem->count = mem->cap = ranges.count;
	report(&sealer);
	return DT_OK;
}

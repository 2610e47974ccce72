/* Blocks of memory: joining what lines wrote, and taking parts out. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "records.h"

void memory_poke(struct memory *memory, uint64_t va, const void *data, size_t len, enum block_kind kind)
{
	if (memory->count == memory->cap) {
		memory->cap = memory->cap ? memory->cap * 2 : 64;
		memory->blocks = realloc(memory->blocks, memory->cap * sizeof(*memory->blocks));
		if (!memory->blocks)
			abort();
	}
	struct block *block = &memory->blocks[memory->count++];
	*block = (struct block){ va, malloc(len ? len : 1), len, kind };
	if (!block->data)
		abort();
	if (len)
		memcpy(block->data, data, len);
}

static int by_address(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->va < y->va ? -1 : x->va > y->va;
}

static void sort(struct memory *memory)
{
	if (memory->count)
		qsort(memory->blocks, memory->count, sizeof(*memory->blocks), by_address);
}

/* Takes every joined block that touches [begin, end) into a new one, over which the bytes of `on_top` are
 * written. */
static void join_one(struct memory *joined, const struct block *on_top)
{
	uint64_t begin = on_top->va, end = on_top->va + on_top->len;

	for (size_t i = 0; i < joined->count; i++) {
		const struct block *old = &joined->blocks[i];
		if (old->len && old->va <= end && begin <= old->va + old->len) {
			begin = old->va < begin ? old->va : begin;
			end = old->va + old->len > end ? old->va + old->len : end;
		}
	}
	uint8_t *all = calloc(1, (size_t)(end - begin) + 1);
	if (!all)
		abort();
	for (size_t i = 0; i < joined->count; i++) {
		struct block *old = &joined->blocks[i];
		if (!old->len || old->va < begin || old->va + old->len > end)
			continue;
		memcpy(all + (old->va - begin), old->data, old->len);
		old->len = 0;
	}
	memcpy(all + (on_top->va - begin), on_top->data, on_top->len);
	memory_poke(joined, begin, all, (size_t)(end - begin), BLOCK_PLAIN);
	free(all);
}

static void join_kind(struct memory *joined, const struct memory *memory, enum block_kind kind)
{
	for (size_t i = 0; i < memory->count; i++)
		if (memory->blocks[i].kind == kind)
			join_one(joined, &memory->blocks[i]);
}

static void join(struct memory *memory)
{
	struct memory joined = { 0 };

	join_kind(&joined, memory, BLOCK_WEAK);
	join_kind(&joined, memory, BLOCK_PLAIN);
	for (size_t i = 0; i < memory->count; i++)
		if (memory->blocks[i].kind == BLOCK_RAW)
			memory_poke(&joined, memory->blocks[i].va, memory->blocks[i].data,
			            memory->blocks[i].len, BLOCK_RAW);
	memory_free(memory);
	*memory = joined;
	sort(memory);
}

static bool wraps(const struct block *block)
{
	return block->kind != BLOCK_RAW && block->va + block->len < block->va;
}

void memory_collect(struct recipe *recipe, struct memory *memory)
{
	for (size_t i = 0; i < recipe->count && !recipe->failed; i++) {
		const struct line *line = &recipe->lines[i];
		size_t before = memory->count;
		if (!line->dropped)
			record_line(recipe, line, memory);
		for (; before < memory->count; before++)
			if (wraps(&memory->blocks[before]))
				recipe_fail(recipe, line, "memory that wraps around (raw-block may)");
	}
	if (!recipe->failed)
		join(memory);
}

void memory_take(struct memory *memory, uint64_t va, uint8_t *out, size_t len)
{
	uint64_t end = va + len;
	size_t count = memory->count;

	memset(out, 0, len);
	for (size_t i = 0; i < count; i++) {
		struct block b = memory->blocks[i];
		uint64_t b_end = b.va + b.len;
		if (b.kind == BLOCK_RAW || b.len == 0 || b_end <= va || b.va >= end)
			continue;
		uint64_t from = b.va > va ? b.va : va, to = b_end < end ? b_end : end;
		memcpy(out + (from - va), b.data + (from - b.va), (size_t)(to - from));
		if (b_end > end)
			memory_poke(memory, end, b.data + (end - b.va), (size_t)(b_end - end), BLOCK_PLAIN);
		memory->blocks[i].len = b.va < va ? (size_t)(va - b.va) : 0;
	}
	sort(memory);
}

void memory_free(struct memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		free(memory->blocks[i].data);
	free(memory->blocks);
	*memory = (struct memory){ 0 };
}

/*
 * memory.h - the memory of the crashed machine: what a recipe's lines put where. Private to the builder.
 */
#ifndef SAMPLE_MEMORY_H
#define SAMPLE_MEMORY_H

#include "recipe.h"

/* The most that one line may ask for. */
enum { MOST_BYTES = 1 << 24 };

enum block_kind {
	BLOCK_PLAIN,
	BLOCK_WEAK, /* stays only where no plain block says otherwise */
	BLOCK_RAW,  /* never joined with others: for copies that overlap, and ranges that wrap */
};

struct block {
	uint64_t va;
	uint8_t *data;
	size_t len;
	enum block_kind kind;
};

struct memory {
	struct block *blocks;
	size_t count, cap;
};

/* Bytes that lie at an address. A copy is kept. */
void memory_poke(struct memory *memory, uint64_t va, const void *data, size_t len, enum block_kind kind);
/* All memory lines of a recipe: joined where they touch or overlap (later lines win), ascending; raw ones
 * apart. */
void memory_collect(struct recipe *recipe, struct memory *memory);
/* Takes the bytes of [va, va+len) out of the joined blocks into out (zeros where there are none). */
void memory_take(struct memory *memory, uint64_t va, uint8_t *out, size_t len);
void memory_free(struct memory *memory);

#endif

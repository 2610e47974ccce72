/*
 * bits.h - how many bits of a bitmap are set before a given one, in constant time.
 */
#ifndef DT_MEMORY_BITS_H
#define DT_MEMORY_BITS_H

#include "core/base/arena.h"
#include "core/base/bytes.h"

struct dt_bits {
	struct dt_bytes bytes; /* least significant bit first; borrowed */
	uint64_t count;        /* bits that mean something; those beyond the bytes are 0 */
	uint64_t set;          /* of them are 1 */
	const uint64_t *ranks; /* 1s before each group of bits */
};

/* Indexes a bitmap; looks at each of its bytes once. false when the arena is full. */
bool dt_bits_init(struct dt_bits *bits, struct dt_bytes bytes, uint64_t count, struct dt_arena *arena);
bool dt_bits_get(const struct dt_bits *bits, uint64_t index);
/* 1s before index, which is inside the bitmap. */
uint64_t dt_bits_rank(const struct dt_bits *bits, uint64_t index);

#endif

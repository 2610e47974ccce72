#include "facts/memory/bits.h"

#include <string.h>

enum { GROUP_BITS = 4096, GROUP_BYTES = GROUP_BITS / 8 };

static uint64_t ones(const uint8_t *bytes, size_t len)
{
	uint64_t count = 0, word;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		count += (uint64_t)__builtin_popcountll(word);
	}
	for (; len; bytes++, len--)
		count += (uint64_t)__builtin_popcount(*bytes);
	return count;
}

bool dt_bits_init(struct dt_bits *bits, struct dt_bytes bytes, uint64_t count, struct dt_arena *arena)
{
	struct dt_bytes used = dt_bytes_clip(bytes, 0, count / 8 + (count % 8 != 0));
	size_t groups = used.len / GROUP_BYTES + 1;
	uint64_t *ranks = DT_ARENA_ARRAY(arena, groups, uint64_t), set = 0;

	if (!ranks)
		return false;
	for (size_t i = 0; i < groups; i++) {
		struct dt_bytes group = dt_bytes_clip(used, (uint64_t)i * GROUP_BYTES, GROUP_BYTES);

		ranks[i] = set;
		if (group.len)
			set += ones(group.data, group.len);
	}
	/* Bits of the last byte that mean nothing. */
	if (count % 8 && used.len == count / 8 + 1)
		set -= (uint64_t)__builtin_popcount((unsigned)used.data[used.len - 1] >> count % 8);
	*bits = (struct dt_bits){ used, count, set, ranks };
	return true;
}

bool dt_bits_get(const struct dt_bits *bits, uint64_t index)
{
	return index < bits->count && index / 8 < bits->bytes.len && (bits->bytes.data[index / 8] >> index % 8 & 1);
}

uint64_t dt_bits_rank(const struct dt_bits *bits, uint64_t index)
{
	uint64_t group = index / GROUP_BITS, from = group * GROUP_BYTES;
	uint64_t rank = bits->ranks[group] + ones(bits->bytes.data + from, (size_t)(index / 8 - from));

	return rank + (uint64_t)__builtin_popcount(bits->bytes.data[index / 8] & ((1u << index % 8) - 1));
}

/*
 * encoded_block.c - KDDEBUGGER_DATA64 as a running system keeps it.
 *
 * Since Windows 8 each 8 bytes of the block are kept encoded: plain = swap(rotate(word ^ N, N) ^ V) ^ A, where swap reverses the
 * bytes, N and A are the kernel's secrets (KiWaitNever, KiWaitAlways) and V is the address of a third variable; none of them has an
 * exported name. (Source: QEMU's elf2dmp, which takes them from the symbols.)
 *
 * They are not needed. Rotating and swapping keep exclusive-or, so two words of a block differ by
 *
 *     plain1 ^ plain2 = swap(rotate(word1 ^ word2, N))
 *
 * in which all secrets but the six bits of the rotation cancel out. Where one word is known beforehand (the kernel's base, the heads of the
 * lists in a dump's header), 64 tries decode all others. The try is right whose tag, size and base come out as they must be: a wrong one
 * would have to hit more than 50 bits.
 */
#include "facts/kernel/walk.h"

enum {
	BLOCK_TAG = 2, /* in words of 8 bytes */
	BLOCK_BASE = 3,
	BLOCK_MODULE_LIST = 9,
	BLOCK_PROCESS_LIST = 10,
	MIN_SIZE = 0x290,
	MOST_SIZE = 0x1000,
};
#define TAG 0x4742444bu /* "KDBG" */

struct anchor {
	unsigned word;
	uint64_t plain; /* 0: not known */
};

static uint64_t rotate(uint64_t value, unsigned by)
{
	return by ? value << by | value >> (64 - by) : value;
}

static uint64_t swap(uint64_t value)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < 8; i++, value >>= 8)
		out = out << 8 | (value & 0xff);
	return out;
}

static bool is_head(uint64_t word)
{
	uint64_t size = word >> 32;

	return (uint32_t)word == TAG && size >= MIN_SIZE && size <= MOST_SIZE && size % 8 == 0;
}

static uint64_t word_at(struct dt_bytes block, unsigned word)
{
	return dt_bytes_u64_or(block, 8 * (uint64_t)word, 0);
}

/* One word by another that is known. */
static uint64_t decode(struct dt_bytes block, unsigned word, struct anchor by, unsigned turn)
{
	return by.plain ^ swap(rotate(word_at(block, word) ^ word_at(block, by.word), turn));
}

static bool is_right(struct dt_bytes block, uint64_t kern_base, struct anchor by, unsigned turn)
{
	uint64_t base = decode(block, BLOCK_BASE, by, turn);

	return is_head(decode(block, BLOCK_TAG, by, turn)) && base && base % DT_PAGE_SIZE == 0 && (!kern_base || base == kern_base);
}

/* The turn that makes a block of the bytes; false where none does. */
static bool find_turn(struct dt_bytes block, const struct anchor anchors[3], struct anchor *by, unsigned *turn)
{
	for (unsigned i = 0; i < 3; i++) {
		*by = anchors[i];
		for (*turn = 0; by->plain && *turn < 64; (*turn)++)
			if (is_right(block, anchors[0].plain, *by, *turn))
				return true;
	}
	return false;
}

static void put(uint8_t *out, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		out[i] = (uint8_t)value;
}

struct dt_bytes dt_walk_decode(const struct dt_kernel_walk *walk, struct dt_bytes block)
{
	const struct dt_dump *dump = walk->dump;
	const struct anchor anchors[3] = {
		{ BLOCK_BASE, dump->kdbg.kern_base }, { BLOCK_MODULE_LIST, walk->module_list }, { BLOCK_PROCESS_LIST, walk->process_list },
	};
	struct anchor by;
	unsigned turn;

	if (walk->width != 8 || block.len < MIN_SIZE || !find_turn(block, anchors, &by, &turn))
		return (struct dt_bytes){ 0 };
	uint64_t size = decode(block, BLOCK_TAG, by, turn) >> 32;
	size_t len = size < block.len ? (size_t)size : block.len & ~(size_t)7;
	uint8_t *plain = dt_arena_alloc(dump->arena, len);
	for (size_t i = 0; plain && i < len / 8; i++)
		put(plain + 8 * i, decode(block, (unsigned)i, by, turn));
	return (struct dt_bytes){ plain, plain ? len : 0 };
}

static unsigned ones(uint64_t value)
{
	unsigned n = 0;

	for (; value; value &= value - 1)
		n++;
	return n;
}

/* What the tag's word and the base differ by, as far as it is known beforehand: all but the 13 bits of the size; swapped, as a turn shows it. */
struct pattern {
	uint64_t mask, value;
	unsigned ones; /* set bits of value */
};

static struct pattern pattern_of(uint64_t kern_base)
{
	uint64_t mask = ~(UINT64_C(0x1fff) << 32), value = (TAG ^ kern_base) & mask;

	return (struct pattern){ swap(mask), swap(value), ones(value) };
}

/* Bits only change their places, so their number tells most words from a block's without a try. */
static bool can_be_block(const struct pattern *pattern, uint64_t word, uint64_t kern_base)
{
	unsigned found = ones(word);

	if (found < pattern->ones || found > pattern->ones + 13)
		return false;
	for (unsigned turn = 0; turn < 64; turn++) {
		uint64_t turned = rotate(word, turn);

		if ((turned & pattern->mask) == pattern->value && is_head(swap(turned) ^ kern_base))
			return true;
	}
	return false;
}

uint64_t dt_walk_find_encoded(const struct dt_kernel_walk *walk, uint64_t va, struct dt_bytes page)
{
	uint64_t kern_base = walk->dump->kdbg.kern_base;
	const struct pattern pattern = pattern_of(kern_base);

	for (uint64_t off = 0; walk->width == 8 && kern_base && off + 16 <= page.len; off += 8) {
		uint64_t tag = dt_bytes_u64_or(page, off, 0), base = dt_bytes_u64_or(page, off + 8, 0);

		if (can_be_block(&pattern, tag ^ base, kern_base))
			return va + off - 8 * BLOCK_TAG;
	}
	return 0;
}

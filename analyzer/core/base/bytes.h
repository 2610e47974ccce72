/*
 * bytes.h - a bounded view of bytes, and the only pointer arithmetic on input.
 *
 * A view does not own its bytes. All readers check first and write their
 * result only on success. Numbers are little-endian, as in every format here.
 */
#ifndef DT_BASE_BYTES_H
#define DT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dt_bytes {
	const uint8_t *data; /* may be NULL when len is 0 */
	size_t len;
};

/* Whether n bytes stand at off. Cannot overflow. */
static inline bool dt_bytes_has(struct dt_bytes b, uint64_t off, uint64_t n)
{
	return off <= b.len && n <= b.len - off;
}

/* The n bytes at off as a view of their own; false (and *out untouched) when they are not all there. */
static inline bool dt_bytes_sub(struct dt_bytes b, uint64_t off, uint64_t n, struct dt_bytes *out)
{
	if (!dt_bytes_has(b, off, n))
		return false;
	*out = (struct dt_bytes){ b.data ? b.data + off : NULL, (size_t)n };
	return true;
}

/* At most n bytes at off: what there is of them. Empty when off is past the end. */
static inline struct dt_bytes dt_bytes_clip(struct dt_bytes b, uint64_t off, uint64_t n)
{
	if (off >= b.len)
		return (struct dt_bytes){ NULL, 0 };
	uint64_t left = b.len - off;
	return (struct dt_bytes){ b.data + off, (size_t)(n < left ? n : left) };
}

static inline bool dt_bytes_u8(struct dt_bytes b, uint64_t off, uint8_t *out)
{
	if (!dt_bytes_has(b, off, 1))
		return false;
	*out = b.data[off];
	return true;
}

static inline bool dt_bytes_u16(struct dt_bytes b, uint64_t off, uint16_t *out)
{
	if (!dt_bytes_has(b, off, 2))
		return false;
	const uint8_t *p = b.data + off;
	*out = (uint16_t)(p[0] | p[1] << 8);
	return true;
}

static inline bool dt_bytes_u32(struct dt_bytes b, uint64_t off, uint32_t *out)
{
	if (!dt_bytes_has(b, off, 4))
		return false;
	const uint8_t *p = b.data + off;
	*out = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	return true;
}

static inline bool dt_bytes_u64(struct dt_bytes b, uint64_t off, uint64_t *out)
{
	uint32_t lo, hi;
	if (!dt_bytes_has(b, off, 8) || !dt_bytes_u32(b, off, &lo) || !dt_bytes_u32(b, off + 4, &hi))
		return false;
	*out = (uint64_t)hi << 32 | lo;
	return true;
}

/* The number at off, or fallback where the view ends before it. */
static inline uint16_t dt_bytes_u16_or(struct dt_bytes b, uint64_t off, uint16_t fallback)
{
	(void)dt_bytes_u16(b, off, &fallback);
	return fallback;
}

static inline uint32_t dt_bytes_u32_or(struct dt_bytes b, uint64_t off, uint32_t fallback)
{
	(void)dt_bytes_u32(b, off, &fallback);
	return fallback;
}

static inline uint64_t dt_bytes_u64_or(struct dt_bytes b, uint64_t off, uint64_t fallback)
{
	(void)dt_bytes_u64(b, off, &fallback);
	return fallback;
}

/* The number of width bytes, 4 or 8, at off: a pointer of the machine that wrote it. 0 where the view ends before it. */
static inline uint64_t dt_bytes_word_or_zero(struct dt_bytes b, uint64_t off, unsigned width)
{
	return width == 8 ? dt_bytes_u64_or(b, off, 0) : dt_bytes_u32_or(b, off, 0);
}

/* Whether the n bytes of text stand at off. */
bool dt_bytes_match(struct dt_bytes b, uint64_t off, const char *text, size_t n);

#endif

/*
 * image.h - the file being built. Private to the builder.
 *
 * It grows as it is written; what nobody wrote is zero. Offsets are from the file's begin. There is no failure:
 * a builder without memory aborts.
 */
#ifndef SAMPLE_IMAGE_H
#define SAMPLE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* A page of 4 KiB far behind the begin, where a file has holes. */
struct far_page {
	uint64_t off;
	uint8_t *data;
};

struct image {
	uint8_t *data;
	size_t len, cap;
	struct far_page *far;
	size_t far_count, far_cap;
	uint64_t end; /* of a file with holes; else 0 */
};

void image_put(struct image *image, size_t off, const void *data, size_t len);
/* Makes the file at least end bytes long. */
void image_extend(struct image *image, size_t end);
/* Puts a page of 4 KiB; beyond the first 8 MiB it stands alone, so that a file may have holes of any size. */
void image_page(struct image *image, uint64_t off, const uint8_t *page);
/* Makes the file at least end bytes long; what is far stays a hole. */
void image_end(struct image *image, uint64_t end);
uint64_t image_length(const struct image *image);
void image_u8(struct image *image, size_t off, uint8_t value);
void image_u16(struct image *image, size_t off, uint16_t value);
void image_u32(struct image *image, size_t off, uint32_t value);
void image_u64(struct image *image, size_t off, uint64_t value);
/* Rounds the file's length up to a multiple, and gives it. */
size_t image_align(struct image *image, size_t to);
/* UTF-16LE of UTF-8 text, and a NUL; gives the bytes without the NUL. */
size_t image_utf16(struct image *image, size_t off, const char *utf8);

/* The low bytes of a number, little-endian. */
void put_number(uint8_t *out, uint64_t value, size_t size);

#endif

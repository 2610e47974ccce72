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

struct image {
	uint8_t *data;
	size_t len, cap;
};

void image_put(struct image *image, size_t off, const void *data, size_t len);
/* Makes the file at least end bytes long. */
void image_extend(struct image *image, size_t end);
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

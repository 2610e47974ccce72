#include "image.h"

#include <stdlib.h>
#include <string.h>

void image_put(struct image *image, size_t off, const void *data, size_t len)
{
	size_t end = off + len;

	if (end > image->cap) {
		size_t cap = end * 2 + 4096;
		uint8_t *grown = realloc(image->data, cap);
		if (!grown)
			abort();
		memset(grown + image->cap, 0, cap - image->cap);
		image->data = grown;
		image->cap = cap;
	}
	if (len)
		memcpy(image->data + off, data, len);
	if (end > image->len)
		image->len = end;
}

static void number(struct image *image, size_t off, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	image_put(image, off, bytes, size);
}

void image_u16(struct image *image, size_t off, uint16_t value)
{
	number(image, off, value, 2);
}

void image_u32(struct image *image, size_t off, uint32_t value)
{
	number(image, off, value, 4);
}

void image_u64(struct image *image, size_t off, uint64_t value)
{
	number(image, off, value, 8);
}

size_t image_align(struct image *image, size_t to)
{
	size_t end = (image->len + to - 1) / to * to;

	image_put(image, end, "", 0);
	return end;
}

size_t image_utf16(struct image *image, size_t off, const char *utf8)
{
	const unsigned char *p = (const unsigned char *)utf8;
	size_t at = off;

	while (*p) {
		uint32_t c = *p++;
		unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
		if (more)
			c &= 0x3fu >> more;
		for (; more && (*p & 0xc0) == 0x80; more--)
			c = c << 6 | (*p++ & 0x3fu);
		if (c >= 0x10000) {
			image_u16(image, at, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
			at += 2;
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		image_u16(image, at, (uint16_t)c);
		at += 2;
	}
	image_u16(image, at, 0);
	return at - off;
}

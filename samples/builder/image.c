#include "image.h"

#include <stdlib.h>
#include <string.h>

void image_extend(struct image *image, size_t end)
{
	if (end > image->cap) {
		size_t cap = end + end / 2 + 4096;
		uint8_t *grown = realloc(image->data, cap);
		if (!grown)
			abort();
		memset(grown + image->cap, 0, cap - image->cap);
		image->data = grown;
		image->cap = cap;
	}
	if (end > image->len)
		image->len = end;
}

void image_put(struct image *image, size_t off, const void *data, size_t len)
{
	image_extend(image, off + len);
	if (len)
		memcpy(image->data + off, data, len);
}

enum { NEAR = 8 << 20, FAR_PAGE = 0x1000 };

void image_page(struct image *image, uint64_t off, const uint8_t *page)
{
	if (off + FAR_PAGE <= NEAR) {
		image_put(image, (size_t)off, page, FAR_PAGE);
		return;
	}
	if (image->far_count == image->far_cap) {
		image->far_cap = image->far_cap ? 2 * image->far_cap : 64;
		image->far = realloc(image->far, image->far_cap * sizeof(*image->far));
		if (!image->far)
			abort();
	}
	struct far_page *far = &image->far[image->far_count++];
	*far = (struct far_page){ off, malloc(FAR_PAGE) };
	if (!far->data)
		abort();
	memcpy(far->data, page, FAR_PAGE);
	image_end(image, off + FAR_PAGE);
}

void image_end(struct image *image, uint64_t end)
{
	if (end <= NEAR && !image->far_count && !image->end)
		image_extend(image, (size_t)end);
	else if (end > image->end)
		image->end = end;
}

uint64_t image_length(const struct image *image)
{
	return image->end > image->len ? image->end : image->len;
}

void put_number(uint8_t *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static void number(struct image *image, size_t off, uint64_t value, size_t size)
{
	image_extend(image, off + size);
	put_number(image->data + off, value, size);
}

void image_u8(struct image *image, size_t off, uint8_t value)
{
	number(image, off, value, 1);
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

	image_extend(image, end);
	return end;
}

/* The next character of UTF-8 text; what is no UTF-8 stands for itself, byte by byte. */
static uint32_t next_character(const unsigned char **at)
{
	uint32_t c = *(*at)++;
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more)
		c &= 0x3fu >> more;
	for (; more && (**at & 0xc0) == 0x80; more--)
		c = c << 6 | (*(*at)++ & 0x3fu);
	return c;
}

size_t image_utf16(struct image *image, size_t off, const char *utf8)
{
	const unsigned char *p = (const unsigned char *)utf8;
	size_t at = off;

	while (*p) {
		uint32_t c = next_character(&p);
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

/*
 * image.h - the file being built and the memory that goes into it. Private to the builder.
 */
#ifndef SAMPLE_IMAGE_H
#define SAMPLE_IMAGE_H

#include "recipe.h"

/* A file that grows. Offsets are absolute; writes behind the end fill with zeros. */
struct image {
	uint8_t *data;
	size_t len, cap;
};

void image_put(struct image *image, size_t off, const void *data, size_t len);
void image_u16(struct image *image, size_t off, uint16_t value);
void image_u32(struct image *image, size_t off, uint32_t value);
void image_u64(struct image *image, size_t off, uint64_t value);
/* The end, rounded up. */
size_t image_align(struct image *image, size_t to);
/* UTF-16LE of ASCII or UTF-8 text, and a NUL; bytes without the NUL. */
size_t image_utf16(struct image *image, size_t off, const char *utf8);

/* Memory of the crashed machine: what a recipe's lines put where. */
struct block {
	uint64_t va;
	uint8_t *data;
	size_t len;
	bool raw; /* never joined with others */
};

struct memory {
	struct block *blocks;
	size_t count, cap;
};

/* All memory lines of a recipe, ascending and joined where they touch or overlap (later lines win), raw ones apart. */
void memory_collect(struct recipe *recipe, struct memory *memory, bool x86);
/* Takes the bytes of [va, va+len) out of the joined blocks into out (zeros where there are none). */
void memory_take(struct memory *memory, uint64_t va, uint8_t *out, size_t len);
void memory_free(struct memory *memory);

/* Register records. Each fills a buffer of its documented size. */
enum { CONTEXT64 = 0x4d0, CONTEXT32 = 0x2cc, CONTEXTARM = 0x390 };
size_t build_context(struct recipe *recipe, const struct line *line, const char *machine, uint8_t out[CONTEXT64]);

#endif

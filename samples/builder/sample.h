/*
 * sample.h - builds dumps from text recipes, for tests, goldens and the bench.
 *
 * The builder knows the formats from their documentation on its own: it shares
 * no layout, constant or code with the analyzer, so that a mistake in one shows
 * against the other. samples/README.md describes the recipe language.
 */
#ifndef DT_SAMPLE_H
#define DT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct far_page;

struct sample {
	uint8_t *data; /* malloc'd; sample_free */
	size_t len;
	/* A file with holes: pages of 4 KiB behind data, and the whole length; else 0 and len. */
	struct far_page *far;
	size_t far_count;
	uint64_t end;
	char error[256]; /* "recipe:12: ..." when building failed, else "" */
};

/* Builds from recipe text; name is for messages. 0 on success, -1 with error set. */
int sample_build(struct sample *out, const char *name, const char *recipe, size_t len);
/* Reads the recipe from a file. `base` of a recipe names another one in the same folder. */
int sample_build_file(struct sample *out, const char *path);
/*
 * The crash of a recipe as another machine would have left it: time, uptime, addresses and size differ with
 * number (equal numbers give equal bytes), what crashed is the same. Filled up to about `size` bytes, give or
 * take a quarter.
 */
int sample_build_variant(struct sample *out, const char *path, uint32_t number, size_t size);
void sample_free(struct sample *sample);
/* Writes it to a file, holes and all; 0, or -1 with errno. */
int sample_write(const struct sample *sample, const char *path);

#endif

/* make-sample: builds a dump from a recipe; or many distinct ones, for measuring. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static int usage(void)
{
	fputs("usage: make-sample RECIPE OUT\n"
	      "       make-sample --many N --size BYTES OUTDIR RECIPE\n", stderr);
	return 2;
}

static int write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *out = fopen(path, "wbe");

	if (out && fwrite(data, 1, len, out) == len && fclose(out) == 0)
		return 0;
	fprintf(stderr, "make-sample: %s: %s\n", path, strerror(errno));
	return 1;
}

static int one(const char *recipe, const char *path)
{
	struct sample sample;

	if (sample_build_file(&sample, recipe)) {
		fprintf(stderr, "make-sample: %s\n", sample.error);
		return 1;
	}
	int failed = write_file(path, sample.data, sample.len);
	sample_free(&sample);
	return failed;
}

static void put64(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* One build, then each file with its own time and uptime in the header: distinct crashes at the price of a write. */
static int many(size_t count, size_t size, const char *folder, const char *recipe)
{
	char path[4096], text[8192];
	struct sample sample;
	int failed = 0;

	int n = snprintf(text, sizeof(text), "base %s\nfill modules 180\nfill size %zu\n", strrchr(recipe, '/') ? strrchr(recipe, '/') + 1 : recipe, size);
	if (sample_build(&sample, recipe, text, (size_t)n)) {
		fprintf(stderr, "make-sample: %s\n", sample.error);
		return 1;
	}
	for (size_t i = 0; i < count && !failed && sample.len > 0x1040; i++) {
		put64(sample.data + 0xfa8, 0x01dad9f0c0000000u + i * 600000001u);
		put64(sample.data + 0x1030, 900000000u + i * 10007u);
		snprintf(path, sizeof(path), "%s/%06zu.dmp", folder, i);
		failed = write_file(path, sample.data, sample.len);
	}
	sample_free(&sample);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc == 3 && argv[1][0] != '-')
		return one(argv[1], argv[2]);
	if (argc == 7 && !strcmp(argv[1], "--many") && !strcmp(argv[3], "--size"))
		return many(strtoul(argv[2], NULL, 0), strtoul(argv[4], NULL, 0), argv[5], argv[6]);
	return usage();
}

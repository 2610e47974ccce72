/* make-sample: builds a dump from a recipe; or many distinct ones, for measuring. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static int usage(void)
{
	fputs("usage: make-sample RECIPE OUT\n"
	      "       make-sample --many N --size BYTES OUTDIR RECIPE\n",
	      stderr);
	return 2;
}

static int write_sample(int built, struct sample *sample, const char *path)
{
	if (built) {
		fprintf(stderr, "make-sample: %s\n", sample->error);
		return 1;
	}
	int failed = sample_write(sample, path);
	if (failed)
		fprintf(stderr, "make-sample: %s: %s\n", path, strerror(errno));
	sample_free(sample);
	return failed ? 1 : 0;
}

static int many(uint32_t count, size_t size, const char *folder, const char *recipe)
{
	char path[4096];
	struct sample sample;
	int failed = 0;

	for (uint32_t i = 0; i < count && !failed; i++) {
		snprintf(path, sizeof(path), "%s/%06u.dmp", folder, i);
		failed = write_sample(sample_build_variant(&sample, recipe, i, size), &sample, path);
	}
	return failed;
}

static bool number(const char *text, unsigned long most, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 0);
	return !errno && end != text && !*end && *text != '-' && *out <= most;
}

int main(int argc, char **argv)
{
	unsigned long count, size;
	struct sample sample;

	if (argc == 3 && argv[1][0] != '-')
		return write_sample(sample_build_file(&sample, argv[1]), &sample, argv[2]);
	if (argc == 7 && !strcmp(argv[1], "--many") && !strcmp(argv[3], "--size") &&
	    number(argv[2], 100000000, &count) && number(argv[4], 1ul << 28, &size))
		return many((uint32_t)count, size, argv[5], argv[6]);
	return usage();
}

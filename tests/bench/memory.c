/*
 * Measures dumps of memory: files with holes of 1 to 64 GB, a machine with 200 images in them.
 *
 * usage: dumptriage-bench-memory PROGRAM RECIPES_DIR SCRATCH_DIR
 *
 * Prints medians: the whole program on one file (wall time, memory), the analysis alone, page lookups of one analysis, and what one
 * translation costs, new and known. The files are in the page cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "facts/kernel/kernel.h"
#include "facts/triage/triage.h"
#include "measure.h"
#include "sample.h"

enum { ROUNDS = 21, IMAGES = 200, RECIPE = 1 << 16 };

static const struct {
	const char *title, *name, *lines;
} files[] = {
	{ "complete, 1 GB", "full-1g", "dump-type 1\nframes 0x3e000\ndtb 0x3ef00002\nruns 0x1,0x9e 0x100,0x3ff00\n" },
	{ "complete, 64 GB", "full-64g", "dump-type 1\nframes 0xff0000\ndtb 0xff8000002\nruns 0x1,0x9e 0x100,0xffff00\n" },
	{ "kernel, bitmap, 4 GB", "bitmap-4g", "dump-type 6\nframes 0xfe000\ndtb 0xfef00002\nruns 0x1,0x9e 0x100,0xfff00\n" },
	{ "kernel, bitmap, 64 GB", "bitmap-64g", "dump-type 6\nframes 0xff0000\ndtb 0xff8000002\nruns 0x1,0x9e 0x100,0xffff00\n" },
	{ "active, ranges, 64 GB", "ranges-64g", "dump-type 9\nframes 0xff0000\ndtb 0xff8000002\nruns 0x1,0x9e 0x100,0xffff00\n" },
};

static void build(const char *recipes, const char *path, const char *lines)
{
	char *recipe = malloc(RECIPE), name[4096];
	struct sample sample;
	size_t at = (size_t)snprintf(recipe, RECIPE, "base csagent-50.recipe\nkind memory\n%s", lines);

	for (unsigned i = 0; i < IMAGES; i++)
		at += (size_t)snprintf(recipe + at, RECIPE - at, "module bus%03u.sys 0x%llx 0x20000 version=10.0.19041.%u company=Example\n", i,
		                       0xfffff8a000000000ull + i * 0x100000ull, i);
	snprintf(name, sizeof(name), "%s/bench.recipe", recipes);
	if (sample_build(&sample, name, recipe, at) || sample_write(&sample, path)) {
		fprintf(stderr, "%s: %s\n", path, sample.error);
		exit(3);
	}
	sample_free(&sample);
	free(recipe);
}

/* The program as people run it: wall time and the most memory it had. */
static double whole_process(char *program, char *path, long *kib)
{
	char *const argv[] = { program, "analyze", path, NULL };
	double times[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++)
		times[i] = run_us(argv, 0, kib);
	return median(times, ROUNDS);
}

static double in_process(struct dt_triage *triage, const char *path)
{
	struct dt_triage_options options = { 0 };
	double times[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now_us();
		if (dt_triage_path(triage, path, &options)->failure)
			exit(3);
		times[i] = now_us() - start;
	}
	return median(times, ROUNDS);
}

/* Nanoseconds of a translation: of the images' first pages in an address space that has translated none, and of one again and again. */
static void translations(struct dt_dump *dump, double *miss, double *hit)
{
	enum { SPACES = 500, TIMES = 200000 };
	struct dt_space *space;
	struct dt_error err;
	double spent = 0;
	uint64_t pa;
	unsigned found = 0;

	for (unsigned i = 0; i < SPACES; i++) {
		if (dt_space_open(&space, &dump->physical, DT_PAGING_X64_4, dump->directory_table_base, &err) != DT_OK)
			exit(3);
		double start = now_us();
		for (unsigned n = 0; n < IMAGES; n++)
			found += dt_space_translate(space, UINT64_C(0xfffff8a000000000) + n * UINT64_C(0x100000), &pa) == DT_PRESENT;
		spent += now_us() - start;
		dt_space_close(space);
	}
	*miss = spent * 1000 / (SPACES * IMAGES);
	double start = now_us();
	for (unsigned i = 0; i < TIMES; i++)
		found += dt_space_translate(dump->memory.space, UINT64_C(0xfffff8a000000000) + (i & 0xff), &pa) == DT_PRESENT;
	*hit = (now_us() - start) * 1000 / TIMES;
	if (found != SPACES * IMAGES + TIMES)
		exit(3);
}

static uint64_t look(const char *path, double *miss, double *hit)
{
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_mapping map;
	struct dt_dump dump;
	struct dt_error err;

	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_notes_init(&notes, &arena);
	if (dt_mapping_open(&map, path, &err) != DT_OK || dt_dump_open(&dump, map.bytes, &arena, &notes, &err) != DT_OK)
		exit(3);
	dt_kernel_read(&dump);
	uint64_t lookups = dump.physical.lookups;
	translations(&dump, miss, hit);
	dt_dump_close(&dump);
	dt_mapping_close(&map);
	dt_arena_deinit(&arena);
	return lookups;
}

int main(int argc, char **argv)
{
	struct dt_triage *triage;
	struct dt_error err;
	char path[4096];

	if (argc != 4) {
		fputs("usage: dumptriage-bench-memory PROGRAM RECIPES_DIR SCRATCH_DIR\n", stderr);
		return 2;
	}
	if (dt_triage_create(&triage, &err) != DT_OK)
		return 3;
	printf("%-24s %12s %10s %12s %14s %10s %10s\n", "dump", "wall ms", "MB", "analysis us", "page lookups", "miss ns", "cached ns");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		double miss, hit;
		long kib = 0;
		snprintf(path, sizeof(path), "%s/%s.dmp", argv[3], files[i].name);
		build(argv[2], path, files[i].lines);
		double wall = whole_process(argv[1], path, &kib), us = in_process(triage, path);
		uint64_t lookups = look(path, &miss, &hit);
		printf("%-24s %12.2f %10.1f %12.0f %14llu %10.0f %10.1f\n", files[i].title, wall / 1000, (double)kib / 1024, us, (unsigned long long)lookups,
		       miss, hit);
		figure("ms", wall / 1000, "%s: whole run", files[i].title);
		figure("MB", (double)kib / 1024, "%s: memory of a whole run", files[i].title);
		figure("us", us, "%s: analysis", files[i].title);
		figure("ns", miss, "%s: translation, new", files[i].title);
		figure("ns", hit, "%s: translation, known", files[i].title);
		unlink(path);
	}
	dt_triage_destroy(triage);
	return 0;
}

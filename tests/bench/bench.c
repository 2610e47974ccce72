/*
 * Measures analysis in one process, and whole runs of the program.
 *
 * usage: dumptriage-bench PROGRAM RECIPES_DIR CORPUS_DIR SCRATCH_DIR
 *
 * Figures are medians. Stages: open (format, tables, memory map), context (all
 * passes but the stack), stack, match (judgement with all signatures), print (JSON line). Hashing is left out and
 * shown apart. Times of a busy machine are no figures: run it on an idle one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/triage/triage.h"
#include "judgement/verdict/verdict.h"
#include "measure.h"
#include "report/report.h"
#include "sample.h"

enum { ROUNDS = 21, MAX_FILES = 64, STAGES = 6 };

static const char *const stage_names[STAGES] = { "open", "context", "stack", "match", "print", "total" };

struct bench {
	struct dt_triage *triage;
	struct dt_rules *rules;
	struct dt_arena arena;
	struct dt_buf out;
};

/* One dump once: the time of each stage, microseconds. */
static void once(struct bench *bench, const char *path, double stages[STAGES])
{
	struct dt_triage_options options = { 0 };
	struct dt_report_style style = { 0 };
	struct dt_crash crash;
	struct dt_error err;
	double start = now_us();

	crash.facts = *dt_triage_path(bench->triage, path, &options);
	double facts = now_us();
	dt_arena_reset(&bench->arena);
	if (dt_judge(&crash.facts, bench->rules, 0, &bench->arena, &crash.judgement, &err) != DT_OK)
		abort();
	double judged = now_us();
	dt_buf_reset(&bench->out);
	dt_report_format("jsonl")->write(&crash, &style, &bench->out);
	double printed = now_us();
	const struct dt_triage_times *times = dt_triage_times(bench->triage);
	stages[0] = times->open;
	stages[1] = times->context + (facts - start - times->total);
	stages[2] = times->stack;
	stages[3] = judged - facts;
	stages[4] = printed - judged;
	stages[5] = printed - start;
}

static void in_process(struct bench *bench, const char *title, char files[][4096], size_t count)
{
	double values[STAGES][ROUNDS * MAX_FILES], stages[STAGES];
	double begin = now_us();

	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count; i++) {
			once(bench, files[i], stages);
			for (size_t s = 0; s < STAGES; s++)
				values[s][round * count + i] = stages[s];
		}
	double rate = (double)(ROUNDS * count) / ((now_us() - begin) / 1e6);
	printf("%-28s %7.0f dumps/s, us:", title, rate);
	figure("/s", rate, "%s: one process", title);
	for (size_t s = 0; s < STAGES; s++) {
		double us = median(values[s], ROUNDS * count);
		printf(" %s %.0f", stage_names[s], us);
		figure("us", us, "%s: %s", title, stage_names[s]);
	}
	putchar('\n');
}

/* Whole runs of the program: median wall time and peak memory. */
static void whole_process(char *program, const char *title, char *path, char *hash)
{
	char *const argv[] = { program, "analyze", "--format", "jsonl", "--hash", hash, path, NULL };
	double wall[ROUNDS];
	long peak = 0;

	for (size_t round = 0; round < ROUNDS; round++)
		wall[round] = run_us(argv, 1, &peak);
	double us = median(wall, ROUNDS);
	printf("%-28s %.2f ms wall, %.1f MB peak\n", title, us / 1e3, (double)peak / 1024);
	figure("ms", us / 1e3, "%s: whole run", title);
	figure("MB", (double)peak / 1024, "%s: memory of a whole run", title);
}

static size_t list_dumps(const char *folder, char files[][4096])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir)) && count < MAX_FILES) {
		size_t len = strlen(entry->d_name);
		if (len > 4 && !strcmp(entry->d_name + len - 4, ".dmp"))
			snprintf(files[count++], sizeof(files[0]), "%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return count;
}

/* The CSAgent sample grown to a size with data blocks, as real dumps of that size have them. */
static void generate(const char *recipes, const char *path, size_t size)
{
	char base[4096], *recipe = NULL;
	size_t len = 0;
	struct sample sample;

	snprintf(base, sizeof(base), "%s/csagent-50.recipe", recipes);
	FILE *in = fopen(base, "rbe"), *text = open_memstream(&recipe, &len);
	int c;
	if (!in || !text)
		abort();
	while ((c = getc(in)) != EOF)
		putc(c, text);
	fclose(in);
	fprintf(text, "\nfill modules 180\nfill size %zu\n", size);
	fclose(text);
	if (sample_build(&sample, base, recipe, len)) {
		fprintf(stderr, "%s\n", sample.error);
		exit(1);
	}
	FILE *out = fopen(path, "wbe");
	if (!out || fwrite(sample.data, 1, sample.len, out) != sample.len || fclose(out))
		abort();
	sample_free(&sample);
	free(recipe);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *title;
		size_t size;
	} sizes[] = { { "triage, 0.3 MB", 300000 }, { "triage, 1.5 MB", 1500000 }, { "triage, 10 MB", 10000000 } };
	static char files[MAX_FILES][4096];
	struct bench bench;
	struct dt_error err;

	if (argc != 5)
		return 2;
	if (dt_triage_create(&bench.triage, &err) != DT_OK || dt_rules_load_builtin(&bench.rules, &err) != DT_OK)
		return 3;
	dt_arena_init(&bench.arena, DT_MAX_ARENA);
	dt_buf_init(&bench.out, DT_MAX_JSON);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(files[0], sizeof(files[0]), "%s/bench-%zu.dmp", argv[4], sizes[i].size);
		generate(argv[2], files[0], sizes[i].size);
		in_process(&bench, sizes[i].title, files, 1);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(files[0], sizeof(files[0]), "%s/bench-%zu.dmp", argv[4], sizes[i].size);
		whole_process(argv[1], sizes[i].title, files[0], "never");
	}
	snprintf(files[0], sizeof(files[0]), "%s/bench-%zu.dmp", argv[4], sizes[0].size);
	whole_process(argv[1], "the same 0.3 MB, hashed", files[0], "always");
	size_t count = list_dumps(argv[3], files);
	if (count)
		in_process(&bench, "real minidumps", files, count);
	else
		puts("real minidumps: skipped, none at hand");
	dt_buf_deinit(&bench.out);
	dt_arena_deinit(&bench.arena);
	dt_rules_free(bench.rules);
	dt_triage_destroy(bench.triage);
	return 0;
}

/*
 * Cuts every sample at many lengths and flips bits all over it. Asserted for each: a record comes out, it keeps its
 * invariants, and what was wrong is said with its kind and its place. A cut inside the header is "truncated" at the
 * offset where the file ends; a cut behind the fixed parts leaves the header's facts in place.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "facts/triage/triage.h"
#include "judgement/verdict/verdict.h"
#include "sample.h"
#include "support/invariants.h"

enum { CUTS = 600, FLIPS = 1500, LONG_FACTOR = 20, HEADER64 = 0x2000 };

struct bench {
	struct dt_triage *triage;
	struct dt_rules *rules;
	struct dt_arena arena;
	size_t inputs;
	double slowest_ms;
};

static unsigned factor(void)
{
	return getenv("DT_TEST_LONG") ? LONG_FACTOR : 1;
}

static struct dt_crash analyse(struct bench *bench, const uint8_t *data, size_t len, const char *name)
{
	struct dt_triage_options options = { 0 };
	struct dt_error err;
	struct timespec start, end;
	struct dt_crash crash;

	clock_gettime(CLOCK_MONOTONIC, &start);
	crash.facts = *dt_triage_bytes(bench->triage, (struct dt_bytes){ data, len }, name, &options);
	dt_arena_reset(&bench->arena);
	assert_int_equal(dt_judge(&crash.facts, bench->rules, 0, &bench->arena, &crash.judgement, &err), DT_OK);
	clock_gettime(CLOCK_MONOTONIC, &end);
	double ms = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
	bench->slowest_ms = ms > bench->slowest_ms ? ms : bench->slowest_ms;
	bench->inputs++;
	return crash;
}

static void must_hold(const struct dt_crash *crash, const char *name, const char *what, size_t at)
{
	const char *why = invariants_broken(crash);

	if (why)
		fail_msg("%s, %s at %zu: %s", name, what, at, why);
}

/* A heap copy of exactly the length: a sanitizer sees any read behind it. */
static uint8_t *copy_of(const struct sample *sample, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, sample->data, len);
	return copy;
}

static void check_cut(const struct dt_crash *crash, const struct sample *sample, const char *name, size_t len)
{
	const struct dt_facts *facts = &crash->facts;

	must_hold(crash, name, "cut", len);
	if (sample->len < 8 || memcmp(sample->data, "PAGEDU64", 8))
		return;
	if (len < 8) {
		assert_non_null(facts->failure);
		assert_int_equal(facts->failure->kind, DT_FAILURE_NOT_A_DUMP);
	} else if (len < HEADER64) {
		if (!facts->failure || facts->failure->kind != DT_FAILURE_TRUNCATED)
			fail_msg("%s, cut at %zu: not said to be truncated", name, len);
		assert_true(facts->failure->offset.known);
		assert_int_equal(facts->failure->offset.value, len);
	} else if (sample->len > HEADER64 && len < sample->len && facts->dump.kind == DT_KIND_TRIAGE) {
		assert_non_null(facts->bugcheck);
	}
}

static void cut(struct bench *bench, const struct sample *sample, const char *name)
{
	size_t step = sample->len / (CUTS * factor()) + 1;

	for (size_t len = 0; len <= sample->len; len += len < 64 ? 1 : step) {
		uint8_t *copy = copy_of(sample, len);
		struct dt_crash crash = analyse(bench, copy, len, name);
		check_cut(&crash, sample, name, len);
		free(copy);
	}
}

/* Values that lie: in the places where offsets and counts stand, every 4 bytes of the structured part; and single bits
 * anywhere. The sequence is fixed: a failure can be repeated. */
static void flip(struct bench *bench, const struct sample *sample, const char *name)
{
	static const uint32_t lies[] = { 0, 1, 0x7fffffff, 0xffffffff, 0x2000, 0xfffffff8 };
	uint32_t seed = 12345;
	uint8_t *copy = copy_of(sample, sample->len);

	for (size_t i = 0; sample->len >= 4 && i < (size_t)FLIPS * factor(); i++) {
		seed = seed * 1664525 + 1013904223;
		size_t structured = sample->len > HEADER64 ? HEADER64 : 0, span = 0x200;
		bool lie = i % 2 == 0;
		size_t at = lie ? (structured + seed / 64 % span) & ~(size_t)3 : seed / 64 % sample->len;
		if (at + 4 > sample->len)
			at = sample->len - 4;
		uint8_t saved[4];
		memcpy(saved, copy + at, 4);
		if (lie)
			memcpy(copy + at, &lies[seed % (sizeof(lies) / sizeof(lies[0]))], 4);
		else
			copy[at] ^= (uint8_t)(1u << seed % 8);
		struct dt_crash crash = analyse(bench, copy, sample->len, name);
		must_hold(&crash, name, lie ? "lie" : "flip", at);
		memcpy(copy + at, saved, 4);
	}
	free(copy);
}

static void every_recipe(void **state)
{
	struct bench *bench = *state;
	char path[4096];
	DIR *dir = opendir(DT_SOURCE_DIR "/samples/recipes");
	struct dirent *entry;
	size_t recipes = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct sample sample;
		size_t n = strlen(entry->d_name);
		if (n < 8 || strcmp(entry->d_name + n - 7, ".recipe"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", DT_SOURCE_DIR "/samples/recipes", entry->d_name);
		if (sample_build_file(&sample, path))
			fail_msg("%s", sample.error);
		cut(bench, &sample, entry->d_name);
		flip(bench, &sample, entry->d_name);
		sample_free(&sample);
		recipes++;
	}
	closedir(dir);
	print_message("%zu recipes, %zu damaged inputs, slowest %.1f ms\n", recipes, bench->inputs, bench->slowest_ms);
	assert_true(recipes >= 20);
	/* The promise is 2 s; far above any pause of a busy machine on inputs of a few hundred KiB. */
	assert_true(bench->slowest_ms < 2000);
}

static int setup(void **state)
{
	static struct bench bench;
	struct dt_error err;

	if (dt_triage_create(&bench.triage, &err) != DT_OK || dt_rules_load_builtin(&bench.rules, &err) != DT_OK)
		return -1;
	dt_arena_init(&bench.arena, DT_MAX_ARENA);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	dt_triage_destroy(bench->triage);
	dt_rules_free(bench->rules);
	dt_arena_deinit(&bench->arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_recipe) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

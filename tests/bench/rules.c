/*
 * Measures what signatures cost: a thousand made ones of a usual shape, loaded and matched against records of samples.
 *
 * usage: dumptriage-bench-rules RECIPES_DIR SCRATCH_DIR
 *
 * Loading is the median of several rounds from a folder; matching the median time of one record, for each sample, over all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/triage/triage.h"
#include "judgement/signature/rules.h"
#include "measure.h"
#include "sample.h"

enum { RULES = 1000, ROUNDS = 15, MATCHES = 2001 };

static const char *const samples[] = { "csagent-50", "csagent-7e", "vgk-50", "tdr-116", "win32kbase-50", "user-av-x64", "whea-124" };
static const unsigned codes[] = { 0x50, 0x7e, 0x3b, 0xd1, 0x116, 0x9f, 0x133, 0x139, 0x1a, 0xa, 0xc2, 0x19, 0x7f, 0xf7, 0x124, 0xef };

/* A stop code, a driver on the stack, its code, a version and a time: what a signature for an incident looks like. */
static void write_rule(const char *folder, int i)
{
	char path[4200];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%04d.yml", folder, i);
	if (!(file = fopen(path, "w")))
		abort();
	fprintf(file, "id: made-%d\ntitle: A made signature\nversion: '1'\nstatus: test\nauthor: bench\ndate: 2025-01-01\nlevel: high\ncategory: driver\n"
	              "class: driver\nreferences: [https://example.org/%d]\ndetection:\n  code:\n    title: the stop code\n    bugcheck.code: [0x%x, 0x%x]\n"
	              "  module:\n    title: the driver\n    %s: %s%d.sys\n", i, i, codes[i % 16], codes[(i + 5) % 16],
	        i % 3 ? "fault.module" : "fault.module|startswith", "vendor", i);
	if (i % 250 == 0)
		fputs("  wide:\n    title: some rules look at every crash\n    fault.module|contains: agent\n", file);
	fprintf(file, "  bytes:\n    title: the instruction\n    fault.code|bytes|at=ip-4: 48 8b ?? 10 %02x\n  stack:\n    stack|first=16: {module: vendor%d.sys}\n"
	              "  build:\n    modules|any: {name: vendor%d.sys, version|lt: 7.%d}\n  when:\n    dump.time|gte: 2024-07-19\n"
	              "  grades:\n    confirmed: code and module and bytes and build\n    probable: code and module and (bytes or build)\n"
	              "    possible: %s\nnext_steps:\n  - Update the driver.\n", i & 255, i, i, i % 40,
	        i % 250 ? "code and (module or stack)" : "wide");
	if (fclose(file))
		abort();
}

static void remove_rules(const char *folder)
{
	char path[4200];

	for (int i = 0; i < RULES; i++) {
		(void)snprintf(path, sizeof(path), "%s/%04d.yml", folder, i);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static struct dt_rules *load(const char *folder)
{
	double times[ROUNDS];
	struct dt_rules *rules = NULL;
	struct dt_error err;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now_us();
		dt_rules_free(rules);
		if (dt_rules_load(&rules, folder, &err) != DT_OK) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		times[i] = now_us() - start;
	}
	double ms = median(times, ROUNDS) / 1000;
	printf("%d signatures: loaded in %.1f ms\n", RULES, ms);
	figure("ms", ms, "%d signatures: loaded", RULES);
	return rules;
}

static double match(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_arena *arena, size_t *count)
{
	static double times[MATCHES];
	struct dt_match *out;

	for (int i = 0; i < MATCHES; i++) {
		dt_arena_reset(arena);
		double start = now_us();
		*count = dt_rules_match(rules, facts, arena, &out);
		times[i] = now_us() - start;
	}
	return median(times, MATCHES);
}

static void builtin(void)
{
	double times[ROUNDS];
	size_t count = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct dt_rules *rules;
		struct dt_error err;
		double start = now_us();
		if (dt_rules_load_builtin(&rules, &err) != DT_OK)
			abort();
		times[i] = now_us() - start;
		count = dt_rules_count(rules);
		dt_rules_free(rules);
	}
	double ms = median(times, ROUNDS) / 1000;
	printf("%zu built-in signatures: loaded in %.2f ms\n", count, ms);
	figure("ms", ms, "built-in signatures: loaded");
}

static void build(const char *recipe, const char *path)
{
	struct sample sample;
	FILE *out = fopen(path, "wbe");

	if (sample_build_file(&sample, recipe) || !out || fwrite(sample.data, 1, sample.len, out) != sample.len || fclose(out)) {
		fprintf(stderr, "%s\n", sample.error);
		exit(1);
	}
	sample_free(&sample);
}

int main(int argc, char **argv)
{
	static char folder[4096], path[4200], recipe[4200];
	struct dt_triage_options options = { 0 };
	struct dt_triage *triage;
	struct dt_arena arena;
	struct dt_error err;

	if (argc != 3)
		return 2;
	(void)snprintf(folder, sizeof(folder), "%s/rules", argv[2]);
	(void)mkdir(folder, 0700);
	for (int i = 0; i < RULES; i++)
		write_rule(folder, i);
	struct dt_rules *rules = load(folder);
	dt_arena_init(&arena, 16u << 20);
	if (dt_triage_create(&triage, &err) != DT_OK)
		return 1;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t matched;
		(void)snprintf(recipe, sizeof(recipe), "%s/%s.recipe", argv[1], samples[i]);
		(void)snprintf(path, sizeof(path), "%s/rules.dmp", argv[2]);
		build(recipe, path);
		double us = match(rules, dt_triage_path(triage, path, &options), &arena, &matched);
		printf("  %-16s %6.2f us, %zu matched\n", samples[i], us, matched);
		figure("us", us, "%d signatures: match of %s", RULES, samples[i]);
	}
	builtin();
	dt_triage_destroy(triage);
	dt_arena_deinit(&arena);
	dt_rules_free(rules);
	remove_rules(folder);
	return 0;
}

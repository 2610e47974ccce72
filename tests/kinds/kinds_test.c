/*
 * The same crash, written as every kind of kernel dump. The minidump is the reference: a dump that holds more must come to the same
 * crash identity, stop code, fault, stack and verdict.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/triage/triage.h"
#include "judgement/verdict/verdict.h"
#include "sample.h"

/* A crash as its minidump, and the lines that make another kind of it. */
struct row {
	const char *reference;
	enum dt_kind kind;
	const char *lines;
};

static const struct row rows[] = {
#define KIND(reference, kind, lines) { reference, DT_KIND_##kind, lines },
#include "kinds.def"
};

static const struct {
	const char *reference, *kind, *lines;
} without[] = {
#define WITHOUT(reference, kind, lines) { reference, kind, lines },
#include "kinds.def"
};

struct bench {
	struct dt_triage *triage;
	struct dt_rules *rules;
	struct dt_arena arena[2];
};

static struct dt_crash analyse(struct bench *bench, const char *recipe, struct dt_arena *arena)
{
	struct dt_triage_options options = { 0 };
	struct sample sample;
	struct dt_error err;
	struct dt_crash crash;
	char name[4096];

	snprintf(name, sizeof(name), "%s/samples/recipes/kinds.recipe", DT_SOURCE_DIR);
	if (sample_build(&sample, name, recipe, strlen(recipe)))
		fail_msg("%s\n%s", sample.error, recipe);
	/* Facts live until the next analysis: what is compared is taken along. */
	crash.facts = *dt_triage_bytes(bench->triage, (struct dt_bytes){ sample.data, sample.len }, "kind.dmp", &options);
	dt_arena_reset(arena);
	assert_int_equal(dt_judge(&crash.facts, bench->rules, 0, arena, &crash.judgement, &err), DT_OK);
	sample_free(&sample);
	return crash;
}

static void put(char **at, char *end, const char *name, const char *text)
{
	int n = snprintf(*at, (size_t)(end - *at), "%s %s\n", name, text ? text : "null");

	assert_true(n > 0 && n < end - *at);
	*at += n;
}

static void put_number(char **at, char *end, const char *name, struct dt_opt value)
{
	char text[32];

	snprintf(text, sizeof(text), value.known ? "0x%llx" : "null", (unsigned long long)value.value);
	put(at, end, name, text);
}

/* Everything that must be equal, as text: a difference is read off the two. */
static char *print(const struct dt_crash *crash)
{
	static const size_t size = 1 << 16;
	const struct dt_facts *facts = &crash->facts;
	char *text = malloc(size), *at = text, *end = text + size;

	assert_non_null(text);
	put(&at, end, "crash_id", facts->crash_id);
	put_number(&at, end, "code", facts->bugcheck ? facts->bugcheck->code : (struct dt_opt){ 0 });
	for (size_t i = 0; facts->bugcheck && i < facts->bugcheck->parameters_count; i++)
		put_number(&at, end, "parameter", dt_some(facts->bugcheck->parameters[i]));
	put_number(&at, end, "exception", facts->exception.code);
	put_number(&at, end, "address", facts->exception.address);
	put_number(&at, end, "access", dt_some(facts->exception.access));
	put_number(&at, end, "ip", facts->fault.ip);
	put(&at, end, "module", facts->fault.module);
	put_number(&at, end, "offset", facts->fault.offset);
	put(&at, end, "instruction", facts->fault.instruction);
	put_number(&at, end, "source", dt_some(facts->fault.source));
	for (size_t i = 0; i < facts->registers_count; i++)
		put_number(&at, end, facts->registers[i].name, facts->registers[i].value);
	put(&at, end, "process", facts->process.name);
	put_number(&at, end, "pid", facts->process.pid);
	put_number(&at, end, "thread", facts->process.thread_id);
	put_number(&at, end, "cpu", facts->cpu.number);
	for (size_t i = 0; i < facts->stack_count; i++) {
		put(&at, end, "frame", facts->stack[i].module);
		put_number(&at, end, " ip", facts->stack[i].ip);
		put_number(&at, end, " trust", dt_some(facts->stack[i].trust));
	}
	for (size_t i = 0; i < facts->suspects_count; i++)
		put(&at, end, "suspect", facts->suspects[i].module);
	put(&at, end, "blame", crash->judgement.blame.module);
	put_number(&at, end, "class", dt_some(crash->judgement.verdict.class));
	put(&at, end, "summary", crash->judgement.verdict.summary);
	put_number(&at, end, "confidence", crash->judgement.verdict.confidence);
	for (size_t i = 0; i < crash->judgement.matches_count; i++)
		put_number(&at, end, crash->judgement.matches[i].signature, dt_some(crash->judgement.matches[i].grade));
	return text;
}

static char *print_all(const struct dt_crash *crash)
{
	char *text = print(crash), *at = text + strlen(text), *end = text + (1 << 16);

	for (size_t i = 0; i < crash->facts.processors_count; i++) {
		const struct dt_processor *processor = &crash->facts.processors[i];
		put_number(&at, end, "processor", processor->number);
		put_number(&at, end, " thread", processor->thread);
		put(&at, end, " process", processor->process);
		put_number(&at, end, " pid", processor->pid);
		put_number(&at, end, " cr2", processor->cr2);
		put_number(&at, end, " ip", processor->ip);
	}
	put(&at, end, "os", crash->facts.dump.os);
	return text;
}

static void compare(const char *reference, const char *lines, const char *expected, const char *found)
{
	size_t same = 0;

	for (size_t k = 0; expected[k] && expected[k] == found[k]; k++)
		same = expected[k] == '\n' ? k + 1 : same;
	if (strcmp(expected, found) != 0)
		fail_msg("%s as\n%s\nexpected\n%.200s\nfound\n%.200s", reference, lines, expected + same, found + same);
}

static void every_kind_comes_to_the_same(void **state)
{
	struct bench *bench = *state;
	char recipe[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(recipe, sizeof(recipe), "base %s.recipe\n", rows[i].reference);
		struct dt_crash crash = analyse(bench, recipe, &bench->arena[0]);
		char *expected = print(&crash);
		snprintf(recipe, sizeof(recipe), "base %s.recipe\n%s", rows[i].reference, rows[i].lines);
		crash = analyse(bench, recipe, &bench->arena[1]);
		char *found = print(&crash);
		if (crash.facts.dump.kind != rows[i].kind)
			fail_msg("%s, row %zu: kind is %d", rows[i].reference, i, crash.facts.dump.kind);
		compare(rows[i].reference, rows[i].lines, expected, found);
		free(expected);
		free(found);
	}
}

static void without_its_debugger_block_a_kind_gives_the_same(void **state)
{
	struct bench *bench = *state;
	char recipe[1024];

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		snprintf(recipe, sizeof(recipe), "base %s.recipe\n%s", without[i].reference, without[i].kind);
		struct dt_crash crash = analyse(bench, recipe, &bench->arena[0]);
		char *expected = print_all(&crash);
		assert_true(crash.facts.processors_count >= 2);
		snprintf(recipe, sizeof(recipe), "base %s.recipe\n%s%s", without[i].reference, without[i].kind, without[i].lines);
		crash = analyse(bench, recipe, &bench->arena[1]);
		char *found = print_all(&crash);
		compare(without[i].reference, recipe, expected, found);
		free(expected);
		free(found);
	}
}

static int setup(void **state)
{
	static struct bench bench;
	struct dt_error err;

	if (dt_triage_create(&bench.triage, &err) != DT_OK || dt_rules_load_builtin(&bench.rules, &err) != DT_OK)
		return -1;
	dt_arena_init(&bench.arena[0], DT_MAX_ARENA);
	dt_arena_init(&bench.arena[1], DT_MAX_ARENA);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	dt_triage_destroy(bench->triage);
	dt_rules_free(bench->rules);
	dt_arena_deinit(&bench->arena[0]);
	dt_arena_deinit(&bench->arena[1]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_to_the_same),
		cmocka_unit_test(without_its_debugger_block_a_kind_gives_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

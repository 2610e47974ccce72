/* The index, the gates and the outlook never leave out what matching finds: conditions of every shape, over facts with and without each column. */
#include "../facts.h"

#include "judgement/signature/rule.h"

static const char *const conditions[] = {
	"A", "A and B", "A or B", "not A", "not contradicted A", "contradicted A", "missing A", "1 of (A, B)", "2 of (A, B)", "A and not contradicted C",
	"C and (A or B)", "(A and C) or (B and not contradicted A)", "not (A or B)", "missing A and B",
};
static const char *const selections[][3] = {
	{ "fault.module: a.sys", "bugcheck.code: 0x50", "dump.build|gte: 19041" },
	{ "fault.module: [a.sys, b.sys]", "bugcheck.code: [0x50, 0x7e]", "fault.module|contains: sys" },
	{ "fault.module|startswith: a", "not:\n      bugcheck.code: 0x50", "any:\n      - fault.module: b.sys\n      - dump.build: 22000" },
	{ "fault.module: a.sys\n    dump.build|if_known: 19041", "bugcheck.code|if_known: 0x50", "fault.module: '?.sys'" },
	{ "bugcheck.code: 0x50\n    fault.module: a.sys", "- bugcheck.code: 0x7e\n    - fault.module: b.sys", "bugcheck.code|mask=0xf: 0" },
	{ "fault.module|if_known: a.sys", "bugcheck.code|gt: 0x50", "fault.module|exists: true" },
};

/* Conditions that this language does not know are left out by the loader; most must be known. */
static bool load(struct dt_rules **rules, const char *const body[3], const char *condition)
{
	struct dt_error err;
	char text[2048];

	snprintf(text, sizeof(text), "id: t\ntitle: t\nversion: '1'\ndetection:\n  A:\n    %s\n  B:\n    %s\n  C:\n    %s\n  condition: %s\n", body[0], body[1],
	         body[2], condition);
	return dt_rules_load_text(rules, "t.yml", text, strlen(text), &err) == DT_OK;
}

static void compare(const struct dt_rules *rules, const struct dt_facts *facts, unsigned *gated, const char *condition)
{
	struct dt_rule *rule = rules->rule[0];
	struct dt_arena arena;
	struct dt_match *out;
	size_t with, without;

	dt_arena_init(&arena, 1u << 20);
	with = dt_rules_match(rules, facts, &arena, &out);
	*gated += !dt_rule_passes_gates(rule, facts);
	without = dt_rules_grade(rules, 0, facts) != DT_grade_NULL;
	if (with != without)
		fail_msg("the index or the gates of '%s' leave a match out", condition);
	if (without && !dt_rule_may_match(rules, "t", facts))
		fail_msg("the outlook of '%s' leaves a match out", condition);
	dt_arena_deinit(&arena);
}

static void nothing_is_left_out(void **state)
{
	static const char *const modules[] = { NULL, "a.sys", "B.SYS", "other.sys" };
	static const uint64_t codes[] = { 0, 0x50, 0x7e, 0xd1 }, builds[] = { 0, 19041, 22000 };
	unsigned loaded = 0, gated = 0;
	struct made m;
	(void)state;

	for (size_t s = 0; s < sizeof(selections) / sizeof(selections[0]); s++)
		for (size_t c = 0; c < sizeof(conditions) / sizeof(conditions[0]); c++) {
			struct dt_rules *rules = NULL;
			if (!load(&rules, selections[s], conditions[c]))
				continue;
			loaded++;
			for (size_t i = 0; i < 4 * 4 * 3; i++) {
				made_kernel(&m, (uint32_t)codes[i % 4], 1, 0, 2, 3);
				if (!codes[i % 4])
					m.facts.bugcheck = NULL;
				m.facts.fault.module = modules[i / 4 % 4];
				m.facts.dump.build = builds[i / 16] ? dt_some(builds[i / 16]) : (struct dt_opt){ 0 };
				compare(rules, &m.facts, &gated, conditions[c]);
			}
			dt_rules_free(rules);
		}
	printf("%u rules, %u times gated\n", loaded, gated);
	assert_true(loaded > 30);
	assert_true(gated > 100);
}

/* Of a thousand rules for other codes and modules none is looked at. */
static void what_is_tried(void **state)
{
	static const char *const texts[] = {
		"id: a\ntitle: t\nversion: '1'\ndetection:\n  A: {bugcheck.code: [0x50, 0x7e]}\n  condition: A\n",
		"id: b\ntitle: t\nversion: '1'\ndetection:\n  A: {bugcheck.code: 0x50, fault.module: b.sys}\n  condition: A\n",
		"id: c\ntitle: t\nversion: '1'\ndetection:\n  A: {bugcheck.code: 0x50}\n  condition: not A\n",
		"id: d\ntitle: t\nversion: '1'\ndetection:\n  A: {fault.module: '*.sys'}\n  condition: A\n",
	};
	static const size_t keys[][3] = { { 2, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 0, 0, 1 } }; /* codes, modules, rest */
	struct dt_error err;
	(void)state;

	for (size_t i = 0; i < 4; i++) {
		struct dt_rules *rules = NULL;
		assert_int_equal(dt_rules_load_text(&rules, "t.yml", texts[i], strlen(texts[i]), &err), DT_OK);
		assert_int_equal(rules->index.code_count, keys[i][0]);
		assert_int_equal(rules->index.module_count, keys[i][1]);
		assert_int_equal(rules->index.rest_count, keys[i][2]);
		dt_rules_free(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left_out), cmocka_unit_test(what_is_tried) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Facts written in the tests of a rule: every kind of field, changes, and what is refused where. */
#include "../facts.h"

#include "judgement/signature/rule.h"

static struct dt_arena arena;
static struct dt_facts facts;
static struct dt_error err;

static struct dt_rules *rules; /* facts borrow texts of the last one */

/* Loads a rule with these tests and makes the facts of the last. */
static enum dt_status make(const char *tests)
{
	const struct dt_rule_info *info;
	char text[4096];
	enum dt_status status;

	err = (struct dt_error){ 0 };
	snprintf(text, sizeof(text), "id: t\ntitle: t\nversion: '1'\ndetection:\n  S: {bugcheck.code: 0x50}\n  condition: S\ntests:\n%s", tests);
	dt_rules_free(rules);
	rules = NULL;
	if ((status = dt_rules_load_text(&rules, "t.yml", text, strlen(text), &err)) != DT_OK)
		return status;
	info = dt_rule_info(rules, 0);
	return dt_rule_test_facts(&info->tests[info->test_count - 1], &arena, &facts, &err);
}

static void refuse(const char *tests, const char *message)
{
	assert_int_equal(make(tests), DT_ERR_FORMAT);
	if (!strstr(err.text, message))
		fail_msg("'%s' lacks '%s'", err.text, message);
}

static void every_kind(void **state)
{
	(void)state;
	assert_int_equal(make("  - grade: possible\n    name: all kinds\n    record:\n"
	                      "      bugcheck: {code: 0x50, parameters: [1, 0x2, 3, 4]}\n"
	                      "      dump.time: 2024-07-19T05:00:00Z\n      dump.uptime_s: 1.5\n      dump.live: false\n"
	                      "      dump.machine: x64\n      dump.build: 19041\n      dump.missing: [one, two]\n"
	                      "      fault.module: a.sys\n      fault.bytes: 45 8b 08\n      fault.code: {start: 0x1000, hex: 9090}\n"
	                      "      registers: {r8: 0x9c, rax: null}\n      registers.rbx: 7\n"
	                      "      stack: [{module: a.sys, ip: 5}, {module: b.sys}]\n      stack.2.module: c.sys\n"),
	                 DT_OK);
	assert_int_equal(facts.bugcheck->code.value, 0x50);
	assert_int_equal(facts.bugcheck->parameters_count, 4);
	assert_int_equal(facts.bugcheck->parameters[1], 2);
	assert_int_equal(facts.dump.time, made_time("2024-07-19T05:00:00Z"));
	assert_int_equal(facts.dump.uptime_s.value, 1500);
	assert_int_equal(facts.dump.live, DT_FALSE);
	assert_int_equal(facts.dump.machine, DT_MACHINE_X64);
	assert_int_equal(facts.dump.missing_count, 2);
	assert_string_equal(facts.dump.missing[1], "two");
	assert_int_equal(facts.fault.bytes.len, 3);
	assert_int_equal(facts.fault.code->hex.len, 2);
	assert_int_equal(facts.registers_count, 3);
	assert_false(facts.registers[1].value.known);
	assert_string_equal(facts.registers[2].name, "rbx");
	assert_int_equal(facts.stack_count, 3);
	assert_string_equal(facts.stack[0].module, "a.sys");
	assert_string_equal(facts.stack[2].module, "c.sys");
	assert_int_equal(make("  - {record: {}, grade: none}\n"), DT_OK);
	assert_null(facts.bugcheck);
}

static void changes(void **state)
{
	(void)state;
#define BASE "  - {record: {bugcheck: {code: 0x50, parameters: [1, 2, 3, 4]}, fault.module: a.sys, registers: {r8: 1}}, grade: possible}\n"
	assert_int_equal(make(BASE "  - {change: {bugcheck.code: 0x7e, bugcheck.parameters.2: 9, registers.r8: null}, grade: none}\n"), DT_OK);
	assert_int_equal(facts.bugcheck->code.value, 0x7e);
	assert_int_equal(facts.bugcheck->parameters[2], 9);
	assert_int_equal(facts.bugcheck->parameters[3], 4);
	assert_string_equal(facts.fault.module, "a.sys");
	assert_false(facts.registers[0].value.known);
	assert_int_equal(facts.registers_count, 1);
	/* Each change is of the record, not of the change before it. */
	assert_int_equal(make(BASE "  - {change: {fault.module: null}, grade: none}\n  - {change: {bugcheck: null}, grade: none}\n"), DT_OK);
	assert_null(facts.bugcheck);
	assert_string_equal(facts.fault.module, "a.sys");
}

static void refused(void **state)
{
	(void)state;
	refuse("  - {record: {fault.modul: x}, grade: none}\n", "t.yml:8:15: fault has no field 'modul'");
	refuse("  - {record: {verdict: x}, grade: none}\n", "t.yml:8:15: the record has no field 'verdict'");
	refuse("  - {record: {fault: x}, grade: none}\n", "expected a map of fields");
	refuse("  - {record: {bugcheck.code: x}, grade: none}\n", "t.yml:8:15: expected a number");
	refuse("  - {record: {dump.machine: vax}, grade: none}\n", "is no word of the field");
	refuse("  - {record: {fault.bytes: 4? }, grade: none}\n", "expected bytes in hex");
	refuse("  - {record: {fault.bytes: 45 ?? }, grade: none}\n", "a record has bytes, no pattern");
	refuse("  - {record: {fault.module.x: a}, grade: none}\n", "there is nothing inside 'module'");
	refuse("  - {record: {stack: a}, grade: none}\n", "'stack' is a list of at most");
	refuse("  - {record: {stack: [a]}, grade: none}\n", "an element of 'stack' is a map");
	refuse("  - {record: {stack.999.module: a}, grade: none}\n", "expected an index below");
	refuse("  - {record: {bugcheck.parameters.4: 1}, grade: none}\n", "expected an index below 4");
	refuse("  - {record: {registers: {R8: 1}}, grade: none}\n", "expected the name of a register");
	refuse("  - {record: {dump.build: 0xffffffffffffffff}, grade: none}\n", "too large");
	refuse("  - {change: {}, grade: none}\n", "'change: {fields}' of the record before it");
	refuse("  - {record: {}, sample: x, grade: none}\n", "a test is {sample");
	refuse("  - {record: [], grade: none}\n", "a test has 'sample: name'");
}

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	dt_rules_free(rules);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_kind), cmocka_unit_test(changes), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* What the linter says of rules that load and mean something else, and that it says nothing of a sound one. */
#include "../facts.h"

#include "judgement/signature/lint.h"

static char found[8192];

static void keep(void *context, const char *message)
{
	(void)context;
	strncat(found, message, sizeof(found) - strlen(found) - 2);
	strcat(found, "\n");
}

#define HEAD "id: t\ntitle: t\nversion: '1'\nreferences: [https://example.org]\n"
#define TESTS "tests:\n  - {record: {bugcheck.code: 0x50}, grade: possible}\n  - {record: {}, grade: none}\n"

static size_t lint(const char *text)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;
	size_t count;

	found[0] = 0;
	if (dt_rules_load_text(&rules, "t.yml", text, strlen(text), &err) != DT_OK)
		fail_msg("%s in\n%s", err.text, text);
	count = dt_rules_lint(rules, keep, NULL);
	dt_rules_free(rules);
	return count;
}

static void finds(const char *text, const char *message)
{
	if (!lint(text) || !strstr(found, message))
		fail_msg("'%s' lacks '%s'", found, message);
}

/* One selection, and whatever grade it gives. */
static void finds_in(const char *selection, const char *message)
{
	char text[2048];

	snprintf(text, sizeof(text), HEAD "detection:\n  S: %s\n  condition: S\n" TESTS, selection);
	finds(text, message);
}

static void sound_rules(void **state)
{
	(void)state;
	assert_int_equal(lint(HEAD "detection:\n  S: {bugcheck.code: 0x50}\n  E: {title: seen, fault.offset|exists: true}\n  condition: S\n" TESTS), 0);
	assert_int_equal(lint(HEAD "detection:\n  S: {fault.bytes|bytes: 45 8b 08, fault.offset|in: 1..5}\n  condition: S\n" TESTS), 0);
}

static void conditions(void **state)
{
	(void)state;
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  B: {fault.module: x}\n  condition: A\n" TESTS, "t.yml:7:3: no condition names 'B'");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  condition: A and not A\n" TESTS, "t.yml:7:3: the condition can never hold");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  B: {fault.offset: 1}\n  condition: A or (A and B)\n" TESTS,
	      "t.yml:7:3: 'B' is named by a condition and never changes the result");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  B: {fault.offset: 1}\n  grades:\n    probable: B\n    possible: A and B\n" TESTS,
	      "t.yml:10:5: the grade 'possible' is never given");
}

static void grades(void **state)
{
	(void)state;
#define GRADES(a, b) HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  B: " a "\n  grades:\n    probable: A and B\n" b TESTS
	finds(GRADES("{fault.module: a.sys}", ""), "t.yml:9:5: a stop code and names of modules alone give 'probable'");
	finds(GRADES("{stack|any: {module: a.sys}}", ""), "names of modules alone give 'probable'");
	finds(GRADES("{any: [{fault.offset: 1}, {modules|any: {name: a.sys}}]}", ""), "names of modules alone give 'probable'");
	(void)lint(GRADES("{fault.module: a.sys, fault.offset: 1}", ""));
	assert_null(strstr(found, "alone give"));
	(void)lint(GRADES("{modules|any: {name: a.sys, timestamp: 1}}", ""));
	assert_null(strstr(found, "alone give"));
	(void)lint("class: requested\n" GRADES("{fault.module: myfault.sys}", ""));
	assert_null(strstr(found, "alone give"));
	finds("class: driver\n" HEAD "detection:\n  A: {fault.module: NETIO.SYS}\n  condition: A\n" TESTS, "'NETIO.SYS' runs other drivers' work");
}

static void patterns(void **state)
{
	(void)state;
	finds_in("{fault.bytes|bytes: 8b ??}", "t.yml:6:7: 1 known bytes are too common");
	finds_in("{fault.code|contains: 8b 48 10 20}", "4 known bytes are too common");
	finds_in("{fault.bytes|bytes: cc cc 00 90}", "the bytes are padding");
	finds_in("{fault.bytes|bytes: 48 83 ec 28}", "how most functions begin");
	finds_in("{fault.module|re: 'x*'}", "fits every text");
	finds_in("{fault.module: '*'}", "fits every text");
	finds_in("{fault.module|contains: a}", "one character is too common");
}

static void numbers(void **state)
{
	(void)state;
	finds_in("{fault.offset|lt: 0}", "no value of 'fault.offset' fits");
	finds_in("{fault.offset|lt: 5, fault.offset|gte: 5}", "t.yml:6:27: no value of 'fault.offset' fits this and 'fault.offset|lt'");
	finds_in("{modules|any: {version|lt: 7.9, version|gt: 7.11}}", "no value of 'version' fits");
	finds_in("{dump.time|in: 2024-07-19..2024-07-20, dump.time|gt: 2025-01-01}", "no value of 'dump.time' fits");
}

static void missing_parts(void **state)
{
	(void)state;
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  condition: A\n", "t.yml:1:1: there are no tests");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  condition: A\ntests:\n  - {record: {}, grade: none}\n",
	      "t.yml:8:1: no test reaches the grade 'possible'");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  condition: A\ntests:\n  - {record: {bugcheck.code: 0x50}, grade: possible}\n",
	      "no test shows what must not match");
	finds(HEAD "detection:\n  A: {bugcheck.code: 0x50}\n  condition: A\ntests:\n  - {record: {colour: 1}, grade: possible}\n",
	      "t.yml:9:15: the record has no field 'colour'");
	finds("id: t\ntitle: t\nversion: '1'\ndetection:\n  A: {bugcheck.code: 0x50}\n  condition: A\n" TESTS, "there are no references");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_rules), cmocka_unit_test(conditions), cmocka_unit_test(grades),
		cmocka_unit_test(patterns),    cmocka_unit_test(numbers),    cmocka_unit_test(missing_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

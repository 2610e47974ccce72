#include "../facts.h"

#include "judgement/signature/rule.h"

static struct dt_error err;

/* A rule of four selections A, B1, B2, C+ with one condition. */
static enum dt_status load(const char *condition, struct dt_rules **rules)
{
	char text[4096];

	snprintf(text, sizeof(text),
	         "id: t\ntitle: t\nversion: '1'\ndetection:\n  A: {bugcheck.code: 1}\n  B1: {bugcheck.code: 2}\n"
	         "  B2: {bugcheck.code: 3}\n  C+: {bugcheck.code: 4}\n  condition: %s\n",
	         condition);
	err = (struct dt_error){ 0 };
	return dt_rules_load_text(rules, "t.yml", text, strlen(text), &err);
}

/* states: one letter each for A, B1, B2, C+: p, m, c */
static bool holds(const char *condition, const char *states)
{
	struct dt_rules *rules = NULL;
	enum dt_fact_state s[DT_MAX_EVIDENCE] = { 0 };
	bool result;

	if (load(condition, &rules) != DT_OK)
		fail_msg("%s: %s", condition, err.text);
	for (size_t i = 0; i < 4; i++)
		s[i] = states[i] == 'p' ? DT_FACT_PRESENT : states[i] == 'm' ? DT_FACT_MISSING : DT_FACT_CONTRADICTED;
	result = dt_condition_holds(rules->rule[0]->condition, rules->rule[0], NULL, s);
	assert_int_equal(dt_rule_grade(rules->rule[0], NULL, s), result ? DT_GRADE_POSSIBLE : DT_grade_NULL);
	dt_rules_free(rules);
	return result;
}

static void refuse(const char *condition, const char *message)
{
	struct dt_rules *rules = NULL;

	assert_int_equal(load(condition, &rules), DT_ERR_FORMAT);
	assert_null(rules);
	assert_int_equal(strncmp(err.text, "t.yml:", 6), 0);
	if (!strstr(err.text, message))
		fail_msg("'%s' lacks '%s'", err.text, message);
}

static void operators(void **state)
{
	(void)state;
	assert_true(holds("A", "pmmm"));
	assert_false(holds("A", "mppp"));
	assert_false(holds("A", "cppp"));
	assert_true(holds("A and B1", "ppmm"));
	assert_false(holds("A and B1", "pmmm"));
	assert_true(holds("A or B1", "mpmm"));
	assert_true(holds("not A", "mmmm"));
	assert_true(holds("not A", "cmmm"));
	assert_false(holds("not A", "pmmm"));
	assert_true(holds("not not A", "pmmm"));
	assert_true(holds("A or B1 and B2", "pmmm"));
	assert_false(holds("(A or B1) and B2", "pmmm"));
	assert_true(holds("C+", "mmmp"));
}

static void third_value(void **state)
{
	(void)state;
	assert_true(holds("missing A", "mmmm"));
	assert_false(holds("missing A", "cmmm"));
	assert_true(holds("contradicted A", "cmmm"));
	assert_false(holds("contradicted A", "mmmm"));
	assert_true(holds("present A", "pmmm"));
	assert_true(holds("not contradicted A", "mmmm"));
	assert_true(holds("not contradicted A and B1", "mpmm"));
	assert_false(holds("not contradicted A", "cppp"));
}

static void quantities(void **state)
{
	(void)state;
	assert_true(holds("1 of B*", "mmpm"));
	assert_false(holds("1 of B*", "pmmp"));
	assert_true(holds("all of B*", "mppm"));
	assert_false(holds("all of B*", "mpmm"));
	assert_true(holds("2 of them", "pmmp"));
	assert_false(holds("2 of them", "pmmc"));
	assert_true(holds("all of them", "pppp"));
	assert_false(holds("all of them", "pppm"));
	assert_true(holds("2 of (A, B1, C+)", "pmmp"));
	assert_false(holds("2 of (A, B1, C+)", "pmpm"));
	assert_true(holds("1 of B? and A", "ppmm"));
}

static void mistakes(void **state)
{
	(void)state;
	refuse("''", "expected the name of a selection, found the end");
	refuse("A and", "t.yml:9:19: expected the name of a selection, found the end");
	refuse("A B1", "t.yml:9:16: expected 'and', 'or' or the end, found 'B1'");
	/* In quotes and over several lines: the place is that in the file. */
	refuse("'A and X'", "t.yml:9:21: expected the name of a selection, found 'X'");
	refuse(">\n    A and\n\n      B1 or\n    é", "t.yml:13:5: expected the name of a selection");
	refuse("|\n    A and (B1\n    or X)", "t.yml:11:8: expected the name of a selection, found 'X'");
	refuse("\"A \\\n    and X\"", "t.yml:10:9: expected the name of a selection, found 'X'");
	refuse("A and X", "found 'X'");
	refuse("(A or B1", "expected 'and', 'or' or ')', found the end");
	refuse("A)", "found ')'");
	refuse("0 of them", "expected a number from 1 to 32");
	refuse("33 of them", "expected a number from 1 to 32");
	refuse("5 of them", "5 of 4 selections can never hold");
	refuse("1 of X*", "found 'X*'");
	refuse("1 them", "expected 'of'");
	refuse("1 of (A, B1", "expected ',' or ')'");
	refuse("A & B1", "found '&'");
	refuse("missing missing A", "found 'missing'");
	refuse("[A, B1]", "expected a condition over selections, found a list");
}

static void nesting_is_capped(void **state)
{
	(void)state;
	struct dt_rules *rules = NULL;
	char deep[3000] = "", *p = deep;

	for (int i = 0; i < 1000; i++)
		*p++ = '(';
	*p++ = 'A';
	for (int i = 0; i < 1000; i++)
		*p++ = ')';
	*p = 0;
	assert_int_equal(load(deep, &rules), DT_ERR_LIMIT);
	p = deep;
	for (int i = 0; i < 500; i++)
		p += sprintf(p, "not ");
	strcpy(p, "A");
	assert_int_equal(load(deep, &rules), DT_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators), cmocka_unit_test(third_value),       cmocka_unit_test(quantities),
		cmocka_unit_test(mistakes),  cmocka_unit_test(nesting_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

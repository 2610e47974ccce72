/* An analysis: its values, its counts, its formats. */
#include "unit/library/sample_dump.h"

static void values(void **state)
{
	struct dt_analysis *analysis = of_memory();

	(void)state;
	assert_value(analysis, "bugcheck.code", "0x50");
	assert_value(analysis, "bugcheck.parameters.1", "0x0");
	assert_value(analysis, "fault.module", "csagent.sys");
	assert_value(analysis, "verdict.confidence", "98");
	assert_value(analysis, "failure.kind", NULL);
	assert_value(analysis, "matches.7.signature", NULL);
	assert_int_equal(dt_count(analysis, "bugcheck.parameters"), 4);
	assert_true(dt_count(analysis, "verdict.next_steps") > 1);
	dt_analysis_free(analysis);
}

static void values_that_do_not_exist(void **state)
{
	struct dt_analysis *analysis = of_memory();
	char *text = (void *)1;

	(void)state;
	assert_int_equal(dt_value(analysis, "fault.modul", &text), DT_RESULT_ARGUMENT);
	assert_null(text);
	assert_int_equal(dt_value(analysis, "", &text), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_value(analysis, "stack", &text), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_value(analysis, "fault", &text), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_value(analysis, NULL, &text), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_value(NULL, "fault.module", &text), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_value(analysis, "fault.module", NULL), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_count(analysis, "fault.module"), 0);
	assert_int_equal(dt_count(analysis, "no.such.list"), 0);
	assert_int_equal(dt_count(NULL, "stack"), 0);
	assert_int_equal(dt_match_count(NULL), 0);
	assert_null(dt_verdict(NULL));
	dt_analysis_free(analysis);
}

static void every_format(void **state)
{
	static const struct {
		const char *format, *holds;
	} rows[] = {
		{ "text", "known-incident (confidence 98 of 100)" }, { "json", "\"schema\": \"dumptriage.crash/1\"" },
		{ "jsonl", "{\"schema\":\"dumptriage.crash/1\"" },    { "markdown", "csagent.sys" },
		{ "ticket", "csagent.sys" },                          { "ecs", "\"ecs\":{\"version\":\"9.4.0\"}" },
		{ "ocsf", "\"1.6.0\"" },                              { "cef", "CEF:" },
	};
	struct dt_analysis *analysis = of_memory();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text;
		size_t size;
		assert_int_equal(dt_print(analysis, rows[i].format, 0, &text, &size), DT_RESULT_OK);
		assert_int_equal(strlen(text), size);
		if (!strstr(text, rows[i].holds))
			fail_msg("%s has no '%s': %.400s", rows[i].format, rows[i].holds, text);
		dt_free(text);
	}
	dt_analysis_free(analysis);
}

static void flags(void **state)
{
	struct dt_analysis *analysis = of_memory();
	char *plain, *more;
	size_t plain_size, more_size;

	(void)state;
	assert_int_equal(dt_print(analysis, "text", 0, &plain, &plain_size), DT_RESULT_OK);
	assert_int_equal(dt_print(analysis, "text", DT_PRINT_VERBOSE | DT_PRINT_COLOUR, &more, &more_size), DT_RESULT_OK);
	assert_true(more_size > plain_size);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strchr(more, '\033'));
	dt_free(plain);
	dt_free(more);
	assert_int_equal(dt_print(analysis, "text", 8, &plain, &plain_size), DT_RESULT_ARGUMENT);
	assert_null(plain);
	assert_int_equal(plain_size, 0);
	assert_int_equal(dt_print(analysis, "html", 0, &plain, NULL), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_print(NULL, "text", 0, &plain, NULL), DT_RESULT_ARGUMENT);
	dt_analysis_free(analysis);
	dt_analysis_free(NULL);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(dt_result_name(DT_RESULT_OK), "ok");
	assert_string_equal(dt_result_name(DT_RESULT_LIMIT), "limit");
	assert_string_equal(dt_result_name((enum dt_result)6), "unknown");
	assert_string_equal(dt_result_name((enum dt_result)-1), "unknown");
	assert_non_null(strchr(dt_version(), '.'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(values_that_do_not_exist), cmocka_unit_test(every_format),
		cmocka_unit_test(flags),  cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

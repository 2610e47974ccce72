/* Incidents for a person: words that go with their numbers, steps of the chart. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "report/incidents.h"

static const struct dt_report_style style = { .width = 120 };

static void steps_are_said_in_days_where_they_divide(void **state)
{
	static const struct { int64_t hours; const char *said; } rows[] = {
		{ 1, "hour" },     { 2, "2 hours" },    { 12, "12 hours" }, { 24, "day" },      { 36, "36 hours" },
		{ 48, "2 days" },  { 168, "7 days" },   { 720, "30 days" }, { 2160, "90 days" }, { 8760, "365 days" },
	};
	char out[DT_REPORT_STEP_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(dt_report_step(rows[i].hours, out), rows[i].said);
}

static void numbers_have_their_words(void **state)
{
	static const struct dt_report_bar near[] = { { 478000, 1, 1 } }, far[] = { { 440000, 1, 1 }, { 478000, 1, 1 } };
	struct dt_report_incident incident = { .id = 1, .kind = "own", .key = "k", .state = "new", .hosts = 1, .crashes = 1, .untimed = 1, .suspect_hosts = 1,
		                               .bars = near, .bar_count = 1 };
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 20);
	dt_report_incident_page(&incident, &style, &out);
	assert_non_null(strstr(dt_buf_text(&out), "1 host; 1 crash\n"));
	assert_non_null(strstr(dt_buf_text(&out), "1 of these hosts crashes in many ways"));
	assert_non_null(strstr(dt_buf_text(&out), "1 crash has no plausible time and is in no statistics\n"));
	assert_non_null(strstr(dt_buf_text(&out), "\ncrashes by hour ("));
	dt_buf_reset(&out);
	incident.hosts = incident.crashes = incident.untimed = incident.suspect_hosts = 2;
	incident.bars = far;
	incident.bar_count = 2;
	dt_report_incident_page(&incident, &style, &out);
	assert_non_null(strstr(dt_buf_text(&out), "2 hosts; 2 crashes\n"));
	assert_non_null(strstr(dt_buf_text(&out), "2 of these hosts crash in many ways"));
	assert_non_null(strstr(dt_buf_text(&out), "2 crashes have no plausible time and are in no statistics\n"));
	assert_non_null(strstr(dt_buf_text(&out), "\ncrashes by 90 days ("));
	dt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_said_in_days_where_they_divide),
		cmocka_unit_test(numbers_have_their_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"

static void writes_known_times(void **state)
{
	static const struct {
		uint64_t filetime;
		const char *text;
	} cases[] = {
		{ 0, "1601-01-01T00:00:00Z" },
		{ 1, "1601-01-01T00:00:00.0000001Z" },
		{ DT_TIME_UNIX_EPOCH, "1970-01-01T00:00:00Z" },
		{ DT_TIME_UNIX_EPOCH + UINT64_C(1721362140) * DT_TIME_SECOND, "2024-07-19T04:09:00Z" },
		{ DT_TIME_UNIX_EPOCH + UINT64_C(951782400) * DT_TIME_SECOND + 5000000, "2000-02-29T00:00:00.5Z" },
		{ DT_TIME_UNIX_EPOCH + UINT64_C(253402300800) * DT_TIME_SECOND - 1, "9999-12-31T23:59:59.9999999Z" },
	};
	char text[DT_TIME_TEXT_MAX];
	uint64_t back;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(dt_time_format(cases[i].filetime, text));
		assert_string_equal(text, cases[i].text);
		assert_true(dt_time_parse(text, &back));
		assert_true(back == cases[i].filetime);
	}
	assert_false(dt_time_format(DT_TIME_UNIX_EPOCH + UINT64_C(253402300800) * DT_TIME_SECOND, text));
	assert_false(dt_time_format(UINT64_MAX, text));
}

/* Against the C library's calendar, every 25 days and some seconds through all years it can be asked for. */
static void agrees_with_the_c_library(void **state)
{
	char text[DT_TIME_TEXT_MAX], expected[80];
	(void)state;
	for (int64_t unix_time = -INT64_C(11644473600); unix_time < INT64_C(253402300800); unix_time += 25 * 86400 + 3661) {
		time_t t = (time_t)unix_time;
		struct tm tm;
		uint64_t filetime = (uint64_t)(unix_time + INT64_C(11644473600)) * DT_TIME_SECOND, back;
		assert_non_null(gmtime_r(&t, &tm));
		(void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		               tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_true(dt_time_format(filetime, text));
		assert_string_equal(text, expected);
		assert_true(dt_time_parse(text, &back) && back == filetime);
	}
}

static void reads_offsets(void **state)
{
	uint64_t utc, other;
	(void)state;
	assert_true(dt_time_parse("2024-07-19T04:09:00Z", &utc));
	assert_true(dt_time_parse("2024-07-19T06:09:00+02:00", &other) && other == utc);
	assert_true(dt_time_parse("2024-07-18T22:39:00.000-05:30", &other) && other == utc);
}

static void refuses_other_text(void **state)
{
	static const char *const bad[] = {
		"", "2024", "2024-07-19", "2024-07-19T04:09:00", "2024-07-19 04:09:00Z", "2024-07-19T04:09:00z", "2024-13-19T04:09:00Z",
		"2024-00-19T04:09:00Z", "2024-02-30T04:09:00Z", "2023-02-29T04:09:00Z", "1900-02-29T04:09:00Z", "2024-07-00T04:09:00Z",
		"2024-07-19T24:09:00Z", "2024-07-19T04:60:00Z", "2024-07-19T04:09:60Z", "2024-07-19T04:09:00.Z",
		"2024-07-19T04:09:00.12345678Z", "2024-07-19T04:09:00Zx", "2024-07-19T04:09:00+0200", "2024-07-19T04:09:00+24:00",
		"1600-12-31T23:59:59Z", "1601-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "+024-07-19T04:09:00Z", "2024-07-19T4:09:00Z",
	};
	uint64_t value = 77;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(dt_time_parse(bad[i], &value));
	assert_false(dt_time_parse(NULL, &value));
	assert_int_equal(value, 77);
}

static void converts_unix_time(void **state)
{
	char text[DT_TIME_TEXT_MAX];
	(void)state;
	assert_true(dt_time_from_unix(0) == DT_TIME_UNIX_EPOCH);
	assert_true(dt_time_from_unix(UINT64_MAX) == 0);
	assert_int_equal(dt_time_to_unix(dt_time_from_unix(1721366940)), 1721366940);
	assert_int_equal(dt_time_to_unix(DT_TIME_UNIX_EPOCH + DT_TIME_SECOND - 1), 0);
	assert_int_equal(dt_time_to_unix_ms(DT_TIME_UNIX_EPOCH + DT_TIME_SECOND - 1), 999);
	assert_int_equal(dt_time_to_unix(DT_TIME_UNIX_EPOCH - DT_TIME_SECOND), 0);
	assert_int_equal(dt_time_to_unix_ms(0), 0);
	assert_true(dt_time_from_unix_ns(1500000000) == DT_TIME_UNIX_EPOCH + DT_TIME_SECOND * 3 / 2);
	assert_true(dt_time_from_unix_ns(-1000000000) == DT_TIME_UNIX_EPOCH - DT_TIME_SECOND);
	assert_true(dt_time_from_unix_ns(INT64_MIN) > 0);
	assert_true(dt_time_format(dt_time_now(), text));
	assert_true(strcmp(text, "2024") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_known_times),
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(reads_offsets),
		cmocka_unit_test(refuses_other_text),
		cmocka_unit_test(converts_unix_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

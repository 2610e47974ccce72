/* What events of crashes and of incidents say alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/time.h"
#include "report/envelope.h"

static struct dt_buf out;

static struct dt_put begun(void)
{
	struct dt_put w = { .out = &out };

	dt_buf_reset(&out);
	dt_put_open(&w, NULL, '{');
	return w;
}

static void the_head_has_time_schema_and_stream(void **state)
{
	struct dt_put w = begun();
	(void)state;

	dt_put_ecs_head(&w, DT_TIME_UNIX_EPOCH + DT_TIME_SECOND, "it \"stopped\"", NULL);
	dt_put_close(&w, '}');
	assert_string_equal(dt_buf_text(&out), "{\"@timestamp\":\"1970-01-01T00:00:01Z\",\"ecs\":{\"version\":\"9.4.0\"},\"message\":\"it \\\"stopped\\\"\","
	                                       "\"data_stream\":{\"type\":\"logs\",\"dataset\":\"dumptriage.crash\",\"namespace\":\"default\"}}");
	w = begun();
	dt_put_ecs_head(&w, 0, NULL, "site");
	assert_non_null(strstr(dt_buf_text(&out), "\"namespace\":\"site\""));
	assert_null(strstr(dt_buf_text(&out), "@timestamp"));
	assert_null(strstr(dt_buf_text(&out), "message"));
}

static void a_rule_without_version_says_none(void **state)
{
	struct dt_put w = begun();
	(void)state;

	dt_put_ocsf_analytic(&w, "a-rule", "A rule", NULL);
	dt_put_close(&w, '}');
	assert_string_equal(dt_buf_text(&out), "{\"analytic\":{\"uid\":\"a-rule\",\"name\":\"A rule\",\"type_id\":1,\"type\":\"Rule\"}}");
	w = begun();
	dt_put_ocsf_analytic(&w, "a-rule", "A rule", "2");
	dt_put_close(&w, '}');
	assert_string_equal(dt_buf_text(&out), "{\"analytic\":{\"uid\":\"a-rule\",\"name\":\"A rule\",\"type_id\":1,\"type\":\"Rule\",\"version\":\"2\"}}");
}

static int setup(void **state)
{
	(void)state;
	dt_buf_init(&out, 1u << 16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_buf_deinit(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_has_time_schema_and_stream),
		cmocka_unit_test(a_rule_without_version_says_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* Incidents as events: escapes, masks, templates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/time.h"
#include "report/event.h"
#include "report/incident_event.h"

static const struct dt_report_incident outbreak = {
	.id = 7, .kind = "own", .key = "av:read|a.sys+0x10", .title = "C:\\Users\\Jane\\a.sys = \"x\" | y\nz", .state = "growing", .outbreak = true,
	.hosts = 40, .crashes = 44, .first = 1721365200, .last = 1721368800,
};
static const struct dt_incident_event event = { .incident = &outbreak, .id = "3d9f2a50-0000-5000-8000-000000000001", .first = true };

static struct dt_buf out;

static const char *written(void (*write)(const struct dt_incident_event *, struct dt_buf *), const struct dt_incident_event *of)
{
	dt_buf_deinit(&out);
	dt_buf_init(&out, 1u << 20);
	write(of, &out);
	assert_true(dt_buf_ok(&out));
	assert_ptr_equal(strchr(dt_buf_text(&out), '\n'), dt_buf_text(&out) + out.len - 1);
	return dt_buf_text(&out);
}

static void an_outbreak_is_an_alert_in_each_encoding(void **state)
{
	(void)state;
	const char *text = written(dt_incident_event_ecs, &event);
	assert_non_null(strstr(text, "\"kind\":\"alert\""));
	assert_non_null(strstr(text, "\"action\":\"crash-outbreak\""));
	assert_non_null(strstr(text, "\"hosts\":40"));
	assert_null(strstr(text, "Jane"));
	text = written(dt_incident_event_ocsf, &event);
	assert_non_null(strstr(text, "\"class_uid\":2005"));
	assert_non_null(strstr(text, "\"type_uid\":200501"));
	text = written(dt_incident_event_cef, &event);
	assert_non_null(strstr(text, "|crash-outbreak|"));
	assert_non_null(strstr(text, "\\| y z|9|"));
	assert_non_null(strstr(text, " cn1=40"));
}

static void an_unmasked_update_of_a_small_one(void **state)
{
	struct dt_report_incident incident = outbreak;
	struct dt_incident_event small = event;

	(void)state;
	incident.outbreak = false;
	small.incident = &incident;
	small.first = false;
	small.unmasked = true;
	const char *text = written(dt_incident_event_ecs, &small);
	assert_non_null(strstr(text, "\"kind\":\"event\""));
	assert_non_null(strstr(text, "Jane"));
	assert_non_null(strstr(written(dt_incident_event_ocsf, &small), "\"type_uid\":200502"));
	assert_false(dt_incident_event_alert(&incident));
	incident.kind = "signature";
	assert_true(dt_incident_event_alert(&incident));
}

static void templates_are_filled_and_checked(void **state)
{
	struct dt_error err = { 0 };

	(void)state;
	dt_buf_deinit(&out);
	dt_buf_init(&out, 1u << 16);
	assert_int_equal(dt_incident_event_template(&event, "{\"a\":\"{{title}}\",\"n\":{{hosts}},\"b\":\"{{state}} {{incident}}\"} {{", &out, &err), DT_OK);
	assert_string_equal(dt_buf_text(&out), "{\"a\":\"C:\\\\Users\\\\***\\\\a.sys = \\\"x\\\" | y\\u000az\",\"n\":40,\"b\":\"outbreak i7\"} {{");
	dt_buf_reset(&out);
	assert_int_equal(dt_incident_event_template(&event, "{{hostz}}", &out, &err), DT_ERR_USAGE);
	assert_non_null(strstr(err.text, "{{hostz}}"));
	dt_buf_reset(&out);
	assert_int_equal(dt_incident_event_template(&event, NULL, &out, &err), DT_OK);
	assert_non_null(strstr(dt_buf_text(&out), "\"severity\":95"));
	assert_non_null(strstr(dt_buf_text(&out), "\"url\":\"\""));
	struct dt_incident_event linked = event;
	linked.server = "https://dumps.example";
	dt_buf_reset(&out);
	assert_int_equal(dt_incident_event_template(&linked, "{{url}}", &out, &err), DT_OK);
	assert_string_equal(dt_buf_text(&out), "https://dumps.example/incidents/7");
	dt_buf_deinit(&out);
}

static void names_of_events_are_uuids_of_version_5(void **state)
{
	struct dt_arena arena;
	char one[37], two[37], other[37];

	(void)state;
	dt_arena_init(&arena, 1u << 16);
	dt_event_uuid("a", &arena, one);
	dt_event_uuid("a", &arena, two);
	dt_event_uuid("b", &arena, other);
	assert_string_equal(one, two);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), 36);
	assert_int_equal(one[14], '5');
	assert_non_null(strchr("89ab", one[19]));
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outbreak_is_an_alert_in_each_encoding),
		cmocka_unit_test(an_unmasked_update_of_a_small_one),
		cmocka_unit_test(templates_are_filled_and_checked),
		cmocka_unit_test(names_of_events_are_uuids_of_version_5),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

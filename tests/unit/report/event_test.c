/* Which crashes are alerts for a SIEM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/event.h"

static bool alerts(const char *blamed, const char *found)
{
	struct dt_finding finding = { .kind = "vulnerable-driver", .module = found, .text = "known for holes" };
	struct dt_crash crash = { 0 };
	struct dt_arena arena;
	struct dt_event event;
	bool alert;

	dt_arena_init(&arena, 1u << 20);
	crash.judgement.verdict.class = DT_CLASS_DRIVER;
	crash.judgement.blame.module = blamed;
	crash.judgement.findings = &finding;
	crash.judgement.findings_count = found ? 1 : 0;
	dt_event_make(&crash, "ecs", false, &arena, &event);
	alert = event.alert;
	dt_arena_deinit(&arena);
	return alert;
}

static void crashes_in_watched_drivers_are_alerts(void **state)
{
	(void)state;
	assert_true(alerts("CSAgent.sys", NULL));
	assert_true(alerts("RTCore64.sys", "rtcore64.sys"));
}

/* A repaired build has the name of a vulnerable one; and a vulnerable driver that is only loaded did not crash. */
static void a_name_alone_is_no_alert(void **state)
{
	(void)state;
	assert_false(alerts("RTCore64.sys", NULL));
	assert_false(alerts("plain.sys", "rtcore64.sys"));
	assert_false(alerts(NULL, "rtcore64.sys"));
	assert_false(alerts(NULL, NULL));
}

static const char *action(enum dt_verdict_class class, enum dt_format format, enum dt_bool3 live)
{
	struct dt_crash crash = { 0 };
	struct dt_arena arena;
	struct dt_event event;

	dt_arena_init(&arena, 1u << 20);
	crash.judgement.verdict.class = class;
	crash.facts.dump.format = format;
	crash.facts.dump.live = live;
	dt_event_make(&crash, "ecs", false, &arena, &event);
	dt_arena_deinit(&arena);
	return event.action;
}

/* A text file in an archive is not a crash of Windows. */
static void what_could_not_be_read_is_no_crash(void **state)
{
	(void)state;
	assert_string_equal(action(DT_CLASS_DRIVER, DT_FORMAT_KERNEL, DT_NOT_KNOWN), "kernel-crash");
	assert_string_equal(action(DT_CLASS_APPLICATION, DT_FORMAT_USER, DT_NOT_KNOWN), "application-crash");
	assert_string_equal(action(DT_CLASS_UNREADABLE, DT_FORMAT_USER, DT_NOT_KNOWN), "dump-unreadable");
	assert_string_equal(action(DT_CLASS_UNREADABLE, DT_format_NULL, DT_NOT_KNOWN), "dump-unreadable");
	assert_string_equal(action(DT_CLASS_UNREADABLE, DT_FORMAT_KERNEL, DT_TRUE), "dump-unreadable");
}

/* Nor is one that somebody took of a system that went on. */
static void a_live_dump_is_no_crash(void **state)
{
	(void)state;
	assert_string_equal(action(DT_CLASS_REQUESTED, DT_FORMAT_KERNEL, DT_TRUE), "live-dump");
	assert_string_equal(action(DT_CLASS_RECOVERED, DT_FORMAT_KERNEL, DT_TRUE), "live-dump");
	assert_string_equal(action(DT_CLASS_REQUESTED, DT_FORMAT_KERNEL, DT_NOT_KNOWN), "kernel-crash");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crashes_in_watched_drivers_are_alerts),
		cmocka_unit_test(a_name_alone_is_no_alert),
		cmocka_unit_test(what_could_not_be_read_is_no_crash),
		cmocka_unit_test(a_live_dump_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

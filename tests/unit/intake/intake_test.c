#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/names.h"
#include "fleet/intake/intake.h"
#include "fleet/intake/location.h"

static struct dt_arena arena;

static const char *host(const char *text, const char *relative)
{
	struct dt_host_rule *rule = NULL;

	assert_int_equal(dt_host_rule_create(&rule, text, NULL), DT_OK);
	const char *name = dt_host_rule_apply(rule, relative, &arena);
	dt_host_rule_free(rule);
	return name;
}

static void hosts_by_folder(void **state)
{
	(void)state;
	assert_string_equal(host("dir:1", "PC-7/Minidump/a.dmp"), "PC-7");
	assert_string_equal(host("dir:2", "site/PC-7/a.dmp"), "PC-7");
	assert_null(host("dir:1", "a.dmp"));
	assert_null(host("dir:2", "PC-7/a.dmp"));
	/* as a list may have them */
	assert_string_equal(host("dir:1", "./PC-7//Minidump/./a.dmp"), "PC-7");
	assert_string_equal(host("dir:2", "./PC-7//Minidump/./a.dmp"), "Minidump");
	assert_null(host("dir:3", "./PC-7//Minidump/./a.dmp"));
	assert_null(host("dir:1", "/share/PC-7/a.dmp"));
	assert_null(host("dir:2", "/share/PC-7/a.dmp"));
	assert_null(host("dir:1", "../PC-7/a.dmp"));
	assert_string_equal(host("^/share/([^/]+)", "/share/PC-7/a.dmp"), "PC-7");
}

static void hosts_by_pattern(void **state)
{
	(void)state;
	assert_string_equal(host("^([^_]+)_\\d+\\.dmp$", "pc9_0719.dmp"), "pc9");
	assert_null(host("^([^_]+)_\\d+\\.dmp$", "0719.dmp"));
	assert_null(host("x()y", "xy"));
	/* it ends, by its limits, and finds none */
	assert_null(host("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
}

static void rules_that_are_none(void **state)
{
	static const char *const bad[] = { "dir:", "dir:0", "dir:x", "dir:65", "no group", "(a)(b)", "(", "[" };
	struct dt_host_rule *rule;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dt_host_rule_create(&rule, bad[i], NULL), DT_ERR_USAGE);
}

static void names_are_folded(void **state)
{
	(void)state;
	assert_string_equal(dt_host_fold(&arena, "PC-7.Corp.Example"), "pc-7");
	assert_string_equal(dt_host_fold(&arena, "10.0.0.7"), "10.0.0.7");
	assert_string_equal(dt_host_fold(&arena, "FE80::1"), "fe80::1");
	assert_null(dt_host_fold(&arena, ""));
	assert_null(dt_host_fold(&arena, ".x"));
	assert_null(dt_host_fold(&arena, NULL));
	assert_null(strchr(dt_host_fold(&arena, "a\nb"), '\n'));
}

static void locations_come_back(void **state)
{
	static const char *const paths[] = { "/a/b.dmp", "/caf\xc3\xa9/\n\"x\\.dmp", "/caf\xe9.dmp", "/\xff", "/ab\xff", "/abc\xff" };
	struct dt_location in, out;
	struct dt_buf text;
	(void)state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		in = (struct dt_location){ paths[i], i % 2 ? "pc" : NULL };
		dt_buf_init(&text, 1000);
		dt_location_write(&in, &arena, &text);
		assert_int_equal(dt_location_read(dt_buf_bytes(&text), &arena, &out, NULL), DT_OK);
		assert_string_equal(out.path, paths[i]);
		if (in.host)
			assert_string_equal(out.host, "pc");
		else
			assert_null(out.host);
		dt_buf_deinit(&text);
	}
}

static void messages_that_name_nothing(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}", "{\"path\":\"\"}", "{\"path\":5}", "{\"path_raw\":\"***\"}", "{\"path_raw\":\"YQ\"}",
		                           "{\"path_raw\":\"AAAA\"}", "null" };
	struct dt_location out;
	struct dt_error err;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dt_location_read((struct dt_bytes){ (const uint8_t *)bad[i], strlen(bad[i]) }, &arena, &out, &err) != DT_ERR_FORMAT)
			fail_msg("'%s' was taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_by_folder),     cmocka_unit_test(hosts_by_pattern),     cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(names_are_folded),    cmocka_unit_test(locations_come_back),  cmocka_unit_test(messages_that_name_nothing),
	};

	dt_arena_init(&arena, 1u << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	dt_arena_deinit(&arena);
	return failed;
}

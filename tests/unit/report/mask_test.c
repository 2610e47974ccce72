/* Names of users in the texts of a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/model/json.h"
#include "report/event.h"
#include "report/mask.h"

static void every_text_is_masked(void **state)
{
	struct dt_container container = { .archive = "/home/alice/bag.zip", .member = "C/Users/alice/x.dmp" };
	struct dt_module modules[] = { { .name = "a.sys", .path = "C:\\Users\\alice\\a.sys" }, { .name = "b.sys", .path = "\\SystemRoot\\b.sys" } };
	struct dt_annotation annotation = { .source = "comment", .value = "from C:\\Users\\alice\\AppData" };
	struct dt_failure failure = { .kind = DT_FAILURE_IO, .text = "cannot open /home/alice/bag.zip" };
	const char *steps[] = { "look into C:\\Users\\alice\\Desktop" };
	struct dt_crash crash = { 0 };
	struct dt_arena arena;
	struct dt_buf json;
	(void)state;

	crash.facts.schema = DT_CRASH_SCHEMA;
	crash.facts.file.path = "/home/alice/bag.zip!/C/Users/alice/x.dmp";
	crash.facts.file.path_raw = "L2hvbWUvYWxpY2U=";
	crash.facts.file.container = &container;
	crash.facts.modules = modules;
	crash.facts.modules_count = 2;
	crash.facts.annotations = &annotation;
	crash.facts.annotations_count = 1;
	crash.facts.failure = &failure;
	crash.judgement.verdict.next_steps = steps;
	crash.judgement.verdict.next_steps_count = 1;
	dt_arena_init(&arena, 1u << 20);
	dt_buf_init(&json, 1u << 20);
	const struct dt_crash *masked = dt_mask_crash(&crash, &arena);
	assert_non_null(masked);
	dt_json_write_crash(masked, DT_JSON_LINE, &json);
	assert_null(strstr(dt_buf_text(&json), "alice"));
	assert_null(strstr(dt_buf_text(&json), "L2hvbWUv"));
	assert_string_equal(masked->facts.file.path, "/home/***/bag.zip!/C/Users/***/x.dmp");
	assert_string_equal(masked->facts.modules[0].path, "C:\\Users\\***\\a.sys");
	assert_string_equal(masked->facts.modules[1].path, "\\SystemRoot\\b.sys");
	assert_string_equal(masked->facts.annotations[0].value, "from C:\\Users\\***\\AppData");
	/* the original is as it was */
	assert_string_equal(crash.facts.modules[0].path, "C:\\Users\\alice\\a.sys");
	assert_string_equal(crash.judgement.verdict.next_steps[0], "look into C:\\Users\\alice\\Desktop");
	dt_buf_deinit(&json);
	dt_arena_deinit(&arena);
}

static void without_memory_nothing_is_shown(void **state)
{
	struct dt_module modules[64] = { 0 };
	struct dt_crash crash = { 0 };
	struct dt_arena arena;
	(void)state;

	for (size_t i = 0; i < 64; i++)
		modules[i].path = "C:\\Users\\alice\\a.sys";
	crash.facts.modules = modules;
	crash.facts.modules_count = 64;
	dt_arena_init(&arena, 4096);
	assert_null(dt_mask_crash(&crash, &arena));
	dt_arena_deinit(&arena);
}

static void paths_without_users_are_shared(void **state)
{
	static const char plain[] = "CSAgent.sys";
	struct dt_arena arena;
	(void)state;

	dt_arena_init(&arena, 1u << 16);
	assert_ptr_equal(dt_mask_user(plain, &arena), plain);
	assert_null(dt_mask_user(NULL, &arena));
	assert_string_equal(dt_mask_user("C:\\Documents and Settings\\bob", &arena), "C:\\Documents and Settings\\***");
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_text_is_masked), cmocka_unit_test(without_memory_nothing_is_shown),
		                            cmocka_unit_test(paths_without_users_are_shared) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

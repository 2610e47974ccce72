#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/codec.h"
#include "core/model/field.h"
#include "core/model/json.h"
#include "support/random_record.h"

static struct dt_arena arena, read_arena;
static struct dt_buf first, second;

static enum dt_status read_text(const char *text, struct dt_crash *out, struct dt_error *err)
{
	dt_arena_reset(&read_arena);
	return dt_json_read_crash(text, strlen(text), &read_arena, out, err);
}

static void round_trips(void **state)
{
	struct dt_crash crash, back;
	struct dt_error err;
	(void)state;
	for (uint64_t seed = 0; seed < 120; seed++) {
		enum dt_json_style style = seed % 2 ? DT_JSON_PRETTY : DT_JSON_LINE;
		dt_arena_reset(&arena);
		random_record(&crash, &arena, &(struct random_options){ seed, (unsigned)(seed % 5), 5 });
		dt_buf_reset(&first);
		dt_json_write_crash(&crash, style, &first);
		assert_int_equal(read_text(dt_buf_text(&first), &back, &err), DT_OK);
		assert_null(record_difference(&dt_object_crash, &crash, &back));
		dt_buf_reset(&second);
		dt_json_write_crash(&back, style, &second);
		assert_string_equal(dt_buf_text(&first), dt_buf_text(&second));
	}
}

/* Binary to JSON and back gives the same bytes: nothing lives in only one of the two. */
static void agrees_with_the_binary_record(void **state)
{
	struct dt_crash crash, back;
	(void)state;
	dt_arena_reset(&arena);
	random_record(&crash, &arena, &(struct random_options){ 77, 3, 5 });
	dt_buf_reset(&first);
	dt_json_write_crash(&crash, DT_JSON_LINE, &first);
	assert_int_equal(read_text(dt_buf_text(&first), &back, NULL), DT_OK);
	dt_buf_reset(&first);
	dt_buf_reset(&second);
	dt_crash_encode(&crash, &first);
	dt_crash_encode(&back, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
}

static void expect_member(const char *member)
{
	if (!strstr(dt_buf_text(&first), member))
		fail_msg("%s is not in %s", member, dt_buf_text(&first));
}

static void writes_values(void **state)
{
	struct dt_crash crash;
	struct dt_register regs[] = { { "rax", { 0, true } }, { "rbx", { 0, false } } };
	uint64_t parameters[] = { 0, UINT64_MAX };
	struct dt_bugcheck bugcheck = { .code = { 0x50, true },
		                        .parameters = parameters,
		                        .parameters_count = 2 };
	const char *texts[] = { "a\"\\b", NULL };
	(void)state;
	memset(&crash, 0, sizeof crash);
	crash.facts.schema = DT_CRASH_SCHEMA;
	crash.facts.bugcheck = &bugcheck;
	crash.facts.registers = regs;
	crash.facts.registers_count = 2;
	crash.facts.dump.uptime_s = dt_some(3600050);
	crash.facts.dump.complete = DT_FALSE;
	crash.facts.dump.missing = texts;
	crash.facts.dump.missing_count = 2;
	crash.facts.dump.kind = DT_KIND_FULL_BITMAP;
	crash.facts.dump.time = UINT64_C(133658357400000000);
	crash.facts.dump.processors = dt_some(0);
	crash.facts.fault.bytes = (struct dt_bytes){ (const uint8_t *)"\x48\x8B\0", 3 };
	dt_buf_reset(&first);
	dt_json_write_crash(&crash, DT_JSON_LINE, &first);
	expect_member(
		"{\"schema\":\"dumptriage.crash/1\",\"producer\":{\"version\":null,\"facts\":null},\"crash_id\":null,");
	expect_member(
		"\"bugcheck\":{\"code\":\"0x50\",\"name\":null,\"parameters\":[\"0x0\",\"0xffffffffffffffff\"],\"meanings\":[]");
	expect_member("\"registers\":{\"rax\":\"0x0\",\"rbx\":null}");
	expect_member("\"uptime_s\":3600.05,");
	expect_member("\"complete\":false,");
	expect_member("\"live\":null");
	expect_member("\"missing\":[\"a\\\"\\\\b\",null]");
	expect_member("\"kind\":\"full-bitmap\"");
	expect_member("\"time\":\"2024-07-19T04:09:00Z\"");
	expect_member("\"processors\":0,");
	expect_member("\"bytes\":\"488b00\"");
	expect_member("\"failure\":null");
	expect_member("\"modules\":[]");
	expect_member("\"verdict\":{\"class\":null,");
	assert_null(strchr(dt_buf_text(&first), '\n'));
	assert_null(strstr(dt_buf_text(&first), "\"facts\":{"));
	dt_buf_reset(&first);
	dt_json_write_object(&dt_object_facts, &crash.facts, DT_JSON_PRETTY, &first);
	expect_member("{\n  \"schema\": \"dumptriage.crash/1\",\n  \"producer\": {\n    \"version\": null,");
	expect_member("\"registers\": {\n    \"rax\": \"0x0\",\n    \"rbx\": null\n  }");
	expect_member("\"modules\": [],");
	assert_int_equal(dt_buf_text(&first)[first.len - 1], '\n');
}

static void writes_text(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "a/b", "\"a/b\"" },
		{ "\\\"", "\"\\\\\\\"\"" },
		{ "a\n\x01\x7F", "\"a\\u000a\\u0001\\u007f\"" },
		{ "\xC3\xA4\xF0\x9F\x98\x80", "\"\xC3\xA4\xF0\x9F\x98\x80\"" },
		{ "a\xFFz\xC3", "\"a\\ufffdz\\ufffd\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		dt_buf_reset(&first);
		dt_json_write_text(cases[i].in, &first);
		assert_string_equal(dt_buf_text(&first), cases[i].out);
	}
}

static void reads_what_others_write(void **state)
{
	struct dt_crash crash;
	struct dt_error err;
	(void)state;
	assert_int_equal(
		read_text(
			"{\"new\":{\"x\":[1]},\"schema\":\"dumptriage.crash/1\",\"modules\":null,\"cpu\":null,"
			"\"dump\":{\"uptime_s\":12,\"kind\":\"of-the-future\",\"time\":\"2024-07-19T06:09:00+02:00\"}}",
			&crash, &err),
		DT_OK);
	assert_true(dt_opt_is(crash.facts.dump.uptime_s, 12000));
	assert_int_equal(crash.facts.dump.kind, 0);
	assert_true(crash.facts.dump.time == UINT64_C(133658357400000000));
	assert_int_equal(crash.facts.modules_count, 0);
	assert_int_equal(
		read_text(" {\"schema\":\"dumptriage.crash/1\",\"dump\":{\"uptime_s\":0.0014}} ", &crash, &err),
		DT_OK);
	assert_true(dt_opt_is(crash.facts.dump.uptime_s, 1));
}

/* Each with the path that the message must name. */
static void refuses_what_is_wrong(void **state)
{
	static const struct {
		const char *members, *place;
	} cases[] = {
		{ "\"crash_id\":5", "crash_id: expected a text" },
		{ "\"crash_id\":\"a\\u0009\"", "crash_id: expected a text without" },
		{ "\"crash_id\":\"\\u27e8\"", "crash_id: expected a text without" },
		{ "\"producer\":[]", "producer: expected an object, found a list" },
		{ "\"producer\":{\"facts\":-1}", "producer.facts: expected a whole number" },
		{ "\"producer\":{\"facts\":1.5}", "producer.facts: expected a whole number" },
		{ "\"producer\":{\"facts\":\"1\"}", "producer.facts: expected a whole number" },
		{ "\"producer\":{\"facts\":9007199254740992}", "producer.facts: expected a whole number" },
		{ "\"dump\":{\"uptime_s\":-0.5}", "dump.uptime_s: expected a number of seconds" },
		{ "\"dump\":{\"uptime_s\":1e300}", "dump.uptime_s: expected a number of seconds" },
		{ "\"dump\":{\"time\":\"yesterday\"}", "dump.time: expected a time" },
		{ "\"dump\":{\"time\":\"1601-01-01T00:00:00Z\"}", "dump.time: expected a time" },
		{ "\"dump\":{\"complete\":0}", "dump.complete: expected true" },
		{ "\"dump\":{\"kind\":1}", "dump.kind: expected a word" },
		{ "\"dump\":{\"missing\":{}}", "dump.missing: expected a list" },
		{ "\"dump\":{\"missing\":[\"a\",1]}", "dump.missing[1]: expected a text" },
		{ "\"fault\":{\"ip\":16}", "fault.ip: expected a text \"0x\"" },
		{ "\"fault\":{\"ip\":\"16\"}", "fault.ip: expected" },
		{ "\"fault\":{\"ip\":\"0x\"}", "fault.ip: expected" },
		{ "\"fault\":{\"ip\":\"0x01\"}", "fault.ip: expected" },
		{ "\"fault\":{\"ip\":\"0xA\"}", "fault.ip: expected" },
		{ "\"fault\":{\"ip\":\"0x10000000000000000\"}", "fault.ip: expected" },
		{ "\"fault\":{\"bytes\":\"\"}", "fault.bytes: expected pairs" },
		{ "\"fault\":{\"bytes\":\"abc\"}", "fault.bytes: expected pairs" },
		{ "\"fault\":{\"bytes\":\"AB\"}", "fault.bytes: expected pairs" },
		{ "\"fault\":{\"code\":{\"start\":1}}", "fault.code.start: expected" },
		{ "\"registers\":[]", "registers: expected an object" },
		{ "\"registers\":{\"RAX\":null}", "registers.?: expected the name" },
		{ "\"registers\":{\"rax\":1}", "registers.rax: expected" },
		{ "\"bugcheck\":{\"parameters\":[\"0x0\",null]}", "bugcheck.parameters[1]: expected" },
		{ "\"bugcheck\":{\"parameters\":[\"0x0\",\"0x0\",\"0x0\",\"0x0\",\"0x0\"]}",
		  "bugcheck.parameters: expected a list of at most 4" },
		{ "\"modules\":[{},null]", "modules[1]: expected an object" },
		{ "\"modules\":[{},{\"name\":7}]", "modules[1].name: expected" },
		{ "\"matches\":[{\"evidence\":[{\"fact\":1}]}]", "matches[0].evidence[0].fact: expected" },
		{ "\"crash_id\":\"a\",\"crash_id\":\"b\"", "not JSON: duplicate" },
		{ "\"crash_id\":\"a\\u0000b\"", "not JSON" },
		{ "\"crash_id\":\"\xFF\"", "not JSON" },
	};
	struct dt_crash crash;
	struct dt_error err;
	char text[400];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)snprintf(text, sizeof text, "{\"schema\":\"dumptriage.crash/1\",%s}", cases[i].members);
		assert_int_equal(read_text(text, &crash, &err), DT_ERR_FORMAT);
		if (strncmp(err.text, cases[i].place, strlen(cases[i].place)) != 0)
			fail_msg("%s: said \"%s\"", cases[i].place, err.text);
	}
}

static void refuses_other_documents(void **state)
{
	static const char *const cases[] = {
		"",
		"nul",
		"[]",
		"5",
		"{}",
		"{\"schema\":null}",
		"{\"schema\":\"dumptriage.crash/2\"}",
		"{\"schema\":1}",
		"{\"schema\":\"dumptriage.crash/1\"",
		"{\"schema\":\"dumptriage.crash/1\"}x",
		"{\"schema\":\"dumptriage.crash/1\\u0009\"}",
	};
	struct dt_crash crash;
	struct dt_error err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(read_text(cases[i], &crash, &err), DT_ERR_FORMAT);
	assert_int_equal(read_text("{\"schema\":\"dumptriage.crash/2\",\"cpu\":5}", &crash, &err),
	                 DT_ERR_FORMAT);
	assert_string_equal(err.text, "schema: expected dumptriage.crash/1, found dumptriage.crash/2");
}

/* A short text that would cost much memory as a tree. */
static void refuses_too_many_values(void **state)
{
	size_t len = 2u * DT_MAX_JSON_VALUES + 10;
	char *text = malloc(len + 1);
	struct dt_crash crash;
	struct dt_error err;
	(void)state;
	assert_non_null(text);
	text[0] = '[';
	for (size_t i = 1; i < len; i++)
		text[i] = i % 2 ? '0' : ',';
	text[len] = 0;
	assert_int_equal(read_text(text, &crash, &err), DT_ERR_LIMIT);
	free(text);
}

static void refuses_long_lists_and_texts(void **state)
{
	struct dt_crash crash;
	struct dt_error err;
	(void)state;
	dt_buf_reset(&first);
	dt_buf_puts(&first, "{\"schema\":\"dumptriage.crash/1\",\"suspects\":[{}");
	for (unsigned i = 0; i < DT_MAX_SUSPECTS; i++)
		dt_buf_puts(&first, ",{}");
	dt_buf_puts(&first, "]}");
	assert_int_equal(read_text(dt_buf_text(&first), &crash, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "suspects: "));
	dt_buf_reset(&first);
	dt_buf_puts(&first, "{\"schema\":\"dumptriage.crash/1\",\"crash_id\":\"");
	for (unsigned i = 0; i <= DT_MAX_TEXT; i++)
		dt_buf_putc(&first, 'x');
	dt_buf_puts(&first, "\"}");
	assert_int_equal(read_text(dt_buf_text(&first), &crash, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "crash_id: "));
}

static void survives_every_truncation_and_change(void **state)
{
	struct dt_crash crash, back;
	(void)state;
	dt_arena_reset(&arena);
	random_record(&crash, &arena, &(struct random_options){ 9, 3, 1 });
	dt_buf_reset(&first);
	dt_json_write_crash(&crash, DT_JSON_LINE, &first);
	for (size_t len = 0; len < first.len; len++) {
		dt_arena_reset(&read_arena);
		assert_int_equal(dt_json_read_crash(first.data, len, &read_arena, &back, NULL), DT_ERR_FORMAT);
	}
	for (size_t i = 0; i < first.len; i++) {
		char was = first.data[i];
		first.data[i] ^= 0x11;
		dt_arena_reset(&read_arena);
		enum dt_status status = dt_json_read_crash(first.data, first.len, &read_arena, &back, NULL);
		assert_true(status == DT_OK || status == DT_ERR_FORMAT);
		first.data[i] = was;
	}
}

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_arena_init(&read_arena, DT_MAX_ARENA);
	dt_buf_init(&first, DT_MAX_JSON);
	dt_buf_init(&second, DT_MAX_JSON);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	dt_arena_deinit(&read_arena);
	dt_buf_deinit(&first);
	dt_buf_deinit(&second);
	return 0;
}

static void members_that_may_be_unknown(void **state)
{
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 12);
	dt_json_write_member("a", "\"", &out);
	dt_json_write_member("b", NULL, &out);
	dt_json_write_number("c", dt_some(UINT64_MAX), &out);
	dt_json_write_number("d", (struct dt_opt){ 7, false }, &out);
	assert_string_equal(dt_buf_text(&out), ",\"a\":\"\\\"\",\"b\":null,\"c\":18446744073709551615,\"d\":null");
	dt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_that_may_be_unknown),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(agrees_with_the_binary_record),
		cmocka_unit_test(writes_values),
		cmocka_unit_test(writes_text),
		cmocka_unit_test(reads_what_others_write),
		cmocka_unit_test(refuses_what_is_wrong),
		cmocka_unit_test(refuses_other_documents),
		cmocka_unit_test(refuses_too_many_values),
		cmocka_unit_test(refuses_long_lists_and_texts),
		cmocka_unit_test(survives_every_truncation_and_change),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

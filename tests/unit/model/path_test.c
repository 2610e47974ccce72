#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/model/field.h"

static struct dt_register regs[] = { { "rax", { 0x10, true } }, { "r8", { 0, false } } };
static uint64_t parameters[] = { 1, 0xFFFFF80000000000 };
static const char *meanings[] = { "address", NULL };
static struct dt_bugcheck bugcheck = { .code = { 0x50, true },
	                               .parameters = parameters,
	                               .parameters_count = 2,
	                               .meanings = meanings,
	                               .meanings_count = 2,
	                               .minidump_flag = DT_TRUE };
static struct dt_frame stack[] = { { .module = "nt", .trust = DT_TRUST_SCAN }, { .module = "x.sys" } };
static struct dt_crash crash = {
	.facts = { .schema = DT_CRASH_SCHEMA,
	           .bugcheck = &bugcheck,
	           .registers = regs,
	           .registers_count = 2,
	           .stack = stack,
	           .stack_count = 2,
	           .dump = { .uptime_s = { 1500, true }, .time = UINT64_C(133658357400000000) },
	           .fault = { .module = "x.sys", .bytes = { (const uint8_t *)"\x48\x8b", 2 } } },
	.judgement = { .verdict = { .class = DT_CLASS_DRIVER, .confidence = { 0, true } } },
};

/* The path's value in the record above, as a person sees it. */
static const char *at(const struct dt_object *root, const void *record, const char *text,
                      struct dt_value *value)
{
	static struct dt_buf buf;
	static char out[200];
	struct dt_path path;
	struct dt_error err;
	if (dt_path_parse(&path, root, text, &err))
		fail_msg("%s", err.text);
	*value = dt_path_get(&path, record);
	dt_buf_init(&buf, sizeof out - 1);
	dt_value_print(value, &buf);
	memcpy(out, dt_buf_text(&buf), buf.len + 1);
	dt_buf_deinit(&buf);
	return out;
}

static void finds_values(void **state)
{
	static const struct {
		const char *path, *text;
		enum dt_field_kind kind;
		bool known;
	} cases[] = {
		{ "schema", DT_CRASH_SCHEMA, DT_FIELD_TEXT, true },
		{ "crash_id", "null", DT_FIELD_TEXT, false },
		{ "bugcheck.code", "0x50", DT_FIELD_HEX, true },
		{ "bugcheck.name", "null", DT_FIELD_TEXT, false },
		{ "bugcheck.minidump_flag", "true", DT_FIELD_BOOL, true },
		{ "bugcheck.parameters.1", "0xfffff80000000000", DT_FIELD_HEX, true },
		{ "bugcheck.parameters.2", "null", DT_FIELD_HEX, false },
		{ "bugcheck.meanings.0", "address", DT_FIELD_TEXT, true },
		{ "bugcheck.meanings.1", "null", DT_FIELD_TEXT, false },
		{ "bugcheck.subject.pid", "null", DT_FIELD_UINT, false },
		{ "bugcheck.subject", "null", DT_FIELD_MAY, false },
		{ "bugcheck", "bugcheck", DT_FIELD_MAY, true },
		{ "registers.rax", "0x10", DT_FIELD_HEX, true },
		{ "registers.r8", "null", DT_FIELD_HEX, false },
		{ "registers.r9", "null", DT_FIELD_HEX, false },
		{ "registers", "2 in the list", DT_FIELD_REGISTERS, true },
		{ "stack.1.module", "x.sys", DT_FIELD_TEXT, true },
		{ "stack.0.trust", "scan", DT_FIELD_WORD, true },
		{ "stack.1.trust", "null", DT_FIELD_WORD, false },
		{ "stack.0.code.start", "null", DT_FIELD_HEX, false },
		{ "stack.200.module", "null", DT_FIELD_TEXT, false },
		{ "stack.0", "frame", DT_FIELD_HAS, true },
		{ "stack.2", "null", DT_FIELD_HAS, false },
		{ "modules", "0 in the list", DT_FIELD_LIST, true },
		{ "dump.uptime_s", "1.5", DT_FIELD_SECONDS, true },
		{ "dump.time", "2024-07-19T04:09:00Z", DT_FIELD_TIME, true },
		{ "fault", "fault", DT_FIELD_HAS, true },
		{ "fault.bytes", "488b", DT_FIELD_BYTES, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dt_value value;
		assert_string_equal(at(&dt_object_facts, &crash.facts, cases[i].path, &value), cases[i].text);
		assert_int_equal(value.kind, cases[i].kind);
		assert_int_equal(value.known, cases[i].known);
		assert_string_equal(at(&dt_object_crash, &crash, cases[i].path, &value), cases[i].text);
	}
}

static void finds_the_judgement_of_a_crash(void **state)
{
	struct dt_value value;
	(void)state;
	assert_string_equal(at(&dt_object_crash, &crash, "verdict.class", &value), "driver");
	assert_string_equal(at(&dt_object_crash, &crash, "verdict.confidence", &value), "0");
	assert_string_equal(at(&dt_object_crash, &crash, "matches.0.evidence.31.value", &value), "null");
	assert_int_equal(value.kind, DT_FIELD_TEXT);
	assert_string_equal(at(&dt_object_judgement, &crash.judgement, "verdict.class", &value), "driver");
}

static void walks_lists(void **state)
{
	struct dt_value value;
	(void)state;
	(void)at(&dt_object_facts, &crash.facts, "stack", &value);
	assert_ptr_equal(value.as.list.items, stack);
	assert_int_equal(value.as.list.count, 2);
	assert_string_equal(value.as.list.object->name, "frame");
}

static void names_what_is_not_there(void **state)
{
	static const struct {
		const char *path, *word;
	} cases[] = {
		{ "", "facts has no field ''" },
		{ ".", "no field ''" },
		{ "nonsense", "facts has no field 'nonsense'" },
		{ "fault.modul", "fault has no field 'modul'" },
		{ "fault.", "fault has no field ''" },
		{ "fault..ip", "fault has no field ''" },
		{ "fault.module.x", "nothing inside 'module'" },
		{ "bugcheck.parameters.4", "index below 4" },
		{ "bugcheck.parameters.-1", "index below 4" },
		{ "bugcheck.parameters.", "index below 4" },
		{ "bugcheck.parameters.0.x", "nothing inside 'parameters'" },
		{ "stack.x", "index below 256" },
		{ "stack.999999999999999999999", "index below 256" },
		{ "stack.module", "index below 256" },
		{ "stack.0.x", "frame has no field 'x'" },
		{ "registers.", "name of a register" },
		{ "registers.RAX", "name of a register" },
		{ "registers.rax.x", "name of a register" },
		{ "verdict.class", "facts has no field 'verdict'" },
		{ "facts.schema", "facts has no field 'facts'" },
	};
	struct dt_path path;
	struct dt_error err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(dt_path_parse(&path, &dt_object_facts, cases[i].path, &err), DT_ERR_NOT_FOUND);
		if (!strstr(err.text, cases[i].word))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].word, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values),
		cmocka_unit_test(finds_the_judgement_of_a_crash),
		cmocka_unit_test(walks_lists),
		cmocka_unit_test(names_what_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

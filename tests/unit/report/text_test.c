/* The report for a person: order, what is said of what is not known, and that hostile text stays text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "report/report.h"

static struct dt_buf buf;

static const char *text_of(const struct dt_crash *crash, bool verbose)
{
	struct dt_report_style style = { .verbose = verbose };

	dt_buf_reset(&buf);
	dt_report_format("text")->write(crash, &style, &buf);
	return dt_buf_text(&buf);
}

static struct dt_crash example(void)
{
	static const char *steps[] = { "First step.", "Second step." }, *reasons[] = { "a reason" };
	static uint64_t parameters[4] = { 0x10, 0, 0xfffff80010001000, 2 };
	static const char *meanings[4] = { "address that was referenced", "access: read", "instruction", "kind" };
	static struct dt_bugcheck bugcheck = { .code = { 0x50, true }, .name = "PAGE_FAULT_IN_NONPAGED_AREA",
		                               .parameters = parameters, .parameters_count = 4, .meanings = meanings, .meanings_count = 4 };
	static struct dt_module module = { .name = "driver.sys", .base = { 0xfffff80010000000, true }, .size = { 0x10000, true } };
	static struct dt_frame frames[40];
	struct dt_crash crash = { 0 };

	for (size_t i = 0; i < 40; i++)
		frames[i] = (struct dt_frame){ .ip = dt_some(0xfffff80010001000 + i), .module = "driver.sys", .offset = dt_some(0x1000 + i),
			                       .trust = i ? DT_TRUST_SCAN : DT_TRUST_CONTEXT };
	crash.facts.file.path = "/dumps/a.dmp";
	crash.facts.dump.format = DT_FORMAT_KERNEL;
	crash.facts.dump.kind = DT_KIND_TRIAGE;
	crash.facts.dump.machine = DT_MACHINE_X64;
	crash.facts.bugcheck = &bugcheck;
	crash.facts.exception = (struct dt_exception){ .access = DT_ACCESS_READ, .address = dt_some(0x10) };
	crash.facts.fault = (struct dt_fault){ .ip = dt_some(0xfffff80010001000), .module = "driver.sys", .offset = dt_some(0x1000),
		                               .instruction = "mov eax, dword ptr [rcx]", .source = DT_FAULT_TRAP_FRAME };
	crash.facts.modules = &module;
	crash.facts.modules_count = 1;
	crash.facts.stack = frames;
	crash.facts.stack_count = 40;
	crash.judgement.blame = (struct dt_blame){ .module = "driver.sys", .offset = dt_some(0x1000), .reason = "its own", .confidence = dt_some(80) };
	crash.judgement.verdict = (struct dt_verdict){ .class = DT_CLASS_DRIVER, .summary = "The driver crashed.", .confidence = dt_some(80),
		                                       .reasons = reasons, .reasons_count = 1, .next_steps = steps, .next_steps_count = 2 };
	return crash;
}

static size_t at(const char *text, const char *part)
{
	const char *found = strstr(text, part);

	if (!found)
		fail_msg("'%s' is not in:\n%s", part, text);
	return (size_t)(found - text);
}

static void verdict_first_then_steps_then_evidence(void **state)
{
	(void)state;
	struct dt_crash crash = example();
	const char *text = text_of(&crash, false);

	assert_true(at(text, "driver (confidence 80 of 100): The driver crashed.") < at(text, "First step."));
	assert_true(at(text, "Second step.") < at(text, "a reason"));
	assert_true(at(text, "a reason") < at(text, "0x50 PAGE_FAULT_IN_NONPAGED_AREA"));
	assert_true(at(text, "access: read") < at(text, "mov eax, dword ptr [rcx]"));
	assert_true(at(text, "mov eax") < at(text, "scan"));
}

static void the_rest_only_when_asked(void **state)
{
	(void)state;
	struct dt_crash crash = example();

	assert_null(strstr(text_of(&crash, false), "0x1020"));
	assert_non_null(strstr(text_of(&crash, false), "more: --verbose"));
	assert_non_null(strstr(text_of(&crash, true), "0x1020"));
	assert_non_null(strstr(text_of(&crash, true), "Modules"));
}

static void what_is_not_known_is_not_invented(void **state)
{
	(void)state;
	struct dt_crash crash = { 0 };
	struct dt_failure failure = { .kind = DT_FAILURE_TRUNCATED, .text = "0x2000 bytes expected", .offset = { 0x10, true } };

	crash.facts.failure = &failure;
	crash.judgement.verdict.class = DT_CLASS_UNREADABLE;
	crash.judgement.verdict.summary = "It cannot be read.";
	const char *text = text_of(&crash, true);
	assert_non_null(strstr(text, "0x2000 bytes expected (at offset 0x10)"));
	for (const char *const *word = (const char *const[]){ "Stop code", "Fault", "Process", "Blame", "Stack", "null", "(null)", NULL }; *word; word++)
		if (strstr(text, *word))
			fail_msg("'%s' is in:\n%s", *word, text);
}

static void absent_bytes_are_said(void **state)
{
	(void)state;
	struct dt_crash crash = example();

	crash.facts.fault.instruction = NULL;
	assert_non_null(strstr(text_of(&crash, false), "not in the dump"));
}

/* "No module is there" takes a list of modules. */
static void a_fault_outside_modules(void **state)
{
	(void)state;
	struct dt_crash crash = example();

	crash.facts.fault.module = NULL;
	assert_non_null(strstr(text_of(&crash, false), "in no loaded module"));
	crash.facts.modules_count = 0;
	assert_null(strstr(text_of(&crash, false), "in no loaded module"));
	assert_non_null(strstr(text_of(&crash, false), "of a module that is not known"));
}

static void every_format_has_a_name_and_writes(void **state)
{
	(void)state;
	struct dt_crash crash = example();
	struct dt_report_style style = { 0 };

	assert_true(dt_report_format_count >= 3);
	for (size_t i = 0; i < dt_report_format_count; i++) {
		assert_ptr_equal(dt_report_format(dt_report_formats[i]->name), dt_report_formats[i]);
		dt_buf_reset(&buf);
		dt_report_formats[i]->write(&crash, &style, &buf);
		assert_true(buf.len > 100);
		assert_int_equal(buf.data[buf.len - 1], '\n');
	}
	assert_null(dt_report_format("xml"));
}

static int setup(void **state)
{
	(void)state;
	dt_buf_init(&buf, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_buf_deinit(&buf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_first_then_steps_then_evidence),
		cmocka_unit_test(the_rest_only_when_asked),
		cmocka_unit_test(what_is_not_known_is_not_invented),
		cmocka_unit_test(absent_bytes_are_said),
		cmocka_unit_test(a_fault_outside_modules),
		cmocka_unit_test(every_format_has_a_name_and_writes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* Parameters and conditions in words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/tables/bugcheck.h"

static char *printed(uint32_t code, const uint64_t parameters[4], unsigned number, enum dt_machine machine, uint32_t build)
{
	static char text[1024];
	const struct dt_reading *row = dt_bugcheck_reading(code, parameters, machine, build);
	struct dt_buf out;

	assert_non_null(row);
	dt_buf_init(&out, sizeof(text) - 1);
	dt_parameter_print(row, number - 1, parameters[number - 1], machine, build, &out);
	assert_true(dt_buf_ok(&out));
	strcpy(text, dt_buf_text(&out));
	dt_buf_deinit(&out);
	return text;
}

static const struct {
	uint32_t code;
	uint64_t parameters[4];
	unsigned number;
	const char *text;
} cases[] = {
	{ 0x50, { 0, 2, 0, 2 }, 2, "access: write" },
	{ 0x50, { 0, 4, 0, 2 }, 2, "access: the value does not say which" },
	{ 0x50, { 0, 2, 0, 2 }, 4, "kind of page fault: no valid page-table entry" },
	{ 0x50, { 0, 2, 0, 8 }, 4, "kind of page fault" },
	{ 0xd1, { 0, 2, 8, 0 }, 2, "IRQL at the time of the reference: DISPATCH_LEVEL" },
	{ 0xd1, { 0, 0xf, 8, 0 }, 2, "IRQL at the time of the reference" },
	{ 0xd1, { 0, 2, 8, 0 }, 3, "access: execute" },
	{ 0x7e, { 0xffffffffc0000005, 0, 0, 0 }, 1, "exception code: STATUS_ACCESS_VIOLATION" },
	{ 0x7e, { 0xe0434352, 0, 0, 0 }, 1, "exception code: .NET exception" },
	{ 0x7e, { 0x12345678, 0, 0, 0 }, 1, "exception code" },
	{ 0x7e, { 0, 0, 0, 0 }, 1, "exception code" },
	{ 0x7a, { 0xfff00000, 0xffffffffc000009d, 0, 0 }, 2, "status of the failed read: STATUS_DEVICE_NOT_CONNECTED" },
	{ 0x116, { 0, 0, 0, 0 }, 3, "status of the last operation that failed" },
	{ 0x7f, { 0xd, 0, 0, 0 }, 1, "trap number: general protection fault" },
	{ 0x9f, { 3, 0, 0, 0 }, 1, "kind of violation: a device has held a power request for too long" },
	{ 0x109, { 0, 0, 0, 0x19 }, 4, "kind of region that was modified: list of loaded modules" },
	{ 0x109, { 0, 0, 0, 0x999 }, 4, "kind of region that was modified" },
	{ 0x119, { 0xc, 0, 0, 0 }, 1, "what the video scheduler found: a page fault of the GPU that is a fatal hardware fault" },
	{ 0x124, { 4, 0, 0, 0 }, 1, "source of the error: PCI Express error" },
	{ 0x13a, { 0x12, 0, 0, 0 }, 1, "kind of heap corruption: an invalid internal state, perhaps after use after free or an overflow of the block before" },
	{ 0x139, { 0x1d, 0, 0, 0 }, 1, "kind of corruption: FAST_FAIL_INVALID_BALANCED_TREE (a balanced tree is corrupt)" },
	{ 0x139, { 0x30, 0, 0, 0 }, 1, "kind of corruption: FAST_FAIL_SET_CONTEXT_DENIED" },
	{ 0x139, { 0x3000, 0, 0, 0 }, 1, "kind of corruption" },
	{ 0x144, { 0x1001, 0, 0, 0 }, 1, "kind of failure of the USB 3 drivers: the controller reported a host system error" },
	{ 0xef, { 0, 1, 0, 0 }, 2, "what ended: a thread ended" },
	{ 0xf4, { 3, 0, 0, 0 }, 1, "what ended: process" },
	{ 0x10d, { 6, 3, 0, 0 }, 2, "how: the request was sent already" },
	{ 0x10d, { 0xb, 0, 1, 0 }, 3, "how: the lock is released by a thread that did not acquire it" },
	{ 0x1c7, { 3, 0, 0, 0 }, 1, "kind of corruption: a page is corrupt and its record changed during the read" },
	{ 0x161, { 0x5461736b6d6772, 0, 0, 0 }, 1, "who asked: 0x5461736b6d6772 is the text Taskmgr: Task Manager" },
	{ 0x1a, { 0x41792, 0, 0x2000000000, 0 }, 3, "its contents (the low part of it on 32-bit Windows): a single bit, bit 37" },
	{ 0x1a, { 0x41792, 0, 0x3000000000, 0 }, 3, "its contents (the low part of it on 32-bit Windows)" },
	{ 0x1a, { 0x41792, 0, 0, 0 }, 3, "its contents (the low part of it on 32-bit Windows)" },
};

static void parameters_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(printed(cases[i].code, cases[i].parameters, cases[i].number, DT_MACHINE_X64, 19041), cases[i].text);
}

static void access_by_what_is_known(void **state)
{
	const uint64_t one[4] = { 0, 1, 0, 0 }, two[4] = { 0, 2, 0, 0 }, ten[4] = { 0, 0x11, 0, 0 };
	const char *both = "access: undecided on x64 and x86 from build 10586; write on ARM64 and older builds";

	(void)state;
	assert_string_equal(printed(0x50, one, 2, DT_machine_NULL, 0), both);
	assert_string_equal(printed(0x50, one, 2, DT_MACHINE_X64, 0), both);
	assert_string_equal(printed(0x50, one, 2, DT_MACHINE_X64, 9600), "access: write");
	assert_string_equal(printed(0x50, one, 2, DT_MACHINE_ARM64, 0), "access: write");
	assert_string_equal(printed(0x50, one, 2, DT_MACHINE_X64, 19041), "access: the value does not say which");
	assert_string_equal(printed(0x50, two, 2, DT_machine_NULL, 9600), "access: the value does not say which");
	assert_string_equal(printed(0x50, two, 2, DT_machine_NULL, 0), "access: write");
	assert_string_equal(printed(0x50, ten, 2, DT_machine_NULL, 0), "access: execute");
}

static void conditions_in_words(void **state)
{
	static const struct {
		struct dt_when when;
		const char *text;
	} rows[] = {
		{ { 0 }, "" },
		{ { .parameter = 1, .low = 3, .high = 3 }, "parameter 1 is 0x3" },
		{ { .parameter = 4, .low = 0x21, .high = 0x22 }, "parameter 4 is 0x21 to 0x22" },
		{ { .parameter = 1, .low = 8, .high = 8, .machines = 1u << DT_MACHINE_X64 }, "parameter 1 is 0x8, x64" },
		{ { .machines = 1u << DT_MACHINE_X64 | 1u << DT_MACHINE_X86, .build_low = 10586 }, NULL },
		{ { .build_high = 9600 }, "build 9600 and earlier" },
		{ { .build_low = 7600, .build_high = 9600 }, "builds 7600 to 9600" },
		{ { .zero = 1 << 2 | 1 << 3 }, "parameter 3 is 0, parameter 4 is 0" },
		{ { .parameter = 1, .low = 3, .high = 4, .nonzero = 1 << 2 }, "parameter 1 is 0x3 to 0x4, parameter 3 is not 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dt_buf out;

		dt_buf_init(&out, 200);
		dt_when_print(&rows[i].when, &out);
		if (rows[i].text)
			assert_string_equal(dt_buf_text(&out), rows[i].text);
		else
			assert_non_null(strstr(dt_buf_text(&out), " or "));
		dt_buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_in_words),
		cmocka_unit_test(access_by_what_is_known),
		cmocka_unit_test(conditions_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names of NTSTATUS values, exceptions, fast-fail codes and signals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/tables/codes.h"

static void ntstatus_names(void **state)
{
	(void)state;
	assert_string_equal(dt_ntstatus_name(0), "STATUS_SUCCESS");
	assert_string_equal(dt_ntstatus_name(0xc0000005), "STATUS_ACCESS_VIOLATION");
	assert_string_equal(dt_ntstatus_name(UINT64_C(0xffffffffc000009c)), "STATUS_DEVICE_DATA_ERROR");
	assert_string_equal(dt_ntstatus_name(0xc0000001), "STATUS_UNSUCCESSFUL");
	assert_null(dt_ntstatus_name(0xc0ffffff));
	assert_null(dt_ntstatus_name(UINT32_MAX));
}

/* The rows are searched by halving: each must be found, first and last among them. */
static void every_status_is_found(void **state)
{
#define DT_NTSTATUS(code, name) assert_string_equal(dt_ntstatus_name(code), name);
	(void)state;
#include "core/tables/ntstatus.def"
}

static void every_fast_fail_is_found(void **state)
{
#define DT_FAST_FAIL(code, name) assert_string_equal(dt_fast_fail_name(code), name);
	(void)state;
#include "core/tables/fast_fail.def"
	assert_string_equal(dt_fast_fail_name(7), "FAST_FAIL_FATAL_APP_EXIT");
	assert_null(dt_fast_fail_name(0xf));
	assert_null(dt_fast_fail_name(0x1000));
	assert_null(dt_fast_fail_name(UINT64_C(0x100000003)));
}

static void exceptions(void **state)
{
	(void)state;
	assert_string_equal(dt_exception_name(UINT64_C(0xffffffffc0000005)), "STATUS_ACCESS_VIOLATION");
	assert_string_equal(dt_exception_name(0xe06d7363), "C++ exception");
	assert_string_equal(dt_exception_name(0xe0434352), ".NET exception");
	assert_string_equal(dt_exception_name(0x80000003), "STATUS_BREAKPOINT");
	assert_string_equal(dt_exception_name(0xc0000409), "STATUS_STACK_BUFFER_OVERRUN");
	assert_string_equal(dt_exception_name(0xc0000225), "STATUS_NOT_FOUND");
	assert_null(dt_exception_name(0x12345678));
}

/* What is no crash: marks of crash reporters, and what debuggers see of a program that runs on. */
static void kinds_of_exceptions(void **state)
{
	(void)state;
	assert_int_equal(dt_exception_kind(0xc0000005), DT_EXCEPTION_CRASH);
	assert_int_equal(dt_exception_kind(0x12345678), DT_EXCEPTION_CRASH);
	assert_int_equal(dt_exception_kind(0x80000003), DT_EXCEPTION_DEBUGGER);
	assert_int_equal(dt_exception_kind(0x4000001f), DT_EXCEPTION_DEBUGGER);
	assert_int_equal(dt_exception_kind(0x517a7ed), DT_EXCEPTION_ASKED);
	assert_int_equal(dt_exception_kind(UINT32_MAX), DT_EXCEPTION_ASKED);
	assert_int_equal(dt_exception_kind(0xcfffffff), DT_EXCEPTION_HANG);
}

/* A name that is an NTSTATUS constant must be that status's own. */
static void exceptions_agree_with_statuses(void **state)
{
#define DT_EXCEPTION(code, name, has_access, is_illegal, kind) \
	if (!strncmp(name, "STATUS_", 7) || !strncmp(name, "DBG_", 4)) \
		assert_string_equal(dt_ntstatus_name(code), name); \
	assert_int_equal(dt_exception_has_access(code), has_access); \
	assert_int_equal(dt_exception_is_illegal(code), is_illegal); \
	assert_int_equal(dt_exception_kind(code), DT_EXCEPTION_##kind);
	(void)state;
#include "core/tables/exceptions.def"
}

static void what_exceptions_carry(void **state)
{
	(void)state;
	assert_true(dt_exception_has_access(0xc0000005));
	assert_true(dt_exception_has_access(UINT64_C(0xffffffffc0000006)));
	assert_true(dt_exception_has_access(0x80000001));
	assert_false(dt_exception_has_access(0x80000003));
	assert_false(dt_exception_has_access(0xc0000409));
	assert_true(dt_exception_is_illegal(0xc000001d));
	assert_false(dt_exception_is_illegal(0xc0000096));
	assert_false(dt_exception_is_illegal(0));
}

static void signals(void **state)
{
	(void)state;
	assert_string_equal(dt_signal_name(0x8201, 11), "SIGSEGV");
	assert_string_equal(dt_signal_name(0x8203, 6), "SIGABRT");
	assert_string_equal(dt_signal_name(0x8201, 31), "SIGSYS");
	assert_string_equal(dt_signal_name(0x8201, UINT32_MAX), "dump requested");
	assert_string_equal(dt_signal_name(0x8101, 0x43507378), "dump without a crash (Crashpad)");
	assert_string_equal(dt_signal_name(0x8101, 1), "EXC_BAD_ACCESS");
	assert_string_equal(dt_signal_name(0x8102, 10), "EXC_CRASH");
	assert_null(dt_signal_name(0x8201, 0));
	assert_null(dt_signal_name(0x8201, 32));
	assert_null(dt_signal_name(0x8101, 14));
	assert_null(dt_signal_name(2, 11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ntstatus_names),          cmocka_unit_test(every_status_is_found),
		cmocka_unit_test(every_fast_fail_is_found), cmocka_unit_test(exceptions),
		cmocka_unit_test(exceptions_agree_with_statuses), cmocka_unit_test(what_exceptions_carry),
		cmocka_unit_test(kinds_of_exceptions),
		cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

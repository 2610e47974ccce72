/* What stop codes say of the access: every value on every kind of machine and build. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/tables/bugcheck.h"

#define N DT_access_NULL
#define R DT_ACCESS_READ
#define W DT_ACCESS_WRITE
#define X DT_ACCESS_EXECUTE

/* 0x50's second parameter: x64 and x86 from build 10586; ARM64, and builds before; neither known. */
static const struct {
	uint64_t value;
	enum dt_access after, before, unknown;
} page_faults[] = {
	{ 0x0, R, R, R },  { 0x1, N, W, N },  { 0x2, W, N, W },  { 0x3, W, W, W },  { 0x4, N, N, N },  { 0x8, N, X, N },
	{ 0x9, N, X, N },  { 0xa, W, X, N },  { 0x10, X, N, X }, { 0x11, X, W, X }, { 0x12, X, N, X }, { 0x18, X, X, X },
	{ 0x20, N, N, N }, { 0x100, N, N, N },
};

static enum dt_access access_of(uint64_t value, enum dt_machine machine, uint32_t build)
{
	return dt_role_access(DT_ROLE_ACCESS_PF, value, machine, build);
}

static void page_fault_access_depends_on_machine_and_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(page_faults) / sizeof(page_faults[0]); i++) {
		uint64_t value = page_faults[i].value;
		assert_int_equal(access_of(value, DT_MACHINE_X64, 10586), page_faults[i].after);
		assert_int_equal(access_of(value, DT_MACHINE_X64, 26100), page_faults[i].after);
		assert_int_equal(access_of(value, DT_MACHINE_X86, 19041), page_faults[i].after);
		assert_int_equal(access_of(value, DT_MACHINE_X64, 10240), page_faults[i].before);
		assert_int_equal(access_of(value, DT_MACHINE_X64, 9600), page_faults[i].before);
		assert_int_equal(access_of(value, DT_MACHINE_X86, 2600), page_faults[i].before);
		assert_int_equal(access_of(value, DT_MACHINE_ARM64, 22000), page_faults[i].before);
		assert_int_equal(access_of(value, DT_MACHINE_ARM64, 0), page_faults[i].before);
		assert_int_equal(access_of(value, DT_machine_NULL, 9600), page_faults[i].before);
		assert_int_equal(access_of(value, DT_machine_NULL, 0), page_faults[i].unknown);
		assert_int_equal(access_of(value, DT_MACHINE_X64, 0), page_faults[i].unknown);
		assert_int_equal(access_of(value, DT_machine_NULL, 19041), page_faults[i].unknown);
	}
}

static void what_is_open(void **state)
{
	(void)state;
	assert_true(dt_access_is_open(DT_machine_NULL, 0));
	assert_true(dt_access_is_open(DT_machine_NULL, 19041));
	assert_true(dt_access_is_open(DT_MACHINE_X64, 0));
	assert_false(dt_access_is_open(DT_MACHINE_X64, 19041));
	assert_false(dt_access_is_open(DT_MACHINE_ARM64, 0));
	assert_false(dt_access_is_open(DT_machine_NULL, 10240));
}

static void raised_irql_access(void **state)
{
	static const struct {
		uint64_t value;
		enum dt_access access;
	} rows[] = { { 0, R }, { 1, W }, { 2, X }, { 8, X }, { 9, X }, { 4, N }, { 6, N }, { UINT64_C(0x100000000), R } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(dt_role_access(DT_ROLE_ACCESS_IRQL, rows[i].value, DT_MACHINE_X64, 19041), rows[i].access);
}

static void exception_information_access(void **state)
{
	static const struct {
		uint64_t value;
		enum dt_access access;
	} rows[] = { { 0, R }, { 1, W }, { 8, X }, { 2, N }, { 9, N }, { 0x10, N } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(dt_role_access(DT_ROLE_ACCESS_RW, rows[i].value, DT_machine_NULL, 0), rows[i].access);
}

static void other_roles_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(dt_role_access(DT_ROLE_IRQL, 1, DT_MACHINE_X64, 19041), N);
	assert_int_equal(dt_role_access(DT_ROLE_NONE, 0, DT_MACHINE_X64, 19041), N);
}

static void codes_that_say_it_themselves(void **state)
{
	(void)state;
	assert_int_equal(dt_bugcheck_access(0xbe), W);
	assert_int_equal(dt_bugcheck_access(0xfc), X);
	assert_int_equal(dt_bugcheck_access(0x50), N);
	assert_int_equal(dt_bugcheck_access(0xd1), N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_fault_access_depends_on_machine_and_build),
		cmocka_unit_test(what_is_open),
		cmocka_unit_test(raised_irql_access),
		cmocka_unit_test(exception_information_access),
		cmocka_unit_test(other_roles_say_nothing),
		cmocka_unit_test(codes_that_say_it_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

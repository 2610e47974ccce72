/* Instruction sets and releases of Windows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/tables/machines.h"

static void machines(void **state)
{
	static const struct {
		enum dt_machine machine;
		const char *name;
		unsigned bits;
		const char *ip, *sp;
	} want[] = {
		{ DT_MACHINE_X64, "x64", 64, "rip", "rsp" },
		{ DT_MACHINE_X86, "x86", 32, "eip", "esp" },
		{ DT_MACHINE_ARM64, "arm64", 64, "pc", "sp" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct dt_machine_row *row = dt_machine_row(want[i].machine);
		assert_non_null(row);
		assert_string_equal(row->name, want[i].name);
		assert_int_equal(row->address_bits, want[i].bits);
		assert_string_equal(row->registers[row->ip], want[i].ip);
		assert_string_equal(row->registers[row->sp], want[i].sp);
		for (size_t r = 0; r < row->register_count; r++)
			assert_int_equal(dt_machine_register(want[i].machine, row->registers[r]), r);
	}
	assert_null(dt_machine_row(DT_machine_NULL));
}

static void registers(void **state)
{
	(void)state;
	assert_int_equal(dt_machine_register(DT_MACHINE_X64, "r8"), DT_X64_R8);
	assert_int_equal(dt_machine_register(DT_MACHINE_X64, "rbx"), 3);
	assert_int_equal(dt_machine_register(DT_MACHINE_X86, "ebp"), DT_X86_EBP);
	assert_int_equal(dt_machine_register(DT_MACHINE_ARM64, "x28"), 28);
	assert_int_equal(dt_machine_register(DT_MACHINE_ARM64, "lr"), DT_ARM64_LR);
	assert_int_equal(dt_machine_register(DT_MACHINE_X64, "eax"), -1);
	assert_int_equal(dt_machine_register(DT_MACHINE_X64, ""), -1);
	assert_int_equal(dt_machine_register(DT_machine_NULL, "rax"), -1);
}

static void addresses(void **state)
{
	(void)state;
	assert_true(dt_address_is_canonical(DT_MACHINE_X64, UINT64_C(0x00007fffffffffff)));
	assert_false(dt_address_is_canonical(DT_MACHINE_X64, UINT64_C(0x0000800000000000)));
	assert_false(dt_address_is_canonical(DT_MACHINE_X64, UINT64_C(0xffff7fffffffffff)));
	assert_true(dt_address_is_canonical(DT_MACHINE_X64, UINT64_C(0xffff800000000000)));
	assert_true(dt_address_is_canonical(DT_MACHINE_X64, UINT64_MAX));
	assert_true(dt_address_is_canonical(DT_MACHINE_X86, 0x80000000));
	assert_true(dt_address_is_kernel(DT_MACHINE_X64, UINT64_C(0xfffff80000000000)));
	assert_false(dt_address_is_kernel(DT_MACHINE_X64, 0x9c));
	assert_true(dt_address_is_kernel(DT_MACHINE_X86, 0x80000000));
	assert_true(dt_address_is_kernel(DT_MACHINE_X86, UINT64_C(0xffffffff80000000)));
	assert_false(dt_address_is_kernel(DT_MACHINE_X86, 0x7fffffff));
}

static void check_os(uint32_t major, uint32_t minor, uint32_t build, unsigned product, const char *want)
{
	struct dt_buf out;

	dt_buf_init(&out, 200);
	dt_os_name(major, minor, build, product, &out);
	assert_string_equal(dt_buf_text(&out), want);
	dt_buf_deinit(&out);
}

static void releases(void **state)
{
	(void)state;
	check_os(5, 1, 2600, 1, "Windows XP (build 2600)");
	check_os(6, 1, 7601, 1, "Windows 7 SP1 (build 7601)");
	check_os(6, 1, 7601, 3, "Windows Server 2008 R2 SP1 (build 7601)");
	check_os(6, 3, 9600, 2, "Windows Server 2012 R2 (build 9600)");
	check_os(6, 3, 9600, 0, "Windows 8.1 or Windows Server 2012 R2 (build 9600)");
	check_os(10, 0, 17763, 3, "Windows Server 2019 (build 17763)");
	check_os(10, 0, 19041, 1, "Windows 10 2004 to 22H2 (build 19041)");
	check_os(10, 0, 20348, 0, "Windows Server 2022 (build 20348)");
	check_os(10, 0, 20348, 1, "Windows Server 2022 (build 20348)");
	check_os(10, 0, 22000, 1, "Windows 11 21H2 (build 22000)");
	check_os(10, 0, 22000, 3, "Windows 11 21H2 (build 22000)");
	check_os(10, 0, 26100, 1, "Windows 11 24H2 or 25H2 (build 26100)");
	check_os(10, 0, 26100, 3, "Windows Server 2025 (build 26100)");
}

static void releases_without_a_row(void **state)
{
	(void)state;
	check_os(10, 0, 25905, 1, "Windows 10.0 (build 25905)");
	check_os(0, 0, 25905, 1, "Windows (build 25905)");
	check_os(15, 0, 0, 0, "Windows 15.0");
	check_os(0, 0, 0, 0, "Windows");
	check_os(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, "Windows 4294967295.4294967295 (build 4294967295)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines),  cmocka_unit_test(registers),
		cmocka_unit_test(addresses), cmocka_unit_test(releases),
		cmocka_unit_test(releases_without_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

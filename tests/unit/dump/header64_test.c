#include "fixture.h"

static struct fixture f;
static struct opened o;

static void reads_the_header(void **state)
{
	(void)state;
	make_header64(&f, 3);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.format, DT_FORMAT_KERNEL);
	assert_int_equal(o.dump.kind, DT_KIND_HEADER_ONLY);
	assert_int_equal(o.dump.machine, DT_MACHINE_X64);
	assert_true(dt_opt_is(o.dump.build, 19041));
	assert_true(dt_opt_is(o.dump.processors, 12));
	assert_int_equal(o.dump.directory_table_base, 0x1ad000);
	assert_true(o.dump.has_bugcheck);
	assert_int_equal(o.dump.bugcheck_code, 0x50);
	assert_int_equal(o.dump.bugcheck_parameter[0], UINT64_C(0xffffffffffffffb4));
	assert_int_equal(o.dump.bugcheck_parameter[1], 0);
	assert_int_equal(o.dump.bugcheck_parameter[2], UINT64_C(0xfffff80012345678));
	assert_int_equal(o.dump.bugcheck_parameter[3], 2);
	assert_int_equal(o.dump.time, UINT64_C(133112934473403733));
	assert_true(dt_opt_is(o.dump.uptime, 1109893530));
	assert_int_equal(o.dump.product_type, 3);
	assert_int_equal(o.dump.live, DT_NOT_KNOWN); /* Attributes is the fill */
	assert_int_equal(o.dump.context.source, DT_FAULT_HEADER_CONTEXT);
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), UINT64_C(0xfffff800001f5a00)));
	assert_true(dt_opt_is(dt_context_sp(&o.dump.context), UINT64_C(0xfffff50012340100)));
	assert_true(dt_dump_is_windows(&o.dump));
	close_opened(&o);
}

static void the_fill_is_not_known(void **state)
{
	(void)state;
	make_header64(&f, 3);
	fill(&f, 0xc, 0x10);
	fill(&f, 0x10, 0x18);
	fill(&f, 0x34, 0x3c);
	fill(&f, 0xfa8, 0xfb0);
	fill(&f, 0x1030, 0x1038);
	fill(&f, 0x1040, 0x1044);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_false(o.dump.build.known || o.dump.processors.known || o.dump.uptime.known || o.dump.has_bugcheck);
	assert_int_equal(o.dump.time, 0);
	assert_int_equal(o.dump.product_type, 0);
	assert_int_equal(o.dump.directory_table_base, 0);
	close_opened(&o);
}

static void impossible_values_are_noted(void **state)
{
	(void)state;
	make_header64(&f, 3);
	put64(&f, 0xfa8, UINT64_C(0x8000000000000000));
	put64(&f, 0x1030, UINT64_MAX);
	put32(&f, 0x34, 100000);
	put32(&f, 0x1040, 9);
	put32(&f, 0x378, 0x400001);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.time, 0);
	assert_false(o.dump.uptime.known || o.dump.processors.known);
	assert_int_equal(o.dump.product_type, 0);
	assert_true(has_note(&o, "header", "SystemTime at 0xfa8 is negative"));
	assert_true(has_note(&o, "header", "SystemUpTime at 0x1030 is negative"));
	assert_true(has_note(&o, "header", "NumberProcessors at 0x34 is 100000"));
	assert_true(has_note(&o, "header", "flags are 0x400001"));
	assert_int_equal(o.dump.context.machine, DT_machine_NULL);
	close_opened(&o);
}

static void attributes_tell_live_and_offline(void **state)
{
	(void)state;
	make_header64(&f, 3);
	put32(&f, 0x1050, 1 << 4);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.live, DT_TRUE);
	close_opened(&o);
	put32(&f, 0x1050, 1 << 5);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.live, DT_FALSE);
	assert_int_equal(o.dump.writer, DT_WRITER_OFFLINE);
	close_opened(&o);
	fill(&f, 0x1050, 0x1054);
	put32(&f, 0x38, 0x161);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.live, DT_TRUE);
	close_opened(&o);
}

static void other_machines_are_refused_by_name(void **state)
{
	(void)state;
	make_header64(&f, 4);
	put32(&f, 0x30, 0x200);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0x30, "Itanium");
	assert_true(o.dump.has_bugcheck); /* the caller can still say the stop code */
	close_opened(&o);
	put32(&f, 0x30, 0x1234);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 0x30, "machine 0x1234, expected 0x8664");
	close_opened(&o);
	put32(&f, 0x30, 0xaa64);
	put32(&f, 0x348, 0x400007);
	put64(&f, 0x10, UINT64_C(0x00050000946aa000));
	open_fixture(&o, &f);
	assert_int_equal(o.dump.machine, DT_MACHINE_ARM64);
	assert_int_equal(o.dump.directory_table_base, 0x946aa000); /* without the ASID */
	close_opened(&o);
}

static void a_cut_header_gives_what_it_has(void **state)
{
	(void)state;
	make_header64(&f, 4);
	for (size_t len = 8; len < 0x2000; len += 13) {
		open_bytes(&o, f.data, len);
		expect_failure(&o, DT_ERR_TRUNCATED, len, "0x2000 bytes expected");
		assert_int_equal(o.dump.has_bugcheck, len >= 0x60);
		assert_int_equal(o.dump.build.known, len >= 0x10);
		assert_int_equal(o.dump.machine, len >= 0x34 ? DT_MACHINE_X64 : DT_machine_NULL);
		close_opened(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_header),
		cmocka_unit_test(the_fill_is_not_known),
		cmocka_unit_test(impossible_values_are_noted),
		cmocka_unit_test(attributes_tell_live_and_offline),
		cmocka_unit_test(other_machines_are_refused_by_name),
		cmocka_unit_test(a_cut_header_gives_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

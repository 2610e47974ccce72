#include "fixture.h"

static struct fixture f;
static struct opened o;

static void make(void)
{
	f.len = 0;
	fill(&f, 0, 0x1000);
	put_text(&f, 0, "PAGEDUMP");
	put32(&f, 0x0c, 7601);
	put32(&f, 0x10, 0x185000 + 0x20);
	put32(&f, 0x20, 0x14c);
	put32(&f, 0x24, 2);
	put32(&f, 0x28, 0x8e);
	for (unsigned i = 0; i < 4; i++)
		put32(&f, 0x2c + 4 * i, 0xc0000000u + i);
	put32(&f, 0x320, 0x1001f);
	put32(&f, 0x320 + 0xb8, 0x82812345);
	put32(&f, 0x320 + 0xbc, 8);
	put32(&f, 0xf88, 4);
	put32(&f, 0xf94, 1);
	put64(&f, 0xfb8, 600);
	put64(&f, 0xfc0, UINT64_C(133112934473403733));
}

static void reads_header_facts_and_says_the_rest(void **state)
{
	(void)state;
	make();
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.machine, DT_MACHINE_X86);
	assert_int_equal(o.dump.kind, DT_KIND_TRIAGE);
	assert_true(dt_opt_is(o.dump.build, 7601) && dt_opt_is(o.dump.processors, 2) &&
	            dt_opt_is(o.dump.uptime, 600));
	assert_int_equal(o.dump.directory_table_base, 0x185020);
	assert_int_equal(o.dump.bugcheck_code, 0x8e);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(o.dump.bugcheck_parameter[i], 0xc0000000u + i);
	assert_int_equal(o.dump.time, UINT64_C(133112934473403733));
	assert_int_equal(o.dump.product_type, 1);
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x82812345));
	assert_int_equal(o.dump.context.source, DT_FAULT_HEADER_CONTEXT);
	assert_true(is_missing(&o, "modules: not read by this version"));
	close_opened(&o);
}

static void refuses_other_machines_and_cut_headers(void **state)
{
	(void)state;
	make();
	put32(&f, 0x20, 0x8664);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 0x20, "machine 0x8664, expected 0x14c");
	close_opened(&o);
	make();
	for (size_t len = 8; len < 0x1000; len += 31) {
		open_bytes(&o, f.data, len);
		expect_failure(&o, DT_ERR_TRUNCATED, len, "0x1000 bytes expected");
		assert_int_equal(o.dump.has_bugcheck, len >= 0x3c);
		close_opened(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_header_facts_and_says_the_rest),
		cmocka_unit_test(refuses_other_machines_and_cut_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

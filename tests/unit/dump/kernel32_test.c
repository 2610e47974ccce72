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
	put32(&f, 0xf88, 3);
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
	assert_int_equal(o.dump.kind, DT_KIND_HEADER_ONLY);
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
	assert_true(is_missing(&o, "this kind of dump has none"));
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

static int byte_at(uint64_t pa)
{
	struct dt_bytes bytes = dt_physical_at(&o.dump.physical, pa);

	return bytes.len ? bytes.data[0] : -1;
}

static void bodies_behind_the_shorter_header(void **state)
{
	(void)state;
	make();
	put32(&f, 0xf88, 1);
	put32(&f, 0x64, 1);
	put32(&f, 0x68, 2);
	put32(&f, 0x6c, 3);
	put32(&f, 0x70, 2);
	put8(&f, 0x1000, 0xa5);
	put8(&f, 0x2fff, 0);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.kind, DT_KIND_FULL);
	assert_int_equal(o.dump.complete, DT_TRUE);
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
	put32(&f, 0x64, 87);
	open_fixture(&o, &f);
	assert_true(has_note(&o, "physical memory", "NumberOfRuns at 0x64 is 0x57, expected 1 to 86"));
	close_opened(&o);
	make();
	put32(&f, 0xf88, 2);
	put_text(&f, 0x1000, "SDMPDUMP");
	put32(&f, 0x100c, 0x2000);
	put32(&f, 0x1014, 1);
	put32(&f, 0x1018, 64);
	put8(&f, 0x1020, 1 << 3);
	put8(&f, 0x2000, 0xb6);
	put8(&f, 0x2fff, 0);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.kind, DT_KIND_SUMMARY);
	assert_int_equal(byte_at(0x3000), 0xb6);
	close_opened(&o);
	put8(&f, 0x1000, 'X');
	open_fixture(&o, &f);
	assert_true(has_note(&o, "body", "DumpType 2 has SDMP or FDMP at 0x1000, found 0x504d4458"));
	close_opened(&o);
	put32(&f, 0xf88, 8);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 0xf88, "DumpType 0x8, expected 1 to 7");
	close_opened(&o);
	put32(&f, 0xf88, 4);
	f.len = 0x1040;
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_TRUNCATED, 0x1040, "triage block: 0x68 bytes expected at 0x1000");
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_header_facts_and_says_the_rest),
		cmocka_unit_test(bodies_behind_the_shorter_header),
		cmocka_unit_test(refuses_other_machines_and_cut_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

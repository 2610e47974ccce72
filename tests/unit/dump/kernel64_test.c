#include "fixture.h"

static struct fixture f;
static struct opened o;

static void make(uint32_t type, const char *body)
{
	make_header64(&f, type);
	for (size_t at = 0x2000; at < 0x2100; at++)
		put8(&f, at, 0);
	put_text(&f, 0x2000, body);
}

static void expect_kind(enum dt_kind kind)
{
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.kind, kind);
	assert_int_equal(o.dump.format, DT_FORMAT_KERNEL);
	assert_true(o.dump.has_bugcheck && o.dump.bugcheck_code == 0x50);
	assert_true(dt_context_ip(&o.dump.context).known);
	if (kind == DT_KIND_HEADER_ONLY)
		assert_true(is_missing(&o, "this kind of dump has none"));
}

/* A body with one page, number 3, that begins at 0x3000. */
static void make_bitmap(uint32_t type, const char *signature)
{
	make(type, signature);
	put64(&f, 0x2020, 0x3000);
	put64(&f, 0x2028, 1);
	put64(&f, 0x2030, 64);
	put8(&f, 0x2038, 1 << 3);
	put8(&f, 0x3000, 0xa5);
	put8(&f, 0x3fff, 0x5a);
}

static void make_ranges(uint32_t type)
{
	make(type, "");
	put32(&f, 0x2000, 0x40);
	put_text(&f, 0x2004, "RDMPDUMP");
	put64(&f, 0x2010, 0x3000 - 0x2040 + 0x20);
	put64(&f, 0x2018, 0x3000);
	put64(&f, 0x2028, type == 10 ? 1 : 0);
	put64(&f, 0x2030, 3);
	put64(&f, 0x2038, 1);
	put64(&f, 0x2040, 0);
	put8(&f, 0x3000, 0xa5);
	put8(&f, 0x3fff, 0x5a);
}

static void make_full(void)
{
	make(1, "");
	put32(&f, 0x88, 2);
	put64(&f, 0x90, 2);
	put64(&f, 0x98, 3);
	put64(&f, 0xa0, 1);
	put64(&f, 0xa8, 0x100);
	put64(&f, 0xb0, 1);
	put8(&f, 0x2000, 0xa5);
	put8(&f, 0x3fff, 0x5a);
}

static void make_summary(void)
{
	make(2, "SDMPDUMP");
	put32(&f, 0x200c, 0x3000);
	put32(&f, 0x2014, 1);
	put32(&f, 0x2018, 64);
	put8(&f, 0x2028, 1 << 3);
	put8(&f, 0x3000, 0xa5);
	put8(&f, 0x3fff, 0x5a);
}

static int byte_at(uint64_t pa)
{
	struct dt_bytes bytes = dt_physical_at(&o.dump.physical, pa);

	return bytes.len ? bytes.data[0] : -1;
}

static void types_and_bodies_name_the_kind(void **state)
{
	static const struct {
		uint32_t type, attributes;
		const char *body;
		enum dt_kind kind;
	} rows[] = {
		{ 1, 0, "", DT_KIND_FULL },
		{ 2, 0, "SDMPDUMP", DT_KIND_SUMMARY },
		{ 3, 0, "", DT_KIND_HEADER_ONLY },
		{ 5, 0, "FDMPDUMP", DT_KIND_FULL_BITMAP },
		{ 6, 0, "SDMPDUMP", DT_KIND_KERNEL_BITMAP },
		{ 7, 0, "SDMPDUMP", DT_KIND_KERNEL_BITMAP },
		{ 7, 0, "FDMPDUMP", DT_KIND_FULL_BITMAP },
		{ 6, 1 << 4, "SDMPDUMP", DT_KIND_LIVE },
		{ 5, 1 << 6, "FDMPDUMP", DT_KIND_ACTIVE },
		{ 8, 0, "@\1\1\1RDMPDUMP", DT_KIND_KERNEL_RANGES },
		{ 9, 0, "@\1\1\1RDMPDUMP", DT_KIND_ACTIVE },
		{ 10, 0, "@\1\1\1RDMPDUMP", DT_KIND_FULL_RANGES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == 1)
			make_full();
		else if (rows[i].type == 2)
			make_summary();
		else if (rows[i].type >= 8)
			make_ranges(rows[i].type);
		else if (rows[i].type == 3)
			make(3, "");
		else
			make_bitmap(rows[i].type, rows[i].body);
		put32(&f, 0x1050, rows[i].attributes);
		expect_kind(rows[i].kind);
		assert_int_equal(o.notes.count, 0);
		if (rows[i].type != 3) {
			assert_int_equal(o.dump.complete, DT_TRUE);
			assert_int_equal(byte_at(0x3000), 0xa5);
			assert_int_equal(byte_at(0x4000), -1);
			assert_int_equal(dt_physical_at(&o.dump.physical, 0x3010).len, 0xff0);
		}
		close_opened(&o);
	}
}

static void a_body_that_belies_the_type_is_noted(void **state)
{
	(void)state;
	make(6, "XXXX");
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "body", "DumpType 6 has SDMP or FDMP at 0x2000, found 0x58585858"));
	close_opened(&o);
	make(8, "RDMPDUMP"); /* without the marker before it */
	expect_kind(DT_KIND_KERNEL_RANGES);
	assert_true(has_note(&o, "body", "DumpType 8 has RDMP"));
	assert_false(dt_physical_is_set(&o.dump.physical));
	close_opened(&o);
	make(6, "");
	f.len = 0x2000;
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(has_note(&o, "body", "DumpType 6"));
	close_opened(&o);
}

static void a_signature_is_believed_before_the_type(void **state)
{
	(void)state;
	make_bitmap(1, "SDMPDUMP");
	expect_kind(DT_KIND_FULL);
	assert_true(has_note(&o, "body", "DumpType 1 does not go with the signature at 0x2000"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
	/* nor is that of a minidump */
	make_bitmap(4, "SDMPDUMP");
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(has_note(&o, "body", "DumpType 4 does not go with the signature at 0x2000"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
	make_ranges(4);
	expect_kind(DT_KIND_KERNEL_RANGES);
	assert_true(has_note(&o, "body", "DumpType 4 does not go with the signature at 0x2000"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
}

static void a_cut_file_gives_its_share(void **state)
{
	(void)state;
	make_full();
	f.len = 0x2800;
	expect_kind(DT_KIND_FULL);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "file", "0x2 pages of memory expected, the file ends at 0x2800 behind 0x0 of them"));
	assert_true(is_missing(&o, "end of the file: 0x0 of 0x2 pages of memory are there (0 %)"));
	assert_int_equal(byte_at(0x3000), 0xa5); /* the half page that is there */
	assert_int_equal(byte_at(0x100000), -1);
	close_opened(&o);
	/* 64 GB told by a file of some pages. */
	make_full();
	put32(&f, 0x88, 1);
	put64(&f, 0xa0, 16 << 20);
	expect_kind(DT_KIND_FULL);
	assert_true(is_missing(&o, "end of the file: 0x2 of 0x1000000 pages of memory are there (0 %)"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	assert_int_equal(byte_at(UINT64_C(0x800000000)), -1);
	close_opened(&o);
	make_bitmap(6, "SDMPDUMP");
	put8(&f, 0x2039, 0xff); /* eight pages more than there are */
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(is_missing(&o, "0x1 of 0x9 pages of memory are there (11 %)"));
	close_opened(&o);
}

static void runs_that_lie_are_left_out(void **state)
{
	(void)state;
	make_full();
	put32(&f, 0x88, 44);
	expect_kind(DT_KIND_FULL);
	assert_true(has_note(&o, "physical memory", "NumberOfRuns at 0x88 is 0x2c, expected 1 to 43"));
	assert_false(dt_physical_is_set(&o.dump.physical));
	close_opened(&o);
	make_full();
	put64(&f, 0xa0, UINT64_C(1) << 60);
	expect_kind(DT_KIND_FULL);
	assert_true(has_note(&o, "physical memory", "run 0 at 0x98: 0x1000000000000000 pages from page 0x3 on"));
	close_opened(&o);
	make_full();
	put64(&f, 0x90, 7);
	expect_kind(DT_KIND_FULL);
	assert_true(has_note(&o, "physical memory", "NumberOfPages at 0x90 is 0x7, the runs have 0x2: the runs are believed"));
	close_opened(&o);
	make_full();
	put64(&f, 0xa8, 3); /* both runs have page 3 */
	expect_kind(DT_KIND_FULL);
	assert_true(has_note(&o, "physical memory", "1 of 2 runs overlap others"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
}

static void bitmaps_that_lie_are_said(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		const char *note;
		int readable;
	} rows[] = {
		{ 0x2020, 0x10, "the first page stands at 0x10, inside the bitmap or the header, which end at 0x2040", 0 },
		{ 0x2030, 0, "has 0x0 bits, expected 1 to 0x7fffffff", 0 },
		{ 0x2030, UINT64_C(0x80000000), "has 0x80000000 bits", 0 },
		{ 0x2028, 9, "0x9 pages are stored, the number at 0x2028 says, and 0x1 bits are set: the bits are believed", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_bitmap(6, "SDMPDUMP");
		put64(&f, rows[i].at, rows[i].value);
		expect_kind(DT_KIND_KERNEL_BITMAP);
		assert_true(has_note(&o, "bitmap", rows[i].note));
		assert_int_equal(byte_at(0x3000), rows[i].readable ? 0xa5 : -1);
		close_opened(&o);
	}
	/* A bitmap larger than the file. */
	make_bitmap(6, "SDMPDUMP");
	put64(&f, 0x2030, 0x7fffff00);
	put64(&f, 0x2020, 0x20000000);
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(has_note(&o, "bitmap", "bytes at 0x2038 would end at 0x10002018"));
	assert_int_equal(byte_at(0x3000), -1);
	close_opened(&o);
}

static void ranges_that_lie_are_said(void **state)
{
	(void)state;
	make_ranges(9);
	put64(&f, 0x2038, UINT64_C(1) << 60);
	expect_kind(DT_KIND_ACTIVE);
	assert_true(has_note(&o, "ranges", "the range at 0x2030 has 0x1000000000000000 pages from page 0x3 on"));
	close_opened(&o);
	make_ranges(9);
	put64(&f, 0x2010, 0x77);
	expect_kind(DT_KIND_ACTIVE);
	assert_true(has_note(&o, "ranges", "do not agree: the place is believed"));
	assert_int_equal(byte_at(0x3000), 0xa5);
	close_opened(&o);
	make_ranges(9);
	put64(&f, 0x2018, 0x10);
	expect_kind(DT_KIND_ACTIVE);
	assert_true(has_note(&o, "ranges", "the first page stands at 0x10, inside the headers"));
	assert_int_equal(byte_at(0x3000), -1);
	close_opened(&o);
	make_ranges(10);
	put64(&f, 0x2028, 5);
	expect_kind(DT_KIND_FULL_RANGES);
	assert_true(has_note(&o, "ranges", "0x5 pages are told, the ranges have 0x1"));
	close_opened(&o);
}

static void who_wrote_it_and_whether_it_fitted(void **state)
{
	(void)state;
	make_full();
	put32(&f, 0x8c, 0);
	put32(&f, 0xf9c, 0);
	put32(&f, 0x1050, 1 << 2);
	expect_kind(DT_KIND_FULL);
	assert_int_equal(o.dump.writer, DT_WRITER_HYPERVISOR);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(is_missing(&o, "what did not fit"));
	close_opened(&o);
	make_full();
	expect_kind(DT_KIND_FULL);
	assert_int_equal(o.dump.writer, DT_writer_NULL);
	close_opened(&o);
}

static void a_tools_mark_is_told(void **state)
{
	(void)state;
	make_full();
	put32(&f, 0x38, 0x5454414d);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.bugcheck_code, 0x5454414d);
	assert_int_equal(o.dump.live, DT_TRUE);
	assert_int_equal(o.dump.writer, DT_WRITER_TOOL);
	close_opened(&o);
}

static void an_encrypted_body_is_said(void **state)
{
	(void)state;
	make(6, "");
	put32(&f, 0x1050, 1 << 8);
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(is_missing(&o, "encrypted"));
	close_opened(&o);
}

static void unknown_types_fail_with_their_number(void **state)
{
	(void)state;
	make(11, "");
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 0xf98, "DumpType 0xb, expected 1 to 10");
	assert_true(o.dump.has_bugcheck);
	close_opened(&o);
	fill(&f, 0xf98, 0xf9c);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 0xf98, "DumpType 0x45474150");
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_bodies_name_the_kind),
		cmocka_unit_test(a_body_that_belies_the_type_is_noted),
		cmocka_unit_test(a_signature_is_believed_before_the_type),
		cmocka_unit_test(a_cut_file_gives_its_share),
		cmocka_unit_test(runs_that_lie_are_left_out),
		cmocka_unit_test(bitmaps_that_lie_are_said),
		cmocka_unit_test(ranges_that_lie_are_said),
		cmocka_unit_test(who_wrote_it_and_whether_it_fitted),
		cmocka_unit_test(a_tools_mark_is_told),
		cmocka_unit_test(an_encrypted_body_is_said),
		cmocka_unit_test(unknown_types_fail_with_their_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

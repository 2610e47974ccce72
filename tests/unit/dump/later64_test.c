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
	if (kind == DT_KIND_HEADER_ONLY) {
		assert_true(is_missing(&o, "this kind of dump has none"));
		return;
	}
	assert_true(is_missing(&o, "memory: not read by this version"));
	assert_true(is_missing(&o, "modules: not read by this version"));
	assert_true(is_missing(&o, "stack: not read by this version"));
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
		make(rows[i].type, rows[i].body);
		put32(&f, 0x1050, rows[i].attributes);
		if (rows[i].type >= 8)
			put32(&f, 0x2000, 0x40);
		expect_kind(rows[i].kind);
		assert_int_equal(o.notes.count, 0);
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
	close_opened(&o);
	make(6, "");
	f.len = 0x2000;
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(has_note(&o, "body", "DumpType 6"));
	close_opened(&o);
}

static void lengths_are_checked(void **state)
{
	(void)state;
	make(1, "");
	put32(&f, 0x88, 2);
	put64(&f, 0x90, 3);
	expect_kind(DT_KIND_FULL);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "file", "0x5000 bytes expected, the file ends at 0x2100"));
	assert_true(is_missing(&o, "end of the file: 0x2100 of 0x5000 bytes are there"));
	close_opened(&o);
	put8(&f, 0x4fff, 0);
	expect_kind(DT_KIND_FULL);
	assert_int_equal(o.dump.complete, DT_TRUE);
	close_opened(&o);
	make(6, "SDMPDUMP");
	put64(&f, 0x2020, 0x3000);
	put64(&f, 0x2028, 5);
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_true(has_note(&o, "file", "0x8000 bytes expected"));
	close_opened(&o);
	put64(&f, 0x2028, UINT64_MAX); /* a lie too big to believe says nothing */
	expect_kind(DT_KIND_KERNEL_BITMAP);
	assert_int_equal(o.dump.complete, DT_NOT_KNOWN);
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
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(an_encrypted_body_is_said),
		cmocka_unit_test(unknown_types_fail_with_their_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

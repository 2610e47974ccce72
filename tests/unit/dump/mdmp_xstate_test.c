#include "mdmp_fixture.h"

#include <stdio.h>

#define WHERE "extended registers"
#define COMPACTED (UINT64_C(1) << 63)

enum { EX = 0x4d0, AREA = EX + 0x30, RECORD = AREA + 0x60 };

static size_t context, exception, config;

/* An exception of x64 whose registers have an area with this mask, and CET_U behind its header. */
static void begin(uint64_t mask, uint64_t compaction)
{
	begin_mdmp();
	add_system(9, 2);
	context = add_context(0x1111, 0x9010);
	put8(&f, context + RECORD - 1, 0);
	put32(&f, context + 0x30, 0x10005f);
	put32(&f, context + EX + 0x10, AREA - EX);
	put32(&f, context + EX + 0x14, 0x50);
	put64(&f, context + AREA, mask);
	put64(&f, context + AREA + 8, compaction);
	put64(&f, context + AREA + 0x40, 1);
	put64(&f, context + AREA + 0x48, UINT64_C(0xcbc83fefc8));
	exception = add_exception(44, (uint32_t)context);
	put32(&f, exception + 0xa0, RECORD);
}

/* MINIDUMP_MISC_INFO_5 with these enabled features. */
static void add_config(uint64_t enabled)
{
	size_t at = add_stream(15, 1364);

	put32(&f, at, 1364);
	config = at + 0x340;
	put32(&f, config, 528);
	put32(&f, config + 4, 0x57f);
	put64(&f, config + 8, enabled);
}

static void set_feature(unsigned number, uint32_t off, uint32_t size)
{
	put32(&f, config + 0x10 + 8 * number, off);
	put32(&f, config + 0x14 + 8 * number, size);
}

static void expect_only(const char *text)
{
	open_mdmp();
	assert_int_equal(o.notes.count, 1);
	assert_string_equal(o.notes.items[0].where, WHERE);
	assert_string_equal(o.notes.items[0].text, text);
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x1111)); /* whatever stands behind them */
	assert_int_equal(o.dump.complete, DT_TRUE);
	close_opened(&o);
}

static void expect_warning(const char *text)
{
	open_mdmp();
	assert_true(has_note(&o, WHERE, text));
	for (size_t i = 0; i < o.notes.count; i++) {
		assert_true(o.notes.items[i].level == DT_NOTE_WARNING || !strstr(o.notes.items[i].text, text));
		assert_null(strstr(o.notes.items[i].text, "shadow stack"));
	}
	close_opened(&o);
}

static void says_where_the_shadow_stack_is(void **state)
{
	(void)state;
	begin(0x800, COMPACTED | 0x800);
	expect_only("of the thread: CET_U; shadow stack pointer 0xcbc83fefc8 (IA32_U_CET 0x1)");
}

static void features_before_it_move_it(void **state)
{
	(void)state;
	begin(0x800, COMPACTED | 0xa04);
	add_config(COMPACTED | 0xa07);
	/* AVX is shorter here than it is, so that CET_U stays in the record. */
	set_feature(2, 576, 8);
	set_feature(9, 584, 8);
	put64(&f, context + AREA + 0x50, 1);
	put64(&f, context + AREA + 0x58, UINT64_C(0xcbc83fe000));
	put32(&f, context + EX + 0x14, 0x60);
	open_mdmp();
	assert_true(has_note(&o, WHERE, "enabled: x87, SSE, AVX, PKRU, CET_U"));
	assert_true(has_note(&o, WHERE, "of the thread: CET_U; shadow stack pointer 0xcbc83fe000 (IA32_U_CET 0x1)"));
	close_opened(&o);
}

static void not_compacted_the_description_says_where(void **state)
{
	(void)state;
	begin(0x800, 0);
	add_config(0x803);
	set_feature(11, 576, 16);
	open_mdmp();
	assert_true(has_note(&o, WHERE, "shadow stack pointer 0xcbc83fefc8"));
	close_opened(&o);
	set_feature(11, 577, 16); /* ends one byte behind the area */
	expect_warning("CET_U is said to be there, and its place in 0x50 bytes at 0x");
	set_feature(11, 575, 16); /* in the header */
	expect_warning("CET_U is said to be there");
	set_feature(11, 0xffffffff, 16);
	expect_warning("CET_U is said to be there");
}

static void without_sizes_its_place_is_not_known(void **state)
{
	(void)state;
	begin(0x800, COMPACTED | 0x804);
	expect_warning("CET_U is said to be there");
	begin(0x800, COMPACTED | 0x804);
	add_config(0x807);
	set_feature(2, 576, 0xffffffff);
	expect_warning("CET_U is said to be there");
	begin(0x800, COMPACTED); /* the compaction leaves out what the mask has */
	expect_warning("CET_U is said to be there");
}

static void features_have_names(void **state)
{
	(void)state;
	begin(0, COMPACTED | 0x800);
	expect_only("of the thread: none"); /* bytes of a feature in its initial state mean nothing */
	begin(0x60300 | 0xff, 0);
	expect_only("of the thread: x87, SSE, AVX, MPX, AVX-512, IPT, PKRU, AMX");
	begin(UINT64_C(0x4000000000080000), 0);
	expect_only("of the thread: others (0x4000000000080000)");
}

static void without_the_flag_nothing_is_read(void **state)
{
	(void)state;
	begin(0x800, COMPACTED | 0x800);
	put32(&f, context + 0x30, 0x10001f);
	open_mdmp();
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
}

static void an_area_outside_of_the_record_is_not_read(void **state)
{
	static const struct {
		uint32_t off, length;
	} rows[] = {
		{ 0x41, 0x50 },       { 0x30, 0x61 },     { 0x30, 0x3f }, { 0x30, 0xffffffff }, { 0x7fffffff, 0x50 }, { 0x80000000, 0x50 },
		{ 0xffffffff, 0x50 }, { 0x17, 0x50 } /* in CONTEXT_EX */,
	};
	char text[120];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(0x800, COMPACTED | 0x800);
		put32(&f, context + EX + 0x10, rows[i].off);
		put32(&f, context + EX + 0x14, rows[i].length);
		snprintf(text, sizeof(text), "0x%x bytes at %+d from 0x%zx are not in the registers' record of 0x%x bytes at 0x%zx",
		         rows[i].length, (int)rows[i].off, context + EX, RECORD, context);
		expect_warning(text);
	}
}

static void a_record_that_ends_early_is_said(void **state)
{
	char text[120];

	(void)state;
	for (uint32_t len = EX; len <= EX + 0x17; len += 0x17) {
		begin(0x800, COMPACTED | 0x800);
		put32(&f, exception + 0xa0, len);
		snprintf(text, sizeof(text), "the registers at 0x%zx say that there are some, and end at 0x%x of 0x4e8 bytes", context, len);
		expect_warning(text);
	}
}

static void a_description_of_a_wrong_size_is_not_used(void **state)
{
	static const uint32_t sizes[] = { 1, 15, 0x211, 0xffffffff };
	char text[120];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(0, 0);
		put32(&f, context + 0x30, 0x10001f);
		add_config(0x803);
		put32(&f, config, sizes[i]);
		snprintf(text, sizeof(text), "a description of 0x%x bytes at 0x%zx, 0x10 to 0x210 expected and 0x210 there", sizes[i], config);
		expect_warning(text);
	}
	begin(0, 0);
	add_config(0x803);
	put32(&f, config - 0x340, 0x340 + 0x20f); /* SizeOfInfo of the misc info */
	snprintf(text, sizeof(text), "a description of 0x210 bytes at 0x%zx, 0x10 to 0x210 expected and 0x20f there", config);
	expect_warning(text);
}

static void older_misc_info_has_none(void **state)
{
	(void)state;
	begin(0x800, COMPACTED | 0x800);
	add_config(0x803);
	put32(&f, config - 0x340, 0x340);
	expect_only("of the thread: CET_U; shadow stack pointer 0xcbc83fefc8 (IA32_U_CET 0x1)");
	begin(0, 0);
	put32(&f, context + 0x30, 0x10001f);
	add_config(0);
	put32(&f, config, 0);
	open_mdmp();
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_the_shadow_stack_is),
		cmocka_unit_test(features_before_it_move_it),
		cmocka_unit_test(not_compacted_the_description_says_where),
		cmocka_unit_test(without_sizes_its_place_is_not_known),
		cmocka_unit_test(features_have_names),
		cmocka_unit_test(without_the_flag_nothing_is_read),
		cmocka_unit_test(an_area_outside_of_the_record_is_not_read),
		cmocka_unit_test(a_record_that_ends_early_is_said),
		cmocka_unit_test(a_description_of_a_wrong_size_is_not_used),
		cmocka_unit_test(older_misc_info_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

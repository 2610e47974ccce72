#include "fixture.h"

static struct opened o;
static struct fixture f;

static void expect(const char *bytes, enum dt_format format, enum dt_kind kind, const char *text)
{
	f.len = 0;
	put_text(&f, 0, bytes);
	put16(&f, 0x10, 4);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0, text);
	assert_int_equal(o.dump.format, format);
	assert_int_equal(o.dump.kind, kind);
	assert_false(o.dump.reader->is_read);
	close_opened(&o);
}

static void are_recognised_and_said(void **state)
{
	(void)state;
	expect("PMDM", DT_FORMAT_USER, DT_KIND_MINIDUMP, "swapped bytes");
	expect("USERDUMP", DT_FORMAT_USER, DT_kind_NULL, "came before minidumps");
	expect("USERDU64", DT_FORMAT_USER, DT_kind_NULL, "came before minidumps");
}

static void an_elf_program_is_no_core(void **state)
{
	(void)state;
	f.len = 0;
	put_text(&f, 0, "\x7f\x45LF\2\1\1");
	put16(&f, 0x10, 2);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_NOT_A_DUMP, 0, "not a core file");
	close_opened(&o);
	open_bytes(&o, f.data, 0x11);
	expect_failure(&o, DT_ERR_NOT_A_DUMP, 0, "not a core file");
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_recognised_and_said),
		cmocka_unit_test(an_elf_program_is_no_core),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

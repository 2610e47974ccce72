/* Lines on a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/page.h"

static struct dt_buf buf;

static struct dt_page page_of(unsigned width, bool colour)
{
	static struct dt_report_style style;
	struct dt_page page;

	style = (struct dt_report_style){ .width = width, .colour = colour };
	dt_buf_reset(&buf);
	dt_page_init(&page, &style, &buf);
	return page;
}

static void rows_stand_in_one_column(void **state)
{
	(void)state;
	struct dt_page page = page_of(100, false);

	dt_page_row(&page, "Label", "text");
	dt_page_row(&page, "A much longer label", "text");
	dt_page_row(&page, "Nothing", NULL);
	dt_page_row(&page, "Nothing", "");
	assert_string_equal(dt_buf_text(&buf), "  Label         text\n  A much longer label text\n");
}

static void text_is_wrapped_at_words(void **state)
{
	(void)state;
	struct dt_page page = page_of(40, false);

	dt_page_row(&page, "Label", "one two three four five six seven eight");
	assert_string_equal(dt_buf_text(&buf), "  Label         one two three four five\n                six seven eight\n");
}

static void a_word_longer_than_the_line_stays_whole(void **state)
{
	(void)state;
	struct dt_page page = page_of(40, false);

	dt_page_wrap(&page, 0, 0, "a 0123456789012345678901234567890123456789012345678901234567890 b");
	assert_string_equal(dt_buf_text(&buf), "a\n0123456789012345678901234567890123456789012345678901234567890\nb\n");
}

static void characters_count_not_bytes(void **state)
{
	(void)state;
	struct dt_page page = page_of(40, false);

	/* 13 two-byte letters, twice: 27 columns, 53 bytes */
	dt_page_wrap(&page, 0, 0, "äääääääääääää äääääääääääää");
	assert_string_equal(dt_buf_text(&buf), "äääääääääääää äääääääääääää\n");
}

static void newlines_begin_new_lines(void **state)
{
	(void)state;
	struct dt_page page = page_of(40, false);

	dt_page_wrap(&page, 0, 4, "one\ntwo");
	assert_string_equal(dt_buf_text(&buf), "    one\n    two\n");
}

static void colours_only_where_asked(void **state)
{
	(void)state;
	struct dt_page page = page_of(100, true);

	dt_page_ink(&page, DT_INK_RED, "x");
	assert_string_equal(dt_buf_text(&buf), "\033[1;31mx\033[0m");
	page = page_of(100, false);
	dt_page_ink(&page, DT_INK_RED, "x");
	assert_string_equal(dt_buf_text(&buf), "x");
}

static int setup(void **state)
{
	(void)state;
	dt_buf_init(&buf, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_buf_deinit(&buf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_stand_in_one_column),
		cmocka_unit_test(text_is_wrapped_at_words),
		cmocka_unit_test(a_word_longer_than_the_line_stays_whole),
		cmocka_unit_test(characters_count_not_bytes),
		cmocka_unit_test(newlines_begin_new_lines),
		cmocka_unit_test(colours_only_where_asked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

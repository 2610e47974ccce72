#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/status.h"
#include "core/base/text.h"

static void fills_the_error(void **state)
{
	struct dt_error err;
	(void)state;
	memset(&err, 0xAA, sizeof err);
	assert_int_equal(dt_fail(&err, DT_ERR_IO, "expected %d, found %s", 3, "none"), DT_ERR_IO);
	assert_int_equal(err.status, DT_ERR_IO);
	assert_false(err.has_off);
	assert_string_equal(err.text, "expected 3, found none");
	assert_int_equal(dt_fail_at(&err, DT_ERR_FORMAT, 0x1234, "bad"), DT_ERR_FORMAT);
	assert_true(err.has_off);
	assert_int_equal(err.off, 0x1234);
	assert_int_equal(err.status, DT_ERR_FORMAT);
}

static void accepts_no_error(void **state)
{
	(void)state;
	assert_int_equal(dt_fail(NULL, DT_ERR_LIMIT, "%s", "lost"), DT_ERR_LIMIT);
	assert_int_equal(dt_fail_at(NULL, DT_ERR_NOMEM, 1, "%s", "lost"), DT_ERR_NOMEM);
}

/* A long message is cut where a character ends: its text goes into records, which hold nothing but clean text. */
static void cuts_between_characters(void **state)
{
	struct dt_error err;
	char text[400];
	(void)state;
	for (size_t lead = 0; lead < 20; lead++) {
		memset(text, 'a', lead);
		for (size_t i = lead; i + 14 < sizeof text; i += 13)
			memcpy(text + i, "\xE2\x9F\xA8U+0007\xE2\x9F\xA9-", 14);
		dt_fail(&err, DT_ERR_FORMAT, "%s", text);
		assert_true(strlen(err.text) > sizeof err.text - 16);
		assert_true(dt_text_is_clean(err.text, strlen(err.text)));
	}
}

static void names_every_status(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DT_STATUS_COUNT; i++) {
		assert_non_null(dt_status_name((enum dt_status)i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(dt_status_name((enum dt_status)i),
			                        dt_status_name((enum dt_status)k));
	}
	assert_string_equal(dt_status_name(DT_ERR_TRUNCATED), "truncated");
	assert_string_equal(dt_status_name((enum dt_status)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_error),
		cmocka_unit_test(accepts_no_error),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(names_every_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

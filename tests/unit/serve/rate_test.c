#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doors/serve/access.h"
#include "doors/serve/options.h"
#include "doors/serve/rate.h"

static void a_burst_and_then_a_rate(void **state)
{
	struct dt_rate *rate = dt_rate_create(10, 20);
	unsigned wait = 0, allowed = 0;
	(void)state;

	for (int i = 0; i < 30; i++)
		allowed += dt_rate_allow(rate, "a", 1000, &wait);
	assert_int_equal(allowed, 20);
	assert_int_equal(wait, 1);
	assert_true(dt_rate_allow(rate, "b", 1000, &wait)); /* somebody else is not held back */
	assert_false(dt_rate_allow(rate, "a", 1050, &wait));
	assert_true(dt_rate_allow(rate, "a", 1150, &wait));
	allowed = 0;
	for (int i = 0; i < 100; i++)
		allowed += dt_rate_allow(rate, "a", 1200 + i * 10, &wait);
	assert_true(allowed >= 9 && allowed <= 11);
	dt_rate_free(rate);
	rate = dt_rate_create(0, 0);
	for (int i = 0; i < 1000; i++)
		assert_true(dt_rate_allow(rate, "a", 0, &wait));
	dt_rate_free(rate);
}

static void scopes_are_words(void **state)
{
	char text[32];
	(void)state;

	assert_int_equal(dt_scopes_parse("upload"), DT_SCOPE_UPLOAD);
	assert_int_equal(dt_scopes_parse("upload, read"), DT_SCOPE_UPLOAD | DT_SCOPE_READ);
	assert_int_equal(dt_scopes_parse("admin"), DT_SCOPE_ALL);
	assert_int_equal(dt_scopes_parse(""), 0);
	assert_int_equal(dt_scopes_parse("root"), 0);
	assert_int_equal(dt_scopes_parse("read,root"), 0);
	assert_int_equal(dt_scopes_parse("rea"), 0);
	assert_string_equal(dt_scopes_text(DT_SCOPE_UPLOAD | DT_SCOPE_READ, text), "upload,read");
	assert_string_equal(dt_scopes_text(DT_SCOPE_READ, text), "read");
	assert_string_equal(dt_scopes_text(DT_SCOPE_ALL, text), "admin");
}

static void sizes(void **state)
{
	uint64_t size;
	(void)state;

	assert_true(dt_door_size_parse("512", &size) && size == 512);
	assert_true(dt_door_size_parse("8G", &size) && size == UINT64_C(8) << 30);
	assert_true(dt_door_size_parse("3M", &size) && size == UINT64_C(3) << 20);
	assert_false(dt_door_size_parse("", &size));
	assert_false(dt_door_size_parse("G", &size));
	assert_false(dt_door_size_parse("1.5G", &size));
	assert_false(dt_door_size_parse("-1", &size));
	assert_false(dt_door_size_parse("0x10", &size));
	assert_false(dt_door_size_parse("99999999999999T", &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_burst_and_then_a_rate), cmocka_unit_test(scopes_are_words), cmocka_unit_test(sizes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/bytes.h"

static const uint8_t data[] = { 0x01, 0x02, 0x03, 0x04, 0xF5, 0xF6, 0xF7, 0xF8, 0x09 };
static const struct dt_bytes view = { data, sizeof data };

static void holds_bounds(void **state)
{
	(void)state;
	assert_true(dt_bytes_has(view, 0, 9));
	assert_true(dt_bytes_has(view, 9, 0));
	assert_false(dt_bytes_has(view, 9, 1));
	assert_false(dt_bytes_has(view, 10, 0));
	assert_false(dt_bytes_has(view, 1, UINT64_MAX));
	assert_false(dt_bytes_has(view, UINT64_MAX, 1));
	assert_false(dt_bytes_has(view, UINT64_MAX, UINT64_MAX));
}

static void reads_little_endian(void **state)
{
	uint8_t a = 0;
	uint16_t b = 0;
	uint32_t c = 0;
	uint64_t d = 0;
	(void)state;
	assert_true(dt_bytes_u8(view, 4, &a) && a == 0xF5);
	assert_true(dt_bytes_u16(view, 3, &b) && b == 0xF504);
	assert_true(dt_bytes_u32(view, 4, &c) && c == 0xF8F7F6F5);
	assert_true(dt_bytes_u64(view, 1, &d) && d == 0x09F8F7F6F5040302);
}

static void leaves_the_result_alone_past_the_end(void **state)
{
	uint8_t a = 7;
	uint16_t b = 7;
	uint32_t c = 7;
	uint64_t d = 7;
	(void)state;
	assert_false(dt_bytes_u8(view, 9, &a));
	assert_false(dt_bytes_u16(view, 8, &b));
	assert_false(dt_bytes_u32(view, 6, &c));
	assert_false(dt_bytes_u64(view, 2, &d));
	assert_false(dt_bytes_u64(view, UINT64_MAX - 3, &d));
	assert_true(a == 7 && b == 7 && c == 7 && d == 7);
	assert_int_equal(dt_bytes_u16_or(view, 8, 9), 9);
	assert_int_equal(dt_bytes_u32_or(view, 6, 9), 9);
	assert_int_equal(dt_bytes_u64_or(view, 2, 9), 9);
	assert_int_equal(dt_bytes_u32_or(view, 0, 9), 0x04030201);
}

static void gives_parts(void **state)
{
	struct dt_bytes part = { NULL, 77 };
	(void)state;
	assert_true(dt_bytes_sub(view, 2, 3, &part));
	assert_ptr_equal(part.data, data + 2);
	assert_int_equal(part.len, 3);
	assert_false(dt_bytes_sub(view, 8, 2, &part));
	assert_int_equal(part.len, 3);
	assert_int_equal(dt_bytes_clip(view, 8, 2).len, 1);
	assert_int_equal(dt_bytes_clip(view, 8, UINT64_MAX).len, 1);
	assert_int_equal(dt_bytes_clip(view, 9, 2).len, 0);
	assert_true(dt_bytes_sub((struct dt_bytes){ NULL, 0 }, 0, 0, &part));
	assert_int_equal(part.len, 0);
}

static void matches_text(void **state)
{
	(void)state;
	assert_true(dt_bytes_match(view, 0, "\x01\x02", 2));
	assert_true(dt_bytes_match(view, 9, "", 0));
	assert_false(dt_bytes_match(view, 0, "\x01\x03", 2));
	assert_false(dt_bytes_match(view, 8, "\x09\x00", 2));
	assert_false(dt_bytes_match(view, UINT64_MAX, "\x09", 1));
	assert_true(dt_bytes_match((struct dt_bytes){ NULL, 0 }, 0, "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_bounds),
		cmocka_unit_test(reads_little_endian),
		cmocka_unit_test(leaves_the_result_alone_past_the_end),
		cmocka_unit_test(gives_parts),
		cmocka_unit_test(matches_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

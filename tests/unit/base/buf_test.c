#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/buf.h"

static void writes(void **state)
{
	struct dt_buf buf;
	(void)state;
	dt_buf_init(&buf, 1 << 20);
	assert_string_equal(dt_buf_text(&buf), "");
	dt_buf_puts(&buf, "a");
	dt_buf_putc(&buf, 'b');
	dt_buf_append(&buf, "cd", 2);
	dt_buf_append(&buf, NULL, 0);
	dt_buf_printf(&buf, "-%d-%s", -5, "x");
	assert_string_equal(dt_buf_text(&buf), "abcd--5-x");
	assert_int_equal(dt_buf_bytes(&buf).len, 9);
	dt_buf_reset(&buf);
	assert_string_equal(dt_buf_text(&buf), "");
	for (unsigned i = 0; i < 10000; i++)
		dt_buf_printf(&buf, "%05u", i);
	assert_int_equal(buf.len, 50000);
	assert_memory_equal(buf.data + 49990, "0999809999", 11);
	assert_true(dt_buf_ok(&buf));
	dt_buf_deinit(&buf);
}

static void writes_numbers(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x9F, 0xFF };
	struct dt_buf buf;
	(void)state;
	dt_buf_init(&buf, 200);
	dt_buf_hex(&buf, 0);
	dt_buf_putc(&buf, ' ');
	dt_buf_hex(&buf, 0xFFFFF801abcdef00);
	dt_buf_putc(&buf, ' ');
	dt_buf_u64(&buf, 0);
	dt_buf_putc(&buf, ' ');
	dt_buf_u64(&buf, UINT64_MAX);
	dt_buf_putc(&buf, ' ');
	dt_buf_hexbytes(&buf, (struct dt_bytes){ bytes, 3 });
	dt_buf_hexbytes(&buf, (struct dt_bytes){ NULL, 0 });
	assert_string_equal(dt_buf_text(&buf), "0x0 0xfffff801abcdef00 0 18446744073709551615 009fff");
	dt_buf_deinit(&buf);
}

/* Every kind of write: what fits exactly is written, one byte more is refused and remembered. */
static void holds_its_maximum(void **state)
{
	struct dt_buf buf;
	(void)state;
	dt_buf_init(&buf, 4);
	dt_buf_puts(&buf, "abcd");
	assert_true(dt_buf_ok(&buf));
	dt_buf_append(&buf, "", 0);
	assert_true(dt_buf_ok(&buf));
	dt_buf_putc(&buf, 'e');
	assert_false(dt_buf_ok(&buf));
	assert_string_equal(dt_buf_text(&buf), "abcd");
	dt_buf_reset(&buf);
	assert_true(dt_buf_ok(&buf));
	dt_buf_printf(&buf, "%s", "abcde");
	assert_false(dt_buf_ok(&buf));
	assert_string_equal(dt_buf_text(&buf), "");
	dt_buf_puts(&buf, "a"); /* a hole in the output would be worse than its end */
	assert_int_equal(buf.len, 0);
	dt_buf_reset(&buf);
	dt_buf_hexbytes(&buf, (struct dt_bytes){ (const uint8_t *)"abc", 3 });
	assert_false(dt_buf_ok(&buf));
	dt_buf_deinit(&buf);
	dt_buf_init(&buf, 0);
	dt_buf_putc(&buf, 'a');
	assert_false(dt_buf_ok(&buf));
	dt_buf_deinit(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(holds_its_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

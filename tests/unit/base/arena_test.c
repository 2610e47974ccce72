#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

static bool is_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

/* Many sizes, each written over fully: no two overlap, all are aligned and zeroed. */
static void gives_zeroed_memory_of_its_own(void **state)
{
	enum { COUNT = 400 };
	static uint8_t *at[COUNT];
	struct dt_arena arena;
	(void)state;
	dt_arena_init(&arena, 32 << 20);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++) {
			size_t size = i * i % 40000;
			at[i] = dt_arena_alloc(&arena, size);
			assert_non_null(at[i]);
			assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
			assert_true(is_zero(at[i], size));
			memset(at[i], (int)(i % 255 + 1), size);
		}
		for (size_t i = 0; i < COUNT; i++)
			for (size_t k = 0; k < i * i % 40000; k += 97)
				assert_int_equal(at[i][k], i % 255 + 1);
		dt_arena_reset(&arena);
	}
	assert_false(arena.failed);
	dt_arena_deinit(&arena);
	assert_null(arena.blocks);
}

static void refuses_past_its_maximum(void **state)
{
	struct dt_arena arena;
	(void)state;
	dt_arena_init(&arena, 100000);
	assert_non_null(dt_arena_alloc(&arena, 50000));
	assert_null(dt_arena_alloc(&arena, 60000));
	assert_true(arena.failed);
	assert_non_null(dt_arena_alloc(&arena, 1000)); /* smaller ones still fit */
	assert_true(arena.failed);
	assert_true(arena.used <= 100000);
	dt_arena_reset(&arena);
	assert_false(arena.failed);
	dt_arena_deinit(&arena);
}

static void refuses_what_overflows(void **state)
{
	struct dt_arena arena;
	(void)state;
	dt_arena_init(&arena, SIZE_MAX);
	assert_null(dt_arena_array(&arena, SIZE_MAX / 2, 3));
	assert_true(arena.failed);
	dt_arena_reset(&arena);
	assert_null(dt_arena_array(&arena, 0x10000000000000, 0x1001));
	assert_true(arena.failed);
	dt_arena_deinit(&arena);
	dt_arena_init(&arena, 0);
	assert_null(dt_arena_alloc(&arena, 1));
	assert_null(dt_arena_strdup(&arena, "x"));
	assert_null(dt_arena_printf(&arena, "%d", 1));
	assert_int_equal(dt_arena_bytes(&arena, (struct dt_bytes){ (const uint8_t *)"x", 1 }).len, 0);
	dt_arena_deinit(&arena);
}

static void counts_what_it_took(void **state)
{
	struct dt_arena arena;
	(void)state;
	dt_arena_init(&arena, 1 << 20);
	while (dt_arena_alloc(&arena, 333))
		assert_true(arena.used <= arena.max);
	assert_true(arena.used > arena.max - 1000);
	dt_arena_reset(&arena);
	assert_true(arena.used < arena.max / 2);
	dt_arena_deinit(&arena);
	assert_int_equal(arena.used, 0);
}

static void copies_text(void **state)
{
	struct dt_arena arena;
	char big[5000];
	(void)state;
	memset(big, 'z', sizeof big);
	big[sizeof big - 1] = 0;
	dt_arena_init(&arena, 1 << 20);
	assert_string_equal(dt_arena_strdup(&arena, "abc"), "abc");
	assert_string_equal(dt_arena_strdup(&arena, ""), "");
	assert_null(dt_arena_strdup(&arena, NULL));
	assert_false(arena.failed);
	assert_string_equal(dt_arena_strndup(&arena, "abcdef", 3), "abc");
	assert_string_equal(dt_arena_strndup(&arena, "ab\0cd", 5), "ab");
	assert_string_equal(dt_arena_strndup(&arena, NULL, 0), "");
	assert_string_equal(dt_arena_printf(&arena, "%s-%d", "a", 5), "a-5");
	assert_string_equal(dt_arena_printf(&arena, "%s", big), big);
	struct dt_bytes copy = dt_arena_bytes(&arena, (struct dt_bytes){ (const uint8_t *)big, 100 });
	assert_int_equal(copy.len, 100);
	assert_memory_equal(copy.data, big, 100);
	assert_ptr_not_equal(copy.data, big);
	assert_int_equal(dt_arena_bytes(&arena, (struct dt_bytes){ NULL, 0 }).len, 0);
	assert_non_null(dt_arena_alloc(&arena, 0));
	assert_false(arena.failed);
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_memory_of_its_own),
		cmocka_unit_test(refuses_past_its_maximum),
		cmocka_unit_test(refuses_what_overflows),
		cmocka_unit_test(counts_what_it_took),
		cmocka_unit_test(copies_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

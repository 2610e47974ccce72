#include <stdlib.h>

#include "../arena.h"

#include "facts/memory/bits.h"

static void ranks_are_what_counting_gives(void **state)
{
	uint8_t bytes[2000];
	struct dt_bits bits;
	uint64_t rank = 0;

	(void)state;
	srand(7);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(rand() >> 4 & rand() >> 9);
	assert_true(dt_bits_init(&bits, (struct dt_bytes){ bytes, sizeof(bytes) }, 8 * sizeof(bytes), &arena));
	for (uint64_t i = 0; i < bits.count; i++) {
		assert_int_equal(dt_bits_rank(&bits, i), rank);
		assert_int_equal(dt_bits_get(&bits, i), bytes[i / 8] >> i % 8 & 1);
		rank += bytes[i / 8] >> i % 8 & 1;
	}
	assert_int_equal(bits.set, rank);
}

static void bits_behind_the_count_mean_nothing(void **state)
{
	static const uint8_t ones[] = { 0xff, 0xff };
	struct dt_bits bits;

	(void)state;
	assert_true(dt_bits_init(&bits, (struct dt_bytes){ ones, 2 }, 11, &arena));
	assert_int_equal(bits.set, 11);
	assert_true(dt_bits_get(&bits, 10));
	assert_false(dt_bits_get(&bits, 11));
	/* And a count that the bytes do not hold. */
	assert_true(dt_bits_init(&bits, (struct dt_bytes){ ones, 2 }, UINT64_MAX, &arena));
	assert_int_equal(bits.set, 16);
	assert_false(dt_bits_get(&bits, 16));
	assert_false(dt_bits_get(&bits, UINT64_MAX - 1));
	assert_true(dt_bits_init(&bits, (struct dt_bytes){ NULL, 0 }, 100, &arena));
	assert_int_equal(bits.set, 0);
}

static void a_full_arena_is_said(void **state)
{
	struct dt_arena small;
	uint8_t *bytes = calloc(1, 1 << 20);
	struct dt_bits bits;

	(void)state;
	assert_non_null(bytes);
	dt_arena_init(&small, 1024);
	assert_false(dt_bits_init(&bits, (struct dt_bytes){ bytes, 1 << 20 }, 8 << 20, &small));
	dt_arena_deinit(&small);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranks_are_what_counting_gives, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(bits_behind_the_count_mean_nothing, arena_setup, arena_teardown),
		cmocka_unit_test(a_full_arena_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

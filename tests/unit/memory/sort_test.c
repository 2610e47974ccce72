#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "facts/memory/sort.h"

enum { MANY = 5000 };
static struct dt_sort_key keys[MANY], scratch[MANY];

static uint64_t next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 13;
}

static void check_sorted(size_t count)
{
	for (size_t i = 1; i < count; i++) {
		assert_true(keys[i - 1].key <= keys[i].key);
		if (keys[i - 1].key == keys[i].key)
			assert_true(keys[i - 1].index < keys[i].index);
	}
}

/* Every key must still stand for the element it stood for. */
static void sorts(size_t count, uint64_t mask)
{
	static uint64_t before[MANY];
	uint64_t state = count ^ mask;

	for (size_t i = 0; i < count; i++) {
		before[i] = next(&state) & mask;
		keys[i] = (struct dt_sort_key){ before[i], (uint32_t)i };
	}
	dt_sort_keys(keys, count, scratch);
	check_sorted(count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(keys[i].key, before[keys[i].index]);
}

static void sorts_any_count_and_width(void **unused)
{
	static const size_t counts[] = { 0, 1, 2, 47, 48, 49, 50, 500, MANY };
	static const uint64_t masks[] = { UINT64_MAX, 0xff, 0x3, UINT64_C(0xffff00000000ff00), 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t j = 0; j < sizeof(masks) / sizeof(masks[0]); j++)
			sorts(counts[i], masks[j]);
}

static void leaves_sorted_keys_alone(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < MANY; i++)
		keys[i] = (struct dt_sort_key){ i / 2, (uint32_t)i };
	dt_sort_keys(keys, MANY, NULL); /* no scratch is needed: nothing moves */
	check_sorted(MANY);
}

static void sorts_what_descends(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < MANY; i++)
		keys[i] = (struct dt_sort_key){ UINT64_MAX - i, (uint32_t)i };
	dt_sort_keys(keys, MANY, scratch);
	check_sorted(MANY);
	assert_int_equal(keys[0].index, MANY - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_any_count_and_width),
		cmocka_unit_test(leaves_sorted_keys_alone),
		cmocka_unit_test(sorts_what_descends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

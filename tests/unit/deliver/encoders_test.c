/* Every lot is worked on once, whatever the threads do; what was made stays until the next batch; lack of memory is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fleet/deliver/batch.h"

enum { CRASHES = 5000 };

static struct dt_item items[CRASHES];

/* An event says what its crash was called. */
static void encode(void *context, struct dt_encoder *encoder, struct dt_lot *lot)
{
	const char *prefix = context;

	for (size_t i = 0; i < lot->count; i++) {
		dt_buf_reset(&encoder->text);
		dt_buf_printf(&encoder->text, "%s %s", prefix, lot->crashes[i].row.key);
		lot->crashes[i].item->made.body = dt_arena_bytes(&encoder->bodies, dt_buf_bytes(&encoder->text));
		lot->crashes[i].item->state = DT_ITEM_EVENT;
		encoder->no_memory |= encoder->bodies.failed;
	}
}

static void put_all(struct dt_encoders *encoders)
{
	struct dt_lot *lot = NULL;

	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < CRASHES; i++) {
		if (!lot)
			lot = dt_encoders_lot(encoders);
		lot->crashes[lot->count].item = &items[i];
		lot->crashes[lot->count++].row.key = dt_arena_printf(&lot->arena, "%zu", i);
		if (lot->count == DT_LOT || i == CRASHES - 1) {
			dt_encoders_put(encoders, lot);
			lot = NULL;
		}
	}
}

static void each_crash_is_encoded_once_in_every_batch(void **state)
{
	struct dt_encoders *encoders;

	(void)state;
	assert_int_equal(dt_encoders_open(&encoders, encode, "event", 64u << 20, NULL), DT_OK);
	for (unsigned batch = 0; batch < 5; batch++) {
		dt_encoders_begin(encoders);
		put_all(encoders);
		assert_true(dt_encoders_join(encoders));
		for (size_t i = 0; i < CRASHES; i++) {
			char want[40];
			snprintf(want, sizeof(want), "event %zu", i);
			assert_int_equal(items[i].state, DT_ITEM_EVENT);
			assert_int_equal(items[i].made.body.len, strlen(want));
			assert_memory_equal(items[i].made.body.data, want, strlen(want));
		}
	}
	dt_encoders_close(encoders);
}

static void a_batch_without_memory_is_told_and_the_next_one_is_sound(void **state)
{
	char longer[20001];
	struct dt_encoders *encoders;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(dt_encoders_open(&encoders, encode, longer, 1u << 20, NULL), DT_OK);
	dt_encoders_begin(encoders);
	put_all(encoders);
	assert_false(dt_encoders_join(encoders));
	dt_encoders_begin(encoders);
	struct dt_lot *lot = dt_encoders_lot(encoders);
	lot->crashes[0].item = &items[0];
	lot->crashes[0].row.key = "one";
	lot->count = 1;
	dt_encoders_put(encoders, lot);
	assert_true(dt_encoders_join(encoders));
	dt_encoders_close(encoders);
}

/* A delivery that ends in mid-batch. */
static void closing_waits_for_nothing_that_is_not_begun(void **state)
{
	struct dt_encoders *encoders;

	(void)state;
	assert_int_equal(dt_encoders_open(&encoders, encode, "event", 64u << 20, NULL), DT_OK);
	put_all(encoders);
	dt_encoders_close(encoders);
	dt_encoders_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_crash_is_encoded_once_in_every_batch),
		cmocka_unit_test(a_batch_without_memory_is_told_and_the_next_one_is_sound),
		cmocka_unit_test(closing_waits_for_nothing_that_is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

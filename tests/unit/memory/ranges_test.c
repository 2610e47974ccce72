#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "facts/memory/memory.h"

struct world {
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_memory mem;
};

static int set_up(void **state)
{
	static struct world world;

	dt_arena_init(&world.arena, DT_MAX_ARENA);
	dt_notes_init(&world.notes, &world.arena);
	dt_memory_init(&world.mem, &world.arena);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	dt_arena_deinit(&world->arena);
	return 0;
}

static struct dt_bytes view(const void *data, size_t len)
{
	return (struct dt_bytes){ data, len };
}

static void seal(struct world *world)
{
	struct dt_error err = { 0 };

	assert_int_equal(dt_memory_seal(&world->mem, &world->notes, &err), DT_OK);
}

static const uint8_t low[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t high[] = { 16, 17, 18, 19, 20, 21, 22, 23 };

/* 0x1000..0x100f and right behind it 0x1010..0x1017, from elsewhere; then a gap; 0x2000..0x200f. */
static void add_three(struct world *world)
{
	assert_true(dt_memory_add(&world->mem, 0x2000, view(low, 16), DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&world->mem, 0x1010, view(high, 8), DT_RANGE_STACK));
	assert_true(dt_memory_add(&world->mem, 0x1000, view(low, 16), DT_RANGE_BLOCK));
	seal(world);
}

static void reads_on_into_the_next_range(void **state)
{
	struct world *world = *state;
	uint8_t out[32];
	uint64_t word;
	uint32_t half;

	add_three(world);
	assert_int_equal(dt_memory_read(&world->mem, 0x1008, out, 12), 12);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(out[i], 8 + i);
	assert_true(dt_memory_u64(&world->mem, 0x100c, &word));
	assert_int_equal(word, UINT64_C(0x131211100f0e0d0c));
	assert_true(dt_memory_u32(&world->mem, 0x100e, &half));
	assert_int_equal(half, 0x11100f0e);
}

static void stops_at_the_first_byte_that_is_not_there(void **state)
{
	struct world *world = *state;
	uint8_t out[32] = { 0 };
	uint64_t word = 77;
	uint32_t half = 78;

	add_three(world);
	assert_int_equal(dt_memory_read(&world->mem, 0x1014, out, 16), 4);
	assert_int_equal(dt_memory_read(&world->mem, 0x1018, out, 16), 0);
	assert_int_equal(dt_memory_read(&world->mem, 0xfff, out, 16), 0);
	assert_int_equal(dt_memory_read(&world->mem, 0x2010, out, 1), 0);
	assert_int_equal(dt_memory_read(&world->mem, UINT64_MAX, out, 16), 0);
	assert_false(dt_memory_read_all(&world->mem, 0x1014, out, 5));
	assert_true(dt_memory_read_all(&world->mem, 0x1014, out, 4));
	assert_false(dt_memory_u64(&world->mem, 0x1011, &word));
	assert_false(dt_memory_u32(&world->mem, 0x1015, &half));
	assert_int_equal(word, 77);
	assert_int_equal(half, 78);
}

static void measures_spans_both_ways(void **state)
{
	struct world *world = *state;

	add_three(world);
	assert_int_equal(dt_memory_span(&world->mem, 0x1004, 100), 20);
	assert_int_equal(dt_memory_span(&world->mem, 0x1004, 12), 12);
	assert_int_equal(dt_memory_span(&world->mem, 0x1004, 13), 13);
	assert_int_equal(dt_memory_span(&world->mem, 0x1018, 100), 0);
	assert_int_equal(dt_memory_span_before(&world->mem, 0x1018, 100), 24);
	assert_int_equal(dt_memory_span_before(&world->mem, 0x1012, 3), 3);
	assert_int_equal(dt_memory_span_before(&world->mem, 0x1000, 100), 0);
	assert_int_equal(dt_memory_span_before(&world->mem, 0x2001, 100), 1);
	assert_int_equal(dt_memory_span_before(&world->mem, 0, 100), 0);
}

static void views_without_copying(void **state)
{
	struct world *world = *state;

	add_three(world);
	struct dt_bytes bytes = dt_memory_view(&world->mem, 0x1003);
	assert_ptr_equal(bytes.data, low + 3);
	assert_int_equal(bytes.len, 13);
	assert_int_equal(dt_memory_view(&world->mem, 0x1fff).len, 0);
}

static void refuses_empty_and_wrapping_ranges(void **state)
{
	struct world *world = *state;
	uint8_t out[16];

	assert_false(dt_memory_add(&world->mem, 0x1000, view(low, 0), DT_RANGE_BLOCK));
	assert_false(dt_memory_add(&world->mem, UINT64_MAX - 14, view(low, 16), DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&world->mem, UINT64_MAX - 15, view(low, 16),
	                          DT_RANGE_BLOCK)); /* up to the very top */
	seal(world);
	assert_int_equal(dt_memory_read(&world->mem, UINT64_MAX - 3, out, 16), 4);
	assert_int_equal(out[3], 15);
	assert_int_equal(dt_memory_span(&world->mem, UINT64_MAX, 10), 1);
	assert_int_equal(dt_memory_read(&world->mem, 0, out, 1), 0);
}

static void finds_nothing_before_sealing(void **state)
{
	struct world *world = *state;
	uint8_t out[4];

	dt_memory_add(&world->mem, 0x1000, view(low, 16), DT_RANGE_BLOCK);
	assert_int_equal(dt_memory_read(&world->mem, 0x1000, out, 4), 0);
	assert_int_equal(dt_memory_span_before(&world->mem, 0x1004, 4), 0);
	seal(world);
	assert_int_equal(dt_memory_read(&world->mem, 0x1000, out, 4), 4);
	assert_false(dt_memory_add(&world->mem, 0x5000, view(low, 16), DT_RANGE_BLOCK));
}

static void joins_what_follows_in_memory_and_in_the_file(void **state)
{
	struct world *world = *state;

	dt_memory_add(&world->mem, 0x1000, view(low, 8), DT_RANGE_BLOCK);
	dt_memory_add(&world->mem, 0x1008, view(low + 8, 8), DT_RANGE_BLOCK);
	assert_int_equal(world->mem.count, 1);
	dt_memory_add(&world->mem, 0x1010, view(low, 8), DT_RANGE_BLOCK);      /* other bytes */
	dt_memory_add(&world->mem, 0x1018, view(low + 8, 8), DT_RANGE_STACK);  /* other rank */
	dt_memory_add(&world->mem, 0x1028, view(low + 16, 0), DT_RANGE_STACK); /* nothing */
	assert_int_equal(world->mem.count, 3);
	seal(world);
	assert_int_equal(dt_memory_view(&world->mem, 0x1000).len, 16);
	assert_int_equal(dt_memory_span(&world->mem, 0x1000, 100), 32);
}

static void caps_the_number_of_ranges(void **state)
{
	struct world *world = *state;
	struct dt_error err = { 0 };

	assert_int_equal(dt_memory_reserve(&world->mem, (size_t)DT_MAX_RANGES + 1, &err), DT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "262144"));
	assert_int_equal(dt_memory_reserve(&world->mem, SIZE_MAX, &err), DT_ERR_LIMIT);
	for (size_t i = 0; i < DT_MAX_RANGES; i++)
		assert_true(dt_memory_add(&world->mem, 0x1000 * i, view(low, 16), DT_RANGE_BLOCK));
	assert_false(dt_memory_add(&world->mem, 0x1000 * (uint64_t)DT_MAX_RANGES, view(low, 16), DT_RANGE_BLOCK));
	seal(world);
	assert_int_equal(dt_memory_span(&world->mem, 0x1000 * 4711, 100), 16);
}

static void says_when_the_arena_is_full(void **state)
{
	struct world *world = *state;
	struct dt_error err = { 0 };
	struct dt_arena small;
	struct dt_memory mem;

	(void)world;
	dt_arena_init(&small, 1000);
	dt_memory_init(&mem, &small);
	assert_int_equal(dt_memory_reserve(&mem, 100000, &err), DT_ERR_NOMEM);
	assert_false(dt_memory_add(&mem, 0x1000, view(low, 16), DT_RANGE_BLOCK) && mem.count == 0);
	dt_arena_deinit(&small);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reads_on_into_the_next_range),
		CASE(stops_at_the_first_byte_that_is_not_there),
		CASE(measures_spans_both_ways),
		CASE(views_without_copying),
		CASE(refuses_empty_and_wrapping_ranges),
		CASE(finds_nothing_before_sealing),
		CASE(joins_what_follows_in_memory_and_in_the_file),
		CASE(caps_the_number_of_ranges),
		CASE(says_when_the_arena_is_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

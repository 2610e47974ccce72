#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

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

static uint8_t ones[64], twos[64], threes[64];

static void add(struct world *world, uint64_t va, uint8_t fill, size_t len, enum dt_range_rank rank)
{
	uint8_t *bytes = fill == 1 ? ones : fill == 2 ? twos : threes;

	memset(bytes, fill, 64);
	assert_true(dt_memory_add(&world->mem, va, (struct dt_bytes){ bytes, len }, rank));
}

static void seal(struct world *world)
{
	struct dt_error err = { 0 };

	assert_int_equal(dt_memory_seal(&world->mem, &world->notes, &err), DT_OK);
	for (size_t i = 1; i < world->mem.count; i++)
		assert_true(world->mem.ranges[i - 1].va + world->mem.ranges[i - 1].bytes.len <=
		            world->mem.ranges[i].va);
}

/* The bytes from 0x1000 on, one character each; '.' where there are none. */
static void expect(struct world *world, const char *map)
{
	for (size_t i = 0; map[i]; i++) {
		uint8_t byte = 0;
		size_t n = dt_memory_read(&world->mem, 0x1000 + i, &byte, 1);

		assert_int_equal(n ? '0' + byte : '.', map[i]);
	}
}

static void the_higher_rank_is_read(void **state)
{
	struct world *world = *state;

	add(world, 0x1000, 1, 10, DT_RANGE_BLOCK);
	add(world, 0x1002, 3, 3, DT_RANGE_STACK);
	add(world, 0x1004, 2, 4, DT_RANGE_COPY);
	seal(world);
	expect(world, "1133322211..");
	assert_int_equal(world->notes.count, 1);
	assert_int_equal(world->notes.items[0].level, DT_NOTE_WARNING);
	assert_non_null(strstr(world->notes.items[0].text, "3 overlapping ranges"));
	assert_non_null(strstr(world->notes.items[0].text, "0x1002"));
}

static void a_lower_rank_shows_around_a_higher_one(void **state)
{
	struct world *world = *state;

	add(world, 0x1003, 1, 10, DT_RANGE_BLOCK);
	add(world, 0x1000, 2, 4, DT_RANGE_STACK);
	add(world, 0x1006, 2, 2, DT_RANGE_STACK);
	add(world, 0x100c, 2, 3, DT_RANGE_STACK);
	add(world, 0x1020, 3, 1, DT_RANGE_COPY);
	seal(world);
	expect(world, "2222112211112"
	              "22.");
	assert_int_equal(dt_memory_span(&world->mem, 0x1000, 100), 15);
	assert_int_equal(dt_memory_span(&world->mem, 0x1020, 100), 1);
}

static void of_equals_the_first_stays(void **state)
{
	struct world *world = *state;

	add(world, 0x1004, 2, 8, DT_RANGE_BLOCK);
	add(world, 0x1000, 1, 6, DT_RANGE_BLOCK);
	add(world, 0x1000, 3, 3, DT_RANGE_BLOCK);
	add(world, 0x1005, 3, 2, DT_RANGE_BLOCK);
	seal(world);
	expect(world, "111111222222.");
}

static void equal_bytes_are_no_difference(void **state)
{
	struct world *world = *state;
	static const uint8_t again[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

	add(world, 0x1000, 1, 16, DT_RANGE_BLOCK);
	assert_true(dt_memory_add(&world->mem, 0x1008, (struct dt_bytes){ again, 16 }, DT_RANGE_STACK));
	assert_true(dt_memory_add(&world->mem, 0x1008, (struct dt_bytes){ again, 16 }, DT_RANGE_BLOCK));
	seal(world);
	expect(world, "111111111111111111111111.");
	assert_int_equal(world->notes.count, 0);
}

static void ends_at_the_top_of_memory(void **state)
{
	struct world *world = *state;
	uint8_t out[8];

	add(world, UINT64_MAX - 7, 1, 8, DT_RANGE_BLOCK);
	add(world, UINT64_MAX - 3, 2, 4, DT_RANGE_STACK);
	add(world, UINT64_MAX - 5, 3, 6, DT_RANGE_BLOCK);
	seal(world);
	assert_int_equal(dt_memory_read(&world->mem, UINT64_MAX - 7, out, 8), 8);
	assert_memory_equal(out, "\1\1\1\1\2\2\2\2", 8);
}

/* Each range against a map painted byte by byte. */
static void agrees_with_painting(void **state)
{
	struct world *world = *state;
	static uint8_t source[3][256];
	uint32_t seed = 12345;

	for (unsigned i = 0; i < 256; i++)
		for (unsigned r = 0; r < 3; r++)
			source[r][i] = (uint8_t)(r + 1);
	for (unsigned round = 0; round < 300; round++) {
		uint8_t painted[512] = { 0 };
		char map[513];

		dt_arena_reset(&world->arena);
		dt_notes_init(&world->notes, &world->arena);
		dt_memory_init(&world->mem, &world->arena);
		for (unsigned i = 0; i < 40; i++) {
			seed = seed * 1664525u + 1013904223u;
			uint32_t at = seed >> 8 & 0xff, len = (seed >> 16 & 0x3f) + 1, rank = (seed >> 28) % 3;

			dt_memory_add(&world->mem, 0x1000 + at, (struct dt_bytes){ source[rank], len },
			              (enum dt_range_rank)rank);
			for (uint32_t j = at; j < at + len; j++)
				painted[j] = painted[j] > rank + 1 ? painted[j] : (uint8_t)(rank + 1);
		}
		for (unsigned i = 0; i < 512; i++)
			map[i] = painted[i] ? (char)('0' + painted[i]) : '.';
		map[512] = 0;
		seal(world);
		expect(world, map);
	}
}

/* A forged dump: as many blocks as there may be, all upon each other, in the worst order. */
static void lying_blocks_cost_no_time(void **state)
{
	struct world *world = *state;
	static uint8_t big[1 << 16];
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (size_t i = 0; i < DT_MAX_RANGES - 2; i++) {
		size_t at = i & 1 ? i : DT_MAX_RANGES - i;

		big[at & 0xff] ^= (uint8_t)i;
		dt_memory_add(&world->mem, 0x100000 + at % 50000,
		              (struct dt_bytes){ big + (at & 0xff), sizeof(big) - 0x100 },
		              (enum dt_range_rank)(i % 3));
	}
	seal(world);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < 2000);
	assert_true(world->notes.count >= 1 && world->notes.count <= 2);
	assert_true(dt_memory_span(&world->mem, 0x100000 + 100, 100) == 100);
}

static void without_memory_there_is_no_memory(void **state)
{
	struct dt_arena small;
	struct dt_memory mem;
	struct dt_error err = { 0 };
	struct world *world = *state;
	uint8_t byte;

	dt_arena_init(&small, 140000);
	dt_memory_init(&mem, &small);
	assert_int_equal(dt_memory_reserve(&mem, 4000, &err), DT_OK);
	for (size_t i = 0; i < 4000; i++)
		assert_true(dt_memory_add(&mem, 0x100000 - 8 * i, (struct dt_bytes){ ones, 16 }, DT_RANGE_BLOCK));
	assert_int_equal(dt_memory_seal(&mem, &world->notes, &err), DT_ERR_NOMEM);
	assert_int_equal(dt_memory_read(&mem, 0x100000, &byte, 1), 0);
	dt_arena_deinit(&small);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_higher_rank_is_read),   CASE(a_lower_rank_shows_around_a_higher_one),
		CASE(of_equals_the_first_stays), CASE(equal_bytes_are_no_difference),
		CASE(ends_at_the_top_of_memory), CASE(agrees_with_painting),
		CASE(lying_blocks_cost_no_time), CASE(without_memory_there_is_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

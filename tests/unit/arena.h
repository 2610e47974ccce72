/* arena.h - an arena of a test's own, new for each test that is given arena_setup and arena_teardown. */
#ifndef DT_TEST_ARENA_H
#define DT_TEST_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/arena.h"

static struct dt_arena arena;

static int arena_setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 16u << 20);
	return 0;
}

static int arena_teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	return 0;
}

#endif

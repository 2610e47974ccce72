/*
 * walking.h - what a test of an unwinder walks over: a dump of two modules at most, a context, and the frames that come of it.
 */
#ifndef DT_TEST_WALKING_H
#define DT_TEST_WALKING_H

#include <string.h>

#include "facts/stack/stack.h"

static struct dt_arena arena, kept;
static struct dt_notes notes;
static struct dt_dump dump;
static struct dt_module modules[2];
static struct dt_symbols symbols;
static struct dt_context context;
static struct dt_frame *frames;

/* Two modules, nothing in them yet. */
static void begin_walking(enum dt_machine machine, enum dt_format format)
{
	dt_arena_init(&arena, 8u << 20);
	dt_arena_init(&kept, 8u << 20);
	dt_notes_init(&notes, &kept);
	memset(&dump, 0, sizeof(dump));
	memset(&context, 0, sizeof(context));
	memset(modules, 0, sizeof(modules));
	dump.machine = context.machine = machine;
	dump.format = format;
	dump.modules = modules;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	dt_arena_deinit(&kept);
	return 0;
}

static size_t walk(size_t most)
{
	struct dt_walk how = { .dump = &dump, .context = &context, .symbols = &symbols, .max_frames = most };

	return dt_stack_walk(&how, &arena, &notes, &frames);
}

#endif

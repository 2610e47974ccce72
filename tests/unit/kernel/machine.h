/* machine.h - a small machine built from recipe lines, and read: three images, one thread that called KeBugCheckEx. */
#ifndef TEST_KERNEL_MACHINE_H
#define TEST_KERNEL_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/kernel/kernel.h"
#include "sample.h"

static struct dt_arena arena;
static struct dt_notes notes;
static struct dt_dump dump;
static struct sample sample;

#define MACHINE                                                                                    \
	"kind memory\ndump-type 1\nbuild 19041\nprocessors 2\ntime 2024-01-02T03:04:05Z\nuptime 60\n" \
	"bugcheck 0xd1 0x10 0x2 0x0 0xfffff80010001234\n"                                        \
	"module ntoskrnl.exe 0xfffff80000000000 0x1046000\n"                                      \
	"module driver.sys 0xfffff80010000000 0x10000 version=1.2.3.4 company=Acme\n"             \
	"module other.sys 0xfffff80020000000 0x20000\n"                                           \
	"unloaded old.sys 0xfffff80030000000 0xfffff80030010000\n"                                \
	"stack 0xffffa00000001000 0x2000\nprocess System pid=4\nthread tid=100\ncpu number=1\n"   \
	"context rip=0xfffff80000400000 rsp=0xffffa00000001100\n"

static void read_machine(const char *lines)
{
	size_t size = sizeof(MACHINE) + strlen(lines);
	char *recipe = malloc(size);
	struct dt_error err;

	assert_non_null(recipe);
	sample_free(&sample);
	snprintf(recipe, size, "%s%s", MACHINE, lines);
	if (sample_build(&sample, "test.recipe", recipe, strlen(recipe)))
		fail_msg("%s", sample.error);
	free(recipe);
	dt_dump_close(&dump);
	dt_arena_deinit(&arena);
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_notes_init(&notes, &arena);
	assert_int_equal(dt_dump_open(&dump, (struct dt_bytes){ sample.data, sample.len }, &arena, &notes, &err), DT_OK);
	dt_kernel_read(&dump);
}

static void has_note(const char *where, const char *text)
{
	for (size_t i = 0; i < notes.count; i++)
		if (!strcmp(notes.items[i].where, where) && strstr(notes.items[i].text, text))
			return;
	for (size_t i = 0; i < notes.count; i++)
		print_message("%s: %s\n", notes.items[i].where, notes.items[i].text);
	fail_msg("no note of %s with '%s'", where, text);
}

static int end(void **state)
{
	(void)state;
	dt_dump_close(&dump);
	dt_arena_deinit(&arena);
	sample_free(&sample);
	return 0;
}

#endif

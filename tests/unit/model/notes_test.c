#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/notes.h"

static struct dt_arena arena;
static struct dt_notes notes;
static struct dt_facts facts;

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 1 << 20);
	dt_notes_init(&notes, &arena);
	memset(&facts, 0, sizeof facts);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	return 0;
}

static void keeps_notes(void **state)
{
	char where[] = "header at 0x10";
	(void)state;
	dt_note_add(&notes, DT_NOTE_INFO, where, "found %d", 5);
	where[0] = 'X';
	dt_note_add(&notes, DT_NOTE_WARNING, NULL, "odd");
	dt_notes_take(&notes, &facts);
	assert_int_equal(facts.notes_count, 2);
	assert_int_equal(facts.notes[0].level, DT_NOTE_INFO);
	assert_string_equal(facts.notes[0].where, "header at 0x10");
	assert_string_equal(facts.notes[0].text, "found 5");
	assert_null(facts.notes[1].where);
}

static void repeats_none(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		dt_note_add(&notes, DT_NOTE_INFO, "a", "x\n");
		dt_note_add(&notes, DT_NOTE_WARNING, "a", "x\n");
		dt_note_add(&notes, DT_NOTE_INFO, "b", "x\n");
		dt_note_add(&notes, DT_NOTE_INFO, NULL, "x\n");
	}
	dt_notes_take(&notes, &facts);
	assert_int_equal(facts.notes_count, 4);
	assert_string_equal(facts.notes[0].text, "x\xE2\x9F\xA8U+000A\xE2\x9F\xA9");
}

static void says_how_many_are_left_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DT_MAX_NOTES + 10; i++)
		dt_note_add(&notes, DT_NOTE_INFO, "a", "%u", i);
	dt_notes_take(&notes, &facts);
	assert_int_equal(facts.notes_count, DT_MAX_NOTES);
	assert_string_equal(facts.notes[DT_MAX_NOTES - 2].text, "62");
	assert_string_equal(facts.notes[DT_MAX_NOTES - 1].text, "11 more notes are left out");
}

/* Text of the dump was escaped when it was read; a note that quotes it does not escape it again. */
static void escapes_once_and_cuts_whole(void **state)
{
	char text[1200] = "";
	(void)state;
	for (unsigned i = 0; i < 90; i++)
		memcpy(text + 12 * i, "\xE2\x9F\xA8U+0007\xE2\x9F\xA9", 13);
	dt_note_add(&notes, DT_NOTE_INFO, "a", "b\xE2\x9F\xA8U+0007\xE2\x9F\xA9");
	dt_note_add(&notes, DT_NOTE_INFO, "a", "%s", text);
	dt_notes_take(&notes, &facts);
	assert_string_equal(facts.notes[0].text, "b\xE2\x9F\xA8U+0007\xE2\x9F\xA9");
	size_t len = strlen(facts.notes[1].text);
	assert_int_equal(len, 1024 / 12 * 12);
	assert_true(dt_text_is_clean(facts.notes[1].text, len));
}

static void takes_none(void **state)
{
	(void)state;
	dt_notes_take(&notes, &facts);
	assert_int_equal(facts.notes_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(repeats_none, setup, teardown),
		cmocka_unit_test_setup_teardown(says_how_many_are_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(escapes_once_and_cuts_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_none, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

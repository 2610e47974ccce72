#include "core/model/notes.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

#define MAX_NOTE 1024 /* bytes of text */

void dt_notes_init(struct dt_notes *notes, struct dt_arena *arena)
{
	notes->arena = arena;
	notes->count = notes->dropped = 0;
}

/* Clean text stays as it is: what it quotes from the dump was escaped before. */
static const char *cleaned(struct dt_arena *arena, const char *text)
{
	size_t len = strlen(text);
	return dt_text_is_clean(text, len)
	               ? text
	               : dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)text, len });
}

static bool is_repeated(const struct dt_notes *notes, enum dt_note_level level, const char *where,
                        const char *text)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->items[i].level == level && dt_text_equal(notes->items[i].where, where) &&
		    dt_text_equal(notes->items[i].text, text))
			return true;
	return false;
}

static void add(struct dt_notes *notes, enum dt_note_level level, const char *where, const char *text)
{
	if (notes->count == DT_MAX_NOTES) {
		notes->dropped++;
		return;
	}
	notes->items[notes->count++] = (struct dt_note){
		.level = level,
		.where = dt_arena_strdup(notes->arena, where),
		.text = dt_arena_strdup(notes->arena, text),
	};
}

void dt_note_add(struct dt_notes *notes, enum dt_note_level level, const char *where, const char *fmt, ...)
{
	/* More than is kept, so that a cut through a character or an escape is seen. */
	char text[MAX_NOTE + 16];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	text[dt_text_fit(text, MAX_NOTE)] = 0;
	const char *clean = cleaned(notes->arena, text);
	where = where ? cleaned(notes->arena, where) : NULL;
	if (!is_repeated(notes, level, where, clean))
		add(notes, level, where, clean);
}

void dt_notes_take(struct dt_notes *notes, struct dt_facts *facts)
{
	facts->notes_count = 0;
	facts->notes = DT_ARENA_ARRAY(notes->arena, notes->count, struct dt_note);
	if (!facts->notes || notes->count == 0)
		return;
	memcpy(facts->notes, notes->items, notes->count * sizeof *facts->notes);
	facts->notes_count = notes->count;
	if (notes->dropped) /* the last one gives its place to the number of those that found none */
		facts->notes[notes->count - 1] = (struct dt_note){
			.level = DT_NOTE_WARNING,
			.text = dt_arena_printf(notes->arena, "%zu more notes are left out",
			                        notes->dropped + 1),
		};
}

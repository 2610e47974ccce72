/*
 * notes.h - notes about odd inputs, collected while a dump is read.
 */
#ifndef DT_MODEL_NOTES_H
#define DT_MODEL_NOTES_H

#include "core/base/arena.h"
#include "core/model/crash.h"

struct dt_notes {
	struct dt_arena *arena;
	struct dt_note items[DT_MAX_NOTES];
	size_t count;
	size_t dropped; /* notes past the cap; the last note says how many */
};

void dt_notes_init(struct dt_notes *notes, struct dt_arena *arena);
/* Records one; `where` names the part ("driver list at 0x12d18"), and is copied.
 * A note equal to one already there (level, where and text) is not repeated. */
void dt_note_add(struct dt_notes *notes, enum dt_note_level level, const char *where, const char *fmt, ...)
	DT_PRINTF(4, 5);
/* Hands the notes to a record: the list lives in the arena. */
void dt_notes_take(struct dt_notes *notes, struct dt_facts *facts);

#endif

/*
 * random_record.h - crash records that nobody would write by hand: every kind of
 * value, at its edges, made by walking the description of the record's fields.
 */
#ifndef DT_TEST_RANDOM_RECORD_H
#define DT_TEST_RANDOM_RECORD_H

#include "core/base/arena.h"
#include "core/model/field.h"

struct random_options {
	uint64_t seed;    /* the same seed gives the same record */
	unsigned null_of; /* one value in so many is null; 0: none is, and no list is empty */
	size_t list_max;  /* elements of a list at most, besides its own cap */
};

/* A record with all facts and a judgement, in the arena. */
void random_record(struct dt_crash *crash, struct dt_arena *arena, const struct random_options *options);

/* The place of the first difference of two objects as "module.name" (static text), NULL when there is none. */
const char *record_difference(const struct dt_object *object, const void *a, const void *b);

/* A record like that of a real dump: 200 modules, 40 frames, and so on. */
void usual_record(struct dt_crash *crash, struct dt_arena *arena);

#endif

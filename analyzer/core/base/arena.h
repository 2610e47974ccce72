/*
 * arena.h - memory that is given back all at once.
 *
 * What is read from a dump lives in the arena of its dump. An arena has a
 * maximum: input cannot make it grow past that. When it is full (or the system
 * is), an allocation gives NULL and the arena remembers: `failed` stays true
 * until reset, so code that fills many optional fields may check once at the
 * end instead of after each.
 */
#ifndef DT_BASE_ARENA_H
#define DT_BASE_ARENA_H

#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_arena_block;

struct dt_arena {
	struct dt_arena_block *blocks; /* newest first */
	uint8_t *at, *end;             /* free space of the newest block */
	size_t used;                   /* bytes asked of the system */
	size_t max;                    /* never more than this */
	bool failed;                   /* an allocation was refused */
	bool no_memory;                /* ... by the system: the same input may have room another time */
};

/* max: upper bound of memory the arena may take from the system, bytes. */
void dt_arena_init(struct dt_arena *arena, size_t max);
/* Gives all memory back; the arena may be initialised again. */
void dt_arena_deinit(struct dt_arena *arena);
/* Forgets all allocations, keeps one block for the next use, clears failed. */
void dt_arena_reset(struct dt_arena *arena);

/* Marks it as failed when something that belongs to its contents (a text made in a buffer) was refused by the system. */
static inline void dt_arena_refused(struct dt_arena *arena, bool no_memory)
{
	arena->failed |= no_memory;
	arena->no_memory |= no_memory;
}

/* size bytes, zeroed, aligned for any object. NULL when the arena is full.
 * size 0 gives a valid pointer. */
void *dt_arena_alloc(struct dt_arena *arena, size_t size);
/* count elements of size bytes, zeroed; the product is checked. */
void *dt_arena_array(struct dt_arena *arena, size_t count, size_t size);
#define DT_ARENA_NEW(arena, type) ((type *)dt_arena_alloc((arena), sizeof(type)))
#define DT_ARENA_ARRAY(arena, count, type) ((type *)dt_arena_array((arena), (count), sizeof(type)))

/* Copies; NUL-terminated. NULL when the arena is full. */
const char *dt_arena_strndup(struct dt_arena *arena, const char *text, size_t len);
/* NULL of NULL, too. */
const char *dt_arena_strdup(struct dt_arena *arena, const char *text);
const char *dt_arena_printf(struct dt_arena *arena, const char *fmt, ...) DT_PRINTF(2, 3);
/* A copy of a view's bytes, living in the arena. Empty when the arena is full. */
struct dt_bytes dt_arena_bytes(struct dt_arena *arena, struct dt_bytes bytes);

#endif

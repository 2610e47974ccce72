/*
 * crash.h - the crash record as C structs, made from enums.def and fields.def.
 *
 * A record is plain values and borrowed pointers: everything it points to lives
 * in the arena of whoever filled it. Zeroed memory is an empty record in which
 * every field is null.
 */
#ifndef DT_MODEL_CRASH_H
#define DT_MODEL_CRASH_H

#include "core/base/bytes.h"
#include "core/base/limits.h"

#define DT_CRASH_SCHEMA "dumptriage.crash/1"
/* Raised whenever a pass finds more than before: stored facts older than this are read again. */
#define DT_FACTS_VERSION 4

#define DT_ENUM(e) enum dt_##e { DT_##e##_NULL = 0,
#define DT_VALUE(e, constant, word) constant,
#define DT_ENUM_END(e) DT_##e##_COUNT };
#include "core/model/enums.def"

/* A number that may be unknown. */
struct dt_opt {
	uint64_t value;
	bool known;
};

static inline struct dt_opt dt_some(uint64_t value)
{
	return (struct dt_opt){ value, true };
}

/* A number that its writer leaves 0 where it has none. */
static inline struct dt_opt dt_some_unless_zero(uint64_t value)
{
	return (struct dt_opt){ value, value != 0 };
}

/* Whether the number is known and equal. */
static inline bool dt_opt_is(struct dt_opt opt, uint64_t value)
{
	return opt.known && opt.value == value;
}

/* (DT_UNKNOWN is a name of dirent.h.) */
enum dt_bool3 { DT_NOT_KNOWN = 0, DT_FALSE, DT_TRUE };

static inline enum dt_bool3 dt_bool3(bool value)
{
	return value ? DT_TRUE : DT_FALSE;
}

struct dt_register {
	const char *name; /* lower case, as the machine's manual writes it */
	struct dt_opt value;
};

#define DT_OBJECT(o, doc) struct dt_##o {
#define DT_TEXT(o, f, doc) const char *f;
#define DT_HEX(o, f, doc) struct dt_opt f;
#define DT_UINT(o, f, doc) struct dt_opt f;
#define DT_SECONDS(o, f, doc) struct dt_opt f;
#define DT_TIME(o, f, doc) uint64_t f;
#define DT_BOOL(o, f, doc) enum dt_bool3 f;
#define DT_WORD(o, f, e, doc) enum dt_##e f;
#define DT_BYTES(o, f, doc) struct dt_bytes f;
#define DT_HAS(o, f, object, doc) struct dt_##object f;
#define DT_MAY(o, f, object, doc) struct dt_##object *f;
#define DT_LIST(o, f, object, max, doc) struct dt_##object *f; size_t f##_count;
#define DT_TEXTS(o, f, max, doc) const char **f; size_t f##_count;
#define DT_HEXES(o, f, max, doc) uint64_t *f; size_t f##_count;
#define DT_REGISTERS(o, f, max, doc) struct dt_register *f; size_t f##_count;
#define DT_INLINE(o, f, object, doc) struct dt_##object f;
#define DT_END(o) };
#include "core/model/fields.def"

#endif

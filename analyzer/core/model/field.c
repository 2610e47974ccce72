#include "core/model/field.h"

#include <string.h>

/* Words: value 0 is null. */
#define DT_ENUM(e) static const char *const words_##e[] = { NULL,
#define DT_VALUE(e, constant, word) word,
#define DT_ENUM_END(e) };
#include "core/model/enums.def"

#define DT_ENUM(e) const struct dt_words dt_words_##e = { #e, words_##e, DT_##e##_COUNT };
#define DT_VALUE(e, constant, word)
#define DT_ENUM_END(e)                                                                                    \
	_Static_assert(sizeof words_##e / sizeof *words_##e == DT_##e##_COUNT, "a word for each value");  \
	_Static_assert(sizeof(enum dt_##e) == sizeof(unsigned), "enumerated fields are read as unsigned");
#include "core/model/enums.def"

_Static_assert(sizeof(enum dt_bool3) == sizeof(unsigned), "booleans are read as unsigned");

/* Every object, so that rows can point at objects. */
#define DT_OBJECT(o, d) extern const struct dt_object dt_object_##o;
#define DT_TEXT(o, f, d)
#define DT_HEX(o, f, d)
#define DT_UINT(o, f, d)
#define DT_SECONDS(o, f, d)
#define DT_TIME(o, f, d)
#define DT_BOOL(o, f, d)
#define DT_WORD(o, f, e, d)
#define DT_BYTES(o, f, d)
#define DT_HAS(o, f, t, d)
#define DT_MAY(o, f, t, d)
#define DT_LIST(o, f, t, m, d)
#define DT_TEXTS(o, f, m, d)
#define DT_HEXES(o, f, m, d)
#define DT_REGISTERS(o, f, m, d)
#define DT_INLINE(o, f, t, d)
#define DT_END(o)
#include "core/model/fields.def"

/* The rows of each object. */
#define ROW(o, f, k, d) .name = #f, .doc = d, .kind = DT_FIELD_##k, .off = offsetof(struct dt_##o, f)
#define SCALAR(o, f, k, d) { ROW(o, f, k, d) },
#define COUNTED(o, f, k, m, d) { ROW(o, f, k, d), .count_off = offsetof(struct dt_##o, f##_count), .max = m },
#define NESTED(o, f, k, t, d) { ROW(o, f, k, d), .object = &dt_object_##t },
#define DT_OBJECT(o, d) static const struct dt_field fields_##o[] = {
#define DT_TEXT(o, f, d) SCALAR(o, f, TEXT, d)
#define DT_HEX(o, f, d) SCALAR(o, f, HEX, d)
#define DT_UINT(o, f, d) SCALAR(o, f, UINT, d)
#define DT_SECONDS(o, f, d) SCALAR(o, f, SECONDS, d)
#define DT_TIME(o, f, d) SCALAR(o, f, TIME, d)
#define DT_BOOL(o, f, d) SCALAR(o, f, BOOL, d)
#define DT_WORD(o, f, e, d) { ROW(o, f, WORD, d), .words = &dt_words_##e },
#define DT_BYTES(o, f, d) SCALAR(o, f, BYTES, d)
#define DT_HAS(o, f, t, d) NESTED(o, f, HAS, t, d)
#define DT_MAY(o, f, t, d) NESTED(o, f, MAY, t, d)
#define DT_LIST(o, f, t, m, d)                                                                            \
	{ ROW(o, f, LIST, d), .count_off = offsetof(struct dt_##o, f##_count), .max = m, .object = &dt_object_##t },
#define DT_TEXTS(o, f, m, d) COUNTED(o, f, TEXTS, m, d)
#define DT_HEXES(o, f, m, d) COUNTED(o, f, HEXES, m, d)
#define DT_REGISTERS(o, f, m, d) COUNTED(o, f, REGISTERS, m, d)
#define DT_INLINE(o, f, t, d) NESTED(o, f, INLINE, t, d)
#define DT_END(o) };
#include "core/model/fields.def"

/* The objects. */
#define DT_OBJECT(o, d)                                                                                   \
	const struct dt_object dt_object_##o = { #o, d, sizeof(struct dt_##o), fields_##o,                 \
		                                 sizeof fields_##o / sizeof *fields_##o };
#define DT_TEXT(o, f, d)
#define DT_HEX(o, f, d)
#define DT_UINT(o, f, d)
#define DT_SECONDS(o, f, d)
#define DT_TIME(o, f, d)
#define DT_BOOL(o, f, d)
#define DT_WORD(o, f, e, d)
#define DT_BYTES(o, f, d)
#define DT_HAS(o, f, t, d)
#define DT_MAY(o, f, t, d)
#define DT_LIST(o, f, t, m, d)
#define DT_TEXTS(o, f, m, d)
#define DT_HEXES(o, f, m, d)
#define DT_REGISTERS(o, f, m, d)
#define DT_INLINE(o, f, t, d)
#define DT_END(o)
#include "core/model/fields.def"

const struct dt_object *const dt_objects[] = {
#define DT_OBJECT(o, d) &dt_object_##o,
#define DT_TEXT(o, f, d)
#define DT_HEX(o, f, d)
#define DT_UINT(o, f, d)
#define DT_SECONDS(o, f, d)
#define DT_TIME(o, f, d)
#define DT_BOOL(o, f, d)
#define DT_WORD(o, f, e, d)
#define DT_BYTES(o, f, d)
#define DT_HAS(o, f, t, d)
#define DT_MAY(o, f, t, d)
#define DT_LIST(o, f, t, m, d)
#define DT_TEXTS(o, f, m, d)
#define DT_HEXES(o, f, m, d)
#define DT_REGISTERS(o, f, m, d)
#define DT_INLINE(o, f, t, d)
#define DT_END(o)
#include "core/model/fields.def"
};
const size_t dt_object_count = sizeof dt_objects / sizeof *dt_objects;

const char *dt_word(const struct dt_words *words, unsigned value)
{
	return value < words->count ? words->words[value] : NULL;
}

unsigned dt_word_value(const struct dt_words *words, const char *word)
{
	for (unsigned i = 1; word && i < words->count; i++)
		if (strcmp(words->words[i], word) == 0)
			return i;
	return 0;
}

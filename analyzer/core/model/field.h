/*
 * field.h - the record's fields as data: what codecs, rules and reports walk.
 */
#ifndef DT_MODEL_FIELD_H
#define DT_MODEL_FIELD_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"

enum dt_field_kind {
	DT_FIELD_TEXT,
	DT_FIELD_HEX,
	DT_FIELD_UINT,
	DT_FIELD_SECONDS,
	DT_FIELD_TIME,
	DT_FIELD_BOOL,
	DT_FIELD_WORD,
	DT_FIELD_BYTES,
	DT_FIELD_HAS,
	DT_FIELD_MAY,
	DT_FIELD_LIST,
	DT_FIELD_TEXTS,
	DT_FIELD_HEXES,
	DT_FIELD_REGISTERS,
	DT_FIELD_INLINE,
};

/* The words of one enumerated type; words[0] is NULL. */
struct dt_words {
	const char *name;
	const char *const *words;
	size_t count; /* with the null word */
};

struct dt_object;

struct dt_field {
	const char *name;
	const char *doc;
	enum dt_field_kind kind;
	size_t off;                     /* of the value in the struct */
	size_t count_off;               /* of its count, for LIST, TEXTS, HEXES, REGISTERS */
	size_t max;                     /* elements at most, likewise */
	const struct dt_object *object; /* HAS, MAY, LIST, INLINE */
	const struct dt_words *words;   /* WORD */
};

struct dt_object {
	const char *name;
	const char *doc;
	size_t size; /* of the struct */
	const struct dt_field *fields;
	size_t field_count;
};

extern const struct dt_object dt_object_crash, dt_object_facts, dt_object_judgement;
/* All objects in the order of fields.def: inner ones before outer ones. */
extern const struct dt_object *const dt_objects[];
extern const size_t dt_object_count;

/* The word of an enumerated value, NULL for 0 and for values out of range:
 * dt_word(&dt_words_trust, frame->trust). */
#define DT_ENUM(e) extern const struct dt_words dt_words_##e;
#define DT_VALUE(e, constant, word)
#define DT_ENUM_END(e)
#include "core/model/enums.def"
const char *dt_word(const struct dt_words *words, unsigned value);
/* The value of a word; 0 when there is none like it. */
unsigned dt_word_value(const struct dt_words *words, const char *word);

/* A path such as "fault.module", "registers.r8", "bugcheck.parameters.1" (from
 * 0), "stack.0.module" or "modules" resolved against an object once, to be read
 * from many records. */
struct dt_path {
	struct {
		const struct dt_field *field;
		int64_t index;    /* element of a list, -1 for the field itself */
		const char *reg;  /* register name for REGISTERS, borrowed from the caller's text */
	} step[6];
	size_t count;
};

/* Resolves text against root (mostly &dt_object_facts). The text must outlive
 * the path. DT_ERR_NOT_FOUND names the part that does not exist. */
DT_MUST_USE enum dt_status dt_path_parse(struct dt_path *path, const struct dt_object *root, const char *text,
                                         struct dt_error *err);

/* What a path leads to in one record. */
struct dt_value {
	enum dt_field_kind kind; /* of the last step; elements of TEXTS, HEXES and REGISTERS are TEXT and HEX */
	bool known;              /* false: null, or a step of the path is */
	union {
		const char *text; /* TEXT; for WORD its word */
		uint64_t number;  /* HEX, UINT, SECONDS (ms), TIME, BOOL (0, 1) */
		struct dt_bytes bytes;
		struct {
			const void *items;
			size_t count;
			const struct dt_object *object;
		} list; /* LIST, TEXTS, HEXES, REGISTERS as a whole; the one object of HAS, MAY and of an element of LIST (HAS) */
	} as;
};
struct dt_value dt_path_get(const struct dt_path *path, const void *root);
/* A scalar value as text for a person ("0x1f", "read", "null"). */
void dt_value_print(const struct dt_value *value, struct dt_buf *out);

#endif

/*
 * value.h - reading one field of a record, for the writers of this folder.
 *
 * All of them see a field through dt_field_get(), so that what a record cannot
 * hold is null in every form of it.
 */
#ifndef DT_MODEL_VALUE_H
#define DT_MODEL_VALUE_H

#include "core/model/field.h"

/* UINT: every reader of JSON keeps such a number exactly (RFC 7493). */
#define DT_UINT_MAX ((UINT64_C(1) << 53) - 1)
/* SECONDS, in ms: a double of seconds gives them back exactly. */
#define DT_SECONDS_MAX (UINT64_C(1) << 50)
#define DT_REGISTER_NAME_MAX 15

/* The field's value in an object. A number that the kind cannot hold is not known. HAS, MAY and INLINE give the
 * object as a list of one; a list longer than its cap gives as many as the cap. */
struct dt_value dt_field_get(const struct dt_field *field, const void *object);
/* The i-th of a list value; i < count. */
struct dt_value dt_value_item(const struct dt_value *list, size_t i);
/* The number of a WORD, 0 when it is not known. */
unsigned dt_field_word(const struct dt_field *field, const void *object);
/* Whether a field of this kind may hold the number (HEX, UINT, SECONDS, TIME, BOOL). */
bool dt_number_allowed(enum dt_field_kind kind, uint64_t value);
/* Whether name can be a register's: a to z, 0 to 9 and _, DT_REGISTER_NAME_MAX at most. */
bool dt_register_name_ok(const char *name);

/* Where a value of the field stands in an object that is being filled. */
static inline void *dt_field_slot(const struct dt_field *field, void *object)
{
	return (char *)object + field->off;
}

static inline size_t *dt_field_count_slot(const struct dt_field *field, void *object)
{
	return (size_t *)(void *)((char *)object + field->count_off);
}

/* Bytes of one item of a field that is a list. */
size_t dt_field_item_size(const struct dt_field *field);

#endif

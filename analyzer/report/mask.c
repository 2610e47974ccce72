#include "report/mask.h"

#include <string.h>

#include "core/model/field.h"
#include "report/event.h"

static void mask_object(const struct dt_object *object, void *value, struct dt_arena *arena);

static size_t count_of(const struct dt_field *field, const char *value)
{
	size_t count;

	memcpy(&count, value + field->count_off, sizeof(count));
	return count;
}

static void mask_text(const char **text, struct dt_arena *arena)
{
	*text = dt_mask_user(*text, arena);
}

static void mask_texts(char *at, size_t count, struct dt_arena *arena)
{
	const char **from, **to = DT_ARENA_ARRAY(arena, count, const char *);

	memcpy(&from, at, sizeof(from));
	for (size_t i = 0; to && i < count; i++)
		to[i] = dt_mask_user(from[i], arena);
	memcpy(at, &to, sizeof(to));
}

/* Objects behind a pointer are copied before anything in them changes. */
static void mask_pointed(const struct dt_field *field, char *at, size_t count, struct dt_arena *arena)
{
	char *from, *to;

	memcpy(&from, at, sizeof(from));
	if (!from || !count || !(to = dt_arena_array(arena, count, field->object->size)))
		return;
	memcpy(to, from, count * field->object->size);
	for (size_t i = 0; i < count; i++)
		mask_object(field->object, to + i * field->object->size, arena);
	memcpy(at, &to, sizeof(to));
}

static void mask_field(const struct dt_field *field, char *value, struct dt_arena *arena)
{
	char *at = value + field->off;

	switch (field->kind) {
	case DT_FIELD_TEXT: mask_text((const char **)(void *)at, arena); break;
	case DT_FIELD_TEXTS: mask_texts(at, count_of(field, value), arena); break;
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE: mask_object(field->object, at, arena); break;
	case DT_FIELD_MAY: mask_pointed(field, at, 1, arena); break;
	case DT_FIELD_LIST: mask_pointed(field, at, count_of(field, value), arena); break;
	default: break;
	}
}

static void mask_object(const struct dt_object *object, void *value, struct dt_arena *arena)
{
	for (size_t i = 0; i < object->field_count; i++)
		mask_field(&object->fields[i], value, arena);
}

const struct dt_crash *dt_mask_crash(const struct dt_crash *crash, struct dt_arena *arena)
{
	struct dt_crash *out = DT_ARENA_NEW(arena, struct dt_crash);

	if (!out)
		return NULL;
	*out = *crash;
	mask_object(&dt_object_crash, out, arena);
	out->facts.file.path_raw = NULL;
	return arena->failed ? NULL : out;
}

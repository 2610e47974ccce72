/* Paths to fields: resolved once, read many times. */
#include <string.h>

#include "core/model/value.h"

#define MAX_STEPS (sizeof((struct dt_path *)0)->step / sizeof *((struct dt_path *)0)->step)

struct part {
	const char *text;
	size_t len;
};

static struct part next_part(const char **text)
{
	struct part part = { *text, strcspn(*text, ".") };
	*text += part.len;
	*text += (*text)[0] == '.' && (*text)[1]; /* a dot at the end stays, and is no part */
	return part;
}

static const struct dt_field *field_of(const struct dt_object *object, struct part part)
{
	for (size_t i = 0; i < object->field_count; i++) {
		const char *name = object->fields[i].name;
		if (object->fields[i].kind != DT_FIELD_INLINE && strncmp(name, part.text, part.len) == 0 &&
		    name[part.len] == 0)
			return &object->fields[i];
	}
	return NULL;
}

static enum dt_status add_step(struct dt_path *path, const struct dt_field *field, const char *text,
                               struct dt_error *err)
{
	if (path->count == MAX_STEPS)
		return dt_fail(err, DT_ERR_LIMIT, "%s: a path has at most %zu steps", text, MAX_STEPS);
	path->step[path->count].field = field;
	path->step[path->count].index = -1;
	path->step[path->count].reg = NULL;
	path->count++;
	return DT_OK;
}

/* The field that part names: one of the object's, or of an object that stands inline in it (*through). */
static const struct dt_field *find(const struct dt_object *object, struct part part,
                                   const struct dt_field **through)
{
	const struct dt_field *found = field_of(object, part);
	*through = NULL;
	for (size_t i = 0; !found && i < object->field_count; i++) {
		if (object->fields[i].kind != DT_FIELD_INLINE)
			continue;
		*through = &object->fields[i];
		found = field_of(object->fields[i].object, part);
	}
	return found;
}

static enum dt_status add_field(struct dt_path *path, const struct dt_object *object, struct part part,
                                const char *text, struct dt_error *err)
{
	const struct dt_field *through, *found = find(object, part, &through);
	if (!found)
		return dt_fail(err, DT_ERR_NOT_FOUND, "%s: %s has no field '%.*s'", text, object->name,
		               (int)(part.len < 64 ? part.len : 64), part.text);
	enum dt_status status = through ? add_step(path, through, text, err) : DT_OK;
	return status ? status : add_step(path, found, text, err);
}

static enum dt_status set_index(struct dt_path *path, struct part part, const char *text, struct dt_error *err)
{
	const struct dt_field *field = path->step[path->count - 1].field;
	uint64_t index = 0;
	bool digits = part.len > 0 && part.len <= 6;
	for (size_t i = 0; digits && i < part.len; i++) {
		digits = part.text[i] >= '0' && part.text[i] <= '9';
		index = index * 10 + (uint64_t)(part.text[i] - '0');
	}
	if (!digits || index >= field->max)
		return dt_fail(err, DT_ERR_NOT_FOUND,
		               "%s: expected an index below %zu after '%s', found '%.*s'", text, field->max,
		               field->name, (int)(part.len < 64 ? part.len : 64), part.text);
	path->step[path->count - 1].index = (int64_t)index;
	return DT_OK;
}

static enum dt_status set_register(struct dt_path *path, struct part part, const char *text,
                                   struct dt_error *err)
{
	if (part.text[part.len] || !dt_register_name_ok(part.text))
		return dt_fail(err, DT_ERR_NOT_FOUND,
		               "%s: expected the name of a register after 'registers', found '%.*s'", text,
		               (int)(part.len < 64 ? part.len : 64), part.text);
	path->step[path->count - 1].reg = part.text;
	return DT_OK;
}

/* The part after a field; *inside is the object that further parts are looked for in, NULL where there can be none. */
static enum dt_status add_rest(struct dt_path *path, const char **rest, const char *text,
                               const struct dt_object **inside, struct dt_error *err)
{
	const struct dt_field *field = path->step[path->count - 1].field;
	*inside = field->kind == DT_FIELD_HAS || field->kind == DT_FIELD_MAY || field->kind == DT_FIELD_LIST
	                  ? field->object
	                  : NULL;
	if (!**rest || field->kind == DT_FIELD_HAS || field->kind == DT_FIELD_MAY)
		return DT_OK;
	switch (field->kind) {
	case DT_FIELD_LIST:
	case DT_FIELD_TEXTS:
	case DT_FIELD_HEXES:
		return set_index(path, next_part(rest), text, err);
	case DT_FIELD_REGISTERS:
		return set_register(path, next_part(rest), text, err);
	default:
		return DT_OK;
	}
}

enum dt_status dt_path_parse(struct dt_path *path, const struct dt_object *root, const char *text,
                             struct dt_error *err)
{
	const struct dt_object *object = root;
	const char *rest = text;
	path->count = 0;
	do {
		if (!object)
			return dt_fail(err, DT_ERR_NOT_FOUND, "%s: there is nothing inside '%s'", text,
			               path->step[path->count - 1].field->name);
		enum dt_status status = add_field(path, object, next_part(&rest), text, err);
		if (!status)
			status = add_rest(path, &rest, text, &object, err);
		if (status)
			return status;
	} while (*rest);
	return DT_OK;
}

static struct dt_value register_of(const struct dt_value *list, const char *name)
{
	const struct dt_register *regs = list->as.list.items;
	for (size_t i = 0; i < list->as.list.count; i++)
		if (regs[i].name && strcmp(regs[i].name, name) == 0)
			return dt_value_item(list, i);
	return (struct dt_value){ .kind = DT_FIELD_HEX };
}

/* What a path gives that leads nowhere in this record. */
static struct dt_value null_of(const struct dt_path *path)
{
	static const enum dt_field_kind item_kind[] = {
		[DT_FIELD_LIST] = DT_FIELD_HAS,
		[DT_FIELD_TEXTS] = DT_FIELD_TEXT,
		[DT_FIELD_HEXES] = DT_FIELD_HEX,
		[DT_FIELD_REGISTERS] = DT_FIELD_HEX,
	};
	size_t last = path->count - 1;
	enum dt_field_kind kind = path->step[last].field->kind;
	bool item = path->step[last].index >= 0 || path->step[last].reg;
	return (struct dt_value){ .kind = item ? item_kind[kind] : kind };
}

static struct dt_value step_get(const struct dt_path *path, size_t i, const void *object)
{
	struct dt_value value = dt_field_get(path->step[i].field, object);
	int64_t index = path->step[i].index;
	if (path->step[i].reg)
		return register_of(&value, path->step[i].reg);
	if (index < 0)
		return value;
	return (uint64_t)index < value.as.list.count ? dt_value_item(&value, (size_t)index) : null_of(path);
}

struct dt_value dt_path_get(const struct dt_path *path, const void *root)
{
	struct dt_value value = { .kind = DT_FIELD_HAS };
	for (size_t i = 0; i < path->count; i++) {
		value = step_get(path, i, i ? value.as.list.items : root);
		if (!value.known)
			return null_of(path);
	}
	return value;
}

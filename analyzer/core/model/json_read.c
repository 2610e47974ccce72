#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/json.h"
#include "core/model/value.h"

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Where in the text a value stands, for messages. */
struct place {
	const struct place *outer;
	const char *name; /* of a member; NULL for an element */
	size_t index;
};

struct reader {
	struct dt_arena *arena;
	struct dt_error *err;
};

static void put_place(struct dt_buf *out, const struct place *place)
{
	if (!place)
		return;
	put_place(out, place->outer);
	if (!place->name)
		dt_buf_printf(out, "[%zu]", place->index);
	else
		dt_buf_printf(out, "%s%s", place->outer ? "." : "", place->name);
}

static const char *type_name(const json_t *json)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};
	return names[json_typeof(json)];
}

static enum dt_status fail(struct reader *r, const struct place *place, const json_t *found,
                           const char *expected)
{
	struct dt_buf path;
	dt_buf_init(&path, 200);
	put_place(&path, place);
	enum dt_status status = dt_fail(r->err, DT_ERR_FORMAT, "%s: expected %s, found %s", dt_buf_text(&path),
	                                expected, type_name(found));
	dt_buf_deinit(&path);
	return status;
}

static enum dt_status fail_max(struct reader *r, const struct place *place, const json_t *found,
                               const char *expected, size_t max)
{
	char text[80];
	(void)snprintf(text, sizeof text, "%s of at most %zu", expected, max);
	return fail(r, place, found, text);
}

static enum dt_status no_memory(struct reader *r)
{
	return dt_fail(r->err, DT_ERR_NOMEM, "no memory for the record: %zu bytes are in use", r->arena->used);
}

/* A text of at most max bytes as it stands in the JSON tree, or NULL. */
static const char *string_of(const json_t *json, size_t max)
{
	const char *text = json_string_value(json);
	if (!text || json_string_length(json) > max || memchr(text, 0, json_string_length(json)))
		return NULL;
	return text;
}

static enum dt_status read_text(struct reader *r, const json_t *json, const char **out,
                                const struct place *place)
{
	const char *text = string_of(json, DT_MAX_TEXT);
	if (!text)
		return fail(r, place, json, "a text of at most " TEXT_OF(DT_MAX_TEXT) " bytes");
	if (!dt_text_is_clean(text, json_string_length(json)))
		return fail(r, place, json, "a text without characters that must be escaped");
	*out = dt_arena_strdup(r->arena, text);
	return *out ? DT_OK : no_memory(r);
}

/* "0x", then 1 to 16 lower-case digits without leading zeros. */
static bool parse_hex(const char *text, uint64_t *out)
{
	if (!text || strncmp(text, "0x", 2) != 0 || (text[2] == '0' && text[3]))
		return false;
	size_t digits = strspn(text + 2, "0123456789abcdef");
	return digits == strlen(text + 2) && dt_text_parse_u64(text, true, out);
}

static enum dt_status read_hex(struct reader *r, const json_t *json, struct dt_opt *out,
                               const struct place *place)
{
	out->known = parse_hex(string_of(json, 18), &out->value);
	return out->known
	               ? DT_OK
	               : fail(r, place, json, "a text \"0x\" and lower-case hex digits without leading zeros");
}

static enum dt_status read_uint(struct reader *r, const json_t *json, struct dt_opt *out,
                                const struct place *place)
{
	json_int_t value = json_integer_value(json);
	out->known = json_is_integer(json) && value >= 0 && (uint64_t)value <= DT_UINT_MAX;
	out->value = out->known ? (uint64_t)value : 0;
	return out->known ? DT_OK : fail(r, place, json, "a whole number from 0 to 9007199254740991");
}

static enum dt_status read_seconds(struct reader *r, const json_t *json, struct dt_opt *out,
                                   const struct place *place)
{
	double ms = json_number_value(json) * 1000;
	out->known = json_is_number(json) && ms >= 0 && ms <= (double)DT_SECONDS_MAX;
	out->value = out->known ? (uint64_t)(ms + 0.5) : 0;
	return out->known ? DT_OK : fail(r, place, json, "a number of seconds");
}

static enum dt_status read_time(struct reader *r, const json_t *json, uint64_t *out, const struct place *place)
{
	bool ok = dt_time_parse(string_of(json, 64), out) && *out != 0;
	return ok ? DT_OK : fail(r, place, json, "a time as in RFC 3339");
}

static enum dt_status read_bool(struct reader *r, const json_t *json, enum dt_bool3 *out,
                                const struct place *place)
{
	if (!json_is_boolean(json))
		return fail(r, place, json, "true, false or null");
	*out = dt_bool3(json_is_true(json));
	return DT_OK;
}

/* A word that only a newer version knows stays null. */
static enum dt_status read_word(struct reader *r, const json_t *json, const struct dt_field *field,
                                unsigned *out, const struct place *place)
{
	if (!json_is_string(json))
		return fail(r, place, json, "a word");
	*out = dt_word_value(field->words, string_of(json, DT_MAX_TEXT));
	return DT_OK;
}

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static enum dt_status read_bytes(struct reader *r, const json_t *json, struct dt_bytes *out,
                                 const struct place *place)
{
	const char *text = string_of(json, (size_t)2 * DT_MAX_HEXBYTES);
	size_t len = text ? strlen(text) : 0;
	if (len == 0 || len % 2 || strspn(text, "0123456789abcdef") != len)
		return fail(r, place, json,
		            "pairs of lower-case hex digits, of at most " TEXT_OF(DT_MAX_HEXBYTES) " bytes");
	uint8_t *bytes = dt_arena_alloc(r->arena, len / 2);
	if (!bytes)
		return no_memory(r);
	for (size_t i = 0; i < len / 2; i++)
		bytes[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
	*out = (struct dt_bytes){ bytes, len / 2 };
	return DT_OK;
}

static enum dt_status read_object(struct reader *r, const json_t *json, const struct dt_object *object,
                                  void *out, const struct place *place);

static enum dt_status read_objects(struct reader *r, const json_t *json, const struct dt_field *field,
                                   char *items, size_t count, const struct place *place)
{
	enum dt_status status = DT_OK;
	for (size_t i = 0; i < count && !status; i++)
		status = read_object(r, json_array_get(json, i), field->object, items + i * field->object->size,
		                     &(struct place){ place, NULL, i });
	return status;
}

static enum dt_status read_texts(struct reader *r, const json_t *json, const char **items, size_t count,
                                 const struct place *place)
{
	enum dt_status status = DT_OK;
	for (size_t i = 0; i < count && !status; i++)
		if (!json_is_null(json_array_get(json, i)))
			status = read_text(r, json_array_get(json, i), &items[i],
			                   &(struct place){ place, NULL, i });
	return status;
}

static enum dt_status read_hexes(struct reader *r, const json_t *json, uint64_t *items, size_t count,
                                 const struct place *place)
{
	enum dt_status status = DT_OK;
	for (size_t i = 0; i < count && !status; i++) {
		struct dt_opt value = { 0, false };
		status = read_hex(r, json_array_get(json, i), &value, &(struct place){ place, NULL, i });
		items[i] = value.value;
	}
	return status;
}

static enum dt_status read_list(struct reader *r, const json_t *json, const struct dt_field *field, void *out,
                                const struct place *place)
{
	size_t count = json_array_size(json);
	size_t size = field->kind == DT_FIELD_LIST    ? field->object->size
	              : field->kind == DT_FIELD_HEXES ? sizeof(uint64_t)
	                                              : sizeof(const char *);
	if (!json_is_array(json) || count > field->max)
		return fail_max(r, place, json, "a list", field->max);
	void *items = count ? dt_arena_array(r->arena, count, size) : NULL;
	if (count && !items)
		return no_memory(r);
	*(void **)dt_field_slot(field, out) = items;
	*dt_field_count_slot(field, out) = count;
	if (field->kind == DT_FIELD_LIST)
		return read_objects(r, json, field, items, count, place);
	if (field->kind == DT_FIELD_HEXES)
		return read_hexes(r, json, items, count, place);
	return read_texts(r, json, items, count, place);
}

static enum dt_status read_register(struct reader *r, const char *name, const json_t *json,
                                    struct dt_register *out, const struct place *outer)
{
	struct place place = { outer, dt_register_name_ok(name) ? name : "?", 0 };
	if (!dt_register_name_ok(name))
		return fail(r, &place, json, "the name of a register");
	out->name = dt_arena_strdup(r->arena, name);
	if (!out->name)
		return no_memory(r);
	return json_is_null(json) ? DT_OK : read_hex(r, json, &out->value, &place);
}

static enum dt_status read_registers(struct reader *r, json_t *json, const struct dt_field *field, void *out,
                                     const struct place *place)
{
	size_t count = json_object_size(json), i = 0;
	const char *name;
	json_t *value;
	if (!json_is_object(json) || count > field->max)
		return fail_max(r, place, json, "an object of registers", field->max);
	struct dt_register *items = count ? DT_ARENA_ARRAY(r->arena, count, struct dt_register) : NULL;
	if (count && !items)
		return no_memory(r);
	*(void **)dt_field_slot(field, out) = items;
	*dt_field_count_slot(field, out) = count;
	json_object_foreach(json, name, value) {
		enum dt_status status = read_register(r, name, value, &items[i++], place);
		if (status)
			return status;
	}
	return DT_OK;
}

static enum dt_status read_may(struct reader *r, const json_t *json, const struct dt_field *field, void *out,
                               const struct place *place)
{
	void *inner = dt_arena_alloc(r->arena, field->object->size);
	if (!inner)
		return no_memory(r);
	*(void **)dt_field_slot(field, out) = inner;
	return read_object(r, json, field->object, inner, place);
}

static enum dt_status read_value(struct reader *r, json_t *json, const struct dt_field *field, void *out,
                                 const struct place *place)
{
	void *slot = dt_field_slot(field, out);
	switch (field->kind) {
	case DT_FIELD_TEXT:
		return read_text(r, json, slot, place);
	case DT_FIELD_HEX:
		return read_hex(r, json, slot, place);
	case DT_FIELD_UINT:
		return read_uint(r, json, slot, place);
	case DT_FIELD_SECONDS:
		return read_seconds(r, json, slot, place);
	case DT_FIELD_TIME:
		return read_time(r, json, slot, place);
	case DT_FIELD_BOOL:
		return read_bool(r, json, slot, place);
	case DT_FIELD_WORD:
		return read_word(r, json, field, slot, place);
	case DT_FIELD_BYTES:
		return read_bytes(r, json, slot, place);
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		return read_object(r, json, field->object, slot, place);
	case DT_FIELD_MAY:
		return read_may(r, json, field, out, place);
	case DT_FIELD_REGISTERS:
		return read_registers(r, json, field, out, place);
	default:
		return read_list(r, json, field, out, place);
	}
}

static enum dt_status read_member(struct reader *r, const json_t *json, const struct dt_field *field, void *out,
                                  const struct place *outer)
{
	if (field->kind == DT_FIELD_INLINE)
		return read_object(r, json, field->object, dt_field_slot(field, out), outer);
	json_t *member = json_object_get(json, field->name);
	if (!member || json_is_null(member))
		return DT_OK;
	return read_value(r, member, field, out, &(struct place){ outer, field->name, 0 });
}

/* out is zeroed: a member that is not there stays null. */
static enum dt_status read_object(struct reader *r, const json_t *json, const struct dt_object *object,
                                  void *out, const struct place *place)
{
	enum dt_status status = DT_OK;
	if (!json_is_object(json))
		return fail(r, place, json, "an object");
	for (size_t i = 0; i < object->field_count && !status; i++)
		status = read_member(r, json, &object->fields[i], out, place);
	return status;
}

/* Whether the text asks for more values than any record has, which is known before they cost memory. */
static bool too_many_values(const char *text, size_t len)
{
	size_t values = 0;
	bool in_text = false;
	for (size_t i = 0; i < len; i++) {
		if (in_text && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_text = !in_text;
		else if (!in_text)
			values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return values > DT_MAX_JSON_VALUES;
}

static enum dt_status parse(const char *text, size_t len, json_t **out, struct dt_error *err)
{
	json_error_t why;
	if (len > DT_MAX_JSON || too_many_values(text, len))
		return dt_fail(err, DT_ERR_LIMIT, "record: expected at most %u bytes and %u values, found more",
		               DT_MAX_JSON, DT_MAX_JSON_VALUES);
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (*out)
		return DT_OK;
	struct dt_arena arena; /* the library quotes the text, which may hold anything */
	dt_arena_init(&arena, 65536);
	const char *said = dt_text_from_utf8(
		&arena, (struct dt_bytes){ (const uint8_t *)why.text, strnlen(why.text, sizeof why.text) });
	enum dt_status status = dt_fail_at(err, DT_ERR_FORMAT, (uint64_t)(why.position > 0 ? why.position : 0),
	                                   "not JSON: %s", said ? said : "");
	dt_arena_deinit(&arena);
	return status;
}

/* Asked first: under another name the same members may mean something else. */
static enum dt_status check_schema(const json_t *json, struct dt_error *err)
{
	const char *schema = string_of(json_object_get(json, "schema"), 256);
	if (!json_is_object(json))
		return dt_fail(err, DT_ERR_FORMAT, "record: expected an object, found %s", type_name(json));
	if (!schema || !dt_text_is_clean(schema, strlen(schema)))
		return dt_fail(err, DT_ERR_FORMAT, "schema: expected %s, found none", DT_CRASH_SCHEMA);
	if (strcmp(schema, DT_CRASH_SCHEMA) != 0)
		return dt_fail(err, DT_ERR_FORMAT, "schema: expected %s, found %s", DT_CRASH_SCHEMA, schema);
	return DT_OK;
}

enum dt_status dt_json_read_crash(const char *text, size_t len, struct dt_arena *arena, struct dt_crash *out,
                                  struct dt_error *err)
{
	struct reader r = { arena, err };
	json_t *json = NULL;
	memset(out, 0, sizeof *out);
	enum dt_status status = parse(text, len, &json, err);
	if (!status)
		status = check_schema(json, err);
	if (!status)
		status = read_object(&r, json, &dt_object_crash, out, NULL);
	json_decref(json);
	return status;
}

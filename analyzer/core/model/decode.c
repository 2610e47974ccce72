#include <string.h>

#include "core/base/text.h"
#include "core/model/codec.h"
#include "core/model/value.h"
#include "core/model/wire.h"

struct reader {
	struct dt_bytes in;
	uint64_t off;
	struct dt_arena *arena;
	struct dt_error *err;
	/* What is being read, for messages. */
	const struct dt_object *object;
	const struct dt_field *field;
};

static __attribute__((cold)) enum dt_status fail(struct reader *r, enum dt_status status, uint64_t off,
                                                 const char *what, uint64_t found, uint64_t limit)
{
	return dt_fail_at(r->err, status, off, "record, %s.%s: %s (found %llu, limit %llu)",
	                  r->object ? r->object->name : "?", r->field ? r->field->name : "?", what,
	                  (unsigned long long)found, (unsigned long long)limit);
}

static uint64_t left(const struct reader *r)
{
	return r->in.len - r->off;
}

static enum dt_status read_u8(struct reader *r, uint8_t *out)
{
	if (!dt_bytes_u8(r->in, r->off, out))
		return fail(r, DT_ERR_TRUNCATED, r->off, "it ends where a value is expected", 0, 1);
	r->off++;
	return DT_OK;
}

/* More than one byte of LEB128; each number has one form only: no byte of zeros at the end, 64 bits. */
static enum dt_status read_long_leb(struct reader *r, uint64_t *out)
{
	struct dt_bytes at = dt_bytes_clip(r->in, r->off, 10);
	uint64_t value = 0;
	for (size_t i = 0; i < at.len; i++) {
		value |= (uint64_t)(at.data[i] & 0x7F) << 7 * i;
		if (at.data[i] >= 0x80)
			continue;
		if ((at.data[i] == 0 && i) || (i == 9 && at.data[i] > 1))
			break;
		r->off += i + 1;
		*out = value;
		return DT_OK;
	}
	if (at.len < 10 && (at.len == 0 || at.data[at.len - 1] >= 0x80))
		return fail(r, DT_ERR_TRUNCATED, r->off + at.len, "it ends where a number goes on", at.len, 10);
	return fail(r, DT_ERR_FORMAT, r->off, "a number is not in its shortest form or has more than 64 bits",
	            at.len, 10);
}

static inline enum dt_status read_leb(struct reader *r, uint64_t *out)
{
	if (r->off < r->in.len && r->in.data[r->off] < 0x80) {
		*out = r->in.data[r->off++];
		return DT_OK;
	}
	return read_long_leb(r, out);
}

/* A count of things of which each has one byte at least. */
static enum dt_status read_count(struct reader *r, uint64_t max, uint64_t *out)
{
	uint64_t from = r->off;
	enum dt_status status = read_leb(r, out);
	if (status)
		return status;
	if (*out > max)
		return fail(r, DT_ERR_LIMIT, from, "a count or length is over its limit", *out, max);
	if (*out > left(r))
		return fail(r, DT_ERR_TRUNCATED, from, "it ends before what a count or length promises", *out,
		            left(r));
	return DT_OK;
}

/* Length, bytes, and a NUL that is not counted. */
static enum dt_status read_bytes(struct reader *r, uint64_t max, struct dt_bytes *out)
{
	uint64_t len = 0;
	enum dt_status status = read_count(r, max, &len);
	if (status)
		return status;
	if (len == left(r))
		return fail(r, DT_ERR_TRUNCATED, r->off, "it ends before the NUL behind a text", len, left(r));
	if (r->in.data[r->off + len] != 0)
		return fail(r, DT_ERR_FORMAT, r->off + len, "no NUL behind a text", r->in.data[r->off + len],
		            0);
	*out = (struct dt_bytes){ r->in.data + r->off, (size_t)len };
	r->off += len + 1;
	return DT_OK;
}

static enum dt_status read_text(struct reader *r, uint64_t max, const char **out)
{
	struct dt_bytes bytes = { NULL, 0 };
	uint64_t from = r->off;
	enum dt_status status = read_bytes(r, max, &bytes);
	if (status)
		return status;
	if (!dt_text_is_clean((const char *)bytes.data, bytes.len))
		return fail(r, DT_ERR_FORMAT, from, "a text holds what must be escaped", bytes.len, max);
	*out = (const char *)bytes.data;
	return DT_OK;
}

static enum dt_status read_number(struct reader *r, enum dt_field_kind kind, uint64_t *out)
{
	uint64_t from = r->off;
	enum dt_status status = read_leb(r, out);
	if (status)
		return status;
	return dt_number_allowed(kind, *out)
	               ? DT_OK
	               : fail(r, DT_ERR_FORMAT, from, "a number is out of range", *out, 0);
}

static enum dt_status read_opt(struct reader *r, const struct dt_field *field, void *slot)
{
	struct dt_opt *opt = slot;
	opt->known = true;
	return read_number(r, field->kind, &opt->value);
}

static enum dt_status read_bool(struct reader *r, void *slot)
{
	uint64_t value = 0;
	enum dt_status status = read_number(r, DT_FIELD_BOOL, &value);
	*(enum dt_bool3 *)slot = dt_bool3(value != 0);
	return status;
}

static enum dt_status read_word(struct reader *r, const struct dt_field *field, void *slot)
{
	uint64_t value = 0, from = r->off;
	enum dt_status status = read_leb(r, &value);
	if (status)
		return status;
	if (value == 0)
		return fail(r, DT_ERR_FORMAT, from, "a word that is not known is null, not 0", 0,
		            field->words->count);
	/* A word that only a newer version knows stays null. */
	*(unsigned *)slot = value < field->words->count ? (unsigned)value : 0;
	return DT_OK;
}

static enum dt_status read_object(struct reader *r, const struct dt_object *object, void *out, unsigned depth);

static enum dt_status expect(struct reader *r, enum dt_wire_type type)
{
	uint8_t found = 0;
	uint64_t from = r->off;
	enum dt_status status = read_u8(r, &found);
	if (status)
		return status;
	return found == type
	               ? DT_OK
	               : fail(r, DT_ERR_FORMAT, from, "a value of another type than expected", found, type);
}

static enum dt_status read_objects(struct reader *r, const struct dt_field *field, uint8_t *items,
                                   uint64_t count, unsigned depth)
{
	enum dt_status status = DT_OK;
	for (uint64_t i = 0; i < count && !status; i++) {
		status = expect(r, DT_WIRE_OBJECT);
		if (!status)
			status = read_object(r, field->object, items + i * field->object->size, depth + 1);
	}
	return status;
}

static enum dt_status read_texts(struct reader *r, const char **items, uint64_t count)
{
	enum dt_status status = DT_OK;
	for (uint64_t i = 0; i < count && !status; i++) {
		if (left(r) && r->in.data[r->off] == DT_WIRE_NULL) {
			r->off++;
			continue;
		}
		status = expect(r, DT_WIRE_BYTES);
		if (!status)
			status = read_text(r, DT_MAX_TEXT, &items[i]);
	}
	return status;
}

static enum dt_status read_hexes(struct reader *r, uint64_t *items, uint64_t count)
{
	enum dt_status status = DT_OK;
	for (uint64_t i = 0; i < count && !status; i++) {
		status = expect(r, DT_WIRE_NUMBER);
		if (!status)
			status = read_leb(r, &items[i]);
	}
	return status;
}

static bool is_new_register(const struct dt_register *items, uint64_t count, const char *name)
{
	for (uint64_t i = 0; i < count; i++)
		if (strcmp(items[i].name, name) == 0)
			return false;
	return true;
}

/* An object of a name and a number or null. */
static enum dt_status read_register(struct reader *r, struct dt_register *items, uint64_t at)
{
	struct dt_register *reg = &items[at];
	uint64_t from = r->off, fields = 0;
	uint8_t type = 0;
	enum dt_status status = expect(r, DT_WIRE_OBJECT);
	if (!status)
		status = read_count(r, 2, &fields);
	if (!status && fields != 2)
		status = fail(r, DT_ERR_FORMAT, from, "a register has a name and a value", fields, 2);
	if (!status)
		status = expect(r, DT_WIRE_BYTES);
	if (!status)
		status = read_text(r, DT_REGISTER_NAME_MAX, &reg->name);
	if (!status && (!dt_register_name_ok(reg->name) || !is_new_register(items, at, reg->name)))
		status = fail(r, DT_ERR_FORMAT, from, "a register's name is none, or is there twice", at, 0);
	if (!status)
		status = read_u8(r, &type);
	if (status || type == DT_WIRE_NULL)
		return status;
	reg->value.known = true;
	return type == DT_WIRE_NUMBER
	               ? read_leb(r, &reg->value.value)
	               : fail(r, DT_ERR_FORMAT, r->off - 1, "a register's value is a number", type, 1);
}

static enum dt_status read_registers(struct reader *r, struct dt_register *items, uint64_t count)
{
	enum dt_status status = DT_OK;
	for (uint64_t i = 0; i < count && !status; i++)
		status = read_register(r, items, i);
	return status;
}

static enum dt_status read_items(struct reader *r, const struct dt_field *field, void *items, uint64_t count,
                                 unsigned depth)
{
	switch (field->kind) {
	case DT_FIELD_LIST:
		return read_objects(r, field, items, count, depth);
	case DT_FIELD_REGISTERS:
		return read_registers(r, items, count);
	case DT_FIELD_HEXES:
		return read_hexes(r, items, count);
	default:
		return read_texts(r, items, count);
	}
}

static enum dt_status no_memory(struct reader *r)
{
	return fail(r, DT_ERR_NOMEM, r->off, "no memory for it", r->arena->used, r->arena->max);
}

static enum dt_status read_list(struct reader *r, const struct dt_field *field, void *out, unsigned depth)
{
	uint64_t count = 0;
	enum dt_status status = read_count(r, field->max, &count);
	if (status || count == 0)
		return status;
	void *items = dt_arena_array(r->arena, (size_t)count, dt_field_item_size(field));
	if (!items)
		return no_memory(r);
	*(void **)dt_field_slot(field, out) = items;
	*dt_field_count_slot(field, out) = (size_t)count;
	return read_items(r, field, items, count, depth);
}

static enum dt_status read_may(struct reader *r, const struct dt_field *field, void *out, unsigned depth)
{
	void *inner = dt_arena_alloc(r->arena, field->object->size);
	if (!inner)
		return no_memory(r);
	*(void **)dt_field_slot(field, out) = inner;
	return read_object(r, field->object, inner, depth + 1);
}

static enum dt_status read_value(struct reader *r, const struct dt_field *field, void *out, unsigned depth)
{
	void *slot = dt_field_slot(field, out);
	switch (field->kind) {
	case DT_FIELD_TEXT:
		return read_text(r, DT_MAX_TEXT, slot);
	case DT_FIELD_HEX:
		((struct dt_opt *)slot)->known = true;
		return read_leb(r, &((struct dt_opt *)slot)->value);
	case DT_FIELD_UINT:
	case DT_FIELD_SECONDS:
		return read_opt(r, field, slot);
	case DT_FIELD_TIME:
		return read_number(r, DT_FIELD_TIME, slot);
	case DT_FIELD_BOOL:
		return read_bool(r, slot);
	case DT_FIELD_WORD:
		return read_word(r, field, slot);
	case DT_FIELD_BYTES:
		return read_bytes(r, DT_MAX_HEXBYTES, slot);
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		return read_object(r, field->object, slot, depth + 1);
	case DT_FIELD_MAY:
		return read_may(r, field, out, depth);
	default:
		return read_list(r, field, out, depth);
	}
}

static enum dt_status skip_value(struct reader *r, unsigned depth);

static enum dt_status skip_values(struct reader *r, uint64_t count, unsigned depth)
{
	enum dt_status status = DT_OK;
	while (count-- && !status)
		status = skip_value(r, depth);
	return status;
}

/* A value that a newer version wrote, of a type that this one knows. */
static enum dt_status skip_value(struct reader *r, unsigned depth)
{
	uint8_t type = 0;
	uint64_t number = 0, from = r->off;
	struct dt_bytes bytes;
	if (depth > DT_MAX_BINARY_DEPTH)
		return fail(r, DT_ERR_LIMIT, from, "objects in objects are too deep", depth,
		            DT_MAX_BINARY_DEPTH);
	enum dt_status status = read_u8(r, &type);
	if (status || type == DT_WIRE_NULL)
		return status;
	switch (type) {
	case DT_WIRE_NUMBER:
		return read_leb(r, &number);
	case DT_WIRE_BYTES:
		return read_bytes(r, UINT64_MAX, &bytes);
	case DT_WIRE_LIST:
	case DT_WIRE_OBJECT:
		status = read_count(r, UINT64_MAX, &number);
		return status ? status : skip_values(r, number, depth + 1);
	default:
		return fail(r, DT_ERR_FORMAT, from, "a value of no known type", type, DT_WIRE_COUNT);
	}
}

static enum dt_status read_field(struct reader *r, const struct dt_field *field, void *out, unsigned depth)
{
	uint8_t type = 0;
	uint64_t from = r->off;
	enum dt_status status = read_u8(r, &type);
	if (status || type == DT_WIRE_NULL)
		return status;
	if (type != dt_wire_type_of(field->kind))
		return fail(r, DT_ERR_FORMAT, from, "a value of another type than expected", type,
		            dt_wire_type_of(field->kind));
	return read_value(r, field, out, depth);
}

/* out is zeroed: a field that is not there stays null. */
static enum dt_status read_object(struct reader *r, const struct dt_object *object, void *out, unsigned depth)
{
	uint64_t count = 0;
	if (depth > DT_MAX_BINARY_DEPTH)
		return fail(r, DT_ERR_LIMIT, r->off, "objects in objects are too deep", depth,
		            DT_MAX_BINARY_DEPTH);
	enum dt_status status = read_count(r, UINT64_MAX, &count);
	size_t known = count < object->field_count ? (size_t)count : object->field_count;
	for (size_t i = 0; i < known && !status; i++) {
		r->object = object;
		r->field = &object->fields[i];
		status = read_field(r, r->field, out, depth);
	}
	return status ? status : skip_values(r, count - known, depth + 1);
}

static enum dt_status read_header(struct reader *r, enum dt_wire_root root)
{
	if (r->in.len > DT_MAX_RECORD)
		return dt_fail_at(r->err, DT_ERR_LIMIT, 0, "record: expected at most %u bytes, found %zu",
		                  DT_MAX_RECORD, r->in.len);
	if (r->in.len < DT_WIRE_HEADER)
		return dt_fail_at(r->err, DT_ERR_TRUNCATED, 0, "record: expected %d bytes of header, found %zu",
		                  DT_WIRE_HEADER, r->in.len);
	if (!dt_bytes_match(r->in, 0, DT_WIRE_MAGIC, DT_WIRE_HEADER - 1))
		return dt_fail_at(r->err, DT_ERR_FORMAT, 0, "record: expected it to begin with " DT_WIRE_MAGIC);
	if (r->in.data[DT_WIRE_HEADER - 1] != root)
		return dt_fail_at(r->err, DT_ERR_FORMAT, DT_WIRE_HEADER - 1,
		                  "record: expected an object of type %d, found %u", root,
		                  r->in.data[DT_WIRE_HEADER - 1]);
	r->off = DT_WIRE_HEADER;
	return DT_OK;
}

static enum dt_status decode(struct reader *r, enum dt_wire_root root, const struct dt_object *object,
                             void *out)
{
	memset(out, 0, object->size);
	r->object = object;
	enum dt_status status = read_header(r, root);
	if (!status)
		status = read_object(r, object, out, 0);
	if (!status && left(r))
		return dt_fail_at(r->err, DT_ERR_FORMAT, r->off,
		                  "record: expected its end, found %llu more bytes",
		                  (unsigned long long)left(r));
	return status;
}

enum dt_status dt_facts_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_facts *out,
                               struct dt_error *err)
{
	return decode(&(struct reader){ .in = bytes, .arena = arena, .err = err }, DT_ROOT_FACTS,
	              &dt_object_facts, out);
}

enum dt_status dt_judgement_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_judgement *out,
                                   struct dt_error *err)
{
	return decode(&(struct reader){ .in = bytes, .arena = arena, .err = err }, DT_ROOT_JUDGEMENT,
	              &dt_object_judgement, out);
}

enum dt_status dt_crash_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_crash *out,
                               struct dt_error *err)
{
	return decode(&(struct reader){ .in = bytes, .arena = arena, .err = err }, DT_ROOT_CRASH,
	              &dt_object_crash, out);
}

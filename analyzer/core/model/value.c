#include "core/model/value.h"

#include <string.h>

#include "core/base/time.h"

static const void *slot(const struct dt_field *field, const void *object)
{
	return (const char *)object + field->off;
}

bool dt_number_allowed(enum dt_field_kind kind, uint64_t value)
{
	switch (kind) {
	case DT_FIELD_UINT:
		return value <= DT_UINT_MAX;
	case DT_FIELD_SECONDS:
		return value <= DT_SECONDS_MAX;
	case DT_FIELD_BOOL:
		return value <= 1;
	case DT_FIELD_TIME:
		return value != 0 && value < DT_TIME_END;
	default:
		return true;
	}
}

bool dt_register_name_ok(const char *name)
{
	size_t len = name ? strnlen(name, DT_REGISTER_NAME_MAX + 1) : 0;
	return len > 0 && len <= DT_REGISTER_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

unsigned dt_field_word(const struct dt_field *field, const void *object)
{
	unsigned value;
	memcpy(&value, slot(field, object), sizeof value);
	return value < field->words->count ? value : 0;
}

static struct dt_value number(enum dt_field_kind kind, bool known, uint64_t value)
{
	return (struct dt_value){ .kind = kind,
		                  .known = known && dt_number_allowed(kind, value),
		                  .as.number = value };
}

static struct dt_value text(enum dt_field_kind kind, const char *value)
{
	return (struct dt_value){ .kind = kind, .known = value != NULL, .as.text = value };
}

static struct dt_value bytes(struct dt_bytes value)
{
	if (value.len > DT_MAX_HEXBYTES)
		value.len = DT_MAX_HEXBYTES;
	return (struct dt_value){ .kind = DT_FIELD_BYTES, .known = value.len != 0, .as.bytes = value };
}

static struct dt_value objects(enum dt_field_kind kind, const void *items, size_t count,
                               const struct dt_object *object)
{
	struct dt_value value = { .kind = kind, .known = items || count == 0 };
	value.as.list.items = items;
	value.as.list.count = items ? count : 0;
	value.as.list.object = object;
	return value;
}

static struct dt_value list(const struct dt_field *field, const void *object)
{
	const void *items;
	size_t count;
	memcpy(&items, slot(field, object), sizeof items);
	memcpy(&count, (const char *)object + field->count_off, sizeof count);
	if (count > field->max)
		count = field->max;
	return objects(field->kind, count ? items : NULL, items ? count : 0, field->object);
}

static struct dt_value may(const struct dt_field *field, const void *object)
{
	const void *inner;
	memcpy(&inner, slot(field, object), sizeof inner);
	return objects(DT_FIELD_MAY, inner, 1, field->object);
}

struct dt_value dt_field_get(const struct dt_field *field, const void *object)
{
	const void *at = slot(field, object);
	switch (field->kind) {
	case DT_FIELD_TEXT:
		return text(DT_FIELD_TEXT, *(const char *const *)at);
	case DT_FIELD_HEX:
	case DT_FIELD_UINT:
	case DT_FIELD_SECONDS:
		return number(field->kind, ((const struct dt_opt *)at)->known,
		              ((const struct dt_opt *)at)->value);
	case DT_FIELD_TIME:
		return number(DT_FIELD_TIME, true, *(const uint64_t *)at);
	case DT_FIELD_BOOL:
		return number(DT_FIELD_BOOL, *(const enum dt_bool3 *)at != DT_NOT_KNOWN,
		              *(const enum dt_bool3 *)at == DT_TRUE);
	case DT_FIELD_WORD:
		return text(DT_FIELD_WORD, dt_word(field->words, dt_field_word(field, object)));
	case DT_FIELD_BYTES:
		return bytes(*(const struct dt_bytes *)at);
	case DT_FIELD_MAY:
		return may(field, object);
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		return objects(field->kind, at, 1, field->object);
	case DT_FIELD_LIST:
	case DT_FIELD_TEXTS:
	case DT_FIELD_HEXES:
	case DT_FIELD_REGISTERS:
		break;
	}
	return list(field, object);
}

struct dt_value dt_value_item(const struct dt_value *whole, size_t i)
{
	const void *items = whole->as.list.items;
	const struct dt_register *reg;
	switch (whole->kind) {
	case DT_FIELD_TEXTS:
		return text(DT_FIELD_TEXT, ((const char *const *)items)[i]);
	case DT_FIELD_HEXES:
		return number(DT_FIELD_HEX, true, ((const uint64_t *)items)[i]);
	case DT_FIELD_REGISTERS:
		reg = (const struct dt_register *)items + i;
		return number(DT_FIELD_HEX, reg->value.known, reg->value.value);
	default:
		return objects(DT_FIELD_HAS, (const char *)items + i * whole->as.list.object->size, 1,
		               whole->as.list.object);
	}
}

static void print_seconds(uint64_t ms, struct dt_buf *out)
{
	dt_buf_u64(out, ms / 1000);
	unsigned rest = (unsigned)(ms % 1000), digits = 3;
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	dt_buf_printf(out, ".%0*u", (int)digits, rest);
}

static void print_time(uint64_t filetime, struct dt_buf *out)
{
	char written[DT_TIME_TEXT_MAX];
	dt_buf_puts(out, dt_time_format(filetime, written) ? written : "null");
}

static void print_known(const struct dt_value *value, struct dt_buf *out)
{
	switch (value->kind) {
	case DT_FIELD_TEXT:
	case DT_FIELD_WORD:
		dt_buf_puts(out, value->as.text);
		break;
	case DT_FIELD_HEX:
		dt_buf_hex(out, value->as.number);
		break;
	case DT_FIELD_UINT:
		dt_buf_u64(out, value->as.number);
		break;
	case DT_FIELD_SECONDS:
		print_seconds(value->as.number, out);
		break;
	case DT_FIELD_TIME:
		print_time(value->as.number, out);
		break;
	case DT_FIELD_BOOL:
		dt_buf_puts(out, value->as.number ? "true" : "false");
		break;
	case DT_FIELD_BYTES:
		dt_buf_hexbytes(out, value->as.bytes);
		break;
	case DT_FIELD_HAS:
	case DT_FIELD_MAY:
	case DT_FIELD_INLINE:
		dt_buf_puts(out, value->as.list.object->name);
		break;
	case DT_FIELD_LIST:
	case DT_FIELD_TEXTS:
	case DT_FIELD_HEXES:
	case DT_FIELD_REGISTERS:
		dt_buf_printf(out, "%zu in the list", value->as.list.count);
		break;
	}
}

void dt_value_print(const struct dt_value *value, struct dt_buf *out)
{
	if (value->known)
		print_known(value, out);
	else
		dt_buf_puts(out, "null");
}

size_t dt_field_item_size(const struct dt_field *field)
{
	switch (field->kind) {
	case DT_FIELD_LIST:
		return field->object->size;
	case DT_FIELD_REGISTERS:
		return sizeof(struct dt_register);
	case DT_FIELD_HEXES:
		return sizeof(uint64_t);
	default:
		return sizeof(const char *);
	}
}

#include "core/base/text.h"
#include "core/model/codec.h"
#include "core/model/value.h"
#include "core/model/wire.h"

static void put_type(struct dt_buf *out, enum dt_wire_type type)
{
	dt_buf_putc(out, (char)type);
}

/* LEB128: seven bits a byte, lowest first; the high bit says that more follow. */
static void put_leb(struct dt_buf *out, uint64_t value)
{
	for (; value > 0x7F; value >>= 7)
		dt_buf_putc(out, (char)(value | 0x80));
	dt_buf_putc(out, (char)value);
}

static void put_number(struct dt_buf *out, uint64_t value)
{
	put_type(out, DT_WIRE_NUMBER);
	put_leb(out, value);
}

static void put_bytes(struct dt_buf *out, const void *data, size_t len)
{
	put_type(out, DT_WIRE_BYTES);
	put_leb(out, len);
	dt_buf_append(out, data, len);
	dt_buf_putc(out, 0);
}

static void put_object(struct dt_buf *out, const struct dt_object *object, const void *from);

static void put_register(struct dt_buf *out, const char *name, const struct dt_value *value)
{
	put_type(out, DT_WIRE_OBJECT);
	put_leb(out, 2);
	put_bytes(out, name, dt_text_fit(name, DT_REGISTER_NAME_MAX));
	if (value->known)
		put_number(out, value->as.number);
	else
		put_type(out, DT_WIRE_NULL);
}

static void put_value(struct dt_buf *out, const struct dt_value *value);

static void put_list(struct dt_buf *out, const struct dt_value *list)
{
	const struct dt_register *regs = list->kind == DT_FIELD_REGISTERS ? list->as.list.items : NULL;
	put_type(out, DT_WIRE_LIST);
	put_leb(out, list->as.list.count);
	for (size_t i = 0; i < list->as.list.count; i++) {
		struct dt_value item = dt_value_item(list, i);
		if (regs)
			put_register(out, regs[i].name ? regs[i].name : "", &item);
		else
			put_value(out, &item);
	}
}

static void put_value(struct dt_buf *out, const struct dt_value *value)
{
	if (!value->known) {
		put_type(out, DT_WIRE_NULL);
		return;
	}
	switch (dt_wire_type_of(value->kind)) {
	case DT_WIRE_NUMBER:
		put_number(out, value->as.number);
		break;
	case DT_WIRE_BYTES:
		if (value->kind == DT_FIELD_BYTES)
			put_bytes(out, value->as.bytes.data, value->as.bytes.len);
		else
			put_bytes(out, value->as.text, dt_text_fit(value->as.text, DT_MAX_TEXT));
		break;
	case DT_WIRE_LIST:
		put_list(out, value);
		break;
	default:
		put_type(out, DT_WIRE_OBJECT);
		put_object(out, value->as.list.object, value->as.list.items);
		break;
	}
}

static void put_object(struct dt_buf *out, const struct dt_object *object, const void *from)
{
	put_leb(out, object->field_count);
	for (size_t i = 0; i < object->field_count; i++) {
		const struct dt_field *field = &object->fields[i];
		struct dt_value value = dt_field_get(field, from);
		if (field->kind == DT_FIELD_WORD && value.known)
			put_number(out, dt_field_word(field, from));
		else
			put_value(out, &value);
	}
}

static void encode(struct dt_buf *out, enum dt_wire_root root, const struct dt_object *object, const void *from)
{
	dt_buf_append(out, DT_WIRE_MAGIC, DT_WIRE_HEADER - 1);
	dt_buf_putc(out, (char)root);
	put_object(out, object, from);
}

void dt_facts_encode(const struct dt_facts *facts, struct dt_buf *out)
{
	encode(out, DT_ROOT_FACTS, &dt_object_facts, facts);
}

void dt_judgement_encode(const struct dt_judgement *judgement, struct dt_buf *out)
{
	encode(out, DT_ROOT_JUDGEMENT, &dt_object_judgement, judgement);
}

void dt_crash_encode(const struct dt_crash *crash, struct dt_buf *out)
{
	encode(out, DT_ROOT_CRASH, &dt_object_crash, crash);
}

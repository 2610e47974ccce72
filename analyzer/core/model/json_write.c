#include <string.h>

#include "core/base/text.h"
#include "core/model/json.h"
#include "core/model/value.h"

struct writer {
	struct dt_buf *out;
	bool pretty;
	unsigned depth;
	bool first; /* nothing stands in the innermost list or object yet */
};

static void put_newline(struct writer *w)
{
	if (!w->pretty)
		return;
	dt_buf_putc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		dt_buf_append(w->out, "  ", 2);
}

static void begin(struct writer *w, char bracket)
{
	dt_buf_putc(w->out, bracket);
	w->depth++;
	w->first = true;
}

static void next(struct writer *w)
{
	if (!w->first)
		dt_buf_putc(w->out, ',');
	w->first = false;
	put_newline(w);
}

static void end(struct writer *w, char bracket)
{
	w->depth--;
	if (!w->first)
		put_newline(w);
	dt_buf_putc(w->out, bracket);
	w->first = false;
}

static void put_key(struct writer *w, const char *name)
{
	next(w);
	dt_json_write_text(name, w->out);
	dt_buf_append(w->out, ": ", w->pretty ? 2 : 1);
}

/* Control characters, quote and backslash. */
static void put_escaped(char c, struct dt_buf *out)
{
	if (c == '"' || c == '\\') {
		dt_buf_putc(out, '\\');
		dt_buf_putc(out, c);
	} else {
		dt_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
	}
}

/* Bytes at text that stand in JSON as they are, 0 when the first one does not. */
static size_t plain_len(const char *text, size_t len)
{
	uint32_t cp;
	unsigned char c = (unsigned char)text[0];
	if (c >= 0x80)
		return dt_text_decode(text, len, &cp);
	return c >= 0x20 && c != 0x7F && c != '"' && c != '\\';
}

static void put_text(const char *text, size_t len, struct dt_buf *out)
{
	size_t done = 0;
	dt_buf_putc(out, '"');
	for (size_t i = 0, n; i < len; i += n) {
		n = plain_len(text + i, len - i);
		if (n)
			continue;
		dt_buf_append(out, text + done, i - done);
		if ((unsigned char)text[i] >= 0x80)
			dt_buf_puts(out, "\\ufffd"); /* not UTF-8: text of a record never is */
		else
			put_escaped(text[i], out);
		n = 1;
		done = i + 1;
	}
	dt_buf_append(out, text + done, len - done);
	dt_buf_putc(out, '"');
}

void dt_json_write_text(const char *text, struct dt_buf *out)
{
	if (!text) {
		dt_buf_puts(out, "null");
		return;
	}
	put_text(text, strlen(text), out);
}

static void put_value(struct writer *w, const struct dt_value *value);

static void put_registers(struct writer *w, const struct dt_value *list)
{
	const struct dt_register *regs = list->as.list.items;
	begin(w, '{');
	for (size_t i = 0; i < list->as.list.count; i++) {
		struct dt_value item = dt_value_item(list, i);
		put_key(w, regs[i].name ? regs[i].name : "");
		put_value(w, &item);
	}
	end(w, '}');
}

static void put_list(struct writer *w, const struct dt_value *list)
{
	begin(w, '[');
	for (size_t i = 0; i < list->as.list.count; i++) {
		struct dt_value item = dt_value_item(list, i);
		next(w);
		put_value(w, &item);
	}
	end(w, ']');
}

static void put_fields(struct writer *w, const struct dt_object *object, const void *from)
{
	for (size_t i = 0; i < object->field_count; i++) {
		const struct dt_field *field = &object->fields[i];
		struct dt_value value = dt_field_get(field, from);
		if (field->kind == DT_FIELD_INLINE) {
			put_fields(w, field->object, value.as.list.items);
			continue;
		}
		put_key(w, field->name);
		put_value(w, &value);
	}
}

static void put_object(struct writer *w, const struct dt_object *object, const void *from)
{
	begin(w, '{');
	put_fields(w, object, from);
	end(w, '}');
}

/* What is a string in JSON, and not text. */
static void put_quoted(struct writer *w, const struct dt_value *value)
{
	dt_buf_putc(w->out, '"');
	dt_value_print(value, w->out);
	dt_buf_putc(w->out, '"');
}

static void put_known(struct writer *w, const struct dt_value *value)
{
	switch (value->kind) {
	case DT_FIELD_TEXT:
	case DT_FIELD_WORD:
		put_text(value->as.text, dt_text_fit(value->as.text, DT_MAX_TEXT), w->out);
		break;
	case DT_FIELD_HEX:
	case DT_FIELD_TIME:
	case DT_FIELD_BYTES:
		put_quoted(w, value);
		break;
	case DT_FIELD_UINT:
	case DT_FIELD_SECONDS:
	case DT_FIELD_BOOL:
		dt_value_print(value, w->out);
		break;
	case DT_FIELD_REGISTERS:
		put_registers(w, value);
		break;
	case DT_FIELD_LIST:
	case DT_FIELD_TEXTS:
	case DT_FIELD_HEXES:
		put_list(w, value);
		break;
	case DT_FIELD_HAS:
	case DT_FIELD_MAY:
	case DT_FIELD_INLINE:
		put_object(w, value->as.list.object, value->as.list.items);
		break;
	}
}

static void put_value(struct writer *w, const struct dt_value *value)
{
	if (value->known)
		put_known(w, value);
	else
		dt_buf_append(w->out, "null", 4);
}

void dt_json_write_object(const struct dt_object *object, const void *value, enum dt_json_style style,
                          struct dt_buf *out)
{
	struct writer w = { .out = out, .pretty = style == DT_JSON_PRETTY };
	put_object(&w, object, value);
	if (w.pretty)
		dt_buf_putc(out, '\n');
}

void dt_json_write_crash(const struct dt_crash *crash, enum dt_json_style style, struct dt_buf *out)
{
	dt_json_write_object(&dt_object_crash, crash, style, out);
}

void dt_json_write_member(const char *name, const char *text, struct dt_buf *out)
{
	dt_buf_printf(out, ",\"%s\":", name);
	dt_json_write_text(text, out);
}

void dt_json_write_number(const char *name, struct dt_opt number, struct dt_buf *out)
{
	dt_buf_printf(out, ",\"%s\":", name);
	if (number.known)
		dt_buf_u64(out, number.value);
	else
		dt_buf_puts(out, "null");
}

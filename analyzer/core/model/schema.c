#include "core/model/schema.h"

#include <string.h>

#include "core/model/json.h"
#include "core/model/value.h"

#define HEX_PATTERN   "^0x(0|[1-9a-f][0-9a-f]*)$"
#define BYTES_PATTERN "^([0-9a-f]{2})+$"

/* Objects whose fields stand at the top level. */
static bool is_top(const struct dt_object *object)
{
	return object == &dt_object_crash || object == &dt_object_facts || object == &dt_object_judgement;
}

static void put_words(const struct dt_words *words, struct dt_buf *out)
{
	dt_buf_puts(out, "\"enum\": [");
	for (unsigned i = 1; i < words->count; i++) {
		dt_json_write_text(words->words[i], out);
		dt_buf_puts(out, ", ");
	}
	dt_buf_puts(out, "null]");
}

static void put_array(const struct dt_field *field, const char *items, struct dt_buf *out)
{
	dt_buf_printf(out, "\"type\": \"array\", \"maxItems\": %zu, \"items\": %s", field->max, items);
}

static void put_list(const struct dt_field *field, struct dt_buf *out)
{
	dt_buf_printf(out, "\"type\": \"array\", \"maxItems\": %zu, \"items\": {\"$ref\": \"#/$defs/%s\"}",
	              field->max, field->object->name);
}

static void put_registers(const struct dt_field *field, struct dt_buf *out)
{
	dt_buf_printf(
		out,
		"\"type\": \"object\", \"maxProperties\": %zu, \"propertyNames\": {\"pattern\": \"^[a-z0-9_]{1,%d}$\"}, "
		"\"additionalProperties\": {\"type\": [\"string\", \"null\"], \"pattern\": \"" HEX_PATTERN
		"\"}",
		field->max, DT_REGISTER_NAME_MAX);
}

static void put_type(const struct dt_field *field, struct dt_buf *out)
{
	switch (field->kind) {
	case DT_FIELD_TEXT:
		dt_buf_puts(out, "\"type\": [\"string\", \"null\"]");
		break;
	case DT_FIELD_HEX:
		dt_buf_puts(out, "\"type\": [\"string\", \"null\"], \"pattern\": \"" HEX_PATTERN
		                 "\", \"maxLength\": 18");
		break;
	case DT_FIELD_UINT:
		dt_buf_printf(out, "\"type\": [\"integer\", \"null\"], \"minimum\": 0, \"maximum\": %llu",
		              (unsigned long long)DT_UINT_MAX);
		break;
	case DT_FIELD_SECONDS:
		dt_buf_puts(out, "\"type\": [\"number\", \"null\"], \"minimum\": 0");
		break;
	case DT_FIELD_TIME:
		dt_buf_puts(out, "\"type\": [\"string\", \"null\"], \"format\": \"date-time\"");
		break;
	case DT_FIELD_BOOL:
		dt_buf_puts(out, "\"type\": [\"boolean\", \"null\"]");
		break;
	case DT_FIELD_WORD:
		put_words(field->words, out);
		break;
	case DT_FIELD_BYTES:
		dt_buf_printf(out,
		              "\"type\": [\"string\", \"null\"], \"pattern\": \"" BYTES_PATTERN
		              "\", \"maxLength\": %d",
		              2 * DT_MAX_HEXBYTES);
		break;
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		dt_buf_printf(out, "\"$ref\": \"#/$defs/%s\"", field->object->name);
		break;
	case DT_FIELD_MAY:
		dt_buf_printf(out, "\"anyOf\": [{\"$ref\": \"#/$defs/%s\"}, {\"type\": \"null\"}]",
		              field->object->name);
		break;
	case DT_FIELD_LIST:
		put_list(field, out);
		break;
	case DT_FIELD_TEXTS:
		put_array(field, "{\"type\": [\"string\", \"null\"]}", out);
		break;
	case DT_FIELD_HEXES:
		put_array(field, "{\"type\": \"string\", \"pattern\": \"" HEX_PATTERN "\", \"maxLength\": 18}",
		          out);
		break;
	case DT_FIELD_REGISTERS:
		put_registers(field, out);
		break;
	}
}

static void put_field(const struct dt_field *field, const char *indent, bool first, struct dt_buf *out)
{
	dt_buf_printf(out, "%s\n%s  ", first ? "" : ",", indent);
	dt_json_write_text(field->name, out);
	dt_buf_puts(out, ": {");
	/* The name of the format is the one value that is fixed. */
	if (strcmp(field->name, "schema") == 0)
		dt_buf_puts(out, "\"const\": \"" DT_CRASH_SCHEMA "\"");
	else
		put_type(field, out);
	dt_buf_puts(out, ", \"description\": ");
	dt_json_write_text(field->doc, out);
	dt_buf_putc(out, '}');
}

static void put_required(const struct dt_object *object, bool *first, struct dt_buf *out)
{
	for (size_t i = 0; i < object->field_count; i++) {
		dt_buf_puts(out, *first ? "" : ", ");
		dt_json_write_text(object->fields[i].name, out);
		*first = false;
	}
}

static void put_fields(const struct dt_object *object, const char *indent, bool *first, struct dt_buf *out)
{
	for (size_t i = 0; i < object->field_count; i++) {
		put_field(&object->fields[i], indent, *first, out);
		*first = false;
	}
}

static void put_object(const struct dt_object *object, struct dt_buf *out)
{
	bool first = true;
	dt_buf_puts(out, "    ");
	dt_json_write_text(object->name, out);
	dt_buf_puts(out, ": {\n      \"description\": ");
	dt_json_write_text(object->doc, out);
	dt_buf_puts(out, ",\n      \"type\": \"object\",\n      \"required\": [");
	put_required(object, &first, out);
	dt_buf_puts(out, "],\n      \"additionalProperties\": true,\n      \"properties\": {");
	first = true;
	put_fields(object, "      ", &first, out);
	dt_buf_puts(out, "\n      }\n    }");
}

static void put_top(struct dt_buf *out)
{
	bool first = true;
	dt_buf_puts(out, "  \"type\": \"object\",\n  \"required\": [");
	put_required(&dt_object_facts, &first, out);
	put_required(&dt_object_judgement, &first, out);
	dt_buf_puts(out, "],\n  \"additionalProperties\": true,\n  \"properties\": {");
	first = true;
	put_fields(&dt_object_facts, "  ", &first, out);
	put_fields(&dt_object_judgement, "  ", &first, out);
	dt_buf_puts(out, "\n  },\n");
}

void dt_schema_write(struct dt_buf *out)
{
	bool first = true;
	dt_buf_puts(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	                 "  \"$id\": \"urn:dumptriage:crash:1\",\n  \"title\": ");
	dt_json_write_text(dt_object_crash.doc, out);
	dt_buf_puts(out, ",\n");
	put_top(out);
	dt_buf_puts(out, "  \"$defs\": {\n");
	for (size_t i = 0; i < dt_object_count; i++) {
		if (is_top(dt_objects[i]))
			continue;
		dt_buf_puts(out, first ? "" : ",\n");
		put_object(dt_objects[i], out);
		first = false;
	}
	dt_buf_puts(out, "\n  }\n}\n");
}

/* The record's fields as Markdown tables. */
#include "core/model/schema.h"
#include "core/model/value.h"

static const char introduction[] =
	"# The crash record, `" DT_CRASH_SCHEMA "`\n"
	"\n"
	"One dump gives one record, and everything else (text, groups, feeds, pages) is made from records. A record has two\n"
	"parts, written by different code at different times:\n"
	"\n"
	"- **Facts** are what the dump says: addresses, codes, modules, bytes. They are read once and never change. Nothing in\n"
	"  them is an opinion; evidence that speaks for bad hardware, for example, stands under `anomalies` as what was seen.\n"
	"- **Judgement** is what the rules in force make of the facts: who is to blame, which known crash it is, how sure that is,\n"
	"  what to do next. It is made from facts alone, so it can be made again whenever the rules change, without the dump.\n"
	"\n"
	"What is not known is `null`, never 0 or an empty text: a register whose value is `null` was not in the dump, one whose\n"
	"value is `\"0x0\"` was zero. Every field is always written. Lists are empty, not `null`, where there is nothing in them.\n"
	"\n"
	"How values are written:\n"
	"\n"
	"- *hex*: a text of `0x` and lower-case digits without leading zeros. Addresses and codes are written so, because readers\n"
	"  of JSON lose digits of large numbers.\n"
	"- *integer*: a number from 0 to 9007199254740991. A dump that says more is not believed: `null`.\n"
	"- *seconds*: a number with up to three decimals.\n"
	"- *time*: RFC 3339, UTC, with up to seven decimals.\n"
	"- *bytes*: two lower-case hex digits a byte.\n"
	"- *text*: UTF-8 without control characters. What a dump holds beyond that is escaped visibly between \xE2\x9F\xA8 and \xE2\x9F\xA9:\n"
	"  \xE2\x9F\xA8U+0007\xE2\x9F\xA9 is a code point, \xE2\x9F\xA8x92\xE2\x9F\xA9 a byte that is not UTF-8.\n"
	"\n"
	"Readers ignore fields that they do not know. Fields are added; none is renamed, removed or given another meaning under\n"
	"this name: that would be `dumptriage.crash/2`. `crash.schema.json` beside this file says the same to programs (JSON\n"
	"Schema, draft 2020-12).\n";

static void put_word_list(const struct dt_words *words, struct dt_buf *out)
{
	for (unsigned i = 1; i < words->count; i++)
		dt_buf_printf(out, "%s`%s`", i == 1 ? "" : ", ", words->words[i]);
}

static void put_type(const struct dt_field *field, struct dt_buf *out)
{
	static const char *const names[] = {
		[DT_FIELD_TEXT] = "text",       [DT_FIELD_HEX] = "hex",     [DT_FIELD_UINT] = "integer",
		[DT_FIELD_SECONDS] = "seconds", [DT_FIELD_TIME] = "time",   [DT_FIELD_BOOL] = "true or false",
		[DT_FIELD_BYTES] = "bytes",     [DT_FIELD_HAS] = "object",  [DT_FIELD_MAY] = "object or `null`",
		[DT_FIELD_LIST] = "objects",    [DT_FIELD_TEXTS] = "texts", [DT_FIELD_HEXES] = "hex",
		[DT_FIELD_REGISTERS] = "object of name and hex",            [DT_FIELD_INLINE] = "object",
	};
	if (field->kind == DT_FIELD_WORD)
		put_word_list(field->words, out);
	else if (field->max)
		dt_buf_printf(out, "%s, at most %zu", names[field->kind], field->max);
	else
		dt_buf_puts(out, names[field->kind]);
}

/* Path so far, as a chain to the outside. */
struct prefix {
	const struct prefix *outer;
	const struct dt_field *field;
};

static bool is_list(const struct dt_field *field)
{
	return field->kind == DT_FIELD_LIST || field->kind == DT_FIELD_TEXTS || field->kind == DT_FIELD_HEXES;
}

static void put_prefix(const struct prefix *prefix, struct dt_buf *out)
{
	if (!prefix)
		return;
	put_prefix(prefix->outer, out);
	dt_buf_printf(out, "%s%s.", prefix->field->name, is_list(prefix->field) ? "[]" : "");
}

static void put_doc(const char *doc, struct dt_buf *out)
{
	for (; *doc; doc++) {
		if (*doc == '|')
			dt_buf_putc(out, '\\');
		dt_buf_putc(out, *doc);
	}
}

static void put_rows(const struct dt_object *object, const struct prefix *prefix, struct dt_buf *out)
{
	for (size_t i = 0; i < object->field_count; i++) {
		const struct dt_field *field = &object->fields[i];
		dt_buf_puts(out, "| `");
		put_prefix(prefix, out);
		dt_buf_printf(out, "%s%s` | ", field->name, is_list(field) ? "[]" : "");
		put_type(field, out);
		dt_buf_puts(out, " | ");
		put_doc(field->doc, out);
		dt_buf_puts(out, " |\n");
		if (field->object)
			put_rows(field->object, &(struct prefix){ prefix, field }, out);
	}
}

static void put_table(const char *title, const struct dt_object *object, struct dt_buf *out)
{
	dt_buf_printf(out, "\n## %s\n\n", title);
	put_doc(object->doc, out);
	dt_buf_puts(out, "\n\n| field | type | meaning |\n|---|---|---|\n");
	put_rows(object, NULL, out);
}

void dt_fields_doc_write(struct dt_buf *out)
{
	dt_buf_puts(out, introduction);
	put_table("Facts", &dt_object_facts, out);
	put_table("Judgement", &dt_object_judgement, out);
}

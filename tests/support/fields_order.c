#include "support/fields_order.h"

#include <stdio.h>
#include <string.h>

#include "core/model/field.h"

static const char *const kinds[] = {
	[DT_FIELD_TEXT] = "text",     [DT_FIELD_HEX] = "hex",
	[DT_FIELD_UINT] = "uint",     [DT_FIELD_SECONDS] = "seconds",
	[DT_FIELD_TIME] = "time",     [DT_FIELD_BOOL] = "bool",
	[DT_FIELD_WORD] = "word",     [DT_FIELD_BYTES] = "bytes",
	[DT_FIELD_HAS] = "has",       [DT_FIELD_MAY] = "may",
	[DT_FIELD_LIST] = "list",     [DT_FIELD_TEXTS] = "texts",
	[DT_FIELD_HEXES] = "hexes",   [DT_FIELD_REGISTERS] = "registers",
	[DT_FIELD_INLINE] = "inline",
};

static const struct dt_words *const all_words[] = {
#define DT_ENUM(e) &dt_words_##e,
#define DT_VALUE(e, constant, word)
#define DT_ENUM_END(e)
#include "core/model/enums.def"
};

static void put_words(const struct dt_words *words, struct dt_buf *out)
{
	for (unsigned i = 1; i < words->count; i++)
		dt_buf_printf(out, "word %s %s\n", words->name, dt_word(words, i));
}

static void put_object(const struct dt_object *object, struct dt_buf *out)
{
	for (size_t i = 0; i < object->field_count; i++) {
		const struct dt_field *field = &object->fields[i];
		const char *of = field->words ? field->words->name : field->object ? field->object->name : NULL;
		dt_buf_printf(out, "%s.%s %s%s%s\n", object->name, field->name, kinds[field->kind],
		              of ? " " : "", of ? of : "");
	}
}

void fields_order_write(struct dt_buf *out)
{
	for (size_t i = 0; i < dt_object_count; i++)
		put_object(dt_objects[i], out);
	for (size_t i = 0; i < sizeof all_words / sizeof *all_words; i++)
		put_words(all_words[i], out);
}

/* Of "object.field kind" the object, of "word type word" the type: what has an order of its own. */
static size_t group_len(const char *line)
{
	return strncmp(line, "word ", 5) == 0 ? 5 + strcspn(line + 5, " ") + 1 : strcspn(line, ".") + 1;
}

/* The n-th line of the group in text, NULL when there are fewer. */
static const char *line_of(const char *text, const char *group, size_t len, size_t n)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, group, len) == 0 && n-- == 0)
			return text;
	return NULL;
}

static bool same_line(const char *a, const char *b)
{
	size_t len = strcspn(a, "\n");
	return strcspn(b, "\n") == len && memcmp(a, b, len) == 0;
}

static const char *complaint(const char *pinned, const char *now)
{
	static char text[300];
	(void)snprintf(text, sizeof text, "pinned is \"%.*s\", in its place stands \"%.*s\"",
	               (int)strcspn(pinned, "\n"), pinned, now ? (int)strcspn(now, "\n") : 7,
	               now ? now : "nothing");
	return text;
}

static size_t lines_in(const char *text)
{
	size_t lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static const char *compare(const char *pinned, const char *now)
{
	for (const char *line = pinned; *line; line += strcspn(line, "\n") + 1) {
		size_t len = group_len(line), n = 0;
		while (line_of(pinned, line, len, n) != line)
			n++;
		const char *there = line_of(now, line, len, n);
		if (!there || !same_line(line, there))
			return complaint(line, there);
	}
	return NULL;
}

const char *fields_order_broken(const char *pinned, bool *added)
{
	struct dt_buf now;
	dt_buf_init(&now, 1 << 20);
	fields_order_write(&now);
	const char *broken = compare(pinned, dt_buf_text(&now));
	*added = lines_in(dt_buf_text(&now)) != lines_in(pinned);
	dt_buf_deinit(&now);
	return broken;
}

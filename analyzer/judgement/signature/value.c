/* Values of tests: text of the rule becomes what the field's kind compares with. */
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "judgement/signature/rule.h"

static enum dt_status wrong(const struct dt_doc *node, struct dt_error *err, const char *wanted)
{
	return dt_doc_fail(node, err, "expected %s, found '%.80s'", wanted, node->text);
}

static enum dt_status number_value(struct dt_operand *out, const struct dt_doc *node, struct dt_error *err)
{
	if (!dt_text_parse_u64(node->text, false, &out->number))
		return wrong(node, err, "a number (0x1f or 31)");
	return DT_OK;
}

/* Seconds with up to three digits behind the point; kept in milliseconds as the record does. */
static enum dt_status seconds_value(struct dt_operand *out, const struct dt_doc *node, struct dt_error *err)
{
	uint64_t ms = 0;
	int digits = -1; /* behind the point; -1: before it */

	for (const char *p = node->text; *p; p++) {
		if (*p == '.' && digits < 0 && p != node->text) {
			digits = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || digits == 3 || ms > UINT64_MAX / 100000)
			return wrong(node, err, "seconds (300 or 1.5)");
		ms = ms * 10 + (uint64_t)(*p - '0');
		digits += digits >= 0;
	}
	if (node->len == 0 || digits == 0)
		return wrong(node, err, "seconds (300 or 1.5)");
	for (int i = digits < 0 ? 0 : digits; i < 3; i++)
		ms *= 10;
	out->number = ms;
	return DT_OK;
}

static enum dt_status time_value(struct dt_operand *out, const struct dt_doc *node, struct dt_error *err)
{
	char text[DT_TIME_TEXT_MAX];

	if (node->len == 10) { /* a day begins at midnight UTC */
		memcpy(text, node->text, 10);
		memcpy(text + 10, "T00:00:00Z", 11);
		if (dt_time_parse(text, &out->number))
			return DT_OK;
	}
	if (!dt_time_parse(node->text, &out->number))
		return wrong(node, err, "a time (2024-07-19T04:09:00Z or 2024-07-19)");
	return DT_OK;
}

static enum dt_status bool_value(struct dt_operand *out, const struct dt_doc *node, struct dt_error *err)
{
	if (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)
		return wrong(node, err, "true or false");
	out->number = node->text[0] == 't';
	return DT_OK;
}

/* "45 8b ?? 08": two digits a byte, ?? for any, spaces where one likes. */
static enum dt_status bytes_value(struct dt_operand *out, const struct dt_doc *node, struct dt_arena *arena,
                                  struct dt_error *err)
{
	static const char wanted[] = "bytes in hex (45 8b ?? 08)";
	uint8_t *bytes = dt_arena_alloc(arena, node->len / 2 + 1), *mask = dt_arena_alloc(arena, node->len / 2 + 1);
	size_t n = 0, known = 0;

	if (!bytes || !mask)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	for (const char *p = node->text; *p; p++) {
		if (*p == ' ' || *p == '\n')
			continue;
		bool any = p[0] == '?' && p[1] == '?';
		if (!any && (dt_text_hex_digit(p[0]) < 0 || dt_text_hex_digit(p[1]) < 0))
			return wrong(node, err, wanted);
		bytes[n] = any ? 0 : (uint8_t)((unsigned)dt_text_hex_digit(p[0]) << 4 | (unsigned)dt_text_hex_digit(p[1]));
		mask[n++] = any ? 0 : 0xff;
		known += !any;
		p++;
	}
	if (known == 0)
		return wrong(node, err, wanted);
	out->bytes = (struct dt_bytes){ bytes, n };
	out->mask = (struct dt_bytes){ mask, n };
	return DT_OK;
}

static enum dt_status word_value(struct dt_operand *out, const struct dt_doc *node, const struct dt_words *words,
                                 struct dt_error *err)
{
	unsigned value = dt_word_value(words, node->text);

	if (value == 0)
		return dt_doc_fail(node, err, "'%.64s' is no word of the field (%s, %s, ...)", node->text, dt_word(words, 1),
		                   words->count > 2 ? dt_word(words, 2) : "");
	out->text = dt_word(words, value);
	return DT_OK;
}

enum dt_status dt_value_compile(struct dt_operand *out, const struct dt_check *test, const struct dt_doc *node,
                                const struct dt_words *words, struct dt_arena *arena, struct dt_error *err)
{
	if (node->kind != DT_DOC_SCALAR)
		return dt_doc_fail(node, err, "expected a value, found a %s", dt_doc_kind_name(node));
	if (test->op == DT_OP_EXISTS || test->op == DT_OP_CANONICAL)
		return bool_value(out, node, err);
	if (test->op == DT_OP_IN)
		return dt_range_compile(out, test, node, arena, err);
	if (test->op == DT_OP_RE)
		return dt_pattern_compile(&out->pattern, node, arena, err);
	if (test->version)
		return dt_version_parse(node->text, &out->number) ? DT_OK : wrong(node, err, "a version (7.11 or 7.11.18110.0)");
	switch (test->type) {
	case DT_FIELD_TEXT:
		if (node->len == 0)
			return wrong(node, err, "text");
		out->text = node->text;
		return DT_OK;
	case DT_FIELD_WORD:
		return word_value(out, node, words, err);
	case DT_FIELD_BYTES:
		return bytes_value(out, node, arena, err);
	case DT_FIELD_BOOL:
		return bool_value(out, node, err);
	case DT_FIELD_TIME:
		return time_value(out, node, err);
	case DT_FIELD_SECONDS:
		return seconds_value(out, node, err);
	default:
		return number_value(out, node, err);
	}
}

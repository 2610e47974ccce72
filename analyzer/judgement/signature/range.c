/* Ranges of numbers, times and versions: "1..5", "0xffff800000000000/17", one value. */
#include <string.h>

#include "core/base/text.h"
#include "judgement/signature/rule.h"

bool dt_version_parse(const char *text, uint64_t *out)
{
	unsigned parts = 0;

	for (*out = 0; parts < 4; parts++) {
		unsigned part = 0;
		if (*text < '0' || *text > '9')
			return false;
		for (; *text >= '0' && *text <= '9'; text++)
			if ((part = part * 10 + (unsigned)(*text - '0')) > UINT16_MAX)
				return false;
		*out |= (uint64_t)part << (48 - 16 * parts);
		if (*text != '.')
			break;
		text++;
	}
	return *text == 0 && parts < 4;
}

/* One end, as the field's kind writes values. */
static enum dt_status end_value(uint64_t *out, const struct dt_check *test, const struct dt_doc *node, const char *text,
                                size_t len, struct dt_arena *arena, struct dt_error *err)
{
	struct dt_check plain = { .type = test->type, .op = DT_OP_EQUALS, .version = test->version };
	struct dt_operand operand = { 0 };
	struct dt_doc part = *node;
	enum dt_status status;

	part.text = dt_arena_strndup(arena, text, len);
	part.len = len;
	if (!part.text)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	status = dt_value_compile(&operand, &plain, &part, NULL, arena, err);
	*out = operand.number;
	return status;
}

/* "base/bits": all values that begin with the same so many of 64 bits. */
static enum dt_status block(struct dt_operand *out, const struct dt_check *test, const struct dt_doc *node, const char *slash,
                            struct dt_arena *arena, struct dt_error *err)
{
	uint64_t bits, rest;
	enum dt_status status = end_value(&out->number, test, node, node->text, (size_t)(slash - node->text), arena, err);

	if (status != DT_OK)
		return status;
	if (test->type != DT_FIELD_HEX || !dt_text_parse_u64(slash + 1, false, &bits) || bits == 0 || bits > 64)
		return dt_doc_fail(node, err, "a block is an address and 1 to 64 leading bits (0xffff800000000000/17), found '%.60s'",
		                   node->text);
	rest = bits == 64 ? 0 : UINT64_MAX >> bits;
	if (out->number & rest)
		return dt_doc_fail(node, err, "'%.60s' has bits set behind the first %u", node->text, (unsigned)bits);
	out->last = out->number | rest;
	return DT_OK;
}

enum dt_status dt_range_compile(struct dt_operand *out, const struct dt_check *test, const struct dt_doc *node,
                                struct dt_arena *arena, struct dt_error *err)
{
	const char *dots = strstr(node->text, ".."), *slash = strchr(node->text, '/');
	size_t len = dots ? (size_t)(dots - node->text) : node->len;
	enum dt_status status;

	if (slash)
		return block(out, test, node, slash, arena, err);
	status = end_value(&out->number, test, node, node->text, len, arena, err);
	out->last = out->number;
	if (status == DT_OK && dots)
		status = end_value(&out->last, test, node, dots + 2, node->len - len - 2, arena, err);
	if (status == DT_OK && out->last < out->number)
		return dt_doc_fail(node, err, "a range needs the lower value first, found '%.60s'", node->text);
	return status;
}

/* Tests that nothing can fit, and patterns that fit everywhere. */
#include <string.h>

#include "judgement/signature/lint_parts.h"

/* ---- patterns ---------------------------------------------------------- */

static size_t known_bytes(const struct dt_operand *value)
{
	size_t known = 0;

	for (size_t i = 0; i < value->mask.len; i++)
		known += value->mask.data[i] != 0;
	return known;
}

/* 00 00 00, cc cc, 90 90: padding. */
static bool is_padding(const struct dt_operand *value)
{
	for (size_t i = 0; i < value->bytes.len; i++)
		if (value->mask.data[i] && value->bytes.data[i] != 0x00 && value->bytes.data[i] != 0xcc && value->bytes.data[i] != 0x90)
			return false;
	return true;
}

/* How functions begin everywhere. */
static bool is_prologue(const struct dt_operand *value)
{
	static const struct {
		uint8_t bytes[5];
		size_t len;
	} common[] = {
		{ { 0x48, 0x89, 0x5c, 0x24 }, 4 }, { { 0x48, 0x83, 0xec }, 3 }, { { 0x40, 0x53, 0x48, 0x83, 0xec }, 5 },
		{ { 0x48, 0x8b, 0xc4 }, 3 },       { { 0x55, 0x8b, 0xec }, 3 }, { { 0x8b, 0xff, 0x55, 0x8b, 0xec }, 5 },
	};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (value->bytes.len >= common[i].len && value->bytes.len <= common[i].len + 1 &&
		    !memcmp(value->bytes.data, common[i].bytes, common[i].len))
			return true;
	return false;
}

/* In a place that the faulting instruction gives, three bytes say which instruction it is; anywhere, six are needed. */
static void lint_bytes(struct dt_lint *l, const struct dt_check *test, const struct dt_operand *value)
{
	size_t least = test->op == DT_OP_CONTAINS ? 6 : 3;

	if (known_bytes(value) < least)
		dt_lint_say(l, test->node, "%zu known bytes are too common to mean anything; give at least %zu", known_bytes(value), least);
	else if (is_padding(value))
		dt_lint_say(l, test->node, "the bytes are padding, which is everywhere");
	else if (is_prologue(value))
		dt_lint_say(l, test->node, "the bytes are how most functions begin");
}

static void lint_text(struct dt_lint *l, const struct dt_check *test, const struct dt_operand *value)
{
	if (test->op == DT_OP_RE && dt_pattern_state(value->pattern, "") == DT_FACT_PRESENT)
		dt_lint_say(l, test->node, "the regular expression fits every text, even an empty one");
	else if (test->op == DT_OP_EQUALS && value->text[strspn(value->text, "*?")] == 0)
		dt_lint_say(l, test->node, "'%.40s' fits every text: use |exists", value->text);
	else if ((test->op == DT_OP_CONTAINS || test->op == DT_OP_STARTS) && strlen(value->text) < 2)
		dt_lint_say(l, test->node, "one character is too common to mean anything");
}

static void lint_values(struct dt_lint *l, const struct dt_check *test)
{
	for (size_t i = 0; i < test->value_count; i++) {
		if (test->op == DT_OP_EXISTS || test->op == DT_OP_CANONICAL || test->version)
			continue;
		if (test->type == DT_FIELD_BYTES)
			lint_bytes(l, test, &test->values[i]);
		else if (test->type == DT_FIELD_TEXT)
			lint_text(l, test, &test->values[i]);
	}
}

/* ---- numbers ----------------------------------------------------------- */

struct span {
	uint64_t low, high;
	bool empty;
};

static struct span one_span(enum dt_op op, const struct dt_operand *value)
{
	uint64_t x = value->number;

	switch (op) {
	case DT_OP_GT:
		return (struct span){ x + 1, UINT64_MAX, x == UINT64_MAX };
	case DT_OP_GTE:
		return (struct span){ x, UINT64_MAX, false };
	case DT_OP_LT:
		return (struct span){ 0, x - 1, x == 0 };
	case DT_OP_LTE:
		return (struct span){ 0, x, false };
	case DT_OP_IN:
		return (struct span){ x, value->last, false };
	default:
		return (struct span){ x, x, false };
	}
}

/* From the least to the greatest number that fits. */
static struct span span_of(const struct dt_check *test)
{
	struct span whole = { UINT64_MAX, 0, true };

	if (test->op == DT_OP_BETWEEN)
		return (struct span){ test->values[0].number, test->values[1].number, false };
	for (size_t i = 0; i < test->value_count; i++) {
		struct span one = one_span(test->op, &test->values[i]);
		if (one.empty)
			continue;
		whole.low = one.low < whole.low ? one.low : whole.low;
		whole.high = one.high > whole.high ? one.high : whole.high;
		whole.empty = false;
	}
	return whole;
}

static bool is_number(const struct dt_check *test)
{
	bool number = test->type == DT_FIELD_HEX || test->type == DT_FIELD_UINT || test->type == DT_FIELD_SECONDS ||
	              test->type == DT_FIELD_TIME || test->version;

	return test->kind == DT_CHECK_TEST && number && !test->has_other && test->mask == UINT64_MAX && test->op != DT_OP_EXISTS &&
	       test->op != DT_OP_CANONICAL;
}

/* Tests of one map on the same field that exclude each other. */
static void lint_all(struct dt_lint *l, const struct dt_check *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct dt_check *a = all->children[i];
		struct span x;
		if (!is_number(a))
			continue;
		x = span_of(a);
		for (size_t k = i + 1; k < all->count; k++) {
			const struct dt_check *b = all->children[k];
			if (!is_number(b) || strcmp(a->field, b->field))
				continue;
			struct span y = span_of(b);
			if (x.low > y.high || y.low > x.high)
				dt_lint_say(l, b->node, "no value of '%s' fits this and '%s' of the same map", b->field, a->node->key);
		}
	}
}

void dt_lint_check(struct dt_lint *l, const struct dt_check *check)
{
	if (check->kind == DT_CHECK_TEST) {
		lint_values(l, check);
		if (is_number(check) && span_of(check).empty)
			dt_lint_say(l, check->node, "no value of '%s' fits", check->field);
		return;
	}
	if (check->kind == DT_CHECK_ALL)
		lint_all(l, check);
	for (size_t i = 0; i < check->count; i++)
		dt_lint_check(l, check->children[i]);
}

/* Tests: `field|modifier|modifier=argument: values`. */
#include <string.h>

#include "core/base/text.h"
#include "judgement/signature/rule.h"

#define KIND(k) (1u << DT_FIELD_##k)
#define NUMBERS (KIND(HEX) | KIND(UINT) | KIND(SECONDS) | KIND(TIME))
#define SCALARS (NUMBERS | KIND(TEXT) | KIND(WORD) | KIND(BOOL) | KIND(BYTES))

/* What a modifier does beside choosing the comparison. */
enum effect { COMPARE, EVERY, IF_KNOWN, FIELDREF, MASK, AT };

static const struct modifier {
	const char *name;
	enum effect effect;
	enum dt_op op;
	unsigned kinds; /* of fields it goes with */
} modifiers[] = {
	{ "contains", COMPARE, DT_OP_CONTAINS, KIND(TEXT) | KIND(BYTES) },
	{ "startswith", COMPARE, DT_OP_STARTS, KIND(TEXT) },
	{ "endswith", COMPARE, DT_OP_ENDS, KIND(TEXT) },
	{ "gt", COMPARE, DT_OP_GT, NUMBERS },
	{ "gte", COMPARE, DT_OP_GTE, NUMBERS },
	{ "lt", COMPARE, DT_OP_LT, NUMBERS },
	{ "lte", COMPARE, DT_OP_LTE, NUMBERS },
	{ "between", COMPARE, DT_OP_BETWEEN, NUMBERS },
	{ "in", COMPARE, DT_OP_IN, NUMBERS },
	{ "re", COMPARE, DT_OP_RE, KIND(TEXT) },
	{ "bytes", COMPARE, DT_OP_BYTES, KIND(BYTES) },
	{ "exists", COMPARE, DT_OP_EXISTS, SCALARS },
	{ "canonical", COMPARE, DT_OP_CANONICAL, KIND(HEX) },
	{ "all", EVERY, 0, SCALARS },
	{ "if_known", IF_KNOWN, 0, SCALARS },
	{ "fieldref", FIELDREF, 0, NUMBERS | KIND(TEXT) | KIND(WORD) },
	{ "mask", MASK, 0, KIND(HEX) | KIND(UINT) },
	{ "at", AT, 0, KIND(BYTES) },
};

static const struct modifier *find_modifier(const char *name)
{
	for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++)
		if (strcmp(modifiers[i].name, name) == 0)
			return &modifiers[i];
	return NULL;
}

/* The kind of what a path leads to, and the words of an enumerated one. */
static enum dt_field_kind path_kind(const struct dt_path *path, const struct dt_words **words)
{
	const struct dt_field *field = path->step[path->count - 1].field;
	int64_t index = path->step[path->count - 1].index;

	*words = field->words;
	if (field->kind == DT_FIELD_REGISTERS && path->step[path->count - 1].reg)
		return DT_FIELD_HEX;
	if (field->kind == DT_FIELD_HEXES && index >= 0)
		return DT_FIELD_HEX;
	if (field->kind == DT_FIELD_TEXTS && index >= 0)
		return DT_FIELD_TEXT;
	return field->kind;
}

static enum dt_status parse_path(struct dt_path *path, const struct dt_object *object, const char *text,
                                 const struct dt_doc *at, struct dt_error *err)
{
	struct dt_error inner = { 0 };

	if (*text && dt_path_parse(path, object, text, &inner) == DT_OK && path->count > 0)
		return DT_OK;
	return dt_doc_fail(at, err, "the record has no field '%.100s'%s%s", text, inner.text[0] ? ": " : "", inner.text);
}

/* An object that holds bytes and the address of the first one (fault.code): the test looks into it. */
static enum dt_status enter_code(struct dt_check *out, const struct dt_doc *node, const struct dt_object *object,
                                 struct dt_arena *arena, struct dt_error *err)
{
	const struct dt_field *field = out->path.step[out->path.count - 1].field;
	const char *dot = strrchr(out->field, '.'), *hex, *start, *ip;
	enum dt_status status;

	if (!field->object || strcmp(field->object->name, "code") != 0 || out->type == DT_FIELD_LIST)
		return DT_OK;
	hex = dt_arena_printf(arena, "%s.hex", out->field);
	start = dt_arena_printf(arena, "%s.start", out->field);
	ip = dt_arena_printf(arena, "%.*sip", dot ? (int)(dot - out->field) + 1 : 0, out->field);
	if (!hex || !start || !ip)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	if ((status = parse_path(&out->path, object, hex, node, err)) != DT_OK ||
	    (status = parse_path(&out->start, object, start, node, err)) != DT_OK ||
	    (status = parse_path(&out->ip, object, ip, node, err)) != DT_OK)
		return status;
	out->type = DT_FIELD_BYTES;
	out->placed = true;
	return DT_OK;
}

/* "ip", "ip+0x10" or "ip-22". */
static bool parse_at(const char *text, int64_t *at)
{
	uint64_t n = 0;

	if (strncmp(text, "ip", 2) != 0)
		return false;
	text += 2;
	if (*text == 0)
		return true;
	if ((*text != '+' && *text != '-') || !dt_text_parse_u64(text + 1, false, &n) || n > 4096)
		return false;
	*at = *text == '-' ? -(int64_t)n : (int64_t)n;
	return true;
}

/* Text that holds a version: comparisons of order take it part by part, so that 7.9 comes before 7.11. */
static bool is_version(const struct dt_check *test)
{
	return test->type == DT_FIELD_TEXT && strcmp(test->path.step[test->path.count - 1].field->name, "version") == 0;
}

static enum dt_status apply(struct dt_check *out, const struct modifier *m, const char *argument, bool *fieldref,
                            const struct dt_doc *node, struct dt_error *err)
{
	if ((argument != NULL) != (m->effect == MASK || m->effect == AT))
		return dt_doc_fail(node, err, "the modifier '%s' %s", m->name,
		                   argument ? "takes no argument" : "needs an argument (mask=0xff, at=ip-0x16)");
	if (m->effect == COMPARE && m->kinds == NUMBERS && is_version(out))
		out->version = true;
	else if (!(m->kinds & 1u << out->type))
		return dt_doc_fail(node, err, "the modifier '%s' does not go with the field '%.80s'", m->name, out->field);
	switch (m->effect) {
	case EVERY:
		out->every = true;
		return DT_OK;
	case IF_KNOWN:
		out->if_known = true;
		return DT_OK;
	case FIELDREF:
		*fieldref = true;
		return DT_OK;
	case MASK:
		if (!dt_text_parse_u64(argument, false, &out->mask) || out->mask == 0)
			return dt_doc_fail(node, err, "expected a mask of bits, found '%.32s'", argument);
		return DT_OK;
	case AT:
		if (!out->placed || !parse_at(argument, &out->at))
			return dt_doc_fail(node, err, "expected at=ip, at=ip+N or at=ip-N on a field of code, found '%.32s'", argument);
		return DT_OK;
	default:
		if (out->op != DT_OP_EQUALS)
			return dt_doc_fail(node, err, "'%s' is the second comparison on one field: write two tests", m->name);
		out->op = m->op;
		return DT_OK;
	}
}

/* Cuts `text` at the first '|' and gives what follows, NULL at the end. */
static char *cut(char *text, char at)
{
	char *end = strchr(text, at);

	if (end)
		*end++ = 0;
	return end;
}

static enum dt_status parse_modifiers(struct dt_check *out, char *text, bool *fieldref, const struct dt_doc *node,
                                      struct dt_error *err)
{
	while (text) {
		char *rest = cut(text, '|'), *argument = cut(text, '=');
		const struct modifier *m = find_modifier(text);
		enum dt_status status;

		if (!m)
			return dt_doc_fail(node, err, "there is no modifier '%.40s'", text);
		status = apply(out, m, argument, fieldref, node, err);
		if (status != DT_OK)
			return status;
		text = rest;
	}
	return DT_OK;
}

static enum dt_status parse_other(struct dt_check *out, const struct dt_doc *node, struct dt_error *err)
{
	const struct dt_words *words, *mine;
	enum dt_status status;

	if (node->kind != DT_DOC_SCALAR)
		return dt_doc_fail(node, err, "expected the name of a field, found a %s", dt_doc_kind_name(node));
	status = parse_path(&out->other, &dt_object_facts, node->text, node, err);
	if (status != DT_OK)
		return status;
	(void)path_kind(&out->path, &mine);
	enum dt_field_kind kind = path_kind(&out->other, &words);
	bool numbers = (KIND(HEX) | KIND(UINT)) & 1u << kind && (KIND(HEX) | KIND(UINT)) & 1u << out->type;
	if (!numbers && (kind != out->type || words != mine))
		return dt_doc_fail(node, err, "'%.80s' and '%.80s' are of different kinds", out->field, node->text);
	out->has_other = true;
	return DT_OK;
}

static enum dt_status parse_values(struct dt_check *out, const struct dt_doc *node, const struct dt_words *words,
                                   struct dt_arena *arena, struct dt_error *err)
{
	const struct dt_doc *value = node->kind == DT_DOC_LIST ? node->first : node;
	size_t count = node->kind == DT_DOC_LIST ? node->count : 1;

	if (count == 0)
		return dt_doc_fail(node, err, "the list of values is empty");
	if (out->op == DT_OP_BETWEEN && count != 2)
		return dt_doc_fail(node, err, "'between' needs [low, high]");
	if ((out->op == DT_OP_EXISTS || out->op == DT_OP_CANONICAL) && node->kind == DT_DOC_LIST)
		return dt_doc_fail(node, err, "expected true or false, found a list");
	if (out->type == DT_FIELD_BYTES && out->op == DT_OP_EQUALS)
		return dt_doc_fail(node, err, "bytes need the modifier 'bytes' (from the first byte) or 'contains'");
	out->values = DT_ARENA_ARRAY(arena, count, struct dt_operand);
	if (!out->values)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	for (; out->value_count < count; value = value->next) {
		enum dt_status status = dt_value_compile(&out->values[out->value_count++], out, value, words, arena, err);
		if (status != DT_OK)
			return status;
	}
	if (out->op == DT_OP_BETWEEN && out->values[0].number > out->values[1].number)
		return dt_doc_fail(node, err, "'between' needs the lower value first");
	return DT_OK;
}

enum dt_status dt_test_compile(struct dt_check *out, const struct dt_doc *node, const struct dt_object *object,
                               struct dt_arena *arena, struct dt_error *err)
{
	char *text = (char *)(uintptr_t)dt_arena_strdup(arena, node->key), *rest;
	const struct dt_words *words;
	bool fieldref = false;
	enum dt_status status;

	if (!text)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	rest = cut(text, '|');
	out->kind = DT_CHECK_TEST;
	out->field = text;
	out->mask = UINT64_MAX;
	if ((status = parse_path(&out->path, object, text, node, err)) != DT_OK)
		return status;
	out->type = path_kind(&out->path, &words);
	if ((status = enter_code(out, node, object, arena, err)) != DT_OK)
		return status;
	if (!(SCALARS & 1u << out->type))
		return dt_doc_fail(node, err, "'%.80s' is not one value: name a field of it, or use |any for a list", text);
	if ((status = parse_modifiers(out, rest, &fieldref, node, err)) != DT_OK)
		return status;
	return fieldref ? parse_other(out, node, err) : parse_values(out, node, words, arena, err);
}

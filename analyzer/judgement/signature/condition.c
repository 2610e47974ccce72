/*
 * Conditions: text over the names of selections.
 *
 *   or        = and { "or" and }
 *   and       = unary { "and" unary }
 *   unary     = "not" unary | "(" or ")" | atom
 *   atom      = [ "present" | "missing" | "contradicted" ] NAME
 *             | ( NUMBER | "all" ) "of" ( "them" | NAME-WITH-* | "(" NAME { "," NAME } ")" )
 *
 * A name alone says that the fact is present. The result is true or false: the third value is asked for by name.
 */
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "judgement/signature/rule.h"

struct parser {
	const struct dt_doc *node;
	const struct dt_rule *rule;
	struct dt_arena *arena;
	struct dt_error *err;
	const char *at;    /* next character */
	const char *begin; /* of the token */
	char token[64];    /* "" at the end */
	unsigned depth;
	size_t nodes;
};

static enum dt_status fail(const struct parser *p, const char *expected)
{
	return dt_doc_fail_inside(p->node, (size_t)(p->begin - p->node->text), p->err, "expected %s, found %s%.60s%s", expected,
	                          p->token[0] ? "'" : "", p->token[0] ? p->token : "the end", p->token[0] ? "'" : "");
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_+-*?", c));
}

static void next(struct parser *p)
{
	size_t n = 0;

	while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t')
		p->at++;
	p->begin = p->at;
	while (is_word(p->at[n]))
		n++;
	if (n == 0 && *p->at)
		n = 1;
	size_t kept = n < sizeof(p->token) ? n : sizeof(p->token) - 1;
	memcpy(p->token, p->at, kept);
	p->token[kept] = 0;
	p->at += n;
}

static bool is(const struct parser *p, const char *word)
{
	return strcmp(p->token, word) == 0;
}

static bool take(struct parser *p, const char *word)
{
	if (!is(p, word))
		return false;
	next(p);
	return true;
}

static struct dt_condition *new_condition(struct parser *p, enum dt_condition_kind kind)
{
	struct dt_condition *c = DT_ARENA_NEW(p->arena, struct dt_condition);

	if (c)
		c->kind = kind;
	return c;
}

static enum dt_status no_memory(const struct parser *p)
{
	return dt_fail(p->err, DT_ERR_NOMEM, "%s: out of memory", p->node->file);
}

/* Adds the selections that a name, with or without wildcards, means. */
static bool add_names(const struct parser *p, uint32_t *set)
{
	bool found = false;

	for (size_t i = 0; i < p->rule->selection_count; i++)
		if (dt_glob_fold(p->token, p->rule->selections[i].name)) {
			*set |= UINT32_C(1) << i;
			found = true;
		}
	return found;
}

static enum dt_status parse_set(struct parser *p, uint32_t *set)
{
	if (take(p, "them")) {
		*set = p->rule->selection_count == 32 ? UINT32_MAX : (UINT32_C(1) << p->rule->selection_count) - 1;
		return DT_OK;
	}
	if (!take(p, "(")) {
		if (!add_names(p, set))
			return fail(p, "'them', a list in parentheses, or a name of selections");
		next(p);
		return DT_OK;
	}
	do {
		if (!add_names(p, set))
			return fail(p, "the name of a selection");
		next(p);
	} while (take(p, ","));
	if (!take(p, ")"))
		return fail(p, "',' or ')'");
	return DT_OK;
}

static enum dt_status parse_of(struct parser *p, const struct dt_condition **out)
{
	struct dt_condition *c = new_condition(p, DT_COND_OF);
	bool all = is(p, "all");
	uint64_t need = 0;
	enum dt_status status;

	if (!c)
		return no_memory(p);
	if (!all && (!dt_text_parse_u64(p->token, false, &need) || need == 0 || need > 32))
		return fail(p, "a number from 1 to 32");
	next(p);
	if (!take(p, "of"))
		return fail(p, "'of'");
	if ((status = parse_set(p, &c->set)) != DT_OK)
		return status;
	unsigned count = (unsigned)__builtin_popcount(c->set);
	c->need = all ? count : (unsigned)need;
	if (c->need > count)
		return dt_doc_fail(p->node, p->err, "%u of %u selections can never hold", c->need, count);
	*out = c;
	return DT_OK;
}

static enum dt_status parse_state(struct parser *p, const struct dt_condition **out)
{
	struct dt_condition *c = new_condition(p, DT_COND_STATE);
	unsigned state = dt_word_value(&dt_words_fact_state, p->token);

	if (!c)
		return no_memory(p);
	c->state = state ? (enum dt_fact_state)state : DT_FACT_PRESENT;
	if (state)
		next(p);
	for (size_t i = 0; i < p->rule->selection_count; i++)
		if (is(p, p->rule->selections[i].name)) {
			c->selection = i;
			*out = c;
			next(p);
			return DT_OK;
		}
	return fail(p, "the name of a selection");
}

static enum dt_status parse_or(struct parser *p, const struct dt_condition **out);

static enum dt_status parse_not(struct parser *p, const struct dt_condition **out);

static enum dt_status parse_unary(struct parser *p, const struct dt_condition **out)
{
	enum dt_status status;

	if (++p->nodes > DT_MAX_RULE_NODES || p->depth >= DT_MAX_RULE_DEPTH)
		return dt_fail(p->err, DT_ERR_LIMIT, "%s:%u:%u: the condition is too long or nested too deep", p->node->file,
		               p->node->line, p->node->column);
	if (take(p, "not"))
		return parse_not(p, out);
	if (is(p, "all") || (p->token[0] >= '0' && p->token[0] <= '9'))
		return parse_of(p, out);
	if (!take(p, "("))
		return parse_state(p, out);
	p->depth++;
	status = parse_or(p, out);
	p->depth--;
	if (status == DT_OK && !take(p, ")"))
		return fail(p, "'and', 'or' or ')'");
	return status;
}

static enum dt_status parse_not(struct parser *p, const struct dt_condition **out)
{
	struct dt_condition *c = new_condition(p, DT_COND_NOT);
	enum dt_status status;

	if (!c)
		return no_memory(p);
	*out = c;
	p->depth++;
	status = parse_unary(p, &c->left);
	p->depth--;
	return status;
}

typedef enum dt_status (*parse_fn)(struct parser *, const struct dt_condition **);

/* operand { word operand }, grouped from the left. */
static enum dt_status parse_chain(struct parser *p, const struct dt_condition **out, const char *word,
                                  enum dt_condition_kind kind, parse_fn operand)
{
	enum dt_status status = operand(p, out);

	while (status == DT_OK && take(p, word)) {
		struct dt_condition *c = new_condition(p, kind);
		if (!c)
			return no_memory(p);
		c->left = *out;
		*out = c;
		status = operand(p, &c->right);
	}
	return status;
}

static enum dt_status parse_and(struct parser *p, const struct dt_condition **out)
{
	return parse_chain(p, out, "and", DT_COND_AND, parse_unary);
}

static enum dt_status parse_or(struct parser *p, const struct dt_condition **out)
{
	return parse_chain(p, out, "or", DT_COND_OR, parse_and);
}

enum dt_status dt_condition_compile(const struct dt_condition **out, const struct dt_doc *node, const struct dt_rule *rule,
                                    struct dt_arena *arena, struct dt_error *err)
{
	struct parser p = { .node = node, .rule = rule, .arena = arena, .err = err };
	enum dt_status status;

	if (node->kind != DT_DOC_SCALAR)
		return dt_doc_fail(node, err, "expected a condition over selections, found a %s", dt_doc_kind_name(node));
	p.at = node->text;
	next(&p);
	status = parse_or(&p, out);
	if (status == DT_OK && p.token[0])
		return fail(&p, "'and', 'or' or the end");
	return status;
}

/* What a condition asks: states that are not set yet are found out from the facts. */
struct asked {
	const struct dt_rule *rule;
	const struct dt_facts *facts;
	enum dt_fact_state *states;
};

static enum dt_fact_state state(const struct asked *a, size_t selection)
{
	if (!a->states[selection])
		a->states[selection] = dt_selection_state(&a->rule->selections[selection], a->facts);
	return a->states[selection];
}

static bool of_holds(const struct dt_condition *c, const struct asked *a)
{
	unsigned present = 0;

	for (size_t i = 0; i < DT_MAX_EVIDENCE && present < c->need; i++)
		if (c->set >> i & 1 && state(a, i) == DT_FACT_PRESENT)
			present++;
	return present >= c->need;
}

/* The depth to the left is the length of a chain, which the cap on nodes holds. */
static bool holds(const struct dt_condition *c, const struct asked *a)
{
	switch (c->kind) {
	case DT_COND_AND:
		return holds(c->left, a) && holds(c->right, a);
	case DT_COND_OR:
		return holds(c->left, a) || holds(c->right, a);
	case DT_COND_NOT:
		return !holds(c->left, a);
	case DT_COND_OF:
		return of_holds(c, a);
	default:
		return state(a, c->selection) == c->state;
	}
}

bool dt_condition_holds(const struct dt_condition *condition, const struct dt_rule *rule, const struct dt_facts *facts,
                        enum dt_fact_state *states)
{
	return holds(condition, &(struct asked){ rule, facts, states });
}

enum dt_grade dt_rule_grade(const struct dt_rule *rule, const struct dt_facts *facts, enum dt_fact_state *states)
{
	struct asked a = { rule, facts, states };

	if (rule->condition && !holds(rule->condition, &a))
		return DT_grade_NULL;
	if (!rule->has_grades)
		return DT_GRADE_POSSIBLE;
	for (int grade = DT_GRADE_CONFIRMED; grade > DT_grade_NULL; grade--)
		if (rule->grade[grade] && holds(rule->grade[grade], &a))
			return (enum dt_grade)grade;
	return DT_grade_NULL;
}

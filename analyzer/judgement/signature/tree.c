/* A rule over facts, spelled out: each condition with what became of it, each fact with its state and what the dump has. */
#include <string.h>

#include "judgement/signature/rule.h"

struct tree {
	const struct dt_rule *rule;
	const struct dt_facts *facts;
	struct dt_arena *arena;
	struct dt_buf *out;
	enum dt_fact_state states[DT_MAX_EVIDENCE];
};

static void indent(struct tree *t, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		dt_buf_puts(t->out, "  ");
}

/* ---- conditions ------------------------------------------------------- */

static bool holds(struct tree *t, const struct dt_condition *c)
{
	return dt_condition_holds(c, t->rule, t->facts, t->states);
}

static void put_mark(struct tree *t, unsigned depth, const struct dt_condition *c)
{
	indent(t, depth);
	dt_buf_puts(t->out, holds(t, c) ? "+ " : "- ");
}

static void put_state(struct tree *t, const struct dt_condition *c)
{
	const char *name = t->rule->selections[c->selection].name, *is = dt_word(&dt_words_fact_state, t->states[c->selection]);

	if (c->state == DT_FACT_PRESENT)
		dt_buf_printf(t->out, "%s (%s)\n", name, is);
	else
		dt_buf_printf(t->out, "%s %s (%s)\n", dt_word(&dt_words_fact_state, c->state), name, is);
}

static void put_of(struct tree *t, const struct dt_condition *c)
{
	const char *comma = "";

	dt_buf_printf(t->out, "%u of ", c->need);
	for (size_t i = 0; i < t->rule->selection_count; i++)
		if (c->set >> i & 1) {
			dt_buf_printf(t->out, "%s%s (%s)", comma, t->rule->selections[i].name, dt_word(&dt_words_fact_state, t->states[i]));
			comma = ", ";
		}
	dt_buf_putc(t->out, '\n');
}

/* "a and b and c" is one line with three below, however it is grouped. */
static void put_condition(struct tree *t, unsigned depth, const struct dt_condition *c);

static void put_chain(struct tree *t, unsigned depth, enum dt_condition_kind kind, const struct dt_condition *c)
{
	if (c->kind == kind) {
		put_chain(t, depth, kind, c->left);
		put_chain(t, depth, kind, c->right);
	} else {
		put_condition(t, depth, c);
	}
}

static void put_condition(struct tree *t, unsigned depth, const struct dt_condition *c)
{
	put_mark(t, depth, c);
	switch (c->kind) {
	case DT_COND_AND:
	case DT_COND_OR:
		dt_buf_puts(t->out, c->kind == DT_COND_AND ? "all of\n" : "one of\n");
		put_chain(t, depth + 1, c->kind, c);
		break;
	case DT_COND_NOT:
		dt_buf_puts(t->out, "not\n");
		put_condition(t, depth + 1, c->left);
		break;
	case DT_COND_OF:
		put_of(t, c);
		break;
	default:
		put_state(t, c);
	}
}

/* ---- facts ------------------------------------------------------------ */

static const char *operator_name(const struct dt_check *check)
{
	switch (check->kind) {
	case DT_CHECK_ANY:
		return "any of";
	case DT_CHECK_NOT:
		return "not";
	case DT_CHECK_WHEN:
		return "when the first holds, the second";
	default:
		return "all of";
	}
}

static void put_wanted(struct tree *t, const struct dt_doc *node)
{
	size_t shown = 0;

	dt_buf_printf(t->out, "%s:", node->key ? node->key : "-");
	if (node->kind == DT_DOC_SCALAR)
		dt_buf_printf(t->out, " %.80s", node->text);
	for (const struct dt_doc *item = node->kind == DT_DOC_LIST ? node->first : NULL; item && shown++ < 4; item = item->next)
		dt_buf_printf(t->out, "%s%.40s", item == node->first ? " " : ", ", item->kind == DT_DOC_SCALAR ? item->text : "...");
	if (node->kind == DT_DOC_LIST && node->count > 4)
		dt_buf_printf(t->out, " and %zu more", node->count - 4);
}

static void put_check(struct tree *t, unsigned depth, const struct dt_check *check)
{
	struct dt_selection alone = { .check = (struct dt_check *)(uintptr_t)check };
	const char *value = NULL;
	bool leaf = check->kind == DT_CHECK_TEST || check->kind == DT_CHECK_ELEMENTS;

	indent(t, depth);
	if (leaf) {
		put_wanted(t, check->node);
		value = dt_evidence_value(&alone, t->facts, t->arena);
	} else {
		dt_buf_puts(t->out, operator_name(check));
	}
	dt_buf_printf(t->out, "  [%s]", dt_word(&dt_words_fact_state, dt_selection_state(&alone, t->facts)));
	if (leaf)
		dt_buf_printf(t->out, " the dump has %s", value ? value : "nothing there");
	dt_buf_putc(t->out, '\n');
	for (size_t i = 0; check->kind != DT_CHECK_TEST && check->kind != DT_CHECK_ELEMENTS && i < check->count; i++)
		put_check(t, depth + 1, check->children[i]);
}

static void put_selection(struct tree *t, size_t i)
{
	const struct dt_selection *selection = &t->rule->selections[i];

	dt_buf_printf(t->out, "  %s  [%s]%s%s\n", selection->name, dt_word(&dt_words_fact_state, t->states[i]), selection->title ? "  " : "",
	              selection->title ? selection->title : "");
	put_check(t, 2, selection->check);
}

bool dt_rule_explain(const struct dt_rules *rules, const char *id, const struct dt_facts *facts, struct dt_arena *arena,
                     struct dt_buf *out)
{
	struct tree t = { .facts = facts, .arena = arena, .out = out };
	enum dt_grade grade;

	for (size_t i = 0; i < rules->count && !t.rule; i++)
		if (!strcmp(rules->rule[i]->info.id, id))
			t.rule = rules->rule[i];
	if (!t.rule)
		return false;
	for (size_t i = 0; i < t.rule->selection_count; i++)
		t.states[i] = dt_selection_state(&t.rule->selections[i], facts);
	grade = dt_rule_grade(t.rule, facts, t.states);
	dt_buf_printf(out, "%s: %s\n%s\n", id, grade ? dt_word(&dt_words_grade, grade) : "no match", t.rule->info.title);
	if (t.rule->condition) {
		dt_buf_puts(out, "\ncondition\n");
		put_condition(&t, 1, t.rule->condition);
	}
	for (int g = DT_GRADE_CONFIRMED; g > DT_grade_NULL; g--)
		if (t.rule->grade[g]) {
			dt_buf_printf(out, "\n%s\n", dt_word(&dt_words_grade, (unsigned)g));
			put_condition(&t, 1, t.rule->grade[g]);
		}
	dt_buf_puts(out, "\nfacts\n");
	for (size_t i = 0; i < t.rule->selection_count; i++)
		put_selection(&t, i);
	return true;
}

/*
 * Whether a rule may match a crash of which only a few columns are known: what lets a new signature be tried
 * over a large store without reading every record. It errs only towards "may".
 */
#include <string.h>

#include "judgement/signature/rule.h"

/* The fields that rules.h promises to look at; all others count as unknown, in lists and tests of existence too. */
static bool is_column(const char *field)
{
	return field && (!strcmp(field, "bugcheck.code") || !strcmp(field, "fault.module") || !strcmp(field, "dump.build"));
}

/* Whether the check is contradicted by the columns, whatever else the facts hold. */
static bool refuted(const struct dt_check *check, const struct dt_facts *columns)
{
	struct dt_selection alone = { .check = (struct dt_check *)(uintptr_t)check };
	size_t count = 0;

	switch (check->kind) {
	case DT_CHECK_TEST:
		return is_column(check->field) && check->op != DT_OP_EXISTS && !check->has_other &&
		       dt_selection_state(&alone, columns) == DT_FACT_CONTRADICTED;
	case DT_CHECK_ALL:
		for (size_t i = 0; i < check->count; i++)
			if (refuted(check->children[i], columns))
				return true;
		return false;
	case DT_CHECK_ANY:
		for (size_t i = 0; i < check->count; i++)
			count += refuted(check->children[i], columns);
		return count > 0 && count == check->count;
	default:
		return false;
	}
}

/* Which states a selection may have, as bits. */
typedef uint8_t states_t;
#define STATE(s) ((states_t)(1u << (s)))
#define ANY_STATE ((states_t)(STATE(DT_FACT_PRESENT) | STATE(DT_FACT_MISSING) | STATE(DT_FACT_CONTRADICTED)))
#define NOT_PRESENT ((states_t)(STATE(DT_FACT_MISSING) | STATE(DT_FACT_CONTRADICTED)))

enum outlook { NO, MAYBE, YES };

static enum outlook of(const struct dt_condition *c, const states_t *states)
{
	unsigned open = 0;

	for (size_t i = 0; i < DT_MAX_EVIDENCE; i++)
		open += (c->set >> i & 1) && (states[i] & STATE(DT_FACT_PRESENT));
	return open >= c->need ? MAYBE : NO;
}

static enum outlook outlook(const struct dt_condition *c, const states_t *states)
{
	enum outlook left, right;

	switch (c->kind) {
	case DT_COND_AND:
		left = outlook(c->left, states);
		right = outlook(c->right, states);
		return left < right ? left : right;
	case DT_COND_OR:
		left = outlook(c->left, states);
		right = outlook(c->right, states);
		return left > right ? left : right;
	case DT_COND_NOT:
		return (enum outlook)(YES - outlook(c->left, states));
	case DT_COND_OF:
		return of(c, states);
	default:
		if (!(states[c->selection] & STATE(c->state)))
			return NO;
		return states[c->selection] == STATE(c->state) ? YES : MAYBE;
	}
}

/* Whether any grade may hold with selections in these states. */
static bool may_hold(const struct dt_rule *rule, const states_t *states)
{
	if (rule->condition && outlook(rule->condition, states) == NO)
		return false;
	if (!rule->has_grades)
		return true;
	for (int grade = DT_GRADE_POSSIBLE; grade < DT_grade_COUNT; grade++)
		if (rule->grade[grade] && outlook(rule->grade[grade], states) != NO)
			return true;
	return false;
}

static bool rule_may_match(const struct dt_rule *rule, const struct dt_facts *columns)
{
	states_t states[DT_MAX_EVIDENCE];

	for (size_t i = 0; i < rule->selection_count; i++)
		states[i] = refuted(rule->selections[i].check, columns) ? STATE(DT_FACT_CONTRADICTED) : ANY_STATE;
	return may_hold(rule, states);
}

static bool is_gate(const struct dt_check *check)
{
	return check->kind == DT_CHECK_TEST && is_column(check->field) && check->op != DT_OP_EXISTS && !check->has_other;
}

static void add_gate(struct dt_rule *rule, const struct dt_check *check, bool needed)
{
	if (is_gate(check) && rule->gate_count < sizeof(rule->gates) / sizeof(rule->gates[0]))
		rule->gates[rule->gate_count++] = (struct dt_gate){ check, needed };
}

/* Whether the rule can hold when one selection has only these states. */
static bool holds_with(const struct dt_rule *rule, size_t selection, states_t one)
{
	states_t states[DT_MAX_EVIDENCE];

	for (size_t i = 0; i < rule->selection_count; i++)
		states[i] = i == selection ? one : ANY_STATE;
	return may_hold(rule, states);
}

/* All tests of a map are present when the selection is, and none is contradicted when it is not. */
void dt_rule_find_gates(struct dt_rule *rule)
{
	for (size_t i = 0; i < rule->selection_count; i++) {
		const struct dt_check *check = rule->selections[i].check;
		bool needed = !holds_with(rule, i, NOT_PRESENT);
		if (!needed && holds_with(rule, i, STATE(DT_FACT_CONTRADICTED)))
			continue;
		add_gate(rule, check, needed);
		for (size_t k = 0; check->kind == DT_CHECK_ALL && k < check->count; k++)
			add_gate(rule, check->children[k], needed);
	}
}

bool dt_rule_passes_gates(const struct dt_rule *rule, const struct dt_facts *facts)
{
	for (size_t i = 0; i < rule->gate_count; i++) {
		struct dt_selection alone = { .check = (struct dt_check *)(uintptr_t)rule->gates[i].check };
		enum dt_fact_state state = dt_selection_state(&alone, facts);
		if (state == DT_FACT_CONTRADICTED || (rule->gates[i].needed && state != DT_FACT_PRESENT))
			return false;
	}
	return true;
}

bool dt_rule_may_match(const struct dt_rules *rules, const char *id, const struct dt_facts *columns)
{
	for (size_t i = 0; i < rules->count; i++)
		if (!strcmp(rules->rule[i]->info.id, id))
			return rule_may_match(rules->rule[i], columns);
	return false;
}

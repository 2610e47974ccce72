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

enum outlook { NO, MAYBE, YES };

static enum outlook of(const struct dt_condition *c, const bool *refuted_one)
{
	unsigned open = 0;

	for (size_t i = 0; i < 32; i++)
		open += (c->set >> i & 1) && !refuted_one[i];
	return open >= c->need ? MAYBE : NO;
}

static enum outlook outlook(const struct dt_condition *c, const bool *refuted_one)
{
	enum outlook left, right;

	switch (c->kind) {
	case DT_COND_AND:
		left = outlook(c->left, refuted_one);
		right = outlook(c->right, refuted_one);
		return left < right ? left : right;
	case DT_COND_OR:
		left = outlook(c->left, refuted_one);
		right = outlook(c->right, refuted_one);
		return left > right ? left : right;
	case DT_COND_NOT:
		return (enum outlook)(YES - outlook(c->left, refuted_one));
	case DT_COND_OF:
		return of(c, refuted_one);
	default:
		return !refuted_one[c->selection] ? MAYBE : c->state == DT_FACT_CONTRADICTED ? YES : NO;
	}
}

/* Whether any grade may hold when these selections are contradicted. */
static bool may_hold(const struct dt_rule *rule, const bool *refuted_one)
{
	if (rule->condition && outlook(rule->condition, refuted_one) == NO)
		return false;
	if (!rule->has_grades)
		return true;
	for (int grade = DT_GRADE_POSSIBLE; grade < DT_grade_COUNT; grade++)
		if (rule->grade[grade] && outlook(rule->grade[grade], refuted_one) != NO)
			return true;
	return false;
}

static bool rule_may_match(const struct dt_rule *rule, const struct dt_facts *columns)
{
	bool refuted_one[32] = { false };

	for (size_t i = 0; i < rule->selection_count && i < 32; i++)
		refuted_one[i] = refuted(rule->selections[i].check, columns);
	return rule->selection_count > 32 || may_hold(rule, refuted_one);
}

static bool is_gate(const struct dt_check *check)
{
	return check->kind == DT_CHECK_TEST && is_column(check->field) && check->op != DT_OP_EXISTS && !check->has_other;
}

static void add_gate(struct dt_rule *rule, const struct dt_check *check)
{
	if (is_gate(check) && rule->gate_count < sizeof(rule->gates) / sizeof(rule->gates[0]))
		rule->gates[rule->gate_count++] = check;
}

void dt_rule_find_gates(struct dt_rule *rule)
{
	for (size_t i = 0; i < rule->selection_count && rule->selection_count <= 32; i++) {
		const struct dt_check *check = rule->selections[i].check;
		bool refuted_one[32] = { false };
		refuted_one[i] = true;
		if (may_hold(rule, refuted_one))
			continue;
		add_gate(rule, check);
		for (size_t k = 0; check->kind == DT_CHECK_ALL && k < check->count; k++)
			add_gate(rule, check->children[k]);
	}
}

bool dt_rule_passes_gates(const struct dt_rule *rule, const struct dt_facts *facts)
{
	for (size_t i = 0; i < rule->gate_count; i++) {
		struct dt_selection alone = { .check = (struct dt_check *)(uintptr_t)rule->gates[i] };
		if (dt_selection_state(&alone, facts) == DT_FACT_CONTRADICTED)
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

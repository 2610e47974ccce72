/* Rules that load and still do not mean what their author thinks: conditions, grades and tests. */
#include "judgement/signature/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tables/images.h"
#include "judgement/signature/lint_parts.h"

enum { MAX_TRIED = 11 }; /* selections of which all combinations of states are tried: 3 to the power of it */

void dt_lint_say(struct dt_lint *l, const struct dt_doc *at, const char *fmt, ...)
{
	char text[400], message[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(message, sizeof(message), "%s:%u:%u: %s", at->file, at->line, at->column, text);
	l->said(l->context, message);
	l->count++;
}

static const struct dt_doc *part(const struct dt_rule *rule, const char *key, const char *inner)
{
	const struct dt_doc *node = dt_doc_get(rule->document, key), *found;

	if (!node)
		return rule->document;
	found = inner && node->kind == DT_DOC_MAP ? dt_doc_get(node, inner) : NULL;
	return found ? found : node;
}

/* ---- conditions: what can happen at all -------------------------------- */

/* One grade for each combination of states of the selections that conditions name. */
struct table {
	size_t selection[MAX_TRIED];
	size_t count, size;
	uint8_t *grades;
};

static void named(const struct dt_condition *c, uint32_t *set)
{
	if (!c)
		return;
	named(c->left, set);
	named(c->right, set);
	*set |= c->kind == DT_COND_OF ? c->set : c->kind == DT_COND_STATE ? UINT32_C(1) << c->selection : 0;
}

static uint32_t all_named(const struct dt_rule *rule)
{
	uint32_t set = 0;

	named(rule->condition, &set);
	for (int grade = 1; grade < DT_grade_COUNT; grade++)
		named(rule->grade[grade], &set);
	return set;
}

static void states_of(const struct table *t, size_t n, enum dt_fact_state states[DT_MAX_EVIDENCE])
{
	static const enum dt_fact_state each[] = { DT_FACT_PRESENT, DT_FACT_MISSING, DT_FACT_CONTRADICTED };

	for (size_t i = 0; i < DT_MAX_EVIDENCE; i++)
		states[i] = DT_FACT_MISSING;
	for (size_t i = 0; i < t->count; i++, n /= 3)
		states[t->selection[i]] = each[n % 3];
}

/* False where there are too many combinations, or no memory for them. */
static bool fill(struct table *t, const struct dt_rule *rule, uint32_t set)
{
	*t = (struct table){ .size = 1 };
	for (size_t i = 0; i < rule->selection_count; i++) {
		if (!(set >> i & 1))
			continue;
		if (t->count == MAX_TRIED)
			return false;
		t->selection[t->count++] = i;
		t->size *= 3;
	}
	if (!(t->grades = malloc(t->size)))
		return false;
	for (size_t n = 0; n < t->size; n++) {
		enum dt_fact_state states[DT_MAX_EVIDENCE];
		states_of(t, n, states);
		t->grades[n] = (uint8_t)dt_rule_grade(rule, NULL, states);
	}
	return true;
}

static bool matters(const struct table *t, size_t k)
{
	size_t stride = 1;

	for (size_t i = 0; i < k; i++)
		stride *= 3;
	for (size_t n = 0; n < t->size; n++)
		if (n / stride % 3 && t->grades[n] != t->grades[n - n / stride % 3 * stride])
			return true;
	return false;
}

static void lint_table(struct dt_lint *l, const struct dt_rule *rule, const struct table *t)
{
	bool reached[DT_grade_COUNT] = { false };

	for (size_t n = 0; n < t->size; n++)
		reached[t->grades[n]] = true;
	for (int grade = 1; rule->has_grades && grade < DT_grade_COUNT; grade++)
		if (rule->grade[grade] && !reached[grade])
			dt_lint_say(l, dt_doc_get(part(rule, "detection", "grades"), dt_word(&dt_words_grade, (unsigned)grade)),
			            "the grade '%s' is never given: its condition cannot hold, or a higher grade takes all of it",
			            dt_word(&dt_words_grade, (unsigned)grade));
	if (!rule->has_grades && !reached[DT_GRADE_POSSIBLE])
		dt_lint_say(l, part(rule, "detection", "condition"), "the condition can never hold");
	for (size_t k = 0; k < t->count; k++)
		if (!matters(t, k))
			dt_lint_say(l, rule->selections[t->selection[k]].node, "'%s' is named by a condition and never changes the result",
			            rule->selections[t->selection[k]].name);
}

/* With a title it is evidence for the reader; without one it is nothing. */
static void lint_unnamed(struct dt_lint *l, const struct dt_rule *rule, uint32_t set)
{
	for (size_t i = 0; i < rule->selection_count; i++)
		if (!(set >> i & 1) && !rule->selections[i].title)
			dt_lint_say(l, rule->selections[i].node, "no condition names '%s': give it a title if it is only evidence", rule->selections[i].name);
}

/* ---- grades: what they ask for ----------------------------------------- */

static bool is_weak_field(const struct dt_check *check, const char *within)
{
	static const char *const fields[] = { "bugcheck.code", "bugcheck.name", "fault.module", "fault.unloaded", "dump.format", "dump.kind",
		                              "dump.machine", "dump.build", "modules.name", "modules.path", "stack.module", "suspects.module",
		                              "unloaded.name", "exception.code", "exception.name" };
	char path[160];

	(void)snprintf(path, sizeof(path), "%s%s%s", within ? within : "", within ? "." : "", check->field);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(path, fields[i]))
			return true;
	return check->op == DT_OP_EXISTS;
}

/* Whether the check can be present by names and the stop code alone. */
static bool is_weak(const struct dt_check *check, const char *within)
{
	bool any = false, all = true;

	if (check->kind == DT_CHECK_TEST)
		return is_weak_field(check, within);
	if (check->kind == DT_CHECK_ELEMENTS)
		return check->run == 1 && is_weak(check->children[0], check->field);
	for (size_t i = 0; i < check->count; i++) {
		bool weak = is_weak(check->children[i], within);
		any |= weak;
		all &= weak;
	}
	return check->kind == DT_CHECK_ANY ? any : all;
}

/* A tool made to crash Windows has a driver with no other use: its name says enough. */
static void lint_grades(struct dt_lint *l, const struct dt_rule *rule)
{
	enum dt_fact_state states[DT_MAX_EVIDENCE];
	enum dt_grade grade;

	for (size_t i = 0; i < DT_MAX_EVIDENCE; i++)
		states[i] = i < rule->selection_count && is_weak(rule->selections[i].check, NULL) ? DT_FACT_PRESENT : DT_FACT_MISSING;
	grade = dt_rule_grade(rule, NULL, states);
	if (grade > DT_GRADE_POSSIBLE && rule->info.class != DT_CLASS_REQUESTED)
		dt_lint_say(l, dt_doc_get(part(rule, "detection", "grades"), dt_word(&dt_words_grade, grade)),
		            "a stop code and names of modules alone give '%s'; they are never more than possible", dt_word(&dt_words_grade, grade));
}

/* Whether a name of a driver is asked for that is no carrier: then it is this one the rule is about. */
static bool names_a_driver(const struct dt_check *check)
{
	const struct dt_field *last = check->path.count ? check->path.step[check->path.count - 1].field : NULL;

	for (size_t i = 0; i < check->count; i++)
		if (names_a_driver(check->children[i]))
			return true;
	if (check->kind != DT_CHECK_TEST || check->type != DT_FIELD_TEXT || (strcmp(last->name, "module") && strcmp(last->name, "name")))
		return false;
	for (size_t i = 0; i < check->value_count; i++)
		if (check->values[i].text && !dt_image_is_carrier(check->values[i].text, true))
			return true;
	return false;
}

static bool is_about_a_driver(const struct dt_rule *rule)
{
	for (size_t i = 0; i < rule->selection_count; i++)
		if (names_a_driver(rule->selections[i].check))
			return true;
	return false;
}

static void lint_carrier(struct dt_lint *l, const struct dt_rule *rule, const struct dt_check *check)
{
	for (size_t i = 0; i < check->count; i++)
		lint_carrier(l, rule, check->children[i]);
	if (check->kind != DT_CHECK_TEST || strcmp(check->field, "fault.module") || check->op != DT_OP_EQUALS || check->has_other)
		return;
	for (size_t i = 0; i < check->value_count; i++)
		if (dt_image_is_carrier(check->values[i].text, true))
			dt_lint_say(l, check->node, "'%s' runs other drivers' work: class 'driver' would blame it", check->values[i].text);
}

/* ---- tests ------------------------------------------------------------- */

static void lint_tests(struct dt_lint *l, const struct dt_rule *rule)
{
	const struct dt_rule_info *info = &rule->info;
	bool tested[DT_grade_COUNT] = { false };

	for (size_t i = 0; i < info->test_count; i++)
		tested[info->tests[i].grade] = true;
	if (!info->test_count) {
		dt_lint_say(l, part(rule, "tests", NULL), "there are no tests: what must match, and what must not");
		return;
	}
	if (!tested[DT_grade_NULL])
		dt_lint_say(l, part(rule, "tests", NULL), "no test shows what must not match");
	for (int grade = 1; grade < DT_grade_COUNT; grade++)
		if (!tested[grade] && (rule->has_grades ? rule->grade[grade] != NULL : grade == DT_GRADE_POSSIBLE))
			dt_lint_say(l, part(rule, "tests", NULL), "no test reaches the grade '%s'", dt_word(&dt_words_grade, (unsigned)grade));
}

static void lint_records(struct dt_lint *l, const struct dt_rule *rule, struct dt_arena *arena)
{
	for (size_t i = 0; i < rule->info.test_count; i++) {
		struct dt_facts facts;
		struct dt_error err = { 0 };
		if (!rule->info.tests[i].record || dt_rule_test_facts(&rule->info.tests[i], arena, &facts, &err) == DT_OK)
			continue;
		l->said(l->context, err.text);
		l->count++;
	}
}

static void lint_rule(struct dt_lint *l, const struct dt_rule *rule, struct dt_arena *arena)
{
	uint32_t set = all_named(rule);
	struct table t;

	lint_unnamed(l, rule, set);
	if (fill(&t, rule, set))
		lint_table(l, rule, &t);
	free(t.grades);
	for (size_t i = 0; i < rule->selection_count; i++) {
		dt_lint_check(l, rule->selections[i].check);
		if (rule->info.class == DT_CLASS_DRIVER && !is_about_a_driver(rule))
			lint_carrier(l, rule, rule->selections[i].check);
	}
	lint_grades(l, rule);
	if (!rule->info.reference_count)
		dt_lint_say(l, rule->document, "there are no references: where does this come from?");
	lint_tests(l, rule);
	lint_records(l, rule, arena);
}

size_t dt_rules_lint(const struct dt_rules *rules, dt_lint_said said, void *context)
{
	struct dt_lint l = { said, context, 0 };
	struct dt_arena arena;
	bool failed = false;

	dt_arena_init(&arena, 16u << 20);
	for (size_t i = 0; i < rules->count && !failed; i++) {
		dt_arena_reset(&arena);
		lint_rule(&l, rules->rule[i], &arena);
		failed = arena.failed;
	}
	dt_arena_deinit(&arena);
	return failed ? SIZE_MAX : l.count;
}

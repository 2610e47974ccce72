/*
 * Which rules may match at all: by the stop code or the faulting module that they cannot do without. What is looked at for one crash grows
 * with the rules that fit it, not with all.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "judgement/signature/rule.h"

static bool is_literal(const struct dt_check *check)
{
	for (size_t i = 0; i < check->value_count; i++)
		if (check->values[i].text && strpbrk(check->values[i].text, "*?\\"))
			return false;
	return true;
}

/* A gate that must be present and names its values one by one. */
static bool is_key(const struct dt_gate *gate, const char *field)
{
	const struct dt_check *check = gate->check;

	return gate->needed && !strcmp(check->field, field) && check->op == DT_OP_EQUALS && !check->if_known && !check->has_other &&
	       check->mask == UINT64_MAX && (!check->every || check->value_count == 1) && is_literal(check);
}

static const struct dt_check *key_of(const struct dt_rule *rule, const char *field)
{
	for (size_t i = 0; i < rule->gate_count; i++)
		if (is_key(&rule->gates[i], field))
			return rule->gates[i].check;
	return NULL;
}

static int compare_fold(const char *a, const char *b)
{
	while (*a && dt_text_fold(*a) == dt_text_fold(*b))
		a++, b++;
	return (int)(unsigned char)dt_text_fold(*a) - (int)(unsigned char)dt_text_fold(*b);
}

static int by_code(const void *a, const void *b)
{
	const struct dt_index_code *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

static int by_module(const void *a, const void *b)
{
	const struct dt_index_module *x = a, *y = b;

	return compare_fold(x->module, y->module);
}

/* What the rules need: how many rows of each kind. */
static void count(const struct dt_rules *rules, size_t *codes, size_t *modules)
{
	*codes = *modules = 0;
	for (size_t i = 0; i < rules->count; i++) {
		const struct dt_check *module = key_of(rules->rule[i], "fault.module"), *code = key_of(rules->rule[i], "bugcheck.code");
		if (module)
			*modules += module->value_count;
		else if (code)
			*codes += code->value_count;
	}
}

static void add(struct dt_index *index, const struct dt_rule *rule, uint32_t at)
{
	const struct dt_check *module = key_of(rule, "fault.module"), *code = key_of(rule, "bugcheck.code");

	for (size_t i = 0; module && i < module->value_count; i++)
		index->modules[index->module_count++] = (struct dt_index_module){ module->values[i].text, at };
	for (size_t i = 0; !module && code && i < code->value_count; i++)
		index->codes[index->code_count++] = (struct dt_index_code){ code->values[i].number, at };
	if (!module && !code)
		index->rest[index->rest_count++] = at;
}

bool dt_index_build(struct dt_rules *rules)
{
	struct dt_index *index = &rules->index;
	size_t codes, modules;

	count(rules, &codes, &modules);
	index->codes = DT_ARENA_ARRAY(&rules->arena, codes, struct dt_index_code);
	index->modules = DT_ARENA_ARRAY(&rules->arena, modules, struct dt_index_module);
	index->rest = DT_ARENA_ARRAY(&rules->arena, rules->count, uint32_t);
	if (!index->codes || !index->modules || !index->rest)
		return false;
	for (size_t i = 0; i < rules->count; i++)
		add(index, rules->rule[i], (uint32_t)i);
	qsort(index->codes, index->code_count, sizeof(*index->codes), by_code);
	qsort(index->modules, index->module_count, sizeof(*index->modules), by_module);
	return true;
}

static void mark(struct dt_index_set *set, uint32_t rule)
{
	set->bits[rule / 64] |= UINT64_C(1) << rule % 64;
}

static void mark_code(const struct dt_index *index, uint64_t code, struct dt_index_set *set)
{
	size_t low = 0, high = index->code_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (index->codes[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < index->code_count && index->codes[low].code == code; low++)
		mark(set, index->codes[low].rule);
}

static void mark_module(const struct dt_index *index, const char *module, struct dt_index_set *set)
{
	size_t low = 0, high = index->module_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (compare_fold(index->modules[middle].module, module) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < index->module_count && compare_fold(index->modules[low].module, module) == 0; low++)
		mark(set, index->modules[low].rule);
}

void dt_index_find(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_index_set *out)
{
	memset(out->bits, 0, (rules->count + 63) / 64 * sizeof(out->bits[0]));
	for (size_t i = 0; i < rules->index.rest_count; i++)
		mark(out, rules->index.rest[i]);
	if (facts->bugcheck && facts->bugcheck->code.known)
		mark_code(&rules->index, facts->bugcheck->code.value, out);
	if (facts->fault.module)
		mark_module(&rules->index, facts->fault.module, out);
}

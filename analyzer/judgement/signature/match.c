/* The states of facts: three values, so that what a dump does not hold speaks neither for nor against. */
#include <string.h>

#include "core/base/text.h"
#include "core/tables/machines.h"
#include "judgement/signature/rule.h"

static enum dt_fact_state state_of(bool holds)
{
	return holds ? DT_FACT_PRESENT : DT_FACT_CONTRADICTED;
}

static bool contains_fold(const char *text, const char *part)
{
	for (; *text; text++)
		if (dt_text_starts_fold(text, part))
			return true;
	return *part == 0;
}

static bool text_holds(enum dt_op op, const char *text, const char *wanted)
{
	switch (op) {
	case DT_OP_CONTAINS:
		return contains_fold(text, wanted);
	case DT_OP_STARTS:
		return dt_text_starts_fold(text, wanted);
	case DT_OP_ENDS:
		return dt_text_ends_fold(text, wanted);
	default:
		return dt_glob_fold(wanted, text);
	}
}

static bool number_holds(enum dt_op op, uint64_t x, uint64_t wanted)
{
	switch (op) {
	case DT_OP_GT:
		return x > wanted;
	case DT_OP_GTE:
		return x >= wanted;
	case DT_OP_LT:
		return x < wanted;
	case DT_OP_LTE:
		return x <= wanted;
	default:
		return x == wanted;
	}
}

static bool bytes_at(struct dt_bytes bytes, size_t off, const struct dt_operand *wanted)
{
	for (size_t i = 0; i < wanted->bytes.len; i++)
		if ((bytes.data[off + i] ^ wanted->bytes.data[i]) & wanted->mask.data[i])
			return false;
	return true;
}

static bool bytes_anywhere(struct dt_bytes bytes, const struct dt_operand *wanted)
{
	for (size_t off = 0; dt_bytes_has(bytes, off, wanted->bytes.len); off++)
		if (bytes_at(bytes, off, wanted))
			return true;
	return false;
}

/* Where a pattern is to stand in the bytes; false when the place is not known. */
static bool place(const struct dt_check *test, const void *object, uint64_t *off)
{
	struct dt_value start, ip;

	*off = (uint64_t)test->at;
	if (!test->placed)
		return true;
	start = dt_path_get(&test->start, object);
	ip = dt_path_get(&test->ip, object);
	*off = ip.as.number + (uint64_t)test->at - start.as.number;
	return start.known && ip.known;
}

static enum dt_fact_state bytes_state(const struct dt_check *test, const struct dt_operand *wanted, struct dt_bytes bytes,
                                      const void *object)
{
	uint64_t off;

	if (test->op == DT_OP_CONTAINS)
		return state_of(bytes_anywhere(bytes, wanted));
	if (!place(test, object, &off) || !dt_bytes_has(bytes, off, wanted->bytes.len))
		return DT_FACT_MISSING;
	return state_of(bytes_at(bytes, (size_t)off, wanted));
}

static bool range_holds(const struct dt_operand *wanted, uint64_t x)
{
	return x >= wanted->number && x <= wanted->last;
}

static enum dt_fact_state number_state(const struct dt_check *test, const struct dt_operand *wanted, uint64_t x)
{
	return state_of(test->op == DT_OP_IN ? range_holds(wanted, x) : number_holds(test->op, x, wanted->number));
}

static enum dt_fact_state text_state(const struct dt_check *test, const struct dt_operand *wanted, const char *text)
{
	return test->op == DT_OP_RE ? dt_pattern_state(wanted->pattern, text) : state_of(text_holds(test->op, text, wanted->text));
}

static enum dt_fact_state value_state(const struct dt_check *test, const struct dt_operand *wanted,
                                      const struct dt_value *value, const void *object)
{
	if (test->version)
		return number_state(test, wanted, value->as.number);
	switch (test->type) {
	case DT_FIELD_TEXT:
	case DT_FIELD_WORD:
		return text_state(test, wanted, value->as.text);
	case DT_FIELD_BYTES:
		return bytes_state(test, wanted, value->as.bytes, object);
	default:
		return number_state(test, wanted, value->as.number & test->mask);
	}
}

/* One of the values (or all of them): the list of a test. */
static enum dt_fact_state values_state(const struct dt_check *test, const struct dt_value *value, const void *object)
{
	enum dt_fact_state decisive = test->every ? DT_FACT_CONTRADICTED : DT_FACT_PRESENT;
	enum dt_fact_state rest = test->every ? DT_FACT_PRESENT : DT_FACT_CONTRADICTED;

	for (size_t i = 0; i < test->value_count; i++) {
		enum dt_fact_state state = value_state(test, &test->values[i], value, object);
		if (state == decisive)
			return state;
		if (state == DT_FACT_MISSING)
			rest = DT_FACT_MISSING;
	}
	return rest;
}

static enum dt_fact_state canonical_state(const struct dt_check *test, const struct dt_facts *facts, uint64_t address)
{
	if (facts->dump.machine == DT_machine_NULL)
		return DT_FACT_MISSING;
	return state_of(dt_address_is_canonical(facts->dump.machine, address) == (test->values[0].number != 0));
}

/* Text that is no version ("unknown") says nothing about order. */
static bool see_version(struct dt_value *value)
{
	uint64_t number;

	if (!dt_version_parse(value->as.text, &number))
		return false;
	value->as.number = number;
	return true;
}

static enum dt_fact_state other_state(const struct dt_check *test, const struct dt_value *value,
                                      const struct dt_facts *facts)
{
	struct dt_value other = dt_path_get(&test->other, facts);
	struct dt_operand wanted = { 0 };

	if (!other.known || (test->version && !see_version(&other)))
		return test->if_known ? DT_FACT_PRESENT : DT_FACT_MISSING;
	if (test->type == DT_FIELD_TEXT || test->type == DT_FIELD_WORD)
		wanted.text = other.as.text;
	else
		wanted.number = other.as.number & test->mask;
	if (test->type == DT_FIELD_TEXT && test->op == DT_OP_EQUALS) /* no wildcards in what a dump says */
		return state_of(dt_text_equal_fold(value->as.text, wanted.text));
	return value_state(test, &wanted, value, NULL);
}

static enum dt_fact_state test_state(const struct dt_check *test, const struct dt_facts *facts, const void *object)
{
	struct dt_value value = dt_path_get(&test->path, object);

	if (test->op == DT_OP_EXISTS)
		return state_of(value.known == (test->values[0].number != 0));
	if (!value.known || (test->version && !see_version(&value)))
		return test->if_known ? DT_FACT_PRESENT : DT_FACT_MISSING;
	if (test->op == DT_OP_CANONICAL)
		return canonical_state(test, facts, value.as.number & test->mask);
	if (test->op == DT_OP_BETWEEN) {
		uint64_t x = value.as.number & test->mask;
		return state_of(x >= test->values[0].number && x <= test->values[1].number);
	}
	return test->has_other ? other_state(test, &value, facts) : values_state(test, &value, object);
}

static enum dt_fact_state check_state(const struct dt_check *check, const struct dt_facts *facts, const void *object);

/* The first test of an element says of most that they do not fit, and mostly it is the name: asked without the detour over paths. */
static bool is_other_name(const struct dt_check *check, const void *item)
{
	const struct dt_check *test = check->children[0];
	const struct dt_field *field;
	const char *text;

	if (test->kind == DT_CHECK_ALL)
		test = test->children[0];
	if (test->kind != DT_CHECK_TEST || test->type != DT_FIELD_TEXT || test->op != DT_OP_EQUALS || test->value_count != 1 ||
	    test->path.count != 1)
		return false;
	field = test->path.step[0].field;
	memcpy(&text, (const char *)item + field->off, sizeof(text));
	char first = test->values[0].text[0];
	return field->kind == DT_FIELD_TEXT && text && first != '*' && first != '?' && first != '\\' && dt_text_fold(first) != dt_text_fold(*text);
}

/* The longest run of elements that fit; whether it is unknown for one. */
static size_t walk_elements(const struct dt_check *check, const struct dt_facts *facts, const struct dt_value *list, size_t *first,
                            bool *missing)
{
	size_t count = list->as.list.count < check->first ? list->as.list.count : check->first, run = 0, best = 0;
	const char *item = list->as.list.items;

	for (size_t i = 0; i < count; i++, item += list->as.list.object->size) {
		enum dt_fact_state state = is_other_name(check, item) ? DT_FACT_CONTRADICTED : check_state(check->children[0], facts, item);
		*missing |= state == DT_FACT_MISSING;
		run = state == DT_FACT_PRESENT ? run + 1 : 0;
		if (run > best) {
			best = run;
			*first = i + 1 - run;
		}
	}
	return best;
}

size_t dt_elements_run(const struct dt_check *check, const struct dt_facts *facts, const void *object, size_t *first)
{
	struct dt_value list = dt_path_get(&check->path, object);
	bool missing = false;

	return list.known && list.as.list.items ? walk_elements(check, facts, &list, first, &missing) : 0;
}

/* Some element for which it is not known leaves the whole unknown; a list too short says nothing. */
static enum dt_fact_state elements_state(const struct dt_check *check, const struct dt_facts *facts, const void *object)
{
	struct dt_value list = dt_path_get(&check->path, object);
	bool missing = false;
	size_t first;

	if (!list.known || !list.as.list.items || list.as.list.count < check->run)
		return DT_FACT_MISSING;
	if (walk_elements(check, facts, &list, &first, &missing) >= check->run)
		return DT_FACT_PRESENT;
	return missing ? DT_FACT_MISSING : DT_FACT_CONTRADICTED;
}

/* ALL: contradicted by one, else missing by one. ANY: present by one, else missing by one. */
static enum dt_fact_state children_state(const struct dt_check *check, const struct dt_facts *facts, const void *object)
{
	bool all = check->kind == DT_CHECK_ALL;
	enum dt_fact_state rest = state_of(all);

	for (size_t i = 0; i < check->count; i++) {
		enum dt_fact_state state = check_state(check->children[i], facts, object);
		if (state == state_of(!all))
			return state;
		if (state == DT_FACT_MISSING)
			rest = state;
	}
	return rest;
}

static enum dt_fact_state not_state(enum dt_fact_state state)
{
	return state == DT_FACT_MISSING ? state : state_of(state == DT_FACT_CONTRADICTED);
}

/* As deep as the document, which DT_MAX_RULE_DEPTH caps. */
static enum dt_fact_state check_state(const struct dt_check *check, const struct dt_facts *facts, const void *object)
{
	switch (check->kind) {
	case DT_CHECK_NOT:
		return not_state(check_state(check->children[0], facts, object));
	case DT_CHECK_WHEN:
		if (check_state(check->children[0], facts, object) != DT_FACT_PRESENT)
			return DT_FACT_MISSING;
		return check_state(check->children[1], facts, object);
	case DT_CHECK_ELEMENTS:
		return elements_state(check, facts, object);
	case DT_CHECK_TEST:
		return test_state(check, facts, object);
	default:
		return children_state(check, facts, object);
	}
}

enum dt_fact_state dt_selection_state(const struct dt_selection *selection, const struct dt_facts *facts)
{
	return check_state(selection->check, facts, facts);
}

/* Reads one element of the pattern; gives its length. */
static size_t glob_step(const char *pattern, char *literal, bool *any)
{
	*any = *pattern == '?';
	if (pattern[0] == '\\' && (pattern[1] == '*' || pattern[1] == '?' || pattern[1] == '\\')) {
		*literal = pattern[1];
		return 2;
	}
	*literal = *pattern;
	return 1;
}

/* One star is kept to return to, so the cost is at most the product of both lengths. */
bool dt_glob_fold(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		char literal;
		bool any;
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
			continue;
		}
		size_t step = *pattern ? glob_step(pattern, &literal, &any) : 0;
		if (step && (any || dt_text_fold(literal) == dt_text_fold(*text))) {
			pattern += step;
			text++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = ++from;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

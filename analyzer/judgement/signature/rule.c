/* A rule's document: its keys, its selections, its grades. */
#include <stddef.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "judgement/signature/rule.h"

enum key_kind {
	KEY_TEXT, /* const char * */
	KEY_LIST, /* const char ** and its size_t count */
	KEY_OWN,  /* read by a function of its own */
};

static const char *const statuses[] = { "stable", "test", "experimental", "deprecated", "unsupported", NULL };
static const char *const levels[] = { "informational", "low", "medium", "high", "critical", NULL };
static const char *const categories[] = { "incident", "driver", "os", "hardware", "storage", "power", "verifier", "tool", NULL };

/* The keys of a rule; any other is an error. */
static const struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	size_t off, count_off;
	const char *const *words; /* what a text may be; NULL: anything */
} keys[] = {
#define TEXT(name, required, words) { #name, KEY_TEXT, required, offsetof(struct dt_rule_info, name), 0, words }
#define LIST(name, field, count) { #name, KEY_LIST, false, offsetof(struct dt_rule_info, field), offsetof(struct dt_rule_info, count), NULL }
#define OWN(name, required) { #name, KEY_OWN, required, 0, 0, NULL }
	TEXT(id, true, NULL),
	TEXT(title, true, NULL),
	TEXT(version, true, NULL),
	TEXT(status, false, statuses),
	TEXT(author, false, NULL),
	TEXT(date, false, NULL),
	TEXT(description, false, NULL),
	TEXT(level, false, levels),
	TEXT(category, false, categories),
	LIST(references, references, reference_count),
	LIST(next_steps, next_steps, next_step_count),
	LIST(tags, tags, tag_count),
	OWN(class, false),
	OWN(detection, true),
	OWN(tests, false),
#undef TEXT
#undef LIST
#undef OWN
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static enum dt_status no_memory(const struct dt_doc *node, struct dt_error *err)
{
	return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
}

static enum dt_status unknown_keys(const struct dt_doc *document, struct dt_error *err)
{
	for (const struct dt_doc *child = document->first; child; child = child->next) {
		bool known = false;
		for (size_t i = 0; i < KEY_COUNT; i++)
			known |= strcmp(child->key, keys[i].name) == 0;
		if (!known)
			return dt_doc_fail(child, err, "a rule has no key '%.64s'", child->key);
	}
	return DT_OK;
}

/* Text that goes into records is one line: folded, trimmed, printable. */
static enum dt_status line(const char **out, const struct dt_doc *node, struct dt_arena *arena, struct dt_error *err)
{
	size_t len = node->len;
	char *text;

	if (node->kind != DT_DOC_SCALAR)
		return dt_doc_fail(node, err, "expected text, found a %s", dt_doc_kind_name(node));
	while (len && (node->text[len - 1] == '\n' || node->text[len - 1] == ' '))
		len--;
	text = (char *)(uintptr_t)dt_arena_strndup(arena, node->text, len);
	if (!text)
		return no_memory(node, err);
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	if (len == 0 || len > DT_MAX_TEXT || !dt_text_is_clean(text, len))
		return dt_doc_fail(node, err, len ? "text with control characters, or too long" : "the text is empty");
	*out = text;
	return DT_OK;
}

static enum dt_status is_one_of(const char *text, const char *const *words, const struct dt_doc *node, struct dt_error *err)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return DT_OK;
	return dt_doc_fail(node, err, "'%.40s' is none of the words for '%s' (%s, %s, ...)", text, node->key, words[0], words[1]);
}

static enum dt_status take_list(const struct key *key, struct dt_rule_info *info, const struct dt_doc *node,
                                struct dt_arena *arena, struct dt_error *err)
{
	const char **items;
	size_t n = 0;

	if (node->kind != DT_DOC_LIST)
		return dt_doc_fail(node, err, "'%s' is a list", key->name);
	if (node->count > DT_MAX_TEXTS / 2)
		return dt_doc_fail(node, err, "%zu entries, at most %d are allowed", node->count, DT_MAX_TEXTS / 2);
	if (!(items = DT_ARENA_ARRAY(arena, node->count, const char *)))
		return no_memory(node, err);
	for (const struct dt_doc *item = node->first; item; item = item->next) {
		enum dt_status status = line(&items[n++], item, arena, err);
		if (status != DT_OK)
			return status;
	}
	memcpy((char *)info + key->off, &items, sizeof(items));
	memcpy((char *)info + key->count_off, &n, sizeof(n));
	return DT_OK;
}

static enum dt_status take_key(const struct key *key, struct dt_rule_info *info, const struct dt_doc *document,
                               struct dt_arena *arena, struct dt_error *err)
{
	const struct dt_doc *node = dt_doc_get(document, key->name);
	const char *text;
	enum dt_status status;

	if (!node)
		return key->required ? dt_doc_fail(document, err, "the rule lacks '%s'", key->name) : DT_OK;
	if (key->kind == KEY_LIST)
		return take_list(key, info, node, arena, err);
	if (key->kind != KEY_TEXT)
		return DT_OK;
	if ((status = line(&text, node, arena, err)) != DT_OK)
		return status;
	memcpy((char *)info + key->off, &text, sizeof(text));
	return key->words ? is_one_of(text, key->words, node, err) : DT_OK;
}

static enum dt_status check_id(const struct dt_rule_info *info, const struct dt_doc *document, struct dt_error *err)
{
	const struct dt_doc *node = dt_doc_get(document, "id"), *date = dt_doc_get(document, "date");
	uint64_t ignored;
	char time[DT_TIME_TEXT_MAX];

	for (const char *p = info->id; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (*p == '-' && p != info->id)) || p - info->id > 99)
			return dt_doc_fail(node, err, "an id is up to 100 lower-case letters, digits and '-', found '%.40s'", info->id);
	if (!date)
		return DT_OK;
	memcpy(time, strlen(info->date) == 10 ? info->date : "", strlen(info->date) == 10 ? 10 : 1);
	memcpy(time + 10, "T00:00:00Z", 11);
	if (strlen(info->date) != 10 || !dt_time_parse(time, &ignored))
		return dt_doc_fail(date, err, "a date is written 2024-07-19, found '%.40s'", info->date);
	return DT_OK;
}

/* What a match makes of the crash: known-incident unless the rule says otherwise. */
static enum dt_status take_class(struct dt_rule_info *info, const struct dt_doc *document, struct dt_error *err)
{
	const struct dt_doc *node = dt_doc_get(document, "class");
	unsigned class = DT_CLASS_KNOWN_INCIDENT;

	if (node) {
		class = node->kind == DT_DOC_SCALAR ? dt_word_value(&dt_words_verdict_class, node->text) : 0;
		if (class == 0 || class == DT_CLASS_UNDETERMINED || class == DT_CLASS_UNREADABLE)
			return dt_doc_fail(node, err, "'class' is one of known-incident, driver, hardware, os, application, requested, recovered");
	}
	info->class = (enum dt_verdict_class)class;
	return DT_OK;
}

static bool reserved(const struct dt_doc *node)
{
	return strcmp(node->key, "condition") == 0 || strcmp(node->key, "grades") == 0;
}

static enum dt_status take_selections(struct dt_rule *rule, const struct dt_doc *detection, struct dt_arena *arena,
                                      struct dt_error *err)
{
	rule->selections = DT_ARENA_ARRAY(arena, DT_MAX_EVIDENCE, struct dt_selection);
	if (!rule->selections)
		return no_memory(detection, err);
	for (const struct dt_doc *child = detection->first; child; child = child->next) {
		if (reserved(child))
			continue;
		if (rule->selection_count == DT_MAX_EVIDENCE)
			return dt_fail(err, DT_ERR_LIMIT, "%s:%u:%u: more than %d selections", child->file, child->line, child->column,
			               DT_MAX_EVIDENCE);
		enum dt_status status = dt_selection_compile(&rule->selections[rule->selection_count++], child, arena, err);
		if (status != DT_OK)
			return status;
	}
	return rule->selection_count ? DT_OK : dt_doc_fail(detection, err, "'detection' has no selection");
}

static enum dt_status take_grades(struct dt_rule *rule, const struct dt_doc *grades, struct dt_arena *arena,
                                  struct dt_error *err)
{
	if (grades->kind != DT_DOC_MAP || grades->count == 0)
		return dt_doc_fail(grades, err, "'grades' is a map of confirmed, probable, possible");
	rule->has_grades = true;
	for (const struct dt_doc *child = grades->first; child; child = child->next) {
		unsigned grade = dt_word_value(&dt_words_grade, child->key);
		if (grade == 0)
			return dt_doc_fail(child, err, "'%.40s' is no grade: confirmed, probable or possible", child->key);
		enum dt_status status = dt_condition_compile(&rule->grade[grade], child, rule, arena, err);
		if (status != DT_OK)
			return status;
	}
	return DT_OK;
}

static enum dt_status take_detection(struct dt_rule *rule, const struct dt_doc *document, struct dt_arena *arena,
                                     struct dt_error *err)
{
	const struct dt_doc *detection = dt_doc_get(document, "detection"), *condition, *grades;
	enum dt_status status;

	if (detection->kind != DT_DOC_MAP)
		return dt_doc_fail(detection, err, "'detection' is a map of selections");
	if ((status = take_selections(rule, detection, arena, err)) != DT_OK)
		return status;
	condition = dt_doc_get(detection, "condition");
	grades = dt_doc_get(detection, "grades");
	if (!condition && !grades)
		return dt_doc_fail(detection, err, "'detection' needs 'condition' or 'grades'");
	if (condition && (status = dt_condition_compile(&rule->condition, condition, rule, arena, err)) != DT_OK)
		return status;
	return grades ? take_grades(rule, grades, arena, err) : DT_OK;
}

/* Exactly one of sample, record and change. */
static bool is_one_input(const struct dt_rule_test *test, const struct dt_doc *change, const struct dt_doc *last)
{
	if (change)
		return !test->sample && !test->record && change->kind == DT_DOC_MAP && last;
	return test->record ? !test->sample && test->record->kind == DT_DOC_MAP : test->sample != NULL;
}

/* last: the record that stands before, which `change` changes. */
static enum dt_status take_input(struct dt_rule_test *out, const struct dt_doc *node, const struct dt_doc **last,
                                 struct dt_error *err)
{
	const struct dt_doc *sample = dt_doc_get(node, "sample"), *change = dt_doc_get(node, "change");

	if (sample && sample->kind != DT_DOC_SCALAR)
		return dt_doc_fail(sample, err, "a sample is given by its name");
	out->sample = sample ? sample->text : NULL;
	out->record = dt_doc_get(node, "record");
	if (!is_one_input(out, change, *last))
		return dt_doc_fail(node, err, "a test has 'sample: name', 'record: {fields}', or 'change: {fields}' of the record before it");
	if (out->record)
		*last = out->record;
	if (change)
		out->record = *last;
	out->change = change;
	return DT_OK;
}

static enum dt_status take_test(struct dt_rule_test *out, const struct dt_doc *node, const struct dt_doc **last,
                                struct dt_error *err)
{
	const struct dt_doc *grade = node->kind == DT_DOC_MAP ? dt_doc_get(node, "grade") : NULL;
	const struct dt_doc *name = node->kind == DT_DOC_MAP ? dt_doc_get(node, "name") : NULL;

	if (!grade || node->count != (name ? 3 : 2) || grade->kind != DT_DOC_SCALAR || (name && name->kind != DT_DOC_SCALAR))
		return dt_doc_fail(node, err, "a test is {sample: name, grade: confirmed, probable, possible or none}, or has a record for the sample");
	*out = (struct dt_rule_test){ .file = node->file, .line = node->line, .column = node->column };
	out->name = name ? name->text : NULL;
	out->grade = (enum dt_grade)dt_word_value(&dt_words_grade, grade->text);
	if (!out->grade && strcmp(grade->text, "none") != 0)
		return dt_doc_fail(grade, err, "'%.40s' is no grade: confirmed, probable, possible or none", grade->text);
	return take_input(out, node, last, err);
}

static enum dt_status take_tests(struct dt_rule_info *info, const struct dt_doc *document, struct dt_arena *arena,
                                 struct dt_error *err)
{
	const struct dt_doc *node = dt_doc_get(document, "tests");
	const struct dt_doc *last = NULL;
	struct dt_rule_test *tests;

	if (!node)
		return DT_OK;
	if (node->kind != DT_DOC_LIST)
		return dt_doc_fail(node, err, "'tests' is a list");
	if (!(tests = DT_ARENA_ARRAY(arena, node->count, struct dt_rule_test)))
		return no_memory(node, err);
	info->tests = tests;
	for (const struct dt_doc *item = node->first; item; item = item->next) {
		enum dt_status status = take_test(&tests[info->test_count++], item, &last, err);
		if (status != DT_OK)
			return status;
	}
	return DT_OK;
}

enum dt_status dt_rule_compile(struct dt_rule **out, const struct dt_doc *document, struct dt_arena *arena,
                               struct dt_error *err)
{
	struct dt_rule *rule = DT_ARENA_NEW(arena, struct dt_rule);
	enum dt_status status;

	if (!rule)
		return no_memory(document, err);
	if (document->kind != DT_DOC_MAP)
		return dt_doc_fail(document, err, "a rule is a map, found a %s", dt_doc_kind_name(document));
	if ((status = unknown_keys(document, err)) != DT_OK)
		return status;
	for (size_t i = 0; i < KEY_COUNT; i++)
		if ((status = take_key(&keys[i], &rule->info, document, arena, err)) != DT_OK)
			return status;
	rule->document = document;
	if ((status = check_id(&rule->info, document, err)) != DT_OK ||
	    (status = take_class(&rule->info, document, err)) != DT_OK ||
	    (status = take_detection(rule, document, arena, err)) != DT_OK ||
	    (status = take_tests(&rule->info, document, arena, err)) != DT_OK)
		return status;
	*out = rule;
	return DT_OK;
}

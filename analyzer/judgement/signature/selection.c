/*
 * Selections: a map of tests that must all hold, or a list of such maps of which
 * one must. Keys that are no fields: title, show, when, any, all, not.
 */
#include <string.h>

#include "core/base/text.h"
#include "judgement/signature/rule.h"

static enum dt_status compile(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object, bool top,
                              struct dt_arena *arena, struct dt_error *err);

static enum dt_status no_memory(const struct dt_doc *node, struct dt_error *err)
{
	return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
}

static struct dt_check *new_check(struct dt_arena *arena, enum dt_check_kind kind, const struct dt_doc *node, size_t children)
{
	struct dt_check *check = DT_ARENA_NEW(arena, struct dt_check);

	if (!check)
		return NULL;
	check->kind = kind;
	check->node = node;
	check->children = DT_ARENA_ARRAY(arena, children, struct dt_check *);
	return check->children ? check : NULL;
}

/* A list of maps. */
static enum dt_status compile_list(struct dt_check **out, const struct dt_doc *node, enum dt_check_kind kind,
                                   const struct dt_object *object, struct dt_arena *arena, struct dt_error *err)
{
	struct dt_check *check;

	if (node->kind != DT_DOC_LIST || node->count == 0)
		return dt_doc_fail(node, err, "expected a list of maps, found %s%s", node->kind == DT_DOC_LIST ? "an empty " : "a ",
		                   dt_doc_kind_name(node));
	if (!(check = new_check(arena, kind, node, node->count)))
		return no_memory(node, err);
	for (const struct dt_doc *item = node->first; item; item = item->next) {
		enum dt_status status = compile(&check->children[check->count++], item, object, false, arena, err);
		if (status != DT_OK)
			return status;
	}
	*out = check;
	return DT_OK;
}

static enum dt_status compile_not(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object,
                                  struct dt_arena *arena, struct dt_error *err)
{
	struct dt_check *check = new_check(arena, DT_CHECK_NOT, node, 1);

	if (!check)
		return no_memory(node, err);
	check->count = 1;
	*out = check;
	return compile(&check->children[0], node, object, false, arena, err);
}

/* "any", "first=N" or "in_a_row=N" behind the name of a list of objects. */
static bool element_modifier(const char *modifier, struct dt_check *out)
{
	const char *equals = strchr(modifier, '=');
	uint64_t n = 0;

	out->run = 1;
	out->first = SIZE_MAX;
	if (!strcmp(modifier, "any"))
		return true;
	if (!equals || !dt_text_parse_u64(equals + 1, false, &n) || n == 0 || n > 256)
		return false;
	*(modifier[0] == 'f' ? &out->first : &out->run) = (size_t)n;
	return true;
}

static bool is_element_modifier(const char *text)
{
	return !strcmp(text, "any") || !strncmp(text, "in_a_row", 8) || !strncmp(text, "first", 5);
}

/* `list|any: {tests over an element}`; *out stays NULL where the key is no such thing. */
static enum dt_status compile_elements(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object,
                                       struct dt_arena *arena, struct dt_error *err)
{
	const char *bar = strchr(node->key, '|');
	struct dt_check *check;

	*out = NULL;
	if (!bar || !is_element_modifier(bar + 1))
		return DT_OK;
	if (!(check = new_check(arena, DT_CHECK_ELEMENTS, node, 1)) ||
	    !(check->field = dt_arena_strndup(arena, node->key, (size_t)(bar - node->key))))
		return no_memory(node, err);
	if (!element_modifier(bar + 1, check))
		return dt_doc_fail(node, err, "expected in_a_row=N or first=N with N from 1 to 256, found '%.40s'", bar + 1);
	check->count = 1;
	if (dt_path_parse(&check->path, object, check->field, NULL) != DT_OK || check->path.count == 0)
		return dt_doc_fail(node, err, "the record has no field '%.100s'", check->field);
	const struct dt_field *field = check->path.step[check->path.count - 1].field;
	if (field->kind != DT_FIELD_LIST || check->path.step[check->path.count - 1].index >= 0)
		return dt_doc_fail(node, err, "'%.80s' is no list of objects", check->field);
	*out = check;
	return compile(&check->children[0], node, field->object, false, arena, err);
}

static enum dt_status compile_entry(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object,
                                    struct dt_arena *arena, struct dt_error *err)
{
	enum dt_status status;

	if (strcmp(node->key, "any") == 0)
		return compile_list(out, node, DT_CHECK_ANY, object, arena, err);
	if (strcmp(node->key, "all") == 0)
		return compile_list(out, node, DT_CHECK_ALL, object, arena, err);
	if (strcmp(node->key, "not") == 0)
		return compile_not(out, node, object, arena, err);
	status = compile_elements(out, node, object, arena, err);
	if (status != DT_OK || *out)
		return status;
	if (!(*out = new_check(arena, DT_CHECK_TEST, node, 0)))
		return no_memory(node, err);
	return dt_test_compile(*out, node, object, arena, err);
}

/* Puts `when` before the rest of its map. */
static enum dt_status guard(struct dt_check **out, const struct dt_doc *when, const struct dt_object *object,
                            struct dt_arena *arena, struct dt_error *err)
{
	struct dt_check *check = new_check(arena, DT_CHECK_WHEN, when, 2);

	if (!check)
		return no_memory(when, err);
	check->count = 2;
	check->children[1] = *out;
	*out = check;
	return compile(&check->children[0], when, object, false, arena, err);
}

static enum dt_status compile_map(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object, bool top,
                                  struct dt_arena *arena, struct dt_error *err)
{
	struct dt_check *check = new_check(arena, DT_CHECK_ALL, node, node->count);
	const struct dt_doc *when = dt_doc_get(node, "when");

	if (!check)
		return no_memory(node, err);
	for (const struct dt_doc *child = node->first; child; child = child->next) {
		if (child == when || (top && (strcmp(child->key, "title") == 0 || strcmp(child->key, "show") == 0)))
			continue;
		enum dt_status status = compile_entry(&check->children[check->count++], child, object, arena, err);
		if (status != DT_OK)
			return status;
	}
	if (check->count == 0)
		return dt_doc_fail(node, err, "a selection needs at least one test");
	*out = check->count == 1 ? check->children[0] : check;
	return when ? guard(out, when, object, arena, err) : DT_OK;
}

static enum dt_status compile(struct dt_check **out, const struct dt_doc *node, const struct dt_object *object, bool top,
                              struct dt_arena *arena, struct dt_error *err)
{
	if (node->kind == DT_DOC_LIST)
		return compile_list(out, node, DT_CHECK_ANY, object, arena, err);
	if (node->kind == DT_DOC_MAP)
		return compile_map(out, node, object, top, arena, err);
	return dt_doc_fail(node, err, "expected tests (field: value), found text");
}

static enum dt_status compile_show(struct dt_selection *out, const struct dt_doc *show, struct dt_arena *arena,
                                   struct dt_error *err)
{
	size_t count = show->kind == DT_DOC_LIST ? show->count : 1;
	const struct dt_doc *item = show->kind == DT_DOC_LIST ? show->first : show;

	out->show = DT_ARENA_ARRAY(arena, count, const char *);
	out->show_paths = DT_ARENA_ARRAY(arena, count, struct dt_path);
	if (!out->show || !out->show_paths)
		return no_memory(show, err);
	for (size_t i = 0; item && i < count; i++, item = show->kind == DT_DOC_LIST ? item->next : NULL) {
		if (item->kind != DT_DOC_SCALAR ||
		    dt_path_parse(&out->show_paths[i], &dt_object_facts, item->text, NULL) != DT_OK)
			return dt_doc_fail(item, err, "'show' names fields of the record; '%.80s' is none",
			                   item->kind == DT_DOC_SCALAR ? item->text : dt_doc_kind_name(item));
		out->show[i] = item->text;
	}
	out->show_count = count;
	return DT_OK;
}

/* Names begin with a letter or '_' and may hold digits, '_', '+' and '-'; the words of conditions are no names. */
static bool is_name(const char *name)
{
	static const char *const words[] = { "and", "or", "not", "of", "all", "them", "present", "missing", "contradicted" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(name, words[i]) == 0)
			return false;
	for (const char *p = name; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
		if (!letter && (p == name || !strchr("0123456789+-", *p)))
			return false;
	}
	return *name != 0;
}

enum dt_status dt_selection_compile(struct dt_selection *out, const struct dt_doc *node, struct dt_arena *arena,
                                    struct dt_error *err)
{
	const struct dt_doc *title = node->kind == DT_DOC_MAP ? dt_doc_get(node, "title") : NULL;
	const struct dt_doc *show = node->kind == DT_DOC_MAP ? dt_doc_get(node, "show") : NULL;
	enum dt_status status;

	if (!is_name(node->key))
		return dt_doc_fail(node, err, "'%.64s' cannot name a selection", node->key);
	if (title && (title->kind != DT_DOC_SCALAR || !dt_text_is_clean(title->text, title->len)))
		return dt_doc_fail(title, err, "a title is one line of text");
	out->name = node->key;
	out->node = node;
	out->title = title ? title->text : NULL;
	status = compile(&out->check, node, &dt_object_facts, true, arena, err);
	if (status == DT_OK && show)
		status = compile_show(out, show, arena, err);
	return status;
}

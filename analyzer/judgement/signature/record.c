/*
 * Facts written in a rule's tests: a map of the record's fields, nested or with dots, becomes facts.
 *
 *   record: {bugcheck.code: 0x50, stack: [{module: a.sys}, {module: b.sys}], registers: {r8: 0x9c}}
 *   change: {bugcheck.code: 0x7e, fault.module: null}      the last record, but for these
 */
#include <string.h>

#include "core/base/text.h"
#include "core/model/value.h"
#include "judgement/signature/rule.h"

struct filler {
	struct dt_arena *arena;
	struct dt_error *err;
};

static enum dt_status set(struct filler *f, const struct dt_object *object, void *at, const char *path, const struct dt_doc *node);

static enum dt_status no_memory(const struct filler *f, const struct dt_doc *node)
{
	return dt_fail(f->err, DT_ERR_NOMEM, "%s: out of memory", node->file);
}

static bool is_null(const struct dt_doc *node)
{
	return node->kind == DT_DOC_SCALAR && !node->quoted && (!strcmp(node->text, "null") || !strcmp(node->text, "~"));
}

static const struct dt_field *find(const struct dt_object *object, const char *name, size_t len)
{
	for (size_t i = 0; i < object->field_count; i++)
		if (strlen(object->fields[i].name) == len && !memcmp(object->fields[i].name, name, len))
			return &object->fields[i];
	return NULL;
}

/* ---- one value -------------------------------------------------------- */

static enum dt_status scalar(struct filler *f, enum dt_field_kind kind, const struct dt_words *words, const struct dt_doc *node,
                             struct dt_operand *out)
{
	struct dt_check test = { .type = kind, .op = kind == DT_FIELD_BYTES ? DT_OP_BYTES : DT_OP_EQUALS };
	enum dt_status status = dt_value_compile(out, &test, node, words, f->arena, f->err);

	if (status != DT_OK)
		return status;
	if (kind == DT_FIELD_BYTES && memchr(out->mask.data, 0, out->mask.len))
		return dt_doc_fail(node, f->err, "a record has bytes, no pattern");
	if (kind != DT_FIELD_TEXT && kind != DT_FIELD_WORD && kind != DT_FIELD_BYTES && !dt_number_allowed(kind, out->number))
		return dt_doc_fail(node, f->err, "the number is too large for the field");
	return DT_OK;
}

static void store(const struct dt_field *field, void *slot, const struct dt_operand *value)
{
	struct dt_opt number = dt_some(value->number);
	enum dt_bool3 truth = dt_bool3(value->number != 0);
	unsigned word;

	switch (field->kind) {
	case DT_FIELD_TEXT:
		memcpy(slot, &value->text, sizeof(value->text));
		break;
	case DT_FIELD_WORD:
		word = dt_word_value(field->words, value->text);
		memcpy(slot, &word, sizeof(word));
		break;
	case DT_FIELD_BOOL:
		memcpy(slot, &truth, sizeof(truth));
		break;
	case DT_FIELD_BYTES:
		memcpy(slot, &value->bytes, sizeof(value->bytes));
		break;
	case DT_FIELD_TIME:
		memcpy(slot, &value->number, sizeof(value->number));
		break;
	default:
		memcpy(slot, &number, sizeof(number));
	}
}

/* ---- lists ------------------------------------------------------------ */

/* Room for count elements; those that are there stay. Gives the first. */
static char *grow(struct filler *f, const struct dt_field *field, void *at, size_t count)
{
	size_t size = dt_field_item_size(field), *have = dt_field_count_slot(field, at);
	void *old, *items = dt_arena_array(f->arena, count, size);

	memcpy(&old, dt_field_slot(field, at), sizeof(old));
	if (!items)
		return NULL;
	if (old && *have)
		memcpy(items, old, (*have < count ? *have : count) * size);
	memcpy(dt_field_slot(field, at), &items, sizeof(items));
	*have = count;
	return items;
}

/* One element; rest names a field inside it, or is "". */
static enum dt_status set_item(struct filler *f, const struct dt_field *field, char *item, const char *rest,
                               const struct dt_doc *node)
{
	struct dt_operand value = { 0 };
	enum dt_field_kind kind = field->kind == DT_FIELD_HEXES ? DT_FIELD_HEX : DT_FIELD_TEXT;
	enum dt_status status;

	if (field->kind == DT_FIELD_LIST && *rest)
		return set(f, field->object, item, rest, node);
	if (field->kind == DT_FIELD_LIST) {
		if (node->kind != DT_DOC_MAP)
			return dt_doc_fail(node, f->err, "an element of '%s' is a map", field->name);
		for (const struct dt_doc *child = node->first; child; child = child->next)
			if ((status = set(f, field->object, item, child->key, child)) != DT_OK)
				return status;
		return DT_OK;
	}
	if (*rest)
		return dt_doc_fail(node, f->err, "there is nothing inside an element of '%s'", field->name);
	if ((status = scalar(f, kind, NULL, node, &value)) != DT_OK)
		return status;
	if (kind == DT_FIELD_HEX)
		memcpy(item, &value.number, sizeof(value.number));
	else
		memcpy(item, &value.text, sizeof(value.text));
	return DT_OK;
}

/* "2" or "2.module" behind the name of a list. */
static enum dt_status set_indexed(struct filler *f, const struct dt_field *field, void *at, const char *rest,
                                  const struct dt_doc *node)
{
	size_t digits = strcspn(rest, "."), have = *dt_field_count_slot(field, at);
	const char *number = dt_arena_strndup(f->arena, rest, digits);
	uint64_t index;
	char *items;

	if (!number)
		return no_memory(f, node);
	if (!dt_text_parse_u64(number, false, &index) || index >= field->max)
		return dt_doc_fail(node, f->err, "expected an index below %zu behind '%s', found '%.40s'", field->max, field->name, number);
	if (!(items = grow(f, field, at, index < have ? have : (size_t)index + 1)))
		return no_memory(f, node);
	return set_item(f, field, items + index * dt_field_item_size(field), rest[digits] ? rest + digits + 1 : "", node);
}

static enum dt_status set_list(struct filler *f, const struct dt_field *field, void *at, const struct dt_doc *node)
{
	size_t size = dt_field_item_size(field);
	enum dt_status status = DT_OK;
	char *items;

	if (node->kind != DT_DOC_LIST || node->count > field->max)
		return dt_doc_fail(node, f->err, "'%s' is a list of at most %zu", field->name, field->max);
	*dt_field_count_slot(field, at) = 0;
	if (!(items = grow(f, field, at, node->count)))
		return no_memory(f, node);
	for (const struct dt_doc *item = node->first; item && status == DT_OK; item = item->next, items += size)
		status = set_item(f, field, items, "", item);
	return status;
}

static enum dt_status set_register(struct filler *f, const struct dt_field *field, void *at, const char *name,
                                   const struct dt_doc *node)
{
	size_t count = *dt_field_count_slot(field, at), i = 0;
	struct dt_operand value = { 0 };
	struct dt_register *items;
	enum dt_status status = is_null(node) ? DT_OK : scalar(f, DT_FIELD_HEX, NULL, node, &value);

	if (status != DT_OK)
		return status;
	memcpy(&items, dt_field_slot(field, at), sizeof(items));
	while (i < count && strcmp(items[i].name, name))
		i++;
	if (!dt_register_name_ok(name) || i == field->max)
		return dt_doc_fail(node, f->err, "expected the name of a register, found '%.40s'", name);
	if (!(items = (struct dt_register *)(void *)grow(f, field, at, i < count ? count : i + 1)))
		return no_memory(f, node);
	items[i] = (struct dt_register){ .name = name, .value = { .value = value.number, .known = !is_null(node) } };
	return DT_OK;
}

/* ---- fields ----------------------------------------------------------- */

static enum dt_status set_map(struct filler *f, const struct dt_object *object, void *at, const struct dt_doc *node)
{
	enum dt_status status = DT_OK;

	if (node->kind != DT_DOC_MAP)
		return dt_doc_fail(node, f->err, "expected a map of fields, found a %s", dt_doc_kind_name(node));
	for (const struct dt_doc *child = node->first; child && status == DT_OK; child = child->next)
		status = set(f, object, at, child->key, child);
	return status;
}

static enum dt_status set_object(struct filler *f, const struct dt_field *field, void *at, const char *rest,
                                 const struct dt_doc *node)
{
	void *inner = dt_field_slot(field, at);

	if (field->kind == DT_FIELD_MAY) {
		memcpy(&inner, dt_field_slot(field, at), sizeof(inner));
		if (!inner && !(inner = dt_arena_alloc(f->arena, field->object->size)))
			return no_memory(f, node);
		memcpy(dt_field_slot(field, at), &inner, sizeof(inner));
	}
	return *rest ? set(f, field->object, inner, rest, node) : set_map(f, field->object, inner, node);
}

static enum dt_status set_registers(struct filler *f, const struct dt_field *field, void *at, const struct dt_doc *node)
{
	enum dt_status status = DT_OK;

	if (node->kind != DT_DOC_MAP)
		return dt_doc_fail(node, f->err, "'%s' is a map from names to numbers", field->name);
	*dt_field_count_slot(field, at) = 0;
	for (const struct dt_doc *child = node->first; child && status == DT_OK; child = child->next)
		status = set_register(f, field, at, child->key, child);
	return status;
}

/* Not known, as if the dump did not have it. */
static void clear(const struct dt_field *field, void *at)
{
	static const struct dt_operand nothing;
	struct dt_opt unknown = { 0 };
	void *none = NULL;
	unsigned zero = 0;
	void *slot = dt_field_slot(field, at);

	switch (field->kind) {
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		memset(slot, 0, field->object->size);
		break;
	case DT_FIELD_HEX:
	case DT_FIELD_UINT:
	case DT_FIELD_SECONDS:
		memcpy(slot, &unknown, sizeof(unknown));
		break;
	case DT_FIELD_WORD:
	case DT_FIELD_BOOL:
		memcpy(slot, &zero, sizeof(zero));
		break;
	case DT_FIELD_TEXT:
	case DT_FIELD_TIME:
	case DT_FIELD_BYTES:
		store(field, slot, &nothing);
		break;
	default:
		memcpy(slot, &none, sizeof(none));
		if (field->kind != DT_FIELD_MAY)
			*dt_field_count_slot(field, at) = 0;
	}
}

static enum dt_status set_field(struct filler *f, const struct dt_field *field, void *at, const char *rest,
                                const struct dt_doc *node)
{
	struct dt_operand value = { 0 };
	enum dt_status status;

	if (!*rest && is_null(node))
		return clear(field, at), DT_OK;
	switch (field->kind) {
	case DT_FIELD_HAS:
	case DT_FIELD_MAY:
		return set_object(f, field, at, rest, node);
	case DT_FIELD_REGISTERS:
		return *rest ? set_register(f, field, at, rest, node) : set_registers(f, field, at, node);
	case DT_FIELD_LIST:
	case DT_FIELD_TEXTS:
	case DT_FIELD_HEXES:
		return *rest ? set_indexed(f, field, at, rest, node) : set_list(f, field, at, node);
	default:
		break;
	}
	if (*rest)
		return dt_doc_fail(node, f->err, "there is nothing inside '%s'", field->name);
	if ((status = scalar(f, field->kind, field->words, node, &value)) == DT_OK)
		store(field, dt_field_slot(field, at), &value);
	return status;
}

/* Depth is that of the document and of the path, both capped. */
static enum dt_status set(struct filler *f, const struct dt_object *object, void *at, const char *path, const struct dt_doc *node)
{
	size_t len = strcspn(path, ".");
	const struct dt_field *field = find(object, path, len);

	if (!field)
		return dt_doc_fail(node, f->err, "%s has no field '%.*s'", object == &dt_object_facts ? "the record" : object->name,
		                   (int)(len < 64 ? len : 64), path);
	return set_field(f, field, at, path[len] ? path + len + 1 : "", node);
}

enum dt_status dt_rule_test_facts(const struct dt_rule_test *test, struct dt_arena *arena, struct dt_facts *out,
                                  struct dt_error *err)
{
	struct filler f = { arena, err };
	enum dt_status status;

	memset(out, 0, sizeof(*out));
	out->schema = DT_CRASH_SCHEMA;
	status = set_map(&f, &dt_object_facts, out, test->record);
	return status == DT_OK && test->change ? set_map(&f, &dt_object_facts, out, test->change) : status;
}

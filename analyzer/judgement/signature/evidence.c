/* What a dump has for a fact, in words: the values of the fields that the fact tests. */
#include <string.h>

#include "judgement/signature/rule.h"

enum { MAX_SHOWN = 8, MAX_VALUE = 512 };

/* One field with its value, written once. */
struct shown {
	const char *name;
	struct dt_path path;
	const struct dt_check *check; /* BYTES at a place, ELEMENTS; NULL: the plain value */
};

struct list {
	struct shown items[MAX_SHOWN];
	size_t count;
};

static void add(struct list *list, const char *name, const struct dt_path *path, const struct dt_check *check)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return;
	if (list->count < MAX_SHOWN)
		list->items[list->count++] = (struct shown){ name, *path, check };
}

/* What stands under `not` and before `when` is a condition on the fact, not the fact. */
static void collect(struct list *list, const struct dt_check *check)
{
	if (check->kind == DT_CHECK_TEST || check->kind == DT_CHECK_ELEMENTS) {
		add(list, check->field, &check->path, check);
		return;
	}
	if (check->kind == DT_CHECK_NOT)
		return;
	for (size_t i = check->kind == DT_CHECK_WHEN; i < check->count; i++)
		collect(list, check->children[i]);
}

static void print_list(const struct list *list, const struct dt_facts *facts, const void *object, struct dt_buf *out);

/* The bytes that stand where a pattern is looked for. */
static void print_placed(const struct dt_check *check, const void *object, struct dt_buf *out)
{
	struct dt_value bytes = dt_path_get(&check->path, object);
	struct dt_value start = dt_path_get(&check->start, object), ip = dt_path_get(&check->ip, object);
	struct dt_bytes there;

	if (bytes.known && start.known && ip.known &&
	    dt_bytes_sub(bytes.as.bytes, ip.as.number + (uint64_t)check->at - start.as.number, check->values[0].bytes.len, &there))
		dt_buf_hexbytes(out, there);
}

static void print_elements(const struct dt_check *check, const struct dt_facts *facts, const void *object,
                           struct dt_buf *out)
{
	struct dt_value list = dt_path_get(&check->path, object);
	struct list inner = { .count = 0 };
	size_t first = 0, run = list.known ? dt_elements_run(check, facts, object, &first) : 0;

	if (run == 0)
		return;
	collect(&inner, check->children[0]);
	print_list(&inner, facts, (const char *)list.as.list.items + first * list.as.list.object->size, out);
	if (check->run > 1)
		dt_buf_printf(out, ", %zu in a row", run);
}

static void print_one(const struct shown *shown, const struct dt_facts *facts, const void *object, struct dt_buf *out)
{
	if (shown->check && shown->check->kind == DT_CHECK_ELEMENTS) {
		print_elements(shown->check, facts, object, out);
		return;
	}
	if (shown->check && shown->check->placed) {
		print_placed(shown->check, object, out);
		return;
	}
	struct dt_value value = dt_path_get(&shown->path, object);
	if (!value.known)
		return;
	if (value.kind == DT_FIELD_BYTES && value.as.bytes.len > 32)
		value.as.bytes.len = 32;
	dt_value_print(&value, out);
}

/* One field needs no name; of several each has its own. Unknown ones are left out. */
static void print_list(const struct list *list, const struct dt_facts *facts, const void *object, struct dt_buf *out)
{
	size_t begin = out->len;
	bool no_memory = false;
	struct dt_buf one;

	dt_buf_init(&one, MAX_VALUE);
	for (size_t i = 0; i < list->count; i++) {
		dt_buf_reset(&one);
		print_one(&list->items[i], facts, object, &one);
		no_memory |= one.no_memory;
		if (one.len == 0 || !dt_buf_ok(&one))
			continue;
		if (out->len > begin)
			dt_buf_puts(out, ", ");
		if (list->count > 1)
			dt_buf_printf(out, "%s ", list->items[i].name);
		dt_buf_append(out, dt_buf_text(&one), one.len);
	}
	out->failed |= no_memory;
	out->no_memory |= no_memory;
	dt_buf_deinit(&one);
}

const char *dt_evidence_value(const struct dt_selection *selection, const struct dt_facts *facts, struct dt_arena *arena)
{
	struct list list = { .count = 0 };
	struct dt_buf out;
	const char *text = NULL;

	for (size_t i = 0; i < selection->show_count; i++)
		add(&list, selection->show[i], &selection->show_paths[i], NULL);
	if (selection->show_count == 0)
		collect(&list, selection->check);
	dt_buf_init(&out, MAX_SHOWN * (MAX_VALUE + 64));
	print_list(&list, facts, facts, &out);
	if (out.len && dt_buf_ok(&out))
		text = dt_arena_strdup(arena, dt_buf_text(&out));
	dt_arena_refused(arena, out.no_memory);
	dt_buf_deinit(&out);
	return text;
}

#include "support/random_record.h"

#include <stdio.h>
#include <string.h>

struct maker {
	struct dt_arena *arena;
	const struct random_options *options;
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct maker *m)
{
	uint64_t z = (m->state += 0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

static size_t below(struct maker *m, size_t limit)
{
	return (size_t)(draw(m) % limit);
}

static bool is_null(struct maker *m)
{
	return m->options->null_of && below(m, m->options->null_of) == 0;
}

static uint64_t number(struct maker *m, uint64_t max)
{
	static const uint64_t edges[] = { 0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0xFFFFFFFF, 0x100000000 };
	size_t pick = below(m, 16), shift = below(m, 64); /* one after the other: all compilers draw alike */
	uint64_t value = pick < 8 ? edges[pick] : pick == 8 ? max : draw(m) >> shift;
	return value <= max ? value : value % (max + 1);
}

static const char *text(struct maker *m)
{
	static const char *const pieces[] = {
		"a",
		"nt",
		"CSAgent.sys",
		"\\",
		"\"",
		"/",
		" ",
		"{}",
		"\xC3\xA4",
		"\xE4\xB8\xAD",
		"\xF0\x9F\x98\x80",
		"</script>",
		"\xE2\x9F\xA8U+0007\xE2\x9F\xA9",
		"\xE2\x9F\xA8x92\xE2\x9F\xA9",
		"null",
		"0x1f",
		"SystemRoot",
		"drivers",
		"%s",
		"'",
	};
	char out[400] = "";
	size_t count = below(m, 12), len = 0;
	for (size_t i = 0; i < count; i++) {
		const char *piece = pieces[below(m, sizeof pieces / sizeof *pieces)];
		size_t n = strlen(piece);
		memcpy(out + len, piece, n);
		len += n;
	}
	return dt_arena_strndup(m->arena, out, len);
}

static struct dt_bytes bytes(struct maker *m)
{
	uint8_t data[80];
	size_t len = 1 + below(m, sizeof data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)draw(m);
	return dt_arena_bytes(m->arena, (struct dt_bytes){ data, len });
}

static void fill(struct maker *m, const struct dt_object *object, void *out);

static size_t list_len(struct maker *m, const struct dt_field *field)
{
	size_t max = field->max < m->options->list_max ? field->max : m->options->list_max;
	return m->options->null_of ? below(m, max + 1) : 1 + below(m, max);
}

static void set_list(const struct dt_field *field, void *out, void *items, size_t count)
{
	memcpy((char *)out + field->off, &items, sizeof items);
	memcpy((char *)out + field->count_off, &count, sizeof count);
}

static void fill_objects(struct maker *m, const struct dt_field *field, void *out)
{
	size_t count = list_len(m, field), size = field->object->size;
	char *items = count ? dt_arena_array(m->arena, count, size) : NULL;
	for (size_t i = 0; i < count; i++)
		fill(m, field->object, items + i * size);
	set_list(field, out, items, count);
}

static void fill_texts(struct maker *m, const struct dt_field *field, void *out)
{
	size_t count = list_len(m, field);
	const char **items = count ? DT_ARENA_ARRAY(m->arena, count, const char *) : NULL;
	for (size_t i = 0; i < count; i++)
		items[i] = is_null(m) ? NULL : text(m);
	set_list(field, out, items, count);
}

static void fill_hexes(struct maker *m, const struct dt_field *field, void *out)
{
	size_t count = list_len(m, field);
	uint64_t *items = count ? DT_ARENA_ARRAY(m->arena, count, uint64_t) : NULL;
	for (size_t i = 0; i < count; i++)
		items[i] = number(m, UINT64_MAX);
	set_list(field, out, items, count);
}

static void fill_registers(struct maker *m, const struct dt_field *field, void *out)
{
	size_t count = list_len(m, field), first = below(m, 50);
	struct dt_register *items = count ? DT_ARENA_ARRAY(m->arena, count, struct dt_register) : NULL;
	for (size_t i = 0; i < count; i++) {
		/* Not in the order of the alphabet: the order of a record is kept. */
		items[i].name = dt_arena_printf(m->arena, "r%zu", (first + i * 7) % 97);
		if (!is_null(m))
			items[i].value = dt_some(number(m, UINT64_MAX));
	}
	set_list(field, out, items, count);
}

static void fill_may(struct maker *m, const struct dt_field *field, void *out)
{
	void *inner = is_null(m) ? NULL : dt_arena_alloc(m->arena, field->object->size);
	if (inner)
		fill(m, field->object, inner);
	memcpy((char *)out + field->off, &inner, sizeof inner);
}

static void fill_scalar(struct maker *m, const struct dt_field *field, void *slot)
{
	switch (field->kind) {
	case DT_FIELD_TEXT:
		*(const char **)slot = text(m);
		break;
	case DT_FIELD_HEX:
		*(struct dt_opt *)slot = dt_some(number(m, UINT64_MAX));
		break;
	case DT_FIELD_UINT:
		*(struct dt_opt *)slot = dt_some(number(m, (UINT64_C(1) << 53) - 1));
		break;
	case DT_FIELD_SECONDS:
		*(struct dt_opt *)slot = dt_some(number(m, UINT64_C(1) << 50));
		break;
	case DT_FIELD_TIME:
		*(uint64_t *)slot = 1 + number(m, UINT64_C(2650467743999999998));
		break;
	case DT_FIELD_BOOL:
		*(enum dt_bool3 *)slot = dt_bool3(below(m, 2) != 0);
		break;
	case DT_FIELD_WORD:
		*(unsigned *)slot = 1 + (unsigned)below(m, field->words->count - 1);
		break;
	default:
		*(struct dt_bytes *)slot = bytes(m);
		break;
	}
}

static void fill_field(struct maker *m, const struct dt_field *field, void *out)
{
	switch (field->kind) {
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		fill(m, field->object, (char *)out + field->off);
		break;
	case DT_FIELD_MAY:
		fill_may(m, field, out);
		break;
	case DT_FIELD_LIST:
		fill_objects(m, field, out);
		break;
	case DT_FIELD_TEXTS:
		fill_texts(m, field, out);
		break;
	case DT_FIELD_HEXES:
		fill_hexes(m, field, out);
		break;
	case DT_FIELD_REGISTERS:
		fill_registers(m, field, out);
		break;
	default:
		if (!is_null(m))
			fill_scalar(m, field, (char *)out + field->off);
		break;
	}
}

static void fill(struct maker *m, const struct dt_object *object, void *out)
{
	for (size_t i = 0; i < object->field_count; i++)
		fill_field(m, &object->fields[i], out);
}

void random_record(struct dt_crash *crash, struct dt_arena *arena, const struct random_options *options)
{
	struct maker m = { arena, options, options->seed };
	memset(crash, 0, sizeof *crash);
	fill(&m, &dt_object_crash, crash);
	crash->facts.schema = DT_CRASH_SCHEMA;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_opt(const struct dt_opt *a, const struct dt_opt *b)
{
	return a->known == b->known && (!a->known || a->value == b->value);
}

static bool same_bytes(const struct dt_bytes *a, const struct dt_bytes *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static const char *named(const struct dt_object *object, const struct dt_field *field)
{
	static char place[100];
	(void)snprintf(place, sizeof place, "%s.%s", object->name, field->name);
	return place;
}

static bool same_item(const struct dt_field *field, const void *a, const void *b, size_t i)
{
	const struct dt_register *x = (const struct dt_register *)a + i, *y = (const struct dt_register *)b + i;
	switch (field->kind) {
	case DT_FIELD_TEXTS:
		return same_text(((const char *const *)a)[i], ((const char *const *)b)[i]);
	case DT_FIELD_HEXES:
		return ((const uint64_t *)a)[i] == ((const uint64_t *)b)[i];
	default:
		return same_text(x->name, y->name) && same_opt(&x->value, &y->value);
	}
}

static const char *list_difference(const struct dt_object *object, const struct dt_field *field, const void *a,
                                   const void *b)
{
	size_t count = *(const size_t *)(const void *)((const char *)a + field->count_off);
	const char *items_a = *(const char *const *)(const void *)((const char *)a + field->off);
	const char *items_b = *(const char *const *)(const void *)((const char *)b + field->off);
	if (count != *(const size_t *)(const void *)((const char *)b + field->count_off))
		return named(object, field);
	for (size_t i = 0; i < count; i++) {
		if (field->kind == DT_FIELD_LIST) {
			size_t off = i * field->object->size;
			const char *place = record_difference(field->object, items_a + off, items_b + off);
			if (place)
				return place;
		} else if (!same_item(field, items_a, items_b, i)) {
			return named(object, field);
		}
	}
	return NULL;
}

static const char *may_difference(const struct dt_object *object, const struct dt_field *field, const void *a,
                                  const void *b)
{
	const void *x = *(const void *const *)a, *y = *(const void *const *)b;
	if (!x || !y)
		return x == y ? NULL : named(object, field);
	return record_difference(field->object, x, y);
}

static const char *field_difference(const struct dt_object *object, const struct dt_field *field, const void *a,
                                    const void *b)
{
	const void *x = (const char *)a + field->off, *y = (const char *)b + field->off;
	bool same;
	switch (field->kind) {
	case DT_FIELD_TEXT:
		same = same_text(*(const char *const *)x, *(const char *const *)y);
		break;
	case DT_FIELD_HEX:
	case DT_FIELD_UINT:
	case DT_FIELD_SECONDS:
		same = same_opt(x, y);
		break;
	case DT_FIELD_TIME:
		same = *(const uint64_t *)x == *(const uint64_t *)y;
		break;
	case DT_FIELD_BOOL:
	case DT_FIELD_WORD:
		same = *(const unsigned *)x == *(const unsigned *)y;
		break;
	case DT_FIELD_BYTES:
		same = same_bytes(x, y);
		break;
	case DT_FIELD_HAS:
	case DT_FIELD_INLINE:
		return record_difference(field->object, x, y);
	case DT_FIELD_MAY:
		return may_difference(object, field, x, y);
	default:
		return list_difference(object, field, a, b);
	}
	return same ? NULL : named(object, field);
}

const char *record_difference(const struct dt_object *object, const void *a, const void *b)
{
	const char *place = NULL;
	for (size_t i = 0; i < object->field_count && !place; i++)
		place = field_difference(object, &object->fields[i], a, b);
	return place;
}

static void usual_modules(struct dt_facts *facts, struct dt_arena *arena, size_t count)
{
	facts->modules = DT_ARENA_ARRAY(arena, count, struct dt_module);
	facts->modules_count = count;
	for (size_t i = 0; i < count; i++) {
		struct dt_module *module = &facts->modules[i];
		module->name = dt_arena_printf(arena, "driver%03zu.sys", i);
		module->path = dt_arena_printf(arena, "\\SystemRoot\\System32\\drivers\\driver%03zu.sys", i);
		module->base = dt_some(0xFFFFF80000000000 + (i << 20));
		module->size = dt_some(0x1000 * (i + 5));
		module->timestamp = dt_some(0x5F000000 + i * 77777);
		module->checksum = dt_some(0x10000 + i * 333);
		module->version = i % 3 ? NULL : dt_arena_printf(arena, "10.0.19041.%zu", i);
		module->company = i % 3 ? NULL : "Microsoft Corporation";
		module->debug_id = i % 2 ? NULL : dt_arena_printf(arena, "%032zX1", i * 0x123456789);
		module->microsoft = dt_bool3(i % 4 != 0);
	}
}

static void usual_stack(struct dt_facts *facts, struct dt_arena *arena, size_t count)
{
	facts->stack = DT_ARENA_ARRAY(arena, count, struct dt_frame);
	facts->stack_count = count;
	for (size_t i = 0; i < count; i++) {
		struct dt_frame *frame = &facts->stack[i];
		frame->ip = dt_some(0xFFFFF80000001234 + (i << 16));
		frame->module = dt_arena_printf(arena, "driver%03zu.sys", i % 5);
		frame->offset = dt_some(0x1234 + i);
		frame->trust = i ? DT_TRUST_CALL_SITE : DT_TRUST_CONTEXT;
		frame->unloaded = DT_FALSE;
		frame->slot = dt_some(0xFFFFB00000001000 + 8 * i);
	}
}

void usual_record(struct dt_crash *crash, struct dt_arena *arena)
{
	random_record(crash, arena, &(struct random_options){ .seed = 1, .list_max = 4 });
	usual_modules(&crash->facts, arena, 200);
	usual_stack(&crash->facts, arena, 40);
}

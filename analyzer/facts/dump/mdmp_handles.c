/*
 * mdmp_handles.c - HandleData: how many handles, and of what types of objects.
 *
 * Layout: MINIDUMP_HANDLE_DATA_STREAM, MINIDUMP_HANDLE_DESCRIPTOR and
 * MINIDUMP_HANDLE_DESCRIPTOR_2 of minidumpapiset.h. What is read stands at the
 * same offsets in both descriptors. Names of objects are never read: they hold
 * what a user calls his files. Names of types are taken where they look like
 * one, so that nothing else comes into a record by this way.
 */
#include <inttypes.h>
#include <string.h>

#include "facts/dump/mdmp.h"

enum {
	DATA_COUNT = 0x08,
	DESCRIPTOR_STRIDE = 32,
	DESCRIPTOR_TYPE = 0x08,
	MAX_TYPE_NAME = 32, /* with its end; "WaitCompletionPacket" is the longest of Windows' common ones */
	MAX_NAMED_TYPES = 5,
};

struct handle_type {
	char name[MAX_TYPE_NAME];
	uint64_t count; /* 0: it was named already */
};

struct handle_types {
	struct handle_type row[DT_MAX_HANDLE_TYPES];
	size_t count;
	uint64_t looked_at, others /* found no row */, nameless;
};

static bool is_type_character(unsigned c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' || c == '_';
}

/* The MINIDUMP_STRING at rva. false when there is none that could be the name of a type. */
static bool type_name(struct dt_bytes file, uint32_t rva, char out[MAX_TYPE_NAME])
{
	struct dt_bytes text;
	uint32_t len;

	if (rva == 0 || !dt_bytes_u32(file, rva, &len) || len == 0 || len & 1 || len / 2 >= MAX_TYPE_NAME ||
	    !dt_bytes_sub(file, (uint64_t)rva + 4, len, &text))
		return false;
	for (uint32_t i = 0; i < len / 2; i++) {
		unsigned c = dt_bytes_u16_or(text, 2 * i, 0);

		if (!is_type_character(c))
			return false;
		out[i] = (char)c;
	}
	out[len / 2] = 0;
	return true;
}

static void count_one(struct handle_types *types, const char name[MAX_TYPE_NAME])
{
	for (size_t i = 0; i < types->count; i++) {
		if (strcmp(types->row[i].name, name) == 0) {
			types->row[i].count++;
			return;
		}
	}
	if (types->count == DT_MAX_HANDLE_TYPES) {
		types->others++;
		return;
	}
	struct handle_type *row = &types->row[types->count++];
	memcpy(row->name, name, MAX_TYPE_NAME);
	row->count = 1;
}

static void count_types(const struct mdmp *m, struct dt_bytes bytes, uint64_t first, uint32_t stride, size_t count,
                        struct handle_types *types)
{
	types->looked_at = count < DT_MAX_HANDLES ? count : DT_MAX_HANDLES;
	for (uint64_t i = 0; i < types->looked_at; i++) {
		char name[MAX_TYPE_NAME] = "";

		if (type_name(m->file, dt_bytes_u32_or(bytes, first + i * stride + DESCRIPTOR_TYPE, 0), name))
			count_one(types, name);
		else
			types->nameless++;
	}
}

/* The most frequent type that was not named yet, by name where several are; NULL when all were. */
static struct handle_type *next_type(struct handle_types *types)
{
	struct handle_type *best = NULL;

	for (size_t i = 0; i < types->count; i++) {
		struct handle_type *row = &types->row[i];

		if (row->count && (!best || row->count > best->count ||
		                   (row->count == best->count && strcmp(row->name, best->name) < 0)))
			best = row;
	}
	return best;
}

/* "12,345": a sentence of many figures is read better so. */
static const char *figure(struct dt_arena *arena, uint64_t value)
{
	if (value < 1000)
		return dt_arena_printf(arena, "%" PRIu64, value);
	const char *thousands = figure(arena, value / 1000); /* six deep at most */

	return thousands ? dt_arena_printf(arena, "%s,%03" PRIu64, thousands, value % 1000) : NULL;
}

static const char *with_part(struct mdmp *m, const char *list, uint64_t count, const char *what)
{
	const char *number = count ? figure(m->dump->arena, count) : NULL;

	return number ? mdmp_join(m, list, dt_arena_printf(m->dump->arena, "%s %s", number, what)) : list;
}

/* "400 File, 300 Event, 12 of other types". */
static const char *list_types(struct mdmp *m, struct handle_types *types)
{
	const char *list = NULL;
	struct handle_type *row;
	uint64_t others = types->others;

	for (int i = 0; i < MAX_NAMED_TYPES && (row = next_type(types)); i++) {
		list = with_part(m, list, row->count, row->name);
		row->count = 0;
	}
	for (size_t i = 0; i < types->count; i++)
		others += types->row[i].count;
	list = with_part(m, list, others, "of other types");
	return with_part(m, list, types->nameless, "whose type has no readable name");
}

static void note_types(struct mdmp *m, const struct mdmp_stream *stream, struct handle_types *types, size_t count)
{
	struct dt_arena *arena = m->dump->arena;
	const char *total = figure(arena, count), *looked_at = figure(arena, types->looked_at),
		   *list = list_types(m, types);

	if (total && looked_at && list)
		dt_note_add(m->dump->notes, DT_NOTE_INFO, stream->name, "%s handle%s%s%s: %s", total,
		            count == 1 ? "" : "s", types->looked_at < count ? ", by type the first " : "",
		            types->looked_at < count ? looked_at : "", list);
}

/* A count that the stream cannot hold is no count; the types are those of the descriptors that are there. */
void mdmp_handle_data(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct handle_types types = { .count = 0 };
	uint64_t first = 0;
	uint32_t stride = DESCRIPTOR_STRIDE;
	size_t count = mdmp_table(m, stream, DESCRIPTOR_STRIDE, false, SIZE_MAX, &first, &stride);

	if (stride >= DESCRIPTOR_STRIDE && count == dt_bytes_u32_or(stream->bytes, DATA_COUNT, UINT32_MAX))
		m->dump->handle_count = dt_some(count);
	if (count == 0)
		return;
	count_types(m, stream->bytes, first, stride, count, &types);
	note_types(m, stream, &types, count);
}

/*
 * secondary.c - the tagged blobs behind a triage dump, or behind the pages of a dump of memory.
 *
 * "DumpBlob" and a build number, then blobs with a header of 0x20 bytes each. A
 * header size of 0 ends the list; in files that the kernel wrote, what follows
 * is whatever the disk held before, and is not looked at.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "facts/dump/reader.h"

enum {
	FILE_HEADER = 0x10,
	BLOB_HEADER = 0x20,
	BLOB_TAG = 0x04,
	BLOB_SIZE = 0x14,
	BLOB_PRE = 0x18,
	BLOB_POST = 0x1c
};

static const struct known {
	const char *id, *name;
	size_t to; /* where in struct dt_dump its bytes are wanted; 0: nowhere */
} known[] = {
#define DT_BLOB(id, name) { id, name, 0 },
#define DT_BLOB_READ(id, name, to) { id, name, offsetof(struct dt_dump, to) },
#include "facts/dump/secondary.def"
};

static const struct known *known_by(const char *id)
{
	for (size_t i = 0; id && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].id, id))
			return &known[i];
	return NULL;
}

static const char *id_of(struct dt_dump *dump, struct dt_bytes head)
{
	const uint8_t *tail = head.data + BLOB_TAG + 8;

	return dt_arena_printf(dump->arena, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", dt_bytes_u32_or(head, BLOB_TAG, 0),
	                       dt_bytes_u16_or(head, BLOB_TAG + 4, 0), dt_bytes_u16_or(head, BLOB_TAG + 6, 0), tail[0], tail[1], tail[2],
	                       tail[3], tail[4], tail[5], tail[6], tail[7]);
}

/* The first blob of each kind counts. */
static void take(struct dt_dump *dump, const struct known *row, struct dt_bytes blob)
{
	struct dt_bytes *to = row && row->to ? (struct dt_bytes *)((char *)dump + row->to) : NULL;

	if (to && to->len == 0)
		*to = blob;
}

static void list(struct dt_dump *dump, struct dt_bytes head, struct dt_bytes blob)
{
	const char *id = id_of(dump, head);
	const struct known *row = known_by(id);

	take(dump, row, blob);
	if (!dump->blobs)
		dump->blobs = DT_ARENA_ARRAY(dump->arena, DT_MAX_LISTED_BLOBS, struct dt_blob);
	if (dump->blob_count == DT_MAX_LISTED_BLOBS) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "secondary data", "more than %d blobs; the rest is not listed", DT_MAX_LISTED_BLOBS);
		return;
	}
	if (!id || !dump->blobs)
		return;
	dump->blobs[dump->blob_count++] = (struct dt_blob){ .id = id, .name = row ? row->name : NULL, .size = dt_some(blob.len) };
}

/* Whether the file ends within the header of a blob that stands at off. */
static bool ends_in_header(struct dt_bytes file, uint64_t off)
{
	struct dt_bytes rest = dt_bytes_clip(file, off, BLOB_HEADER);

	return rest.len > 0 && rest.len < BLOB_HEADER && dt_bytes_u32_or(rest, 0, BLOB_HEADER) == BLOB_HEADER;
}

static void say_cut(struct dt_dump *dump, unsigned blob, uint64_t off, uint64_t end)
{
	dt_dump_cut(dump, "secondary data",
	            "blob %u at 0x%" PRIx64 " would end at 0x%" PRIx64 ", the file ends at 0x%zx", blob, off, end,
	            dump->file.len);
	dt_dump_missing(dump, "end of the secondary data");
}

void dt_secondary_read(struct dt_dump *dump, uint64_t off)
{
	if (!dt_bytes_match(dump->file, off, "DumpBlob", 8))
		return;
	off += FILE_HEADER;
	for (unsigned i = 0; i < DT_MAX_BLOBS; i++) {
		struct dt_bytes head;

		if (ends_in_header(dump->file, off))
			say_cut(dump, i, off, off + BLOB_HEADER);
		if (!dt_bytes_sub(dump->file, off, BLOB_HEADER, &head) ||
		    dt_bytes_u32_or(head, 0, 0) != BLOB_HEADER)
			return;
		uint64_t data = off + BLOB_HEADER + dt_bytes_u32_or(head, BLOB_PRE, 0);
		uint64_t size = dt_bytes_u32_or(head, BLOB_SIZE, 0);
		struct dt_bytes blob;
		if (!dt_bytes_sub(dump->file, data, size, &blob)) {
			say_cut(dump, i, off, data + size);
			return;
		}
		list(dump, head, blob);
		off = data + size + dt_bytes_u32_or(head, BLOB_POST, 0);
	}
	dt_note_add(dump->notes, DT_NOTE_WARNING, "secondary data", "more than %d blobs; the rest is not read",
	            DT_MAX_BLOBS);
}

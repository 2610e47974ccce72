/*
 * kernel64.c - 64-bit kernel dumps other than minidumps: which kind, and which body.
 *
 * The DumpType names the kind, the signature behind the header says how its memory is laid out. Where the two
 * disagree that is noted, and the bytes are believed. What the memory holds is found later, by walking it.
 */
#include <inttypes.h>

#include "facts/dump/body.h"

static const struct dt_header_shape shape = { DT_HEADER64_SIZE, 0x88, 8, 43 };

enum body { BODY_NONE, BODY_FULL, BODY_SUMMARY, BODY_TRIAGE, BODY_BITMAP, BODY_RANGES };

/* What each DumpType should have behind the header. */
struct type_row {
	uint32_t type;
	enum dt_kind kind;
	enum body body;
	const char *signature;
};

static const struct type_row types[] = {
	{ 1, DT_KIND_FULL, BODY_FULL, "" },
	{ 2, DT_KIND_SUMMARY, BODY_SUMMARY, "SDMP" },
	{ 3, DT_KIND_HEADER_ONLY, BODY_NONE, "" },
	{ 4, DT_KIND_KERNEL_RANGES, BODY_TRIAGE, "" }, /* comes here only where the body is another */
	{ 5, DT_KIND_FULL_BITMAP, BODY_BITMAP, "FDMP or SDMP" },
	{ 6, DT_KIND_KERNEL_BITMAP, BODY_BITMAP, "SDMP or FDMP" },
	{ 7, DT_KIND_BITMAP, BODY_BITMAP, "SDMP or FDMP" },
	{ 8, DT_KIND_KERNEL_RANGES, BODY_RANGES, "RDMP" },
	{ 9, DT_KIND_ACTIVE, BODY_RANGES, "RDMP" },
	{ 10, DT_KIND_FULL_RANGES, BODY_RANGES, "RDMP" },
};

static const struct type_row *type_row(struct dt_opt type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (dt_opt_is(type, types[i].type))
			return &types[i];
	return NULL;
}

/* Bitmap dumps: the flags and the body say more than the type does. */
static enum dt_kind bitmap_kind(const struct dt_dump *dump, const struct dt_header64 *header, enum dt_kind kind)
{
	if (dt_header64_has(header, DT_ATTRIBUTE_LIVE))
		return DT_KIND_LIVE;
	if (dt_header64_has(header, DT_ATTRIBUTE_FILTERED))
		return DT_KIND_ACTIVE;
	if (dt_bytes_match(dump->file, shape.size, "SDMP", 4))
		return DT_KIND_KERNEL_BITMAP;
	return dt_bytes_match(dump->file, shape.size, "FDMP", 4) ? DT_KIND_FULL_BITMAP : kind;
}

/* The body that the bytes show; the type's own where they show none and it needs none. */
static enum body body_of(struct dt_bytes file, const struct type_row *row)
{
	if (dt_body_has_ranges(file, &shape))
		return BODY_RANGES;
	if (dt_body_has_bitmap(file, &shape))
		return row->body == BODY_SUMMARY ? BODY_SUMMARY : BODY_BITMAP;
	return row->body == BODY_FULL ? BODY_FULL : BODY_NONE;
}

static void read_body(struct dt_dump *dump, const struct type_row *row)
{
	enum body body = row->body == BODY_NONE ? BODY_NONE : body_of(dump->file, row);

	if (body == BODY_NONE && row->body != BODY_NONE) {
		dt_dump_cut(dump, "body", "DumpType %" PRIu32 " has %s at 0x%x, found 0x%08" PRIx32, row->type, row->signature, shape.size,
		            dt_bytes_u32_or(dump->file, shape.size, 0));
		dt_dump_missing(dump, "memory: the file ends before it, or it was not written");
		return;
	}
	if (body != row->body)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "body", "DumpType %" PRIu32 " does not go with the signature at 0x%x, 0x%08" PRIx32 ": the signature is believed",
		            row->type, shape.size, dt_bytes_u32_or(dump->file, shape.size, 0));
	switch (body) {
	case BODY_TRIAGE:
	case BODY_NONE: dt_dump_missing(dump, "memory, modules and stack: this kind of dump has none"); break;
	case BODY_FULL: dt_body_full(dump, &shape); break;
	case BODY_SUMMARY: dt_body_summary(dump, &shape); break;
	case BODY_BITMAP: dt_body_bitmap(dump, &shape); break;
	case BODY_RANGES: dt_body_ranges(dump, &shape, row->type == 10); break;
	}
}

/* DumpIt and its ancestors put their author's mark where a stop code stands: MATT, with MOON and SOLS as parameters (seen in a real
 * image); as numbers in one byte order or the other. Nothing crashed then. */
static void tell_tool(struct dt_dump *dump)
{
	static const uint32_t marks[] = { 0x4d415454, 0x5454414d, 0x4d4f4f4e, 0x4e4f4f4d, 0x534f4c53, 0x534c4f53 };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!dump->has_bugcheck || dump->bugcheck_code != marks[i])
			continue;
		dt_note_add(dump->notes, DT_NOTE_INFO, "header", "the stop code 0x%08" PRIx32 " is the mark of a memory-imaging tool", marks[i]);
		dump->writer = DT_WRITER_TOOL;
		dump->live = DT_TRUE;
	}
}

/* QEMU zeroes two paddings of the header that a guest's driver filled; Windows leaves the fill there (27 of 27 real headers at 0xf9c). */
static void tell_hypervisor(struct dt_dump *dump, const struct type_row *row)
{
	if (row->type == 1 && !dump->writer && dt_bytes_u32_or(dump->file, 0x8c, 1) == 0 && dt_bytes_u32_or(dump->file, 0xf9c, 1) == 0)
		dump->writer = DT_WRITER_HYPERVISOR;
}

static void say_no_room(struct dt_dump *dump, const struct dt_header64 *header)
{
	if (!dt_header64_has(header, DT_ATTRIBUTE_NO_ROOM))
		return;
	dt_dump_cut(dump, "header", "Windows noted that the dump file had too little room");
	dt_dump_missing(dump, "what did not fit: the dump file had too little room");
}

static enum dt_status open_header(struct dt_dump *dump, struct dt_error *err)
{
	struct dt_header64 header;
	enum dt_status status = dt_header64_read(dump, &header, err);
	const struct type_row *row = type_row(header.type);

	if (row)
		dump->kind = row->body == BODY_BITMAP || row->body == BODY_TRIAGE ? bitmap_kind(dump, &header, row->kind) : row->kind;
	if (status != DT_OK)
		return status;
	if (!row)
		return dt_fail_at(err, DT_ERR_FORMAT, 0xf98,
		                  "kernel dump header: DumpType 0x%x, expected 1 to 10",
		                  dt_bytes_u32_or(dump->file, 0xf98, 0));
	tell_tool(dump);
	tell_hypervisor(dump, row);
	say_no_room(dump, &header);
	if (!dt_header64_has(&header, DT_ATTRIBUTE_ENCRYPTED)) {
		read_body(dump, row);
		return DT_OK;
	}
	dt_note_add(dump->notes, DT_NOTE_WARNING, "header", "the dump is encrypted: only its header can be read");
	dt_dump_missing(dump, "everything behind the header (encrypted)");
	return DT_OK;
}

bool dt_full64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 1);
}

bool dt_summary64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 2);
}

bool dt_headeronly64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 3);
}

bool dt_body_is_marked64(struct dt_bytes file)
{
	return dt_body_has_bitmap(file, &shape) || dt_body_has_ranges(file, &shape);
}

bool dt_bitmap64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 5) || dt_header64_is(file, 6) || dt_header64_is(file, 7) ||
	       (dt_header64_is(file, 4) && dt_body_has_bitmap(file, &shape));
}

bool dt_ranges64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 8) || dt_header64_is(file, 9) || dt_header64_is(file, 10) ||
	       (dt_header64_is(file, 4) && dt_body_has_ranges(file, &shape));
}

bool dt_unknown64_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "PAGEDU64", 8);
}

enum dt_status dt_full64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

enum dt_status dt_summary64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

enum dt_status dt_headeronly64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

enum dt_status dt_bitmap64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

enum dt_status dt_ranges64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

enum dt_status dt_unknown64_open(struct dt_dump *dump, struct dt_error *err)
{
	return open_header(dump, err);
}

/*
 * later64.c - 64-bit kernel dumps whose memory is not read by this version.
 *
 * The DumpType names them, the signature behind the header confirms it. Their
 * header gives the bugcheck, the system and the context of KeBugCheckEx.
 */
#include <inttypes.h>

#include "facts/dump/reader.h"

enum { BODY = DT_HEADER64_SIZE, PAGE_SIZE = 0x1000, MAX_RUNS = 43 };

static bool has_bitmap(struct dt_bytes file)
{
	return (dt_bytes_match(file, BODY, "SDMP", 4) || dt_bytes_match(file, BODY, "FDMP", 4)) &&
	       dt_bytes_match(file, BODY + 4, "DUMP", 4);
}

static bool has_summary(struct dt_bytes file)
{
	return dt_bytes_match(file, BODY, "SDMPDUMP", 8);
}

static bool has_ranges(struct dt_bytes file)
{
	return dt_bytes_u32_or(file, BODY, 0) == 0x40 && dt_bytes_match(file, BODY + 4, "RDMPDUMP", 8);
}

static bool has_any(struct dt_bytes file)
{
	(void)file;
	return true;
}

/* What each DumpType should have behind the header. */
struct type_row {
	uint32_t type;
	enum dt_kind kind;
	bool (*confirm)(struct dt_bytes file);
	const char *signature;
};

static const struct type_row types[] = {
	{ 1, DT_KIND_FULL, has_any, "" },
	{ 2, DT_KIND_SUMMARY, has_summary, "SDMP" },
	{ 3, DT_KIND_HEADER_ONLY, has_any, "" },
	{ 5, DT_KIND_FULL_BITMAP, has_bitmap, "FDMP or SDMP" },
	{ 6, DT_KIND_KERNEL_BITMAP, has_bitmap, "SDMP or FDMP" },
	{ 7, DT_KIND_BITMAP, has_bitmap, "SDMP or FDMP" },
	{ 8, DT_KIND_KERNEL_RANGES, has_ranges, "RDMP" },
	{ 9, DT_KIND_ACTIVE, has_ranges, "RDMP" },
	{ 10, DT_KIND_FULL_RANGES, has_ranges, "RDMP" },
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
	if (dt_bytes_match(dump->file, BODY, "SDMP", 4))
		return DT_KIND_KERNEL_BITMAP;
	return dt_bytes_match(dump->file, BODY, "FDMP", 4) ? DT_KIND_FULL_BITMAP : kind;
}

static void check_length(struct dt_dump *dump, uint64_t wanted)
{
	dump->complete = DT_TRUE;
	if (wanted <= dump->file.len)
		return;
	dt_dump_cut(dump, "file", "0x%" PRIx64 " bytes expected, the file ends at 0x%zx", wanted, dump->file.len);
	dt_dump_missing(dump,
	                dt_arena_printf(dump->arena, "end of the file: 0x%zx of 0x%" PRIx64 " bytes are there",
	                                dump->file.len, wanted));
}

/* Complete dumps: header and all pages of the physical runs. */
static void check_runs(struct dt_dump *dump)
{
	struct dt_opt runs = dt_field32(dump->file, 0x88), pages = dt_field64(dump->file, 0x90);

	if (runs.known && runs.value <= MAX_RUNS && pages.known && pages.value < UINT64_C(1) << 40)
		check_length(dump, DT_HEADER64_SIZE + pages.value * PAGE_SIZE);
}

/* Bitmap dumps: the first page and the number of pages. */
static void check_bitmap(struct dt_dump *dump)
{
	uint64_t first = dt_bytes_u64_or(dump->file, BODY + 0x20, 0);
	uint64_t pages = dt_bytes_u64_or(dump->file, BODY + 0x28, 0);

	if (first && first <= UINT32_MAX && pages && pages < UINT64_C(1) << 40)
		check_length(dump, first + pages * PAGE_SIZE);
}

static void say_not_read(struct dt_dump *dump)
{
	if (dump->kind == DT_KIND_HEADER_ONLY) {
		dt_dump_missing(dump, "memory, modules and stack: this kind of dump has none");
		return;
	}
	dt_dump_missing(dump, "memory: not read by this version");
	dt_dump_missing(dump, "modules: not read by this version");
	dt_dump_missing(dump, "stack: not read by this version");
}

static enum dt_status open_header(struct dt_dump *dump, struct dt_error *err)
{
	struct dt_header64 header;
	enum dt_status status = dt_header64_read(dump, &header, err);
	const struct type_row *row = type_row(header.type);

	if (row)
		dump->kind = row->confirm == has_bitmap ? bitmap_kind(dump, &header, row->kind) : row->kind;
	if (status != DT_OK)
		return status;
	if (!row)
		return dt_fail_at(err, DT_ERR_FORMAT, 0xf98,
		                  "kernel dump header: DumpType 0x%x, expected 1 to 10",
		                  dt_bytes_u32_or(dump->file, 0xf98, 0));
	say_not_read(dump);
	if (dt_header64_has(&header, DT_ATTRIBUTE_ENCRYPTED)) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "the dump is encrypted: only its header can be read");
		dt_dump_missing(dump, "everything behind the header (encrypted)");
	} else if (!row->confirm(dump->file)) {
		dt_dump_cut(dump, "body", "DumpType %" PRIu32 " has %s at 0x%x, found 0x%08" PRIx32, row->type,
		            row->signature, BODY, dt_bytes_u32_or(dump->file, BODY, 0));
	} else if (row->type == 1) {
		check_runs(dump);
	} else if (row->confirm == has_bitmap) {
		check_bitmap(dump);
	}
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

bool dt_bitmap64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 5) || dt_header64_is(file, 6) || dt_header64_is(file, 7);
}

bool dt_ranges64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 8) || dt_header64_is(file, 9) || dt_header64_is(file, 10);
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

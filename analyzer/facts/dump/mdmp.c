/*
 * mdmp.c - the header, the directory and the order of work of a user-mode minidump.
 */
#include "facts/dump/mdmp.h"

#include <inttypes.h>

#include "core/base/time.h"

enum {
	H_VERSION = 0x04,
	H_STREAMS = 0x08,
	H_DIRECTORY = 0x0c,
	H_TIME = 0x14,
	H_SIZE = 0x20,
	ENTRY_SIZE = 0x0c,
	VERSION = 0xa793,
};

struct stream_row {
	uint32_t number;
	const char *name;
	void (*read)(struct mdmp *m, const struct mdmp_stream *stream); /* NULL: its presence is all */
};

#define DT_STREAM(id, number, name) { number, name, mdmp_##id },
#define DT_STREAM_NAMED(id, number, name) { number, name, NULL },
static const struct stream_row rows[MDMP_STREAM_COUNT] = {
#include "facts/dump/mdmp_streams.def"
};

uint64_t mdmp_va(const struct mdmp *m, uint64_t va)
{
	return m->dump->machine == DT_MACHINE_X86 ? va & UINT32_MAX : va;
}

const char *mdmp_string(struct mdmp *m, uint32_t rva)
{
	uint32_t len;

	if (rva == 0 || !dt_bytes_u32(m->file, rva, &len) || len & 1)
		return NULL;
	return dt_dump_text16(m->dump, (uint64_t)rva + 4, len);
}

struct dt_bytes mdmp_location(const struct mdmp *m, struct dt_bytes bytes, uint64_t off)
{
	uint32_t size = dt_bytes_u32_or(bytes, off, 0), rva = dt_bytes_u32_or(bytes, off + 4, 0);
	struct dt_bytes out = { NULL, 0 };

	if (size && rva)
		(void)dt_bytes_sub(m->file, rva, size, &out);
	return out;
}

const char *mdmp_join(struct mdmp *m, const char *list, const char *part)
{
	return list && part ? dt_arena_printf(m->dump->arena, "%s, %s", list, part) : part;
}

/* How many of count entries fit from first on; notes what does not. */
static size_t fit(struct mdmp *m, const struct mdmp_stream *stream, uint64_t count, uint64_t stride,
                  uint64_t first, size_t cap)
{
	uint64_t room = first < stream->bytes.len ? (stream->bytes.len - first) / stride : 0;
	uint64_t there = count < room ? count : room;

	if (there < count) {
		dt_dump_cut(m->dump, stream->name,
		            "%" PRIu64 " entries of %" PRIu64 " bytes at 0x%" PRIx64 ", %" PRIu64
		            " of them are in the stream",
		            count, stride, stream->off + first, there);
		dt_dump_missing(m->dump, dt_arena_printf(m->dump->arena,
		                                         "%s: %" PRIu64 " of %" PRIu64 " entries are there",
		                                         stream->name, there, count));
	}
	if (there > cap) {
		dt_dump_cut(m->dump, stream->name, "%" PRIu64 " entries, the first %zu are read", count, cap);
		return cap;
	}
	return (size_t)there;
}

size_t mdmp_list(struct mdmp *m, const struct mdmp_stream *stream, uint32_t stride, size_t cap, uint64_t *first)
{
	uint32_t count;

	if (!dt_bytes_u32(stream->bytes, 0, &count))
		return 0;
	*first = stream->size == 8 + (uint64_t)count * stride ? 8 : 4;
	return fit(m, stream, count, stride, *first, cap);
}

size_t mdmp_table(struct mdmp *m, const struct mdmp_stream *stream, uint32_t min_stride, bool wide, size_t cap,
                  uint64_t *first, uint32_t *stride)
{
	uint32_t header;
	uint64_t count;

	if (!dt_bytes_has(stream->bytes, 0, wide ? 16 : 12))
		return 0;
	header = dt_bytes_u32_or(stream->bytes, 0, 0);
	*stride = dt_bytes_u32_or(stream->bytes, 4, 0);
	count = wide ? dt_bytes_u64_or(stream->bytes, 8, 0) : dt_bytes_u32_or(stream->bytes, 8, 0);
	if (*stride < min_stride || header < (wide ? 16 : 12)) {
		dt_dump_cut(m->dump, stream->name,
		            "SizeOfHeader %" PRIu32 " and SizeOfEntry %" PRIu32 " at 0x%" PRIx32
		            ", expected at least %d and %" PRIu32,
		            header, *stride, stream->off, wide ? 16 : 12, min_stride);
		return 0;
	}
	*first = header;
	return fit(m, stream, count, *stride, header, cap);
}

static int row_of(uint32_t number)
{
	for (int i = 0; i < MDMP_STREAM_COUNT; i++)
		if (rows[i].number == number)
			return i;
	return -1;
}

static void take_entry(struct mdmp *m, uint64_t off)
{
	uint32_t number = dt_bytes_u32_or(m->file, off, 0);
	uint32_t size = dt_bytes_u32_or(m->file, off + 4, 0), rva = dt_bytes_u32_or(m->file, off + 8, 0);
	int row = number ? row_of(number) : -1; /* 0 fills unused places of the directory */

	if (row < 0)
		return;
	struct mdmp_stream *stream = &m->stream[row];
	if (stream->seen) {
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, rows[row].name,
		            "a second stream of this type at 0x%" PRIx32 "; the first, at 0x%" PRIx32 ", is read",
		            rva, stream->off);
		return;
	}
	*stream = (struct mdmp_stream){ .name = rows[row].name, .size = size, .off = rva, .seen = true };
	stream->bytes = dt_dump_part(m->dump, rows[row].name, rva, size);
}

static enum dt_status read_directory(struct mdmp *m, struct dt_error *err)
{
	uint32_t count = dt_bytes_u32_or(m->file, H_STREAMS, 0), off = dt_bytes_u32_or(m->file, H_DIRECTORY, 0);
	if (count && off < H_SIZE)
		return dt_fail_at(err, DT_ERR_FORMAT, H_DIRECTORY,
		                  "minidump header: the directory at 0x%" PRIx32 " lies in the header", off);
	size_t there = dt_dump_entries(m->dump, "stream directory", off, count, ENTRY_SIZE, DT_MAX_STREAMS);

	if (there == 0)
		return dt_fail_at(err, count ? DT_ERR_TRUNCATED : DT_ERR_FORMAT, H_STREAMS,
		                  "minidump header: %" PRIu32 " streams, their directory at 0x%" PRIx32
		                  ", the file ends at 0x%zx",
		                  count, off, m->file.len);
	for (size_t i = 0; i < there; i++)
		take_entry(m, off + (uint64_t)i * ENTRY_SIZE);
	return DT_OK;
}

static void read_streams(struct mdmp *m, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (!m->stream[i].seen)
			continue;
		if (!rows[i].read)
			dt_note_add(m->dump->notes, DT_NOTE_INFO, rows[i].name,
			            "the stream is there (0x%" PRIx32 " bytes at 0x%" PRIx32 ") and is not read",
			            m->stream[i].size, m->stream[i].off);
		else if (m->stream[i].bytes.len)
			rows[i].read(m, &m->stream[i]);
	}
}

static void seal(struct mdmp *m)
{
	struct dt_error err;

	if (dt_memory_seal(&m->dump->memory, m->dump->notes, &err) != DT_OK)
		dt_dump_cut(m->dump, "memory", "%s", err.text);
}

/* What is wanted at least: otherwise the file says nothing about a crash. */
static enum dt_status check_worth(const struct mdmp *m, struct dt_error *err)
{
	const struct dt_dump *dump = m->dump;

	if (m->has_system || dump->module_count || dump->exception.present)
		return DT_OK;
	return dt_fail_at(err, dump->complete == DT_FALSE ? DT_ERR_TRUNCATED : DT_ERR_FORMAT, H_STREAMS,
	                  "minidump: no system info, module list or exception stream can be read");
}

static void read_header(struct mdmp *m)
{
	struct dt_dump *dump = m->dump;
	uint32_t version = dt_bytes_u32_or(m->file, H_VERSION, 0), stamp = dt_bytes_u32_or(m->file, H_TIME, 0);

	if ((version & 0xffff) != VERSION)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "version 0x%" PRIx32 " at 0x%x, expected 0x%x in its low half", version & 0xffff,
		            H_VERSION, VERSION);
	dump->time = stamp ? dt_time_from_unix(stamp) : 0;
	dump->complete = DT_TRUE;
}

bool dt_mdmp_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "MDMP", 4);
}

enum dt_status dt_mdmp_open(struct dt_dump *dump, struct dt_error *err)
{
	struct mdmp m = { .dump = dump, .file = dump->file };

	dump->format = DT_FORMAT_USER;
	dump->kind = DT_KIND_MINIDUMP;
	if (m.file.len < H_SIZE)
		return dt_fail_at(err, DT_ERR_TRUNCATED, m.file.len,
		                  "minidump header: 0x%x bytes expected, the file ends at 0x%zx", H_SIZE,
		                  m.file.len);
	read_header(&m);
	enum dt_status status = read_directory(&m, err);
	if (status != DT_OK)
		return status;
	read_streams(&m, 0, MDMP_exception);
	seal(&m);
	read_streams(&m, MDMP_exception, MDMP_STREAM_COUNT);
	mdmp_choose_thread(&m);
	mdmp_extended_registers(&m);
	return check_worth(&m, err);
}

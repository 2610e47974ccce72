/*
 * mdmp_extras.c - what programs and crash reporters wrote into a dump for its
 * readers: comments, assertions, Crashpad's annotations.
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/dump/mdmp.h"

enum { MAX_DICTIONARY = 1024 };

/* Asked before each that is still to come. */
static bool is_full(struct mdmp *m)
{
	if (m->dump->annotation_count < DT_MAX_TEXTS)
		return false;
	dt_note_add(m->dump->notes, DT_NOTE_WARNING, "annotations", "more than %d; the rest is not read", DT_MAX_TEXTS);
	return true;
}

static void add(struct mdmp *m, const char *source, const char *key, const char *value)
{
	struct dt_dump *dump = m->dump;

	if (!value || !value[0] || is_full(m))
		return;
	if (!dump->annotations)
		dump->annotations = DT_ARENA_ARRAY(dump->arena, DT_MAX_TEXTS, struct dt_annotation);
	if (dump->annotations)
		dump->annotations[dump->annotation_count++] =
			(struct dt_annotation){ .source = source, .key = key, .value = value };
}

/* Cut so that no character of UTF-8 is cut in two. */
static struct dt_bytes cut_utf8(struct dt_bytes bytes)
{
	size_t len = bytes.len < DT_MAX_DUMP_VALUE ? bytes.len : DT_MAX_DUMP_VALUE;

	for (int i = 0; i < 3 && len < bytes.len && len && (bytes.data[len] & 0xc0) == 0x80; i++)
		len--;
	return dt_bytes_clip(bytes, 0, len);
}

void mdmp_annotate(struct mdmp *m, const char *source, const char *key, struct dt_bytes utf8)
{
	if (utf8.len && !is_full(m))
		add(m, source, key, dt_dump_text8(m->dump, cut_utf8(utf8)));
}

void mdmp_annotate16(struct mdmp *m, const char *source, const char *key, struct dt_bytes utf16)
{
	struct dt_bytes bytes = dt_bytes_clip(utf16, 0, DT_MAX_DUMP_VALUE);

	if (bytes.len && !is_full(m))
		add(m, source, key, dt_text_from_utf16(m->dump->arena, bytes));
}

void mdmp_comment_a(struct mdmp *m, const struct mdmp_stream *stream)
{
	mdmp_annotate(m, "comment", NULL, stream->bytes);
}

void mdmp_comment_w(struct mdmp *m, const struct mdmp_stream *stream)
{
	mdmp_annotate16(m, "comment", NULL, stream->bytes);
}

/* MDRawAssertionInfo: three texts of 128 characters, a line, a type. */
void mdmp_assertion(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint32_t line = dt_bytes_u32_or(stream->bytes, 0x300, 0);

	m->dump->writer = DT_WRITER_TOOL;
	mdmp_annotate16(m, "assertion", "expression", dt_bytes_clip(stream->bytes, 0, 0x100));
	mdmp_annotate16(m, "assertion", "function", dt_bytes_clip(stream->bytes, 0x100, 0x100));
	mdmp_annotate16(m, "assertion", "file", dt_bytes_clip(stream->bytes, 0x200, 0x100));
	if (line)
		add(m, "assertion", "line", dt_arena_printf(m->dump->arena, "%" PRIu32, line));
}

/* The text of /proc/self/status: "Pid:", a tab, the number. Nothing else of it is read. */
void mdmp_linux_status(struct mdmp *m, const struct mdmp_stream *stream)
{
	static const char key[] = "\nPid:\t";
	struct dt_bytes text = stream->bytes;
	uint64_t pid = 0;

	for (size_t off = 0; dt_bytes_has(text, off, sizeof(key)); off++) {
		if (!dt_bytes_match(text, off, key, sizeof(key) - 1))
			continue;
		for (off += sizeof(key) - 1; off < text.len && text.data[off] >= '0' && text.data[off] <= '9' && pid < UINT32_MAX; off++)
			pid = pid * 10 + (uint64_t)(text.data[off] - '0');
		if (pid && pid <= UINT32_MAX && !m->dump->process_id.known)
			m->dump->process_id = dt_some(pid);
		return;
	}
}

/* ---- Crashpad ------------------------------------------------------------ */

/* Crashpad's strings and byte arrays: a length, then the bytes. */
static struct dt_bytes counted(const struct mdmp *m, uint32_t rva)
{
	struct dt_bytes out = { NULL, 0 };
	uint32_t len;

	if (rva && dt_bytes_u32(m->file, rva, &len))
		(void)dt_bytes_sub(m->file, (uint64_t)rva + 4, len, &out);
	return out;
}

static size_t entries(struct dt_bytes bytes, size_t stride)
{
	uint32_t count = dt_bytes_u32_or(bytes, 0, 0);
	size_t room = bytes.len > 4 ? (bytes.len - 4) / stride : 0;
	size_t there = count < room ? count : room;

	return there < MAX_DICTIONARY ? there : MAX_DICTIONARY;
}

/* {count, {key, value}...}, both offsets of strings. */
static void read_dictionary(struct mdmp *m, struct dt_bytes bytes)
{
	for (size_t i = 0, n = entries(bytes, 8); i < n && !is_full(m); i++) {
		struct dt_bytes value = counted(m, dt_bytes_u32_or(bytes, 8 + 8 * i, 0));

		if (value.len)
			mdmp_annotate(m, "crashpad",
			              dt_dump_text8(m->dump,
			                            cut_utf8(counted(m, dt_bytes_u32_or(bytes, 4 + 8 * i, 0)))),
			              value);
	}
}

/* {count, offsets of strings...}. */
static void read_strings(struct mdmp *m, struct dt_bytes bytes)
{
	for (size_t i = 0, n = entries(bytes, 4); i < n && !is_full(m); i++)
		mdmp_annotate(m, "crashpad", NULL, counted(m, dt_bytes_u32_or(bytes, 4 + 4 * i, 0)));
}

/* {count, {name, u16 type, u16, value}...}; type 1 is text. */
static void read_objects(struct mdmp *m, struct dt_bytes bytes)
{
	for (size_t i = 0, n = entries(bytes, 12); i < n && !is_full(m); i++) {
		uint64_t at = 4 + 12 * i;
		struct dt_bytes value = counted(m, dt_bytes_u32_or(bytes, at + 8, 0));

		if (dt_bytes_u16_or(bytes, at + 4, 0) == 1 && value.len)
			mdmp_annotate(m, "crashpad",
			              dt_dump_text8(m->dump, cut_utf8(counted(m, dt_bytes_u32_or(bytes, at, 0)))),
			              value);
	}
}

void mdmp_crashpad_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_bytes modules = mdmp_location(m, stream->bytes, 0x2c);

	m->dump->writer = DT_WRITER_TOOL;
	read_dictionary(m, mdmp_location(m, stream->bytes, 0x24));
	for (size_t i = 0, n = entries(modules, 12); i < n && !is_full(m); i++) {
		struct dt_bytes module = mdmp_location(m, modules, 4 + 12 * i + 4);

		read_strings(m, mdmp_location(m, module, 4));
		read_dictionary(m, mdmp_location(m, module, 12));
		read_objects(m, mdmp_location(m, module, 20));
	}
}

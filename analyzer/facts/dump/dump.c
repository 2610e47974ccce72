/*
 * dump.c - what is asked of a dump after it was opened, and what its readers share.
 */
#include "facts/dump/dump.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "facts/dump/inflate.h"
#include "facts/dump/reader.h"
#include "facts/memory/sort.h"

static uint64_t last_of(const struct dt_module *module)
{
	uint64_t left = UINT64_MAX - module->base.value;
	uint64_t size = module->size.value - 1;

	return module->base.value + (size < left ? size : left);
}

static bool holds(const struct dt_module *module, uint64_t va)
{
	return module->base.known && module->size.known && module->size.value && va >= module->base.value &&
	       va <= last_of(module);
}

void dt_dump_index_modules(struct dt_dump *dump)
{
	struct dt_sort_key *keys = DT_ARENA_ARRAY(dump->arena, 2 * dump->module_count, struct dt_sort_key);
	struct dt_module_index *index = DT_ARENA_ARRAY(dump->arena, dump->module_count, struct dt_module_index);
	size_t count = 0;
	uint64_t reach = 0;

	if (!keys || !index)
		return;
	for (size_t i = 0; i < dump->module_count; i++) {
		const struct dt_module *module = &dump->modules[i];

		if (module->base.known && holds(module, module->base.value))
			keys[count++] = (struct dt_sort_key){ module->base.value, (uint32_t)i };
	}
	dt_sort_keys(keys, count, keys + dump->module_count);
	for (size_t i = 0; i < count; i++) {
		uint64_t last = last_of(&dump->modules[keys[i].index]);

		reach = last > reach ? last : reach;
		index[i] = (struct dt_module_index){ keys[i].key, reach, keys[i].index };
	}
	dump->index = index;
	dump->index_count = count;
}

static const struct dt_module *innermost(const struct dt_module *best, const struct dt_module *module,
                                         uint64_t va)
{
	if (!holds(module, va) || (best && best->size.value <= module->size.value))
		return best;
	return module;
}

static const struct dt_module *search(const struct dt_dump *dump, uint64_t va)
{
	const struct dt_module *best = NULL;

	for (size_t i = 0; i < dump->module_count; i++)
		best = innermost(best, &dump->modules[i], va);
	return best;
}

const struct dt_module *dt_dump_module_at(const struct dt_dump *dump, uint64_t va)
{
	const struct dt_module_index *index = dump->index;
	const struct dt_module *best = NULL;
	size_t low = 0, high = dump->index_count;

	if (!index)
		return search(dump, va);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index[middle].base <= va)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low && index[low - 1].reach >= va; low--)
		best = innermost(best, &dump->modules[index[low - 1].module], va);
	return best;
}

const struct dt_unloaded *dt_dump_unloaded_at(const struct dt_dump *dump, uint64_t va)
{
	for (size_t i = 0; i < dump->unloaded_count; i++) {
		const struct dt_unloaded *unloaded = &dump->unloaded[i];

		if (unloaded->start.known && unloaded->end.known && va >= unloaded->start.value &&
		    va < unloaded->end.value)
			return unloaded;
	}
	return NULL;
}

/* EXCEPTION_RECORD, by the width of its pointers. */
struct record_layout {
	uint8_t nested, address, count, information, width;
};
static const struct record_layout record64 = { 0x08, 0x10, 0x18, 0x20, 8 };
static const struct record_layout record32 = { 0x08, 0x0c, 0x10, 0x14, 4 };

bool dt_dump_exception_at(const struct dt_dump *dump, uint64_t va, struct dt_exception_record *out)
{
	const struct record_layout *layout = dump->machine == DT_MACHINE_X86 ? &record32 : &record64;
	uint8_t raw[0x98];
	struct dt_bytes bytes = { raw, dt_memory_read(&dump->memory, va, raw, sizeof(raw)) };
	struct dt_exception_record record = { .present = true };
	uint32_t count;

	if (!dt_bytes_u32(bytes, layout->count, &count))
		return false;
	record.parameter_count = count < 15 ? count : 15;
	if (!dt_bytes_has(bytes, layout->information, (uint64_t)record.parameter_count * layout->width))
		return false;
	record.code = dt_bytes_u32_or(bytes, 0, 0);
	record.flags = dt_bytes_u32_or(bytes, 4, 0);
	record.nested = dt_bytes_word_or_zero(bytes, layout->nested, layout->width);
	record.address = dt_bytes_word_or_zero(bytes, layout->address, layout->width);
	for (uint32_t i = 0; i < record.parameter_count; i++)
		record.parameter[i] = dt_bytes_word_or_zero(bytes, layout->information + i * layout->width, layout->width);
	*out = record;
	return true;
}

void dt_dump_missing(struct dt_dump *dump, const char *text)
{
	if (!text)
		return;
	for (size_t i = 0; i < dump->missing_count; i++)
		if (strcmp(dump->missing[i], text) == 0)
			return;
	if (dump->missing_count < DT_MAX_TEXTS)
		dump->missing[dump->missing_count++] = text;
	else
		dt_note_add(dump->notes, DT_NOTE_WARNING, "missing parts", "more than %d; the rest is not listed", DT_MAX_TEXTS);
}

bool dt_dump_is_windows(const struct dt_dump *dump)
{
	return dump->format != DT_FORMAT_USER ||
	       dump->platform_id <= 3; /* Win32s, 9x, NT, CE; the others begin at 0x8000 */
}

struct dt_opt dt_field32(struct dt_bytes file, uint64_t off)
{
	uint32_t value = dt_bytes_u32_or(file, off, DT_FILL32);

	return (struct dt_opt){ value == DT_FILL32 ? 0 : value, value != DT_FILL32 };
}

struct dt_opt dt_field64(struct dt_bytes file, uint64_t off)
{
	uint64_t value = dt_bytes_u64_or(file, off, DT_FILL64);

	return (struct dt_opt){ value == DT_FILL64 ? 0 : value, value != DT_FILL64 };
}

static bool takes_text(struct dt_dump *dump, uint64_t len)
{
	if (len == 0 || len > DT_MAX_DUMP_NAME || dump->text_bytes + len > DT_MAX_DUMP_TEXT)
		return false;
	dump->text_bytes += (uint32_t)len;
	return true;
}

static const char *unless_empty(const char *text)
{
	return text && text[0] ? text : NULL;
}

/* Names of drivers are printable ASCII nearly always: their conversion is half the time of opening a dump. Gives
 * their length, or SIZE_MAX where the text needs the full conversion. */
static size_t plain_ascii(struct dt_bytes utf16, char out[DT_MAX_DUMP_NAME / 2])
{
	size_t len = 0;

	for (; len < utf16.len / 2; len++) {
		unsigned c = utf16.data[2 * len] | (unsigned)utf16.data[2 * len + 1] << 8;

		if (c == 0)
			break;
		if (c - 0x20 > 0x7e - 0x20)
			return SIZE_MAX;
		out[len] = (char)c;
	}
	return len;
}

const char *dt_dump_wide_text(struct dt_dump *dump, struct dt_bytes utf16)
{
	char plain[DT_MAX_DUMP_NAME / 2];

	if (!takes_text(dump, utf16.len))
		return NULL;
	size_t count = plain_ascii(utf16, plain);
	if (count != SIZE_MAX)
		return count ? dt_arena_strndup(dump->arena, plain, count) : NULL;
	return unless_empty(dt_text_from_utf16(dump->arena, utf16));
}

const char *dt_dump_text16(struct dt_dump *dump, uint64_t off, uint64_t len)
{
	struct dt_bytes bytes;

	return dt_bytes_sub(dump->file, off, len, &bytes) ? dt_dump_wide_text(dump, bytes) : NULL;
}

const char *dt_dump_text8(struct dt_dump *dump, struct dt_bytes bytes)
{
	if (!takes_text(dump, bytes.len))
		return NULL;
	return unless_empty(dt_text_from_utf8(dump->arena, bytes));
}

const char *dt_dump_build_lab(struct dt_dump *dump)
{
	uint8_t raw[128];
	size_t len = dt_memory_read(&dump->memory, dump->kdbg.nt_build_lab, raw, sizeof(raw));

	if (!dump->kdbg.nt_build_lab || len == 0 || raw[0] < '0' || raw[0] > '9')
		return NULL;
	return dt_dump_text8(dump, (struct dt_bytes){ raw, len });
}

void dt_dump_prepare(void)
{
	(void)dt_addrxlat_is_there();
	for (int method = 0; method < DT_INFLATE_COUNT; method++)
		(void)dt_inflate_is_there((enum dt_inflate)method);
}

void dt_dump_close(struct dt_dump *dump)
{
	dt_space_close(dump->memory.space);
	dump->memory.space = NULL;
}

void dt_dump_cut(struct dt_dump *dump, const char *part, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dt_note_add(dump->notes, DT_NOTE_WARNING, part, "%s", text);
	dump->complete = DT_FALSE;
}

struct dt_bytes dt_dump_part(struct dt_dump *dump, const char *part, uint64_t off, uint64_t len)
{
	struct dt_bytes none = { NULL, 0 };

	if (off == 0 || off == DT_FILL32 || len == 0)
		return none;
	struct dt_bytes bytes = dt_bytes_clip(dump->file, off, len);
	if (bytes.len < len) {
		dt_dump_cut(dump, part,
		            "0x%" PRIx64 " bytes at 0x%" PRIx64 " would end at 0x%" PRIx64
		            ", the file ends at 0x%zx",
		            len, off, off + len, dump->file.len);
		dt_dump_missing(dump, bytes.len ? dt_arena_printf(dump->arena,
		                                                  "%s: 0x%zx of 0x%" PRIx64 " bytes are there",
		                                                  part, bytes.len, len)
		                                : part);
	}
	return bytes;
}

size_t dt_dump_entries(struct dt_dump *dump, const char *part, uint64_t off, uint64_t count, uint64_t stride,
                       size_t cap)
{
	if (off == 0 || off == DT_FILL32 || count == 0)
		return 0;
	uint64_t room = dt_bytes_clip(dump->file, off, UINT64_MAX).len / stride;
	uint64_t there = count < room ? count : room;
	if (count > room) {
		uint64_t end;
		bool wraps =
			__builtin_mul_overflow(count, stride, &end) || __builtin_add_overflow(end, off, &end);

		if (wraps)
			dt_dump_cut(dump, part, "%" PRIu64 " entries at 0x%" PRIx64 " would end beyond any file",
			            count, off);
		else
			dt_dump_cut(dump, part,
			            "%" PRIu64 " entries at 0x%" PRIx64 " would end at 0x%" PRIx64
			            ", the file ends at 0x%zx",
			            count, off, end, dump->file.len);
		dt_dump_missing(dump,
		                dt_arena_printf(dump->arena, "%s: %" PRIu64 " of %" PRIu64 " entries are there",
		                                part, there, count));
	}
	if (there > cap) {
		dt_dump_cut(dump, part, "%" PRIu64 " entries at 0x%" PRIx64 ", the first %zu are read", count,
		            off, cap);
		return cap;
	}
	return (size_t)there;
}

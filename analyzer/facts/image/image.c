#include "facts/image/image.h"

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"

enum {
	DOS_PE = 0x3c,
	MAX_PE = 0xf00, /* headers lie in the first page */
	PE_MACHINE = 0x04,
	PE_SECTIONS = 0x06,
	PE_TIMESTAMP = 0x08,
	PE_OPTIONAL_SIZE = 0x14,
	PE_OPTIONAL = 0x18,
	OPTIONAL_SIZE_OF_IMAGE = 0x38,
	OPTIONAL_CHECKSUM = 0x40,
	MAGIC_32 = 0x10b,
	MAGIC_64 = 0x20b,
	MAX_NAME = 260,
};

bool dt_image_read(const struct dt_image *image, uint32_t rva, void *out, size_t len)
{
	if (rva >= image->size || len > image->size - rva)
		return false;
	return dt_memory_read_all(image->memory, image->base + rva, out, len);
}

static void read_directories(struct dt_image *out, struct dt_bytes optional, bool wide)
{
	uint32_t at = wide ? 0x70 : 0x60, count = dt_bytes_u32_or(optional, at - 4u, 0);

	for (uint32_t i = 0; i < count && i < DT_IMAGE_DIRECTORIES && dt_bytes_has(optional, at + 8 * i, 8); i++) {
		out->directories[i] = (struct dt_image_directory){ dt_bytes_u32_or(optional, at + 8 * i, 0),
			                                           dt_bytes_u32_or(optional, at + 8 * i + 4, 0) };
		out->directory_count = i + 1;
	}
}

bool dt_image_open(struct dt_image *out, const struct dt_memory *memory, uint64_t base)
{
	uint8_t raw[DT_PAGE_SIZE];
	struct dt_bytes page = { raw, dt_memory_read(memory, base, raw, sizeof(raw)) }, pe, optional;
	uint32_t off = dt_bytes_u32_or(page, DOS_PE, 0);

	if (!dt_bytes_match(page, 0, "MZ", 2) || off > MAX_PE || !dt_bytes_match(page, off, "PE\0\0", 4))
		return false;
	pe = dt_bytes_clip(page, off, page.len);
	optional = dt_bytes_clip(pe, PE_OPTIONAL, dt_bytes_u16_or(pe, PE_OPTIONAL_SIZE, 0));
	uint16_t magic = dt_bytes_u16_or(optional, 0, 0);
	if ((magic != MAGIC_32 && magic != MAGIC_64) || optional.len < OPTIONAL_CHECKSUM + 4)
		return false;
	*out = (struct dt_image){ .memory = memory, .base = base };
	out->machine = dt_bytes_u16_or(pe, PE_MACHINE, 0);
	out->timestamp = dt_bytes_u32_or(pe, PE_TIMESTAMP, 0);
	out->section_count = dt_bytes_u16_or(pe, PE_SECTIONS, 0);
	out->sections_off = off + PE_OPTIONAL + dt_bytes_u16_or(pe, PE_OPTIONAL_SIZE, 0);
	out->size = dt_bytes_u32_or(optional, OPTIONAL_SIZE_OF_IMAGE, 0);
	out->checksum = dt_bytes_u32_or(optional, OPTIONAL_CHECKSUM, 0);
	read_directories(out, optional, magic == MAGIC_64);
	return out->size != 0;
}

bool dt_image_section(const struct dt_image *image, unsigned index, struct dt_image_section *out)
{
	enum { HEADER = 40, VIRTUAL_SIZE = 8, RVA = 12, FILE_SIZE = 16, FILE_OFF = 20, FLAGS = 36, MOST = 96 };
	const uint32_t discardable = 0x02000000, executable = 0x20000000, writable = 0x80000000; /* IMAGE_SCN_MEM_ */
	uint8_t raw[HEADER];
	struct dt_bytes header = { raw, sizeof(raw) };

	if (index >= image->section_count || index >= MOST || !dt_image_read(image, image->sections_off + index * HEADER, raw, sizeof(raw)))
		return false;
	uint32_t flags = dt_bytes_u32_or(header, FLAGS, 0);
	*out = (struct dt_image_section){ .rva = dt_bytes_u32_or(header, RVA, 0), .size = dt_bytes_u32_or(header, VIRTUAL_SIZE, 0),
		                          .file_size = dt_bytes_u32_or(header, FILE_SIZE, 0), .file_off = dt_bytes_u32_or(header, FILE_OFF, 0),
		                          .writable = flags & writable,
		                          .constant_code = (flags & (discardable | executable | writable)) == executable };
	return out->rva < image->size;
}

/* ---- exports ------------------------------------------------------------------ */

struct exports {
	uint32_t name, count, name_count, functions, names, ordinals;
};

static bool read_exports(const struct dt_image *image, struct exports *out)
{
	uint8_t raw[0x28];
	struct dt_bytes bytes = { raw, sizeof(raw) };

	if (image->directory_count <= DT_IMAGE_EXPORTS || !image->directories[DT_IMAGE_EXPORTS].rva ||
	    !dt_image_read(image, image->directories[DT_IMAGE_EXPORTS].rva, raw, sizeof(raw)))
		return false;
	*out = (struct exports){
		.name = dt_bytes_u32_or(bytes, 0x0c, 0),
		.count = dt_bytes_u32_or(bytes, 0x14, 0),
		.name_count = dt_bytes_u32_or(bytes, 0x18, 0),
		.functions = dt_bytes_u32_or(bytes, 0x1c, 0),
		.names = dt_bytes_u32_or(bytes, 0x20, 0),
		.ordinals = dt_bytes_u32_or(bytes, 0x24, 0),
	};
	/* Ordinals have 16 bits. */
	if (out->count > 0x10000)
		out->count = 0x10000;
	if (out->name_count > out->count)
		out->name_count = out->count;
	return true;
}

/* A NUL-terminated name; false when its end is not there. */
static bool read_name(const struct dt_image *image, uint32_t rva, char out[MAX_NAME])
{
	size_t len = rva < image->size ? dt_memory_read(image->memory, image->base + rva, out, MAX_NAME) : 0;

	return len && memchr(out, 0, len);
}

const char *dt_image_export_name(const struct dt_image *image, struct dt_arena *arena)
{
	struct exports exports;
	char name[MAX_NAME];

	if (!read_exports(image, &exports) || !read_name(image, exports.name, name) || !name[0])
		return NULL;
	return dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)name, strlen(name) });
}

static bool u32_at(const struct dt_image *image, uint32_t table, uint32_t index, uint32_t *out)
{
	uint8_t raw[4];

	return index <= (UINT32_MAX - table) / 4 && dt_image_read(image, table + 4 * index, raw, sizeof(raw)) &&
	       dt_bytes_u32((struct dt_bytes){ raw, sizeof(raw) }, 0, out);
}

static bool u16_at(const struct dt_image *image, uint32_t table, uint32_t index, uint16_t *out)
{
	uint8_t raw[2];

	return index <= (UINT32_MAX - table) / 2 && dt_image_read(image, table + 2 * index, raw, sizeof(raw)) &&
	       dt_bytes_u16((struct dt_bytes){ raw, sizeof(raw) }, 0, out);
}

/* Names are sorted by their bytes. */
static bool find_name(const struct dt_image *image, const struct exports *exports, const char *wanted, uint32_t *index)
{
	uint32_t low = 0, high = exports->name_count;
	char name[MAX_NAME];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, rva;

		if (!u32_at(image, exports->names, middle, &rva) || !read_name(image, rva, name))
			return false;
		int order = strcmp(name, wanted);
		if (order == 0) {
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool dt_image_export(const struct dt_image *image, const char *name, uint64_t *va)
{
	struct exports exports;
	uint32_t index, rva;
	uint16_t ordinal;

	if (!read_exports(image, &exports) || !find_name(image, &exports, name, &index) ||
	    !u16_at(image, exports.ordinals, index, &ordinal) || ordinal >= exports.count ||
	    !u32_at(image, exports.functions, ordinal, &rva) || rva == 0 || rva >= image->size)
		return false;
	*va = image->base + rva;
	return true;
}

/* Which name has an ordinal: names are sorted by text, so all are looked at. */
static bool name_of_ordinal(const struct dt_image *image, const struct exports *exports, uint32_t wanted, char name[MAX_NAME])
{
	uint16_t ordinal;
	uint32_t rva;

	for (uint32_t i = 0; i < exports->name_count && u16_at(image, exports->ordinals, i, &ordinal); i++)
		if (ordinal == wanted && u32_at(image, exports->names, i, &rva) && read_name(image, rva, name))
			return true;
	return false;
}

const char *dt_image_export_at(const struct dt_image *image, uint32_t rva, struct dt_arena *arena)
{
	const struct dt_image_directory *directory = &image->directories[DT_IMAGE_EXPORTS];
	struct exports exports;
	char name[MAX_NAME];
	uint32_t function;

	if (!read_exports(image, &exports) || rva - directory->rva < directory->size)
		return NULL;
	for (uint32_t i = 0; i < exports.count && u32_at(image, exports.functions, i, &function); i++)
		if (function == rva && name_of_ordinal(image, &exports, i, name))
			return dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)name, strlen(name) });
	return NULL;
}

/* ---- debug identity -------------------------------------------------------------- */

enum { DEBUG_ENTRY = 0x1c, DEBUG_TYPE = 0x0c, DEBUG_SIZE = 0x10, DEBUG_RVA = 0x14, CODEVIEW = 2, RSDS_NAME = 24, MOST_DEBUG_ENTRIES = 32 };

/* Where the RSDS record stands, and its length. */
static bool find_codeview(const struct dt_image *image, uint32_t *rva, uint32_t *len)
{
	const struct dt_image_directory *directory = &image->directories[DT_IMAGE_DEBUG];
	uint8_t raw[DEBUG_ENTRY], magic[4];
	struct dt_bytes entry = { raw, sizeof(raw) };

	if (image->directory_count <= DT_IMAGE_DEBUG || !directory->rva)
		return false;
	for (uint32_t i = 0; i < directory->size / DEBUG_ENTRY && i < MOST_DEBUG_ENTRIES; i++) {
		if (directory->rva > UINT32_MAX - i * DEBUG_ENTRY || !dt_image_read(image, directory->rva + i * DEBUG_ENTRY, raw, sizeof(raw)))
			continue;
		*rva = dt_bytes_u32_or(entry, DEBUG_RVA, 0);
		*len = dt_bytes_u32_or(entry, DEBUG_SIZE, 0);
		if (dt_bytes_u32_or(entry, DEBUG_TYPE, 0) == CODEVIEW && *len >= RSDS_NAME && dt_image_read(image, *rva, magic, 4) &&
		    !memcmp(magic, "RSDS", 4))
			return true;
	}
	return false;
}

const char *dt_image_debug_id(const struct dt_image *image, struct dt_arena *arena)
{
	uint8_t raw[RSDS_NAME];
	struct dt_bytes b = { raw, sizeof(raw) };
	uint32_t rva, len;
	char text[48];
	size_t at;

	if (!find_codeview(image, &rva, &len) || !dt_image_read(image, rva, raw, sizeof(raw)))
		return NULL;
	at = (size_t)snprintf(text, sizeof(text), "%08X%04X%04X", dt_bytes_u32_or(b, 4, 0), dt_bytes_u16_or(b, 8, 0),
	                      dt_bytes_u16_or(b, 10, 0));
	for (size_t i = 12; i < 20; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%02X", raw[i]);
	snprintf(text + at, sizeof(text) - at, "%x", dt_bytes_u32_or(b, 20, 0));
	return dt_arena_strdup(arena, text);
}

const char *dt_image_pdb_name(const struct dt_image *image, struct dt_arena *arena)
{
	uint32_t rva, len;
	char name[MAX_NAME];

	if (!find_codeview(image, &rva, &len) || rva > UINT32_MAX - RSDS_NAME || !read_name(image, rva + RSDS_NAME, name) || !name[0])
		return NULL;
	return dt_text_basename(dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)name, strlen(name) }));
}

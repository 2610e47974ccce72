/*
 * version.c - the version resource: type 16, its first name, its first language; VS_VERSIONINFO and its strings.
 *
 * Drivers' resources are often not in memory when a machine crashes. Each level of the tree is capped; lengths of the
 * blocks that nest in each other are held inside their parent.
 */
#include "facts/image/image.h"

#include <string.h>

#include "core/base/text.h"

enum {
	RT_VERSION = 16,
	DIRECTORY_HEAD = 16,
	DIRECTORY_ENTRY = 8,
	MOST_ENTRIES = 256,
	MOST_RESOURCE = 8192, /* bytes of a version resource */
	MOST_BLOCKS = 64,     /* strings of a table, tables of a resource */
	FIXED = 0x28,         /* VS_FIXEDFILEINFO in VS_VERSIONINFO */
	FIXED_SIZE = 52,
};
#define IS_DIRECTORY 0x80000000u

/* The entry of a directory with an id, or its first one; its target as it stands there. */
static bool directory_entry(const struct dt_image *image, uint32_t root, uint32_t off, bool any, uint32_t id, uint32_t *target)
{
	uint8_t head[DIRECTORY_HEAD], raw[DIRECTORY_ENTRY];
	struct dt_bytes entry = { raw, sizeof(raw) };

	if (off > UINT32_MAX - root - DIRECTORY_HEAD - MOST_ENTRIES * DIRECTORY_ENTRY || !dt_image_read(image, root + off, head, sizeof(head)))
		return false;
	struct dt_bytes h = { head, sizeof(head) };
	unsigned count = (unsigned)dt_bytes_u16_or(h, 12, 0) + dt_bytes_u16_or(h, 14, 0);
	for (uint32_t i = 0; i < count && i < MOST_ENTRIES; i++) {
		if (!dt_image_read(image, root + off + DIRECTORY_HEAD + i * DIRECTORY_ENTRY, raw, sizeof(raw)))
			return false;
		if (any || dt_bytes_u32_or(entry, 0, 0) == id) {
			*target = dt_bytes_u32_or(entry, 4, 0);
			return true;
		}
	}
	return false;
}

/* The bytes of the version resource. */
static size_t find_resource(const struct dt_image *image, uint8_t *out)
{
	uint32_t root = image->directories[DT_IMAGE_RESOURCES].rva, at = 0;
	uint8_t raw[16];
	struct dt_bytes data = { raw, sizeof(raw) };

	if (image->directory_count <= DT_IMAGE_RESOURCES || !root || root >= image->size)
		return 0;
	for (unsigned level = 0; level < 3; level++) {
		if (!directory_entry(image, root, at & ~IS_DIRECTORY, level > 0, RT_VERSION, &at) ||
		    !(at & IS_DIRECTORY) != (level == 2))
			return 0;
	}
	if (at > UINT32_MAX - root || !dt_image_read(image, root + at, raw, sizeof(raw)))
		return 0;
	uint32_t rva = dt_bytes_u32_or(data, 0, 0), size = dt_bytes_u32_or(data, 4, 0);
	if (rva >= image->size)
		return 0;
	return dt_memory_read(image->memory, image->base + rva, out, size < MOST_RESOURCE ? size : MOST_RESOURCE);
}

/* A block: length, length of its value, type, key in UTF-16, value, and blocks inside it, each aligned to 4. */
struct block {
	struct dt_bytes all;   /* with its head */
	struct dt_bytes key;   /* UTF-16 */
	uint32_t value, inner; /* offsets of its value and of the blocks in it */
	uint32_t value_len;    /* as it says */
};

static uint32_t align(uint32_t off)
{
	return (off + 3) & ~3u;
}

static bool read_block(struct dt_bytes in, uint32_t off, struct block *out)
{
	uint16_t len = dt_bytes_u16_or(in, off, 0);

	if (len < 6 || !dt_bytes_sub(in, off, len, &out->all))
		return false;
	uint32_t at = 6;
	while (dt_bytes_u16_or(out->all, at, 0))
		at += 2;
	out->key = dt_bytes_clip(out->all, 6, at - 6);
	out->value = align(at + 2);
	out->value_len = dt_bytes_u16_or(out->all, 2, 0);
	out->inner = align(out->value + out->value_len * (dt_bytes_u16_or(out->all, 4, 0) ? 2u : 1u));
	return true;
}

static bool key_is(const struct block *block, const char *name)
{
	size_t len = strlen(name);

	if (block->key.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (dt_bytes_u16_or(block->key, 2 * i, 0) != (uint8_t)name[i])
			return false;
	return true;
}

static void take_string(const struct block *string, struct dt_arena *arena, struct dt_image_version *out)
{
	const char **to = key_is(string, "CompanyName") ? &out->company : key_is(string, "ProductName") ? &out->product : NULL;
	struct dt_bytes value = dt_bytes_clip(string->all, string->value, 512);

	if (!to || *to || value.len < 2 || dt_bytes_u16_or(value, 0, 0) == 0)
		return;
	*to = dt_text_from_utf16(arena, value);
}

static void read_strings(struct dt_bytes table, uint32_t off, struct dt_arena *arena, struct dt_image_version *out)
{
	struct block string;

	for (unsigned i = 0; i < MOST_BLOCKS && read_block(table, off, &string); i++, off = align(off + (uint32_t)string.all.len))
		take_string(&string, arena, out);
}

/* StringFileInfo holds tables by language: the first one will do. */
static void read_tables(const struct block *info, struct dt_arena *arena, struct dt_image_version *out)
{
	struct block table;

	if (read_block(info->all, info->value, &table))
		read_strings(table.all, table.value, arena, out);
}

static const char *fixed_version(const struct block *root, struct dt_arena *arena)
{
	struct dt_bytes fixed;

	if (!dt_bytes_sub(root->all, FIXED, FIXED_SIZE, &fixed) || dt_bytes_u32_or(fixed, 0, 0) != 0xfeef04bd)
		return NULL;
	uint32_t high = dt_bytes_u32_or(fixed, 8, 0), low = dt_bytes_u32_or(fixed, 12, 0);
	return dt_arena_printf(arena, "%u.%u.%u.%u", high >> 16, high & 0xffff, low >> 16, low & 0xffff);
}

bool dt_image_version(const struct dt_image *image, struct dt_arena *arena, struct dt_image_version *out)
{
	uint8_t raw[MOST_RESOURCE];
	struct dt_bytes bytes = { raw, find_resource(image, raw) };
	struct block root, child;

	*out = (struct dt_image_version){ 0 };
	if (!read_block(bytes, 0, &root) || !key_is(&root, "VS_VERSION_INFO"))
		return false;
	out->file_version = fixed_version(&root, arena);
	uint32_t off = root.inner;
	for (unsigned i = 0; i < MOST_BLOCKS && read_block(root.all, off, &child); i++, off = align(off + (uint32_t)child.all.len))
		if (key_is(&child, "StringFileInfo"))
			read_tables(&child, arena, out);
	return out->file_version != NULL;
}

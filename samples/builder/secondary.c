/* Secondary data behind a triage dump: blobs with a tag, of which one is the SMBIOS table. */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

struct string_field {
	uint8_t off;
	const char *text;
};

/* An SMBIOS structure: its formatted part, then its strings, counted from 1, then an empty one. */
static void smbios_structure(struct image *image, uint8_t type, uint8_t len, const struct string_field *fields,
                             size_t count)
{
	size_t at = image->len, text = at + len;

	image_extend(image, text);
	image_u8(image, at, type);
	image_u8(image, at + 1, len);
	for (size_t i = 0; i < count; i++) {
		image_u8(image, at + fields[i].off, (uint8_t)(i + 1));
		image_put(image, text, fields[i].text, strlen(fields[i].text) + 1);
		text = image->len;
	}
	image_extend(image, text + (count ? 1 : 2));
}

static const char *value_or(const struct line *line, const char *key, const char *fallback)
{
	const char *value = recipe_value(line, key);

	return value ? value : fallback;
}

static size_t begin_blob(struct image *image, const uint8_t tag[16])
{
	size_t off = image->len;

	image_u32(image, off, 0x20);
	image_put(image, off + 4, tag, 16);
	image_extend(image, off + 0x20);
	return off;
}

static void end_blob(struct image *image, size_t off)
{
	image_u32(image, off + 0x14, (uint32_t)(image->len - off - 0x20));
}

static void smbios(struct image *image, const struct line *line)
{
	/* bc5c008f-1e3a-44d7-988d-86f6884c6758 */
	static const uint8_t tag[16] = { 0x8f, 0x00, 0x5c, 0xbc, 0x3a, 0x1e, 0xd7, 0x44,
		                         0x98, 0x8d, 0x86, 0xf6, 0x88, 0x4c, 0x67, 0x58 };
	const struct string_field bios[] = { { 4, value_or(line, "vendor", "Example BIOS") },
		                             { 5, value_or(line, "version", "1.0") },
		                             { 8, value_or(line, "date", "01/02/2020") } };
	const struct string_field system[] = { { 4, value_or(line, "manufacturer", "Example") },
		                               { 5, value_or(line, "model", "Model 1") },
		                               { 7, value_or(line, "serial", "SERIAL-NUMBER") } };
	size_t off = begin_blob(image, tag);

	smbios_structure(image, 0, 0x18, bios, 3);
	smbios_structure(image, 1, 0x1b, system, 3);
	smbios_structure(image, 127, 4, NULL, 0);
	end_blob(image, off);
}

/* `blob TAG HEX…`: the tag as 32 hex digits in the order of the bytes. */
static void other_blobs(struct recipe *recipe, struct image *image)
{
	const struct line *line = NULL;
	uint8_t tag[16];

	while ((line = recipe_next(recipe, "blob", line))) {
		size_t len;
		uint8_t *bytes = recipe_hex(recipe, line, 2, &len);
		recipe_digits(recipe, line, recipe_name(recipe, line, 1), tag, sizeof(tag));
		size_t off = begin_blob(image, tag);
		image_put(image, image->len, bytes, len);
		end_blob(image, off);
		free(bytes);
	}
}

void build_secondary(struct recipe *recipe, struct image *image, bool stale)
{
	const struct line *line = recipe_last(recipe, "smbios");
	size_t off = image->len;

	if (!line && !recipe_last(recipe, "blob"))
		return;
	image_put(image, off, "DumpBlob", 8);
	image_u32(image, off + 8, 0x10);
	image_u32(image, off + 12, 0xf0000000u | (uint32_t)recipe_setting(recipe, "build", 19041));
	other_blobs(recipe, image);
	if (line)
		smbios(image, line);
	/* The kernel leaves behind the last blob what was on the disk. */
	if (stale) {
		image_u32(image, image->len, 0);
		image_put(image, image->len, "STALE DISK BYTES", 16);
	}
}

void add_secondary(struct triage *t)
{
	build_secondary(t->recipe, t->image, t->kernel);
}

void secondary_behind_pages(struct recipe *recipe, struct image *image)
{
	struct image secondary = { 0 };
	uint64_t off = image_length(image);

	build_secondary(recipe, &secondary, true);
	size_t len = secondary.len;
	if (len)
		image_extend(&secondary, (len + 0xfff) / 0x1000 * 0x1000);
	for (size_t at = 0; at < len; at += 0x1000)
		image_page(image, off + at, secondary.data + at);
	free(secondary.data);
}

/* The lists of a triage dump: drivers with their names, unloaded drivers, data blocks; and what fills them up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

enum {
	DRIVER = 0x90,
	DRIVER32 = 0x4c,
	UNLOADED = 0x38,
	UNLOADED32 = 0x28,
	BLOCK = 16,
	BLOCK32 = 12,
	MOST_MODULES = 4000,
	MOST_FILL = 1 << 28,
	/* Real dumps have 500 to 5000 blocks, from 256 bytes up. */
	MOST_BLOCKS = 4000,
	SMALLEST_BLOCK = 256,
	LARGEST_BLOCK = 65536,
};

/* `fill modules N` and `fill size BYTES`: the last line of each. */
static size_t fill_of(struct recipe *recipe, const char *what, size_t most)
{
	const struct line *line = NULL;
	size_t value = 0;

	while ((line = recipe_next(recipe, "fill", line))) {
		const char *word = recipe_name(recipe, line, 1);
		if (!strcmp(word, what))
			value = recipe_length(recipe, line, 2, most);
		else if (strcmp(word, "modules") != 0 && strcmp(word, "size") != 0)
			recipe_fail(recipe, line, "fill takes modules or size");
	}
	return value;
}

/* DUMP_STRING: characters, UTF-16, NUL. Its length in characters counts no NUL. */
static size_t dump_string(struct triage *t, const char *text)
{
	size_t at = image_align(t->image, 8);

	image_u32(t->image, at, (uint32_t)(image_utf16(t->image, at + 4, text) / 2));
	return at;
}

struct driver {
	const char *path;
	uint64_t base, size, checksum, stamp;
};

static size_t driver_size(const struct triage *t)
{
	return t->narrow ? DRIVER32 : DRIVER;
}

static size_t block_size(const struct triage *t)
{
	return t->narrow ? BLOCK32 : BLOCK;
}

/* DUMP_DRIVER_ENTRY. The kernel copies what is in memory; a tool leaves out the lists, names and flags. */
static void driver_entry(struct triage *t, size_t entry, const struct driver *driver)
{
	if (t->narrow) {
		image_u32(t->image, entry, (uint32_t)dump_string(t, driver->path));
		image_u32(t->image, entry + 0x1c, (uint32_t)driver->base);
		image_u32(t->image, entry + 0x24, (uint32_t)driver->size);
		image_u32(t->image, entry + 0x44, (uint32_t)driver->checksum);
		image_u32(t->image, entry + 0x48, (uint32_t)driver->stamp);
		return;
	}
	const char *slash = strrchr(driver->path, '\\');
	uint16_t name = (uint16_t)(2 * strlen(slash ? slash + 1 : driver->path));

	image_u32(t->image, entry, (uint32_t)dump_string(t, driver->path));
	image_u64(t->image, entry + 0x38, driver->base);
	image_u32(t->image, entry + 0x48, (uint32_t)driver->size);
	image_u32(t->image, entry + 0x80, (uint32_t)driver->checksum);
	image_u32(t->image, entry + 0x88, (uint32_t)driver->stamp);
	if (!t->kernel)
		return;
	image_u64(t->image, entry + 0x08, 0xffffd00010000000u + 0x1a0 * entry);
	image_u64(t->image, entry + 0x10, 0xffffd00010000000u + 0x1a0 * (entry - DRIVER));
	image_u64(t->image, entry + 0x40, driver->base + 0x1000);
	image_u16(t->image, entry + 0x60, name);
	image_u16(t->image, entry + 0x62, name);
	image_u64(t->image, entry + 0x68, 0xffffd00010000100u + 0x1a0 * entry);
	image_u32(t->image, entry + 0x70, 0x49104000);
	image_u16(t->image, entry + 0x74, 1);
}

static void given_drivers(struct triage *t, size_t entry)
{
	const struct line *line = NULL;
	char path[1024];

	for (size_t i = 0; (line = recipe_next(t->recipe, "module", line)) && !t->recipe->failed; i++) {
		const char *name = recipe_name(t->recipe, line, 1), *given = recipe_value(line, "path");
		snprintf(path, sizeof(path), "%s%s",
		         t->kernel || given ? "" : "\\SystemRoot\\system32\\drivers\\", given ? given : name);
		struct driver driver = {
			.path = path,
			.base = recipe_number(t->recipe, line, 2),
			.size = recipe_number(t->recipe, line, 3),
			.checksum = recipe_value_number(t->recipe, line, "checksum", 0x1f000 + i),
			.stamp = recipe_value_number(t->recipe, line, "timestamp", 0x5f000000 + i),
		};
		driver_entry(t, entry + i * driver_size(t), &driver);
	}
}

/* Drivers as a real list is full of, with made-up names. */
static void filler_drivers(struct triage *t, size_t entry, size_t count)
{
	static const char *const stems[] = { "bus", "flt", "net", "vol", "usb", "hid", "aud", "dsk" };
	char path[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s%s%03zu.sys",
		         t->kernel ? "" : "\\SystemRoot\\system32\\drivers\\", stems[i % 8], i);
		struct driver driver = { path, 0xfffff8a000000000u + t->recipe->slide.images + i * 0x100000,
			                 0x20000 + i * 0x10, 0x20000 + i, 0x5e000000 + i };
		driver_entry(t, entry + i * driver_size(t), &driver);
	}
}

void add_drivers(struct triage *t)
{
	size_t given = recipe_count(t->recipe, "module"), extra = fill_of(t->recipe, "modules", MOST_MODULES);
	size_t list = add_part(t, 0x30, NULL, 0);

	image_extend(t->image, list + (given + extra) * driver_size(t));
	image_u32(t->image, t->at + 0x34, (uint32_t)(given + extra));
	size_t pool = add_part(t, 0x38, NULL, 0);
	given_drivers(t, list);
	filler_drivers(t, list + given * driver_size(t), extra);
	image_u32(t->image, t->at + 0x3c, (uint32_t)(image_align(t->image, 8) - pool));
}

/* DUMP_UNLOADED_DRIVERS: of a name, the length of all and the text of 12 characters. */
void add_unloaded(struct triage *t)
{
	size_t head = t->narrow ? 4 : 8, size = t->narrow ? UNLOADED32 : UNLOADED, off = add_part(t, 0x18, NULL, 0), at = off + head;
	const struct line *line = NULL;

	image_extend(t->image, at);
	image_u32(t->image, off, (uint32_t)recipe_count(t->recipe, "unloaded"));
	for (; (line = recipe_next(t->recipe, "unloaded", line)); at += size) {
		const char *text = recipe_name(t->recipe, line, 1);
		size_t chars = strlen(text);
		char name[13] = { 0 };
		memcpy(name, text, chars < 12 ? chars : 12);
		image_extend(t->image, at + size);
		image_utf16(t->image, at + (t->narrow ? 0x08 : 0x10), name);
		image_u16(t->image, at, (uint16_t)(chars * 2));
		image_u16(t->image, at + 2, (uint16_t)(chars * 2 + 2));
		if (t->narrow) {
			image_u32(t->image, at + 0x20, (uint32_t)recipe_number(t->recipe, line, 2));
			image_u32(t->image, at + 0x24, (uint32_t)recipe_number(t->recipe, line, 3));
			continue;
		}
		image_u64(t->image, at + 0x08, 0xffffd00020000000u + at);
		image_u64(t->image, at + 0x28, recipe_number(t->recipe, line, 2));
		image_u64(t->image, at + 0x30, recipe_number(t->recipe, line, 3));
	}
}

static void put_block(struct triage *t, size_t entry, uint64_t va, const void *data, size_t len)
{
	size_t at = t->image->len;

	image_put(t->image, at, data, len);
	size_t width = t->narrow ? 4 : 8;
	image_u32(t->image, entry, (uint32_t)va);
	if (!t->narrow)
		image_u64(t->image, entry, va);
	image_u32(t->image, entry + width, (uint32_t)at);
	image_u32(t->image, entry + width + 4, (uint32_t)len);
}

/* How many blocks of noise, each of *len bytes, bring the file to the size that is asked for. */
static size_t filler_blocks(const struct triage *t, size_t *len)
{
	size_t size = fill_of(t->recipe, "size", MOST_FILL), have = t->image->len + 0x1000;

	for (*len = SMALLEST_BLOCK; *len < LARGEST_BLOCK && size / *len > MOST_BLOCKS; *len *= 2)
		;
	return size > have ? (size - have) / (*len + block_size(t)) : 0;
}

static void noise_blocks(struct triage *t, size_t entry, size_t count, size_t len)
{
	uint32_t *words = malloc(len), noise = 1;

	if (!words)
		abort();
	for (size_t i = 0; i < count; i++) {
		for (size_t w = 0; w < len / 4; w++)
			words[w] = noise = noise * 1664525 + 1013904223;
		put_block(t, entry + block_size(t) * i, 0xffffb00000000000u + i * 2 * LARGEST_BLOCK, words, len);
	}
	free(words);
}

void add_blocks(struct triage *t)
{
	size_t real = 0, len, extra = filler_blocks(t, &len);

	for (size_t i = 0; i < t->memory.count; i++)
		real += t->memory.blocks[i].len != 0;
	size_t entry = add_part(t, t->narrow ? 0x60 : 0x78, NULL, 0);
	image_u32(t->image, t->at + (t->narrow ? 0x64u : 0x7cu), (uint32_t)(real + extra));
	image_extend(t->image, entry + (real + extra) * block_size(t));
	for (size_t i = 0; i < t->memory.count; i++) {
		const struct block *block = &t->memory.blocks[i];
		if (!block->len)
			continue;
		put_block(t, entry, block->va, block->data, block->len);
		entry += block_size(t);
	}
	noise_blocks(t, entry, extra, len);
}

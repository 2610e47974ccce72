/* The triage form: its header and the order of its parts. */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

enum { OLD_SIZE = 0x40000, SECTOR = 0x200 };

size_t add_part(struct triage *t, unsigned field, const void *data, size_t len)
{
	size_t off = image_align(t->image, 8);

	image_put(t->image, off, data, len);
	image_u32(t->image, t->at + field, (uint32_t)off);
	return off;
}

void add_stack(struct triage *t)
{
	const struct line *line = recipe_last(t->recipe, "stack");

	if (!line)
		return;
	uint64_t va = recipe_number(t->recipe, line, 1);
	size_t len = recipe_length(t->recipe, line, 2, MOST_BYTES);
	uint8_t *bytes = calloc(1, len + 1);
	if (!bytes)
		abort();
	memory_take(&t->memory, va, bytes, len);
	add_part(t, 0x28, bytes, len);
	image_u32(t->image, t->at + 0x2c, (uint32_t)len);
	if (t->narrow)
		image_u32(t->image, t->at + 0x48, (uint32_t)va);
	else
		image_u64(t->image, t->at + 0x48, va);
	free(bytes);
}

/* DUMP_MM_STORAGE64: figures only where the kernel writes, or did so long ago. */
static void add_mm(struct triage *t)
{
	size_t off = add_part(t, 0x14, NULL, 0);

	image_extend(t->image, off + (t->narrow ? 0x34 : 0x50));
	image_u32(t->image, off, 1);
	image_u32(t->image, off + 4, t->narrow ? 0x34 : 0x50);
	if (!t->kernel || t->narrow)
		return;
	image_u64(t->image, off + 0x38, 0x123456);
	image_u64(t->image, off + 0x40, 0x133456);
	image_u64(t->image, off + 0x48, 0x400000);
}

/* The end mark is the last ULONG of the triage part. The kernel writes whole sectors; up to Windows 8.1 a fixed
 * size. */
static void add_end(struct triage *t)
{
	if (t->kernel)
		image_extend(t->image, (t->image->len + 4 + SECTOR - 1) / SECTOR * SECTOR);
	else if (t->build->build < 10240 && t->image->len + 4 <= OLD_SIZE)
		image_extend(t->image, OLD_SIZE);
	else
		image_extend(t->image, (t->image->len + 3) / 4 * 4 + 4);
	image_put(t->image, t->image->len - 4, "TRGD", 4);
	image_u32(t->image, t->at + 0x08, (uint32_t)t->image->len - 4);
	image_u32(t->image, t->at + 0x04, (uint32_t)t->image->len);
}

void build_triage(struct recipe *recipe, struct image *image)
{
	const char *machine = recipe_word(recipe, "machine", "x64");
	struct triage t = { .recipe = recipe, .image = image, .kernel = kernel_writes(recipe), .narrow = !strcmp(machine, "x86") };

	t.build = build_row(recipe_setting(recipe, "build", t.narrow ? 7601 : 19041), machine);
	t.at = t.narrow ? HEADER32 : HEADER64;
	if (t.narrow)
		build_header32(recipe, image, 4);
	else
		build_header64(recipe, image, 4);
	image_extend(image, t.at + (t.narrow ? 0x68 : 0x80));
	image_u32(image, t.at + 0x0c, t.narrow ? 0x320 : 0x348);
	image_u32(image, t.at + 0x10, t.narrow ? 0x7d0 : 0xf00);
	image_u32(image, t.at + 0x44, t.kernel ? 0x41 : 0xffffffff);
	memory_collect(recipe, &t.memory);
	add_mm(&t);
	if (!t.kernel)
		add_unloaded(&t);
	add_processor(&t);
	add_process(&t);
	add_thread(&t);
	add_stack(&t);
	add_kdbg(&t);
	if (t.kernel)
		add_unloaded(&t);
	add_drivers(&t);
	add_blocks(&t);
	add_end(&t);
	add_secondary(&t);
	/* What a tool asked for is not what it got, but for those up to Windows 8.1. */
	image_u64(image, 0xfa0, image->len + (t.kernel || t.build->build < 10240 ? 0 : 0x1b3c4c));
	memory_free(&t.memory);
}

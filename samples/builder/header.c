/* DUMP_HEADER64 and DUMP_HEADER32. What a writer does not set keeps the fill "PAGE". */
#include <string.h>

#include "kernel.h"
#include "records.h"

enum { FILL = 0x45474150 };

bool kernel_writes(const struct recipe *recipe)
{
	return !strcmp(recipe_word(recipe, "writer", "offline"), "kernel");
}

static void fill_page(struct image *image, size_t from, size_t to)
{
	image_extend(image, to);
	for (; from < to; from += 4)
		image_u32(image, from, FILL);
}

/* Code and parameters, each of size bytes. */
static void bugcheck(struct recipe *recipe, struct image *image, size_t code_off, size_t parameters_off,
                     size_t size)
{
	const struct line *line = recipe_last(recipe, "bugcheck");

	if (!line)
		return;
	image_u32(image, code_off, (uint32_t)recipe_number(recipe, line, 1));
	if (line->words > 6)
		recipe_fail(recipe, line, "a bugcheck has four parameters");
	for (size_t i = 0; i < 4; i++) {
		uint64_t value = i + 2 < line->words ? recipe_number(recipe, line, i + 2) : 0;
		if (size == 8)
			image_u64(image, parameters_off + 8 * i, value);
		else
			image_u32(image, parameters_off + 4 * i, (uint32_t)value);
	}
}

/* PHYSICAL_MEMORY_DESCRIPTOR from a line `runs PFN,COUNT PFN,COUNT …`; without one, the fill stays. */
static void runs(struct recipe *recipe, struct image *image, size_t off, size_t size)
{
	const struct line *line = recipe_last(recipe, "runs");
	uint64_t pages = 0;

	if (!line)
		return;
	if (line->words > 43)
		recipe_fail(recipe, line, "a header has room for 42 runs");
	for (size_t i = 0; i + 1 < line->words && !recipe->failed; i++) {
		uint64_t run[2] = { 0 };
		if (recipe_numbers(recipe, line, i + 1, run, 2) != 2)
			recipe_fail(recipe, line, "a run is PFN,COUNT");
		pages += run[1];
		for (size_t k = 0; k < 2; k++) {
			uint8_t bytes[8];
			put_number(bytes, run[k], 8);
			image_put(image, off + 2 * size + 2 * size * i + size * k, bytes, size);
		}
	}
	image_u32(image, off, (uint32_t)line->words - 1);
	if (size == 8)
		image_u64(image, off + 8, pages);
	else
		image_u32(image, off + 4, (uint32_t)pages);
}

/* The header's CONTEXT, and its exception record: a breakpoint at that context, whatever happened. */
static void context(struct recipe *recipe, struct image *image, const char *machine)
{
	const struct line *line = recipe_last(recipe, "context");
	uint8_t bytes[MOST_CONTEXT] = { 0 };
	bool arm = !strcmp(machine, "arm64");

	if (line)
		build_context(recipe, line, machine, bytes);
	if (line && !arm && !recipe_value(line, "flags"))
		put_number(bytes + 0x30, 0x10000f, 4);
	image_put(image, 0x348, bytes, arm ? CONTEXTARM : CONTEXT64);
	for (size_t off = 0xf00; off < 0xf20; off += 8)
		image_u64(image, off, 0);
	image_u32(image, 0xf00, 0x80000003);
	image_put(image, 0xf10, bytes + (arm ? 0x108 : 0xf8), 8);
}

/* What the two writers do not have in common. */
static void writer(struct recipe *recipe, struct image *image, bool kernel)
{
	image_u32(image, 0x1038, kernel ? 0xdff : 0xcff);
	if (kernel) {
		image_u64(image, 0x60, 0);
		image_u32(image, 0x103c, 0);
		image_u32(image, 0x1050, 8);
		image_u32(image, 0x1054, (uint32_t)recipe_setting(recipe, "boot", 77));
	} else {
		image_u32(image, 0x1048, 0);
		image_u8(image, 0x104d, 0);
	}
	if (recipe_last(recipe, "attributes"))
		image_u32(image, 0x1050, (uint32_t)recipe_setting(recipe, "attributes", 8));
}

void build_header64(struct recipe *recipe, struct image *image, uint32_t dump_type)
{
	const char *machine = recipe_word(recipe, "machine", "x64");
	uint64_t build = recipe_setting(recipe, "build", 19041), base = kernel_base(recipe);
	const struct build *row = build_row(build, machine);
	const struct line *time = recipe_last(recipe, "time");

	fill_page(image, 0, HEADER64);
	image_put(image, 0, "PAGEDU64", 8);
	image_u32(image, 0x08, 0xf);
	image_u32(image, 0x0c, (uint32_t)build);
	image_u64(image, 0x10, recipe_setting(recipe, "dtb", DEFAULT_DTB));
	image_u64(image, 0x18, 0xffff888000000000u);
	image_u64(image, 0x20, base + row->list_rva);
	image_u64(image, 0x28, base + row->list_rva - 0xbf40);
	image_u32(image, 0x30, !strcmp(machine, "arm64") ? 0xaa64 : 0x8664);
	image_u32(image, 0x34, (uint32_t)recipe_setting(recipe, "processors", 4));
	image_u32(image, 0x38, 0);
	bugcheck(recipe, image, 0x38, 0x40, 8);
	image_u64(image, 0x80, recipe_setting(recipe, "kdbg-address", base + row->kdbg_rva));
	runs(recipe, image, 0x88, 8);
	context(recipe, image, machine);
	image_u32(image, 0xf98, dump_type);
	image_u64(image, 0xfa8, time ? recipe_time(recipe, time, 1) : 0);
	image_u64(image, 0x1030, recipe_seconds(recipe, "uptime"));
	image_u32(image, 0x1040, (uint32_t)recipe_setting(recipe, "product", 1));
	image_u32(image, 0x1044, 0x110);
	writer(recipe, image, kernel_writes(recipe));
}

void build_header32(struct recipe *recipe, struct image *image, uint32_t dump_type)
{
	const struct line *time = recipe_last(recipe, "time"), *line = recipe_last(recipe, "context");
	const struct build *row = build_row(recipe_setting(recipe, "build", 7601), "x86");
	uint8_t bytes[MOST_CONTEXT] = { 0 };

	fill_page(image, 0, HEADER32);
	image_put(image, 0, "PAGEDUMP", 8);
	image_u32(image, 0x08, 0xf);
	image_u32(image, 0x0c, (uint32_t)recipe_setting(recipe, "build", 7601));
	image_u32(image, 0x10, (uint32_t)recipe_setting(recipe, "dtb", DEFAULT_DTB32));
	if (recipe_count(recipe, "module")) {
		image_u32(image, 0x18, (uint32_t)kernel_base(recipe) + row->list_rva);
		image_u32(image, 0x1c, (uint32_t)kernel_base(recipe) + row->list_rva - 0xbf40);
	}
	image_u32(image, 0x20, 0x14c);
	image_u32(image, 0x24, (uint32_t)recipe_setting(recipe, "processors", 2));
	image_u32(image, 0x28, 0);
	bugcheck(recipe, image, 0x28, 0x2c, 4);
	image_u8(image, 0x5c, strcmp(recipe_word(recipe, "paging", "pae"), "x86") != 0);
	image_u32(image, 0x60, (uint32_t)recipe_setting(recipe, "kdbg-address", recipe_count(recipe, "module") ? kernel_base(recipe) + row->kdbg_rva : 0x8292dbe8));
	runs(recipe, image, 0x64, 4);
	if (line)
		build_context(recipe, line, "x86", bytes);
	image_put(image, 0x320, bytes, CONTEXT32);
	image_u32(image, 0xf88, dump_type);
	image_u32(image, 0xf94, (uint32_t)recipe_setting(recipe, "product", 1));
	image_u64(image, 0xfb8, recipe_seconds(recipe, "uptime"));
	image_u64(image, 0xfc0, time ? recipe_time(recipe, time, 1) : 0);
}

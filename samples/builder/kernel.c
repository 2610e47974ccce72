/* Kernel dumps: DUMP_HEADER64, the triage form, and headers of the kinds that only have a header here. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* What the kernel of a build has where: the sizes and offsets that KDDEBUGGER_DATA64 tells, and ETHREAD.Cid. */
static const struct build {
	uint32_t build;
	const char *machine;
	unsigned kdbg_size, eprocess, parent_cid, peb, name, pid_before, ethread, cid, apc_process, prcb, special, number, mhz, vendor;
} builds[] = {
	{ 9600, "x64", 0x360, 0x6f0, 0x3d0, 0x3e8, 0x68, 0xf0, 0x778, 0x620, 0xb8, 0x5b80, 0x40, 0x24, 0x5f4, 0x8e0 },
	{ 17763, "x64", 0x380, 0x850, 0x3e0, 0x3f8, 0x70, 0x100, 0x810, 0x638, 0xb8, 0x7000, 0x100, 0x24, 0x44, 0x4bb8 },
	{ 19041, "x64", 0x380, 0xa40, 0x540, 0x550, 0x68, 0x100, 0x898, 0x478, 0xb8, 0x8700, 0x100, 0x24, 0x44, 0x6eb8 },
	{ 22000, "arm64", 0x380, 0xc80, 0x4f8, 0x508, 0x68, 0x100, 0xb00, 0x5c8, 0xb0, 0x1000, 0x40, 0x24, 0x44, 0x600 },
	{ 22000, "x64", 0x380, 0xb80, 0x540, 0x550, 0x68, 0x100, 0x900, 0x4c8, 0xb8, 0x8a00, 0x100, 0x24, 0x44, 0x6eb8 },
	{ 26100, "x64", 0x3a0, 0x840, 0x2d0, 0x2e0, 0x68, 0x100, 0x788, 0x508, 0xb8, 0x9000, 0x100, 0x24, 0x44, 0x6eb8 },
};

static const struct build *build_row(uint32_t build, const char *machine)
{
	const struct build *best = &builds[2];

	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		if (builds[i].build <= build && !strcmp(builds[i].machine, machine))
			best = &builds[i];
	return best;
}

enum { HEADER = 0x2000, TRIAGE = 0x2000, TRIAGE_SIZE = 0x80 };

static void fill_page(struct image *image, size_t from, size_t to)
{
	for (; from < to; from += 4)
		image_put(image, from, "PAGE", 4);
}

static void bugcheck(struct recipe *recipe, struct image *image, size_t code_off, size_t parameters_off, bool wide)
{
	const struct line *line = recipe_last(recipe, "bugcheck");

	for (size_t i = 0; line && i < 5; i++) {
		uint64_t value = i + 1 < line->words ? recipe_number(recipe, line, i + 1) : 0;
		if (i == 0)
			image_u32(image, code_off, (uint32_t)value);
		else if (wide)
			image_u64(image, parameters_off + 8 * (i - 1), value);
		else
			image_u32(image, parameters_off + 4 * (i - 1), (uint32_t)value);
	}
}

static uint64_t seconds_of(struct recipe *recipe, const char *keyword)
{
	const char *word = recipe_word(recipe, keyword, "0");

	return (uint64_t)(strtod(word, NULL) * 1e7 + 0.5);
}

void build_header64(struct recipe *recipe, struct image *image, uint32_t dump_type)
{
	const char *machine = recipe_word(recipe, "machine", "x64");
	const struct line *time = recipe_last(recipe, "time"), *context = recipe_last(recipe, "context");
	bool kernel = !strcmp(recipe_word(recipe, "writer", "offline"), "kernel");
	uint8_t record[CONTEXT64] = { 0 };

	fill_page(image, 0, HEADER);
	image_put(image, 0, "PAGEDU64", 8);
	image_u32(image, 0x08, 0xf);
	image_u32(image, 0x0c, (uint32_t)recipe_setting(recipe, "build", 19041));
	image_u64(image, 0x10, recipe_setting(recipe, "dtb", 0x1ad002));
	image_u64(image, 0x18, 0xffff888000000000u);
	image_u64(image, 0x20, 0xfffff80600a2a2b0u);
	image_u64(image, 0x28, 0xfffff80600a1e2b0u);
	image_u32(image, 0x30, !strcmp(machine, "arm64") ? 0xaa64 : 0x8664);
	image_u32(image, 0x34, (uint32_t)recipe_setting(recipe, "processors", 4));
	bugcheck(recipe, image, 0x38, 0x40, true);
	image_u64(image, 0x80, recipe_setting(recipe, "kdbg-address", 0xfffff80600c00b20u));
	if (context)
		build_context(recipe, context, machine, record);
	image_put(image, 0x348, record, 0x4d0);
	/* The exception record of a triage header is a breakpoint at the context, whatever happened. */
	uint64_t ip = 0;
	memcpy(&ip, record + (!strcmp(machine, "arm64") ? 0x108 : 0xf8), 8);
	for (size_t off = 0xf00; off < 0xf98; off += 8)
		image_u64(image, off, 0);
	image_u32(image, 0xf00, 0x80000003);
	image_u64(image, 0xf10, ip);
	image_u32(image, 0xf98, dump_type);
	image_u64(image, 0xfa8, time ? recipe_time(recipe, time, 1) : 0);
	for (size_t off = 0xfb0; off < 0x1030; off += 4)
		image_u32(image, off, 0);
	image_u64(image, 0x1030, seconds_of(recipe, "uptime"));
	image_u32(image, 0x1038, kernel ? 0xdff : 0xcff);
	image_u32(image, 0x103c, kernel ? 0 : 0x45474150);
	image_u32(image, 0x1040, (uint32_t)recipe_setting(recipe, "product", 1));
	image_u32(image, 0x1044, 0x110);
	if (!kernel)
		image_u32(image, 0x1048, 0);
	if (kernel || recipe_last(recipe, "attributes"))
		image_u32(image, 0x1050, (uint32_t)recipe_setting(recipe, "attributes", 8));
	if (kernel)
		image_u32(image, 0x1054, 77);
}

/* ---- the parts of a triage dump ------------------------------------------- */

struct triage {
	struct recipe *recipe;
	struct image *image;
	const struct build *build;
	struct memory memory;
	uint64_t kernel_base;
};

static size_t add_part(struct triage *t, unsigned field, const void *data, size_t len)
{
	size_t off = image_align(t->image, 8);

	image_put(t->image, off, data, len);
	image_u32(t->image, TRIAGE + field, (uint32_t)off);
	return off;
}

static void add_kdbg(struct triage *t)
{
	const struct build *b = t->build;
	size_t off = image_align(t->image, 8);
	const struct { unsigned off, value; } halves[] = {
		{ 0x298, 0 }, { 0x29a, 0xf0 }, { 0x29c, 0x58 }, { 0x29e, 0x28 }, { 0x2a0, b->apc_process }, { 0x2a2, 0x184 },
		{ 0x2a8, b->eprocess }, { 0x2aa, b->peb }, { 0x2ac, b->parent_cid }, { 0x2ae, 0x28 }, { 0x2b0, b->prcb },
		{ 0x2b4, 8 }, { 0x2b6, b->mhz }, { 0x2ba, b->vendor }, { 0x2bc, b->special + 0xf0 }, { 0x2be, b->number },
		{ 0x2c0, b->ethread }, { 0x2e0, 0x1000 }, { 0x2e2, 0x18 }, { 0x2e4, 0x20 }, { 0x2e6, 0x180 }, { 0x2f2, b->special },
	};

	image_put(t->image, off + b->kdbg_size - 1, "", 1);
	image_put(t->image, off + 0x10, "KDBG", 4);
	image_u32(t->image, off + 0x14, b->kdbg_size);
	image_u64(t->image, off + 0x18, t->kernel_base);
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		image_u16(t->image, off + halves[i].off, (uint16_t)halves[i].value);
	image_u32(t->image, TRIAGE + 0x70, (uint32_t)off);
	image_u32(t->image, TRIAGE + 0x74, b->kdbg_size);
}

static void add_process(struct triage *t)
{
	const struct line *process = recipe_last(t->recipe, "process"), *thread = recipe_last(t->recipe, "thread");
	const struct line *cpu = recipe_last(t->recipe, "cpu");
	const struct build *b = t->build;
	uint64_t pid = process ? recipe_value_number(t->recipe, process, "pid", 4) : 4;
	uint64_t tid = thread ? recipe_value_number(t->recipe, thread, "tid", 0x1a4) : 0x1a4;
	uint64_t process_va = process ? recipe_value_number(t->recipe, process, "va", 0xffffd00012345080u) : 0xffffd00012345080u;
	uint64_t thread_va = thread ? recipe_value_number(t->recipe, thread, "va", 0xffffd00012399040u) : 0xffffd00012399040u;
	uint8_t *bytes = calloc(1, 0x10000);
	char name[15] = { 0 };

	strncpy(name, process && process->words > 1 ? process->word[1] : "System", 14);
	memcpy(bytes + b->parent_cid + b->name, name, 15);
	memcpy(bytes + b->parent_cid - b->pid_before, &pid, 8);
	add_part(t, 0x20, bytes, b->eprocess);
	memset(bytes, 0, 0x10000);
	memcpy(bytes + b->cid, &pid, 8);
	memcpy(bytes + b->cid + 8, &tid, 8);
	memcpy(bytes + b->apc_process, &process_va, 8);
	add_part(t, 0x24, bytes, b->ethread);
	memset(bytes, 0, 0x10000);
	uint32_t number = cpu ? (uint32_t)recipe_value_number(t->recipe, cpu, "number", 0) : 0, mhz = 2400;
	uint64_t cr2 = cpu ? recipe_value_number(t->recipe, cpu, "cr2", 0) : 0;
	memcpy(bytes + 8, &thread_va, 8);
	memcpy(bytes + b->number, &number, 4);
	memcpy(bytes + b->mhz, &mhz, 4);
	memcpy(bytes + b->vendor, "GenuineIntel", 12);
	memcpy(bytes + b->special + 8, &cr2, 8);
	add_part(t, 0x1c, bytes, b->prcb);
	free(bytes);
}

static void add_stack(struct triage *t)
{
	const struct line *line = recipe_last(t->recipe, "stack");

	if (!line)
		return;
	uint64_t va = recipe_number(t->recipe, line, 1), len = recipe_number(t->recipe, line, 2);
	if (len > (1u << 24)) {
		recipe_fail(t->recipe, line, "a stack of at most 16 MiB");
		return;
	}
	uint8_t *bytes = calloc(1, len ? len : 1);
	memory_take(&t->memory, va, bytes, len);
	add_part(t, 0x28, bytes, len);
	image_u32(t->image, TRIAGE + 0x2c, (uint32_t)len);
	image_u64(t->image, TRIAGE + 0x48, va);
	free(bytes);
}

static size_t count_lines(const struct recipe *recipe, const char *keyword)
{
	const struct line *line = NULL;
	size_t count = 0;

	while ((line = recipe_next(recipe, keyword, line)))
		count++;
	return count;
}

/* Names of drivers that a real list is full of, made up. */
static void filler_name(char *out, size_t size, size_t i)
{
	static const char *const stems[] = { "bus", "flt", "net", "vol", "usb", "hid", "aud", "dsk" };

	snprintf(out, size, "%s%03zu.sys", stems[i % 8], i);
}

static size_t fill_modules(const struct recipe *recipe)
{
	const struct line *line = NULL;
	size_t count = 0;

	while ((line = recipe_next(recipe, "fill", line)))
		if (line->words == 3 && !strcmp(line->word[1], "modules"))
			count = strtoul(line->word[2], NULL, 0);
	return count > 4000 ? 4000 : count;
}

static void driver_entry(struct triage *t, size_t entry, size_t string, uint64_t base, uint64_t size, uint64_t checksum,
                         uint64_t stamp)
{
	image_u32(t->image, entry, (uint32_t)string);
	image_u64(t->image, entry + 0x38, base);
	image_u64(t->image, entry + 0x40, base + 0x1000);
	image_u32(t->image, entry + 0x48, (uint32_t)size);
	image_u32(t->image, entry + 0x80, (uint32_t)checksum);
	image_u32(t->image, entry + 0x88, (uint32_t)stamp);
}

static size_t dump_string(struct triage *t, const char *text)
{
	size_t at = image_align(t->image, 8);
	size_t bytes = image_utf16(t->image, at + 4, text);

	image_u32(t->image, at, (uint32_t)(bytes / 2));
	return at;
}

static void add_drivers(struct triage *t)
{
	size_t given = count_lines(t->recipe, "module"), extra = fill_modules(t->recipe), i = 0;
	size_t list = image_align(t->image, 8), count = given + extra;
	bool kernel = !strcmp(recipe_word(t->recipe, "writer", "offline"), "kernel");
	const struct line *line = NULL;
	char text[512];

	image_put(t->image, list + count * 0x90, "", 0);
	image_u32(t->image, TRIAGE + 0x30, (uint32_t)list);
	image_u32(t->image, TRIAGE + 0x34, (uint32_t)count);
	size_t pool = image_align(t->image, 8);
	for (; (line = recipe_next(t->recipe, "module", line)) && !t->recipe->failed; i++) {
		const char *path = recipe_value(line, "path");
		if (path)
			snprintf(text, sizeof(text), "%s", path);
		else
			snprintf(text, sizeof(text), "%s%s", kernel ? "" : "\\SystemRoot\\system32\\drivers\\", line->words > 1 ? line->word[1] : "");
		driver_entry(t, list + i * 0x90, dump_string(t, text), recipe_number(t->recipe, line, 2), recipe_number(t->recipe, line, 3),
		             recipe_value_number(t->recipe, line, "checksum", 0x1f000 + i),
		             recipe_value_number(t->recipe, line, "timestamp", 0x5f000000 + i));
	}
	for (size_t e = 0; e < extra; e++, i++) {
		filler_name(text, sizeof(text), e);
		driver_entry(t, list + i * 0x90, dump_string(t, text), 0xfffff80a00000000u + e * 0x100000, 0x20000 + e * 0x10, 1, 2);
	}
	image_u32(t->image, TRIAGE + 0x38, (uint32_t)pool);
	image_u32(t->image, TRIAGE + 0x3c, (uint32_t)(t->image->len - pool));
}

static void add_unloaded(struct triage *t)
{
	size_t off = image_align(t->image, 8), at = off + 8;
	const struct line *line = NULL;

	image_u64(t->image, off, count_lines(t->recipe, "unloaded"));
	image_u32(t->image, TRIAGE + 0x18, (uint32_t)off);
	for (; (line = recipe_next(t->recipe, "unloaded", line)); at += 0x38) {
		size_t chars = strlen(line->word[line->words > 1 ? 1 : 0]);
		char name[13] = { 0 };
		image_put(t->image, at + 0x38, "", 0);
		strncpy(name, line->word[line->words > 1 ? 1 : 0], 12);
		image_utf16(t->image, at + 0x10, name);
		image_u16(t->image, at, (uint16_t)(chars * 2));
		image_u16(t->image, at + 2, (uint16_t)(chars * 2 + 2));
		image_u64(t->image, at + 0x28, recipe_number(t->recipe, line, 2));
		image_u64(t->image, at + 0x30, recipe_number(t->recipe, line, 3));
	}
}

static size_t fill_size(const struct recipe *recipe)
{
	const struct line *line = NULL;
	size_t size = 0;

	while ((line = recipe_next(recipe, "fill", line)))
		if (line->words == 3 && !strcmp(line->word[1], "size"))
			size = strtoul(line->word[2], NULL, 0);
	return size > (1u << 28) ? 1u << 28 : size;
}

/* Blocks of noise, as many and as large as real dumps of the size have them: 500 to 5000, from 256 bytes up. */
enum { MOST_FILLER_BLOCKS = 4000, SMALLEST_FILLER = 256, LARGEST_FILLER = 65536 };

static size_t filler_length(const struct triage *t)
{
	size_t len = SMALLEST_FILLER;

	while (len < LARGEST_FILLER && fill_size(t->recipe) / len > MOST_FILLER_BLOCKS)
		len *= 2;
	return len;
}

static size_t filler_blocks(const struct triage *t)
{
	size_t size = fill_size(t->recipe), have = t->image->len + 0x1000;

	return size > have ? (size - have) / (filler_length(t) + 16) : 0;
}

static void add_blocks(struct triage *t)
{
	size_t real = 0, extra = filler_blocks(t), i = 0;
	uint32_t noise = 1;

	for (size_t b = 0; b < t->memory.count; b++)
		real += t->memory.blocks[b].len != 0;
	size_t list = image_align(t->image, 8);
	image_put(t->image, list + (real + extra) * 16, "", 0);
	image_u32(t->image, TRIAGE + 0x78, (uint32_t)list);
	image_u32(t->image, TRIAGE + 0x7c, (uint32_t)(real + extra));
	for (size_t b = 0; b < t->memory.count; b++) {
		const struct block *block = &t->memory.blocks[b];
		if (!block->len)
			continue;
		size_t at = t->image->len;
		image_put(t->image, at, block->data, block->len);
		image_u64(t->image, list + 16 * i, block->va);
		image_u32(t->image, list + 16 * i + 8, (uint32_t)at);
		image_u32(t->image, list + 16 * i + 12, (uint32_t)block->len);
		i++;
	}
	for (size_t e = 0; e < extra; e++, i++) {
		uint32_t bytes[LARGEST_FILLER / 4];
		size_t len = filler_length(t), at = t->image->len;
		for (size_t w = 0; w < len / 4; w++)
			bytes[w] = noise = noise * 1664525 + 1013904223;
		image_put(t->image, at, bytes, len);
		image_u64(t->image, list + 16 * i, 0xffffb00000000000u + e * 2 * LARGEST_FILLER);
		image_u32(t->image, list + 16 * i + 8, (uint32_t)at);
		image_u32(t->image, list + 16 * i + 12, (uint32_t)len);
	}
}

/* ---- secondary data --------------------------------------------------------- */

static size_t smbios_structure(uint8_t *out, uint8_t type, uint8_t len, const char *const *strings, const uint8_t *fields)
{
	size_t at = len;

	memset(out, 0, len);
	out[0] = type;
	out[1] = len;
	for (size_t i = 0; strings[i]; i++) {
		out[fields[i]] = (uint8_t)(i + 1);
		memcpy(out + at, strings[i], strlen(strings[i]) + 1);
		at += strlen(strings[i]) + 1;
	}
	out[at++] = 0;
	return at;
}

static void add_secondary(struct triage *t)
{
	static const uint8_t smbios_tag[16] = { 0x8f, 0x00, 0x5c, 0xbc, 0x3a, 0x1e, 0xd7, 0x44, 0x98, 0x8d, 0x86, 0xf6, 0x88, 0x4c, 0x67, 0x58 };
	const struct line *line = recipe_last(t->recipe, "smbios");
	uint8_t table[2048];
	size_t len = 0, off = t->image->len;

	if (!line)
		return;
	const char *maker = recipe_value(line, "manufacturer"), *model = recipe_value(line, "model");
	const char *vendor = recipe_value(line, "vendor"), *version = recipe_value(line, "version"), *date = recipe_value(line, "date");
	const char *bios[] = { vendor ? vendor : "Example BIOS", version ? version : "1.0", date ? date : "01/02/2020", NULL };
	const char *system[] = { maker ? maker : "Example", model ? model : "Model 1", NULL };
	len += smbios_structure(table, 0, 0x18, bios, (const uint8_t[]){ 4, 5, 8 });
	len += smbios_structure(table + len, 1, 0x1b, system, (const uint8_t[]){ 4, 5 });
	len += smbios_structure(table + len, 127, 4, (const char *[]){ "", NULL }, (const uint8_t[]){ 3 });
	image_put(t->image, off, "DumpBlob", 8);
	image_u32(t->image, off + 8, 0x10);
	image_u32(t->image, off + 12, 0xf0000000u | (uint32_t)recipe_setting(t->recipe, "build", 19041));
	image_u32(t->image, off + 0x10, 0x20);
	image_put(t->image, off + 0x14, smbios_tag, 16);
	image_u32(t->image, off + 0x24, (uint32_t)len);
	image_u32(t->image, off + 0x28, 0);
	image_u32(t->image, off + 0x2c, 0);
	image_put(t->image, off + 0x30, table, len);
}

void build_triage(struct recipe *recipe, struct image *image)
{
	const char *machine = recipe_word(recipe, "machine", "x64");
	const struct line *first = recipe_next(recipe, "module", NULL);
	bool kernel = !strcmp(recipe_word(recipe, "writer", "offline"), "kernel");
	struct triage t = { .recipe = recipe, .image = image };

	t.build = build_row((uint32_t)recipe_setting(recipe, "build", 19041), machine);
	t.kernel_base = first ? recipe_number(recipe, first, 2) : 0;
	build_header64(recipe, image, 4);
	image_put(image, TRIAGE + TRIAGE_SIZE - 1, "", 1);
	image_u32(image, TRIAGE + 0x0c, 0x348);
	image_u32(image, TRIAGE + 0x10, 0xf00);
	image_u32(image, TRIAGE + 0x44, kernel ? 0x41 : 0xffffffff);
	memory_collect(recipe, &t.memory, false);
	size_t mm = add_part(&t, 0x14, (uint8_t[0x50]){ 1 }, 0x50);
	image_u32(image, mm + 4, 0x50);
	add_kdbg(&t);
	add_process(&t);
	add_stack(&t);
	add_drivers(&t);
	add_unloaded(&t);
	add_blocks(&t);
	size_t valid = image_align(image, 4);
	image_put(image, valid, "TRGD", 4);
	image_u32(image, TRIAGE + 0x08, (uint32_t)valid);
	image_u32(image, TRIAGE + 0x04, (uint32_t)valid + 4);
	add_secondary(&t);
	image_u64(image, 0xfa0, image->len);
	memory_free(&t.memory);
}

/* PAGEDUMP: the header of 32-bit dumps. */
void build_header32(struct recipe *recipe, struct image *image)
{
	const struct line *time = recipe_last(recipe, "time");

	fill_page(image, 0, 0x1000);
	image_put(image, 0, "PAGEDUMP", 8);
	image_u32(image, 0x08, 0xf);
	image_u32(image, 0x0c, (uint32_t)recipe_setting(recipe, "build", 7601));
	image_u32(image, 0x10, 0x185000);
	image_u32(image, 0x20, 0x14c);
	image_u32(image, 0x24, (uint32_t)recipe_setting(recipe, "processors", 2));
	bugcheck(recipe, image, 0x28, 0x2c, false);
	image_put(image, 0x5c, "\1", 1);
	image_u32(image, 0x60, 0x8292dbe8);
	image_u32(image, 0xf88, (uint32_t)recipe_setting(recipe, "dump-type", 1));
	image_u32(image, 0xf94, 1);
	image_u64(image, 0xfb8, seconds_of(recipe, "uptime"));
	image_u64(image, 0xfc0, time ? recipe_time(recipe, time, 1) : 0);
}

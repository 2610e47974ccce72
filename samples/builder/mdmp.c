/* MDMP: header, directory, and what is about the process as a whole. */
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "user.h"

enum { MAX_STREAMS = 48, DIRECTORY = 0x20 };

void add_stream(struct writer *w, uint32_t type, size_t off, size_t len)
{
	size_t entry = DIRECTORY + 12 * w->streams;

	if (w->streams == MAX_STREAMS) {
		recipe_fail(w->recipe, NULL, "more than %d streams", MAX_STREAMS);
		return;
	}
	w->streams++;
	image_u32(w->image, entry, type);
	image_u32(w->image, entry + 4, (uint32_t)len);
	image_u32(w->image, entry + 8, (uint32_t)off);
}

size_t begin_stream(struct writer *w, uint32_t type, size_t len)
{
	size_t at = image_align(w->image, 4);

	image_extend(w->image, at + len);
	add_stream(w, type, at, len);
	return at;
}

size_t add_string(struct writer *w, const char *text)
{
	size_t at = image_align(w->image, 4);

	image_u32(w->image, at, (uint32_t)image_utf16(w->image, at + 4, text));
	return at;
}

/* `xstate MASK [compaction=N] [at=OFFSET] [length=N] [cet=N ssp=N cet-at=N]`: CONTEXT_EX and an XSAVE area behind the CONTEXT at `at`; gives
 * the length of all. */
static size_t add_xstate(struct writer *w, const struct line *line, size_t at, size_t len)
{
	bool x86 = !strcmp(w->machine, "x86");
	size_t cet_at = (size_t)recipe_value_number(w->recipe, line, "cet-at", 0x40), area = (len + 0x18 + 63) & ~(size_t)63, end = area + 0x40;

	if (cet_at > 0x10000)
		recipe_fail(w->recipe, line, "cet-at is at most 0x10000");
	else if (recipe_value(line, "ssp"))
		end = area + cet_at + 16;
	image_extend(w->image, at + end);
	image_u32(w->image, at + (x86 ? 0 : 0x30), (x86 ? 0x1003fu : 0x10001fu) | 0x40);
	image_u32(w->image, at + len, (uint32_t)-(int32_t)len);
	image_u32(w->image, at + len + 4, (uint32_t)end);
	image_u32(w->image, at + len + 8, (uint32_t)-(int32_t)len);
	image_u32(w->image, at + len + 12, (uint32_t)len);
	image_u32(w->image, at + len + 16, (uint32_t)recipe_value_number(w->recipe, line, "at", area - len));
	image_u32(w->image, at + len + 20, (uint32_t)recipe_value_number(w->recipe, line, "length", end - area));
	image_u64(w->image, at + area, recipe_number(w->recipe, line, 1));
	image_u64(w->image, at + area + 8, recipe_value_number(w->recipe, line, "compaction", 0));
	if (end > area + 0x40) {
		image_u64(w->image, at + end - 16, recipe_value_number(w->recipe, line, "cet", 1));
		image_u64(w->image, at + end - 8, recipe_value_number(w->recipe, line, "ssp", 0));
	}
	return end;
}

void add_context(struct writer *w, const struct line *line, size_t location)
{
	const struct line *xstate = recipe_last(w->recipe, "xstate");
	uint8_t bytes[MOST_CONTEXT];
	size_t len = build_context(w->recipe, line, w->machine, bytes), at = image_align(w->image, 16);

	/* User mode on x64, unless the line says otherwise. */
	if (!strcmp(w->machine, "x64") && !recipe_value(line, "cs"))
		bytes[0x38] = 0x33;
	if (!strcmp(w->machine, "x64") && !recipe_value(line, "ss"))
		bytes[0x42] = 0x2b;
	image_put(w->image, at, bytes, len);
	if (xstate && !strcmp(line->word[0], "context"))
		len = add_xstate(w, xstate, at, len);
	image_u32(w->image, location, (uint32_t)len);
	image_u32(w->image, location + 4, (uint32_t)at);
}

void add_system_info(struct writer *w)
{
	const struct line *os = recipe_last(w->recipe, "os");
	bool x86 = !strcmp(w->machine, "x86"), arm = !strcmp(w->machine, "arm64");
	size_t at = begin_stream(w, 7, 56);

	image_u16(w->image, at, x86 ? 0 : arm ? 12 : 9);
	image_u16(w->image, at + 2, 6);
	image_u8(w->image, at + 6, (uint8_t)recipe_setting(w->recipe, "processors", 4));
	image_u8(w->image, at + 7, (uint8_t)recipe_setting(w->recipe, "product", 1));
	image_u32(w->image, at + 8, os ? (uint32_t)recipe_number(w->recipe, os, 1) : 10);
	image_u32(w->image, at + 12, os ? (uint32_t)recipe_number(w->recipe, os, 2) : 0);
	image_u32(w->image, at + 16, os ? (uint32_t)recipe_number(w->recipe, os, 3) : 19041);
	image_u32(w->image, at + 20, (uint32_t)recipe_setting(w->recipe, "platform", 2));
	if (x86)
		image_put(w->image, at + 0x20, recipe_word(w->recipe, "vendor", "GenuineIntel"), 12);
	image_u32(w->image, at + 24, (uint32_t)add_string(w, recipe_word(w->recipe, "csd", "")));
}

/* XSTATE_CONFIG_FEATURE_MSC_INFO: `xstate-config ENABLED [context=N] [size=N]` and lines `xstate-feature NUMBER OFFSET SIZE`. */
static void xstate_config(struct writer *w, const struct line *config, size_t at)
{
	const struct line *line = NULL;

	image_u32(w->image, at, (uint32_t)recipe_value_number(w->recipe, config, "size", 528));
	image_u32(w->image, at + 4, (uint32_t)recipe_value_number(w->recipe, config, "context", 0x57f));
	image_u64(w->image, at + 8, recipe_number(w->recipe, config, 1));
	while ((line = recipe_next(w->recipe, "xstate-feature", line))) {
		size_t feature = at + 16 + 8 * (size_t)(recipe_number(w->recipe, line, 1) & 63);
		image_u32(w->image, feature, (uint32_t)recipe_number(w->recipe, line, 2));
		image_u32(w->image, feature + 4, (uint32_t)recipe_number(w->recipe, line, 3));
	}
}

/* MINIDUMP_MISC_INFO in the smallest of its sizes that holds what the recipe tells. */
void add_misc_info(struct writer *w)
{
	const struct line *pid = recipe_last(w->recipe, "pid"), *created = recipe_last(w->recipe, "created");
	const struct line *misc = recipe_last(w->recipe, "misc"), *config = recipe_last(w->recipe, "xstate-config");
	const char *lab = misc ? recipe_value(misc, "lab") : NULL;
	size_t len = config ? 1364 : lab ? 832 : misc ? 232 : 24;

	if (!pid && !created && !misc && !config)
		return;
	size_t at = begin_stream(w, 15, len);
	image_u32(w->image, at, (uint32_t)len);
	image_u32(w->image, at + 4,
	          (pid ? 1u : 0) | (created ? 2u : 0) | (misc ? 0x14u : 0) | (lab ? 0x100u : 0));
	image_u32(w->image, at + 8, pid ? (uint32_t)recipe_number(w->recipe, pid, 1) : 0);
	image_u32(w->image, at + 12, created ? recipe_unix_time(w->recipe, created, 1) : 0);
	image_u32(w->image, at + 16, created ? (uint32_t)recipe_value_number(w->recipe, created, "user", 0) : 0);
	image_u32(w->image, at + 20, created ? (uint32_t)recipe_value_number(w->recipe, created, "kernel", 0) : 0);
	if (misc) {
		image_u32(w->image, at + 0x18, (uint32_t)recipe_value_number(w->recipe, misc, "mhz", 2400));
		image_u32(w->image, at + 0x1c, (uint32_t)recipe_value_number(w->recipe, misc, "mhz", 2400));
		image_u32(w->image, at + 0x2c,
		          (uint32_t)recipe_value_number(w->recipe, misc, "integrity", 0x2000));
	}
	if (lab && strlen(lab) < 200)
		image_utf16(w->image, at + 0xe8, lab);
	if (config)
		xstate_config(w, config, at + 0x340);
}

/* MINIDUMP_MEMORY_INFO_LIST of lines `memory-info BASE SIZE STATE PROTECT TYPE`. */
void add_memory_info(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "memory-info"), at;
	const struct line *line = NULL;

	if (!count)
		return;
	at = begin_stream(w, 16, 16 + 48 * count);
	image_u32(w->image, at, 16);
	image_u32(w->image, at + 4, 48);
	image_u64(w->image, at + 8, count);
	for (at += 16; (line = recipe_next(w->recipe, "memory-info", line)); at += 48) {
		image_u64(w->image, at, recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 8, recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 24, recipe_number(w->recipe, line, 2));
		image_u32(w->image, at + 32, (uint32_t)recipe_number(w->recipe, line, 3));
		image_u32(w->image, at + 36, (uint32_t)recipe_number(w->recipe, line, 4));
		image_u32(w->image, at + 40, (uint32_t)recipe_number(w->recipe, line, 5));
	}
}

static void descriptor(struct writer *w, size_t entry, uint64_t va, size_t len, size_t off)
{
	image_u64(w->image, entry, va);
	image_u32(w->image, entry + 8, (uint32_t)len);
	image_u32(w->image, entry + 12, (uint32_t)off);
}

static void memory_list(struct writer *w)
{
	size_t count = w->memory.count + w->stack_count, list = begin_stream(w, 5, 4 + 16 * count),
	       entry = list + 4;

	image_u32(w->image, list, (uint32_t)count);
	for (size_t i = 0; i < w->stack_count; i++, entry += 16)
		descriptor(w, entry, w->stacks[i].va, w->stacks[i].len, w->stacks[i].off);
	for (size_t i = 0; i < w->memory.count; i++, entry += 16) {
		const struct block *block = &w->memory.blocks[i];
		descriptor(w, entry, block->va, block->len, w->image->len);
		image_put(w->image, w->image->len, block->data, block->len);
	}
}

/* The bytes of all ranges follow one another. */
static void memory64_list(struct writer *w)
{
	size_t list = begin_stream(w, 9, 16 + 16 * w->memory.count);

	image_u64(w->image, list, w->memory.count);
	image_u64(w->image, list + 8, w->image->len);
	for (size_t i = 0; i < w->memory.count; i++) {
		const struct block *block = &w->memory.blocks[i];
		image_u64(w->image, list + 16 + 16 * i, block->va);
		image_u64(w->image, list + 24 + 16 * i, block->len);
		image_put(w->image, w->image->len, block->data, block->len);
	}
}

/* Blocks that stacks took the bytes of are gone from the list. */
static void drop_empty(struct memory *memory)
{
	size_t kept = 0;

	for (size_t i = 0; i < memory->count; i++) {
		if (memory->blocks[i].len) {
			struct block block = memory->blocks[i];
			memory->blocks[i] = memory->blocks[kept];
			memory->blocks[kept++] = block;
		}
	}
	for (size_t i = kept; i < memory->count; i++)
		free(memory->blocks[i].data);
	memory->count = kept;
}

void add_memory_list(struct writer *w)
{
	drop_empty(&w->memory);
	if (recipe_last(w->recipe, "memory64"))
		memory64_list(w);
	else
		memory_list(w);
}

void build_mdmp(struct recipe *recipe, struct image *image)
{
	struct writer w = { .recipe = recipe,
		            .image = image,
		            .machine = recipe_word(recipe, "machine", "x64") };
	const struct line *time = recipe_last(recipe, "time");

	image_extend(image, DIRECTORY + 12 * MAX_STREAMS);
	image_put(image, 0, "MDMP", 4);
	image_u32(image, 4, 0x62f0a793);
	image_u32(image, 12, DIRECTORY);
	image_u32(image, 20, time ? recipe_unix_time(recipe, time, 1) : 0);
	image_u64(image, 24, recipe_setting(recipe, "flags", 0x41824));
	memory_collect(recipe, &w.memory);
	add_system_info(&w);
	add_misc_info(&w);
	add_modules(&w);
	add_unloaded_modules(&w);
	add_threads(&w);
	add_exception(&w);
	add_thread_extras(&w);
	add_memory_info(&w);
	add_extras(&w);
	add_given_streams(&w);
	add_memory_list(&w);
	image_u32(image, 8, (uint32_t)w.streams);
	memory_free(&w.memory);
}

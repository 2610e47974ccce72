/* MDMP: header, directory, and the streams that a recipe's lines ask for. */
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STREAMS = 48, DIRECTORY = 0x20 };

struct writer {
	struct recipe *recipe;
	struct image *image;
	size_t streams;
	const char *machine;
};

static void stream(struct writer *w, uint32_t type, size_t off, size_t len)
{
	size_t entry = DIRECTORY + 12 * w->streams;

	if (w->streams++ == MAX_STREAMS) {
		recipe_fail(w->recipe, NULL, "more than %d streams", MAX_STREAMS);
		return;
	}
	image_u32(w->image, entry, type);
	image_u32(w->image, entry + 4, (uint32_t)len);
	image_u32(w->image, entry + 8, (uint32_t)off);
}

static size_t count_lines(const struct recipe *recipe, const char *keyword)
{
	const struct line *line = NULL;
	size_t count = 0;

	while ((line = recipe_next(recipe, keyword, line)))
		count++;
	return count;
}

/* MINIDUMP_STRING: bytes, UTF-16, NUL. */
static size_t string(struct writer *w, const char *text)
{
	size_t at = image_align(w->image, 4);
	size_t bytes = image_utf16(w->image, at + 4, text);

	image_u32(w->image, at, (uint32_t)bytes);
	return at;
}

static size_t context(struct writer *w, const struct line *line, size_t *len)
{
	uint8_t bytes[CONTEXT64];
	size_t at = image_align(w->image, 16);

	*len = build_context(w->recipe, line, w->machine, bytes);
	if (!strcmp(w->machine, "x64") && !strstr(line->rest, "cs="))
		bytes[0x38] = 0x33;
	image_put(w->image, at, bytes, *len);
	return at;
}

static void system_info(struct writer *w)
{
	const struct line *os = recipe_last(w->recipe, "os");
	const char *csd = recipe_word(w->recipe, "csd", "");
	uint16_t machine = !strcmp(w->machine, "x86") ? 0 : !strcmp(w->machine, "arm64") ? 12 : 9;
	size_t at = image_align(w->image, 4);

	image_put(w->image, at + 55, "", 1);
	image_u16(w->image, at, machine);
	image_u16(w->image, at + 2, 6);
	image_put(w->image, at + 6, &(uint8_t){ (uint8_t)recipe_setting(w->recipe, "processors", 4) }, 1);
	image_put(w->image, at + 7, "\1", 1);
	image_u32(w->image, at + 8, os ? (uint32_t)recipe_number(w->recipe, os, 1) : 10);
	image_u32(w->image, at + 12, os ? (uint32_t)recipe_number(w->recipe, os, 2) : 0);
	image_u32(w->image, at + 16, os ? (uint32_t)recipe_number(w->recipe, os, 3) : 19041);
	image_u32(w->image, at + 20, (uint32_t)recipe_setting(w->recipe, "platform", 2));
	if (machine == 0)
		image_put(w->image, at + 0x20, "GenuineIntel", 12);
	stream(w, 7, at, 56);
	image_u32(w->image, at + 24, (uint32_t)string(w, csd));
}

static void misc_info(struct writer *w)
{
	const struct line *pid = recipe_last(w->recipe, "pid"), *created = recipe_last(w->recipe, "created");
	size_t at = image_align(w->image, 4);

	if (!pid && !created)
		return;
	image_put(w->image, at + 23, "", 1);
	image_u32(w->image, at, 24);
	image_u32(w->image, at + 4, (pid ? 1u : 0) | (created ? 2u : 0));
	image_u32(w->image, at + 8, pid ? (uint32_t)recipe_number(w->recipe, pid, 1) : 0);
	if (created)
		image_u32(w->image, at + 12, (uint32_t)((recipe_time(w->recipe, created, 1) - 116444736000000000u) / 10000000u));
	stream(w, 15, at, 24);
}

static void version(struct writer *w, size_t at, const char *text)
{
	unsigned a = 0, b = 0, c = 0, d = 0;

	if (!text || sscanf(text, "%u.%u.%u.%u", &a, &b, &c, &d) != 4)
		return;
	image_u32(w->image, at, 0xfeef04bd);
	image_u32(w->image, at + 4, 0x10000);
	image_u32(w->image, at + 8, a << 16 | b);
	image_u32(w->image, at + 12, c << 16 | d);
}

/* RSDS, GUID, age, path. */
static void codeview(struct writer *w, size_t at, const struct line *line)
{
	const char *guid = recipe_value(line, "guid"), *pdb = recipe_value(line, "pdb");
	uint8_t bytes[16] = { 0 };

	if (!guid || strlen(guid) != 32)
		return;
	for (size_t i = 0; i < 16; i++) {
		unsigned byte = 0;
		sscanf(guid + 2 * i, "%2x", &byte);
		bytes[i] = (uint8_t)byte;
	}
	/* Printed with the first three numbers big-endian, stored little-endian. */
	const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t cv = image_align(w->image, 4);
	image_put(w->image, cv, "RSDS", 4);
	for (size_t i = 0; i < 16; i++)
		image_put(w->image, cv + 4 + i, &bytes[order[i]], 1);
	image_u32(w->image, cv + 20, (uint32_t)recipe_value_number(w->recipe, line, "age", 1));
	image_put(w->image, cv + 24, pdb ? pdb : "a.pdb", strlen(pdb ? pdb : "a.pdb") + 1);
	image_u32(w->image, at + 0x4c, (uint32_t)(w->image->len - cv));
	image_u32(w->image, at + 0x50, (uint32_t)cv);
}

static void modules(struct writer *w)
{
	size_t count = count_lines(w->recipe, "module"), list = image_align(w->image, 4), at = list + 4;
	const struct line *line = NULL;

	image_put(w->image, list + 4 + 108 * count, "", 0);
	image_u32(w->image, list, (uint32_t)count);
	stream(w, 4, list, 4 + 108 * count);
	for (; (line = recipe_next(w->recipe, "module", line)); at += 108) {
		const char *path = recipe_value(line, "path");
		image_u64(w->image, at, recipe_number(w->recipe, line, 2));
		image_u32(w->image, at + 8, (uint32_t)recipe_number(w->recipe, line, 3));
		image_u32(w->image, at + 12, (uint32_t)recipe_value_number(w->recipe, line, "checksum", 0));
		image_u32(w->image, at + 16, (uint32_t)recipe_value_number(w->recipe, line, "timestamp", 0x60000000));
		image_u32(w->image, at + 20, (uint32_t)string(w, path ? path : line->words > 1 ? line->word[1] : ""));
		version(w, at + 24, recipe_value(line, "version"));
		codeview(w, at, line);
	}
}

static void unloaded(struct writer *w)
{
	size_t count = count_lines(w->recipe, "unloaded"), list = image_align(w->image, 4), at = list + 12;
	const struct line *line = NULL;

	if (!count)
		return;
	image_put(w->image, list + 12 + 24 * count, "", 0);
	image_u32(w->image, list, 12);
	image_u32(w->image, list + 4, 24);
	image_u32(w->image, list + 8, (uint32_t)count);
	stream(w, 14, list, 12 + 24 * count);
	for (; (line = recipe_next(w->recipe, "unloaded", line)); at += 24) {
		uint64_t base = recipe_number(w->recipe, line, 2);
		image_u64(w->image, at, base);
		image_u32(w->image, at + 8, (uint32_t)(recipe_number(w->recipe, line, 3) - base));
		image_u32(w->image, at + 20, (uint32_t)string(w, line->word[1]));
	}
}

static void memory_list(struct writer *w, struct memory *memory)
{
	size_t list = image_align(w->image, 4);

	image_put(w->image, list + 4 + 16 * memory->count, "", 0);
	image_u32(w->image, list, (uint32_t)memory->count);
	stream(w, 5, list, 4 + 16 * memory->count);
	for (size_t i = 0; i < memory->count; i++) {
		const struct block *b = &memory->blocks[i];
		size_t at = w->image->len, entry = list + 4 + 16 * i;
		image_put(w->image, at, b->data, b->len);
		image_u64(w->image, entry, b->va);
		image_u32(w->image, entry + 8, (uint32_t)b->len);
		image_u32(w->image, entry + 12, (uint32_t)at);
	}
}

static void memory64_list(struct writer *w, struct memory *memory)
{
	size_t list = image_align(w->image, 8), base = list + 16 + 16 * memory->count;

	image_u64(w->image, list, memory->count);
	image_u64(w->image, list + 8, base);
	stream(w, 9, list, 16 + 16 * memory->count);
	for (size_t i = 0; i < memory->count; i++) {
		image_u64(w->image, list + 16 + 16 * i, memory->blocks[i].va);
		image_u64(w->image, list + 24 + 16 * i, memory->blocks[i].len);
	}
	for (size_t i = 0; i < memory->count; i++) {
		image_put(w->image, base, memory->blocks[i].data, memory->blocks[i].len);
		base += memory->blocks[i].len;
	}
}

/* thread ID teb=… stack=VA,LEN registers: the stack's bytes stand in the memory list too. */
static void threads(struct writer *w, struct memory *memory)
{
	size_t count = count_lines(w->recipe, "thread"), list = image_align(w->image, 4), at = list + 4;
	const struct line *line = NULL;

	image_put(w->image, list + 4 + 48 * count, "", 0);
	image_u32(w->image, list, (uint32_t)count);
	stream(w, 3, list, 4 + 48 * count);
	for (; (line = recipe_next(w->recipe, "thread", line)); at += 48) {
		const struct line *stack = NULL, *registers = NULL;
		size_t len = 0;
		image_u32(w->image, at, (uint32_t)recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 16, recipe_value_number(w->recipe, line, "teb", 0));
		while ((stack = recipe_next(w->recipe, "thread-stack", stack)))
			if (recipe_number(w->recipe, stack, 1) == recipe_number(w->recipe, line, 1) && recipe_number(w->recipe, stack, 3) < (1u << 24)) {
				size_t bytes = (size_t)recipe_number(w->recipe, stack, 3), off = image_align(w->image, 16);
				uint8_t *copy = calloc(1, bytes ? bytes : 1);
				memory_take(memory, recipe_number(w->recipe, stack, 2), copy, bytes);
				image_put(w->image, off, copy, bytes);
				free(copy);
				image_u64(w->image, at + 24, recipe_number(w->recipe, stack, 2));
				image_u32(w->image, at + 32, (uint32_t)bytes);
				image_u32(w->image, at + 36, (uint32_t)off);
			}
		while ((registers = recipe_next(w->recipe, "thread-context", registers)))
			if (recipe_number(w->recipe, registers, 1) == recipe_number(w->recipe, line, 1)) {
				size_t off = context(w, registers, &len);
				image_u32(w->image, at + 40, (uint32_t)len);
				image_u32(w->image, at + 44, (uint32_t)off);
			}
	}
}

static void exception(struct writer *w)
{
	const struct line *line = recipe_last(w->recipe, "exception"), *registers = recipe_last(w->recipe, "context");
	const char *info = line ? recipe_value(line, "info") : NULL;
	size_t at = image_align(w->image, 4), count = 0, len = 0;

	if (!line)
		return;
	image_put(w->image, at + 167, "", 1);
	stream(w, 6, at, 168);
	image_u32(w->image, at, (uint32_t)recipe_value_number(w->recipe, line, "thread", 1));
	image_u32(w->image, at + 8, (uint32_t)recipe_value_number(w->recipe, line, "code", 0xc0000005));
	image_u32(w->image, at + 12, (uint32_t)recipe_value_number(w->recipe, line, "flags", 0));
	image_u64(w->image, at + 16, recipe_value_number(w->recipe, line, "nested", 0));
	image_u64(w->image, at + 24, recipe_value_number(w->recipe, line, "address", 0));
	while (info && count < 15) {
		image_u64(w->image, at + 40 + 8 * count++, strtoull(info, NULL, 0));
		info = strchr(info, ',');
		info = info ? info + 1 : NULL;
	}
	image_u32(w->image, at + 32, (uint32_t)recipe_value_number(w->recipe, line, "count", count));
	if (!registers)
		return;
	size_t off = context(w, registers, &len);
	image_u32(w->image, at + 160, (uint32_t)len);
	image_u32(w->image, at + 164, (uint32_t)off);
}

static void thread_names(struct writer *w)
{
	size_t count = count_lines(w->recipe, "thread-name"), list = image_align(w->image, 4), at = list + 4;
	const struct line *line = NULL;

	if (!count)
		return;
	image_put(w->image, list + 4 + 12 * count, "", 0);
	image_u32(w->image, list, (uint32_t)count);
	stream(w, 24, list, 4 + 12 * count);
	for (; (line = recipe_next(w->recipe, "thread-name", line)); at += 12) {
		image_u32(w->image, at, (uint32_t)recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 4, string(w, line->words > 2 ? line->word[2] : ""));
	}
}

/* memory-info BASE SIZE STATE PROTECT TYPE */
static void memory_info(struct writer *w)
{
	size_t count = count_lines(w->recipe, "memory-info"), list = image_align(w->image, 8), at = list + 16;
	const struct line *line = NULL;

	if (!count)
		return;
	image_put(w->image, list + 16 + 48 * count, "", 0);
	image_u32(w->image, list, 16);
	image_u32(w->image, list + 4, 48);
	image_u64(w->image, list + 8, count);
	stream(w, 16, list, 16 + 48 * count);
	for (; (line = recipe_next(w->recipe, "memory-info", line)); at += 48) {
		image_u64(w->image, at, recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 8, recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 24, recipe_number(w->recipe, line, 2));
		image_u32(w->image, at + 32, (uint32_t)recipe_number(w->recipe, line, 3));
		image_u32(w->image, at + 36, (uint32_t)recipe_number(w->recipe, line, 4));
		image_u32(w->image, at + 40, (uint32_t)recipe_number(w->recipe, line, 5));
	}
}

/* Streams given as text or as hex digits. */
static void other_streams(struct writer *w)
{
	const struct line *line = NULL, *comment = recipe_last(w->recipe, "comment");

	if (comment) {
		const char *text = comment->rest + strlen("comment");
		while (*text == ' ')
			text++;
		size_t at = image_align(w->image, 4);
		size_t bytes = image_utf16(w->image, at, text);
		stream(w, 11, at, bytes + 2);
	}
	while ((line = recipe_next(w->recipe, "stream", line))) {
		size_t len, at = image_align(w->image, 4);
		uint8_t *bytes = recipe_hex(w->recipe, line, 2, &len);
		image_put(w->image, at, bytes, len);
		stream(w, (uint32_t)recipe_number(w->recipe, line, 1), at, len);
		free(bytes);
	}
	while ((line = recipe_next(w->recipe, "text-stream", line))) {
		size_t at = image_align(w->image, 4), len = 0;
		for (size_t i = 2; i < line->words; i++) {
			/* \n and \t as a shell's printf has them. */
			for (const char *p = line->word[i]; *p; p++) {
				char c = *p;
				if (c == '\\' && p[1] == 'n')
					c = '\n', p++;
				else if (c == '\\' && p[1] == 't')
					c = '\t', p++;
				image_put(w->image, at + len++, &c, 1);
			}
		}
		stream(w, (uint32_t)recipe_number(w->recipe, line, 1), at, len);
	}
}

void build_mdmp(struct recipe *recipe, struct image *image)
{
	struct writer w = { .recipe = recipe, .image = image, .machine = recipe_word(recipe, "machine", "x64") };
	const struct line *time = recipe_last(recipe, "time");
	struct memory memory = { 0 };

	image_put(image, DIRECTORY + 12 * MAX_STREAMS - 1, "", 1);
	image_put(image, 0, "MDMP", 4);
	image_u32(image, 4, 0x62f0a793);
	image_u32(image, 12, DIRECTORY);
	if (time)
		image_u32(image, 20, (uint32_t)((recipe_time(recipe, time, 1) - 116444736000000000u) / 10000000u));
	image_u64(image, 24, recipe_setting(recipe, "flags", 0x41824));
	memory_collect(recipe, &memory, !strcmp(w.machine, "x86"));
	system_info(&w);
	misc_info(&w);
	modules(&w);
	unloaded(&w);
	threads(&w, &memory);
	exception(&w);
	thread_names(&w);
	memory_info(&w);
	other_streams(&w);
	if (recipe_last(recipe, "memory64"))
		memory64_list(&w, &memory);
	else
		memory_list(&w, &memory);
	image_u32(image, 8, (uint32_t)w.streams);
	memory_free(&memory);
}

/* MDMP: modules, threads, the exception. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user.h"

enum { MODULE = 108, UNLOADED = 24, THREAD = 48, THREAD_INFO = 64, EXCEPTION = 168 };

/* VS_FIXEDFILEINFO with the file version a.b.c.d. */
static void version(struct writer *w, const struct line *line, size_t at)
{
	const char *text = recipe_value(line, "version");
	unsigned a, b, c, d;

	if (!text)
		return;
	if (sscanf(text, "%u.%u.%u.%u", &a, &b, &c, &d) != 4) {
		recipe_fail(w->recipe, line, "a version is a.b.c.d");
		return;
	}
	image_u32(w->image, at, 0xfeef04bd);
	image_u32(w->image, at + 4, 0x10000);
	image_u32(w->image, at + 8, a << 16 | b);
	image_u32(w->image, at + 12, c << 16 | d);
}

/* RSDS: a GUID (printed with its first three numbers big-endian, stored little-endian), an age, a path. */
static size_t codeview(struct writer *w, const struct line *line, const char *guid)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	const char *pdb = recipe_value(line, "pdb");
	size_t at = image_align(w->image, 4);
	uint8_t bytes[16];

	recipe_digits(w->recipe, line, guid, bytes, sizeof(bytes));
	image_put(w->image, at, "RSDS", 4);
	for (size_t i = 0; i < 16; i++)
		image_u8(w->image, at + 4 + i, bytes[order[i]]);
	image_u32(w->image, at + 20, (uint32_t)recipe_value_number(w->recipe, line, "age", 1));
	image_put(w->image, at + 24, pdb ? pdb : "a.pdb", strlen(pdb ? pdb : "a.pdb") + 1);
	return at;
}

/* Breakpad's record of an ELF build id of 20 bytes. */
static size_t build_id(struct writer *w, const struct line *line, const char *id)
{
	size_t at = image_align(w->image, 4);
	uint8_t bytes[20];

	recipe_digits(w->recipe, line, id, bytes, sizeof(bytes));
	image_u32(w->image, at, 0x4270454c);
	image_put(w->image, at + 4, bytes, sizeof(bytes));
	return at;
}

static void debug_record(struct writer *w, const struct line *line, size_t module)
{
	const char *guid = recipe_value(line, "guid"), *id = recipe_value(line, "build-id");

	if (!guid && !id)
		return;
	size_t at = guid ? codeview(w, line, guid) : build_id(w, line, id);
	image_u32(w->image, module + 0x4c, (uint32_t)(w->image->len - at));
	image_u32(w->image, module + 0x50, (uint32_t)at);
}

void add_modules(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "module"), at = begin_stream(w, 4, 4 + MODULE * count);
	const struct line *line = NULL;

	image_u32(w->image, at, (uint32_t)count);
	for (at += 4; (line = recipe_next(w->recipe, "module", line)); at += MODULE) {
		const char *name = recipe_name(w->recipe, line, 1), *path = recipe_value(line, "path");
		image_u64(w->image, at, recipe_number(w->recipe, line, 2));
		image_u32(w->image, at + 8, (uint32_t)recipe_number(w->recipe, line, 3));
		image_u32(w->image, at + 12, (uint32_t)recipe_value_number(w->recipe, line, "checksum", 0));
		image_u32(w->image, at + 16,
		          (uint32_t)recipe_value_number(w->recipe, line, "timestamp", 0x60000000));
		image_u32(w->image, at + 20, (uint32_t)add_string(w, path ? path : name));
		version(w, line, at + 24);
		debug_record(w, line, at);
	}
}

void add_unloaded_modules(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "unloaded"), at;
	const struct line *line = NULL;

	if (!count)
		return;
	at = begin_stream(w, 14, 12 + UNLOADED * count);
	image_u32(w->image, at, 12);
	image_u32(w->image, at + 4, UNLOADED);
	image_u32(w->image, at + 8, (uint32_t)count);
	for (at += 12; (line = recipe_next(w->recipe, "unloaded", line)); at += UNLOADED) {
		uint64_t base = recipe_number(w->recipe, line, 2);
		image_u64(w->image, at, base);
		image_u32(w->image, at + 8, (uint32_t)(recipe_number(w->recipe, line, 3) - base));
		image_u32(w->image, at + 20, (uint32_t)add_string(w, recipe_name(w->recipe, line, 1)));
	}
}

/* The last line of a keyword whose first word is a thread's id. */
static const struct line *line_of_thread(struct writer *w, const char *keyword, uint64_t id)
{
	const struct line *line = NULL, *found = NULL;

	while ((line = recipe_next(w->recipe, keyword, line)))
		if (recipe_number(w->recipe, line, 1) == id)
			found = line;
	return found;
}

static void thread_stack(struct writer *w, const struct line *line, size_t thread)
{
	uint64_t va = recipe_number(w->recipe, line, 2);
	size_t len = recipe_length(w->recipe, line, 3, MOST_BYTES), off = 0;

	if (w->stack_count == MAX_STACKS) {
		recipe_fail(w->recipe, line, "more than %d stacks", MAX_STACKS);
		return;
	}
	/* With all memory in the dump, the stacks are there with the rest. */
	if (!recipe_last(w->recipe, "memory64")) {
		uint8_t *bytes = malloc(len + 1);
		if (!bytes)
			abort();
		memory_take(&w->memory, va, bytes, len);
		off = image_align(w->image, 16);
		image_put(w->image, off, bytes, len);
		free(bytes);
		w->stacks[w->stack_count++] = (struct stack){ va, len, off };
	}
	image_u64(w->image, thread + 24, va);
	image_u32(w->image, thread + 32, (uint32_t)len);
	image_u32(w->image, thread + 36, (uint32_t)off);
}

/* `thread ID teb=…`, `thread-stack ID VA LEN`, `thread-context ID registers`. */
void add_threads(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "thread"), at = begin_stream(w, 3, 4 + THREAD * count);
	const struct line *line = NULL;

	image_u32(w->image, at, (uint32_t)count);
	for (at += 4; (line = recipe_next(w->recipe, "thread", line)); at += THREAD) {
		uint64_t id = recipe_number(w->recipe, line, 1);
		const struct line *stack = line_of_thread(w, "thread-stack", id),
				  *registers = line_of_thread(w, "thread-context", id);
		image_u32(w->image, at, (uint32_t)id);
		image_u32(w->image, at + 4, (uint32_t)recipe_value_number(w->recipe, line, "suspend", 0));
		image_u64(w->image, at + 16, recipe_value_number(w->recipe, line, "teb", 0));
		if (stack)
			thread_stack(w, stack, at);
		if (registers)
			add_context(w, registers, at + 40);
	}
}

static void thread_names(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "thread-name"), at;
	const struct line *line = NULL;

	if (!count)
		return;
	at = begin_stream(w, 24, 4 + 12 * count);
	image_u32(w->image, at, (uint32_t)count);
	for (at += 4; (line = recipe_next(w->recipe, "thread-name", line)); at += 12) {
		image_u32(w->image, at, (uint32_t)recipe_number(w->recipe, line, 1));
		image_u64(w->image, at + 4, add_string(w, line->words > 2 ? line->word[2] : ""));
	}
}

/* `thread-info ID start=… flags=…`. */
static void thread_info(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "thread-info"), at;
	const struct line *line = NULL;

	if (!count)
		return;
	at = begin_stream(w, 17, 12 + THREAD_INFO * count);
	image_u32(w->image, at, 12);
	image_u32(w->image, at + 4, THREAD_INFO);
	image_u32(w->image, at + 8, (uint32_t)count);
	for (at += 12; (line = recipe_next(w->recipe, "thread-info", line)); at += THREAD_INFO) {
		image_u32(w->image, at, (uint32_t)recipe_number(w->recipe, line, 1));
		image_u32(w->image, at + 4, (uint32_t)recipe_value_number(w->recipe, line, "flags", 0));
		image_u32(w->image, at + 12, 0x103);
		image_u64(w->image, at + 0x30, recipe_value_number(w->recipe, line, "start", 0));
		image_u64(w->image, at + 0x38, 0xff);
	}
}

void add_thread_extras(struct writer *w)
{
	thread_names(w);
	thread_info(w);
}

/* `exception thread=… code=… address=… info=…`; its context is the `context` line's. */
void add_exception(struct writer *w)
{
	const struct line *line = recipe_last(w->recipe, "exception"),
			  *registers = recipe_last(w->recipe, "context");
	uint64_t info[15];

	if (!line)
		return;
	size_t count = recipe_value_numbers(w->recipe, line, "info", info, 15),
	       at = begin_stream(w, 6, EXCEPTION);
	image_u32(w->image, at, (uint32_t)recipe_value_number(w->recipe, line, "thread", 1));
	image_u32(w->image, at + 8, (uint32_t)recipe_value_number(w->recipe, line, "code", 0xc0000005));
	image_u32(w->image, at + 12, (uint32_t)recipe_value_number(w->recipe, line, "flags", 0));
	image_u64(w->image, at + 16, recipe_value_number(w->recipe, line, "nested", 0));
	image_u64(w->image, at + 24, recipe_value_number(w->recipe, line, "address", 0));
	image_u32(w->image, at + 32, (uint32_t)recipe_value_number(w->recipe, line, "count", count));
	for (size_t i = 0; i < count; i++)
		image_u64(w->image, at + 40 + 8 * i, info[i]);
	if (registers)
		add_context(w, registers, at + 160);
}

#include <stdlib.h>
#include <string.h>

#include "image.h"

static void poke(struct memory *memory, uint64_t va, const uint8_t *data, size_t len, bool raw)
{
	if (memory->count == memory->cap) {
		memory->cap = memory->cap ? memory->cap * 2 : 64;
		memory->blocks = realloc(memory->blocks, memory->cap * sizeof(*memory->blocks));
		if (!memory->blocks)
			abort();
	}
	struct block *block = &memory->blocks[memory->count++];
	*block = (struct block){ va, malloc(len ? len : 1), len, raw };
	if (len)
		memcpy(block->data, data, len);
}

static void poke_word(struct memory *memory, uint64_t va, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	poke(memory, va, bytes, size, false);
}

/* ---- register records ------------------------------------------------------ */

struct place {
	const char *name;
	unsigned off, size;
};

/* CONTEXT of the three machines: offsets as the WDK's headers have them. */
static const struct place places64[] = {
	{ "flags", 0x30, 4 },  { "cs", 0x38, 2 },    { "ss", 0x42, 2 },    { "rflags", 0x44, 4 }, { "rax", 0x78, 8 },
	{ "rcx", 0x80, 8 },    { "rdx", 0x88, 8 },   { "rbx", 0x90, 8 },   { "rsp", 0x98, 8 },    { "rbp", 0xa0, 8 },
	{ "rsi", 0xa8, 8 },    { "rdi", 0xb0, 8 },   { "r8", 0xb8, 8 },    { "r9", 0xc0, 8 },     { "r10", 0xc8, 8 },
	{ "r11", 0xd0, 8 },    { "r12", 0xd8, 8 },   { "r13", 0xe0, 8 },   { "r14", 0xe8, 8 },    { "r15", 0xf0, 8 },
	{ "rip", 0xf8, 8 },
};
static const struct place places32[] = {
	{ "flags", 0x00, 4 },  { "edi", 0x9c, 4 },   { "esi", 0xa0, 4 },   { "ebx", 0xa4, 4 },    { "edx", 0xa8, 4 },
	{ "ecx", 0xac, 4 },    { "eax", 0xb0, 4 },   { "ebp", 0xb4, 4 },   { "eip", 0xb8, 4 },    { "cs", 0xbc, 4 },
	{ "eflags", 0xc0, 4 }, { "esp", 0xc4, 4 },   { "ss", 0xc8, 4 },
};
static const struct place placesarm[] = {
	{ "flags", 0x00, 4 },  { "cpsr", 0x04, 4 },  { "fp", 0xf0, 8 },    { "lr", 0xf8, 8 },     { "sp", 0x100, 8 },
	{ "pc", 0x108, 8 },
};
/* KTRAP_FRAME of x64. */
static const struct place places_trap[] = {
	{ "mode", 0x28, 1 },   { "irql", 0x29, 1 },  { "rax", 0x30, 8 },   { "rcx", 0x38, 8 },    { "rdx", 0x40, 8 },
	{ "r8", 0x48, 8 },     { "r9", 0x50, 8 },    { "r10", 0x58, 8 },   { "r11", 0x60, 8 },    { "address", 0xd0, 8 },
	{ "rbx", 0x140, 8 },   { "rdi", 0x148, 8 },  { "rsi", 0x150, 8 },  { "rbp", 0x158, 8 },   { "error", 0x160, 8 },
	{ "rip", 0x168, 8 },   { "cs", 0x170, 8 },   { "rflags", 0x178, 8 }, { "rsp", 0x180, 8 }, { "ss", 0x188, 8 },
};
static const struct place places_trap_arm[] = {
	{ "active", 0x00, 1 }, { "address", 0x08, 8 }, { "spsr", 0x90, 4 }, { "esr", 0x94, 4 },   { "sp", 0x98, 8 },
	{ "lr", 0x138, 8 },    { "fp", 0x140, 8 },   { "pc", 0x148, 8 },
};

static void write_number(uint8_t *out, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

/* x0..x28 of ARM64 are numbered: base is where x0 stands. */
static bool arm_register(const char *key, size_t len, unsigned base, unsigned last, unsigned *off)
{
	char *end;

	if (key[0] != 'x')
		return false;
	unsigned long n = strtoul(key + 1, &end, 10);
	if (end != key + len || end == key + 1 || n > last)
		return false;
	*off = base + 8 * (unsigned)n;
	return true;
}

static void fill_record(struct recipe *recipe, const struct line *line, size_t from, const struct place *places, size_t count,
                        unsigned arm_base, unsigned arm_last, uint8_t *out)
{
	for (size_t w = from; w < line->words; w++) {
		const char *word = line->word[w], *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) : 0;
		unsigned off = 0, size = 0;
		for (size_t i = 0; equals && i < count; i++)
			if (strlen(places[i].name) == len && !strncmp(places[i].name, word, len)) {
				off = places[i].off;
				size = places[i].size;
			}
		if (equals && !size && arm_base && arm_register(word, len, arm_base, arm_last, &off))
			size = 8;
		if (size) {
			char key[16] = { 0 };
			memcpy(key, word, len < 15 ? len : 15);
			write_number(out + off, recipe_value_number(recipe, line, key, 0), size);
		} else if (!equals || (strncmp(word, "thread=", 7) && strncmp(word, "va=", 3))) {
			recipe_fail(recipe, line, "'%s' is no register of this machine", word);
		}
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

size_t build_context(struct recipe *recipe, const struct line *line, const char *machine, uint8_t out[CONTEXT64])
{
	size_t from = line->words > 1 && !strchr(line->word[1], '=') ? 2 : 1;

	memset(out, 0, CONTEXT64);
	if (!strcmp(machine, "arm64")) {
		write_number(out, 0x400007, 4);
		fill_record(recipe, line, from, placesarm, COUNT(placesarm), 0x08, 28, out);
		return CONTEXTARM;
	}
	if (!strcmp(machine, "x86")) {
		write_number(out, 0x1003f, 4);
		write_number(out + 0xbc, 0x1b, 4);
		write_number(out + 0xc8, 0x23, 4);
		write_number(out + 0xc0, 0x10246, 4);
		fill_record(recipe, line, from, places32, COUNT(places32), 0, 0, out);
		return CONTEXT32;
	}
	write_number(out + 0x30, 0x10001f, 4);
	write_number(out + 0x38, 0x10, 2);
	write_number(out + 0x42, 0x18, 2);
	write_number(out + 0x44, 0x40282, 4);
	fill_record(recipe, line, from, places64, COUNT(places64), 0, 0, out);
	return CONTEXT64;
}

static void trap_frame(struct recipe *recipe, const struct line *line, struct memory *memory, bool arm)
{
	uint8_t out[0x190] = { 0 };

	if (arm) {
		out[0] = 1;
		fill_record(recipe, line, 2, places_trap_arm, COUNT(places_trap_arm), 0xa0, 18, out);
	} else {
		write_number(out + 0x170, 0x10, 8);
		write_number(out + 0x178, 0x10286, 8);
		write_number(out + 0x188, 0x18, 8);
		fill_record(recipe, line, 2, places_trap, COUNT(places_trap), 0, 0, out);
	}
	poke(memory, recipe_number(recipe, line, 1), out, arm ? 0x150 : 0x190, false);
}

/* EXCEPTION_RECORD64. */
static void exception_record(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	uint8_t out[0x98] = { 0 };
	const char *info = recipe_value(line, "info");
	unsigned count = 0;

	write_number(out, recipe_value_number(recipe, line, "code", 0), 4);
	write_number(out + 4, recipe_value_number(recipe, line, "flags", 0), 4);
	write_number(out + 8, recipe_value_number(recipe, line, "nested", 0), 8);
	write_number(out + 0x10, recipe_value_number(recipe, line, "address", 0), 8);
	for (; info && count < 15; count++) {
		write_number(out + 0x20 + 8 * count, strtoull(info, NULL, 0), 8);
		info = strchr(info, ',');
		info = info ? info + 1 : NULL;
		if (!info) {
			count++;
			break;
		}
	}
	write_number(out + 0x18, recipe_value_number(recipe, line, "count", count), 4);
	poke(memory, recipe_number(recipe, line, 1), out, sizeof(out), false);
}

static void memory_line(struct recipe *recipe, const struct line *line, struct memory *memory, bool x86)
{
	const char *keyword = line->word[0];
	const char *machine = recipe_word(recipe, "machine", "x64");
	uint8_t record[CONTEXT64];

	if (!strcmp(keyword, "word")) {
		for (size_t w = 2; w < line->words; w++)
			poke_word(memory, recipe_number(recipe, line, 1) + (w - 2) * (x86 ? 4 : 8), recipe_number(recipe, line, w), x86 ? 4 : 8);
	} else if (!strcmp(keyword, "bytes") || !strcmp(keyword, "raw-block")) {
		size_t len;
		uint8_t *bytes = recipe_hex(recipe, line, 2, &len);
		poke(memory, recipe_number(recipe, line, 1), bytes, len, keyword[0] == 'r');
		free(bytes);
	} else if (!strcmp(keyword, "zeros")) {
		size_t len = (size_t)recipe_number(recipe, line, 2);
		uint8_t *bytes = calloc(1, len && len < (1u << 24) ? len : 1);
		poke(memory, recipe_number(recipe, line, 1), bytes, len < (1u << 24) ? len : 0, false);
		free(bytes);
	} else if (!strcmp(keyword, "trap-frame")) {
		trap_frame(recipe, line, memory, !strcmp(machine, "arm64"));
	} else if (!strcmp(keyword, "exception-record")) {
		exception_record(recipe, line, memory);
	} else if (!strcmp(keyword, "context-record")) {
		size_t size = build_context(recipe, line, machine, record);
		poke(memory, recipe_number(recipe, line, 1), record, size, false);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->va < y->va ? -1 : x->va > y->va;
}

static void sort(struct memory *memory)
{
	if (memory->count)
		qsort(memory->blocks, memory->count, sizeof(*memory->blocks), by_address);
}

/* Joins what touches or overlaps. Pokes were made in the order of the lines: the later one's bytes stay. */
static void join(struct memory *memory)
{
	struct memory joined = { 0 };

	for (size_t i = 0; i < memory->count; i++) {
		struct block *b = &memory->blocks[i];
		if (b->raw)
			continue;
		uint64_t begin = b->va, end = b->va + b->len;
		uint8_t *all;
		/* Every earlier result that touches this one is taken into it. */
		for (size_t j = 0; j < joined.count; j++) {
			struct block *o = &joined.blocks[j];
			if (o->len && o->va <= end && begin <= o->va + o->len) {
				begin = o->va < begin ? o->va : begin;
				end = o->va + o->len > end ? o->va + o->len : end;
			}
		}
		all = calloc(1, end - begin ? end - begin : 1);
		for (size_t j = 0; j < joined.count; j++) {
			struct block *o = &joined.blocks[j];
			if (o->len && o->va >= begin && o->va + o->len <= end) {
				memcpy(all + (o->va - begin), o->data, o->len);
				o->len = 0;
			}
		}
		memcpy(all + (b->va - begin), b->data, b->len);
		poke(&joined, begin, all, end - begin, false);
		free(all);
	}
	for (size_t i = 0; i < memory->count; i++)
		if (memory->blocks[i].raw)
			poke(&joined, memory->blocks[i].va, memory->blocks[i].data, memory->blocks[i].len, true);
	memory_free(memory);
	*memory = joined;
	sort(memory);
}

void memory_collect(struct recipe *recipe, struct memory *memory, bool x86)
{
	for (size_t i = 0; i < recipe->count && !recipe->failed; i++)
		if (!recipe->lines[i].dropped)
			memory_line(recipe, &recipe->lines[i], memory, x86);
	join(memory);
}

void memory_take(struct memory *memory, uint64_t va, uint8_t *out, size_t len)
{
	uint64_t end = va + len;
	size_t count = memory->count;

	memset(out, 0, len);
	for (size_t i = 0; i < count; i++) {
		struct block b = memory->blocks[i];
		uint64_t b_end = b.va + b.len;
		if (b.raw || b.len == 0 || b_end <= va || b.va >= end)
			continue;
		uint64_t from = b.va > va ? b.va : va, to = b_end < end ? b_end : end;
		memcpy(out + (from - va), b.data + (from - b.va), to - from);
		if (b_end > end)
			poke(memory, end, b.data + (end - b.va), b_end - end, false);
		memory->blocks[i].len = b.va < va ? va - b.va : 0;
	}
	sort(memory);
}

void memory_free(struct memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		free(memory->blocks[i].data);
	free(memory->blocks);
	*memory = (struct memory){ 0 };
}

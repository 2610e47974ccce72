/* Lines of memory: words, bytes, and records by their fields. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

#include "image.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct place {
	const char *name;
	unsigned off, size;
};

static const struct place context64[] = {
	{ "flags", 0x30, 4 },  { "mxcsr", 0x34, 4 }, { "cs", 0x38, 2 },  { "ss", 0x42, 2 },
	{ "rflags", 0x44, 4 }, { "rax", 0x78, 8 },   { "rcx", 0x80, 8 }, { "rdx", 0x88, 8 },
	{ "rbx", 0x90, 8 },    { "rsp", 0x98, 8 },   { "rbp", 0xa0, 8 }, { "rsi", 0xa8, 8 },
	{ "rdi", 0xb0, 8 },    { "r8", 0xb8, 8 },    { "r9", 0xc0, 8 },  { "r10", 0xc8, 8 },
	{ "r11", 0xd0, 8 },    { "r12", 0xd8, 8 },   { "r13", 0xe0, 8 }, { "r14", 0xe8, 8 },
	{ "r15", 0xf0, 8 },    { "rip", 0xf8, 8 },
};
static const struct place context32[] = {
	{ "flags", 0x00, 4 },  { "edi", 0x9c, 4 }, { "esi", 0xa0, 4 }, { "ebx", 0xa4, 4 }, { "edx", 0xa8, 4 },
	{ "ecx", 0xac, 4 },    { "eax", 0xb0, 4 }, { "ebp", 0xb4, 4 }, { "eip", 0xb8, 4 }, { "cs", 0xbc, 4 },
	{ "eflags", 0xc0, 4 }, { "esp", 0xc4, 4 }, { "ss", 0xc8, 4 },
};
static const struct place contextarm[] = {
	{ "flags", 0x00, 4 }, { "cpsr", 0x04, 4 }, { "fp", 0xf0, 8 },
	{ "lr", 0xf8, 8 },    { "sp", 0x100, 8 },  { "pc", 0x108, 8 },
};
static const struct place trap64[] = {
	{ "mode", 0x28, 1 }, { "irql", 0x29, 1 },    { "rax", 0x30, 8 },    { "rcx", 0x38, 8 },
	{ "rdx", 0x40, 8 },  { "r8", 0x48, 8 },      { "r9", 0x50, 8 },     { "r10", 0x58, 8 },
	{ "r11", 0x60, 8 },  { "address", 0xd0, 8 }, { "rbx", 0x140, 8 },   { "rdi", 0x148, 8 },
	{ "rsi", 0x150, 8 }, { "rbp", 0x158, 8 },    { "error", 0x160, 8 }, { "rip", 0x168, 8 },
	{ "cs", 0x170, 8 },  { "rflags", 0x178, 8 }, { "rsp", 0x180, 8 },   { "ss", 0x188, 8 },
};
static const struct place trap32[] = {
	{ "edx", 0x3c, 4 }, { "ecx", 0x40, 4 },   { "eax", 0x44, 4 }, { "edi", 0x54, 4 }, { "esi", 0x58, 4 }, { "ebx", 0x5c, 4 },
	{ "ebp", 0x60, 4 }, { "error", 0x64, 4 }, { "eip", 0x68, 4 }, { "cs", 0x6c, 4 },  { "eflags", 0x70, 4 },
};
static const struct place traparm[] = {
	{ "active", 0x00, 1 }, { "address", 0x08, 8 }, { "spsr", 0x90, 4 }, { "esr", 0x94, 4 },
	{ "sp", 0x98, 8 },     { "lr", 0x138, 8 },     { "fp", 0x140, 8 },  { "pc", 0x148, 8 },
};
static const struct place exception64[] = {
	{ "code", 0x00, 4 },    { "flags", 0x04, 4 }, { "nested", 0x08, 8 },
	{ "address", 0x10, 8 }, { "count", 0x18, 4 },
};
static const struct place irp64[] = {
	{ "stack", 0x42, 1 },
	{ "current", 0x43, 1 },
	{ "thread", 0x98, 8 },
	{ "file", 0xc0, 8 },
};
static const struct place device64[] = {
	{ "driver", 0x08, 8 }, { "next", 0x10, 8 },      { "attached", 0x18, 8 },
	{ "irp", 0x20, 8 },    { "extension", 0x40, 8 },
};
static const struct place driver64[] = {
	{ "device", 0x08, 8 },  { "start", 0x18, 8 },  { "size", 0x20, 4 },
	{ "section", 0x28, 8 }, { "unload", 0x68, 8 },
};

/* A record's fields: the named ones, and x0 to x<last> where the machine numbers its registers. */
struct layout {
	const struct place *places;
	size_t count;
	unsigned x0, last;
};

static const struct layout layout_context64 = { context64, COUNT(context64), 0, 0 };
static const struct layout layout_context32 = { context32, COUNT(context32), 0, 0 };
static const struct layout layout_contextarm = { contextarm, COUNT(contextarm), 0x08, 28 };
static const struct layout layout_trap64 = { trap64, COUNT(trap64), 0, 0 };
static const struct layout layout_trap32 = { trap32, COUNT(trap32), 0, 0 };
static const struct layout layout_traparm = { traparm, COUNT(traparm), 0xa0, 18 };
static const struct layout layout_exception64 = { exception64, COUNT(exception64), 0, 0 };
static const struct layout layout_irp64 = { irp64, COUNT(irp64), 0, 0 };
static const struct layout layout_device64 = { device64, COUNT(device64), 0, 0 };
static const struct layout layout_driver64 = { driver64, COUNT(driver64), 0, 0 };

/* Words that are no fields of the record itself, but are read by who asks for it. */
static const char *const other_keys[] = { "thread", "info", "device", "completion", "context", "major" };

static bool find_place(const struct layout *layout, const char *key, struct place *out)
{
	for (size_t i = 0; i < layout->count; i++)
		if (!strcmp(layout->places[i].name, key)) {
			*out = layout->places[i];
			return true;
		}
	char *end;
	unsigned long n = key[0] == 'x' && layout->x0 ? strtoul(key + 1, &end, 10) : ~0ul;
	if (n > layout->last || key[1] == '\0' || *end)
		return false;
	*out = (struct place){ key, layout->x0 + 8 * (unsigned)n, 8 };
	return true;
}

static bool is_other_key(const char *key)
{
	for (size_t i = 0; i < COUNT(other_keys); i++)
		if (!strcmp(other_keys[i], key))
			return true;
	return false;
}

/* Writes the key=value words from word `from` on into a record. */
static void fill(struct recipe *recipe, const struct line *line, size_t from, const struct layout *layout,
                 uint8_t *out)
{
	for (size_t w = from; w < line->words; w++) {
		const char *word = line->word[w], *equals = strchr(word, '=');
		char key[16] = { 0 };
		struct place place;
		if (equals)
			memcpy(key, word,
			       (size_t)(equals - word) < sizeof(key) ? (size_t)(equals - word)
			                                             : sizeof(key) - 1);
		if (equals && find_place(layout, key, &place))
			put_number(out + place.off, recipe_value_number(recipe, line, key, 0), place.size);
		else if (!equals || !is_other_key(key))
			recipe_fail(recipe, line, "%s has no field '%s'", line->word[0], word);
	}
}

size_t build_context(struct recipe *recipe, const struct line *line, const char *machine,
                     uint8_t out[MOST_CONTEXT])
{
	size_t from = line->words > 1 && !strchr(line->word[1], '=') ? 2 : 1;

	memset(out, 0, MOST_CONTEXT);
	if (!strcmp(machine, "arm64")) {
		put_number(out, 0x400007, 4);
		fill(recipe, line, from, &layout_contextarm, out);
		return CONTEXTARM;
	}
	if (!strcmp(machine, "x86")) {
		put_number(out, 0x1003f, 4);
		put_number(out + 0xbc, 0x1b, 4);
		put_number(out + 0xc8, 0x23, 4);
		put_number(out + 0xc0, 0x10246, 4);
		fill(recipe, line, from, &layout_context32, out);
		return CONTEXT32;
	}
	put_number(out + 0x30, 0x10001f, 4);
	put_number(out + 0x34, 0x1f80, 4);
	put_number(out + 0x118, 0x1f80, 4); /* in the area of FXSAVE */
	put_number(out + 0x38, 0x10, 2);
	put_number(out + 0x42, 0x18, 2);
	put_number(out + 0x44, 0x40282, 4);
	fill(recipe, line, from, &layout_context64, out);
	return CONTEXT64;
}

/* ---- one function a keyword ------------------------------------------------- */

static const char *machine_of(const struct recipe *recipe)
{
	return recipe_word(recipe, "machine", "x64");
}

static void put_words(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	size_t size = !strcmp(machine_of(recipe), "x86") ? 4 : 8;
	uint8_t bytes[8 * MAX_WORDS];
	size_t len = 0;

	if (line->words < 3)
		recipe_fail(recipe, line, "word takes an address and values");
	for (size_t w = 2; w < line->words; w++, len += size)
		put_number(bytes + len, recipe_number(recipe, line, w), size);
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, len, BLOCK_PLAIN);
}

static void put_bytes(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	size_t len;
	uint8_t *bytes = recipe_hex(recipe, line, 2, &len);

	if (!len)
		recipe_fail(recipe, line, "%s takes an address and hex digits", line->word[0]);
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, len,
	            line->word[0][0] == 'r' ? BLOCK_RAW : BLOCK_PLAIN);
	free(bytes);
}

static void put_zeros(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	size_t len = recipe_length(recipe, line, 2, MOST_BYTES);
	uint8_t *bytes = calloc(1, len + 1);

	if (!bytes)
		abort();
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, len, BLOCK_PLAIN);
	free(bytes);
}

static void put_ascii(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	const char *text = recipe_name(recipe, line, 2);

	memory_poke(memory, recipe_number(recipe, line, 1), text, strlen(text) + 1, BLOCK_PLAIN);
}

/* The bytes of a call that ends at `back`: to a function, or (`indirect`) through a pointer. Gives their
 * number. */
static size_t encode_call(struct recipe *recipe, const struct line *line, uint64_t back, bool arm,
                          uint8_t out[8])
{
	bool indirect = !strcmp(recipe_name(recipe, line, 3), "indirect");
	uint64_t target = indirect ? back : recipe_number(recipe, line, 3), from = arm ? back - 4 : back;

	uint64_t reach = arm ? 0x8000000u : 0x80000000u;

	if (target - from + reach >= 2 * reach && !indirect)
		recipe_fail(recipe, line, "a call does not reach that far");
	if (arm) {
		put_number(out, indirect ? 0xd63f0100 : 0x94000000u | ((target - from) >> 2 & 0x3ffffff), 4);
		return 4;
	}
	out[0] = indirect ? 0xff : 0xe8;
	out[1] = 0x15;
	put_number(out + (indirect ? 2 : 1), indirect ? 0x2010 : target - from, 4);
	return indirect ? 6 : 5;
}

/* A return address on the stack, and the call in front of it, among instructions that do nothing where none are
 * given. */
static void put_call(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	enum { BEFORE = 16, BEHIND = 8 };
	uint64_t back = recipe_number(recipe, line, 2);
	bool arm = !strcmp(machine_of(recipe), "arm64");
	uint8_t call[8], around[BEFORE + BEHIND], slot[8];
	size_t size = !strcmp(machine_of(recipe), "x86") ? 4 : 8;

	for (size_t i = 0; i < sizeof(around); i += 4)
		put_number(around + i, arm ? 0xd503201f : 0x90909090, 4);
	memory_poke(memory, back - BEFORE, around, sizeof(around), BLOCK_WEAK);
	size_t len = encode_call(recipe, line, back, arm, call);
	memory_poke(memory, back - len, call, len, BLOCK_PLAIN);
	put_number(slot, back, 8);
	memory_poke(memory, recipe_number(recipe, line, 1), slot, size, BLOCK_PLAIN);
}

static void put_context(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	uint8_t bytes[MOST_CONTEXT];
	size_t len = build_context(
		recipe, line, strcmp(line->word[0], "context32-record") ? machine_of(recipe) : "x86", bytes);

	memory_poke(memory, recipe_number(recipe, line, 1), bytes, len, BLOCK_PLAIN);
}

static void put_trap_frame(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	bool arm = !strcmp(machine_of(recipe), "arm64");
	uint8_t bytes[0x190] = { 0 };

	if (arm) {
		bytes[0] = 1;
		fill(recipe, line, 2, &layout_traparm, bytes);
	} else if (!strcmp(machine_of(recipe), "x86")) {
		put_number(bytes + 0x08, 0xbadb0d00, 4);
		put_number(bytes + 0x6c, 8, 4);
		put_number(bytes + 0x70, 0x10246, 4);
		fill(recipe, line, 2, &layout_trap32, bytes);
		memory_poke(memory, recipe_number(recipe, line, 1), bytes, 0x74, BLOCK_PLAIN);
		return;
	} else {
		put_number(bytes + 0x170, 0x10, 8);
		put_number(bytes + 0x178, 0x10286, 8);
		put_number(bytes + 0x188, 0x18, 8);
		fill(recipe, line, 2, &layout_trap64, bytes);
	}
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, arm ? 0x150 : 0x190, BLOCK_PLAIN);
}

static void put_exception(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	uint8_t bytes[0x98] = { 0 };
	uint64_t info[15];
	size_t count = recipe_value_numbers(recipe, line, "info", info, COUNT(info));

	put_number(bytes + 0x18, count, 4);
	for (size_t i = 0; i < count; i++)
		put_number(bytes + 0x20 + 8 * i, info[i], 8);
	fill(recipe, line, 2, &layout_exception64, bytes);
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, sizeof(bytes), BLOCK_PLAIN);
}

/* An IRP with its stack locations, of which the current one (counted from 1) has a device and a completion
 * routine. */
static void put_irp(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	enum { IRP = 0xd0, LOCATION = 0x48 };
	uint64_t va = recipe_number(recipe, line, 1), count = recipe_value_number(recipe, line, "stack", 1);
	uint64_t current = recipe_value_number(recipe, line, "current", 1);
	uint8_t bytes[IRP + LOCATION * 32] = { 0 };

	if (count < 1 || count > 31 || current > count + 1) {
		recipe_fail(recipe, line, "an IRP has 1 to 31 stack locations, and is at one of them");
		return;
	}
	size_t len = IRP + LOCATION * (size_t)count, at = IRP + LOCATION * (size_t)(current ? current - 1 : 0);
	put_number(bytes, 6, 2);
	put_number(bytes + 2, len, 2);
	bytes[0x42] = (uint8_t)count;
	bytes[0x43] = (uint8_t)current;
	put_number(bytes + 0xb8, va + at, 8);
	bytes[at] = (uint8_t)recipe_value_number(recipe, line, "major", 0x16);
	put_number(bytes + at + 0x28, recipe_value_number(recipe, line, "device", 0), 8);
	put_number(bytes + at + 0x38, recipe_value_number(recipe, line, "completion", 0), 8);
	put_number(bytes + at + 0x40, recipe_value_number(recipe, line, "context", 0), 8);
	fill(recipe, line, 2, &layout_irp64, bytes);
	memory_poke(memory, va, bytes, len, BLOCK_PLAIN);
}

static void put_object(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	bool device = !strcmp(line->word[0], "device-object");
	uint8_t bytes[0x150] = { 0 };

	put_number(bytes, device ? 3 : 4, 2);
	put_number(bytes + 2, sizeof(bytes), 2);
	fill(recipe, line, 2, device ? &layout_device64 : &layout_driver64, bytes);
	memory_poke(memory, recipe_number(recipe, line, 1), bytes, sizeof(bytes), BLOCK_PLAIN);
}

static const struct {
	const char *keyword;
	void (*put)(struct recipe *recipe, const struct line *line, struct memory *memory);
} kinds[] = {
	{ "word", put_words },
	{ "bytes", put_bytes },
	{ "raw-block", put_bytes },
	{ "zeros", put_zeros },
	{ "ascii", put_ascii },
	{ "call-frame", put_call },
	{ "context-record", put_context },
	{ "context32-record", put_context },
	{ "trap-frame", put_trap_frame },
	{ "exception-record", put_exception },
	{ "irp", put_irp },
	{ "device-object", put_object },
	{ "driver-object", put_object },
};

void record_line(struct recipe *recipe, const struct line *line, struct memory *memory)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!strcmp(kinds[i].keyword, line->word[0])) {
			kinds[i].put(recipe, line, memory);
			return;
		}
}

bool record_keyword(const char *keyword)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!strcmp(kinds[i].keyword, keyword))
			return true;
	return false;
}

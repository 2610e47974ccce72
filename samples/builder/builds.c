/* The sizes and offsets of kernels, and the parts of a triage dump that are laid out by them. */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

/*
 * `told` is what KDDEBUGGER_DATA64 of real dumps of these builds says, but for 22000 on x64, which no dump was
 * at hand of: there it is 19041's with the sizes moved. ETHREAD.Cid of ARM64 is where its only dump has process
 * and thread id.
 */
static const struct build builds[] = {
	{ .build = 9600, .machine = "x64", .kdbg_size = 0x360, .kdbg_rva = 0x29f530, .list_rva = 0x2d2650,
	  .told = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, 0x6f0, 0x3e8,
	            0x3d0, 0x28, 0x5d80, 0x2dea, 8, 0x5f4, 0x5f0, 0x5958, 0x120, 0x24, 0x778 },
	  .special = 0x40, .context = 0x5980, .name = 0x68, .pid_before = 0xf0, .cid = 0x620, .stack_limit = 0x30, .stack_base = 0x38 },
	{ .build = 17763, .machine = "x64", .kdbg_size = 0x380, .kdbg_rva = 0x3fd5e0, .list_rva = 0x419710,
	  .told = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, 0x850, 0x3f8,
	            0x3e0, 0x28, 0x7ec0, 0x2e6a, 8, 0x44, 0x40, 0x6290, 0x1f0, 0x24, 0x810 },
	  .special = 0x100, .context = 0x62c0, .name = 0x70, .pid_before = 0x100, .cid = 0x638, .stack_limit = 0x30, .stack_base = 0x38 },
	{ .build = 19041, .machine = "x64", .kdbg_size = 0x380, .kdbg_rva = 0xc00b20, .list_rva = 0xc2a2d0,
	  .told = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, 0xa40, 0x550,
	            0x540, 0x28, 0xaf00, 0x312a, 8, 0x44, 0x40, 0x8590, 0x1f0, 0x24, 0x898 },
	  .special = 0x100, .context = 0x85c0, .name = 0x68, .pid_before = 0x100, .cid = 0x478, .stack_limit = 0x30, .stack_base = 0x38, .start = 0x4d0 },
	{ .build = 22000, .machine = "x64", .kdbg_size = 0x380, .kdbg_rva = 0xc00b20, .list_rva = 0xc2a2d0,
	  .told = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, 0xb80, 0x550,
	            0x540, 0x28, 0xb700, 0x332a, 8, 0x44, 0x40, 0x8990, 0x1f0, 0x24, 0x900 },
	  .special = 0x100, .context = 0x89c0, .name = 0x68, .pid_before = 0x100, .cid = 0x4c8, .stack_limit = 0x30, .stack_base = 0x38, .start = 0x520 },
	{ .build = 26100, .machine = "x64", .kdbg_size = 0x3a0, .kdbg_rva = 0xe01040, .list_rva = 0xef4790,
	  .told = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, 0x840, 0x2e0,
	            0x2d0, 0x28, 0xcf00, 0x38ba, 8, 0x44, 0x40, 0x8f90, 0x1f0, 0x24, 0x788 },
	  .special = 0x100, .context = 0x8fc0, .name = 0x68, .pid_before = 0x100, .cid = 0x508, .stack_limit = 0x30, .stack_base = 0x38 },
	{ .build = 22000, .machine = "arm64", .kdbg_size = 0x380, .kdbg_rva = 0xc00d00, .list_rva = 0xc2aa20,
	  .told = { 0x238, 0xe8, 0x58, 0x28, 0xb0, 0x17c, 0, 0, 0xc80, 0x508,
	            0x4f8, 0x28, 0x9680, 0x0b1a, 8, 0x6f4, 0x6f0, 0x890, 0x360, 0x24, 0x910 },
	  .special = 0x40, .context = 0x08a0, .name = 0x68, .pid_before = 0x100, .cid = 0x4e8, .stack_limit = 0x30, .stack_base = 0x38 },
	/* 32-bit Windows 7, of published structures: no dump was at hand. */
	{ .build = 7601, .machine = "x86", .kdbg_size = 0x340, .kdbg_rva = 0x12dbe8, .list_rva = 0x14a4f0,
	  .told = { 0x18c, 0x88, 0x30, 0x28, 0x50, 0x68, 0, 0, 0x2c0, 0x1a8,
	            0x140, 0x18, 0x3628, 0x1a4, 4, 0x3c4, 0x3c0, 0x3bc, 0x18, 0x3cc, 0x2b8 },
	  .special = 0x2ec, .context = 0x3620, .name = 0x2c, .pid_before = 0x8c, .cid = 0x22c },
};

enum { SOME_BUILD = 2 };

const struct build *build_row(uint64_t build, const char *machine)
{
	size_t count = sizeof(builds) / sizeof(builds[0]);
	const struct build *best = !strcmp(machine, "arm64") ? &builds[count - 2] : !strcmp(machine, "x86") ? &builds[count - 1] : &builds[SOME_BUILD];

	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		if (builds[i].build <= build && !strcmp(builds[i].machine, machine))
			best = &builds[i];
	return best;
}

uint64_t kernel_base(struct recipe *recipe)
{
	const struct line *first = recipe_next(recipe, "module", NULL);

	return first ? recipe_number(recipe, first, 2) : 0xfffff80600000000u;
}

static bool is_narrow(const struct build *b)
{
	return !strcmp(b->machine, "x86");
}

/* An address that a recipe does not give. */
static uint64_t somewhere(const struct build *b, uint32_t low)
{
	return is_narrow(b) ? 0x86000000u | (low & 0xffffff) : 0xffffd00000000000u | low;
}

void kdbg_bytes(struct recipe *recipe, const struct build *b, uint8_t out[MOST_PART])
{
	bool arm = !strcmp(b->machine, "arm64"), narrow = is_narrow(b);

	memset(out, 0, MOST_PART);
	memcpy(out + 0x10, "KDBG", 4);
	put_number(out + 0x14, b->kdbg_size, 4);
	put_number(out + 0x18, kernel_base(recipe), 8);
	put_number(out + 0x48, kernel_base(recipe) + b->list_rva, 8);
	for (size_t i = 0; i < sizeof(b->told) / sizeof(b->told[0]); i++)
		put_number(out + 0x298 + 2 * i, b->told[i], 2);
	put_number(out + 0x2e0, arm ? 0xa000 : b->told[TOLD_PRCB] + 0x180u, 2);
	put_number(out + 0x2e2, 0x18, 2);
	put_number(out + 0x2e4, arm ? 0 : 0x20, 2);
	put_number(out + 0x2e6, arm ? 0x980 : narrow ? 0x120 : 0x180, 2);
	put_number(out + 0x2f2, b->special, 2);
	put_number(out + 0x338, b->context, 2);
	/* Older blocks end before. */
	if (b->kdbg_size > 0x344) {
		put_number(out + 0x340, b->stack_limit, 4);
		put_number(out + 0x344, b->stack_base, 4);
	}
}

void add_kdbg(struct triage *t)
{
	uint8_t bytes[MOST_PART];

	kdbg_bytes(t->recipe, t->build, bytes);
	add_part(t, t->narrow ? 0x58 : 0x70, bytes, t->build->kdbg_size);
	image_u32(t->image, t->at + (t->narrow ? 0x5c : 0x74), t->build->kdbg_size);
}

/* A number of a keyword's line, or what it is where the recipe is silent. */
static uint64_t told(struct recipe *recipe, const char *keyword, const char *key, uint64_t fallback)
{
	const struct line *line = recipe_last(recipe, keyword);

	return line ? recipe_value_number(recipe, line, key, fallback) : fallback;
}

void processor_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART])
{
	const struct line *cpu = recipe_last(recipe, "cpu");
	const char *vendor = cpu ? recipe_value(cpu, "vendor") : NULL;

	memset(bytes, 0, MOST_PART);
	size_t width = is_narrow(b) ? 4 : 8;
	put_number(bytes + b->told[TOLD_CURRENT_THREAD], told(recipe, "thread", "va", somewhere(b, DEFAULT_THREAD)), width);
	put_number(bytes + b->told[TOLD_NUMBER], told(recipe, "cpu", "number", 0), 4);
	put_number(bytes + b->told[TOLD_MHZ], told(recipe, "cpu", "mhz", 2400), 4);
	if (!vendor && !strcmp(b->machine, "x64"))
		vendor = "GenuineIntel";
	if (vendor)
		memcpy(bytes + b->told[TOLD_VENDOR], vendor, strnlen(vendor, 12));
	put_number(bytes + b->special, 0x80050033, width);
	put_number(bytes + b->special + width, told(recipe, "cpu", "cr2", 0), width);
	put_number(bytes + b->special + 2 * width, recipe_setting(recipe, "dtb", DEFAULT_DTB), width);
	put_number(bytes + b->special + 3 * width, 0x350ef8, width);
}

void add_processor(struct triage *t)
{
	uint8_t bytes[MOST_PART];

	processor_bytes(t->recipe, t->build, bytes);
	add_part(t, 0x1c, bytes, t->build->told[TOLD_PRCB]);
}

void process_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART])
{
	unsigned parent = b->told[TOLD_PARENT_CID];
	const char *name = recipe_word(recipe, "process", "System");

	memset(bytes, 0, MOST_PART);
	put_number(bytes, 3, 1);
	size_t width = is_narrow(b) ? 4 : 8;
	put_number(bytes + b->told[TOLD_DTB], recipe_setting(recipe, "dtb", DEFAULT_DTB), width);
	/* The kernel keeps 14 characters. */
	memcpy(bytes + parent + b->name, name, strnlen(name, 14));
	put_number(bytes + parent - b->pid_before, told(recipe, "process", "pid", 4), width);
}

void add_process(struct triage *t)
{
	uint8_t bytes[MOST_PART];

	process_bytes(t->recipe, t->build, bytes);
	add_part(t, 0x20, bytes, t->build->told[TOLD_EPROCESS]);
}

void thread_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART])
{
	const struct line *stack = recipe_last(recipe, "stack");
	uint64_t va = stack ? recipe_number(recipe, stack, 1) : (is_narrow(b) ? 0x8a006000u : 0xffffa00000006000u);
	uint64_t end = va + (stack ? recipe_length(recipe, stack, 2, MOST_BYTES) : 0);
	uint64_t base = told(recipe, "thread", "stack-base", (end + 0xfff) & ~0xfffull);

	size_t width = is_narrow(b) ? 4 : 8;

	memset(bytes, 0, MOST_PART);
	put_number(bytes, 6, 1);
	put_number(bytes + b->told[TOLD_INITIAL_STACK], base - 0x370, width);
	put_number(bytes + b->told[TOLD_INITIAL_STACK] + width, told(recipe, "thread", "stack-limit", base - 0x6000), width);
	if (b->stack_base)
		put_number(bytes + b->stack_base, base, width);
	put_number(bytes + b->told[TOLD_KERNEL_STACK], va, width);
	put_number(bytes + b->told[TOLD_APC_PROCESS], told(recipe, "process", "va", somewhere(b, DEFAULT_PROCESS)), width);
	put_number(bytes + b->told[TOLD_STATE], 2, 1);
	put_number(bytes + b->told[TOLD_TEB], told(recipe, "thread", "teb", 0), width);
	put_number(bytes + b->cid, told(recipe, "process", "pid", 4), width);
	put_number(bytes + b->cid + width, told(recipe, "thread", "tid", 0x1a4), width);
	if (b->start)
		put_number(bytes + b->start, told(recipe, "thread", "start", 0), 8);
}

void add_thread(struct triage *t)
{
	uint8_t bytes[MOST_PART];

	thread_bytes(t->recipe, t->build, bytes);
	add_part(t, 0x24, bytes, t->build->told[TOLD_ETHREAD]);
}

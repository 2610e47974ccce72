#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pe.h"
#include "records.h"

/* Kernel addresses of 64-bit machines; 32-bit ones have the same low half. */
#define HIGH UINT64_C(0xffffd00000000000)

static bool narrow(const struct world *world)
{
	return !strcmp(recipe_word(world->recipe, "machine", "x64"), "x86");
}

static size_t width(const struct world *world)
{
	return narrow(world) ? 4 : 8;
}

/* 32-bit machines have less room: 16 MiB become one. */
static uint64_t place(const struct world *world, uint64_t low)
{
	return narrow(world) ? 0x84000000 + ((low >> 24) << 20 | (low >> 4 & 0xf0000) | (low & 0xffff)) : HIGH + low;
}

static void pointer(struct world *world, uint64_t va, uint64_t value)
{
	world_number(world, va, value, width(world));
}

/* UNICODE_STRING and its text behind it; gives where the next one may stand. */
static uint64_t wide_string(struct world *world, uint64_t va, uint64_t text_va, const char *text)
{
	size_t len = strlen(text);

	world_number(world, va, 2 * len, 2);
	world_number(world, va + 2, 2 * len + 2, 2);
	pointer(world, va + width(world), text_va);
	for (size_t i = 0; i <= len; i++)
		world_number(world, text_va + 2 * i, (uint8_t)text[i], 2);
	return text_va + 2 * len + 2;
}

/* ---- images --------------------------------------------------------------------- */

static void image_header(struct world *world, const struct build *b, const struct line *line, size_t index)
{
	uint64_t base = recipe_number(world->recipe, line, 2);
	uint8_t page[PE_PAGE];
	struct pe pe = {
		.size = recipe_number(world->recipe, line, 3),
		.timestamp = recipe_value_number(world->recipe, line, "timestamp", 0x5f000000 + index),
		.checksum = recipe_value_number(world->recipe, line, "checksum", 0x1f000 + index),
		.wide = !narrow(world),
		.version = recipe_value(line, "version"),
		.company = recipe_value(line, "company"),
	};

	if (index == 0) {
		static const struct {
			const char *name;
			uint32_t off;
		} exports[] = { { "KiBugCheckData", 0x400 }, { "NtBuildLab", 0x500 }, { "NtBuildNumber", 0x440 }, { "PsInitialSystemProcess", 0x448 }, { "PsLoadedModuleList", 0 } };
		pe.name = "ntoskrnl.exe";
		for (; pe.export_count < sizeof(exports) / sizeof(exports[0]); pe.export_count++) {
			pe.exports[pe.export_count].name = exports[pe.export_count].name;
			pe.exports[pe.export_count].rva = b->list_rva + exports[pe.export_count].off;
		}
		pe.data_rva = b->kdbg_rva & ~0xfffu;
		pe.data_size = (b->list_rva + 0x2000 - pe.data_rva) & ~0xfffu;
	}
	pe_build(world->recipe, &pe, page);
	world_poke(world, base, page, sizeof(page));
}

/* KLDR_DATA_TABLE_ENTRY. */
static void module_entry(struct world *world, const struct line *line, size_t index, uint64_t va)
{
	bool is_narrow = narrow(world);
	const char *name = recipe_name(world->recipe, line, 1), *given = recipe_value(line, "path");
	char path[512];

	snprintf(path, sizeof(path), "%s", given ? given : "");
	if (!given)
		snprintf(path, sizeof(path), "\\SystemRoot\\system32\\%s%s", index ? "drivers\\" : "", name);
	pointer(world, va + (is_narrow ? 0x18 : 0x30), recipe_number(world->recipe, line, 2));
	pointer(world, va + (is_narrow ? 0x1c : 0x38), recipe_number(world->recipe, line, 2) + 0x1000);
	world_number(world, va + (is_narrow ? 0x20 : 0x40), recipe_number(world->recipe, line, 3), 4);
	uint64_t text = wide_string(world, va + (is_narrow ? 0x24 : 0x48), va + 0xa8, path);
	wide_string(world, va + (is_narrow ? 0x2c : 0x58), text, name);
	world_number(world, va + (is_narrow ? 0x40 : 0x78), recipe_value_number(world->recipe, line, "checksum", 0x1f000 + index), 4);
	if (!is_narrow)
		world_number(world, va + 0x9c, recipe_value_number(world->recipe, line, "timestamp", 0x5f000000 + index), 4);
}

static void link_after(struct world *world, uint64_t before, uint64_t va, uint64_t head)
{
	pointer(world, before, va);
	pointer(world, va + width(world), before);
	pointer(world, va, head);
	pointer(world, head + width(world), va);
}

static void images(struct world *world, const struct build *b)
{
	uint64_t head = kernel_base(world->recipe) + b->list_rva, before = head;
	const struct line *line = NULL;

	pointer(world, head, head);
	pointer(world, head + width(world), head);
	for (size_t i = 0; (line = recipe_next(world->recipe, "module", line)) && !world->recipe->failed; i++) {
		uint64_t va = place(world, ENTRIES + 0x400 * i);
		module_entry(world, line, i, va);
		link_after(world, before, va, head);
		before = va;
		if (!recipe_value(line, "header"))
			image_header(world, b, line, i);
	}
}

/* MmUnloadedDrivers. */
static void unloaded(struct world *world, const struct build *b)
{
	uint64_t ring = place(world, ENTRIES + 0x800000), at = ring, text = ring + 0x1000;
	uint64_t variable = kernel_base(world->recipe) + b->list_rva + 0x480;
	const struct line *line = NULL;

	pointer(world, variable, ring);
	world_number(world, variable + 8, recipe_count(world->recipe, "unloaded"), 4);
	world_number(world, ring + 50 * 0x28, 0, 8);
	for (; (line = recipe_next(world->recipe, "unloaded", line)); at += narrow(world) ? 0x18 : 0x28) {
		text = wide_string(world, at, text, recipe_name(world->recipe, line, 1));
		pointer(world, at + 2 * width(world), recipe_number(world->recipe, line, 2));
		pointer(world, at + 3 * width(world), recipe_number(world->recipe, line, 3));
	}
}

/* ---- the kernel's own structures ---------------------------------------------------- */

static uint64_t told(struct world *world, const char *keyword, const char *key, uint64_t fallback)
{
	const struct line *line = recipe_last(world->recipe, keyword);

	return line ? recipe_value_number(world->recipe, line, key, fallback) : fallback;
}

uint64_t machine_kpcr(struct world *world)
{
	return place(world, PRCBS + 0x100000 * told(world, "cpu", "number", 0));
}

uint64_t machine_idt(struct world *world)
{
	return place(world, IDT);
}

static uint64_t prcb_of(struct world *world, const struct build *b, uint64_t number)
{
	return place(world, PRCBS + 0x100000 * number) + (!strcmp(b->machine, "arm64") ? 0x980 : narrow(world) ? 0x120 : 0x180);
}

/* `encoded`: as a running system keeps it, by made-up secrets; `encoded otherwise`: in a way that nobody has published. */
static void encode(struct world *world, const struct build *b, uint8_t *bytes)
{
	const struct line *line = recipe_last(world->recipe, "encoded");
	const uint64_t never = 0x8d00b4f17c23a95e, always = 0x0071f3c95ad4e2b7, flag = kernel_base(world->recipe) + b->list_rva + 0x4f0;
	const unsigned turn = never & 63;

	for (size_t i = 0; line && line->words > 1 && i < b->kdbg_size; i++)
		bytes[i] = (uint8_t)(bytes[i] * 5u + 0x5au + i);
	for (size_t i = 0; line && line->words == 1 && i < b->kdbg_size; i += 8) {
		uint64_t word = 0;
		/* The bytes are put together from the other end, which is the swap. */
		for (size_t k = 0; k < 8; k++)
			word |= (uint64_t)(bytes[i + k] ^ (always >> 8 * k & 0xff)) << 8 * (7 - k);
		word ^= flag;
		put_number(bytes + i, (word >> turn | word << (64 - turn)) ^ never, 8);
	}
}

static void debugger_block(struct world *world, const struct build *b)
{
	uint64_t base = kernel_base(world->recipe), va = base + b->kdbg_rva;
	/* A 32-bit kernel's pointers are sign-extended here. */
	uint64_t sign = narrow(world) ? 0xffffffff00000000u : 0;
	uint8_t bytes[MOST_PART];

	kdbg_bytes(world->recipe, b, bytes);
	put_number(bytes + 0x18, base | sign, 8);
	put_number(bytes + 0x48, (base + b->list_rva) | sign, 8);
	put_number(bytes + 0x50, (base + b->list_rva - 0xbf40) | sign, 8);
	put_number(bytes + 0x88, (base + b->list_rva + 0x400) | sign, 8);
	put_number(bytes + 0x208, (base + b->list_rva + 0x500) | sign, 8);
	put_number(bytes + 0x218, (base + b->list_rva + 0x800) | sign, 8);
	put_number(bytes + 0x220, (base + b->list_rva + 0x480) | sign, 8);
	put_number(bytes + 0x228, (base + b->list_rva + 0x488) | sign, 8);
	encode(world, b, bytes);
	world_poke(world, va, bytes, b->kdbg_size);
}

static void variables(struct world *world, const struct build *b)
{
	uint64_t list = kernel_base(world->recipe) + b->list_rva;
	const struct line *line = recipe_last(world->recipe, "bugcheck");
	char lab[64];

	for (size_t i = 0; i < 5; i++)
		pointer(world, list + 0x400 + i * width(world),
		        line && i + 1 < line->words ? recipe_number(world->recipe, line, i + 1) & (i ? UINT64_MAX : 0x0fffffff) : 0);
	world_number(world, list + 0x440, 0xf0000000 | b->build, 4);
	snprintf(lab, sizeof(lab), "%u.1.amd64fre.sample.240101-1200", b->build);
	world_poke(world, list + 0x500, lab, strlen(lab) + 1);
}

static void shared_page(struct world *world, const struct build *b)
{
	uint64_t va = narrow(world) ? 0xffdf0000 : 0xfffff78000000000u;
	const struct line *line = recipe_last(world->recipe, "time");
	uint64_t time = line ? recipe_time(world->recipe, line, 1) : 0, uptime = recipe_seconds(world->recipe, "uptime");
	static const char root[] = "C:\\Windows";

	/* `clock SECONDS`: how much later the machine's clock is than the header's. */
	uint64_t later = recipe_seconds(world->recipe, "clock");
	time += later;
	uptime += later;
	world_number(world, va + 0x08, uptime & 0xffffffff, 4);
	world_number(world, va + 0x0c, uptime >> 32, 4);
	world_number(world, va + 0x10, uptime >> 32, 4);
	world_number(world, va + 0x14, time & 0xffffffff, 4);
	world_number(world, va + 0x18, time >> 32, 4);
	world_number(world, va + 0x1c, time >> 32, 4);
	for (size_t i = 0; i < sizeof(root); i++)
		world_number(world, va + 0x30 + 2 * i, (uint8_t)root[i], 2);
	world_number(world, va + 0x260, b->build, 4);
	world_number(world, va + 0x264, recipe_setting(world->recipe, "product", 1), 4);
	world_number(world, va + 0x26c, b->build < 10240 ? 6 : 10, 4);
	world_number(world, va + 0x270, b->build == 9600 ? 3 : b->build == 7601 ? 1 : 0, 4);
}

/* KPCR: where it lies itself, and its block. */
static void processor_region(struct world *world, uint64_t prcb, uint64_t number)
{
	uint64_t pcr = place(world, PRCBS + 0x100000 * number);

	pointer(world, pcr + (narrow(world) ? 0x1c : 0x18), pcr);
	pointer(world, pcr + 0x20, prcb);
}

/* A processor that does nothing: enough of its block to tell it from the one that crashed. */
static void idle_processor(struct world *world, const struct build *b, uint64_t number)
{
	uint64_t prcb = prcb_of(world, b, number), thread = place(world, 0x50000000 + 0x1000 * number);

	processor_region(world, prcb, number);
	pointer(world, prcb + width(world), thread);
	world_number(world, prcb + b->told[TOLD_NUMBER], number, 4);
	if (b->stack_base) {
		pointer(world, thread + b->stack_limit, place(world, 0x51000000 + 0x10000 * number));
		pointer(world, thread + b->stack_base, place(world, 0x51006000 + 0x10000 * number));
	}
}

static void crashed_processor(struct world *world, const struct build *b, uint64_t number)
{
	const struct line *line = recipe_last(world->recipe, "context");
	const char *machine = recipe_word(world->recipe, "machine", "x64");
	uint64_t prcb = prcb_of(world, b, number), context = place(world, 0x70000000);
	uint8_t bytes[MOST_PART], registers[MOST_CONTEXT] = { 0 };

	processor_bytes(world->recipe, b, bytes);
	if (b->context)
		put_number(bytes + b->context, context, width(world));
	world_poke(world, prcb, bytes, b->told[TOLD_PRCB]);
	processor_region(world, prcb, number);
	if (line)
		build_context(world->recipe, line, machine, registers);
	world_poke(world, context, registers, sizeof(registers));
}

static void processors(struct world *world, const struct build *b)
{
	uint64_t block = kernel_base(world->recipe) + b->list_rva + 0x800, count = recipe_setting(world->recipe, "processors", 4),
		 crashed = told(world, "cpu", "number", 0);

	for (uint64_t i = 0; i < count && i < 64; i++) {
		pointer(world, block + i * width(world), prcb_of(world, b, i));
		if (i == crashed)
			crashed_processor(world, b, i);
		else
			idle_processor(world, b, i);
	}
}

/* System, the first process of all, where the recipe's is another; gives its address. */
static uint64_t system_process(struct world *world, const struct build *b, uint64_t process)
{
	uint16_t parent = b->told[TOLD_PARENT_CID];
	uint64_t va = place(world, 0x72000080);
	uint8_t bytes[MOST_PART] = { 3 };

	if (told(world, "process", "pid", 4) == 4)
		return process;
	put_number(bytes + parent - b->pid_before, 4, width(world));
	memcpy(bytes + parent + b->name, "System", 7);
	world_poke(world, va, bytes, b->told[TOLD_EPROCESS]);
	return va;
}

static void thread_and_process(struct world *world, const struct build *b)
{
	uint64_t thread = told(world, "thread", "va", narrow(world) ? 0x86000000 + (DEFAULT_THREAD & 0xffffff) : HIGH + DEFAULT_THREAD);
	uint64_t process = told(world, "process", "va", narrow(world) ? 0x86000000 + (DEFAULT_PROCESS & 0xffffff) : HIGH + DEFAULT_PROCESS);
	uint64_t head = kernel_base(world->recipe) + b->list_rva - 0xbf40;
	uint8_t bytes[MOST_PART];

	thread_bytes(world->recipe, b, bytes);
	world_poke(world, thread, bytes, b->told[TOLD_ETHREAD]);
	process_bytes(world->recipe, b, bytes);
	world_poke(world, process, bytes, b->told[TOLD_EPROCESS]);
	uint64_t system = system_process(world, b, process), links = b->told[TOLD_PARENT_CID] - b->pid_before + width(world);
	pointer(world, kernel_base(world->recipe) + b->list_rva + 0x448, system);
	pointer(world, head, head);
	link_after(world, head, system + links, head);
	if (system != process)
		link_after(world, system + links, process + links, head);
}

/* A gate for each interrupt would be long; the first one leads into the kernel. */
static void interrupts(struct world *world)
{
	uint64_t handler = kernel_base(world->recipe) + 0x1240, idt = machine_idt(world);

	if (narrow(world))
		return;
	world_number(world, idt, handler & 0xffff, 2);
	world_number(world, idt + 2, 0x10, 2);
	world_number(world, idt + 4, 0x8e00, 2);
	world_number(world, idt + 6, handler >> 16 & 0xffff, 2);
	world_number(world, idt + 8, handler >> 32, 4);
}

/* ---- a program, for what the kernel does not hold -------------------------------------- */

/* `computer NAME`: a process's environment in user memory. */
static void environment(struct world *world, const struct build *b)
{
	const char *name = recipe_word(world->recipe, "computer", NULL);
	uint64_t process = told(world, "process", "va", HIGH + DEFAULT_PROCESS), peb = 0x7ff600001000, parameters = 0x20000001000,
		 at = 0x20000002000;
	char texts[2][96];

	if (!name || narrow(world))
		return;
	snprintf(texts[0], sizeof(texts[0]), "ALLUSERSPROFILE=C:\\ProgramData");
	snprintf(texts[1], sizeof(texts[1]), "COMPUTERNAME=%s", name);
	world_number(world, process + b->told[9], peb, 8);
	world_number(world, peb + 0x20, parameters, 8);
	world_number(world, parameters + 0x80, at, 8);
	for (size_t t = 0; t < 2; t++, at += 2)
		for (const char *c = texts[t]; *c; c++, at += 2)
			world_number(world, at, (uint8_t)*c, 2);
	world_number(world, at, 0, 2);
}

/* ---- all of it ------------------------------------------------------------------------- */

static void recipe_memory(struct world *world)
{
	struct memory memory = { 0 };
	const struct line *stack = recipe_last(world->recipe, "stack");

	/* All of the stack is there, also where no line writes. */
	if (stack) {
		size_t len = recipe_length(world->recipe, stack, 2, MOST_BYTES);
		uint8_t *zeros = calloc(1, len + 1);
		if (!zeros)
			abort();
		world_poke(world, recipe_number(world->recipe, stack, 1), zeros, len);
		free(zeros);
	}
	memory_collect(world->recipe, &memory);
	for (size_t i = 0; i < memory.count; i++)
		world_poke(world, memory.blocks[i].va, memory.blocks[i].data, memory.blocks[i].len);
	memory_free(&memory);
}

/* `page transition|prototype|zero|page-file|left-out VA`: how a page is mapped. */
static void mappings(struct world *world)
{
	static const struct {
		const char *name;
		enum mapping how;
	} hows[] = { { "transition", MAP_TRANSITION }, { "prototype", MAP_PROTOTYPE }, { "zero", MAP_ZERO },
		     { "page-file", MAP_PAGE_FILE },   { "left-out", MAP_LEFT_OUT } };
	const struct line *line = NULL;

	while ((line = recipe_next(world->recipe, "page", line))) {
		bool known = false;
		for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
			if (!strcmp(hows[i].name, recipe_name(world->recipe, line, 1))) {
				world_map(world, recipe_number(world->recipe, line, 2), hows[i].how);
				known = true;
			}
		if (!known)
			recipe_fail(world->recipe, line, "a page is transition, prototype, zero, page-file or left-out");
	}
}

void machine_build(struct world *world, const struct build *b)
{
	images(world, b);
	recipe_memory(world);
	unloaded(world, b);
	variables(world, b);
	debugger_block(world, b);
	shared_page(world, b);
	processors(world, b);
	thread_and_process(world, b);
	interrupts(world);
	environment(world, b);
	/* `poke VA HEX`: over everything that was built. */
	const struct line *line = NULL;
	while ((line = recipe_next(world->recipe, "poke", line)) && !world->recipe->failed) {
		size_t len;
		uint8_t *bytes = recipe_hex(world->recipe, line, 2, &len);
		world_poke(world, recipe_number(world->recipe, line, 1), bytes, len);
		free(bytes);
	}
	mappings(world);
	world_finish(world);
}

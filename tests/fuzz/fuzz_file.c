/* Any bytes as a file that comes beside a dump: an image with its unwind data, a PDB, a Breakpad file, rows of carriers. */
#include <stdlib.h>
#include <string.h>

#include "core/tables/carriers.h"
#include "facts/stack/stack.h"
#include "facts/symbol/breakpad.h"
#include "facts/symbol/frame.h"
#include "facts/symbol/identity.h"
#include "facts/symbol/pdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define BASE UINT64_C(0x40000000)
enum { ADDRESSES = 64, STACK = 4096 };

static struct dt_arena arena;
static struct dt_error err;

/* Addresses all over the first sections, from a fixed sequence. */
static uint32_t address(uint32_t n)
{
	return 0x1000 + n * 0x9e37u % 0x4000;
}

static void fuzz_pdb(struct dt_bytes file)
{
	struct dt_symbol_frame frame;
	struct dt_pdb_symbol found;
	struct dt_pdb pdb;

	if (dt_pdb_open(&pdb, file, &arena, &err) != DT_OK)
		return;
	(void)dt_pdb_is(&pdb, "00112233445566778899AABBCCDDEEFF1");
	for (uint32_t n = 0; n < ADDRESSES; n++) {
		(void)dt_pdb_symbol_at(&pdb, address(n), &found);
		(void)dt_pdb_frame_at(&pdb, address(n), &frame);
	}
}

static void fuzz_sym(struct dt_bytes file)
{
	struct dt_breakpad_symbol found;
	struct dt_symbol_frame frame;
	struct dt_symbol_cfi cfi;
	struct dt_breakpad sym;

	if (dt_breakpad_open(&sym, file, &arena, &err) != DT_OK)
		return;
	for (uint32_t n = 0; n < ADDRESSES; n++) {
		(void)dt_breakpad_symbol_at(&sym, address(n), &found);
		(void)dt_breakpad_frame_at(&sym, address(n), &frame);
		(void)dt_breakpad_cfi_at(&sym, address(n), &cfi);
	}
}

static void fuzz_carriers(struct dt_bytes file)
{
	struct dt_carriers list = { 0 };

	if (dt_carriers_add(&list, "fuzz", (const char *)file.data, file.len, &arena, &err) == DT_OK)
		(void)dt_carriers_find(&list, true, "driver.sys", "DriverDispatch");
}

/* The image is what the dump's memory holds; the stack is its own bytes. */
static void fuzz_image(struct dt_bytes file)
{
	static const enum dt_machine machines[] = { DT_MACHINE_X64, DT_MACHINE_ARM64 };
	static struct dt_notes notes;
	struct dt_symbol_identity identity;
	struct dt_module module = { .name = "fuzz.dll", .base = dt_some(BASE), .size = dt_some(0x10000) };
	struct dt_frame *frames;

	if (dt_symbol_identify(file, &arena, &identity, &err) == DT_ERR_NOT_FOUND)
		abort(); /* that is no answer of it */
	for (uint32_t n = 0; n < ADDRESSES; n++) {
		struct dt_dump dump = { .machine = machines[n % 2], .modules = &module, .module_count = 1, .stack_va = 0x1000, .stack_len = STACK };
		struct dt_context context = { .machine = dump.machine };
		struct dt_symbols symbols;

		dt_notes_init(&notes, &arena);
		if (dt_image_lay_out(&dump.memory, &arena, file, BASE, &err) != DT_OK)
			return;
		struct dt_walk walk = { .dump = &dump, .symbols = &symbols, .context = &context, .max_frames = 16 };
		dt_symbols_open(&symbols, &dump, NULL, &arena, &notes);
		for (unsigned i = 0; i < 33; i++)
			dt_context_set(&context, i, BASE + address(n + i));
		dt_context_set(&context, dump.machine == DT_MACHINE_X64 ? DT_X64_RIP : DT_ARM64_PC, BASE + address(n));
		dt_context_set(&context, dump.machine == DT_MACHINE_X64 ? DT_X64_RSP : DT_ARM64_SP, BASE + 0x1000);
		dump.stack_va = BASE + 0x1000;
		(void)dt_stack_walk(&walk, &arena, &notes, &frames);
		dt_symbols_close(&symbols);
		dt_arena_reset(&arena);
	}
}

static const struct {
	const char *name;
	void (*run)(struct dt_bytes file);
} targets[] = { { "pdb", fuzz_pdb }, { "sym", fuzz_sym }, { "carriers", fuzz_carriers }, { "image", fuzz_image } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1); /* of its very size, so that reading one byte too many is seen */

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	dt_arena_init(&arena, DT_MAX_ARENA);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!strcmp(targets[i].name, DT_FUZZ_FORMAT))
			targets[i].run((struct dt_bytes){ copy, len });
	dt_arena_deinit(&arena);
	free(copy);
	return 0;
}

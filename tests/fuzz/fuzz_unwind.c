/*
 * Any bytes as an image's unwind data and code, a stack and registers: the header around them is right, so that a fuzzer need not find it.
 * Byte 0 chooses the machine, 1 how many functions there are, 2 and 3 where the code is, 4 the stack pointer; registers from 8 on; a stack of
 * 0x200 bytes; the rest is the image behind its header, the table of functions first.
 */
#include <string.h>

#include "facts/stack/stack.h"

#define BASE UINT64_C(0x140000000)
#define STACK UINT64_C(0x7000000000)
enum { HEADER = 0x400, MOST = 0x8000, CHOICES = 8, REGISTERS = 34 * 8, STACK_SIZE = 0x200, FIRST = CHOICES + REGISTERS + STACK_SIZE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Offsets: the PE format specification of Microsoft. */
static void make_header(uint8_t *image, uint16_t machine, uint32_t size, uint32_t functions)
{
	memcpy(image, "MZ", 2);
	put(image + 0x3c, 0x80, 4);
	memcpy(image + 0x80, "PE\0\0", 4);
	put(image + 0x84, machine, 2);
	put(image + 0x86, 1, 2);
	put(image + 0x94, 0xf0, 2);
	put(image + 0x98, 0x20b, 2);
	put(image + 0xd0, size, 4);
	put(image + 0xd4, HEADER, 4);
	put(image + 0x104, 16, 4);
	put(image + 0x108 + 8 * DT_IMAGE_EXCEPTIONS, HEADER, 4);
	put(image + 0x10c + 8 * DT_IMAGE_EXCEPTIONS, functions, 4);
}

static void walk(struct dt_dump *dump, struct dt_context *context, struct dt_arena *arena, struct dt_notes *notes)
{
	struct dt_symbols symbols;
	struct dt_walk how = { .dump = dump, .context = context, .symbols = &symbols, .stack_va = STACK, .stack_len = STACK_SIZE, .max_frames = 32 };
	struct dt_frame *frames;

	dt_dump_index_modules(dump);
	dt_symbols_open(&symbols, dump, NULL, arena, notes);
	(void)dt_stack_walk(&how, arena, notes, &frames);
	dt_symbols_close(&symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t image[HEADER + MOST];
	struct dt_module module = { .name = "a.sys", .base = dt_some(BASE), .size = dt_some(sizeof(image)) };
	struct dt_dump dump = { .modules = &module, .module_count = 1, .format = DT_FORMAT_KERNEL };
	struct dt_context context = { 0 };
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_error err;
	bool arm;

	if (len < FIRST || len - FIRST > MOST)
		return 0;
	dt_arena_init(&arena, 8u << 20);
	dt_notes_init(&notes, &arena);
	arm = data[0] & 1;
	dump.arena = &arena;
	dump.notes = &notes;
	memset(image, 0, sizeof(image));
	make_header(image, arm ? 0xaa64 : 0x8664, sizeof(image), data[1] * 12u);
	memcpy(image + HEADER, data + FIRST, len - FIRST);
	dump.machine = context.machine = arm ? DT_MACHINE_ARM64 : DT_MACHINE_X64;
	dt_memory_init(&dump.memory, &arena);
	(void)dt_memory_add(&dump.memory, BASE, (struct dt_bytes){ image, sizeof(image) }, DT_RANGE_BLOCK);
	(void)dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ data + CHOICES + REGISTERS, STACK_SIZE }, DT_RANGE_STACK);
	for (unsigned i = 0; i < (arm ? 34u : 17u); i++)
		dt_context_set(&context, i, dt_bytes_u64_or((struct dt_bytes){ data, len }, CHOICES + 8 * i, 0));
	dt_context_set(&context, arm ? DT_ARM64_PC : DT_X64_RIP, BASE + HEADER + dt_bytes_u16_or((struct dt_bytes){ data, len }, 2, 0) % MOST);
	dt_context_set(&context, arm ? DT_ARM64_SP : DT_X64_RSP, STACK + data[4] * 2u);
	if (dt_memory_seal(&dump.memory, &notes, &err) == DT_OK)
		walk(&dump, &context, &arena, &notes);
	dt_arena_deinit(&arena);
	return 0;
}

/*
 * Any bytes as a stack and the rules of its frames (Breakpad's STACK WIN and STACK CFI): the first lines of the file are right, so that a fuzzer
 * need not find them. Byte 0 chooses the machine, 1 where the code is, 2 and 3 the stack and frame pointers; a stack of 0x200 bytes; the rest is text.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/tables/machines.h"
#include "facts/stack/stack.h"

#define ID "0123456789ABCDEF0123456789ABCDEF1"
enum {
	BASE = 0x10000000,
	SIZE = 0x3000,
	STACK = 0x700000,
	STACK_SIZE = 0x200,
	CHOICES = 4,
};

static const struct machine {
	enum dt_machine machine;
	const char *first; /* of the file */
	unsigned ip, sp, fp;
} machines[] = {
	{ DT_MACHINE_X86, "MODULE windows x86 " ID " made.pdb\n", DT_X86_EIP, DT_X86_ESP, DT_X86_EBP },
	{ DT_MACHINE_X64, "MODULE windows x86_64 " ID " made.pdb\n", DT_X64_RIP, DT_X64_RSP, DT_X64_RBP },
	{ DT_MACHINE_ARM64, "MODULE windows arm64 " ID " made.pdb\n", DT_ARM64_PC, DT_ARM64_SP, DT_ARM64_FP },
};

/* The file of the symbols as it is given. */
struct given {
	const struct machine *machine;
	struct dt_bytes text;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int ask(void *self, const struct dt_symbol_request *request)
{
	const struct given *given = self;
	size_t first = strlen(given->machine->first);

	if (request->kind != DT_SYMBOL_BREAKPAD || request->attempt)
		return -1;
	int fd = memfd_create("sym", MFD_CLOEXEC);
	if (fd < 0 || write(fd, given->machine->first, first) != (ssize_t)first ||
	    write(fd, given->text.data, given->text.len) != (ssize_t)given->text.len)
		abort();
	return fd;
}

static void walk(struct dt_dump *dump, const struct dt_context *context, struct given *given)
{
	struct dt_symbol_source source = { given, ask };
	struct dt_symbols symbols;
	struct dt_walk how = { .dump = dump, .context = context, .symbols = &symbols, .stack_va = STACK, .stack_len = STACK_SIZE, .max_frames = 32 };
	struct dt_frame *frames;

	dt_dump_index_modules(dump);
	dt_symbols_open(&symbols, dump, &source, dump->arena, dump->notes);
	(void)dt_stack_walk(&how, dump->arena, dump->notes, &frames);
	dt_symbols_close(&symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t code[SIZE - 0x1000];
	struct dt_module module = { .name = "made.dll", .base = dt_some(BASE), .size = dt_some(SIZE), .debug_id = ID };
	struct dt_dump dump = { .modules = &module, .module_count = 1, .format = DT_FORMAT_USER };
	struct dt_context context = { 0 };
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_error err;

	if (len < CHOICES + STACK_SIZE)
		return 0;
	struct given given = { &machines[data[0] % 3], { data + CHOICES + STACK_SIZE, len - CHOICES - STACK_SIZE } };
	dt_arena_init(&arena, 8u << 20);
	dt_notes_init(&notes, &arena);
	dump.arena = &arena;
	dump.notes = &notes;
	dump.machine = context.machine = given.machine->machine;
	dt_memory_init(&dump.memory, &arena);
	(void)dt_memory_add(&dump.memory, BASE + 0x1000, (struct dt_bytes){ code, sizeof(code) }, DT_RANGE_BLOCK);
	(void)dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ data + CHOICES, STACK_SIZE }, DT_RANGE_STACK);
	dt_context_set(&context, given.machine->ip, BASE + 0x1000 + data[1] * 8u);
	dt_context_set(&context, given.machine->sp, STACK + data[2] * 2u);
	dt_context_set(&context, given.machine->fp, STACK + data[3] * 2u);
	if (dt_memory_seal(&dump.memory, &notes, &err) == DT_OK)
		walk(&dump, &context, &given);
	dt_arena_deinit(&arena);
	return 0;
}

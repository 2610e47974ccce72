/*
 * bench-stack: 64 frames unwound with the image mapped, and named from a PDB.
 *
 *   dumptriage-bench-stack FIXTURES
 *
 * The stack is one function that calls itself: each of its words is the return address of that call.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts/stack/stack.h"
#include "facts/symbol/pdb.h"
#include "measure.h"

#define BASE UINT64_C(0x40000000)
#define STACK UINT64_C(0x7000000000)
enum { ROUNDS = 2000, FRAMES = 64 };

static const char *fixtures;
static uint8_t stack[0x10000];
static struct dt_arena arena, kept;
static struct dt_notes notes;
static struct dt_dump dump;
static struct dt_module module = { .name = "frames.dll", .timestamp = { 0x66aabbcc, true }, .base = { BASE, true } };

static int ask(void *self, const struct dt_symbol_request *request)
{
	const bool *pdb = self;
	char path[512];

	if (request->attempt || (request->kind == DT_SYMBOL_PDB && !*pdb))
		return -1;
	snprintf(path, sizeof(path), "%s/frames.%s", fixtures, request->kind == DT_SYMBOL_PDB ? "pdb" : "dll");
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The place in a function behind a call to itself. */
static uint64_t find_recursion(const struct dt_image *image)
{
	struct dt_image_function function;
	uint8_t code[5];
	bool known;

	for (uint32_t rva = 0x1000; rva < 0x3000; rva++) {
		uint32_t rel;
		if (!dt_image_read(image, rva, code, sizeof(code)) || code[0] != 0xe8 || !dt_bytes_u32((struct dt_bytes){ code, 5 }, 1, &rel) ||
		    !dt_image_function_at(image, rva, &function, &known) || rva + 5 + rel != function.begin)
			continue;
		return BASE + rva + 5;
	}
	return 0;
}

static size_t walk(struct dt_symbols *symbols, uint64_t ip)
{
	struct dt_context context = { .machine = DT_MACHINE_X64 };
	struct dt_walk how = { .dump = &dump, .context = &context, .symbols = symbols };
	struct dt_frame *frames;

	dt_context_set(&context, DT_X64_RIP, ip);
	dt_context_set(&context, DT_X64_RSP, STACK);
	return dt_stack_walk(&how, &arena, &notes, &frames);
}

static double measure(bool pdb, uint64_t ip, double *first)
{
	struct dt_symbol_source source = { &pdb, ask };
	struct dt_symbols symbols;
	double start = now_us();
	size_t count = 0;

	dt_symbols_open(&symbols, &dump, &source, &kept, &notes);
	count += walk(&symbols, ip);
	*first = now_us() - start;
	start = now_us();
	for (unsigned i = 0; i < ROUNDS; i++) {
		dt_arena_reset(&arena);
		count += walk(&symbols, ip);
	}
	double each = (now_us() - start) / ROUNDS;
	dt_symbols_close(&symbols);
	if (count != (size_t)FRAMES * (ROUNDS + 1)) {
		fprintf(stderr, "%zu frames\n", count);
		exit(1);
	}
	return each;
}

int main(int argc, char **argv)
{
	struct dt_symbol_request request = { .kind = DT_SYMBOL_IMAGE };
	struct dt_symbols symbols;
	struct dt_error err;
	bool pdb = false;
	double first;

	fixtures = argc > 1 ? argv[1] : ".";
	dt_arena_init(&arena, 16u << 20);
	dt_arena_init(&kept, 48u << 20);
	dt_notes_init(&notes, &kept);
	dump = (struct dt_dump){ .machine = DT_MACHINE_X64, .format = DT_FORMAT_KERNEL, .modules = &module, .module_count = 1, .stack_va = STACK, .stack_len = sizeof(stack) };
	dt_memory_init(&dump.memory, &kept);
	if (!dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ stack, sizeof(stack) }, DT_RANGE_STACK) || dt_memory_seal(&dump.memory, &notes, &err) != DT_OK)
		return 1;
	int fd = ask(&pdb, &request);
	uint8_t head[0x200];
	uint32_t pe = 0, size = 0;
	if (fd < 0 || read(fd, head, sizeof(head)) != sizeof(head) || !dt_bytes_u32((struct dt_bytes){ head, sizeof(head) }, 0x3c, &pe) ||
	    !dt_bytes_u32((struct dt_bytes){ head, sizeof(head) }, (uint64_t)pe + 0x18 + 0x38, &size))
		return 1;
	close(fd);
	module.size = dt_some(size);
	dt_symbols_open(&symbols, &dump, &(struct dt_symbol_source){ &pdb, ask }, &kept, &notes);
	const struct dt_image *image = dt_symbols_image(&symbols, &module);
	uint64_t ip = image ? find_recursion(image) : 0;
	dt_symbols_close(&symbols);
	for (size_t off = 0; off < sizeof(stack); off += 8)
		for (unsigned i = 0; i < 8; i++)
			stack[off + i] = (uint8_t)(ip >> 8 * i);
	double unwound = measure(false, ip, &first);
	printf("64 frames unwound, image mapped    %8.1f us\n", unwound);
	double named = measure(true, ip, &first);
	printf("the same, named from a PDB         %8.1f us; the first time, files opened, %.1f us\n", named, first);
	figure("us", unwound, "64 frames: unwound");
	figure("us", named, "64 frames: named");
	figure("us", first, "64 frames: named, the first time");
	dt_arena_deinit(&arena);
	dt_arena_deinit(&kept);
	return 0;
}

/* Frames by the rules of a Breakpad file: of ARM64, and where the image is there but the page with its unwind data is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/stack/walking.h"

#define BASE UINT64_C(0xfffff80040000000)
#define STACK UINT64_C(0xffffa70000001000)
#define ID "0123456789ABCDEF0123456789ABCDEF1"
enum { STACK_SIZE = 0x400, IMAGE_SIZE = 0x3000, HEADER = 0x400 };

static uint8_t stack[STACK_SIZE], header[HEADER], code[0x1000];
static const char *sym;

static int ask(void *self, const struct dt_symbol_request *request)
{
	(void)self;
	if (request->kind != DT_SYMBOL_BREAKPAD || request->attempt)
		return -1;
	int fd = memfd_create("sym", MFD_CLOEXEC);
	assert_int_equal(write(fd, sym, strlen(sym)), strlen(sym));
	return fd;
}
static const struct dt_symbol_source source = { NULL, ask };

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The head of an image whose table of functions lies at 0x2000: where this dump has nothing. */
static void put_header(void)
{
	enum { PE = 0x80, OPTIONAL = PE + 24 };

	memset(header, 0, sizeof(header));
	memcpy(header, "MZ", 2);
	put(header + 0x3c, PE, 4);
	memcpy(header + PE, "PE\0\0", 4);
	put(header + PE + 4, 0x8664, 2);
	put(header + PE + 20, 240, 2);
	put(header + OPTIONAL, 0x20b, 2);
	put(header + OPTIONAL + 16, 0x1000, 4);
	put(header + OPTIONAL + 32, 0x1000, 4);
	put(header + OPTIONAL + 36, 0x200, 4);
	put(header + OPTIONAL + 56, IMAGE_SIZE, 4);
	put(header + OPTIONAL + 60, HEADER, 4);
	put(header + OPTIONAL + 108, 16, 4);
	put(header + OPTIONAL + 112 + 3 * 8, 0x2000, 4);
	put(header + OPTIONAL + 112 + 3 * 8 + 4, 12, 4);
}

static void begin(enum dt_machine machine, bool has_header)
{
	struct dt_error err;

	begin_walking(machine, DT_FORMAT_KERNEL);
	modules[0] = (struct dt_module){ .name = "made.sys", .base = dt_some(BASE), .size = dt_some(IMAGE_SIZE), .debug_id = ID };
	dump.module_count = 1;
	dt_memory_init(&dump.memory, &arena);
	put_header();
	if (has_header)
		assert_true(dt_memory_add(&dump.memory, BASE, (struct dt_bytes){ header, sizeof(header) }, DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&dump.memory, BASE + 0x1000, (struct dt_bytes){ code, sizeof(code) }, DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ stack, sizeof(stack) }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	dump.stack_va = STACK;
	dump.stack_len = STACK_SIZE;
	dt_symbols_open(&symbols, &dump, &source, &kept, &notes);
}

static int end(void **state)
{
	dt_symbols_close(&symbols);
	return teardown(state);
}

/* Three functions. The first is a leaf; the second has saved its pair and x19, its return address is signed; the third is the last one. */
static void arm64(void **state)
{
	(void)state;
	sym = "MODULE windows arm64 " ID " made.pdb\n"
	      "STACK CFI INIT 1000 20 .cfa: sp 0 + .ra: x30\n"
	      "STACK CFI INIT 1100 40 .cfa: sp 0 + .ra: x30\n"
	      "STACK CFI 1104 .cfa: sp 48 + .ra: .cfa -40 + ^ x29: .cfa -48 + ^ x19: .cfa -32 + ^\n"
	      "STACK CFI INIT 1200 40 .cfa: x29 32 + .ra: .cfa -24 + ^ x29: .cfa -32 + ^ x30: x99\n"
	      "STACK CFI INIT 1300 40 .cfa: x29 32 + .ra: x30\n";
	begin(DT_MACHINE_ARM64, false);
	memset(stack, 0, sizeof(stack));
	put(stack + 0x00, STACK + 0x60, 8);                        /* the second's frame: x29, lr, x19 */
	put(stack + 0x08, (BASE + 0x1220) & 0x007fffffffffffff, 8); /* signed: bits above the address are not the address's own */
	stack[0x0e] = (uint8_t)(stack[0x0e] | 0x80);
	put(stack + 0x10, 0x1919, 8);
	put(stack + 0x60, STACK + 0x90, 8); /* the third's */
	put(stack + 0x68, BASE + 0x1310, 8);
	dt_context_set(&context, DT_ARM64_PC, BASE + 0x1010);
	dt_context_set(&context, DT_ARM64_SP, STACK);
	dt_context_set(&context, DT_ARM64_FP, STACK + 0x60);
	dt_context_set(&context, DT_ARM64_LR, BASE + 0x1110);
	assert_int_equal(walk(4), 4);
	static const uint64_t ips[] = { BASE + 0x1010, BASE + 0x1110, BASE + 0x1220, BASE + 0x1310 };
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(frames[i].ip.value, ips[i]);
		assert_int_equal(frames[i].trust, i ? DT_TRUST_UNWIND : DT_TRUST_CONTEXT);
	}
	/* Behind a return address no register holds another one: a rule that says so leads nowhere, and nothing is made of it. */
	size_t count = walk(8);
	for (size_t i = 4; i < count; i++)
		assert_int_not_equal(frames[i].trust, DT_TRUST_UNWIND);
}

/* The same dump without the rules, and with rules that read what is not there. */
static void arm64_without_rules(void **state)
{
	static const char *const files[] = {
		"MODULE windows arm64 " ID " made.pdb\n",
		"MODULE windows arm64 " ID " made.pdb\nSTACK CFI INIT 1000 20 .cfa: x7 0 + .ra: x30\n",
		"MODULE windows arm64 " ID " made.pdb\nSTACK CFI INIT 1000 20 .cfa: sp 0 + .ra: .cfa 4096 + ^\n",
		"MODULE windows arm64 " ID " made.pdb\nSTACK CFI INIT 1000 20 .cfa: sp 0 + .ra: 77\n",
	};

	(void)state;
	memset(stack, 0, sizeof(stack));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		sym = files[i];
		begin(DT_MACHINE_ARM64, false);
		dt_context_set(&context, DT_ARM64_PC, BASE + 0x1010);
		dt_context_set(&context, DT_ARM64_SP, STACK);
		size_t count = walk(4);
		assert_true(count >= 1);
		for (size_t k = 1; k < count; k++)
			assert_int_not_equal(frames[k].trust, DT_TRUST_UNWIND);
		if (i + 1 < sizeof(files) / sizeof(files[0]))
			end(state);
	}
}

static void x64_whose_unwind_data_is_not_in_the_dump(void **state)
{
	(void)state;
	sym = "MODULE windows x86_64 " ID " made.pdb\n"
	      "STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa 8 - ^\n"
	      "STACK CFI 1004 .cfa: $rsp 48 +\n";
	begin(DT_MACHINE_X64, true);
	memset(stack, 0, sizeof(stack));
	put(stack + 40, BASE + 0x1110, 8);
	dt_context_set(&context, DT_X64_RIP, BASE + 0x1010);
	dt_context_set(&context, DT_X64_RSP, STACK);
	assert_int_equal(walk(2), 2);
	assert_int_equal(frames[1].ip.value, BASE + 0x1110);
	assert_int_equal(frames[1].slot.value, STACK + 40);
	assert_int_equal(frames[1].trust, DT_TRUST_UNWIND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(arm64, end),
		cmocka_unit_test_teardown(arm64_without_rules, end),
		cmocka_unit_test_teardown(x64_whose_unwind_data_is_not_in_the_dump, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Unwinding of arm64 frames, held against what the instructions do: a small machine runs the stores, loads and moves of sp of every function of an
 * image, and after each instruction the caller must be the one it began with. Packed data and rare codes are built by hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "facts/stack/stack.h"
#include "windows/fixture.h"

#define BASE UINT64_C(0x40000000)
#define STACK UINT64_C(0x7000000000)
#define CALLER (BASE + 0x5000)
enum { ROOM = 0x20000, SIZE = 0x6000, TEXT = 0x1000, PDATA = 0x2000, XDATA = 0x2100 };

static struct dt_arena arena;
static struct dt_notes notes;
static struct dt_dump dump;
static struct dt_module module;
static struct dt_symbols symbols;
static struct dt_context context;
static struct dt_frame *frames;
static uint8_t stack[ROOM], image[SIZE];

struct machine {
	uint64_t x[32]; /* 31: sp */
};
static struct machine now;

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 4u << 20);
	memset(&dump, 0, sizeof(dump));
	memset(&context, 0, sizeof(context));
	dump.machine = context.machine = DT_MACHINE_ARM64;
	dump.format = DT_FORMAT_KERNEL;
	dump.modules = &module;
	dump.module_count = 1;
	module = (struct dt_module){ .name = "made.sys", .base = dt_some(BASE), .size = dt_some(SIZE) };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	return 0;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(uint64_t va)
{
	uint64_t value = 0;

	assert_true(va - STACK <= ROOM - 8);
	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)stack[va - STACK + i] << 8 * i;
	return value;
}

static void begin_function(void)
{
	memset(stack, 0, sizeof(stack));
	for (uint64_t i = 0; i < 31; i++)
		now.x[i] = 0x1000000 + i;
	now.x[30] = CALLER;
	now.x[31] = STACK + ROOM - 0x100;
}

static size_t walk(uint64_t rva, size_t most)
{
	struct dt_walk how = { .dump = &dump, .context = &context, .symbols = &symbols, .max_frames = most };
	struct dt_error err;

	dt_arena_reset(&arena);
	dt_notes_init(&notes, &arena);
	dt_memory_init(&dump.memory, &arena);
	dump.stack_va = STACK;
	dump.stack_len = ROOM;
	assert_true(dt_memory_add(&dump.memory, BASE, (struct dt_bytes){ image, SIZE }, DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ stack, ROOM }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	context.known = 0;
	for (unsigned i = 0; i < 32; i++)
		dt_context_set(&context, i, now.x[i]);
	dt_context_set(&context, DT_ARM64_PC, BASE + rva);
	dt_symbols_open(&symbols, &dump, NULL, &arena, &notes);
	size_t count = dt_stack_walk(&how, &arena, &notes, &frames);
	dt_symbols_close(&symbols);
	return count;
}

/* ---- functions of an image --------------------------------------------------------- */

static int64_t scaled(uint32_t word, unsigned at, unsigned bits, int64_t scale)
{
	int64_t value = word >> at & ((1u << bits) - 1);

	return (value >> (bits - 1) ? value - (INT64_C(1) << bits) : value) * scale;
}

static void move(uint64_t va, unsigned number, bool is_load)
{
	if (is_load)
		now.x[number] = get(va);
	else
		put(stack + (va - STACK), now.x[number], 8);
}

/* One instruction, if it stores to or loads from the stack, or moves sp or fp. Encodings: Arm ARM, A64. */
static void execute(uint32_t w)
{
	unsigned rt = w & 31, rn = w >> 5 & 31, rt2 = w >> 10 & 31;
	uint64_t offset;

	if ((w & 0x7fe0001f) == 0x5280000f) { /* mov x15, how much a large frame takes */
		now.x[15] = w >> 5 & 0xffff;
	} else if (w == 0xcb2f73ff) { /* sub sp, sp, x15, uxtx #4 */
		now.x[31] -= now.x[15] << 4;
	} else if ((w & 0xfe000000) == 0xa8000000 && rn == 31) { /* pairs: post, offset, pre */
		offset = (uint64_t)scaled(w, 15, 7, 8);
		unsigned mode = w >> 23 & 3;
		uint64_t at = mode == 1 ? now.x[31] : now.x[31] + offset;
		move(at, rt, w >> 22 & 1);
		move(at + 8, rt2, w >> 22 & 1);
		now.x[31] = mode == 2 ? now.x[31] : now.x[31] + offset;
	} else if ((w & 0xffa00400) == 0xf8000400 && rn == 31) { /* one: post, pre */
		offset = (uint64_t)scaled(w, 12, 9, 1);
		uint64_t at = w >> 11 & 1 ? now.x[31] + offset : now.x[31];
		move(at, rt, w >> 22 & 1);
		now.x[31] += offset;
	} else if ((w & 0xff800000) == 0xf9000000 && rn == 31) {
		move(now.x[31] + (w >> 10 & 0xfff) * 8, rt, w >> 22 & 1);
	} else if ((w & 0xff800000) == 0x91000000 && rn == 31 && (rt == 31 || rt == 29)) {
		now.x[rt] = now.x[31] + ((uint64_t)(w >> 10 & 0xfff) << (w >> 22 & 1 ? 12 : 0));
	} else if ((w & 0xff800000) == 0x91000000 && rn == 29 && rt == 31) {
		now.x[31] = now.x[29] + ((uint64_t)(w >> 10 & 0xfff) << (w >> 22 & 1 ? 12 : 0));
	} else if ((w & 0xff800000) == 0xd1000000 && rt == 31 && (rn == 31 || rn == 29)) {
		now.x[31] = now.x[rn] - ((uint64_t)(w >> 10 & 0xfff) << (w >> 22 & 1 ? 12 : 0));
	} else if ((w & 0xfe000000) == 0x6c000000 && rn == 31) { /* pairs of doubles only move sp here */
		if ((w >> 23 & 3) != 2)
			now.x[31] += (uint64_t)scaled(w, 15, 7, 8);
	} else if ((w & 0xffa00400) == 0xfc000400 && rn == 31) {
		now.x[31] += (uint64_t)scaled(w, 12, 9, 1);
	}
}

static bool is_return(uint32_t w)
{
	return w == 0xd65f03c0 || (w & 0xfc000000) == 0x14000000; /* ret; a jump to another function */
}

static unsigned step_function(const struct dt_image *file, const struct dt_image_function *function)
{
	struct machine body;
	unsigned checks = 0;
	uint64_t sp;

	begin_function();
	sp = now.x[31];
	body = now;
	for (uint32_t rva = function->begin; rva < function->end; rva += 4) {
		uint8_t raw[4];
		uint32_t word = 0;
		assert_true(dt_image_read(file, rva, raw, 4) && dt_bytes_u32((struct dt_bytes){ raw, 4 }, 0, &word));
		if (walk(rva, 2) != 2)
			fail_msg("+0x%x: no caller: %s", rva, notes.count ? notes.items[0].text : "no note");
		if (frames[1].trust != DT_TRUST_UNWIND || frames[1].ip.value != CALLER)
			fail_msg("+0x%x: the caller is 0x%llx", rva, (unsigned long long)frames[1].ip.value);
		checks++;
		uint64_t before = now.x[31];
		execute(word);
		if (now.x[31] < before || (now.x[31] == before && rva - function->begin < 64 && now.x[30] == CALLER && before != sp))
			body = now; /* the frame as its body has it */
		if (is_return(word))
			now = body;
	}
	return checks;
}

static void every_instruction_of_an_image(void **state)
{
	struct dt_bytes file = fixture_read("frames-arm64.dll");
	struct dt_image_function function;
	struct dt_memory memory;
	struct dt_arena kept;
	struct dt_image opened;
	struct dt_error err;
	unsigned checks = 0;

	(void)state;
	if (!file.len) {
		print_message("skipped: frames-arm64.dll was not built\n");
		return;
	}
	dt_arena_init(&kept, 1u << 20);
	assert_int_equal(dt_image_lay_out(&memory, &kept, file, BASE, &err), DT_OK);
	assert_true(dt_image_open(&opened, &memory, BASE));
	memset(image, 0, sizeof(image));
	for (uint32_t rva = 0; rva < SIZE; rva += DT_PAGE_SIZE)
		(void)dt_memory_read(&memory, BASE + rva, image + rva, DT_PAGE_SIZE);
	const struct dt_image_directory *directory = &opened.directories[DT_IMAGE_EXCEPTIONS];
	for (uint32_t at = 0; at + 8 <= directory->size; at += 8) {
		assert_true(dt_image_function_read(&opened, directory->rva + at, &function));
		checks += step_function(&opened, &function);
	}
	print_message("%u functions, %u instructions\n", directory->size / 8, checks);
	assert_true(checks > 100);
	dt_arena_deinit(&kept);
	free((void *)(uintptr_t)file.data);
}

/* ---- data built by hand --------------------------------------------------------------- */

static void hand_made(uint32_t word)
{
	begin_function();
	memset(image, 0, sizeof(image));
	memcpy(image, "MZ", 2);
	put(image + 0x3c, 0x80, 4);
	memcpy(image + 0x80, "PE", 2);
	put(image + 0x84, 0xaa64, 2);
	put(image + 0x94, 0xf0, 2);
	put(image + 0x98, 0x20b, 2);
	put(image + 0x98 + 0x38, SIZE, 4);
	put(image + 0x98 + 0x6c, 16, 4);
	put(image + 0x98 + 0x70 + 24, PDATA, 4);
	put(image + 0x98 + 0x70 + 28, 8, 4);
	put(image + PDATA, TEXT, 4);
	put(image + PDATA + 4, word, 4);
}

static void slot(uint64_t off, uint64_t value)
{
	put(stack + (now.x[31] - STACK) + off, value, 8);
}

/* pdata: flag 1, 0x100 bytes, RegF, RegI, H, CR, frame of n times 16 bytes. */
static uint32_t packed(uint32_t reg_f, uint32_t reg_i, uint32_t home, uint32_t cr, uint32_t frame)
{
	return 1 | 0x40 << 2 | reg_f << 13 | reg_i << 16 | home << 20 | cr << 21 | frame << 23;
}

static void packed_frames(void **state)
{
	static const struct {
		uint32_t reg_f, reg_i, home, cr, frame, lr; /* where lr stands in the body */
	} rows[] = {
		{ 0, 2, 0, 3, 4, 8 },     /* x19, x20; fp, lr and locals: 0x30 */
		{ 0, 1, 0, 1, 1, 8 },     /* x19 and lr as a pair */
		{ 0, 2, 0, 1, 4, 0x30 },  /* x19, x20, lr over 0x20 of locals */
		{ 3, 3, 1, 3, 0x30, 8 },
		{ 0, 0, 0, 1, 3, 0x20 },  /* lr alone */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hand_made(packed(rows[i].reg_f, rows[i].reg_i, rows[i].home, rows[i].cr, rows[i].frame));
		now.x[31] -= 0x1000;
		now.x[29] = now.x[31];
		now.x[30] = 0xdead; /* it has called somebody */
		slot(rows[i].lr, BASE + 0x4000);
		assert_int_equal(walk(0x1080, 2), 2);
		assert_int_equal(frames[1].ip.value, BASE + 0x4000);
		assert_int_equal(frames[1].slot.value, now.x[31] + rows[i].lr);
		assert_int_equal(frames[1].trust, DT_TRUST_UNWIND);
	}
}

/* pacibsp, then a chained frame: the signature is no part of the address. */
static void signed_return_addresses(void **state)
{
	(void)state;
	hand_made(packed(0, 0, 0, 2, 2));
	now.x[31] -= 0x100;
	now.x[29] = now.x[31];
	slot(8, 0x5a7f000000000000 | (BASE + 0x4000));
	assert_int_equal(walk(0x1080, 2), 2);
	assert_int_equal(frames[1].ip.value, BASE + 0x4000);
}

static void a_machine_frame(void **state)
{
	(void)state;
	hand_made(XDATA);
	put(image + XDATA, 0x40 | 1u << 21 | 1u << 27, 4); /* one word of codes */
	memcpy(image + XDATA + 4, "\x01\xe9\xe4\xe3", 4);   /* alloc 16; machine frame; end */
	now.x[31] -= 0x1000;
	slot(0x10, now.x[31] + 0x100);
	slot(0x18, BASE + 0x4000);
	assert_int_equal(walk(0x1080, 2), 2);
	assert_int_equal(frames[1].ip.value, BASE + 0x4000);
	assert_int_equal(frames[1].trust, DT_TRUST_UNWIND);
}

static void pairs_that_follow(void **state)
{
	(void)state;
	hand_made(XDATA);
	put(image + XDATA, 0x40 | 1u << 21 | 2u << 27, 4);
	/* save_next, save_regp_x x19 0x30, then a fragment's end and its parent's save_fplr_x 0x10 */
	memcpy(image + XDATA + 4, "\xe6\xcc\x05\xe5\x81\xe4\xe3\xe3", 8);
	now.x[31] -= 0x1000;
	slot(0x38, BASE + 0x4000);
	assert_int_equal(walk(0x1080, 2), 2);
	assert_int_equal(frames[1].ip.value, BASE + 0x4000);
	assert_int_equal(frames[1].slot.value, now.x[31] + 0x38);
}

static void what_is_refused(void **state)
{
	static const struct {
		uint32_t head;
		const char *codes, *why;
	} rows[] = {
		{ 0x40 | 1u << 18 | 1u << 21 | 1u << 27, "\xe4\xe4\xe4\xe4", "version" },
		{ 0x40 | 1u << 21 | 1u << 27, "\xe3\xe3\xe3\xe3", "no end" },
		{ 0x40 | 1u << 21 | 1u << 27, "\xe0\xff\xff\xff", "no end" },
		{ 0x40 | 1u << 21 | 1u << 27, "\xfd\xe4\xe4\xe4", "reserved" },
		{ 0x40 | 1u << 21 | 2u << 27, "\xe0\xff\xff\xff\xe4\xe4\xe4\xe4", "outside" },
		{ 0x40, "\xff\xff\xff\x00", "more epilogs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hand_made(XDATA);
		put(image + XDATA, rows[i].head, 4);
		memcpy(image + XDATA + 4, rows[i].codes, rows[i].head >> 27 == 2 ? 8 : 4);
		now.x[29] = 0;
		(void)walk(0x1080, 2);
		assert_int_equal(notes.count, 1);
		if (!strstr(notes.items[0].text, rows[i].why))
			fail_msg("row %zu: '%s' does not say '%s'", i, notes.items[0].text, rows[i].why);
	}
}

static void lies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 24 * 256; i++) {
		hand_made(XDATA);
		put(image + XDATA, 0x40 | 1u << 22 | 3u << 27, 4);
		put(image + XDATA + 4, 0x20, 4);
		memcpy(image + XDATA + 8, "\xe6\xcc\x05\xd2\xc1\xe1\x81\xe5\xe4\xe3\xe3\xe3", 12);
		image[(i / 256 < 8 ? PDATA : XDATA - 8) + i / 256] = (uint8_t)i;
		now.x[31] -= 0x1000;
		now.x[29] = now.x[31] + 0x20;
		for (uint64_t off = 0; off < 0x200; off += 8)
			slot(off, i % 3 ? BASE + 0x1080 : now.x[31] + off + 16);
		(void)walk(i % 2 ? 0x1080 : 0x1004, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_instruction_of_an_image, setup, teardown),
		cmocka_unit_test_setup_teardown(packed_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(signed_return_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_machine_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(pairs_that_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(lies, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The frames of a stack: which words are frames, in which order, and how far each is trusted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "facts/stack/stack.h"

#define STACK UINT64_C(0xffffa00000001000)
#define NT UINT64_C(0xfffff80000000000)
#define DRIVER UINT64_C(0xfffff80010000000)

static struct dt_arena arena;
static struct dt_notes notes;
static struct dt_dump dump;
static struct dt_module modules[2];
static struct dt_unloaded unloaded;
static struct dt_context context;
static struct dt_stack_hole hole;
static uint8_t stack[0x400];
static struct dt_frame *frames;

static void put(uint64_t off, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		stack[off + i] = (uint8_t)(value >> 8 * i);
}

/* Code bytes that end at a return address. */
static void code_before(uint64_t va, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = dt_arena_alloc(&arena, 16);

	memset(copy, 0x90, 16);
	memcpy(copy + 16 - len, bytes, len);
	assert_true(dt_memory_add(&dump.memory, va - 16, (struct dt_bytes){ copy, 16 }, DT_RANGE_BLOCK));
}

static void code_calls(uint64_t return_address, uint64_t target)
{
	uint64_t rel = target - return_address;
	const uint8_t call[] = { 0xe8, (uint8_t)rel, (uint8_t)(rel >> 8), (uint8_t)(rel >> 16), (uint8_t)(rel >> 24) };

	code_before(return_address, call, sizeof(call));
}

static int setup(void **state)
{
	struct dt_error err;

	(void)state;
	dt_arena_init(&arena, 1 << 20);
	dt_notes_init(&notes, &arena);
	memset(&dump, 0, sizeof(dump));
	memset(stack, 0, sizeof(stack));
	memset(&context, 0, sizeof(context));
	modules[0] = (struct dt_module){ .name = "ntoskrnl.exe", .base = dt_some(NT), .size = dt_some(0x1000000) };
	modules[1] = (struct dt_module){ .name = "driver.sys", .base = dt_some(DRIVER), .size = dt_some(0x10000) };
	unloaded = (struct dt_unloaded){ .name = "gone.sys", .start = dt_some(0xfffff80020000000), .end = dt_some(0xfffff80020010000) };
	hole = (struct dt_stack_hole){ 0 };
	dump.machine = DT_MACHINE_X64;
	dump.format = DT_FORMAT_KERNEL;
	dump.modules = modules;
	dump.module_count = 2;
	dump.unloaded = &unloaded;
	dump.unloaded_count = 1;
	dump.stack_va = STACK;
	dump.stack_len = sizeof(stack);
	dt_memory_init(&dump.memory, &arena);
	assert_int_equal(dt_memory_reserve(&dump.memory, 32, &err), DT_OK);
	assert_true(dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ stack, sizeof(stack) }, DT_RANGE_STACK));
	context.machine = DT_MACHINE_X64;
	dt_context_set(&context, DT_X64_RIP, DRIVER + 0x1100);
	dt_context_set(&context, DT_X64_RSP, STACK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	return 0;
}

static size_t walk(bool entry)
{
	struct dt_walk how = { .dump = &dump, .context = &context, .entry = entry, .holes = &hole, .hole_count = hole.len ? 1 : 0 };
	struct dt_error err;

	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	return dt_stack_walk(&how, &arena, &notes, &frames);
}

static void frame_is(size_t i, uint64_t ip, enum dt_trust trust, const char *module)
{
	assert_int_equal(frames[i].ip.value, ip);
	assert_int_equal(frames[i].trust, trust);
	assert_string_equal(frames[i].module, module);
}

static void frame_0_is_the_context(void **state)
{
	(void)state;
	assert_int_equal(walk(false), 1);
	frame_is(0, DRIVER + 0x1100, DT_TRUST_CONTEXT, "driver.sys");
	assert_int_equal(frames[0].offset.value, 0x1100);
	assert_false(frames[0].slot.known);
}

static void caller_at_the_entry_of_a_function(void **state)
{
	(void)state;
	put(0, DRIVER + 0x2000);
	assert_int_equal(walk(true), 2);
	frame_is(1, DRIVER + 0x2000, DT_TRUST_CALL_SITE, "driver.sys");
	assert_int_equal(frames[1].slot.value, STACK);
}

static void a_word_at_the_entry_that_no_call_precedes_is_no_caller(void **state)
{
	static const uint8_t moves[] = { 0x48, 0x89, 0xc8 };

	(void)state;
	put(0, DRIVER + 0x2000);
	code_before(DRIVER + 0x2000, moves, sizeof(moves));
	assert_int_equal(walk(true), 1);
}

static void calls_that_lead_here_are_call_sites(void **state)
{
	(void)state;
	put(0x40, DRIVER + 0x3000);
	put(0x80, NT + 0x5000);
	code_calls(DRIVER + 0x3000, DRIVER + 0x1000);
	code_calls(NT + 0x5000, DRIVER + 0x2f00);
	assert_int_equal(walk(false), 3);
	frame_is(1, DRIVER + 0x3000, DT_TRUST_CALL_SITE, "driver.sys");
	frame_is(2, NT + 0x5000, DT_TRUST_CALL_SITE, "ntoskrnl.exe");
	assert_non_null(frames[1].code);
	assert_int_equal(frames[1].code->start.value + frames[1].code->hex.len, DRIVER + 0x3000);
}

/* A stale return address passes every byte check; its call leads elsewhere. */
static void a_call_that_leads_elsewhere_in_the_same_image_is_left_out(void **state)
{
	(void)state;
	put(0x40, DRIVER + 0x3000);
	code_calls(DRIVER + 0x3000, DRIVER + 0x8000);
	assert_int_equal(walk(false), 1);
}

static void words_whose_bytes_are_absent_are_scanned(void **state)
{
	(void)state;
	put(0x40, NT + 0x5000);
	put(0x48, 0x1234);
	put(0x50, DRIVER + 0x4000);
	assert_int_equal(walk(false), 3);
	frame_is(1, NT + 0x5000, DT_TRUST_SCAN, "ntoskrnl.exe");
	frame_is(2, DRIVER + 0x4000, DT_TRUST_SCAN, "driver.sys");
	assert_true(frames[1].slot.value < frames[2].slot.value);
}

static void words_that_are_no_frames(void **state)
{
	static const uint8_t moves[] = { 0x48, 0x89, 0xc8 };

	(void)state;
	put(0x40, NT + 0x800);        /* in the PE header */
	put(0x48, DRIVER + 0x10000);  /* behind the image */
	put(0x50, DRIVER + 0x4000);   /* not behind a call */
	put(0x60, DRIVER + 0x5000);   /* in a record */
	code_before(DRIVER + 0x4000, moves, sizeof(moves));
	hole = (struct dt_stack_hole){ STACK + 0x58, 0x20 };
	assert_int_equal(walk(false), 1);
}

static void unloaded_drivers_are_named(void **state)
{
	(void)state;
	put(0x40, 0xfffff80020003000);
	assert_int_equal(walk(false), 2);
	frame_is(1, 0xfffff80020003000, DT_TRUST_SCAN, "gone.sys");
	assert_int_equal(frames[1].unloaded, DT_TRUE);
	assert_int_equal(frames[1].offset.value, 0x3000);
}

static void a_stack_that_is_not_there(void **state)
{
	(void)state;
	dt_context_set(&context, DT_X64_RSP, 0xffffb00000000000);
	assert_int_equal(walk(false), 1);
	assert_int_equal(notes.count, 1);
}

static void frames_have_a_cap(void **state)
{
	(void)state;
	for (uint64_t off = 0; off < sizeof(stack); off += 8)
		put(off, NT + 0x2000 + off);
	assert_in_range(walk(false), 20, DT_MAX_FRAMES);
	assert_string_equal(notes.items[notes.count - 1].text, "more than 64 frames; the rest is not walked");
	/* As many as are walked, and no more: nothing is left out. */
	notes.count = 0;
	for (uint64_t off = 0x1f8; off < sizeof(stack); off += 8)
		put(off, 0);
	assert_int_equal(walk(false), 64);
	assert_int_equal(notes.count, 0);
}

static void a_stack_larger_than_is_looked_at(void **state)
{
	(void)state;
	dump.stack_len = DT_MAX_STACK_SCAN + 8;
	(void)walk(false);
	assert_string_equal(notes.items[0].text, "0x100008 bytes, the first 1048576 are looked at");
	notes.count = 0;
	dump.stack_len = DT_MAX_STACK_SCAN;
	(void)walk(false);
	assert_int_equal(notes.count, 0);
}

static void frame_records_of_arm64(void **state)
{
	(void)state;
	dump.machine = context.machine = DT_MACHINE_ARM64;
	context.known = 0;
	dt_context_set(&context, DT_ARM64_PC, DRIVER + 0x1100);
	dt_context_set(&context, DT_ARM64_SP, STACK);
	dt_context_set(&context, DT_ARM64_FP, STACK + 0x20);
	put(0x20, STACK + 0x60);
	put(0x28, (DRIVER + 0x2000) & UINT64_C(0x5aa5ffffffffffff)); /* signed: bits above the address differ, but for bit 55 */
	put(0x60, STACK + 0x20); /* leads down again: the chain ends here */
	put(0x68, NT + 0x3000);
	assert_true(walk(false) >= 3);
	frame_is(1, DRIVER + 0x2000, DT_TRUST_FRAME_POINTER, "driver.sys");
	frame_is(2, NT + 0x3000, DT_TRUST_FRAME_POINTER, "ntoskrnl.exe");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(frame_0_is_the_context),
		CASE(caller_at_the_entry_of_a_function),
		CASE(a_word_at_the_entry_that_no_call_precedes_is_no_caller),
		CASE(calls_that_lead_here_are_call_sites),
		CASE(a_call_that_leads_elsewhere_in_the_same_image_is_left_out),
		CASE(words_whose_bytes_are_absent_are_scanned),
		CASE(words_that_are_no_frames),
		CASE(unloaded_drivers_are_named),
		CASE(a_stack_that_is_not_there),
		CASE(frames_have_a_cap),
		CASE(a_stack_larger_than_is_looked_at),
		CASE(frame_records_of_arm64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

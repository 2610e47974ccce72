/*
 * Unwinding of x64 frames, held against what a processor does: functions of a Windows image run step by step, and at every instruction the
 * frames must be those that its calls and returns have made. What such functions do not have (machine frames, chained data, version 2) is built by hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts/stack/stack.h"
#include "unit/stack/walking.h"
#include "windows/fixture.h"

#define BASE UINT64_C(0x40000000)
#define STACK UINT64_C(0x7000000000)

static int setup(void **state)
{
	(void)state;
	begin_walking(DT_MACHINE_X64, DT_FORMAT_KERNEL);
	dump.module_count = 1;
	return 0;
}

/* ---- functions that run ---------------------------------------------------------- */

static int ask(void *self, const struct dt_symbol_request *request)
{
	char path[512];

	if (request->kind != DT_SYMBOL_IMAGE)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", DT_FIXTURES, (const char *)self);
	return open(path, O_RDONLY);
}

struct run {
	pid_t child;
	uint64_t begin;  /* of the functions: where the test called them */
	struct {
		uint64_t ip, sp;
	} calls[64];     /* return address, and the stack pointer behind it */
	size_t depth;
	uint64_t last_ip, last_sp;
	uint8_t stack[0x20000];
	uint8_t seen[0x4000];
	size_t addresses, checks;
};
static struct run run;

/* What the instruction before did to the calls, seen by where the stack pointer and ip went. */
static void follow(uint64_t ip, uint64_t sp)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)run.last_ip;
	uint64_t top;
	memcpy(&top, run.stack, sizeof(top));

	if (sp == run.last_sp - 8 && top > run.last_ip && top <= run.last_ip + 7 && (code[0] == 0xe8 || code[0] == 0xff || code[0] == 0x41)) {
		assert_true(run.depth < 64);
		run.calls[run.depth].ip = top;
		run.calls[run.depth++].sp = run.last_sp;
	} else if (run.depth > 1 && ip == run.calls[run.depth - 1].ip && sp == run.calls[run.depth - 1].sp) {
		run.depth--;
	}
}

static void check(const struct user_regs_struct *regs)
{
	static const struct {
		unsigned number;
		size_t off;
	} map[] = {
		{ DT_X64_RBX, offsetof(struct user_regs_struct, rbx) }, { DT_X64_RBP, offsetof(struct user_regs_struct, rbp) },
		{ DT_X64_RSI, offsetof(struct user_regs_struct, rsi) }, { DT_X64_RDI, offsetof(struct user_regs_struct, rdi) },
		{ DT_X64_R12, offsetof(struct user_regs_struct, r12) }, { DT_X64_R13, offsetof(struct user_regs_struct, r13) },
		{ DT_X64_R14, offsetof(struct user_regs_struct, r14) }, { DT_X64_R15, offsetof(struct user_regs_struct, r15) },
		{ DT_X64_RSP, offsetof(struct user_regs_struct, rsp) }, { DT_X64_RIP, offsetof(struct user_regs_struct, rip) },
	};
	struct dt_error err;

	dt_arena_reset(&arena);
	dt_memory_init(&dump.memory, &arena);
	dump.stack_va = regs->rsp;
	dump.stack_len = run.begin + 64 - regs->rsp;
	assert_true(dt_memory_add(&dump.memory, regs->rsp, (struct dt_bytes){ run.stack, dump.stack_len }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	context.known = 0;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		unsigned long long value;
		memcpy(&value, (const uint8_t *)regs + map[i].off, sizeof(value));
		dt_context_set(&context, map[i].number, value);
	}
	size_t count = walk(run.depth + 1);
	if (count != run.depth + 1)
		fail_msg("at +0x%llx: %zu frames, not %zu", regs->rip - (unsigned long long)BASE, count, run.depth + 1);
	for (size_t i = 0; i < run.depth; i++) {
		if (frames[i + 1].trust != DT_TRUST_UNWIND)
			fail_msg("at +0x%llx: frame %zu of %zu is not unwound: %s", regs->rip - (unsigned long long)BASE, i + 1, run.depth,
			         notes.count ? notes.items[0].text : "no note");
		if (frames[i + 1].ip.value != run.calls[run.depth - 1 - i].ip || frames[i + 1].slot.value != run.calls[run.depth - 1 - i].sp - 8)
			fail_msg("at +0x%llx: frame %zu is 0x%llx, not 0x%llx", regs->rip - (unsigned long long)BASE, i + 1,
			         (unsigned long long)frames[i + 1].ip.value, (unsigned long long)run.calls[run.depth - 1 - i].ip);
	}
	run.checks++;
	run.addresses += !run.seen[regs->rip - BASE];
	run.seen[regs->rip - BASE] = 1;
}

static bool one_step(void)
{
	struct user_regs_struct regs;
	int status;

	assert_int_equal(ptrace(PTRACE_SINGLESTEP, run.child, 0, 0), 0);
	assert_int_equal(waitpid(run.child, &status, 0), run.child);
	if (WIFEXITED(status))
		return false;
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	assert_int_equal(ptrace(PTRACE_GETREGS, run.child, 0, &regs), 0);
	bool inside = regs.rip - BASE < modules[0].size.value;
	if (inside) {
		size_t len = run.begin ? run.begin + 64 - regs.rsp : 64;
		struct iovec to = { run.stack, len }, from = { (void *)(uintptr_t)regs.rsp, len }; /* NOLINT */
		assert_true(len <= sizeof(run.stack));
		assert_int_equal(process_vm_readv(run.child, &to, 1, &from, 1, 0), (long long)len);
		if (!run.begin) {
			run.begin = regs.rsp;
			memcpy(&run.calls[0].ip, run.stack, 8);
			run.calls[0].sp = regs.rsp + 8;
			run.depth = 1;
			modules[1] = (struct dt_module){ .name = "test", .base = dt_some((run.calls[0].ip & ~UINT64_C(0xfff)) - 0x2000), .size = dt_some(0x4000) };
			dump.module_count = 2;
		} else {
			follow(regs.rip, regs.rsp);
		}
		check(&regs);
	}
	run.last_ip = regs.rip;
	run.last_sp = regs.rsp;
	return inside || !run.begin;
}

/* Maps the image where it wants to be; the file stays the caller's for as long as the image is used. */
static void load(struct dt_bytes file, struct dt_image *image)
{
	static struct dt_memory memory;
	struct dt_error err;

	assert_int_equal(dt_image_lay_out(&memory, &kept, file, BASE, &err), DT_OK);
	assert_true(dt_image_open(image, &memory, BASE));
	uint8_t *to = mmap((void *)(uintptr_t)BASE, image->size, PROT_READ | PROT_WRITE | PROT_EXEC,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(to, (void *)(uintptr_t)BASE);
	for (uint32_t rva = 0; rva < image->size; rva += DT_PAGE_SIZE)
		(void)dt_memory_read(&memory, BASE + rva, to + rva, DT_PAGE_SIZE);
}

static void step_through(const char *name)
{
	struct dt_bytes file = fixture_read(name);
	struct dt_image image;
	struct dt_symbol_source source = { .self = (void *)(uintptr_t)name, .ask = ask };
	uint64_t entry;
	int status;

	if (!file.len) {
		print_message("skipped: %s was not built\n", name);
		return;
	}
	memset(&run, 0, sizeof(run));
	load(file, &image);
	modules[0] = (struct dt_module){ .name = name, .base = dt_some(BASE), .size = dt_some(image.size), .timestamp = dt_some(0x66aabbcc) };
	dt_symbols_open(&symbols, &dump, &source, &kept, &notes);
	assert_true(dt_image_export(&image, "run_frames", &entry));
	__attribute__((ms_abi)) uint64_t (*call)(uint64_t) = (__attribute__((ms_abi)) uint64_t (*)(uint64_t))(uintptr_t)entry;
	run.child = fork();
	if (run.child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
			_exit(9);
		raise(SIGSTOP);
		_exit((int)(call(3) & 1) * 0);
	}
	assert_int_equal(waitpid(run.child, &status, 0), run.child);
	if (WIFEXITED(status)) {
		print_message("skipped: ptrace is not allowed here\n");
	} else {
		for (size_t i = 0; i < 200000 && one_step(); i++)
			;
		kill(run.child, SIGKILL);
		waitpid(run.child, &status, 0);
		print_message("%s: %zu addresses, %zu states of the stack\n", name, run.addresses, run.checks);
		assert_true(run.addresses > 250);
	}
	dt_symbols_close(&symbols);
	munmap((void *)(uintptr_t)BASE, image.size);
	free((void *)(uintptr_t)file.data);
}

static void every_instruction_of_functions_that_run(void **state)
{
	static const char *const names[] = { "frames.dll", "frames-o2.dll", "frames-o0.dll", "frames-fp.dll" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, dump.module_count = 1)
		step_through(names[i]);
}

/* ---- data built by hand ------------------------------------------------------------- */

enum { SIZE = 0x3000, TEXT = 0x1000, PDATA = 0x2000, XDATA = 0x2100 };
static uint8_t image[SIZE], stack[0x400];
static size_t function_count;

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void function(uint32_t begin, uint32_t end, uint32_t unwind)
{
	uint8_t *entry = image + PDATA + 12 * function_count++;

	put(entry, begin, 4);
	put(entry + 4, end, 4);
	put(entry + 8, unwind, 4);
	put(image + 0x80 + 0x18 + 0x70 + 8 * 3 + 4, 12 * function_count, 4);
}

static void info(uint32_t rva, const uint8_t *bytes, size_t len)
{
	memcpy(image + rva, bytes, len);
}
#define INFO(rva, ...) info(rva, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void slot(size_t off, uint64_t value)
{
	put(stack + off, value, 8);
}

/* An image whose code is nop, and a stack of zeros. */
static void hand_made(uint64_t rva, uint64_t off)
{
	memset(image, 0, sizeof(image));
	memset(image + TEXT, 0x90, 0x1000);
	memset(stack, 0, sizeof(stack));
	function_count = 0;
	memcpy(image, "MZ", 2);
	put(image + 0x3c, 0x80, 4);
	memcpy(image + 0x80, "PE", 2);
	put(image + 0x84, 0x8664, 2);
	put(image + 0x94, 0xf0, 2);
	put(image + 0x98, 0x20b, 2);
	put(image + 0x98 + 0x38, SIZE, 4);
	put(image + 0x98 + 0x6c, 16, 4);
	put(image + 0x98 + 0x70 + 24, PDATA, 4);
	modules[0] = (struct dt_module){ .name = "made.sys", .base = dt_some(BASE), .size = dt_some(SIZE) };
	dump.module_count = 1;
	dump.stack_va = STACK;
	dump.stack_len = sizeof(stack);
	context.known = 0;
	dt_context_set(&context, DT_X64_RIP, BASE + rva);
	dt_context_set(&context, DT_X64_RSP, STACK + off);
}

static size_t go(size_t most)
{
	struct dt_error err;

	dt_memory_init(&dump.memory, &arena);
	dt_notes_init(&notes, &arena);
	assert_true(dt_memory_add(&dump.memory, BASE, (struct dt_bytes){ image, SIZE }, DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ stack, sizeof(stack) }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	dt_symbols_open(&symbols, &dump, NULL, &arena, &notes);
	size_t count = walk(most);
	dt_symbols_close(&symbols);
	return count;
}

static void frame_is(size_t i, uint64_t rva, uint64_t off, enum dt_trust trust)
{
	assert_int_equal(frames[i].ip.value, BASE + rva);
	assert_int_equal(frames[i].slot.value, STACK + off);
	assert_int_equal(frames[i].trust, trust);
}

static void a_leaf_has_its_return_address_on_top(void **state)
{
	(void)state;
	hand_made(0x1500, 0x40);
	function(0x1000, 0x1100, XDATA);
	INFO(XDATA, 0x01, 0, 0, 0);
	slot(0x40, BASE + 0x1080);
	assert_int_equal(go(8), 2); /* and a return address of 0 ends it */
	frame_is(1, 0x1080, 0x40, DT_TRUST_UNWIND);
}

static void a_return_address_in_a_leaf_is_none(void **state)
{
	(void)state;
	hand_made(0x1010, 0x40);
	function(0x1000, 0x1100, XDATA);
	INFO(XDATA, 0x01, 0, 0, 0);
	slot(0x40, BASE + 0x1500);
	assert_int_equal(go(8), 2);
	assert_int_equal(frames[1].ip.value, BASE + 0x1500);
}

/* push rbp; sub rsp, 20h: at each byte of the prolog as much is undone as has run. */
static void a_prolog_half_done(void **state)
{
	static const struct {
		uint32_t rva, off;
	} rows[] = { { 0x1000, 0x40 }, { 0x1001, 0x48 }, { 0x1005, 0x68 }, { 0x1080, 0x68 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		hand_made(rows[i].rva, 0x40);
		function(0x1000, 0x1100, XDATA);
		INFO(XDATA, 0x01, 5, 2, 0, 5, 0x32, 1, 0x50);
		slot(rows[i].off, BASE + 0x1200);
		assert_true(go(2) == 2);
		frame_is(1, 0x1200, rows[i].off, DT_TRUST_UNWIND);
	}
}

static void chained_data_is_undone_whole(void **state)
{
	(void)state;
	hand_made(0x1180, 0x40);
	function(0x1000, 0x1100, XDATA);
	function(0x1100, 0x1200, XDATA + 0x20);
	INFO(XDATA, 0x01, 5, 2, 0, 5, 0x32, 1, 0x50);
	INFO(XDATA + 0x20, 0x21, 0, 1, 0, 0, 0x02, 0, 0, 0x00, 0x10, 0, 0, 0x00, 0x11, 0, 0, 0x00, 0x21, 0, 0);
	slot(0x70, BASE + 0x1250); /* alloc 8, alloc 20h, push */
	assert_int_equal(go(2), 2);
	frame_is(1, 0x1250, 0x70, DT_TRUST_UNWIND);
}

static void an_entry_that_stands_for_another(void **state)
{
	(void)state;
	hand_made(0x1180, 0x40);
	function(0x1000, 0x1100, XDATA);
	function(0x1100, 0x1200, PDATA | 1);
	INFO(XDATA, 0x01, 0, 1, 0, 0, 0x02);
	slot(0x48, BASE + 0x1250);
	assert_int_equal(go(2), 2);
	frame_is(1, 0x1250, 0x48, DT_TRUST_UNWIND);
}

static void a_machine_frame_leads_to_what_was_interrupted(void **state)
{
	(void)state;
	hand_made(0x1050, 0x40);
	function(0x1000, 0x1100, XDATA);
	function(0x1100, 0x1200, XDATA + 0x20);
	INFO(XDATA, 0x01, 4, 2, 0, 4, 0x02, 0, 0x1a); /* alloc 8 over a machine frame with an error code */
	INFO(XDATA + 0x20, 0x01, 4, 1, 0, 4, 0x02);
	slot(0x50, BASE + 0x1102);      /* interrupted in a prolog that has not allocated yet: no return address */
	slot(0x58, 0x10);
	slot(0x68, STACK + 0x200);
	slot(0x200, BASE + 0x1150);
	slot(0x210, BASE + 0x1160);
	assert_int_equal(go(8), 4);
	frame_is(1, 0x1102, 0x50, DT_TRUST_UNWIND);
	frame_is(2, 0x1150, 0x200, DT_TRUST_UNWIND);
	frame_is(3, 0x1160, 0x210, DT_TRUST_UNWIND);
}

static void a_trap_from_user_mode_ends_the_walk(void **state)
{
	(void)state;
	hand_made(0x1050, 0x40);
	function(0x1000, 0x1100, XDATA);
	INFO(XDATA, 0x01, 0, 1, 0, 0, 0x0a);
	slot(0x40, 0x7ff600001000);
	slot(0x48, 0x33);
	slot(0x58, 0x1000);
	slot(0x80, BASE + 0x1060);
	assert_int_equal(go(8), 1);
	assert_int_equal(notes.count, 1);
}

/* Version 2: an epilog of three pops and ret at the function's end, its bytes not in the dump. */
static void an_epilog_of_version_2(void **state)
{
	(void)state;
	for (uint32_t popped = 0; popped < 4; popped++) {
		hand_made(0x10fb + popped, 0x40);
		function(0x1000, 0x1100, XDATA);
		/* epilog of 5 bytes at the end; padding; alloc 20h; push r14 (2 bytes), rbx, rbp */
		INFO(XDATA, 0x02, 9, 6, 0, 0x05, 0x16, 0, 0x06, 9, 0x32, 5, 0xe0, 3, 0x30, 1, 0x50);
		static const uint32_t off[] = { 0x58, 0, 0x50, 0x48 };
		if (popped == 1)
			continue; /* inside of an instruction */
		slot(off[popped], BASE + 0x1200);
		assert_int_equal(go(2), 2);
		frame_is(1, 0x1200, off[popped], DT_TRUST_UNWIND);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		uint8_t info[20];
		const char *why;
	} rows[] = {
		{ { 0x21, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x11, 0, 0, 0x00, 0x21, 0, 0 }, "loop" },
		{ { 0x03, 0, 0, 0 }, "version" },
		{ { 0x01, 0, 1, 0, 0, 0x0f }, "does not exist" },
		{ { 0x01, 0, 1, 0, 0, 0x01 }, "cut" },
		{ { 0x01, 0, 1, 0x05, 0, 0x03 }, "frame register" },
		{ { 0x01, 0, 3, 0, 0, 0x11, 0, 0, 0, 0x70 }, "outside" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hand_made(0x1050, 0x40);
		function(0x1000, 0x1100, XDATA);
		info(XDATA, rows[i].info, sizeof(rows[i].info));
		assert_int_equal(go(2), 1);
		assert_int_equal(notes.count, 1);
		assert_non_null(strstr(notes.items[0].text, rows[i].why));
		assert_non_null(strstr(notes.items[0].text, "made.sys+0x1050"));
	}
	hand_made(0x1050, 0x40);
	function(0x1000, 0x1100, PDATA | 1);
	assert_int_equal(go(2), 1);
	assert_non_null(strstr(notes.items[0].text, "lead to each other"));
}

/* Behind a frame that only looks like one, unwinding goes on, but is trusted no more than that. */
static void it_comes_back_after_a_guess(void **state)
{
	(void)state;
	hand_made(0x1050, 0x40);
	function(0x1000, 0x1100, XDATA);
	function(0x1200, 0x1300, XDATA + 0x20);
	INFO(XDATA, 0x03, 0, 0, 0);
	INFO(XDATA + 0x20, 0x01, 4, 1, 0, 4, 0x22);
	memcpy(image + 0x1280 - 5, "\xe8\x80\xfd\xff\xff", 5); /* call 1000 */
	memcpy(image + 0x1290 - 2, "\xff\xd0", 2);
	slot(0x60, BASE + 0x1280);
	slot(0x68, BASE + 0x1290); /* stale: within the frame of the caller */
	slot(0x80, BASE + 0x1290);
	assert_int_equal(go(3), 3);
	frame_is(1, 0x1280, 0x60, DT_TRUST_CALL_SITE);
	frame_is(2, 0x1290, 0x80, DT_TRUST_CALL_SITE);
}

static void a_call_to_nowhere_leads_to_its_caller(void **state)
{
	(void)state;
	hand_made(0x700000, 0x40);
	function(0x1000, 0x1100, XDATA);
	INFO(XDATA, 0x01, 4, 1, 0, 4, 0x22);
	memcpy(image + 0x1050 - 2, "\xff\xd0", 2); /* call rax */
	slot(0x40, BASE + 0x1050);
	slot(0x50, BASE + 0x1050);
	slot(0x60, BASE + 0x1200); /* behind 18h bytes */
	assert_int_equal(go(3), 3);
	frame_is(1, 0x1050, 0x40, DT_TRUST_CALL_SITE);
	frame_is(2, 0x1200, 0x60, DT_TRUST_UNWIND);
	slot(0x40, BASE + 0x1060); /* no call before it */
	assert_int_equal(go(2), 2);
	assert_int_equal(frames[1].slot.value, STACK + 0x50);
}

/* Every byte of the unwind data takes every value: walks end, and read nothing outside. */
static void lies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64 * 256; i++) {
		hand_made(0x1180, 0x40);
		function(0x1000, 0x1100, XDATA);
		function(0x1100, 0x1200, XDATA + 0x10);
		INFO(XDATA, 0x02, 9, 6, 0x25, 0x05, 0x16, 0, 0x06, 9, 0x32, 5, 0xe0);
		INFO(XDATA + 0x10, 0x21, 0, 1, 0, 0, 0x02, 0, 0, 0x00, 0x10, 0, 0, 0x00, 0x11, 0, 0, 0x00, 0x21, 0, 0);
		image[(i / 256 < 24 ? PDATA : XDATA - 24) + i / 256] = (uint8_t)i;
		dt_context_set(&context, DT_X64_RBP, STACK + 0x80);
		for (size_t off = 0; off < sizeof(stack); off += 16)
			slot(off, i % 3 ? BASE + 0x1180 : STACK + off);
		(void)go(0);
		dt_arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_instruction_of_functions_that_run, setup, teardown),
		cmocka_unit_test_setup_teardown(a_leaf_has_its_return_address_on_top, setup, teardown),
		cmocka_unit_test_setup_teardown(a_return_address_in_a_leaf_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_prolog_half_done, setup, teardown),
		cmocka_unit_test_setup_teardown(chained_data_is_undone_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_that_stands_for_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_machine_frame_leads_to_what_was_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trap_from_user_mode_ends_the_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(an_epilog_of_version_2, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(it_comes_back_after_a_guess, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_to_nowhere_leads_to_its_caller, setup, teardown),
		cmocka_unit_test_setup_teardown(lies, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

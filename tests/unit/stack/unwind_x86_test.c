/*
 * Unwinding of x86 frames, held against what a processor does: functions of a 32-bit Windows image run step by step, and at every instruction
 * the frames must be those that its calls and returns have made. FPO_DATA, which today's compilers do not write, is built by hand.
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

#include "facts/stack/program.h"
#include "facts/stack/stack.h"
#include "unit/stack/walking.h"
#include "windows/fixture.h"
#include "windows/made_pdb.h"

#define BASE UINT64_C(0x40000000)
#define CALLER UINT64_C(0x48000000)
#define STACK UINT64_C(0x50000000)
enum { STACK_SIZE = 0x40000 };

static int setup(void **state)
{
	(void)state;
	begin_walking(DT_MACHINE_X86, DT_FORMAT_USER);
	dump.module_count = 2;
	return 0;
}

/* ---- functions that run ---------------------------------------------------------- */

#ifdef __x86_64__

static int ask(void *self, const struct dt_symbol_request *request)
{
	char path[512];

	(void)self;
	if (request->kind == DT_SYMBOL_BREAKPAD || strncmp(request->name, "frames", 6))
		return -1;
	snprintf(path, sizeof(path), "%s/frames-x86.%s", DT_FIXTURES, request->kind == DT_SYMBOL_IMAGE ? "dll" : "pdb");
	return open(path, O_RDONLY);
}
static const struct dt_symbol_source source = { NULL, ask };

static struct {
	pid_t child;
	struct {
		uint32_t ip, slot;
	} calls[64];
	size_t depth;
	uint32_t last_ip, last_sp;
	uint8_t stack[STACK_SIZE];
	uint8_t seen[0x8000];
	size_t addresses, checks, searched;
} run;

/* What the instruction before did to the calls, seen by where the stack pointer and ip went. */
static void follow(uint32_t ip, uint32_t sp)
{
	uint32_t top;

	memcpy(&top, run.stack + (sp - STACK), sizeof(top));
	if (sp == run.last_sp - 4 && top > run.last_ip && top <= run.last_ip + 7 && ip != top) {
		assert_true(run.depth < 64);
		run.calls[run.depth].ip = top;
		run.calls[run.depth++].slot = sp;
	} else if (run.depth && ip == run.calls[run.depth - 1].ip && sp > run.calls[run.depth - 1].slot) {
		run.depth--;
	}
}

static void check(const struct user_regs_struct *regs)
{
	const struct {
		unsigned number;
		uint64_t value;
	} map[] = { { DT_X86_EBX, regs->rbx }, { DT_X86_EBP, regs->rbp }, { DT_X86_ESI, regs->rsi },
		    { DT_X86_EDI, regs->rdi }, { DT_X86_ESP, regs->rsp }, { DT_X86_EIP, regs->rip } };
	struct dt_error err;
	bool searched = false;

	dt_arena_reset(&arena);
	dt_memory_init(&dump.memory, &arena);
	dump.stack_va = regs->rsp;
	dump.stack_len = STACK + STACK_SIZE - regs->rsp;
	assert_true(dt_memory_add(&dump.memory, regs->rsp, (struct dt_bytes){ run.stack + (regs->rsp - STACK), dump.stack_len }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	context.known = 0;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		dt_context_set(&context, map[i].number, (uint32_t)map[i].value);
	size_t count = walk(run.depth + 1);
	if (count != run.depth + 1)
		fail_msg("at +0x%llx: %zu frames, not %zu: %s", regs->rip - (unsigned long long)BASE, count, run.depth + 1,
		         notes.count ? notes.items[0].text : "no note");
	for (size_t i = 0; i < run.depth; i++) {
		const struct dt_frame *frame = &frames[i + 1];
		/* Behind a return address that had to be searched for, or whose call is of another function, nothing is certain any more. */
		if (frame->trust != DT_TRUST_CALL_SITE && (frame->trust != DT_TRUST_SCAN || !searched || i + 1 < run.depth) && (frame->trust != DT_TRUST_UNWIND || searched))
			fail_msg("at +0x%llx: frame %zu of %zu is trusted %u", regs->rip - (unsigned long long)BASE, i + 1, run.depth, frame->trust);
		searched |= frame->trust != DT_TRUST_UNWIND;
		if (frame->ip.value != run.calls[run.depth - 1 - i].ip || frame->slot.value != run.calls[run.depth - 1 - i].slot)
			fail_msg("at +0x%llx: frame %zu of %zu is 0x%llx at 0x%llx, not 0x%x at 0x%x", regs->rip - (unsigned long long)BASE, i + 1, run.depth,
			         (unsigned long long)frame->ip.value, (unsigned long long)frame->slot.value, run.calls[run.depth - 1 - i].ip,
			         run.calls[run.depth - 1 - i].slot);
	}
	run.searched += searched;
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
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		return false;
	assert_int_equal(ptrace(PTRACE_GETREGS, run.child, 0, &regs), 0);
	bool inside = regs.rip - BASE < modules[0].size.value, caller = regs.rip - CALLER < 0x1000;
	/* __chkstk, in assembly, comes first: it has no data, and leaves the stack pointer elsewhere. */
	if (inside && regs.rip - BASE < 0x1020)
		return true;
	if (inside || caller) {
		struct iovec to = { run.stack, STACK_SIZE }, from = { (void *)(uintptr_t)STACK, STACK_SIZE }; /* NOLINT */
		assert_int_equal(process_vm_readv(run.child, &to, 1, &from, 1, 0), STACK_SIZE);
		if (run.last_ip)
			follow((uint32_t)regs.rip, (uint32_t)regs.rsp);
		run.last_ip = (uint32_t)regs.rip;
		run.last_sp = (uint32_t)regs.rsp;
	}
	if (inside)
		check(&regs);
	return !caller || !run.checks;
}

static void map_all(struct dt_bytes file, struct dt_image *image)
{
	static struct dt_memory memory;
	struct dt_error err;

	assert_int_equal(dt_image_lay_out(&memory, &kept, file, BASE, &err), DT_OK);
	assert_true(dt_image_open(image, &memory, BASE));
	uint8_t *to = mmap((void *)(uintptr_t)BASE, image->size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(to, (void *)(uintptr_t)BASE);
	for (uint32_t rva = 0; rva < image->size; rva += DT_PAGE_SIZE)
		(void)dt_memory_read(&memory, BASE + rva, to + rva, DT_PAGE_SIZE);
	assert_ptr_equal(mmap((void *)(uintptr_t)CALLER, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	                 (void *)(uintptr_t)CALLER);
	assert_ptr_equal(mmap((void *)(uintptr_t)STACK, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	                 (void *)(uintptr_t)STACK);
}

/* 32-bit code: push 0; push 3; mov eax, entry; call eax; nop... */
static void write_caller(uint32_t entry)
{
	uint8_t code[] = { 0x6a, 0, 0x6a, 3, 0xb8, 0, 0, 0, 0, 0xff, 0xd0, 0x90, 0x90, 0xcc };

	memcpy(code + 5, &entry, 4);
	memcpy((void *)(uintptr_t)CALLER, code, sizeof(code));
}

/* Into the processor's 32-bit mode: the selectors are Linux's own for programs of 32 bits. */
static void go(void)
{
	__asm__ volatile("movl $0x2b, %%eax\n\tmovl %%eax, %%ds\n\tmovl %%eax, %%es\n\tmovq %0, %%rsp\n\t"
	                 "pushq $0x23\n\tpushq %1\n\tlretq"
	                 :
	                 : "r"(STACK + STACK_SIZE - 0x1000), "r"(CALLER)
	                 : "rax", "memory");
}

static void every_instruction_of_functions_that_run(void **state)
{
	struct dt_bytes file = fixture_read("frames-x86.dll");
	struct dt_image image;
	uint64_t entry;
	int status;

	(void)state;
	if (!file.len) {
		print_message("skipped: frames-x86.dll was not built\n");
		return;
	}
	memset(&run, 0, sizeof(run));
	map_all(file, &image);
	modules[0] = (struct dt_module){ .name = "frames-x86.dll", .base = dt_some(BASE), .size = dt_some(image.size), .timestamp = dt_some(0x66aabbcc),
		                         .debug_id = dt_image_debug_id(&image, &kept) };
	modules[1] = (struct dt_module){ .name = "test", .base = dt_some(CALLER - 0x2000), .size = dt_some(0x4000) };
	dt_symbols_open(&symbols, &dump, &source, &kept, &notes);
	assert_true(dt_image_export(&image, "run_frames", &entry));
	write_caller((uint32_t)entry);
	run.child = fork();
	if (run.child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
			_exit(9);
		raise(SIGSTOP);
		go();
	}
	assert_int_equal(waitpid(run.child, &status, 0), run.child);
	if (!WIFEXITED(status)) {
		for (size_t i = 0; i < 400000 && one_step(); i++)
			;
		kill(run.child, SIGKILL);
		waitpid(run.child, &status, 0);
	}
	print_message("%zu addresses, %zu states of the stack, %zu with a return address that was searched for\n", run.addresses, run.checks, run.searched);
	if (!run.checks)
		print_message("skipped: no ptrace, or no 32-bit code here\n");
	else
		assert_true(run.addresses > 250 && run.searched * 4 < run.checks);
	dt_symbols_close(&symbols);
	munmap((void *)(uintptr_t)BASE, image.size);
	munmap((void *)(uintptr_t)CALLER, 0x1000);
	munmap((void *)(uintptr_t)STACK, STACK_SIZE);
	free((void *)(uintptr_t)file.data);
}
#else
static void every_instruction_of_functions_that_run(void **state)
{
	(void)state;
	print_message("skipped: no x86\n");
}
#endif

/* ---- programs ------------------------------------------------------------------------ */

static bool read_word(const void *self, uint64_t va, uint64_t *out)
{
	(void)self;
	*out = va + 1;
	return va < 0x1000;
}

static void programs(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "$x 1 2 + =", 3 },          { "$x 1 2 - =", 0xffffffff }, { "$x $esp 16 @ =", 0x120 },       { "$x $esp ^ =", 0x124 },
		{ "$y 7 = $x $y 2 * =", 14 }, { "$x 17 5 % =", 2 },         { "$x 17 5 / =", 3 },              { "$x -4 $esp + =", 0x11f },
		{ " $x  0x20 =", 0x20 },
	};
	static const char *const bad[] = { "$x", "$x $y =", "1 2 =", "$x 1 + =", "$x 5 0 / =", "$x 5 0 @ =", "$x 4096 ^ =", "^", "=", "$x 1 = 2", "x 1 =",
		                           "$a.name.that.is.too.long 1 =", "$x 1 2 ? =" };
	struct dt_program program;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		program = (struct dt_program){ .read = read_word };
		assert_true(dt_program_set(&program, "$esp", 0x123));
		if (!dt_program_run(&program, good[i].text))
			fail_msg("%s", good[i].text);
		assert_int_equal(dt_program_get(&program, "$x")->value, good[i].value);
		assert_true(dt_program_get(&program, "$x")->assigned);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		program = (struct dt_program){ .read = read_word };
		if (dt_program_run(&program, bad[i]))
			fail_msg("%s", bad[i]);
	}
	/* More words, more depth and more variables than there may be. */
	char text[8000] = "";
	program = (struct dt_program){ .read = read_word };
	for (size_t i = 0; i < 40; i++)
		strcat(text, "1 ");
	assert_false(dt_program_run(&program, text));
	for (*text = 0; strlen(text) < 7900;)
		strcat(text, "$x 1 = ");
	assert_false(dt_program_run(&program, text));
	*text = 0;
	for (size_t i = 0; i < DT_PROGRAM_VARIABLES + 1; i++)
		sprintf(text + strlen(text), "$v%zu 1 = ", i);
	program = (struct dt_program){ .read = read_word };
	assert_false(dt_program_run(&program, text));
}

/* ---- FPO_DATA --------------------------------------------------------------------------- */

static struct made_pdb made;
static uint8_t memory_bytes[0x400], code_bytes[0x3000];

static int ask_made(void *self, const struct dt_symbol_request *request)
{
	(void)self;
	return request->kind == DT_SYMBOL_PDB ? made_pdb_open(&made) : -1;
}

static void put32(uint32_t at, uint32_t value)
{
	memcpy(memory_bytes + at, &value, 4);
}

/* A call to `to` whose return address is `back`. */
static void put_call(uint32_t back, uint32_t to)
{
	uint32_t distance = to - back;

	code_bytes[back - 5] = 0xe8;
	memcpy(code_bytes + back - 4, &distance, 4);
}

/* Two functions: at 0x1000 FPO with ebp among its saved registers and 8 bytes of parameters; at 0x1100 one with a frame; between them calls. */
static void fpo_data(void **state)
{
	static const struct dt_symbol_source source_made = { NULL, ask_made };
	struct dt_error err;

	(void)state;
	made_pdb_begin(&made);
	made_pdb_fpo(&made, 0x1000, 0x80, 4, 2, 5, 3, true, 0);
	made_pdb_fpo(&made, 0x1100, 0x80, 0, 0, 3, 0, false, 3);
	made_pdb_fpo(&made, 0x1200, 0x80, 0, 0, 0, 0, false, 1);
	made_pdb_end(&made);
	modules[0] = (struct dt_module){ .name = "made.sys", .base = dt_some(BASE), .size = dt_some(0x3000), .debug_id = MADE_PDB_ID };
	dump.module_count = 1;
	memset(code_bytes, 0x90, sizeof(code_bytes));
	put_call(0x1140, 0x1000);
	put_call(0x1240, 0x1100);
	memset(memory_bytes, 0, sizeof(memory_bytes));
	/* sp: 3 saved registers, ebp in their middle; 4 words of locals; the return address; 2 parameters */
	put32(0x00, 0x11111111);
	put32(0x04, 0x50000060);
	put32(0x08, 0x22222222);
	put32(0x1c, BASE + 0x1140);
	put32(0x60, 0x50000090); /* the caller's frame: ebp, return address */
	put32(0x64, BASE + 0x1240);
	dt_memory_init(&dump.memory, &arena);
	assert_true(dt_memory_add(&dump.memory, BASE, (struct dt_bytes){ code_bytes, sizeof(code_bytes) }, DT_RANGE_BLOCK));
	assert_true(dt_memory_add(&dump.memory, STACK, (struct dt_bytes){ memory_bytes, sizeof(memory_bytes) }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	dump.stack_va = STACK;
	dump.stack_len = sizeof(memory_bytes);
	dt_symbols_open(&symbols, &dump, &source_made, &kept, &notes);
	dt_context_set(&context, DT_X86_EIP, BASE + 0x1020);
	dt_context_set(&context, DT_X86_ESP, STACK);
	dt_context_set(&context, DT_X86_EBP, 0x12345678);
	assert_true(walk(3) >= 3);
	assert_int_equal(frames[1].ip.value, BASE + 0x1140);
	assert_int_equal(frames[1].slot.value, STACK + 0x1c);
	assert_int_equal(frames[1].trust, DT_TRUST_UNWIND);
	assert_int_equal(frames[2].ip.value, BASE + 0x1240);
	assert_int_equal(frames[2].slot.value, STACK + 0x64);
	assert_int_equal(frames[2].trust, DT_TRUST_UNWIND);
	/* At its first instruction nothing is pushed. */
	put32(0x00, BASE + 0x1140);
	dt_context_set(&context, DT_X86_EIP, BASE + 0x1000);
	assert_true(walk(2) == 2);
	assert_int_equal(frames[1].slot.value, STACK);
	/* A pushed parameter that nobody counted: found a little higher, and not certain. */
	put32(0x00, 0);
	put32(0x1c, 7);
	put32(0x20, BASE + 0x1140);
	dt_context_set(&context, DT_X86_EIP, BASE + 0x1020);
	assert_true(walk(2) == 2);
	assert_int_equal(frames[1].slot.value, STACK + 0x20);
	assert_int_equal(frames[1].trust, DT_TRUST_CALL_SITE);
	/* Traps, and the middle of a prolog, say nothing. */
	for (unsigned i = 0; i < 2; i++) {
		dt_context_set(&context, DT_X86_EIP, BASE + (i ? 0x1210 : 0x1002));
		(void)walk(2);
		assert_int_not_equal(frames[1].trust, DT_TRUST_UNWIND);
	}
	dt_symbols_close(&symbols);
	made_pdb_free(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_instruction_of_functions_that_run, setup, teardown),
		cmocka_unit_test_setup_teardown(programs, setup, teardown),
		cmocka_unit_test_setup_teardown(fpo_data, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

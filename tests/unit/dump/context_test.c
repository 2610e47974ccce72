#include "fixture.h"

#include "facts/dump/context.h"

static const uint64_t sign = UINT64_C(0xfedcba9800000000);

static struct dt_bytes bytes_of(const struct fixture *f)
{
	return (struct dt_bytes){ f->data, f->len };
}

static struct fixture f;

/* Where each register stands in CONTEXT (winnt.h), x64. */
static const uint16_t x64_off[DT_X64_COUNT] = {
	[DT_X64_RAX] = 0x78, [DT_X64_RCX] = 0x80, [DT_X64_RDX] = 0x88, [DT_X64_RBX] = 0x90, [DT_X64_RSP] = 0x98,
	[DT_X64_RBP] = 0xa0, [DT_X64_RSI] = 0xa8, [DT_X64_RDI] = 0xb0, [DT_X64_R8] = 0xb8,  [DT_X64_R9] = 0xc0,
	[DT_X64_R10] = 0xc8, [DT_X64_R11] = 0xd0, [DT_X64_R12] = 0xd8, [DT_X64_R13] = 0xe0, [DT_X64_R14] = 0xe8,
	[DT_X64_R15] = 0xf0, [DT_X64_RIP] = 0xf8,
};

static void make_x64(uint32_t flags)
{
	memset(&f, 0, sizeof(f));
	f.len = 0x4d0;
	for (unsigned i = 0; i < DT_X64_RFLAGS; i++)
		put64(&f, x64_off[i], sign + i);
	put32(&f, 0x44, 0x10246);
	put32(&f, 0x30, flags);
	put16(&f, 0x38, 0x33);
}

static void reads_x64(void **state)
{
	struct dt_context context;

	(void)state;
	make_x64(0x10005f);
	assert_true(dt_context_parse(&context, DT_MACHINE_X64, bytes_of(&f)));
	for (unsigned i = 0; i < DT_X64_RFLAGS; i++)
		assert_true(dt_opt_is(dt_context_get(&context, i), sign + i));
	assert_true(dt_opt_is(dt_context_get(&context, DT_X64_RFLAGS), 0x10246));
	assert_true(context.user_mode);
	assert_int_equal(context.source, DT_FAULT_CONTEXT_RECORD);
	assert_true(dt_opt_is(dt_context_ip(&context), sign + DT_X64_RIP));
	assert_true(dt_opt_is(dt_context_sp(&context), sign + DT_X64_RSP));
	put16(&f, 0x38, 0x10);
	assert_true(dt_context_parse(&context, DT_MACHINE_X64, bytes_of(&f)));
	assert_false(context.user_mode);
}

static void flags_say_which_registers_are_known(void **state)
{
	struct dt_context context;

	(void)state;
	make_x64(0x100001);
	assert_true(dt_context_parse(&context, DT_MACHINE_X64, bytes_of(&f)));
	assert_int_equal(context.known, 1u << DT_X64_RSP | 1u << DT_X64_RIP | 1u << DT_X64_RFLAGS);
	assert_false(dt_context_get(&context, DT_X64_RAX).known);
}

static void refuses_what_is_no_context(void **state)
{
	struct dt_context context = { .va = 99 };

	(void)state;
	static const uint32_t wrong[] = { 0, 0x10000f, 0x100002, 0x10001, 0x400003, 0x500003, 0x1f };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_x64(wrong[i]);
		bool right = wrong[i] == 0x10000f;
		assert_int_equal(dt_context_parse(&context, DT_MACHINE_X64, bytes_of(&f)), right);
		if (!right && i == 0)
			assert_int_equal(context.va, 99); /* left alone */
	}
	make_x64(0x10000f);
	assert_false(dt_context_parse(&context, DT_machine_NULL, bytes_of(&f)));
	assert_false(dt_context_parse(&context, DT_MACHINE_X86, bytes_of(&f)));
	assert_false(dt_context_parse(&context, DT_MACHINE_X64, (struct dt_bytes){ f.data, 0xff }));
	assert_false(dt_context_parse(&context, DT_MACHINE_X64, (struct dt_bytes){ NULL, 0 }));
}

static void reads_x86(void **state)
{
	static const uint16_t off[DT_X86_EIP] = { 0xb0, 0xac, 0xa8, 0xa4, 0xc4, 0xb4, 0xa0, 0x9c };
	struct dt_context context;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.len = 0x2cc;
	for (unsigned i = 0; i < DT_X86_EIP; i++)
		put32(&f, off[i], 0x80000000u + i);
	put32(&f, 0xb8, 0x401000);
	put32(&f, 0xc0, 0x202);
	put32(&f, 0xbc, 0x1b);
	put32(&f, 0x00, 0x1007f);
	assert_true(dt_context_parse(&context, DT_MACHINE_X86, bytes_of(&f)));
	for (unsigned i = 0; i < DT_X86_EIP; i++)
		assert_true(dt_opt_is(dt_context_get(&context, i), 0x80000000u + i));
	assert_true(dt_opt_is(dt_context_ip(&context), 0x401000));
	assert_true(dt_opt_is(dt_context_sp(&context), 0x80000000u + DT_X86_ESP));
	assert_true(dt_opt_is(dt_context_get(&context, DT_X86_EFLAGS), 0x202));
	assert_true(context.user_mode);
	put32(&f, 0x00, 0x10001);
	assert_true(dt_context_parse(&context, DT_MACHINE_X86, bytes_of(&f)));
	assert_false(dt_context_get(&context, DT_X86_EAX).known);
	assert_true(dt_context_get(&context, DT_X86_EBP).known);
	put32(&f, 0x00, 0x10002);
	assert_false(dt_context_parse(&context, DT_MACHINE_X86, bytes_of(&f)));
	put32(&f, 0x00, 0x1007f);
	assert_false(dt_context_parse(&context, DT_MACHINE_X86, (struct dt_bytes){ f.data, 0xcb }));
}

static void reads_arm64(void **state)
{
	struct dt_context context;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.len = 0x390;
	put32(&f, 0x00, 0x400007);
	put32(&f, 0x04, 0x60000004);
	for (unsigned i = 0; i <= 32; i++)
		put64(&f, 8 + 8 * i, sign + i); /* x0..x28 fp lr sp pc stand in a row */
	assert_true(dt_context_parse(&context, DT_MACHINE_ARM64, bytes_of(&f)));
	for (unsigned i = 0; i <= DT_ARM64_PC; i++)
		assert_true(dt_opt_is(dt_context_get(&context, i), sign + i));
	assert_true(dt_opt_is(dt_context_get(&context, DT_ARM64_CPSR), 0x60000004));
	assert_false(context.user_mode);
	assert_true(dt_opt_is(dt_context_sp(&context), sign + 31));
	put32(&f, 0x04, 0x60000000);
	assert_true(dt_context_parse(&context, DT_MACHINE_ARM64, bytes_of(&f)));
	assert_true(context.user_mode);
	assert_false(dt_context_parse(&context, DT_MACHINE_ARM64, (struct dt_bytes){ f.data, 0x10f }));
}

static void reads_an_x64_trap_frame(void **state)
{
	static const struct {
		uint8_t number;
		uint16_t off;
	} kept[] = {
		{ DT_X64_RAX, 0x30 },  { DT_X64_RCX, 0x38 },  { DT_X64_RDX, 0x40 }, { DT_X64_R8, 0x48 },
		{ DT_X64_R9, 0x50 },   { DT_X64_R10, 0x58 },  { DT_X64_R11, 0x60 }, { DT_X64_RBP, 0x158 },
		{ DT_X64_RIP, 0x168 }, { DT_X64_RSP, 0x180 },
	};
	struct dt_context context;
	uint64_t known = UINT64_C(1) << DT_X64_RFLAGS;

	(void)state;
	memset(&f, 0x55, sizeof(f));
	f.len = 0x190;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		put64(&f, kept[i].off, sign + kept[i].number);
		known |= UINT64_C(1) << kept[i].number;
	}
	put64(&f, 0xd0, 0xdeadbeef);
	put64(&f, 0x170, 0x33);
	put64(&f, 0x178, UINT64_C(0x7777777700010202));
	assert_true(dt_trap_frame_parse_x64(&context, bytes_of(&f)));
	assert_int_equal(context.known, known); /* not rbx rsi rdi r12-r15, and never 0 for them */
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_int_equal(context.reg[kept[i].number], sign + kept[i].number);
	assert_int_equal(context.reg[DT_X64_RFLAGS], 0x10202);
	assert_true(context.has_fault_address && context.fault_address == 0xdeadbeef);
	assert_true(context.user_mode);
	assert_int_equal(context.source, DT_FAULT_TRAP_FRAME);
	assert_false(dt_trap_frame_parse_x64(&context, (struct dt_bytes){ f.data, 0x18f }));
}

static void reads_an_arm64_trap_frame(void **state)
{
	struct dt_context context;

	(void)state;
	memset(&f, 0x55, sizeof(f));
	f.len = 0x150;
	for (unsigned i = 0; i <= 18; i++)
		put64(&f, 0xa0 + 8 * i, sign + i);
	put32(&f, 0x90, 0x80000005);
	put64(&f, 0x98, sign + 31);
	put64(&f, 0x138, sign + 30);
	put64(&f, 0x140, sign + 29);
	put64(&f, 0x148, sign + 32);
	put64(&f, 0x08, 0xabc);
	assert_true(dt_trap_frame_parse_arm64(&context, bytes_of(&f)));
	for (unsigned i = 0; i <= DT_ARM64_PC; i++) {
		bool kept = i <= 18 || i >= 29;
		assert_int_equal(dt_context_get(&context, i).known, kept);
		if (kept)
			assert_int_equal(context.reg[i], sign + i);
	}
	assert_int_equal(context.fault_address, 0xabc);
	assert_false(context.user_mode);
	assert_false(dt_trap_frame_parse_arm64(&context, (struct dt_bytes){ f.data, 0x14f }));
}

static void sizes_are_those_of_windows(void **state)
{
	(void)state;
	assert_int_equal(dt_context_size(DT_MACHINE_X64), 1232);
	assert_int_equal(dt_context_size(DT_MACHINE_X86), 716);
	assert_int_equal(dt_context_size(DT_MACHINE_ARM64), 912);
	assert_int_equal(dt_context_size(DT_machine_NULL), 0);
}

static void makes_the_records_registers(void **state)
{
	struct dt_context context;
	struct dt_arena arena;
	struct dt_facts facts = { 0 };

	(void)state;
	dt_arena_init(&arena, 1 << 20);
	make_x64(0x100001);
	assert_true(dt_context_parse(&context, DT_MACHINE_X64, bytes_of(&f)));
	dt_context_record(&context, &arena, &facts);
	assert_int_equal(facts.registers_count, DT_X64_COUNT);
	assert_string_equal(facts.registers[DT_X64_RAX].name, "rax");
	assert_false(facts.registers[DT_X64_RAX].value.known);
	assert_string_equal(facts.registers[DT_X64_RIP].name, "rip");
	assert_true(dt_opt_is(facts.registers[DT_X64_RIP].value, sign + DT_X64_RIP));
	context = (struct dt_context){ 0 };
	dt_context_record(&context, &arena, &facts);
	assert_int_equal(facts.registers_count, 0);
	assert_null(facts.registers);
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_x64),
		cmocka_unit_test(flags_say_which_registers_are_known),
		cmocka_unit_test(refuses_what_is_no_context),
		cmocka_unit_test(reads_x86),
		cmocka_unit_test(reads_arm64),
		cmocka_unit_test(reads_an_x64_trap_frame),
		cmocka_unit_test(reads_an_arm64_trap_frame),
		cmocka_unit_test(sizes_are_those_of_windows),
		cmocka_unit_test(makes_the_records_registers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

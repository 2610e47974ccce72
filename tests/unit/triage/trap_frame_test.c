/* Trap frames are believed by their own evidence only. */
#include "unit/triage/recipe_facts.h"

#define FAULT "bugcheck 0xd1 0x28 0x2 0x0 0xfffff80010001000\n"
#define FRAME "rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 rcx=0x20 r8=0x8"

static void found_where_all_evidence_agrees(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP FAULT "trap-frame 0xffffa00000001400 " FRAME "\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
	assert_hex(facts->fault.ip, 0xfffff80010001000);
	assert_hex(register_of(facts, "rcx"), 0x20);
	assert_hex(register_of(facts, "rsp"), 0xffffa00000001590);
	assert_false(register_of(facts, "rsi").known);
	assert_false(register_of(facts, "r15").known);
}

/* Each line is a frame with one thing wrong: none may be taken, and the parameter's IP remains. */
static void refused_where_one_piece_is_wrong(void **state)
{
	static const char *const wrong[] = {
		"rip=0xfffff80010001001 rsp=0xffffa00000001590 address=0x28",                /* another instruction */
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x30",                /* another address */
		"rip=0xfffff80010001000 rsp=0xffffa00000001600 address=0x28",                /* rsp does not follow the frame */
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 cs=0xabcd0010",  /* cs is no 64-bit selector */
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 cs=0x33",        /* user mode with kernel code */
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 ss=0x77",
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 rflags=0x10284", /* bit 1 is always set */
		"rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x28 rflags=0xffffa00000000202",
	};
	char recipe[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(recipe, sizeof(recipe), "%strap-frame 0xffffa00000001400 %s\n", KERNEL_DUMP FAULT, wrong[i]);
		const struct dt_facts *facts = facts_of(recipe);
		if (facts->fault.source != DT_FAULT_PARAMETERS)
			fail_msg("taken: %s", wrong[i]);
		assert_int_equal(facts->registers_count, 0);
		assert_hex(facts->fault.ip, 0xfffff80010001000);
	}
}

static void either_alignment_of_the_stack_pointer(void **state)
{
	(void)state;
	const struct dt_facts *facts =
		facts_of(KERNEL_DUMP FAULT "trap-frame 0xffffa00000001400 rip=0xfffff80010001000 rsp=0xffffa00000001598 address=0x28\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
}

/* The kernel called through a pointer that was NULL, or that led into a program: its instruction pointer is no kernel's. */
static void kernel_code_that_went_to_low_addresses(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(
		KERNEL_DUMP "bugcheck 0xd1 0x0 0x2 0x8 0x0\n"
			    "trap-frame 0xffffa00000001400 rip=0x0 rsp=0xffffa00000001590 address=0x0 rcx=0x20\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
	assert_hex(facts->fault.ip, 0);
	assert_hex(register_of(facts, "rcx"), 0x20);
	facts = facts_of(KERNEL_DUMP "bugcheck 0x50 0x7ff612340000 0x10 0x7ff612340000 0x2\n"
	                             "trap-frame 0xffffa00000001400 rip=0x7ff612340000 rsp=0xffffa00000001590 address=0x7ff612340000\n");
	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
	/* it is not where the fetch failed: no frame */
	facts = facts_of(KERNEL_DUMP "bugcheck 0xd1 0x28 0x2 0x0 0x7ff612340000\n"
	                             "trap-frame 0xffffa00000001400 rip=0x7ff612340000 rsp=0xffffa00000001590 address=0x28\n");
	assert_int_equal(facts->fault.source, DT_FAULT_PARAMETERS);
}

static void no_address_is_compared_where_none_was_reported(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x1e 0xffffffffc0000005 0xfffff80010001000 0x0 0xffffffffffffffff\n"
	                                        "trap-frame 0xffffa00000001400 rip=0xfffff80010001000 rsp=0xffffa00000001590 address=0x1234\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
}

/* 0x50 puts the faulting instruction in the place of the trap frame that KeBugCheckEx was given; its home slot still has it. */
static void found_by_the_argument_of_the_bugcheck(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(
		KERNEL_DUMP "bugcheck 0x50 0xffffb00000000010 0x0 0xfffff80010001000 0x2\n"
		"context rip=0xfffff80000400000 rsp=0xffffa00000001000\n"
		"word 0xffffa00000001000 0xfffff80000500000 0x50 0xffffb00000000010 0x0 0xffffa00000001408 0x2\n"
		/* 8 bytes off any slot that a search by rsp would take: only the pointer leads here */
		"trap-frame 0xffffa00000001408 rip=0xfffff80010001000 rsp=0xffffa00000001700 address=0xffffb00000000010 r8=0x77\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
	assert_hex(register_of(facts, "r8"), 0x77);
}

static void arm64_frame(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(
		"kind triage\nmachine arm64\nbuild 22000\ntime 2024-01-02T03:04:05Z\nuptime 60\n"
		"module ntoskrnl.exe 0xfffff80000000000 0x1000000\nmodule driver.sys 0xfffff80010000000 0x10000\n"
		"stack 0xffffa00000001000 0x1000\ncontext pc=0xfffff80000400000 sp=0xffffa00000001000\n"
		"bugcheck 0xd1 0x28 0x2 0x0 0xfffff80010001000\n"
		"trap-frame 0xffffa00000001400 pc=0xfffff80010001000 sp=0xffffa00000001600 address=0x28 x1=0x20 lr=0xfffff80010002000\n");

	assert_int_equal(facts->fault.source, DT_FAULT_TRAP_FRAME);
	assert_hex(register_of(facts, "x1"), 0x20);
	assert_false(register_of(facts, "x19").known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_where_all_evidence_agrees),
		cmocka_unit_test(refused_where_one_piece_is_wrong),
		cmocka_unit_test(either_alignment_of_the_stack_pointer),
		cmocka_unit_test(kernel_code_that_went_to_low_addresses),
		cmocka_unit_test(no_address_is_compared_where_none_was_reported),
		cmocka_unit_test(found_by_the_argument_of_the_bugcheck),
		cmocka_unit_test(arm64_frame),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

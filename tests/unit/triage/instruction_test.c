/* The faulting instruction and what contradicts it. */
#include "unit/triage/recipe_facts.h"

/* A read through r8 in driver.sys, with its trap frame. %s: registers; the code follows. */
#define READ_FAULT(p1, registers, code)                                                                           \
	KERNEL_DUMP "bugcheck 0x50 " p1 " 0x0 0xfffff80010001060 0x2\n"                                            \
	"trap-frame 0xffffa00000001400 rip=0xfffff80010001060 rsp=0xffffa00000001590 address=" p1 " " registers "\n" \
	"bytes 0xfffff80010001060 " code "909090909090909090909090\n"

static void operand_is_computed_and_agrees(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(READ_FAULT("0xffffb00000000014", "r8=0xffffb00000000010", "458b4804"));

	assert_string_equal(facts->fault.instruction, "mov r9d, dword ptr [r8 + 4]");
	assert_hex(facts->fault.operand_address, 0xffffb00000000014);
	assert_null(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH));
	/* any byte of the operand: an access that crosses a page reports the second page */
	facts = facts_of(READ_FAULT("0xffffb00000001000", "r8=0xffffb00000000ffa", "458b4804"));
	assert_null(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH));
}

static void mismatch_is_evidence(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(READ_FAULT("0xffffb00000000014", "r8=0xffffb00040000010", "458b4804"));

	assert_non_null(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH));
	assert_non_null(strstr(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH)->text, "0xffffb00040000014"));
}

/* rsi is not in a trap frame: nothing may be concluded from the zero that stands in its place. */
static void unknown_register_says_nothing(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(READ_FAULT("0xffffb00000000014", "rsi=0x55", "8b06"));

	assert_string_equal(facts->fault.instruction, "mov eax, dword ptr [rsi]");
	assert_false(facts->fault.operand_address.known);
	assert_null(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH));
}

static void repeating_instruction_is_not_compared(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(READ_FAULT("0xffffb00000000014", "rcx=0x100", "f3a4"));

	assert_null(anomaly_of(facts, DT_ANOMALY_OPERAND_MISMATCH));
}

static void absent_bytes_are_no_instruction(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x50 0xffffb00000000014 0x0 0xfffff80010001060 0x2\n");

	assert_null(facts->fault.instruction);
	assert_null(facts->fault.decoder);
	assert_int_equal(facts->fault.bytes.len, 0);
	assert_null(facts->fault.code);
}

#define ILLEGAL(code)                                                                                       \
	KERNEL_DUMP "bugcheck 0x1e 0xffffffffc000001d 0xfffff80010001060 0x0 0x0\n"                          \
	"trap-frame 0xffffa00000001400 rip=0xfffff80010001060 rsp=0xffffa00000001590\n"                      \
	"bytes 0xfffff80010001060 " code "9090909090909090909090909090\n"

static void illegal_instructions(void **state)
{
	(void)state;
	/* popcnt eax, ecx: a feature */
	const struct dt_facts *facts = facts_of(ILLEGAL("f30fb8c1"));
	assert_non_null(anomaly_of(facts, DT_ANOMALY_CPU_FEATURE));
	assert_non_null(strstr(anomaly_of(facts, DT_ANOMALY_CPU_FEATURE)->text, "POPCNT"));
	assert_null(anomaly_of(facts, DT_ANOMALY_ILLEGAL_BUT_LEGAL));
	/* ud2: meant to be illegal */
	facts = facts_of(ILLEGAL("0f0b"));
	assert_int_equal(facts->anomalies_count, 0);
	/* mov eax, ecx: every processor has it */
	facts = facts_of(ILLEGAL("89c8"));
	assert_non_null(anomaly_of(facts, DT_ANOMALY_ILLEGAL_BUT_LEGAL));
	/* vpdpbusd zmm0, zmm1, zmm2: newer than the decoder, and said by name */
	facts = facts_of(ILLEGAL("62f2754850c2"));
	assert_non_null(anomaly_of(facts, DT_ANOMALY_CPU_FEATURE));
	assert_null(anomaly_of(facts, DT_ANOMALY_ILLEGAL_BUT_LEGAL));
	/* lock mov: the prefix makes it illegal */
	facts = facts_of(ILLEGAL("f08908"));
	assert_null(anomaly_of(facts, DT_ANOMALY_ILLEGAL_BUT_LEGAL));
}

/* A program at an address outside its modules; %s: what was refused there. */
#define OUTSIDE(refused)                                                                                         \
	"kind mdmp\nmachine x64\nos 10 0 19045\ntime 2024-03-05T10:20:30Z\nmodule a.exe 0x140000000 0x80000\nthread 1\n" \
	"thread-context 1 rip=0x250000 rsp=0x1f0f00\nexception thread=1 code=0xc0000005 address=0x250000 info=" refused "\n" \
	"context rip=0x250000 rsp=0x1f0f00\nbytes 0x250000 488b4110000000000000000000000000\n"

static void what_was_not_run_is_no_instruction(void **state)
{
	(void)state;
	/* Code made while the program ran. */
	const struct dt_facts *facts = facts_of(OUTSIDE("0,0x10"));
	assert_string_equal(facts->fault.instruction, "mov rax, qword ptr [rcx + 0x10]");
	facts = facts_of(OUTSIDE("8,0x250000"));
	assert_int_equal(facts->exception.access, DT_ACCESS_EXECUTE);
	assert_null(facts->fault.instruction);
	assert_null(facts->fault.decoder);
	assert_int_equal(facts->fault.bytes.len, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operand_is_computed_and_agrees),
		cmocka_unit_test(mismatch_is_evidence),
		cmocka_unit_test(unknown_register_says_nothing),
		cmocka_unit_test(repeating_instruction_is_not_compared),
		cmocka_unit_test(absent_bytes_are_no_instruction),
		cmocka_unit_test(illegal_instructions),
		cmocka_unit_test(what_was_not_run_is_no_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

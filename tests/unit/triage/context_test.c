/* Which registers are the fault's. */
#include "unit/triage/recipe_facts.h"

#define SEVEN_E "bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0xffffa00000001800 0xffffa00000001200\n"

static void record_that_the_code_names(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP SEVEN_E
		"context rip=0xfffff80010001000 rsp=0xffffa00000001900 rbx=0x1\n"
		"context-record 0xffffa00000001200 rip=0xfffff80010001000 rsp=0xffffa00000001900 rbx=0x5\n");

	assert_int_equal(facts->fault.source, DT_FAULT_CONTEXT_RECORD);
	assert_hex(register_of(facts, "rbx"), 5);
}

static void record_that_straddles_a_block_and_the_stack(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP
		"bugcheck 0x3b 0xc0000005 0xfffff80010001000 0xffffa00000000e00 0x0\n"
		"context-record 0xffffa00000000e00 rip=0xfffff80010001000 rsp=0xffffa00000001900 r15=0x7\n");

	assert_int_equal(facts->fault.source, DT_FAULT_CONTEXT_RECORD);
	assert_hex(register_of(facts, "r15"), 7);
}

static void header_where_the_record_is_not_there(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP
		"bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0xffff900000000000 0xffff900000001000\n"
		"context rip=0xfffff80010001000 rsp=0xffffa00000001900 rbx=0x1\n");

	assert_int_equal(facts->fault.source, DT_FAULT_HEADER_CONTEXT);
	assert_hex(register_of(facts, "rbx"), 1);
	assert_true(facts->notes_count >= 1);
}

static void header_is_not_the_fault_when_it_stands_elsewhere(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP
		"bugcheck 0x3b 0xc0000005 0xfffff80010001000 0xffff900000001000 0x0\n");

	assert_int_equal(facts->fault.source, DT_FAULT_PARAMETERS);
	assert_int_equal(facts->registers_count, 0);
}

static void record_that_contradicts_the_parameter_is_said(void **state)
{
	bool said = false;

	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP SEVEN_E
		"context-record 0xffffa00000001200 rip=0xfffff80010002000 rsp=0xffffa00000001900\n");
	for (size_t i = 0; i < facts->notes_count; i++)
		said |= facts->notes[i].level == DT_NOTE_WARNING && strstr(facts->notes[i].text, "0xfffff80010002000");
	assert_true(said);
}

static void no_fault_where_the_code_names_none(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xef 0xffffd00000000000 0x0 0x0 0x0\n");

	assert_false(facts->fault.ip.known);
	assert_int_equal(facts->fault.source, DT_fault_source_NULL);
	assert_null(facts->fault.module);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_that_the_code_names),
		cmocka_unit_test(record_that_straddles_a_block_and_the_stack),
		cmocka_unit_test(header_where_the_record_is_not_there),
		cmocka_unit_test(header_is_not_the_fault_when_it_stands_elsewhere),
		cmocka_unit_test(record_that_contradicts_the_parameter_is_said),
		cmocka_unit_test(no_fault_where_the_code_names_none),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

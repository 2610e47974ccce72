/* Exception code, address and access, and what says them. */
#include "unit/triage/recipe_facts.h"

static void page_fault_has_no_exception(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x50 0xffffb00000000010 0x2 0xfffff80010001000 0x2\n");

	assert_false(facts->exception.code.known);
	assert_int_equal(facts->exception.access, DT_ACCESS_WRITE);
	assert_int_equal(facts->exception.access_source, DT_ACCESS_FROM_PARAMETER);
	assert_hex(facts->exception.address, 0xffffb00000000010);
}

static void undecided_parameter_leaves_it_to_the_instruction(void **state)
{
	/* bit 3 alone says nothing on build 19041 */
#define UNDECIDED KERNEL_DUMP "bugcheck 0x50 0xffffb00000000010 0x8 0xfffff80010001000 0x2\n"
	(void)state;
	const struct dt_facts *facts = facts_of(UNDECIDED);
	assert_int_equal(facts->exception.access, DT_access_NULL);
	facts = facts_of(UNDECIDED "bytes 0xfffff80010001000 458b08 90909090909090909090909090\n");
	assert_int_equal(facts->exception.access, DT_ACCESS_READ);
	assert_int_equal(facts->exception.access_source, DT_ACCESS_FROM_INSTRUCTION);
	facts = facts_of(UNDECIDED "bytes 0xfffff80010001000 448908 90909090909090909090909090\n");
	assert_int_equal(facts->exception.access, DT_ACCESS_WRITE);
	/* inc dword [rax] reads and writes: it does not decide */
	facts = facts_of(UNDECIDED "bytes 0xfffff80010001000 ff00 90909090909090909090909090\n");
	assert_int_equal(facts->exception.access, DT_access_NULL);
}

static void older_builds_number_the_access_otherwise(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "build 9600\nbugcheck 0x50 0xffffb00000000010 0x1 0xfffff80010001000 0x2\n");

	assert_int_equal(facts->exception.access, DT_ACCESS_WRITE);
	facts = facts_of(KERNEL_DUMP "build 9600\nbugcheck 0x50 0xfffff80010001000 0x8 0xfffff80010001000 0x2\n");
	assert_int_equal(facts->exception.access, DT_ACCESS_EXECUTE);
}

static void record_in_memory_says_it_best(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP
		"bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0xffffa00000001800 0xffff900000001000\n"
		"exception-record 0xffffa00000001800 code=0xc0000005 address=0xfffff80010001000 info=1,0x44\n");

	assert_hex(facts->exception.code, 0xc0000005);
	assert_string_equal(facts->exception.name, "STATUS_ACCESS_VIOLATION");
	assert_int_equal(facts->exception.access, DT_ACCESS_WRITE);
	assert_int_equal(facts->exception.access_source, DT_ACCESS_FROM_RECORD);
	assert_hex(facts->exception.address, 0x44);
	assert_int_equal(facts->exception.information_count, 2);
}

static void record_of_another_exception_is_not_used(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP
		"bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0xffffa00000001800 0xffff900000001000\n"
		"exception-record 0xffffa00000001800 code=0x80000003 address=0xfffff80010001000 info=1,0x44\n");

	assert_hex(facts->exception.code, 0xc0000005);
	assert_false(facts->exception.address.known);
	assert_int_equal(facts->exception.information_count, 0);
}

static void words_of_the_record_in_the_parameters(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x1e 0xffffffffc0000005 0xfffff80010001000 0x1 0x48\n");

	assert_int_equal(facts->exception.access, DT_ACCESS_WRITE);
	assert_hex(facts->exception.address, 0x48);
	/* an exception without access has none, whatever stands there */
	facts = facts_of(KERNEL_DUMP "bugcheck 0x1e 0xffffffff80000003 0xfffff80010001000 0x1 0x48\n");
	assert_false(facts->exception.address.known);
	assert_int_equal(facts->exception.access, DT_access_NULL);
}

static void fast_fail_is_named(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x139 0x3 0xffff900000000000 0xffff900000001000 0x0\n");

	assert_string_equal(facts->exception.detail, "FAST_FAIL_CORRUPT_LIST_ENTRY");
}

static void signals_of_linux_are_no_ntstatus(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(
		"kind mdmp\nplatform 0x8201\ntime 2024-01-02T03:04:05Z\npid 7\nmodule prog 0x400000 0x10000\n"
		"thread 1\nexception thread=1 code=11 address=0x1234\ncontext rip=0x401000 rsp=0x7ffc00000000\n");

	assert_string_equal(facts->exception.name, "SIGSEGV");
	assert_hex(facts->exception.address, 0x1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_fault_has_no_exception),
		cmocka_unit_test(undecided_parameter_leaves_it_to_the_instruction),
		cmocka_unit_test(older_builds_number_the_access_otherwise),
		cmocka_unit_test(record_in_memory_says_it_best),
		cmocka_unit_test(record_of_another_exception_is_not_used),
		cmocka_unit_test(words_of_the_record_in_the_parameters),
		cmocka_unit_test(fast_fail_is_named),
		cmocka_unit_test(signals_of_linux_are_no_ntstatus),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

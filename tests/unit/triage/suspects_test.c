/* Drivers that parameters and memory name. */
#include "unit/triage/recipe_facts.h"

static void caller_of_the_bugcheck(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xa0000001 0x5 0x0 0x0 0x0\n"
		"word 0xffffa00000001000 0xfffff80010002000 0xa0000001 0x5 0x0 0x0 0x0\n");

	assert_non_null(suspect_of(facts, "bugcheck-caller"));
	assert_string_equal(suspect_of(facts, "bugcheck-caller")->module, "driver.sys");
	assert_hex(suspect_of(facts, "bugcheck-caller")->offset, 0x2000);
	assert_hex(facts->stack[1].ip, 0xfffff80010002000);
}

static void no_caller_where_the_context_does_not_stand_at_the_entry(void **state)
{
	(void)state;
	/* the home slots hold other words, and no padding stands before the instruction */
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xa0000001 0x5 0x6 0x7 0x8\n"
		"word 0xffffa00000001000 0xfffff80010002000 0x1 0x2 0x3 0x4 0x9\n"
		"bytes 0xfffff800003ffff0 8b018b028b038b048b058b068b078b00\n");

	assert_null(suspect_of(facts, "bugcheck-caller"));
}

static void caller_by_padding_where_the_function_has_one_argument(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x65 0 0 0 0\n"
		"word 0xffffa00000001000 0xfffff80010002000 0xffff910000000000 0x1 0x2 0x3 0xb\n"
		"bytes 0xfffff800003ffff0 c3cccccccccccc0f1f84000000000048 \nbytes 0xfffff80000400000 4883ec28\n");
	assert_null(suspect_of(facts, "bugcheck-caller"));
	facts = facts_of(KERNEL_DUMP "bugcheck 0x65 0 0 0 0\n"
		"word 0xffffa00000001000 0xfffff80010002000 0xffff910000000000 0x1 0x2 0x3 0xb\n"
		"bytes 0xfffff800003ffff0 c3cccccccccccccc0f1f840000000000 4883ec28\n");
	assert_non_null(suspect_of(facts, "bugcheck-caller"));
}

static void module_address_of_a_parameter(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x116 0xffffd00000000000 0xfffff80010003000 0x0 0x4\n");

	assert_string_equal(suspect_of(facts, "parameter-2")->module, "driver.sys");
	assert_null(suspect_of(facts_of(KERNEL_DUMP "bugcheck 0x116 0xffffd00000000000 0xfffff90010003000 0x0 0x4\n"), "parameter-2"));
}

/* An IRP at stack location 2 of 3, whose device belongs to driver.sys; the PDO to other.sys. */
#define POWER_IRP                                                                                                       \
	KERNEL_DUMP "module other.sys 0xfffff80020000000 0x10000\n"                                                       \
	"bugcheck 0x9f 0x3 0xffffd00000030000 0xffffd00000040000 0xffffd00000010000\n"                                   \
	"zeros 0xffffd00000010000 0x300\nword 0xffffd00000010000 0x02c00006\nbytes 0xffffd00000010042 0302\n"            \
	"word 0xffffd000000100b8 0xffffd00000010118\n"                                                                   \
	"word 0xffffd00000010140 0xffffd00000020000\nword 0xffffd00000010150 0xfffff80020001000\n"                       \
	"zeros 0xffffd00000020000 0x40\nword 0xffffd00000020000 0x01500003 0xffffd00000021000\n"                         \
	"zeros 0xffffd00000021000 0x40\nword 0xffffd00000021000 0x01500004\nword 0xffffd00000021018 0xfffff80010000000\n" \
	"zeros 0xffffd00000030000 0x40\nword 0xffffd00000030000 0x01500003 0xffffd00000031000\n"                         \
	"zeros 0xffffd00000031000 0x40\nword 0xffffd00000031000 0x01500004\nword 0xffffd00000031018 0xfffff80020000000\n"

static void holder_of_a_request(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(POWER_IRP);

	assert_string_equal(suspect_of(facts, "irp-stack-location")->module, "driver.sys");
	assert_string_equal(suspect_of(facts, "irp-completion-routine")->module, "other.sys");
	assert_string_equal(suspect_of(facts, "device-object")->module, "other.sys");
}

/* The pointer to the current location and its number must agree; types must be right. */
static void request_that_contradicts_itself_names_nobody(void **state)
{
	(void)state;
	assert_null(suspect_of(facts_of(POWER_IRP "bytes 0xffffd00000010042 0303\n"), "irp-stack-location"));
	assert_null(suspect_of(facts_of(POWER_IRP "bytes 0xffffd00000010042 0100\n"), "irp-stack-location"));
	assert_null(suspect_of(facts_of(POWER_IRP "word 0xffffd00000010000 0x02c00007\n"), "irp-stack-location"));
	assert_null(suspect_of(facts_of(POWER_IRP "word 0xffffd00000020000 0x01500005\n"), "irp-stack-location"));
	assert_null(suspect_of(facts_of(POWER_IRP "word 0xffffd00000021000 0x01500003\n"), "irp-stack-location"));
}

#define JUMP                                                                                            \
	KERNEL_DUMP "bugcheck 0x50 0xffffb00000000000 0x10 0xffffb00000000000 0x2\n"                     \
	"trap-frame 0xffffa00000001400 rip=0xffffb00000000000 rsp=0xffffa00000001590 address=0xffffb00000000000\n" \
	"word 0xffffa00000001590 0xfffff80010002010\n"

static void caller_of_a_jump_to_nowhere(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(JUMP);
	assert_string_equal(suspect_of(facts, "execute-caller")->module, "driver.sys");
	/* call rax ends there */
	facts = facts_of(JUMP "bytes 0xfffff80010002000 9090909090909090909090909090ffd0\n");
	assert_non_null(suspect_of(facts, "execute-caller"));
	/* no call ends there: the word is something else */
	facts = facts_of(JUMP "bytes 0xfffff80010002000 90909090909090909090909090909090\n");
	assert_null(suspect_of(facts, "execute-caller"));
}

static void driver_that_ran_right_before_the_kernel_jumped(void **state)
{
#define KERNEL_JUMP JUMP "word 0xffffa00000001590 0xfffff80000500000\n"
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_JUMP "word 0xffffa00000001200 0xfffff80010002000\nword 0xffffa00000001300 0xfffff80010003000\n");
	assert_string_equal(suspect_of(facts, "dead-stack")->module, "driver.sys");
	/* once is chance; two drivers are no one */
	assert_null(suspect_of(facts_of(KERNEL_JUMP "word 0xffffa00000001200 0xfffff80010002000\n"), "dead-stack"));
	assert_null(suspect_of(facts_of(KERNEL_JUMP "module other.sys 0xfffff80020000000 0x10000\nword 0xffffa00000001200 0xfffff80010002000\n"
	                                "word 0xffffa00000001300 0xfffff80010003000\nword 0xffffa00000001320 0xfffff80020003000\n"), "dead-stack"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caller_of_the_bugcheck),
		cmocka_unit_test(no_caller_where_the_context_does_not_stand_at_the_entry),
		cmocka_unit_test(caller_by_padding_where_the_function_has_one_argument),
		cmocka_unit_test(module_address_of_a_parameter),
		cmocka_unit_test(holder_of_a_request),
		cmocka_unit_test(request_that_contradicts_itself_names_nobody),
		cmocka_unit_test(caller_of_a_jump_to_nowhere),
		cmocka_unit_test(driver_that_ran_right_before_the_kernel_jumped),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

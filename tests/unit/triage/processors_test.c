/* All processors, where the dump holds the kernel's memory. */
#include "recipe_facts.h"

#define MEMORY KERNEL_DUMP "kind memory\ndump-type 1\nprocessors 3\nbugcheck 0x101 0x10 0x0 0x0 0x2\ncpu number=2 cr2=0x1234\n"

static void each_with_what_it_ran(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(MEMORY);
	assert_int_equal(facts->processors_count, 3);
	assert_int_equal(facts->processors[0].number.value, 0);
	assert_false(facts->processors[0].ip.known);
	assert_hex(facts->processors[1].thread, UINT64_C(0xffffd00050001000));
	assert_string_equal(facts->processors[2].process, "System");
	assert_hex(facts->processors[2].cr2, 0x1234);
	assert_hex(facts->processors[2].ip, UINT64_C(0xfffff80000400000));
	assert_string_equal(facts->processors[2].module, "ntoskrnl.exe");
}

static void none_in_a_minidump(void **state)
{
	(void)state;
	assert_int_equal(facts_of(KERNEL_DUMP)->processors_count, 0);
}

/* The array's second pointer leads elsewhere, or nowhere. */
static void blocks_that_are_none(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(MEMORY "poke 0xfffff80000c2aad8 00001000a0ffff ff\n");
	assert_int_equal(facts->processors_count, 2);
	facts = facts_of(MEMORY "poke 0xfffff80000c2aad8 0000000000000000\n");
	assert_int_equal(facts->processors_count, 1);
}

/* 300 pointers into the kernel, of which three lead to blocks. */
static void more_than_are_listed(void **state)
{
	static char recipe[16384];
	size_t n = (size_t)snprintf(recipe, sizeof(recipe), MEMORY "processors 300\npoke 0xfffff80000c2aae8 ");

	(void)state;
	for (unsigned i = 3; i < 300; i++)
		n += (size_t)snprintf(recipe + n, sizeof(recipe) - n, "0000000000f8ffff");
	snprintf(recipe + n, sizeof(recipe) - n, "\n");
	const struct dt_facts *facts = facts_of(recipe);
	assert_int_equal(facts->processors_count, 3);
	assert_string_equal(facts->notes[facts->notes_count - 1].text, "more than 256; the rest is not listed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_with_what_it_ran),
		cmocka_unit_test(none_in_a_minidump),
		cmocka_unit_test(blocks_that_are_none),
		cmocka_unit_test(more_than_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, free_facts);
}

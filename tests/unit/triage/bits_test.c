/* One wrong bit, and what only looks like it. */
#include "unit/triage/recipe_facts.h"

static void page_table_entries(void **state)
{
	(void)state;
	assert_non_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x41792 0xffff800000001000 0x2000000000 0x0\n"),
	                           DT_ANOMALY_ONE_BIT_PTE));
	assert_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x41792 0xffff800000001000 0x2000000001 0x0\n"),
	                       DT_ANOMALY_ONE_BIT_PTE));
	assert_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x41792 0xffff800000001000 0x0 0x0\n"), DT_ANOMALY_ONE_BIT_PTE));
	assert_non_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x403 0xffff800000001000 0x8000000123400867 0x8000000123500867\n"),
	                           DT_ANOMALY_ONE_BIT_PTE));
	assert_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x403 0xffff800000001000 0x8000000123400867 0x8000000123400867\n"),
	                       DT_ANOMALY_ONE_BIT_PTE));
	/* another sub-code with the same numbers */
	assert_null(anomaly_of(facts_of(KERNEL_DUMP "bugcheck 0x1a 0x41790 0xffff800000001000 0x2000000000 0x0\n"),
	                       DT_ANOMALY_ONE_BIT_PTE));
}

static void addresses(void **state)
{
	static const struct {
		const char *address;
		bool one_bit;
	} cases[] = {
		{ "0x0000000400000008", true },  { "0x0000200000000018", true },  { "0x0000000000000008", false },
		{ "0x0000000000001008", false }, { "0x0000000100000008", false }, { "0x0000000600000008", false },
		{ "0xffffb00000000010", false },
	};
	char recipe[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(recipe, sizeof(recipe), "%sbugcheck 0xd1 %s 0x2 0x0 0xfffff80010001000\n", KERNEL_DUMP, cases[i].address);
		if ((anomaly_of(facts_of(recipe), DT_ANOMALY_ONE_BIT_ADDRESS) != NULL) != cases[i].one_bit)
			fail_msg("%s", cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(page_table_entries), cmocka_unit_test(addresses) };

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

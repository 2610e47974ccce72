/* Make and model, and that nothing more of the SMBIOS tables is read. */
#include "unit/triage/recipe_facts.h"

#include <stdlib.h>

static void make_model_and_bios(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\nproduct 3\n"
		"smbios manufacturer=\"  Maker Inc. \" model=\"Model <1>\" vendor=Bios version=1.2 date=01/02/2023\n");

	assert_string_equal(facts->system.manufacturer, "Maker Inc.");
	assert_string_equal(facts->system.model, "Model <1>");
	assert_string_equal(facts->system.bios, "Bios 1.2, 01/02/2023");
	assert_string_equal(facts->system.product, "server");
	assert_string_equal(facts->system.cpu, "GenuineIntel");
}

static void none_where_the_dump_has_none(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\n");

	assert_null(facts->system.manufacturer);
	assert_null(facts->system.model);
	assert_null(facts->system.bios);
}

/* A string that the table's end cuts off, and one with control characters. */
static void hostile_tables(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\nsmbios manufacturer=\x1b[31mred model=x\n");

	assert_null(strchr(facts->system.manufacturer, 0x1b));
	for (size_t len = test_sample.len - 90; len < test_sample.len; len++) {
		struct dt_triage_options options = { 0 };
		uint8_t *copy = malloc(len);
		memcpy(copy, test_sample.data, len);
		assert_non_null(dt_triage_bytes(test_triage, (struct dt_bytes){ copy, len }, "cut.dmp", &options)->bugcheck);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(make_model_and_bios),
		cmocka_unit_test(none_where_the_dump_has_none),
		cmocka_unit_test(hostile_tables),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

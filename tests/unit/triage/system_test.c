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

/* The processor's registry values, as the secondary data of real dumps has them: ~MHz, its name, MSR 0x8B. */
#define CPU_TAG "blob 89c37a6c1343dc479f34a8800a0fb56c "
#define CPU_VALUES                                                                                      \
	"0a0000007e004d0048007a0000000400000004000000280a000028000000500072006f0063006500730073006f007200" \
	"4e0061006d00650053007400720069006e0067000000010000002c0000004500780061006d0070006c00650020004300" \
	"5000550020004000200032002e0036003000470048007a0000000c0000004d00530052003800420000000b0000000800" \
	"0000000000001b000000"

static void the_processors_own_words(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP CPU_TAG CPU_VALUES "\nblob 11111111111111111111111111111111 aabbcc\n");
	assert_string_equal(facts->system.cpu, "Example CPU @ 2.60GHz");
	assert_hex(facts->system.microcode, 0x1b);
	assert_int_equal(facts->blobs_count, 2);
	assert_string_equal(facts->blobs[0].id, "6c7ac389-4313-47dc-9f34-a8800a0fb56c");
	assert_string_equal(facts->blobs[0].name, "processor, registry values");
	assert_string_equal(facts->blobs[1].id, "11111111-1111-1111-1111-111111111111");
	assert_null(facts->blobs[1].name);
	assert_int_equal(facts->blobs[1].size.value, 3);
	/* A length that leads out of the blob ends the reading. */
	facts = facts_of(KERNEL_DUMP CPU_TAG "ffffff7f " CPU_VALUES "\n");
	assert_false(facts->system.microcode.known);
	facts = facts_of(KERNEL_DUMP CPU_TAG "0a000000 7e00\n");
	assert_false(facts->system.microcode.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_processors_own_words),
		cmocka_unit_test(make_model_and_bios),
		cmocka_unit_test(none_where_the_dump_has_none),
		cmocka_unit_test(hostile_tables),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

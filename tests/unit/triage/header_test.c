/* What the header says, and what of it cannot be right. */
#include "unit/triage/recipe_facts.h"

static void time_and_its_trust(void **state)
{
	(void)state;
#define E2 KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\n"
	const struct dt_facts *facts = facts_of(E2);
	assert_int_equal(facts->dump.time_trust, DT_TIME_OK);
	assert_hex(facts->dump.uptime_s, 60000);
	assert_int_equal(facts_of(E2 "time 1980-01-01T00:00:00Z\n")->dump.time_trust, DT_TIME_IMPLAUSIBLE);
	assert_int_equal(facts_of(E2 "time 2199-01-01T00:00:00Z\n")->dump.time_trust, DT_TIME_IMPLAUSIBLE);
	facts = facts_of(E2 "time 0\n");
	assert_int_equal(facts->dump.time_trust, DT_time_trust_NULL);
	assert_int_equal(facts->dump.time, 0);
}

static void operating_system_in_words(void **state)
{
	(void)state;
	assert_non_null(strstr(facts_of(E2)->dump.os, "Windows 10"));
	assert_non_null(strstr(facts_of(E2 "build 20348\nproduct 3\n")->dump.os, "Server 2022"));
	assert_non_null(strstr(facts_of(E2 "build 12345\n")->dump.os, "12345"));
}

static void images_of_windows_are_known_by_name(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(E2);
	assert_int_equal(facts->modules[0].microsoft, DT_TRUE);
	/* a name that is in no list proves nothing */
	assert_int_equal(facts->modules[1].microsoft, DT_NOT_KNOWN);
}

static void parameters_in_words(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0x10000050 0xffffb00000000010 0x2 0xfffff80010001000 0x2\n");

	assert_hex(facts->bugcheck->code, 0x50);
	assert_int_equal(facts->bugcheck->minidump_flag, DT_TRUE);
	assert_int_equal(facts->bugcheck->meanings_count, 4);
	assert_non_null(strstr(facts->bugcheck->meanings[1], "write"));
	/* a code nobody documents has a number and no words */
	facts = facts_of(KERNEL_DUMP "bugcheck 0xceadcead 0x1 0x2 0x3 0x4\n");
	assert_hex(facts->bugcheck->code, 0xceadcead);
	assert_int_equal(facts->bugcheck->meanings_count, 0);
	assert_int_equal(facts->bugcheck->minidump_flag, DT_FALSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_and_its_trust),
		cmocka_unit_test(operating_system_in_words),
		cmocka_unit_test(images_of_windows_are_known_by_name),
		cmocka_unit_test(parameters_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

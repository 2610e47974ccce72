/* crash_id: what it is made of, byte by byte, and what it leaves out. */
#include "unit/triage/recipe_facts.h"

#include "core/hash/hash.h"

#define CRASH "bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0x1 0x2\n"

static char kept[64];

static const char *id_of(const char *recipe)
{
	const char *id = facts_of(recipe)->crash_id;

	return id ? strcpy(kept, id) : NULL;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void kernel_identity_is_the_documented_hash(void **state)
{
	uint8_t bytes[24 + 2 + 4 + 32 + 16];
	char expected[65];

	(void)state;
	memcpy(bytes, "dumptriage.crash_id/1|k|", 24);
	put(bytes + 24, 0x8664, 2);
	put(bytes + 26, 0x7e, 4);
	put(bytes + 30, 0xffffffffc0000005, 8);
	put(bytes + 38, 0xfffff80010001000, 8);
	put(bytes + 46, 1, 8);
	put(bytes + 54, 2, 8);
	put(bytes + 62, 133486382450000000u, 8); /* 2024-01-02T03:04:05Z */
	put(bytes + 70, 600000000, 8);
	dt_sha256_text((struct dt_bytes){ bytes, sizeof(bytes) }, expected);
	expected[32] = '\0';
	assert_string_equal(id_of(KERNEL_DUMP CRASH), expected);
}

static void writers_do_not_matter(void **state)
{
	char first[64];

	(void)state;
	strcpy(first, id_of(KERNEL_DUMP CRASH));
	/* the minidump's flag, another base build, processors, writer, modules */
	assert_string_equal(id_of(KERNEL_DUMP "bugcheck 0x1000007e 0xffffffffc0000005 0xfffff80010001000 0x1 0x2\n"), first);
	assert_string_equal(id_of(KERNEL_DUMP CRASH "build 19045\nprocessors 64\nwriter kernel\nmodule more.sys 0xfffff80030000000 0x1000\n"), first);
	assert_string_equal(id_of("kind header64\ntime 2024-01-02T03:04:05Z\nuptime 60\n" CRASH), first);
}

static void another_crash_has_another(void **state)
{
	static const char *const others[] = { "time 2024-01-02T03:04:06Z\n", "uptime 61\n", "bugcheck 0x7e 0xffffffffc0000005 0xfffff80010001000 0x1 0x3\n",
		                              "bugcheck 0x1e 0xffffffffc0000005 0xfffff80010001000 0x1 0x2\n" };
	char first[64], recipe[2048];

	(void)state;
	strcpy(first, id_of(KERNEL_DUMP CRASH));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(recipe, sizeof(recipe), "%s%s", KERNEL_DUMP CRASH, others[i]);
		assert_string_not_equal(id_of(recipe), first);
	}
}

static void none_without_a_time(void **state)
{
	(void)state;
	assert_null(id_of(KERNEL_DUMP CRASH "time 0\n"));
}

static void user_dumps(void **state)
{
#define USER "kind mdmp\ntime 2024-01-02T03:04:05Z\npid 7\nmodule a.exe 0x140000000 0x1000\nthread 1\n"
	char first[64];

	(void)state;
	strcpy(first, id_of(USER "exception thread=1 address=0x140000500 info=0,0\n"));
	assert_string_not_equal(id_of(USER "exception thread=1 address=0x140000501 info=0,0\n"), first);
	assert_null(id_of(USER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_identity_is_the_documented_hash),
		cmocka_unit_test(writers_do_not_matter),
		cmocka_unit_test(another_crash_has_another),
		cmocka_unit_test(none_without_a_time),
		cmocka_unit_test(user_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}

/* The table of relocations: what it names, where an entry reaches over a page, and tables that lie. */
#include <string.h>

#include "../arena.h"

#include "facts/image/image.h"

enum { SIZE = 0x4000, TABLE = 0x3000 };
static uint8_t bytes[SIZE];
static struct dt_memory memory;
static struct dt_image image;
static size_t at;

static void put(uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[at++] = (uint8_t)(value >> 8 * i);
}

static void begin(void)
{
	memset(bytes, 0, sizeof(bytes));
	at = TABLE;
}

static void end(void)
{
	struct dt_error err;

	dt_memory_init(&memory, &arena);
	assert_true(dt_memory_add(&memory, 0x10000, (struct dt_bytes){ bytes, SIZE }, DT_RANGE_BLOCK));
	assert_int_equal(dt_memory_seal(&memory, NULL, &err), DT_OK);
	image = (struct dt_image){ .memory = &memory, .base = 0x10000, .size = SIZE };
	image.directories[DT_IMAGE_RELOCATIONS] = (struct dt_image_directory){ TABLE, (uint32_t)(at - TABLE) };
}

static bool is_relocated(uint32_t rva, uint32_t len, bool expected_known)
{
	bool known, answer = dt_image_is_relocated(&image, rva, len, &known);

	assert_int_equal(known, expected_known);
	return answer;
}

static void entries(void **state)
{
	(void)state;
	begin();
	put(0x1000, 4);
	put(8 + 2 * 4, 4);
	put(0x3010, 2); /* 4 bytes at 0x1010 */
	put(0xa020, 2); /* 8 bytes at 0x1020 */
	put(0xaffc, 2); /* 8 bytes at 0x1ffc */
	put(0x0000, 2); /* none: it fills up */
	put(0x2000, 4);
	put(8 + 2, 4);
	put(0x3000 | 0x100, 2);
	end();
	assert_false(is_relocated(0x1000, 16, true));
	assert_true(is_relocated(0x1000, 17, true));
	assert_true(is_relocated(0x1013, 1, true));
	assert_false(is_relocated(0x1014, 12, true));
	assert_true(is_relocated(0x1027, 4, true));
	assert_false(is_relocated(0x1028, 4, true));
	assert_true(is_relocated(0x2003, 1, true));
	assert_false(is_relocated(0x2004, 16, true));
	assert_true(is_relocated(0x2103, 1, true));
	image.directories[DT_IMAGE_RELOCATIONS].size = 0;
	assert_false(is_relocated(0x1010, 4, true));
}

static void tables_that_lie(void **state)
{
	static const uint32_t sizes[] = { 0, 7, 0xffffffff, 0x10001 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin();
		put(0x1000, 4);
		put(sizes[i], 4);
		put(0x3010, 2);
		end();
		assert_false(is_relocated(0x1800, 4, false));
	}
	/* A directory outside of the image, and one of 4 GiB. */
	image.directories[DT_IMAGE_RELOCATIONS] = (struct dt_image_directory){ SIZE, 0x100 };
	assert_false(is_relocated(0x1800, 4, false));
	image.directories[DT_IMAGE_RELOCATIONS] = (struct dt_image_directory){ 0xfffffff0, 0xffffffff };
	assert_false(is_relocated(0x1800, 4, false));
	begin();
	put(0xfffff000, 4);
	put(10, 4);
	put(0x3010, 2);
	end();
	assert_false(is_relocated(0x1800, 4, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(tables_that_lie, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

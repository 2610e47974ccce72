/* kdump files that the sample builder makes, and what is changed in them. */
#include "fixture.h"
#include <stdio.h>

#include "sample.h"

static struct opened o;
static struct sample sample;

#define MACHINE "kind kdump\nprocessors 2\nbugcheck 0xd1 0x10 0x2 0x0 0x0\nmodule ntoskrnl.exe 0xfffff80000000000 0x1046000\n"

static void open_lines(const char *lines)
{
	char recipe[1024];

	snprintf(recipe, sizeof(recipe), "%s%s", MACHINE, lines);
	sample_free(&sample);
	if (sample_build(&sample, "test.recipe", recipe, strlen(recipe)))
		fail_msg("%s", sample.error);
	open_bytes(&o, sample.data, sample.len);
}

static unsigned pages_read(void)
{
	unsigned count = 0;

	for (uint64_t pfn = 0x100; pfn < 0x200; pfn++)
		count += dt_physical_at(&o.dump.physical, pfn << 12).len == 0x1000;
	return count;
}

static void every_method_gives_the_same_pages(void **state)
{
	static const char *const lines[] = { "compression none\n", "compression zlib\n", "compression lzo\n", "compression snappy\n", "compression zstd\n",
		                             "flattened\n", "flattened\ncompression zstd\n" };
	uint8_t root[0x1000];
	unsigned pages = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		open_lines(lines[i]);
		assert_int_equal(o.status, DT_OK);
		assert_int_equal(o.notes.count, 0);
		assert_int_equal(o.dump.kind, DT_KIND_KDUMP);
		assert_int_equal(o.dump.cpu_count, 2);
		assert_int_equal(o.dump.cpus[0].cr3, 0x1ad002);
		struct dt_bytes page = dt_physical_at(&o.dump.physical, 0x1ad000);
		assert_int_equal(page.len, 0x1000);
		if (i == 0)
			memcpy(root, page.data, sizeof(root));
		assert_memory_equal(page.data, root, sizeof(root));
		pages = i ? pages : pages_read();
		assert_int_equal(pages_read(), pages);
		assert_true(pages > 20);
		close_opened(&o);
	}
}

static void headers_that_cannot_be(void **state)
{
	(void)state;
	open_lines("patch-u32 428 0x2000\n");
	expect_failure(&o, DT_ERR_FORMAT, 428, "blocks of 0x2000 bytes, expected 0x1000");
	close_opened(&o);
	open_lines("patch-u32 436 0x7fffffff\n");
	expect_failure(&o, DT_ERR_TRUNCATED, sample.len, "a bitmap of 0x3fffffff000 bytes");
	close_opened(&o);
	open_lines("patch-u32 432 0xffffffff\n");
	assert_int_equal(o.status, DT_ERR_TRUNCATED);
	close_opened(&o);
	open_lines("truncate 0x800\n");
	expect_failure(&o, DT_ERR_FORMAT, 0, "0x1000 bytes that begin with KDUMP expected");
	close_opened(&o);
	open_lines("patch 0 4449534b44554d50\n");
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0, "DISKDUMP");
	close_opened(&o);
	open_lines("flattened\ntruncate 0x1010\n");
	assert_int_equal(o.status, DT_ERR_FORMAT);
	assert_true(has_note(&o, "flattened file", "its end mark is not there"));
	close_opened(&o);
}

static void pages_that_lie_are_not_there(void **state)
{
	(void)state;
	open_lines("patch-u64 0x6000 0x10000000000\n"); /* offset */
	assert_int_equal(dt_physical_at(&o.dump.physical, 0x100000).len, 0);
	assert_int_equal(dt_physical_at(&o.dump.physical, 0x101000).len, 0x1000);
	close_opened(&o);
	open_lines("patch-u32 0x6008 0xffffffff\n"); /* size */
	assert_int_equal(dt_physical_at(&o.dump.physical, 0x100000).len, 0);
	close_opened(&o);
	open_lines("patch-u32 0x600c 2\n"); /* another method than the one that it was made by */
	assert_int_equal(dt_physical_at(&o.dump.physical, 0x100000).len, 0);
	close_opened(&o);
	open_lines("patch-u32 0x600c 0\n"); /* not compressed, and not a page long */
	assert_int_equal(dt_physical_at(&o.dump.physical, 0x100000).len, 0);
	close_opened(&o);
	open_lines("truncate 0x6800\n");
	assert_int_equal(o.status, DT_OK);
	close_opened(&o);
}

static void noise_in_every_part(void **state)
{
	static const char *const lines[] = { "", "compression lzo\n", "compression snappy\n", "compression zstd\n", "flattened\n" };

	(void)state;
	srand(5);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		open_lines(lines[i]);
		close_opened(&o);
		for (unsigned round = 0; round < 150; round++) {
			uint8_t *copy = malloc(sample.len);
			assert_non_null(copy);
			memcpy(copy, sample.data, sample.len);
			for (unsigned n = 0; n < 20; n++)
				copy[(size_t)rand() % (n % 2 ? sample.len : 0x7000)] ^= (uint8_t)(1u << rand() % 8);
			open_bytes(&o, copy, sample.len - (size_t)rand() % 0x1000);
			check_any(&o);
			(void)pages_read();
			close_opened(&o);
			free(copy);
		}
	}
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_gives_the_same_pages),
		cmocka_unit_test(headers_that_cannot_be),
		cmocka_unit_test(pages_that_lie_are_not_there),
		cmocka_unit_test(noise_in_every_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

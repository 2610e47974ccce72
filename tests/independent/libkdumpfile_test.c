/*
 * Every page of a capture, read by us and by libkdumpfile: the same pages are there, with the same bytes.
 *
 * The library reads no dump of Windows, and (0.5.1) no flattened kdump file; it is a second opinion on ELF cores and kdump files only.
 * Arguments are captures to compare beside those of the recipes (the guest's test gives QEMU's).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libkdumpfile/kdumpfile.h>

#include "facts/dump/dump.h"
#include "sample.h"

enum { PAGE = 0x1000, MOST_PFN = 1 << 24 };

struct counts {
	uint64_t pages, absent;
};

static kdump_ctx_t *open_with_library(int fd)
{
	kdump_ctx_t *ctx = kdump_new();

	assert_non_null(ctx);
	assert_int_equal(kdump_set_number_attr(ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER), KDUMP_OK);
	if (kdump_open_fd(ctx, fd) != KDUMP_OK)
		fail_msg("libkdumpfile: %s", kdump_get_err(ctx));
	return ctx;
}

/* libkdumpfile 0.5.1 gives zeros for the page directly below a segment of an ELF core. */
static bool is_below_a_segment(struct dt_dump *dump, uint64_t pfn, const uint8_t page[PAGE])
{
	static const uint8_t zeros[PAGE];

	return memcmp(page, zeros, PAGE) == 0 && dt_physical_at(&dump->physical, (pfn + 1) * PAGE).len != 0;
}

static void compare_page(kdump_ctx_t *ctx, struct dt_dump *dump, uint64_t pfn, struct counts *counts)
{
	uint8_t theirs[PAGE];
	size_t len = PAGE;
	struct dt_bytes ours = dt_physical_at(&dump->physical, pfn * PAGE);
	bool there = kdump_read(ctx, KDUMP_MACHPHYSADDR, pfn * PAGE, theirs, &len) == KDUMP_OK;

	if (there && ours.len == 0 && is_below_a_segment(dump, pfn, theirs))
		there = false;
	if (there != (ours.len == PAGE))
		fail_msg("page 0x%llx: %s, for libkdumpfile %s", (unsigned long long)pfn, ours.len ? "there" : "absent", there ? "there" : "absent");
	if (there && memcmp(ours.data, theirs, PAGE) != 0)
		fail_msg("page 0x%llx differs", (unsigned long long)pfn);
	counts->pages += there;
	counts->absent += !there;
}

static void compare_all(kdump_ctx_t *ctx, struct dt_dump *dump, struct counts *counts)
{
	kdump_num_t end = 0;

	if (kdump_get_number_attr(ctx, "max_pfn", &end) != KDUMP_OK || end > MOST_PFN)
		end = MOST_PFN;
	for (uint64_t pfn = 0; pfn < end + 2; pfn++)
		compare_page(ctx, dump, pfn, counts);
}

static struct counts compare(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct counts counts = { 0 };
	struct dt_dump dump;
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_error err;
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(data != MAP_FAILED);
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_notes_init(&notes, &arena);
	assert_int_equal(dt_dump_open(&dump, (struct dt_bytes){ data, (size_t)st.st_size }, &arena, &notes, &err), DT_OK);
	kdump_ctx_t *ctx = open_with_library(fd);
	compare_all(ctx, &dump, &counts);
	if (dump.physical.present) /* kdump files do not count theirs beforehand */
		assert_int_equal(counts.pages, dump.physical.present);
	kdump_free(ctx);
	dt_dump_close(&dump);
	dt_arena_deinit(&arena);
	munmap(data, (size_t)st.st_size);
	close(fd);
	print_message("%s: %llu pages are the same, %llu absent for both\n", path, (unsigned long long)counts.pages, (unsigned long long)counts.absent);
	return counts;
}

static void captures_of_the_builder(void **state)
{
	static const char *const kinds[] = {
		"kind elf\n", "kind elf\npaging 5\n", "kind kdump\ncompression none\n", "kind kdump\ncompression zlib\n",
		"kind kdump\ncompression lzo\n", "kind kdump\ncompression snappy\n", "kind kdump\ncompression zstd\n",
	};
	const char *path = DT_SCRATCH "/capture.dmp";
	struct sample sample;
	char recipe[256];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(recipe, sizeof(recipe), "base csagent-50.recipe\n%s", kinds[i]);
		if (sample_build(&sample, DT_SOURCE_DIR "/samples/recipes/independent.recipe", recipe, strlen(recipe)))
			fail_msg("%s", sample.error);
		assert_int_equal(sample_write(&sample, path), 0);
		assert_true(compare(path).pages > 30);
		sample_free(&sample);
		unlink(path);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(captures_of_the_builder) };

	for (int i = 1; i < argc; i++)
		if (compare(argv[i]).pages == 0)
			return 1;
	return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}

/* The recipes of samples/recipes: each builds, always the same, and says what it is and what it must give. */
#include "built.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER DT_SOURCE_DIR "/samples/recipes"

typedef void check(const char *path, const char *name);

static size_t for_each(check *check_one)
{
	DIR *dir = opendir(FOLDER);
	const struct dirent *entry;
	char path[4096];
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		if (len < 8 || strcmp(entry->d_name + len - 7, ".recipe") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", FOLDER, entry->d_name);
		check_one(path, entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

static void builds_twice(const char *path, const char *name)
{
	struct sample first, second;

	if (sample_build_file(&first, path) || sample_build_file(&second, path))
		fail_msg("%s: %s%s", name, first.error, first.error[0] ? "" : second.error);
	assert_int_equal(first.len, second.len);
	if (first.len)
		assert_memory_equal(first.data, second.data, first.len);
	/* A sample is small, so that all can be cut and flipped. */
	assert_in_range(first.len, 0, 1 << 20);
	sample_free(&first);
	sample_free(&second);
}

static void every_recipe_builds_the_same_twice(void **state)
{
	(void)state;
	assert_in_range(for_each(builds_twice), 100, 1000);
}

static void says_what_it_is(const char *path, const char *name)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, expects = 0, number = 0;

	assert_non_null(in);
	for (; getline(&line, &size, in) > 0; number++) {
		if (number == 0 && strncmp(line, "# ", 2) != 0)
			fail_msg("%s: its first line is no comment that says what it is", name);
		expects += !strncmp(line, "expect ", 7);
	}
	if (!expects)
		fail_msg("%s: expects nothing", name);
	free(line);
	fclose(in);
}

static void every_recipe_says_what_it_is(void **state)
{
	(void)state;
	for_each(says_what_it_is);
}

/* The README's table has a row for each. */
static void has_a_row(const char *path, const char *name)
{
	FILE *in = fopen(DT_SOURCE_DIR "/samples/README.md", "re");
	char *text = NULL, row[300];
	size_t size = 0;

	(void)path;
	assert_non_null(in);
	assert_true(getdelim(&text, &size, '\0', in) > 0);
	snprintf(row, sizeof(row), "\n| `%.*s` |", (int)(strlen(name) - strlen(".recipe")), name);
	if (!strstr(text, row))
		fail_msg("samples/README.md has no row for %s", name);
	free(text);
	fclose(in);
}

static void every_recipe_is_in_the_readme(void **state)
{
	(void)state;
	for_each(has_a_row);
}

static void variant(struct sample *out, uint32_t number)
{
	if (sample_build_variant(out, FOLDER "/csagent-50.recipe", number, 300000))
		fail_msg("%s", out->error);
}

static void variants_are_the_same_crash_elsewhere(void **state)
{
	struct sample again;

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		sample_free(&built);
		variant(&built, i);
		variant(&again, i);
		assert_int_equal(built.len, again.len);
		assert_memory_equal(built.data, again.data, built.len);
		sample_free(&again);
		/* the shape that makes the crash what it is */
		assert_int_equal(u32(0x38), 0x50);
		assert_int_equal(u64(0x40) & 0xffffffff, 0x6a);
		assert_int_equal(u64(0x50) - u64(u32(0x2030) + 3 * 0x90 + 0x38), 0xe14ed);
		assert_int_equal(u64(u32(0x2070) + 0x18), u64(u32(0x2030) + 0x38));
		assert_int_equal(u64(0x348 + 0x98), u64(0x2048));
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 64);
}

static void variants_differ(void **state)
{
	enum { COUNT = 300 };
	static char headers[COUNT][64];
	size_t shortest = SIZE_MAX, longest = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		sample_free(&built);
		variant(&built, i);
		/* parameters, base of the kernel, time, uptime */
		memcpy(headers[i], built.data + 0x40, 24);
		memcpy(headers[i] + 24, built.data + 0x20, 8);
		memcpy(headers[i] + 32, built.data + 0xfa8, 8);
		memcpy(headers[i] + 40, built.data + 0x1030, 8);
		shortest = built.len < shortest ? built.len : shortest;
		longest = built.len > longest ? built.len : longest;
	}
	qsort(headers, COUNT, sizeof(headers[0]), by_bytes);
	for (size_t i = 1; i < COUNT; i++) {
		assert_memory_not_equal(headers[i - 1], headers[i], 64);
		assert_memory_not_equal(headers[i - 1], headers[i], 24);
	}
	assert_in_range(longest - shortest, 100000, 200000);
}

static void a_variant_of_nothing(void **state)
{
	(void)state;
	sample_free(&built);
	assert_int_equal(sample_build_variant(&built, FOLDER "/none.recipe", 1, 0), -1);
	assert_string_equal(built.error, "none.recipe:1: none.recipe: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipe_builds_the_same_twice),
		cmocka_unit_test(every_recipe_says_what_it_is),
		cmocka_unit_test(every_recipe_is_in_the_readme),
		cmocka_unit_test(variants_are_the_same_crash_elsewhere),
		cmocka_unit_test(variants_differ),
		cmocka_unit_test(a_variant_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, free_built);
}

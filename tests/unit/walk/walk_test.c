#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet/walk/walk.h"

static char root[] = "/tmp/dumptriage-walk-XXXXXX";

static char *in_root(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void make_file(const char *name, const char *text)
{
	FILE *file = fopen(in_root(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_folder(const char *name)
{
	assert_int_equal(mkdir(in_root(name), 0755), 0);
}

/* All that is found and opened: how many came open, the names joined. */
static size_t walk_all(const struct dt_walk_options *options, char *names, size_t room, struct dt_walk_counts *counts)
{
	struct dt_walk *walk = NULL;
	struct dt_found found;
	struct dt_opened opened;
	enum dt_status status;
	size_t open = 0;

	assert_int_equal(dt_walk_create(&walk, options, NULL), DT_OK);
	*names = '\0';
	while ((status = dt_walk_next(walk, -1, &found)) == DT_OK) {
		if (found.status != DT_OK) {
			snprintf(names + strlen(names), room - strlen(names), "!%s;", strrchr(found.path, '/') + 1);
			dt_found_free(&found);
			continue;
		}
		dt_walk_open(walk, &found);
		assert_int_equal(dt_walk_opened(walk, -1, &opened), DT_OK);
		snprintf(names + strlen(names), room - strlen(names), "%s%s;", opened.fd < 0 ? "!" : "", opened.found.path + opened.found.relative);
		open += opened.fd >= 0;
		if (opened.fd >= 0)
			close(opened.fd);
		if (opened.report_fd >= 0)
			close(opened.report_fd);
		dt_found_free(&opened.found);
	}
	assert_int_equal(status, DT_ERR_TRUNCATED);
	dt_walk_counts(walk, counts);
	assert_true(counts->complete);
	dt_walk_destroy(walk);
	return open;
}

static void a_tree(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1 };
	struct dt_walk_counts counts;
	char names[4096];
	(void)state;

	assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 4);
	assert_non_null(strstr(names, "a/b/3.dmp;"));
	assert_non_null(strstr(names, "!pipe;"));
	assert_non_null(strstr(names, "!out;"));
	assert_non_null(strstr(names, "in;"));
	assert_null(strstr(names, "Report.wer"));
	assert_null(strstr(names, "loop"));
	assert_int_equal(counts.folders, 3);
}

/* Folders are told of behind what is in them, and are no files. */
static void folders(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1, .tell_folders = true };
	struct dt_walk_counts counts;
	struct dt_walk *walk = NULL;
	struct dt_found found;
	char told[1024] = "", wanted[1024];
	(void)state;

	assert_int_equal(dt_walk_create(&walk, &options, NULL), DT_OK);
	while (dt_walk_next(walk, -1, &found) == DT_OK) {
		if (found.folder)
			snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s;", found.path);
		dt_found_free(&found);
	}
	snprintf(wanted, sizeof(wanted), "%s/a/b/;%s/a/;%s/;", root, root, root);
	assert_string_equal(told, wanted);
	dt_walk_counts(walk, &counts);
	assert_int_equal(counts.found, 5);
	dt_walk_destroy(walk);
}

static void patterns(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1,
		                           .include = (const char *const[]){ "*.DMP" }, .include_count = 1 };
	struct dt_walk_counts counts;
	char names[4096];
	(void)state;

	assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 3);
}

/* Every file is in exactly one shard. */
static void shards_are_a_partition(void **state)
{
	size_t sum = 0;
	(void)state;

	for (uint32_t i = 0; i < 3; i++) {
		struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1, .shard = i, .shards = 3 };
		struct dt_walk_counts counts;
		char names[4096];
		sum += walk_all(&options, names, sizeof(names), &counts);
	}
	assert_int_equal(sum, 4);
	/* the hash is FNV-1a, and stays */
	assert_true(dt_walk_hash("") == UINT64_C(0xcbf29ce484222325));
	assert_true(dt_walk_hash("a") == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(dt_walk_hash("foobar") == UINT64_C(0x85944171f73967e8));
}

static void a_list(void **state)
{
	struct dt_walk_options options = { .list_nul = true };
	struct dt_walk_counts counts;
	char names[4096], text[1024];
	int pair[2];
	(void)state;

	assert_int_equal(pipe(pair), 0);
	int n = snprintf(text, sizeof(text), "%s/1.dmp%c%s/nothing.dmp%c%s/a%c%s/a/2.dmp", root, 0, root, 0, root, 0, root);
	assert_int_equal(write(pair[1], text, (size_t)n), n);
	close(pair[1]);
	options.list_fd = pair[0];
	assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 2);
	assert_non_null(strstr(names, "!nothing.dmp;"));
	close(pair[0]);
}

/* What of a listed name is below the list's root. */
static void a_list_with_a_root(void **state)
{
	static const char *const said[] = { "%s/1.dmp;a/2.dmp;", "1.dmp;a/2.dmp;", "1.dmp;a/2.dmp;", "%s/1.dmp;2.dmp;" };
	char roots[4][64] = { "", "", "", "" };
	(void)state;

	snprintf(roots[1], sizeof(roots[1]), "%s", root);
	snprintf(roots[2], sizeof(roots[2]), "%s//", root);
	snprintf(roots[3], sizeof(roots[3]), "%s/a", root);
	for (size_t i = 0; i < 4; i++) {
		struct dt_walk_options options = { .list_fd = memfd_create("list", 0), .list_root = i ? roots[i] : NULL };
		struct dt_walk_counts counts;
		char names[4096], wanted[256];
		dprintf(options.list_fd, "%s/1.dmp\n%s/%sa/2.dmp\n", root, root, i == 2 ? "/" : "");
		lseek(options.list_fd, 0, SEEK_SET);
		assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 2);
		snprintf(wanted, sizeof(wanted), said[i], root);
		if (i)
			assert_string_equal(names, wanted);
		else
			assert_int_equal(strncmp(names, wanted, strlen(root) + 7), 0);
		close(options.list_fd);
	}
}

/* What is longer than a name can be is told of; the names behind it are not lost. */
static void a_list_with_a_line_that_is_none(void **state)
{
	struct dt_walk_options options = { .list_fd = memfd_create("list", 0) };
	struct dt_walk_counts counts;
	char names[4096], text[1024], block[4096];
	(void)state;

	memset(block, 'x', sizeof(block));
	assert_int_equal(write(options.list_fd, "/", 1), 1);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(write(options.list_fd, block, sizeof(block)), sizeof(block));
	int n = snprintf(text, sizeof(text), "\n%s/1.dmp\n", root);
	assert_int_equal(write(options.list_fd, text, (size_t)n), n);
	assert_int_equal(lseek(options.list_fd, 0, SEEK_SET), 0);
	assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 1);
	assert_non_null(strstr(names, "!xxxx"));
	assert_false(counts.no_memory);
	close(options.list_fd);
}

static void what_is_not_there(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ "/nowhere/at/all", in_root("1.dmp") }, .path_count = 2, .list_fd = -1 };
	struct dt_walk_counts counts;
	char names[4096];
	(void)state;

	assert_int_equal(walk_all(&options, names, sizeof(names), &counts), 1);
	assert_non_null(strstr(names, "!all;"));
	assert_int_equal(counts.failed, 1);
}

static void a_report_beside_a_dump(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1,
		                           .include = (const char *const[]){ "2.dmp" }, .include_count = 1 };
	struct dt_walk *walk = NULL;
	struct dt_found found;
	struct dt_opened opened;
	(void)state;

	assert_int_equal(dt_walk_create(&walk, &options, NULL), DT_OK);
	assert_int_equal(dt_walk_next(walk, -1, &found), DT_OK);
	dt_walk_open(walk, &found);
	assert_int_equal(dt_walk_opened(walk, -1, &opened), DT_OK);
	assert_true(opened.report_fd >= 0);
	close(opened.report_fd);
	close(opened.fd);
	dt_found_free(&opened.found);
	dt_walk_destroy(walk);
}

static long resident_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Memory does not grow with the number of files. */
static void many_files(void **state)
{
	char path[600];
	struct dt_walk_options options = { .path_count = 1, .list_fd = -1 };
	struct dt_walk *walk = NULL;
	struct dt_found found;
	size_t count = 0;
	(void)state;

	make_folder("many");
	make_file("many/0", "x");
	for (int i = 1; i < 30000; i++) {
		snprintf(path, sizeof(path), "%s/many/%d", root, i);
		if (link(in_root("many/0"), path))
			break;
	}
	options.paths = (const char *const[]){ in_root("many") };
	long before = resident_kb();
	assert_int_equal(dt_walk_create(&walk, &options, NULL), DT_OK);
	while (dt_walk_next(walk, -1, &found) == DT_OK) {
		count++;
		dt_found_free(&found);
	}
	dt_walk_destroy(walk);
	assert_int_equal(count, 30000);
#ifndef DT_SANITIZED
	assert_true(resident_kb() - before < 2048);
#else
	(void)before;
#endif
}

/* Ended in the middle: nothing is left open, nobody waits. */
static void ended_early(void **state)
{
	struct dt_walk_options options = { .paths = (const char *const[]){ root }, .path_count = 1, .list_fd = -1 };
	struct dt_walk *walk = NULL;
	struct dt_found found;
	(void)state;

	for (int i = 0; i < 50; i++) {
		assert_int_equal(dt_walk_create(&walk, &options, NULL), DT_OK);
		if (i % 2 && dt_walk_next(walk, -1, &found) == DT_OK && found.status == DT_OK)
			dt_walk_open(walk, &found);
		else if (i % 2)
			dt_found_free(&found);
		dt_walk_destroy(walk);
	}
}

static int make_tree(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	make_file("1.dmp", "one");
	make_folder("a");
	make_file("a/2.dmp", "two");
	make_file("a/Report.wer", "x");
	make_folder("a/b");
	make_file("a/b/3.dmp", "three");
	return symlink(root, in_root("loop")) || symlink("1.dmp", in_root("in")) || symlink("/etc/passwd", in_root("out")) ||
	       mkfifo(in_root("pipe"), 0600);
}

static int remove_tree(void **state)
{
	char command[600];
	(void)state;

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree),
		cmocka_unit_test(folders),
		cmocka_unit_test(patterns),
		cmocka_unit_test(shards_are_a_partition),
		cmocka_unit_test(a_list),
		cmocka_unit_test(a_list_with_a_root),
		cmocka_unit_test(a_list_with_a_line_that_is_none),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(a_report_beside_a_dump),
		cmocka_unit_test(ended_early),
		cmocka_unit_test(many_files),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

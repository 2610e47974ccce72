/* The memory of what servers do not have: what is known, for whom, and how long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleet/fetch/missing.h"

enum { DAY = 86400 };
static char root[] = "/tmp/missing_test.XXXXXX", cache[100];
static struct dt_error err;
static unsigned count;

static int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(cache, sizeof(cache), "%s/above/cache", root);
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Makes every memory so many seconds old. */
static void age(long seconds)
{
	const struct timespec times[2] = { { time(NULL) - seconds, 0 }, { time(NULL) - seconds, 0 } };
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/" DT_FETCH_OWN_FOLDER "/*", cache);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		assert_int_equal(utimensat(AT_FDCWD, found.gl_pathv[i], times, 0), 0);
	globfree(&found);
}

static void known_to_one_server_for_a_time(void **state)
{
	char why[200];

	(void)state;
	assert_int_equal(dt_missing_open(cache, DAY, &count, &err), DT_OK);
	assert_int_equal(count, 0);
	assert_false(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
	dt_missing_remember(cache, "http://a/", "x.pdb/1/x.pdb", "gone");
	assert_true(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
	assert_string_equal(why, "gone");
	assert_false(dt_missing_known(cache, "http://b/", "x.pdb/1/x.pdb", DAY, why));
	assert_false(dt_missing_known(cache, "http://a/", "x.pdb/2/x.pdb", DAY, why));
	/* Where the server's name ends, the file's begins. */
	assert_false(dt_missing_known(cache, "http://a/x", ".pdb/1/x.pdb", DAY, why));
	age(DAY - 60);
	assert_true(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
	age(DAY + 1);
	assert_false(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
	dt_missing_remember(cache, "http://a/", "x.pdb/1/x.pdb", "still gone");
	assert_true(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
	assert_string_equal(why, "still gone");
	/* A clock that was wrong does not hide a file for ever. */
	age(-1000);
	assert_false(dt_missing_known(cache, "http://a/", "x.pdb/1/x.pdb", DAY, why));
}

static void what_is_too_old_is_removed(void **state)
{
	char path[PATH_MAX], why[200];

	(void)state;
	assert_int_equal(dt_missing_open(cache, DAY, &count, &err), DT_OK);
	dt_missing_remember(cache, "http://a/", "old", "gone");
	snprintf(path, sizeof(path), "%s/" DT_FETCH_OWN_FOLDER "/partial-0123", cache);
	fclose(fopen(path, "w"));
	age(DAY + 60);
	dt_missing_remember(cache, "http://a/", "new", "gone");
	assert_int_equal(dt_missing_open(cache, DAY, &count, &err), DT_OK);
	assert_int_equal(count, 1);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(dt_missing_known(cache, "http://a/", "new", DAY, why));
}

static void a_cache_that_is_a_file(void **state)
{
	(void)state;
	snprintf(cache, sizeof(cache), "%s/file", root);
	fclose(fopen(cache, "w"));
	assert_int_equal(dt_missing_open(cache, DAY, &count, &err), DT_ERR_IO);
	assert_non_null(strstr(err.text, "cannot be written"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known_to_one_server_for_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_old_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cache_that_is_a_file, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

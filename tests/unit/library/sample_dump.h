/*
 * sample_dump.h - a sample as bytes and as a file, and an analyzer, for tests of the library.
 */
#ifndef TEST_SAMPLE_DUMP_H
#define TEST_SAMPLE_DUMP_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing but what users have; the sample's builder has no header of the analyzer. */
#include "include/dumptriage.h"
#include "sample.h"

static struct sample dump;
static struct dt_analyzer *analyzer;
static char folder[] = "/tmp/dumptriage-test-XXXXXX";
static char dump_path[64];

static inline void write_file(const char *path, const void *data, size_t size)
{
	FILE *out = fopen(path, "wbe");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

static inline int begin(void **state)
{
	static char recipe[1 << 20];
	FILE *in = fopen(DT_SOURCE_DIR "/samples/recipes/csagent-50.recipe", "re");

	(void)state;
	assert_non_null(in);
	size_t size = fread(recipe, 1, sizeof(recipe), in);
	fclose(in);
	if (sample_build(&dump, "csagent-50.recipe", recipe, size))
		fail_msg("%s", dump.error);
	assert_non_null(mkdtemp(folder));
	snprintf(dump_path, sizeof(dump_path), "%s/a.dmp", folder);
	write_file(dump_path, dump.data, dump.len);
	assert_int_equal(dt_open(&analyzer), DT_RESULT_OK);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	dt_close(analyzer);
	unlink(dump_path);
	rmdir(folder);
	sample_free(&dump);
	return 0;
}

static inline struct dt_analysis *of_memory(void)
{
	struct dt_analysis *analysis;

	assert_int_equal(dt_analyse_memory(analyzer, dump.data, dump.len, NULL, &analysis), DT_RESULT_OK);
	return analysis;
}

static inline void assert_value(const struct dt_analysis *analysis, const char *path, const char *expected)
{
	char *text;

	assert_int_equal(dt_value(analysis, path, &text), DT_RESULT_OK);
	if (expected)
		assert_string_equal(text ? text : "(null)", expected);
	else
		assert_null(text);
	dt_free(text);
}

#endif

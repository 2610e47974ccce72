#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/log/log.h"

/* What one call writes to standard error. */
static char *written(enum dt_log_level level, const char *id, const char *message)
{
	static char text[8192];
	int pair[2], kept = dup(STDERR_FILENO);

	assert_int_equal(pipe(pair), 0);
	dup2(pair[1], STDERR_FILENO);
	dt_log(level, "test", id, "%s", message);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(pair[1]);
	ssize_t n = read(pair[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(pair[0]);
	return text;
}

static void text_lines(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_true(dt_log_set("info", "text"));
	assert_string_equal(written(DT_LOG_ERROR, NULL, "no store"), "dumptriage: no store\n");
	assert_string_equal(written(DT_LOG_WARNING, "/a.dmp", "odd"), "dumptriage: warning: /a.dmp: odd\n");
	assert_non_null(strstr(written(DT_LOG_INFO, NULL, "done"), "Z dumptriage: info: done\n"));
	assert_string_equal(written(DT_LOG_DEBUG, NULL, "much"), "");
	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_string_equal(written(DT_LOG_WARNING, NULL, "odd"), "<4>dumptriage: warning: odd\n");
	unsetenv("JOURNAL_STREAM");
}

/* A name cannot make a line of its own, nor move the cursor. */
static void lines_cannot_be_forged(void **state)
{
	char *text;
	(void)state;

	assert_true(dt_log_set("info", "text"));
	text = written(DT_LOG_WARNING, "/a\ndumptriage: all is well\x1b[2J", "odd");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strchr(text, '\x1b'));
}

static void json_lines(void **state)
{
	json_t *line;
	(void)state;

	assert_true(dt_log_set("debug", "json"));
	line = json_loads(written(DT_LOG_DEBUG, "/\"\n.dmp", "a \"b\""), 0, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "debug");
	assert_string_equal(json_string_value(json_object_get(line, "event")), "test");
	assert_string_equal(json_string_value(json_object_get(line, "message")), "a \"b\"");
	assert_non_null(json_object_get(line, "id"));
	assert_non_null(json_object_get(line, "time"));
	json_decref(line);
	assert_true(dt_log_set("info", "text"));
}

static void words_that_are_none(void **state)
{
	(void)state;
	assert_false(dt_log_set("loud", NULL));
	assert_false(dt_log_set(NULL, "xml"));
	assert_true(dt_log_set(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text_lines), cmocka_unit_test(lines_cannot_be_forged), cmocka_unit_test(json_lines),
		                            cmocka_unit_test(words_that_are_none) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

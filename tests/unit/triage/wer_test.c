#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "facts/triage/wer.h"

static struct dt_arena arena;

/* The host of a report with these bytes. */
static const char *host(const void *bytes, size_t len)
{
	int fd = memfd_create("wer", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, len), len);
	dt_arena_reset(&arena);
	const char *name = dt_wer_host(fd, &arena);
	close(fd);
	return name;
}

#define REPORT(text) host(u"\xfeff" text, sizeof(u"\xfeff" text) - 2)

static void names(void **state)
{
	(void)state;
	assert_string_equal(REPORT(u"Version=1\r\nComputerName=PC-7.Corp.Example\r\nX=1\r\n"), "pc-7");
	assert_string_equal(REPORT(u"machinename=pc8"), "pc8");
	assert_null(strchr(REPORT(u"ComputerName=a\x1b" u"b\n"), '\x1b'));
}

static void none(void **state)
{
	static uint8_t long_line[600000];
	(void)state;

	assert_null(REPORT(u"Version=1\r\nComputerNames=x\r\nMyComputerName=y\r\n"));
	assert_null(REPORT(u"ComputerName=\r\n"));
	assert_null(REPORT(u""));
	assert_null(host("", 0));
	assert_null(host("C\0o\0", 4)); /* no byte order mark */
	assert_null(host("\xff\xfe" "C", 3));
	memset(long_line, 'A', sizeof(long_line));
	memcpy(long_line, "\xff\xfe", 2);
	assert_null(host(long_line, sizeof(long_line)));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(none) };

	dt_arena_init(&arena, 2u << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	dt_arena_deinit(&arena);
	return failed;
}

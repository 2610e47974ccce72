#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/model/schema.h"

/* The file is what the code would write; tests/schema asks an independent validator whether that is right. */
static void expect_file(const char *path, void (*write)(struct dt_buf *))
{
	struct dt_buf now;
	char *there = calloc(1, 1 << 20);
	FILE *f = fopen(path, "rb");
	dt_buf_init(&now, (1 << 20) - 1);
	assert_non_null(there);
	assert_non_null(f);
	assert_true(fread(there, 1, (1 << 20) - 1, f) > 1000);
	(void)fclose(f);
	write(&now);
	assert_true(dt_buf_ok(&now));
	if (strcmp(there, dt_buf_text(&now)) != 0)
		fail_msg("%s differs from fields.def: build the target `docs`", path);
	free(there);
	dt_buf_deinit(&now);
}

static void schema_is_written_down(void **state)
{
	(void)state;
	expect_file(DT_SOURCE_DIR "/docs/crash.schema.json", dt_schema_write);
}

static void fields_are_written_down(void **state)
{
	(void)state;
	expect_file(DT_SOURCE_DIR "/docs/crash-record.md", dt_fields_doc_write);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_is_written_down),
		cmocka_unit_test(fields_are_written_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

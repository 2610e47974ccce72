#include "fixture.h"

static struct fixture f;
static struct opened o;

static const char *reader_of(void)
{
	static char name[32];

	open_fixture(&o, &f);
	assert_non_null(o.dump.reader);
	strncpy(name, o.dump.reader->name, sizeof(name) - 1);
	close_opened(&o);
	return name;
}

static void each_type_has_its_reader(void **state)
{
	static const char *const by_type[] = {
		"unknown64", "full64",   "summary64", "headeronly64", "triage64", "bitmap64",
		"bitmap64",  "bitmap64", "ranges64",  "ranges64",     "ranges64", "unknown64",
	};

	(void)state;
	for (uint32_t type = 0; type < sizeof(by_type) / sizeof(by_type[0]); type++) {
		make_header64(&f, type);
		assert_string_equal(reader_of(), by_type[type]);
	}
}

static void signatures_have_their_reader(void **state)
{
	static const struct {
		const char *bytes, *reader;
	} rows[] = {
		{ "MDMP\x93\xa7", "mdmp" }, { "PAGEDUMP", "kernel32" }, { "PAGEDU64", "unknown64" },
		{ "PMDM", "pmdm" },         { "USERDUMP", "userdump" }, { "USERDU64", "userdump" },
		{ "KDUMP   ", "kdump" },    { "DISKDUMP", "kdump" },    { "makedumpfile", "flattened" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.len = 0;
		put_text(&f, 0, rows[i].bytes);
		assert_string_equal(reader_of(), rows[i].reader);
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	assert_true(dt_dump_format_count >= 14);
	for (size_t i = 0; i < dt_dump_format_count; i++) {
		const struct dt_dump_format *format = dt_dump_formats[i];

		assert_true(format->name && format->title && format->signature && format->recognise &&
		            format->open);
		assert_int_equal(format->is_read, format->not_read == NULL);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(format->name, dt_dump_formats[j]->name);
	}
}

static void memory_that_runs_out_is_said(void **state)
{
	(void)state;
	memset(&o, 0, sizeof(o));
	make_header64(&f, 4);
	for (size_t at = 0x2000; at < 0xf000; at++)
		put8(&f, at, 0);
	put32(&f, 0x2030, 0x2100);
	put32(&f, 0x2034, 300);
	dt_arena_init(&o.arena, 20000);
	dt_notes_init(&o.notes, &o.arena);
	o.status = dt_dump_open(&o.dump, (struct dt_bytes){ f.data, f.len }, &o.arena, &o.notes, &o.err);
	assert_int_equal(o.status, DT_ERR_NOMEM);
	assert_non_null(strstr(o.err.text, "20000"));
	assert_true(o.dump.has_bugcheck);
	dt_arena_deinit(&o.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_its_reader),
		cmocka_unit_test(signatures_have_their_reader),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(memory_that_runs_out_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

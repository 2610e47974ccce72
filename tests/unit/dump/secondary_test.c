#include "fixture.h"

#include "facts/dump/reader.h"

static struct fixture f;
static struct opened o;

static const uint8_t smbios_tag[] = { 0x8f, 0x00, 0x5c, 0xbc, 0x3a, 0x1e, 0xd7, 0x44,
	                              0x98, 0x8d, 0x86, 0xf6, 0x88, 0x4c, 0x67, 0x58 };

static size_t put_blob(size_t at, bool smbios, uint32_t pre, uint32_t size, uint32_t post)
{
	put32(&f, at, 0x20);
	for (unsigned i = 0; i < 16; i++)
		put8(&f, at + 4 + i, smbios ? smbios_tag[i] : 0x11);
	put32(&f, at + 0x14, size);
	put32(&f, at + 0x18, pre);
	put32(&f, at + 0x1c, post);
	return at + 0x20 + pre + size + post;
}

static void begin(void)
{
	memset(&f, 0, sizeof(f));
	put_text(&f, 0x100, "DumpBlob");
	put32(&f, 0x108, 0x10);
	put32(&f, 0x10c, 0xf0004a61);
}

static void walk(void)
{
	memset(&o, 0, sizeof(o));
	dt_arena_init(&o.arena, 1 << 20);
	dt_notes_init(&o.notes, &o.arena);
	o.dump.arena = &o.arena;
	o.dump.notes = &o.notes;
	o.dump.file = (struct dt_bytes){ f.data, f.len };
	o.dump.complete = DT_TRUE;
	dt_secondary_read(&o.dump, 0x100);
	dt_arena_deinit(&o.arena);
}

static void finds_the_smbios_tables(void **state)
{
	(void)state;
	begin();
	size_t at = put_blob(0x110, false, 3, 5, 8);
	size_t data = at + 0x20 + 2;
	at = put_blob(at, true, 2, 16, 0);
	put_text(&f, data, "0123456789abcdef");
	at = put_blob(at, true, 0, 4, 0); /* the first counts */
	put32(&f, at, 0);
	put_text(&f, at + 4, "what the disk held before");
	walk();
	assert_int_equal(o.dump.smbios.len, 16);
	assert_memory_equal(o.dump.smbios.data, "0123456789abcdef", 16);
	assert_int_equal(o.dump.complete, DT_TRUE);
}

static void a_blob_behind_the_end_is_said(void **state)
{
	(void)state;
	begin();
	put_blob(0x110, true, 0, 0xfffffff0, 0xffffffff);
	put8(&f, 0x12f, 0);
	walk();
	assert_int_equal(o.dump.smbios.len, 0);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_string_equal(o.dump.missing[0], "end of the secondary data");
}

static void the_walk_ends(void **state)
{
	(void)state;
	begin();
	size_t at = 0x110;
	for (unsigned i = 0; i < 1500; i++)
		at = put_blob(at, i == 1400, 0, i == 1400 ? 4 : 0, 0); /* behind the cap */
	put8(&f, at, 0);
	walk();
	assert_int_equal(o.dump.smbios.len, 0);
	assert_int_equal(o.dump.blob_count, DT_MAX_LISTED_BLOBS);
	assert_int_equal(o.notes.count, 2); /* not listed; not read */
	begin();
	at = 0x110;
	for (unsigned i = 0; i < DT_MAX_LISTED_BLOBS; i++)
		at = put_blob(at, false, 0, 0, 0);
	put32(&f, at, 0);
	walk();
	assert_int_equal(o.dump.blob_count, DT_MAX_LISTED_BLOBS);
	assert_int_equal(o.notes.count, 0);
	begin();
	put32(&f, 0x110, 0x24); /* no header of ours */
	put8(&f, 0x200, 0);
	walk();
	assert_int_equal(o.dump.complete, DT_TRUE);
	begin();
	put_text(&f, 0x100, "dumpBlob");
	put_blob(0x110, true, 0, 4, 0);
	put32(&f, 0x130, 1);
	walk();
	assert_int_equal(o.dump.smbios.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_smbios_tables),
		cmocka_unit_test(a_blob_behind_the_end_is_said),
		cmocka_unit_test(the_walk_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

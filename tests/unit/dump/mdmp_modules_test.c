#include "mdmp_fixture.h"

static size_t list;

static void put_module(unsigned index, uint64_t base, uint32_t name)
{
	size_t at = list + 4 + 108 * index;

	put64(&f, at, base);
	put32(&f, at + 8, 0x10000);
	put32(&f, at + 12, 0xabc);
	put32(&f, at + 16, 0x5d000000 + index);
	put32(&f, at + 20, name);
}

static void begin_modules(unsigned count, unsigned architecture)
{
	begin_mdmp();
	add_system(architecture, 2);
	list = add_stream(4, 4 + 108 * count);
	put32(&f, list, count);
}

static void put_codeview(unsigned index, const char *signature, size_t size)
{
	size_t at = (f.len + 3) & ~(size_t)3;

	for (size_t i = 4; i < size; i++)
		put8(&f, at + i, (unsigned)i);
	put_text(&f, at, signature);
	put32(&f, list + 4 + 108 * index + 0x4c, (uint32_t)size);
	put32(&f, list + 4 + 108 * index + 0x50, (uint32_t)at);
}

static void reads_modules(void **state)
{
	(void)state;
	begin_modules(2, 9);
	put_module(0, 0x10000, add_string("C:\\Program Files\\a.exe"));
	put_module(1, 0x30000, add_string("b.dll"));
	put32(&f, list + 4 + 0x18, 0xfeef04bd);
	put32(&f, list + 4 + 0x20, 0x000a0001);
	put32(&f, list + 4 + 0x24, 0x4a610002);
	put32(&f, list + 4 + 108 + 0x20, 0x000a0001); /* without the signature it is no version */
	put32(&f, list + 4 + 108 + 12, 0);
	put32(&f, list + 4 + 108 + 16, 0);
	open_mdmp();
	const struct dt_module *a = &o.dump.modules[0], *b = &o.dump.modules[1];
	assert_int_equal(o.dump.module_count, 2);
	assert_string_equal(a->name, "a.exe");
	assert_string_equal(a->path, "C:\\Program Files\\a.exe");
	assert_true(dt_opt_is(a->base, 0x10000) && dt_opt_is(a->size, 0x10000));
	assert_true(dt_opt_is(a->checksum, 0xabc) && dt_opt_is(a->timestamp, 0x5d000000));
	assert_string_equal(a->version, "10.1.19041.2");
	assert_string_equal(b->name, "b.dll");
	assert_null(b->path);
	assert_null(b->version);
	assert_null(b->debug_id);
	assert_false(b->timestamp.known || b->checksum.known);
	assert_int_equal(o.dump.wow64, DT_FALSE);
	close_opened(&o);
}

static void debug_ids_are_the_symbol_servers_keys(void **state)
{
	(void)state;
	begin_modules(6, 9);
	for (unsigned i = 0; i < 6; i++)
		put_module(i, 0x10000 * i, add_string("m.dll"));
	put_codeview(0, "RSDS", 0x1c);
	put_codeview(1, "NB10", 0x14);
	put_codeview(2, "LEpB", 4 + 20);
	put_codeview(3, "RSDS", 0x17); /* too short for an age */
	put_codeview(4, "WHAT", 0x20);
	put_codeview(5, "RSDS", 0x20);
	put32(&f, list + 4 + 108 * 5 + 0x50, 0xfffffff0); /* outside */
	open_mdmp();
	assert_string_equal(o.dump.modules[0].debug_id, "0706050409080B0A0C0D0E0F1011121317161514");
	assert_string_equal(o.dump.modules[1].debug_id, "0B0A0908F0E0D0C");
	assert_string_equal(o.dump.modules[2].debug_id, "0405060708090a0b0c0d0e0f1011121314151617");
	for (unsigned i = 3; i < 6; i++)
		assert_null(o.dump.modules[i].debug_id);
	close_opened(&o);
}

static void padding_after_the_count_is_stepped_over(void **state)
{
	(void)state;
	begin_mdmp();
	list = add_stream(4, 8 + 108) + 4;
	put32(&f, list - 4, 1);
	put_module(0, 0x50000, add_string("padded.dll"));
	open_mdmp();
	assert_int_equal(o.dump.module_count, 1);
	assert_string_equal(o.dump.modules[0].name, "padded.dll");
	assert_true(dt_opt_is(o.dump.modules[0].base, 0x50000));
	close_opened(&o);
}

static void lies_are_cut_and_said(void **state)
{
	(void)state;
	begin_modules(2, 9);
	put_module(0, 0x10000, add_string("a.dll"));
	put_module(1, 0x20000, 0x7ffffff0);
	put32(&f, list, 100000);
	open_mdmp();
	assert_int_equal(o.dump.module_count, 2);
	assert_null(o.dump.modules[1].name);
	assert_true(has_note(&o, "module list", "100000 entries of 108 bytes"));
	assert_true(has_note(&o, "module list", "1 of 2 modules have no name in the file"));
	assert_true(is_missing(&o, "module list: 2 of 100000 entries are there"));
	assert_int_equal(o.dump.complete, DT_FALSE);
	close_opened(&o);
}

static void odd_or_huge_names_are_no_names(void **state)
{
	(void)state;
	begin_modules(3, 9);
	uint32_t odd = add_string("odd.dll"), huge = add_string("huge.dll"), empty = add_string("");
	put32(&f, odd, 13);
	put32(&f, huge, 70000);
	put_module(0, 0x10000, odd);
	put_module(1, 0x20000, huge);
	put_module(2, 0x30000, empty);
	put8(&f, 0xfff0, 0);
	open_mdmp();
	for (unsigned i = 0; i < 3; i++)
		assert_null(o.dump.modules[i].name);
	close_opened(&o);
}

static void wow64_shows_by_its_modules(void **state)
{
	(void)state;
	begin_modules(2, 9);
	put_module(0, 0x10000, add_string("app.exe"));
	put_module(1, 0x20000, add_string("C:\\Windows\\System32\\WOW64CPU.dll"));
	open_mdmp();
	assert_int_equal(o.dump.wow64, DT_TRUE);
	assert_true(has_note(&o, "module list", "a 32-bit process"));
	close_opened(&o);
	begin_modules(1, 0);
	put_module(0, 0x10000, add_string("app.exe"));
	open_mdmp();
	assert_int_equal(o.dump.wow64, DT_NOT_KNOWN); /* a 32-bit dump does not tell */
	close_opened(&o);
}

static void addresses_of_32_bit_processes_lose_their_sign(void **state)
{
	(void)state;
	begin_modules(1, 0);
	put_module(0, UINT64_C(0xffffffff80010000), add_string("a.exe"));
	open_mdmp();
	assert_true(dt_opt_is(o.dump.modules[0].base, 0x80010000));
	close_opened(&o);
}

static void reads_unloaded_modules(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t at = add_stream(14, 16 + 2 * 28);
	put32(&f, at, 16); /* header and entries may be longer than known */
	put32(&f, at + 4, 28);
	put32(&f, at + 8, 2);
	put64(&f, at + 16, 0x70000);
	put32(&f, at + 16 + 8, 0x2000);
	put32(&f, at + 16 + 0x14, add_string("C:\\x\\gone.dll"));
	put64(&f, at + 44, UINT64_MAX - 0xf);
	put32(&f, at + 44 + 8, 0x2000);
	open_mdmp();
	assert_int_equal(o.dump.unloaded_count, 2);
	assert_string_equal(o.dump.unloaded[0].name, "gone.dll");
	assert_true(dt_opt_is(o.dump.unloaded[0].start, 0x70000) && dt_opt_is(o.dump.unloaded[0].end, 0x72000));
	assert_true(dt_opt_is(o.dump.unloaded[1].end, UINT64_MAX));
	close_opened(&o);
	put32(&f, at + 4, 20);
	open_mdmp();
	assert_int_equal(o.dump.unloaded_count, 0);
	assert_true(has_note(&o, "unloaded module list", "SizeOfHeader 16 and SizeOfEntry 20"));
	close_opened(&o);
	put32(&f, at + 4, 0);
	open_mdmp();
	assert_int_equal(o.dump.unloaded_count, 0);
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_modules),
		cmocka_unit_test(debug_ids_are_the_symbol_servers_keys),
		cmocka_unit_test(padding_after_the_count_is_stepped_over),
		cmocka_unit_test(lies_are_cut_and_said),
		cmocka_unit_test(odd_or_huge_names_are_no_names),
		cmocka_unit_test(wow64_shows_by_its_modules),
		cmocka_unit_test(addresses_of_32_bit_processes_lose_their_sign),
		cmocka_unit_test(reads_unloaded_modules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

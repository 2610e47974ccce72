#include "mdmp_fixture.h"

static void header_and_directory(void **state)
{
	(void)state;
	begin_mdmp();
	add_stream(0, 0); /* unused entries are stepped over */
	add_system(9, 2);
	add_stream(0x12345678, 10);
	open_mdmp();
	assert_int_equal(o.dump.format, DT_FORMAT_USER);
	assert_int_equal(o.dump.kind, DT_KIND_MINIDUMP);
	assert_int_equal(o.dump.machine, DT_MACHINE_X64);
	assert_int_equal(o.dump.time, UINT64_C(116444736000000000) + UINT64_C(16668198470000000));
	assert_int_equal(o.dump.complete, DT_TRUE);
	assert_int_equal(o.dump.live, DT_NOT_KNOWN);
	assert_false(o.dump.exception.present || o.dump.has_bugcheck || o.dump.has_exception_thread);
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
	put32(&f, 4, 0x1234);
	put32(&f, 20, 0);
	open_mdmp();
	assert_true(has_note(&o, "header", "version 0x1234 at 0x4, expected 0xa793"));
	assert_int_equal(o.dump.time, 0);
	close_opened(&o);
}

static void bad_headers_fail_with_their_place(void **state)
{
	(void)state;
	begin_mdmp();
	open_bytes(&o, f.data, 0x1f);
	expect_failure(&o, DT_ERR_TRUNCATED, 0x1f, "0x20 bytes expected");
	close_opened(&o);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 8, "0 streams");
	close_opened(&o);
	add_system(9, 2);
	put32(&f, 12, 4);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 12, "the directory at 0x4 lies in the header");
	close_opened(&o);
	put32(&f, 12, 0x5000);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_TRUNCATED, 8, "1 streams, their directory at 0x5000");
	close_opened(&o);
	put32(&f, 12, 0x20);
	put32(&f, 0x20, 0x99);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_FORMAT, 8, "no system info, module list or exception");
	close_opened(&o);
}

static void streams_behind_the_end_are_named_and_the_rest_read(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_stream_at(3, 0x9000, 100);
	add_stream_at(4, 0xffffffff, 0xffffffff);
	open_mdmp();
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "thread list", "0x64 bytes at 0x9000 would end at 0x9064, the file ends at"));
	assert_true(has_note(&o, "module list", "0xffffffff bytes at 0xffffffff would end at 0x1fffffffe"));
	assert_true(is_missing(&o, "thread list"));
	close_opened(&o);
	begin_mdmp();
	add_stream_at(7, 0x9000, 56);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_TRUNCATED, 8, "no system info");
	assert_int_equal(o.dump.complete, DT_FALSE);
	close_opened(&o);
}

static void of_two_streams_the_first_is_read(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_system(12, 2);
	open_mdmp();
	assert_int_equal(o.dump.machine, DT_MACHINE_X64);
	assert_true(has_note(&o, "system info", "a second stream of this type at"));
	close_opened(&o);
}

static void a_directory_that_lies_is_cut(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	put32(&f, 8, UINT32_MAX);
	open_mdmp();
	assert_true(has_note(&o, "stream directory", "4294967295 entries at 0x20 would end at 0xc00000014"));
	close_opened(&o);
}

static void other_writers_streams_are_named(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_stream(0x4d7a0004, 20);
	open_mdmp();
	assert_true(has_note(&o, "Mozilla soft errors", "is not read"));
	close_opened(&o);
}

/* One of everything, to be cut and flipped. */
static void make_all(void)
{
	begin_mdmp();
	add_system(9, 2);
	size_t modules = add_stream(4, 4 + 108);
	size_t threads = add_stream(3, 4 + 48);
	size_t names = add_stream(24, 4 + 12);
	size_t memory = add_stream(5, 4 + 16);
	size_t misc = add_stream(15, 1364);
	size_t memory64 = add_stream(9, 16 + 32);
	size_t info = add_stream(16, 16 + 48);
	size_t unloaded = add_stream(14, 12 + 24);
	add_stream(0x43500001, 52);
	uint32_t name = add_string("C:\\a\\b.exe");
	uint32_t context = add_context(UINT64_C(0x7ff712345678), 0x8010);
	size_t stack = add_stream(0x77, 0x40);

	add_exception(44, context);
	put32(&f, modules, 1);
	put64(&f, modules + 4, UINT64_C(0x7ff712340000));
	put32(&f, modules + 12, 0x10000);
	put32(&f, modules + 4 + 0x14, name);
	put32(&f, threads, 1);
	put32(&f, threads + 4, 44);
	put64(&f, threads + 4 + 0x18, 0x8000);
	put32(&f, threads + 4 + 0x20, 0x40);
	put32(&f, threads + 4 + 0x24, (uint32_t)stack);
	put32(&f, threads + 4 + 0x28, 0x4d0);
	put32(&f, threads + 4 + 0x2c, context);
	put32(&f, names, 1);
	put32(&f, names + 4, 44);
	put64(&f, names + 8, name);
	put32(&f, memory, 1);
	put64(&f, memory + 4, 0x9000);
	put32(&f, memory + 12, 0x10);
	put32(&f, memory + 16, (uint32_t)stack);
	put32(&f, misc, 1364);
	put32(&f, misc + 4, 0x1f7);
	put64(&f, memory64, 2);
	put64(&f, memory64 + 8, stack);
	put64(&f, memory64 + 16, 0xa000);
	put64(&f, memory64 + 24, 0x20);
	put64(&f, memory64 + 32, 0xb000);
	put64(&f, memory64 + 40, 0x20);
	put32(&f, info, 16);
	put32(&f, info + 4, 48);
	put64(&f, info + 8, 1);
	put32(&f, unloaded, 12);
	put32(&f, unloaded + 4, 24);
	put32(&f, unloaded + 8, 1);
	put32(&f, unloaded + 12 + 0x14, name);
}

static void cut_anywhere_it_gives_a_status_and_a_text(void **state)
{
	(void)state;
	make_all();
	open_mdmp();
	assert_int_equal(o.notes.count, 0);
	assert_int_equal(o.dump.module_count + o.dump.thread_count + o.dump.unloaded_count, 3);
	close_opened(&o);
	for (size_t len = 0; len < f.len; len++) {
		open_bytes(&o, f.data, len);
		check_any(&o);
		if (len < 4)
			assert_int_equal(o.status, DT_ERR_NOT_A_DUMP);
		else if (len < 0x20 + 12)
			assert_int_equal(o.status, DT_ERR_TRUNCATED);
		if (len >= 4 && len < f.len - 8)
			assert_int_not_equal(o.dump.complete, DT_TRUE);
		close_opened(&o);
	}
}

static void no_flipped_byte_is_fatal(void **state)
{
	static const uint8_t masks[] = { 0xff, 0x01, 0x80 };

	(void)state;
	make_all();
	for (size_t at = 0; at < f.len; at++) {
		for (size_t i = 0; i < sizeof(masks); i++) {
			f.data[at] ^= masks[i];
			open_fixture(&o, &f);
			check_any(&o);
			close_opened(&o);
			f.data[at] ^= masks[i];
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_directory),
		cmocka_unit_test(bad_headers_fail_with_their_place),
		cmocka_unit_test(streams_behind_the_end_are_named_and_the_rest_read),
		cmocka_unit_test(of_two_streams_the_first_is_read),
		cmocka_unit_test(a_directory_that_lies_is_cut),
		cmocka_unit_test(other_writers_streams_are_named),
		cmocka_unit_test(cut_anywhere_it_gives_a_status_and_a_text),
		cmocka_unit_test(no_flipped_byte_is_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mdmp_fixture.h"

static void reads_system_info(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(0, 2);
	put32(&f, 0xe0 + 0x18, add_string("Service Pack 2"));
	open_mdmp();
	assert_int_equal(o.dump.machine, DT_MACHINE_X86);
	assert_true(dt_opt_is(o.dump.processors, 8) && dt_opt_is(o.dump.build, 19041));
	assert_int_equal(o.dump.os_major, 10);
	assert_int_equal(o.dump.os_minor, 0);
	assert_int_equal(o.dump.platform_id, 2);
	assert_int_equal(o.dump.product_type, 1);
	assert_string_equal(o.dump.os_text, "Service Pack 2");
	assert_string_equal(o.dump.cpu, "GenuineIntel");
	assert_true(dt_dump_is_windows(&o.dump));
	close_opened(&o);
}

static void machines_by_architecture(void **state)
{
	static const struct {
		unsigned architecture;
		enum dt_machine machine;
		const char *note;
	} rows[] = {
		{ 0, DT_MACHINE_X86, NULL },
		{ 9, DT_MACHINE_X64, NULL },
		{ 12, DT_MACHINE_ARM64, NULL },
		{ 5, DT_machine_NULL, "registers of ARM are not read" },
		{ 0x8003, DT_machine_NULL, "registers of ARM64 in Breakpad's old form are not read" },
		{ 0x7777, DT_machine_NULL, "processor architecture 0x7777 is not known" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_mdmp();
		add_system(rows[i].architecture, 2);
		open_mdmp();
		assert_int_equal(o.dump.machine, rows[i].machine);
		assert_int_equal(o.notes.count, rows[i].note ? 1 : 0);
		if (rows[i].note)
			assert_true(has_note(&o, "system info", rows[i].note));
		if (rows[i].machine != DT_MACHINE_X86)
			assert_null(o.dump.cpu); /* those bytes are feature bits there */
		close_opened(&o);
	}
}

static void other_systems_are_said(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 0x8201);
	put32(&f, 0xe0 + 0x18, add_string("Linux 6.1"));
	open_mdmp();
	assert_false(dt_dump_is_windows(&o.dump));
	assert_string_equal(o.dump.os_text, "Linux 6.1");
	assert_true(has_note(&o, "system info", "platform 0x8201 is not Windows"));
	close_opened(&o);
}

static size_t add_misc(uint32_t size, uint32_t info_size, uint32_t flags)
{
	size_t at = add_stream(15, size);

	put32(&f, at, info_size);
	put32(&f, at + 4, flags);
	put32(&f, at + 8, 4711);
	put32(&f, at + 12, 1666819000);
	put32(&f, at + 16, 12);
	put32(&f, at + 20, 3);
	if (size > 0x30)
		put32(&f, at + 0x2c, 0x2000);
	if (size > 800)
		put_wide(&f, at + 0xe8, "19041.1.amd64fre.vb_release");
	return at;
}

static void flags_and_size_say_what_misc_info_holds(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_misc(1364, 1364, 0x1f7);
	open_mdmp();
	assert_true(dt_opt_is(o.dump.process_id, 4711) && dt_opt_is(o.dump.process_created, 1666819000));
	assert_true(dt_opt_is(o.dump.process_user, 12) && dt_opt_is(o.dump.process_kernel, 3));
	assert_string_equal(o.dump.integrity, "medium");
	assert_string_equal(o.dump.build_lab, "19041.1.amd64fre.vb_release");
	close_opened(&o);
	begin_mdmp();
	add_system(9, 2);
	add_misc(1364, 1364, 0);
	open_mdmp();
	assert_false(o.dump.process_id.known || o.dump.process_created.known || o.dump.process_user.known || o.dump.process_kernel.known);
	assert_null(o.dump.integrity);
	assert_null(o.dump.build_lab);
	close_opened(&o);
	begin_mdmp();
	add_system(9, 2);
	add_misc(1364, 24, 0x1f7); /* SizeOfInfo rules */
	open_mdmp();
	assert_true(o.dump.process_id.known);
	assert_null(o.dump.integrity);
	assert_null(o.dump.build_lab);
	close_opened(&o);
	begin_mdmp();
	add_system(9, 2);
	add_misc(24, 0, 3); /* as Breakpad leaves it */
	open_mdmp();
	assert_true(o.dump.process_id.known && o.dump.process_created.known);
	close_opened(&o);
}

static void integrity_levels_have_names(void **state)
{
	static const struct {
		uint32_t level;
		const char *name;
	} rows[] = { { 0, "untrusted" },        { 0x1000, "low" },  { 0x2000, "medium" },
		     { 0x2100, "medium-plus" }, { 0x3000, "high" }, { 0x4000, "system" },
		     { 0x5000, "protected" },   { 0x6000, NULL },   { 0x0fff, "untrusted" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_mdmp();
		add_system(9, 2);
		size_t at = add_misc(232, 232, 0x10);
		put32(&f, at + 0x2c, rows[i].level);
		open_mdmp();
		if (rows[i].name)
			assert_string_equal(o.dump.integrity, rows[i].name);
		else
			assert_null(o.dump.integrity);
		close_opened(&o);
	}
}

static void reads_counters(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t memory = add_stream(21, 492), counters = add_stream(22, 152),
	       handles = add_stream(12, 16 + 2 * 40);
	put32(&f, memory + 8, 4096);
	put32(&f, memory + 12, 1000);
	put64(&f, memory + 0x7c, 20);
	put64(&f, memory + 0x84, 30);
	put16(&f, counters, 2);
	put64(&f, counters + 0x58, 123456);
	put32(&f, handles, 16);
	put32(&f, handles + 4, 40);
	put32(&f, handles + 8, 2);
	open_mdmp();
	assert_true(dt_opt_is(o.dump.memory_bytes, 4096000));
	assert_true(dt_opt_is(o.dump.commit_bytes, 20 * 4096) && dt_opt_is(o.dump.commit_limit_bytes, 30 * 4096));
	assert_true(dt_opt_is(o.dump.private_bytes, 123456));
	assert_true(dt_opt_is(o.dump.handle_count, 2));
	close_opened(&o);
	put32(&f, memory + 8, 4097);
	put16(&f, counters, 1);
	open_mdmp();
	assert_false(o.dump.memory_bytes.known || o.dump.commit_bytes.known || o.dump.private_bytes.known);
	close_opened(&o);
	put32(&f, memory + 8, 4096);
	put64(&f, memory + 0x7c, 31); /* more than the limit */
	open_mdmp();
	assert_true(o.dump.memory_bytes.known);
	assert_false(o.dump.commit_bytes.known);
	close_opened(&o);
	put32(&f, handles + 8, 3); /* more than there are */
	open_mdmp();
	assert_false(o.dump.handle_count.known);
	assert_true(has_note(&o, "handle data", "3 entries of 40 bytes"));
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_system_info),
		cmocka_unit_test(machines_by_architecture),
		cmocka_unit_test(other_systems_are_said),
		cmocka_unit_test(flags_and_size_say_what_misc_info_holds),
		cmocka_unit_test(integrity_levels_have_names),
		cmocka_unit_test(reads_counters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is found in a machine's memory, and what is said where it is not: dumps built from recipe lines, damaged on purpose. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "machine.h"

/* Where the builder puts its structures: the list's head, the first three entries, the debugger block, the ring. */
#define HEAD "0xfffff80000c2a2d0"
#define ENTRY0 "0xffffd00030000000"
#define ENTRY1 "0xffffd00030000400"
#define ENTRY2 "0xffffd00030000800"

static int is_missing(const char *text)
{
	for (size_t i = 0; i < dump.missing_count; i++)
		if (strstr(dump.missing[i], text))
			return 1;
	return 0;
}

static const struct dt_module *module(const char *name)
{
	for (size_t i = 0; i < dump.module_count; i++)
		if (dump.modules[i].name && !strcmp(dump.modules[i].name, name))
			return &dump.modules[i];
	return NULL;
}

static void everything_is_found(void **state)
{
	(void)state;
	read_machine("");
	assert_int_equal(notes.count, 0);
	assert_int_equal(dump.missing_count, 0);
	assert_int_equal(dump.complete, DT_TRUE);
	assert_int_equal(dump.directory_table_base, 0x1ad000);
	assert_int_equal(dump.module_count, 3);
	assert_string_equal(dump.modules[0].name, "ntoskrnl.exe");
	assert_string_equal(dump.modules[1].path, "\\SystemRoot\\system32\\drivers\\driver.sys");
	assert_true(dt_opt_is(dump.modules[1].base, UINT64_C(0xfffff80010000000)) && dt_opt_is(dump.modules[1].size, 0x10000));
	assert_true(dt_opt_is(dump.modules[1].timestamp, 0x5f000001) && dt_opt_is(dump.modules[1].checksum, 0x1f001));
	assert_string_equal(dump.modules[1].version, "1.2.3.4");
	assert_string_equal(dump.modules[1].company, "Acme");
	assert_int_equal(dump.unloaded_count, 1);
	assert_string_equal(dump.unloaded[0].name, "old.sys");
	assert_true(dump.kdbg.valid && dump.kdbg.kern_base == UINT64_C(0xfffff80000000000));
	assert_string_equal(dump.build_lab, "19041.1.amd64fre.sample.240101-1200");
	assert_int_equal(dump.prcb.bytes.len, 0xaf00);
	assert_int_equal(dump.thread.bytes.len, 0x898);
	assert_int_equal(dump.process.bytes.len, 0xa40);
	assert_int_equal(dump.thread.va, UINT64_C(0xffffd00012399040));
	assert_int_equal(dump.stack_va, UINT64_C(0xffffa00000001100));
	assert_int_equal(dump.stack_len, 0x2000 - 0x100);
	assert_int_equal(dump.os_major, 10);
	assert_true(dt_dump_module_at(&dump, UINT64_C(0xfffff80010000010)) == &dump.modules[1]);
}

static void a_list_that_leads_astray(void **state)
{
	static const char *const pokes[] = {
		"poke " ENTRY1 " 0000003000d0ffff\n",         /* Flink to the entry before: a cycle */
		"poke " ENTRY1 " 0004003000d0ffff\n",         /* to itself */
		"poke " ENTRY1 " 0000000000000000\n",         /* nowhere */
		"poke " ENTRY1 " ffffffffffffffff\n",         /* the end of the address space */
		"poke " ENTRY1 " 0010000000000000\n",         /* user memory */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		read_machine(pokes[i]);
		assert_int_equal(dump.module_count, 3);
		assert_non_null(module("driver.sys"));
		assert_non_null(module("other.sys"));
		has_note("module list", "cannot be followed behind the entry at " ENTRY1);
		assert_true(is_missing("some modules"));
	}
	/* Broken from both ends: the middle is lost, the rest is there. */
	read_machine("poke " ENTRY0 " 0000000000000000\npoke 0xffffd00030000808 0000000000000000\n");
	assert_int_equal(dump.module_count, 2);
	assert_null(module("driver.sys"));
	assert_non_null(module("other.sys"));
}

static void without_its_list_the_kernel_stands_alone(void **state)
{
	(void)state;
	read_machine("poke " HEAD " 00000000000000000000000000000000\n");
	assert_int_equal(dump.module_count, 1);
	assert_string_equal(dump.modules[0].name, "ntoskrnl.exe");
	assert_true(dt_opt_is(dump.modules[0].size, 0x1046000));
	assert_true(is_missing("modules: their list is not in the dump"));
}

/* A list that is sound, and longer than any machine's: read up to the cap, and that is said. */
static void more_modules_than_any_machine_has(void **state)
{
	enum { COUNT = DT_MAX_MODULES + 100, LINE = 64 };
	char *lines = malloc(COUNT * LINE);
	size_t n = 0;

	(void)state;
	assert_non_null(lines);
	for (unsigned i = 0; i < COUNT; i++)
		n += (size_t)snprintf(lines + n, LINE, "module m%u 0x%llx 0x1000 header=none\n", i, 0xfffff80100000000ull + 0x1000ull * i);
	read_machine(lines);
	free(lines);
	assert_int_equal(dump.module_count, DT_MAX_MODULES);
	has_note("module list", "more than 4096 modules; the rest is not read");
}

static void names_that_lie(void **state)
{
	(void)state;
	read_machine("poke 0xffffd00030000458 ffffffff\n"); /* a length of 65535 */
	assert_int_equal(dump.module_count, 3);
	assert_string_equal(dump.modules[1].name, "driver.sys"); /* from its path */
	has_note("names", "a name of more than 1024 bytes is not read");
	read_machine("poke 0xffffd00030000460 0000000000000000\npoke 0xffffd00030000450 0000000000000000\n");
	assert_null(dump.modules[1].name);
	/* A base that cannot be one: no module. */
	read_machine("poke 0xffffd00030000430 1000001000f8ffff\n");
	assert_int_equal(dump.module_count, 2);
}

static void page_tables_that_lead_nowhere(void **state)
{
	(void)state;
	/* Neither the header's root nor a table that maps itself. */
	read_machine("patch-u64 0x10 0x7fffffff000\nself-map none\n");
	assert_null(dump.memory.space);
	assert_int_equal(dump.complete, DT_FALSE);
	has_note("page tables", "with the root 0x7fffffff000 neither");
	assert_true(is_missing("virtual memory"));
	assert_int_equal(dump.module_count, 0);
}

static void a_root_that_nothing_names_is_found(void **state)
{
	static const char *const kinds[] = { "", "machine x64\npaging 5\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char lines[128];
		snprintf(lines, sizeof(lines), "%spatch-u64 0x10 0x7fffffff000\n", kinds[i]);
		read_machine(lines);
		assert_int_equal(dump.directory_table_base, 0x1ad000);
		has_note("page tables", "nothing names their root; found at 0x1ad000, a table that maps itself");
		assert_int_equal(dump.module_count, 3);
	}
	/* A page of programs that looks like one leads nowhere, and costs a try. */
	read_machine("patch-u64 0x10 0x7fffffff000\nself-map none\nframes 0x100\nword 0xffffe00000000800 0x100003\n");
	assert_null(dump.memory.space);
}

static void a_stack_that_is_not_there_is_said(void **state)
{
	(void)state;
	read_machine("page left-out 0xffffa00000001000\n");
	has_note("stack", "the stack at 0xffffa00000001100 is not in the dump: its page was left out");
	assert_true(is_missing("stack of the crash"));
	assert_int_equal(dump.stack_len, 0);
}

static void a_header_that_was_filled_before_the_crash(void **state)
{
	uint64_t header_time;

	(void)state;
	read_machine("");
	header_time = dump.time;
	read_machine("clock 3600\n");
	assert_true(dump.header_is_stale);
	assert_int_equal(dump.time, header_time + UINT64_C(36000000000));
	assert_true(dt_opt_is(dump.uptime, UINT64_C(36600000000)));
	has_note("header", "its time is 3600 s before that of the machine's memory");
	assert_true(dt_opt_is(dt_context_ip(&dump.context), UINT64_C(0xfffff80000400000))); /* from the processor's block */
	read_machine("clock 0.5\n"); /* clocks tick while a machine crashes */
	assert_false(dump.header_is_stale);
	assert_int_equal(dump.time, header_time);
}

static void the_processor_is_told_by_its_stack(void **state)
{
	(void)state;
	read_machine("");
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1);
	/* By CR2, where the stack pointer is elsewhere. */
	read_machine("context rip=0xfffff80000400000 rsp=0xffffa00000100000\ncpu number=1 cr2=0x10\n");
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1);
	/* By nothing. */
	read_machine("context rip=0xfffff80000400000 rsp=0xffffa00000100000\ncpu number=1 cr2=0x77\n");
	assert_int_equal(dump.prcb.bytes.len, 0);
	has_note("processors", "which processor crashed, and what it was running, is not known");
}

static void the_computers_name(void **state)
{
	(void)state;
	read_machine("");
	assert_null(dump.host);
	read_machine("computer HOST-7.example.org\n");
	assert_string_equal(dump.host, "host-7");
}

static void a_capture_leads_to_its_kernel(void **state)
{
	(void)state;
	read_machine("kind elf\n");
	assert_int_equal(dump.format, DT_FORMAT_CAPTURE);
	assert_true(dump.kdbg.valid && dump.kdbg_va == UINT64_C(0xfffff80000c00b20));
	assert_true(dump.has_bugcheck && dump.bugcheck_code == 0xd1 && dump.bugcheck_parameter[3] == UINT64_C(0xfffff80010001234));
	assert_int_equal(dump.live, DT_FALSE);
	assert_true(dt_opt_is(dump.build, 19041));
	assert_int_equal(dump.module_count, 3);
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1);
	/* An encoded block, and tags that are none in the section where it would be. */
	read_machine("kind elf\nencoded\npoke 0xfffff80000c00010 4b444247000300004b444247000300004b44424700030000\n");
	assert_true(dump.kdbg.valid && dump.kdbg_va == UINT64_C(0xfffff80000c00b20));
	assert_int_equal(dump.module_count, 3);
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1); /* by the processor's region */
	read_machine("kind elf\nencoded otherwise\n");
	assert_false(dump.kdbg.valid);
	has_note("debugger data", "no block in the kernel's image");
	/* No image below the handler: nothing is exported. */
	read_machine("kind elf\npoke 0xfffff80000000000 0000\n");
	has_note("kernel", "no image of ntoskrnl.exe below the handlers");
	assert_false(dump.has_bugcheck);
	assert_int_equal(dump.live, DT_NOT_KNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_found),
		cmocka_unit_test(a_list_that_leads_astray),
		cmocka_unit_test(without_its_list_the_kernel_stands_alone),
		cmocka_unit_test(more_modules_than_any_machine_has),
		cmocka_unit_test(names_that_lie),
		cmocka_unit_test(page_tables_that_lead_nowhere),
		cmocka_unit_test(a_root_that_nothing_names_is_found),
		cmocka_unit_test(a_stack_that_is_not_there_is_said),
		cmocka_unit_test(a_header_that_was_filled_before_the_crash),
		cmocka_unit_test(the_processor_is_told_by_its_stack),
		cmocka_unit_test(the_computers_name),
		cmocka_unit_test(a_capture_leads_to_its_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}

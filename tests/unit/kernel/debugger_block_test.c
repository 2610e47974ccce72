/* The debugger block where it is encoded, where it lies, and where it is not: what is found all the same, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "machine.h"

/* Where the builder puts its structures: the block, System, the array of the processors' blocks, PsInitialSystemProcess. */
#define BLOCK "0xfffff80000c00b20"
#define WITHOUT_BLOCK "page page-file " BLOCK "\n"
#define PROCESSORS UINT64_C(0xfffff80000c2aad0)
#define SYSTEM_VARIABLE "0xfffff80000c2a718"

static void an_encoded_block_is_decoded(void **state)
{
	struct dt_kdbg plain;

	(void)state;
	read_machine("");
	plain = dump.kdbg;
	read_machine("encoded\n");
	assert_memory_equal(&dump.kdbg, &plain, sizeof(plain));
	assert_int_equal(dump.kdbg_raw.bytes.len, 0x380);
	assert_memory_equal(dump.kdbg_raw.bytes.data + 0x10, "KDBG", 4);
	assert_int_equal(dump.unloaded_count, 1);
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1);
	has_note("debugger data", "the block at " BLOCK " is encoded, as in a running system; it was decoded");
	/* Neither the kernel's list of images nor its header tells the base: the list of processes alone is known. */
	read_machine("encoded\npoke 0xfffff80000c2a2d0 00000000000000000000000000000000\n");
	assert_memory_equal(&dump.kdbg, &plain, sizeof(plain));
}

static void a_block_that_decodes_to_nonsense_is_refused(void **state)
{
	static const char *const lines[] = {
		"encoded\npoke 0xfffff80000c00b30 01\n",                                         /* the tag's word, one bit */
		"encoded\npoke 0xfffff80000c00b38 01\n",                                         /* the base's */
		"encoded otherwise\n",
		"poke 0xfffff80000c00b30 4b444247ff0f0000\npoke 0xfffff80000c00b38 0100000000f8ffff\n", /* plain, with a base inside a page */
		"poke 0xfffff80000c00b30 4b44424700010000\n",                                    /* a size that is none */
		"poke 0xfffff80000c00b30 00000000000000000000000000000000\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		read_machine(lines[i]);
		assert_false(dump.kdbg.valid);
		assert_int_equal(dump.kdbg.off_eprocess_parent_cid, 0x540); /* by the build */
		assert_int_equal(dump.module_count, 3);
		has_note("debugger data", "is none, or encoded in a way that is not known: what it would tell is taken by the build");
	}
}

static void without_a_block_the_processors_are_found(void **state)
{
	(void)state;
	read_machine(WITHOUT_BLOCK);
	has_note("debugger data", "is not in the dump: in the page file");
	assert_int_equal(dump.kdbg.processor_block, PROCESSORS);
	assert_int_equal(dt_bytes_u32_or(dump.prcb.bytes, 0x24, 99), 1);
	assert_int_equal(dump.thread.va, UINT64_C(0xffffd00012399040));
	assert_int_equal(dump.process.va, UINT64_C(0xffffd00012345080));
	assert_string_equal(dump.build_lab, "19041.1.amd64fre.sample.240101-1200");
	assert_int_equal(dump.stack_len, 0x1f00);
}

/* Arrays that are none: a block that has another number, a region that does not point to itself, or not to its block. */
static void what_is_no_processor_is_none(void **state)
{
	static const char *const lines[] = {
		WITHOUT_BLOCK "poke 0xffffd000400001a4 01\n",               /* number */
		WITHOUT_BLOCK "poke 0xffffd00040000018 0000\npoke 0xffffd00040000019 55\n", /* self */
		WITHOUT_BLOCK "poke 0xffffd00040000020 0000000000000000\n", /* its block */
		WITHOUT_BLOCK "poke 0xfffff80000c2aad0 00000000000000000000000000000000\n",
		WITHOUT_BLOCK "page left-out 0xfffff80000c2aad0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		read_machine(lines[i]);
		assert_int_equal(dump.kdbg.processor_block, 0);
		assert_int_equal(dump.prcb.bytes.len, 0);
		has_note("processors", "is not known");
	}
}

/* A page full of addresses that look like blocks costs no more than the search may. */
static void a_search_has_an_end(void **state)
{
	static char lines[20000];
	size_t n = (size_t)snprintf(lines, sizeof(lines), WITHOUT_BLOCK "poke 0xfffff80000c2b000 ");

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(lines + n, sizeof(lines) - n, "8001004000d0ffff");
	snprintf(lines + n, sizeof(lines) - n, "\n");
	read_machine(lines);
	assert_int_equal(dump.kdbg.processor_block, PROCESSORS); /* the longest run of blocks */
}

/* The build's offsets do not fit: found in System, or nothing is said of processes. */
static void a_wrong_build_is_refused(void **state)
{
	(void)state;
	/* 26100 has a process's number elsewhere; the memory is that of 19041. */
	read_machine(WITHOUT_BLOCK "patch-u32 0xc 26100\n");
	assert_int_equal(dump.kdbg.off_eprocess_parent_cid, 0x540);
	assert_int_equal(dump.kdbg.off_eprocess_peb, 0x550);
	has_note("debugger data", "was found in the process System: 0x540");
	/* System is not told by the kernel's exports. */
	read_machine(WITHOUT_BLOCK "patch-u32 0xc 26100\npoke " SYSTEM_VARIABLE " 0000000000000000\n");
	assert_int_equal(dump.kdbg.off_eprocess_parent_cid, 0);
	has_note("debugger data", "does not fit the process System");
	/* The first of the list is enough to prove a build that fits. */
	read_machine(WITHOUT_BLOCK "poke " SYSTEM_VARIABLE " 0000000000000000\n");
	assert_int_equal(dump.kdbg.off_eprocess_parent_cid, 0x540);
	/* A process that is not System. */
	read_machine(WITHOUT_BLOCK "poke 0xffffd000123454c0 08\n");
	assert_int_equal(dump.kdbg.off_eprocess_parent_cid, 0);
}

/* What the processor runs is a thread, and that one's process a process, or nothing is said of them. */
static void a_thread_that_is_none_is_refused(void **state)
{
	(void)state;
	read_machine(WITHOUT_BLOCK "poke 0xffffd00012399040 08\n");
	assert_int_equal(dump.thread.va, 0);
	assert_int_equal(dump.process.va, 0);
	read_machine(WITHOUT_BLOCK "poke 0xffffd00012345080 06\n");
	assert_int_equal(dump.thread.va, UINT64_C(0xffffd00012399040));
	assert_int_equal(dump.process.va, 0);
	read_machine("poke 0xffffd00012345080 06\n"); /* the block's own offsets */
	assert_int_equal(dump.process.va, UINT64_C(0xffffd00012345080));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_encoded_block_is_decoded),
		cmocka_unit_test(a_block_that_decodes_to_nonsense_is_refused),
		cmocka_unit_test(without_a_block_the_processors_are_found),
		cmocka_unit_test(what_is_no_processor_is_none),
		cmocka_unit_test(a_search_has_an_end),
		cmocka_unit_test(a_wrong_build_is_refused),
		cmocka_unit_test(a_thread_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}

/* Kernel dumps at the offsets that the documentation gives: the headers, the triage form of both writers, page
 * bodies. */
#include "built.h"

#include <stdio.h>

#define CRASH                                                                                            \
	"kind triage\nmachine x64\nbuild 19041\nprocessors 6\ntime 2024-07-19T05:12:33Z\nuptime 93.5\n"  \
	"bugcheck 0x50 0xffffd6030000006a 0x0 0xfffff8020ebc14ed 0x2\n"                                  \
	"module ntoskrnl.exe 0xfffff80208800000 0x1046000\n"                                             \
	"module csagent.sys 0xfffff8020eae0000 0x4a0000 timestamp=0x6689d8f0 checksum=0x41e5a3\n"        \
	"unloaded dump_stornvme.sys 0xfffff8020f000000 0xfffff8020f024000\n"                             \
	"process averylongprocess.exe pid=4660\nthread tid=22136\ncpu number=3 cr2=0xffffd6030000006a\n" \
	"context rip=0xfffff80208bfd890 rsp=0xffffae035f57ea38 r15=0x15\n"                               \
	"stack 0xffffae035f57ea38 0x200\nword 0xffffae035f57ea40 0x1122334455667788\n"                   \
	"bytes 0xfffff8020ebc14ed 458b08\n"

enum { FILL = 0x45474150 };

static void header_of_64_bits(void **state)
{
	(void)state;
	build(CRASH);
	assert_memory_equal(bytes_at(0, 8), "PAGEDU64", 8);
	assert_int_equal(u32(0x08), 0xf);
	assert_int_equal(u32(0x0c), 19041);
	assert_int_equal(u32(0x30), 0x8664);
	assert_int_equal(u32(0x34), 6);
	assert_int_equal(u32(0x38), 0x50);
	assert_int_equal(u32(0x3c), FILL);
	assert_int_equal(u64(0x40), 0xffffd6030000006au);
	assert_int_equal(u64(0x48), 0);
	assert_int_equal(u64(0x50), 0xfffff8020ebc14edu);
	assert_int_equal(u64(0x58), 2);
	assert_int_equal(u64(0x348 + 0xf8), 0xfffff80208bfd890u);
	assert_int_equal(u64(0x348 + 0x98), 0xffffae035f57ea38u);
	assert_int_equal(u64(0x348 + 0xf0), 0x15);
	assert_int_equal(u32(0x348 + 0x30), 0x10000f);
	assert_int_equal(u32(0xf98), 4);
	/* 2024-07-19T05:12:33Z is 1721365953 seconds after 1970 */
	assert_int_equal(u64(0xfa8), (1721365953u + 11644473600u) * 10000000u);
	assert_int_equal(u64(0x1030), 935000000);
	/* synthetic, as in every triage dump seen: a breakpoint at the context, without parameters */
	assert_int_equal(u32(0xf00), 0x80000003);
	assert_int_equal(u64(0xf10), 0xfffff80208bfd890u);
	assert_int_equal(u32(0xf18), 0);
	assert_int_equal(u32(0x1058), FILL);
	assert_int_equal(u32(0x1ffc), FILL);
}

static void habits_of_the_two_writers(void **state)
{
	(void)state;
	build(CRASH);
	assert_int_equal(u32(0x1038), 0xcff);
	assert_int_equal(u32(0x103c), FILL);
	assert_int_equal(u32(0x1048), 0);
	assert_int_equal(u32(0x1050), FILL);
	assert_int_equal(u32(0x2044), 0xffffffff);
	assert_int_not_equal(u64(0xfa0), built.len);
	/* mm, unloaded drivers, processor, process, thread, stack, debugger data, drivers, blocks */
	assert_true(u32(0x2014) == 0x2080 && u32(0x2018) == 0x20d0 && u32(0x2018) < u32(0x201c) &&
	            u32(0x201c) < u32(0x2020));
	build(CRASH "writer kernel\n");
	assert_int_equal(u32(0x1038), 0xdff);
	assert_int_equal(u32(0x103c), 0);
	assert_int_equal(u32(0x1048), FILL);
	assert_int_equal(u32(0x1050), 8);
	assert_int_equal(u32(0x2044), 0x41);
	assert_int_equal(u64(0xfa0), built.len);
	assert_int_equal(u32(0x2004) % 0x200, 0);
	assert_true(u32(0x2014) == 0x2080 && u32(0x201c) == 0x20d0 && u32(0x2070) < u32(0x2018) &&
	            u32(0x2018) < u32(0x2030));
}

static void triage_ends_with_its_mark(void **state)
{
	static const char *const writers[] = { "writer kernel\n", "writer offline\n",
		                               "writer offline\nbuild 9600\n" };
	char recipe[4096];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(recipe, sizeof(recipe), CRASH "%s", writers[i]);
		build(recipe);
		assert_int_equal(u32(0x2008) + 4, u32(0x2004));
		assert_memory_equal(bytes_at(u32(0x2008), 4), "TRGD", 4);
		assert_int_equal(u32(0x2004), built.len);
	}
	/* Windows 8.1 made them all of one size. */
	assert_int_equal(built.len, 0x40000);
}

static void drivers_and_their_names(void **state)
{
	(void)state;
	build(CRASH);
	size_t second = u32(0x2030) + 0x90;
	assert_int_equal(u32(0x2034), 2);
	assert_int_equal(u64(second + 8 + 0x30), 0xfffff8020eae0000u);
	assert_int_equal(u32(second + 8 + 0x40), 0x4a0000);
	assert_int_equal(u32(second + 8 + 0x78), 0x41e5a3);
	assert_int_equal(u32(second + 8 + 0x80), 0x6689d8f0);
	static const char path[] = "\\SystemRoot\\system32\\drivers\\csagent.sys";
	size_t name = u32(second);
	assert_in_range(name, u32(0x2038), u32(0x2038) + u32(0x203c) - 1);
	assert_int_equal(u32(name), strlen(path));
	assert_utf16(name + 4, path);
	assert_int_equal(u16(name + 4 + 2 * strlen(path)), 0);
	/* the kernel gives names without folders */
	build(CRASH "writer kernel\n");
	name = u32(u32(0x2030) + 0x90);
	assert_int_equal(u32(name), strlen("csagent.sys"));
	assert_utf16(name + 4, "csagent.sys");
}

static void unloaded_names_are_cut(void **state)
{
	(void)state;
	build(CRASH);
	size_t list = u32(0x2018);
	assert_int_equal(u64(list), 1);
	assert_int_equal(u16(list + 8), 2 * strlen("dump_stornvme.sys"));
	assert_utf16(list + 8 + 0x10, "dump_stornvm");
	assert_int_equal(u64(list + 8 + 0x28), 0xfffff8020f000000u);
	assert_int_equal(u64(list + 8 + 0x30), 0xfffff8020f024000u);
}

/* A process and a thread are where KDDEBUGGER_DATA64 of the build says. */
static void process_thread_and_processor(void **state)
{
	static const struct {
		unsigned build, cid;
		const char *machine;
		unsigned name_behind, pid_before;
	} rows[] = { { 9600, 0x620, "x64", 0x68, 0xf0 },   { 17763, 0x638, "x64", 0x70, 0x100 },
		     { 19041, 0x478, "x64", 0x68, 0x100 }, { 22000, 0x4c8, "x64", 0x68, 0x100 },
		     { 26100, 0x508, "x64", 0x68, 0x100 }, { 22000, 0x4e8, "arm64", 0x68, 0x100 } };
	char recipe[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(recipe, sizeof(recipe), CRASH "drop context\nbuild %u\nmachine %s\n", rows[i].build,
		         rows[i].machine);
		build(recipe);
		size_t kdbg = u32(0x2070), process = u32(0x2020), thread = u32(0x2024), prcb = u32(0x201c);
		assert_memory_equal(bytes_at(kdbg + 0x10, 4), "KDBG", 4);
		assert_int_equal(u32(kdbg + 0x14), u32(0x2074));
		assert_int_equal(u64(kdbg + 0x18), 0xfffff80208800000u);
		size_t parent = u16(kdbg + 0x2ac);
		assert_string_equal(bytes_at(process + parent + rows[i].name_behind, 15), "averylongproce");
		assert_int_equal(u64(process + parent - rows[i].pid_before), 4660);
		assert_int_equal(u64(thread + rows[i].cid), 4660);
		assert_int_equal(u64(thread + rows[i].cid + 8), 22136);
		assert_int_equal(u32(prcb + u16(kdbg + 0x2be)), 3);
		assert_int_equal(u64(prcb + u16(kdbg + 0x2f2) + 8), 0xffffd6030000006au);
		assert_int_equal(u64(prcb + u16(kdbg + 0x2f2) + 16), u64(0x10));
		assert_true(thread - process >= u16(kdbg + 0x2a8));
	}
}

static void stack_and_blocks(void **state)
{
	(void)state;
	build(CRASH);
	assert_int_equal(u32(0x202c), 0x200);
	assert_int_equal(u64(0x2048), 0xffffae035f57ea38u);
	assert_int_equal(u64(u32(0x2028) + 8), 0x1122334455667788u);
	/* what the stack holds is no block as well */
	assert_int_equal(u32(0x207c), 1);
	assert_int_equal(u64(u32(0x2078)), 0xfffff8020ebc14edu);
	assert_int_equal(u32(u32(0x2078) + 12), 3);
	assert_memory_equal(bytes_at(u32(u32(0x2078) + 8), 3), "\x45\x8b\x08", 3);
}

static void secondary_data(void **state)
{
	static const uint8_t tag[16] = { 0x8f, 0x00, 0x5c, 0xbc, 0x3a, 0x1e, 0xd7, 0x44,
		                         0x98, 0x8d, 0x86, 0xf6, 0x88, 0x4c, 0x67, 0x58 };

	(void)state;
	build(CRASH
	      "blob 000102030405060708090a0b0c0d0e0f aabbcc\nsmbios manufacturer=Maker model=\"A model\"\n");
	size_t at = u32(0x2004);
	assert_memory_equal(bytes_at(at, 8), "DumpBlob", 8);
	assert_int_equal(u32(at + 8), 0x10);
	assert_int_equal(u32(at + 12), 0xf0000000u | 19041);
	at += 0x10;
	assert_int_equal(u32(at), 0x20);
	assert_int_equal(u32(at + 0x14), 3);
	assert_memory_equal(bytes_at(at + 0x20, 3), "\xaa\xbb\xcc", 3);
	at += 0x20 + 3;
	assert_memory_equal(bytes_at(at + 4, 16), tag, 16);
	/* the last blob ends where the file does; in a file of the kernel other bytes follow a zero */
	assert_int_equal(at + 0x20 + u32(at + 0x14), built.len);
	/* BIOS, type 0; its strings; the system, type 1, with string 1 as manufacturer */
	assert_int_equal(u16(at + 0x20), 0x1800);
	size_t system = at + 0x20 + 0x18 + sizeof("Example BIOS") + sizeof("1.0") + sizeof("01/02/2020") + 1;
	assert_int_equal(u16(system), 0x1b01);
	assert_string_equal(bytes_at(system + 0x1b, 6), "Maker");
	build(CRASH "writer kernel\nsmbios\n");
	assert_memory_equal(bytes_at(built.len - 16, 16), "STALE DISK BYTES", 16);
}

static void header_of_32_bits(void **state)
{
	(void)state;
	build("kind header32\nbuild 7601\nprocessors 2\ntime 2012-03-04T05:06:07Z\nuptime 10\ndump-type "
	      "6\nruns 1,2 16,3\n"
	      "bugcheck 0x8e 0xc0000005 0x82a5b6c7 0x8c7f1a50 0x7\ncontext eip=0x82a5b6c7\n");
	assert_memory_equal(bytes_at(0, 8), "PAGEDUMP", 8);
	assert_int_equal(u32(0x0c), 7601);
	assert_int_equal(u32(0x20), 0x14c);
	assert_int_equal(u32(0x28), 0x8e);
	assert_int_equal(u32(0x30), 0x82a5b6c7);
	assert_int_equal(u32(0x38), 7);
	assert_int_equal(u32(0x64), 2);
	assert_int_equal(u32(0x68), 5);
	assert_int_equal(u32(0x74), 16);
	assert_int_equal(u32(0x320 + 0xb8), 0x82a5b6c7);
	assert_int_equal(u32(0xf88), 6);
	assert_int_equal(u64(0xfc0), (1330837567u + 11644473600u) * 10000000u);
	assert_int_equal(built.len, 0x1000);
}

static void bodies_of_pages(void **state)
{
	(void)state;
	build("kind header64\ndump-type 1\nruns 0x1,0x3 0x100,0x5\nbody full present=8\n");
	assert_int_equal(u64(0x88) & 0xffffffff, 2);
	assert_int_equal(u64(0x90), 8);
	assert_int_equal(u64(0xa8), 0x100);
	assert_int_equal(u64(0xb0), 5);
	assert_int_equal(built.len, 0x2000 + 8 * 0x1000);
	assert_int_equal(u64(0xfa0), built.len);
	build("kind header64\ndump-type 5\nbody bitmap signature=FDMP bits=512 present=12\n");
	assert_memory_equal(bytes_at(0x2000, 8), "FDMPDUMP", 8);
	assert_int_equal(u64(0x2020) % 0x1000, 0);
	assert_int_equal(u64(0x2028), 12);
	assert_int_equal(u64(0x2030), 512);
	assert_int_equal(u16(0x2038), 0xfff);
	assert_int_equal(built.len, u64(0x2020) + 12 * 0x1000);
	build("kind header64\ndump-type 8\nbody ranges present=4\n");
	assert_int_equal(u32(0x2000), 0x40);
	assert_memory_equal(bytes_at(0x2004, 8), "RDMPDUMP", 8);
	/* the check that readers of this form make */
	assert_int_equal(u64(0x2010) - 0x20, u64(0x2018) - 0x2040);
	build("kind header64\ndump-type 2\nbody summary present=3\n");
	assert_memory_equal(bytes_at(0x2000, 8), "SDMPDUMP", 8);
	assert_int_equal(built.len, u32(0x200c) + 3 * 0x1000);
}

static void a_dump_is_filled_up(void **state)
{
	static const size_t sizes[] = { 300000, 1500000, 10000000 };
	char recipe[4096];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(recipe, sizeof(recipe), CRASH "fill modules 180\nfill size %zu\n", sizes[i]);
		build(recipe);
		assert_in_range(built.len, sizes[i] - sizes[i] / 20, sizes[i] + sizes[i] / 20);
		assert_int_equal(u32(0x2034), 182);
		assert_in_range(u32(0x207c), 500, 5000);
	}
	must_fail("kind triage\nfill cup 1\n", "test.recipe:2: fill takes modules or size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_of_64_bits),         cmocka_unit_test(habits_of_the_two_writers),
		cmocka_unit_test(triage_ends_with_its_mark), cmocka_unit_test(drivers_and_their_names),
		cmocka_unit_test(unloaded_names_are_cut),    cmocka_unit_test(process_thread_and_processor),
		cmocka_unit_test(stack_and_blocks),          cmocka_unit_test(secondary_data),
		cmocka_unit_test(header_of_32_bits),         cmocka_unit_test(bodies_of_pages),
		cmocka_unit_test(a_dump_is_filled_up),
	};

	return cmocka_run_group_tests(tests, NULL, free_built);
}

/* Memory lines: joining, and the records that are named by their fields. */
#include "built.h"

#include <stdio.h>

static size_t block_count(void)
{
	return u32(0x207c);
}

static size_t block_entry(size_t i)
{
	return u32(0x2078) + 16 * i;
}

/* The file offset of memory at an address: the first block that has all of it. */
static size_t memory_at(uint64_t va, size_t len)
{
	for (size_t i = 0; i < block_count(); i++) {
		uint64_t begin = u64(block_entry(i)), size = u32(block_entry(i) + 12);
		if (begin <= va && va - begin <= size && size - (va - begin) >= len)
			return u32(block_entry(i) + 8) + (size_t)(va - begin);
	}
	fail_msg("no block has 0x%zx bytes at 0x%llx", len, (unsigned long long)va);
	return 0;
}

static void touching_lines_are_one_block(void **state)
{
	(void)state;
	build("kind triage\nbytes 0x1004 55\nbytes 0x1000 11223344\nbytes 0x2000 66\nbytes 0x1005 77\n");
	assert_int_equal(block_count(), 2);
	assert_int_equal(u64(block_entry(0)), 0x1000);
	assert_memory_equal(bytes_at(memory_at(0x1000, 6), 6), "\x11\x22\x33\x44\x55\x77", 6);
}

static void a_later_line_wins(void **state)
{
	(void)state;
	build("kind triage\nbytes 0x1000 1122334455\nbytes 0x1002 aabb\nzeros 0x1001 1\n");
	assert_int_equal(block_count(), 1);
	assert_memory_equal(bytes_at(memory_at(0x1000, 5), 5), "\x11\0\xaa\xbb\x55", 5);
}

static void raw_blocks_stay_apart(void **state)
{
	(void)state;
	build("kind triage\nbytes 0x1000 1122\nraw-block 0x1001 33\nraw-block 0xffffffffffffffff 4455\n");
	assert_int_equal(block_count(), 3);
	assert_int_equal(u64(block_entry(1)), 0x1001);
	assert_int_equal(u64(block_entry(2)), UINT64_MAX);
	assert_int_equal(u32(block_entry(2) + 12), 2);
}

/* A record may lie partly in the stack and partly in a block before it. */
static void a_record_straddles_block_and_stack(void **state)
{
	(void)state;
	build("kind triage\nstack 0x1100 0x1000\ncontext-record 0x1000 rip=0x1234 rsp=0x5678 rcx=0x9\n");
	assert_int_equal(block_count(), 1);
	assert_int_equal(u32(block_entry(0) + 12), 0x100);
	assert_int_equal(u64(memory_at(0x1000 + 0x80, 8)), 9);
	assert_int_equal(u64(memory_at(0x1000 + 0x98, 8)), 0x5678);
	build("kind triage\nstack 0x1080 0x1000\ncontext-record 0x1000 rip=0x1234 rsp=0x5678\n");
	assert_int_equal(u64(u32(0x2028) + 0x78), 0x1234);
	assert_int_equal(u64(u32(0x2028) + 0x18), 0x5678);
}

static void trap_frames(void **state)
{
	(void)state;
	build("kind triage\ntrap-frame 0x1000 rip=0x1 rsp=0x2 address=0x3 rax=0x4 rcx=0x5 rdx=0x6 r8=0x7 "
	      "r9=0x8 r10=0x9 r11=0xa rbp=0xb irql=2 error=0xc\n");
	size_t at = memory_at(0x1000, 0x190);
	static const struct {
		size_t off;
		uint64_t value;
	} x64[] = {
		{ 0x168, 1 },  { 0x180, 2 },  { 0xd0, 3 },     { 0x30, 4 },        { 0x38, 5 },
		{ 0x40, 6 },   { 0x48, 7 },   { 0x50, 8 },     { 0x58, 9 },        { 0x60, 10 },
		{ 0x158, 11 }, { 0x160, 12 }, { 0x170, 0x10 }, { 0x178, 0x10286 }, { 0x188, 0x18 },
	};
	for (size_t i = 0; i < sizeof(x64) / sizeof(x64[0]); i++)
		assert_int_equal(u64(at + x64[i].off), x64[i].value);
	assert_int_equal(number_at(at + 0x29, 1), 2);
	build("kind triage\nmachine arm64\ntrap-frame 0x1000 pc=0x1 sp=0x2 address=0x3 lr=0x4 fp=0x5 x0=0x6 "
	      "x18=0x7\n");
	at = memory_at(0x1000, 0x150);
	static const struct {
		size_t off;
		uint64_t value;
	} arm[] = {
		{ 0x148, 1 }, { 0x98, 2 }, { 0x08, 3 },          { 0x138, 4 },
		{ 0x140, 5 }, { 0xa0, 6 }, { 0xa0 + 8 * 18, 7 },
	};
	for (size_t i = 0; i < sizeof(arm) / sizeof(arm[0]); i++)
		assert_int_equal(u64(at + arm[i].off), arm[i].value);
}

static void exception_records(void **state)
{
	(void)state;
	build("kind triage\nexception-record 0x1000 code=0xc0000005 flags=1 nested=0x2 address=0x3 "
	      "info=0,0x9c\n");
	size_t at = memory_at(0x1000, 0x98);
	assert_int_equal(u32(at), 0xc0000005);
	assert_int_equal(u32(at + 4), 1);
	assert_int_equal(u64(at + 8), 2);
	assert_int_equal(u64(at + 0x10), 3);
	assert_int_equal(u32(at + 0x18), 2);
	assert_int_equal(u64(at + 0x28), 0x9c);
	/* a count that lies */
	build("kind triage\nexception-record 0x1000 info=1 count=4000000000\n");
	assert_int_equal(u32(memory_at(0x1000, 0x98) + 0x18), 4000000000);
	must_fail("kind triage\nexception-record 0x1000 info=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n",
	          "test.recipe:2: '16': at most 15 numbers");
}

/* IRP, IO_STACK_LOCATION, DEVICE_OBJECT, DRIVER_OBJECT of x64. */
static void io_objects(void **state)
{
	(void)state;
	build("kind triage\nirp 0x1000 stack=7 current=5 device=0x2000 completion=0x77\n"
	      "device-object 0x2000 driver=0x3000\ndriver-object 0x3000 start=0xfffff80020000000 "
	      "size=0x40000\n");
	size_t irp = memory_at(0x1000, 0xd0 + 7 * 0x48);
	assert_int_equal(u16(irp), 6);
	assert_int_equal(u16(irp + 2), 0xd0 + 7 * 0x48);
	assert_int_equal(u16(irp + 0x42), 0x0507);
	assert_int_equal(u64(irp + 0xb8), 0x1000 + 0xd0 + 4 * 0x48);
	assert_int_equal(u64(irp + 0xd0 + 4 * 0x48 + 0x28), 0x2000);
	assert_int_equal(u64(irp + 0xd0 + 4 * 0x48 + 0x38), 0x77);
	assert_int_equal(u16(memory_at(0x2000, 2)), 3);
	assert_int_equal(u64(memory_at(0x2008, 8)), 0x3000);
	assert_int_equal(u16(memory_at(0x3000, 2)), 4);
	assert_int_equal(u64(memory_at(0x3018, 8)), 0xfffff80020000000u);
}

static void calls_end_at_their_return_address(void **state)
{
	(void)state;
	build("kind triage\ncall-frame 0x9000 0x2010 0x1000\n");
	assert_int_equal(u64(memory_at(0x9000, 8)), 0x2010);
	size_t before = memory_at(0x2000, 16);
	assert_int_equal(number_at(before + 11, 1), 0xe8);
	assert_int_equal(u32(before + 12), (uint32_t)(0x1000 - 0x2010));
	assert_int_equal(number_at(before, 1), 0x90);
	/* bytes that the recipe gives stay, whichever line comes first */
	build("kind triage\nbytes 0x2000 aabb\ncall-frame 0x9000 0x2010 indirect\nbytes 0x2010 cc\n");
	before = memory_at(0x2000, 17);
	assert_memory_equal(bytes_at(before, 2), "\xaa\xbb", 2);
	assert_int_equal(u16(before + 10), 0x15ff);
	assert_int_equal(number_at(before + 16, 1), 0xcc);
	/* BL, 8 bytes back from itself */
	build("kind triage\nmachine arm64\ncall-frame 0x9000 0x2010 0x2004\n");
	assert_int_equal(u32(memory_at(0x200c, 4)), 0x97fffffe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(touching_lines_are_one_block),
		cmocka_unit_test(a_later_line_wins),
		cmocka_unit_test(raw_blocks_stay_apart),
		cmocka_unit_test(a_record_straddles_block_and_stack),
		cmocka_unit_test(trap_frames),
		cmocka_unit_test(exception_records),
		cmocka_unit_test(io_objects),
		cmocka_unit_test(calls_end_at_their_return_address),
	};

	return cmocka_run_group_tests(tests, NULL, free_built);
}

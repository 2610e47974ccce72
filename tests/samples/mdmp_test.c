/* User minidumps: each stream at the offsets of minidumpapiset.h, Breakpad and Crashpad. */
#include "built.h"

#include <stdio.h>

#define PROGRAM                                                                                              \
	"kind mdmp\nmachine x64\nos 10 0 19045\ncsd \"Service Pack\"\nprocessors 12\ntime "                  \
	"2024-07-19T05:30:00Z\n"                                                                             \
	"pid 4100\ncreated 2024-07-19T05:00:00Z\n"                                                           \
	"module app.exe 0x140000000 0x80000 path=C:\\app.exe version=2.1.0.7 timestamp=0x11 checksum=0x22 "  \
	"guid=0123456789abcdef0123456789abcdef age=3 pdb=app.pdb\n"                                          \
	"unloaded old.dll 0x7ffa10000000 0x7ffa10020000\nthread 100\nthread 101 teb=0x77\n"                  \
	"thread-name 101 render\nthread-info 101 start=0x140001000\nthread-stack 101 0x1f0f00 0x200\n"       \
	"thread-context 101 rip=0x5\nexception thread=101 code=0xc0000005 address=0x140001234 info=0,0x9c\n" \
	"context rip=0x140001234 rsp=0x1f0f00\nword 0x1f0f08 0x4142\nbytes 0x140001234 458b08\n"

/* The directory's entry of a stream: its offset; *len its size. */
static size_t stream(uint32_t type, size_t *len)
{
	size_t count = u32(8), directory = u32(12);

	for (size_t i = 0; i < count; i++)
		if (u32(directory + 12 * i) == type) {
			*len = u32(directory + 12 * i + 4);
			size_t at = u32(directory + 12 * i + 8);
			assert_true(at <= built.len && *len <= built.len - at);
			return at;
		}
	*len = 0;
	return 0;
}

static void header_and_system(void **state)
{
	size_t len;

	(void)state;
	build(PROGRAM);
	assert_memory_equal(bytes_at(0, 4), "MDMP", 4);
	assert_int_equal(u16(4), 0xa793);
	assert_int_equal(u32(20), 1721367000);
	size_t at = stream(7, &len);
	assert_int_equal(len, 56);
	assert_int_equal(u16(at), 9);
	assert_int_equal(number_at(at + 6, 1), 12);
	assert_int_equal(u32(at + 8), 10);
	assert_int_equal(u32(at + 16), 19045);
	assert_int_equal(u32(at + 20), 2);
	assert_int_equal(u32(u32(at + 24)), 2 * strlen("Service Pack"));
	assert_utf16(u32(at + 24) + 4, "Service Pack");
	at = stream(15, &len);
	assert_int_equal(len, 24);
	assert_int_equal(u32(at), 24);
	assert_int_equal(u32(at + 4), 3);
	assert_int_equal(u32(at + 8), 4100);
	assert_int_equal(u32(at + 12), 1721365200);
	build("kind mdmp\nmachine arm64\n");
	assert_int_equal(u16(stream(7, &len)), 12);
	build("kind mdmp\nmachine x86\n");
	assert_int_equal(u16(stream(7, &len)), 0);
}

static void modules(void **state)
{
	static const uint8_t guid[16] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
		                          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	size_t len;

	(void)state;
	build(PROGRAM);
	size_t at = stream(4, &len);
	assert_int_equal(len, 4 + 108);
	assert_int_equal(u32(at), 1);
	at += 4;
	assert_int_equal(u64(at), 0x140000000);
	assert_int_equal(u32(at + 8), 0x80000);
	assert_int_equal(u32(at + 12), 0x22);
	assert_int_equal(u32(at + 16), 0x11);
	assert_utf16(u32(at + 20) + 4, "C:\\app.exe");
	assert_int_equal(u32(at + 24), 0xfeef04bd);
	assert_int_equal(u32(at + 24 + 8), 2 << 16 | 1);
	assert_int_equal(u32(at + 24 + 12), 7);
	size_t cv = u32(at + 0x50);
	assert_int_equal(u32(at + 0x4c), 24 + sizeof("app.pdb"));
	assert_memory_equal(bytes_at(cv, 4), "RSDS", 4);
	assert_memory_equal(bytes_at(cv + 4, 16), guid, 16);
	assert_int_equal(u32(cv + 20), 3);
	assert_string_equal(bytes_at(cv + 24, 8), "app.pdb");
	at = stream(14, &len);
	assert_int_equal(len, 12 + 24);
	assert_int_equal(u64(at + 12), 0x7ffa10000000);
	assert_int_equal(u32(at + 12 + 8), 0x20000);
	assert_utf16(u32(at + 12 + 20) + 4, "old.dll");
	build("kind mdmp\nmodule a 1 2 build-id=000102030405060708090a0b0c0d0e0f10111213\n");
	cv = u32(stream(4, &len) + 4 + 0x50);
	assert_int_equal(u32(cv), 0x4270454c);
	assert_int_equal(number_at(cv + 4 + 19, 1), 0x13);
}

static void threads_and_exception(void **state)
{
	size_t len;

	(void)state;
	build(PROGRAM);
	size_t at = stream(3, &len) + 4 + 48;
	assert_int_equal(len, 4 + 2 * 48);
	assert_int_equal(u32(at), 101);
	assert_int_equal(u64(at + 0x10), 0x77);
	assert_int_equal(u64(at + 0x18), 0x1f0f00);
	assert_int_equal(u32(at + 0x20), 0x200);
	assert_int_equal(u64(u32(at + 0x24) + 8), 0x4142);
	assert_int_equal(u32(at + 0x28), 0x4d0);
	assert_int_equal(u64(u32(at + 0x2c) + 0xf8), 5);
	at = stream(6, &len);
	assert_int_equal(len, 168);
	assert_int_equal(u32(at), 101);
	assert_int_equal(u32(at + 8), 0xc0000005);
	assert_int_equal(u64(at + 0x18), 0x140001234);
	assert_int_equal(u32(at + 0x20), 2);
	assert_int_equal(u64(at + 0x30), 0x9c);
	assert_int_equal(u32(at + 0xa0), 0x4d0);
	assert_int_equal(u64(u32(at + 0xa4) + 0xf8), 0x140001234);
	assert_int_equal(u16(u32(at + 0xa4) + 0x38), 0x33);
	at = stream(24, &len);
	assert_int_equal(u32(at + 4), 101);
	assert_utf16(u64(at + 8) + 4, "render");
	at = stream(17, &len);
	assert_int_equal(u32(at + 12), 101);
	assert_int_equal(u64(at + 12 + 0x30), 0x140001000);
}

/* The stack's bytes are in the file once, and the memory list has them too. */
static void memory_lists(void **state)
{
	size_t len;

	(void)state;
	build(PROGRAM);
	size_t at = stream(5, &len), thread = stream(3, &len) + 4 + 48;
	assert_int_equal(u32(at), 2);
	assert_int_equal(u64(at + 4), 0x1f0f00);
	assert_int_equal(u32(at + 4 + 8), 0x200);
	assert_int_equal(u32(at + 4 + 12), u32(thread + 0x24));
	assert_int_equal(u64(at + 4 + 16), 0x140001234);
	assert_memory_equal(bytes_at(u32(at + 4 + 16 + 12), 3), "\x45\x8b\x08", 3);
	build(PROGRAM "memory64 yes\n");
	at = stream(9, &len);
	assert_int_equal(u64(at), 2);
	assert_int_equal(u64(at + 16), 0x1f0f08);
	assert_int_equal(u64(u64(at + 8)), 0x4142);
	assert_memory_equal(bytes_at(u64(at + 8) + 8, 3), "\x45\x8b\x08", 3);
	thread = stream(3, &len) + 4 + 48;
	assert_int_equal(u32(thread + 0x24), 0);
	assert_int_equal(stream(5, &len), 0);
}

static void handles(void **state)
{
	size_t len;

	(void)state;
	build("kind mdmp\nhandle 0x44 type=File name=C:\\a objects=self\nhandle 0x48 objects=3\n");
	size_t at = stream(12, &len);
	assert_int_equal(len, 16 + 2 * 40);
	assert_int_equal(u32(at + 4), 40);
	assert_int_equal(u32(at + 8), 2);
	assert_int_equal(u64(at + 16), 0x44);
	assert_utf16(u32(at + 16 + 8) + 4, "File");
	size_t info = u32(at + 16 + 0x20);
	assert_int_equal(u32(info), info);
	info = u32(at + 16 + 40 + 0x20);
	for (size_t i = 0; i < 2; i++)
		info = u32(info);
	assert_int_equal(u32(info), 0);
}

static void crash_reporters(void **state)
{
	size_t len;

	(void)state;
	build("kind mdmp\nbreakpad 7 8\nassertion \"a != b\" f file.cc 77\ncrashpad key \"a value\"\n"
	      "comment some  text\ntext-stream 0x47670004 \"Name:\\tx\\n\"\nstream 0x99 0102\n");
	size_t at = stream(0x47670001, &len);
	assert_int_equal(u32(at), 3);
	assert_int_equal(u32(at + 8), 8);
	at = stream(0x47670002, &len);
	assert_int_equal(len, 776);
	assert_utf16(at, "a != b");
	assert_utf16(at + 512, "file.cc");
	assert_int_equal(u32(at + 768), 77);
	at = stream(0x43500001, &len);
	assert_int_equal(len, 52);
	size_t list = u32(at + 0x28);
	assert_int_equal(u32(list), 1);
	assert_int_equal(u32(u32(list + 4)), 3);
	assert_string_equal(bytes_at(u32(list + 4) + 4, 4), "key");
	assert_string_equal(bytes_at(u32(list + 8) + 4, 8), "a value");
	assert_utf16(stream(11, &len), "some  text");
	at = stream(0x47670004, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(bytes_at(at, 8), "Name:\tx\n", 8);
	assert_int_equal(u16(stream(0x99, &len)), 0x0201);
}

static void figures_and_regions(void **state)
{
	size_t len;

	(void)state;
	build("kind mdmp\nvm-counters private=0x10\nsystem-memory pages=5 committed=6 limit=7\nmisc mhz=3000 "
	      "lab=19041.1.amd64fre\n"
	      "memory-info 0x1000 0x2000 0x10000 0x1 0x20000\n");
	assert_int_equal(u64(stream(22, &len) + 0x58), 0x10);
	assert_int_equal(u32(stream(21, &len) + 0x0c), 5);
	assert_int_equal(u64(stream(21, &len) + 0x84), 7);
	size_t at = stream(15, &len);
	assert_int_equal(len, 832);
	assert_int_equal(u32(at + 0x18), 3000);
	assert_utf16(at + 0xe8, "19041.1.amd64fre");
	at = stream(16, &len);
	assert_int_equal(u64(at + 16), 0x1000);
	assert_int_equal(u64(at + 16 + 24), 0x2000);
	assert_int_equal(u32(at + 16 + 32), 0x10000);
	assert_int_equal(u32(at + 16 + 40), 0x20000);
}

static void more_streams_than_a_directory_has_room_for(void **state)
{
	char recipe[4096], *at = recipe;

	(void)state;
	at += sprintf(at, "kind mdmp\n");
	for (int i = 0; i < 60; i++)
		at += sprintf(at, "stream %d 00\n", 1000 + i);
	must_fail(recipe, "more than 48 streams");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_system),
		cmocka_unit_test(modules),
		cmocka_unit_test(threads_and_exception),
		cmocka_unit_test(memory_lists),
		cmocka_unit_test(handles),
		cmocka_unit_test(crash_reporters),
		cmocka_unit_test(figures_and_regions),
		cmocka_unit_test(more_streams_than_a_directory_has_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, free_built);
}

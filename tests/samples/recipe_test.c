/* The recipe language: what is wrong is said with file and line, and lines are inherited, dropped and
 * overridden. */
#include "built.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void errors_name_file_and_line(void **state)
{
	(void)state;
	must_fail("kind triage\n\n# a comment\nbugchek 0x50\n", "test.recipe:4: there is no keyword 'bugchek'");
	must_fail("kind triage\nbuild 19x\n", "test.recipe:2: '19x' is not a number");
	must_fail("kind triage\nbuild -1\n", "test.recipe:2: '-1' is not a number");
	must_fail("kind triage\nbuild 0x1ffffffffffffffff\n",
	          "test.recipe:2: '0x1ffffffffffffffff' is not a number");
	must_fail("kind triage\nbuild\n", "test.recipe:2: build needs a number as word 1");
	must_fail("kind triage\nmodule a.sys 0x1000\n", "test.recipe:2: module needs a number as word 3");
	must_fail("kind mdmp\ncomment \"open\n", "test.recipe:2: a quote that does not end");
	must_fail("kind book\n", "test.recipe:1: kind is triage, mdmp, memory, elf, kdump, header64, header32 or raw, not 'book'");
	must_fail("build 1\n", "kind is triage, mdmp, memory, elf, kdump, header64, header32 or raw, not ''");
}

static void errors_of_values(void **state)
{
	(void)state;
	must_fail("kind triage\ntime 2024-07-19 05:12\n", "test.recipe:2: '2024-07-19' is not a number");
	must_fail("kind triage\ntime 2024-07-19T05:12:33\n",
	          "test.recipe:2: '2024-07-19T05:12:33' is not a time like 2024-07-19T05:12:33Z");
	must_fail("kind triage\nuptime soon\n", "test.recipe:2: uptime takes seconds");
	must_fail("kind triage\nuptime nan\n", "test.recipe:2: uptime takes seconds");
	must_fail("kind triage\nbugcheck 1 2 3 4 5 6\n", "test.recipe:2: a bugcheck has four parameters");
	must_fail("kind triage\nbytes 0x1000 123\n", "test.recipe:2: an odd number of hex digits");
	must_fail("kind triage\nbytes 0x1000 12 3g\n", "test.recipe:2: 'g' is not a hex digit");
	must_fail("kind triage\nbytes 0x1000\n", "test.recipe:2: bytes takes an address and hex digits");
	must_fail("kind triage\ncontext rip=1 eip=2\n", "test.recipe:2: context has no field 'eip=2'");
	must_fail("kind triage\nmachine arm64\ncontext x29=1\n", "test.recipe:3: context has no field 'x29=1'");
	must_fail("kind triage\ntrap-frame 0x1000 r12=1\n", "test.recipe:2: trap-frame has no field 'r12=1'");
	must_fail("kind triage\nstack 0x1000 0x10000000\n",
	          "test.recipe:2: stack takes at most 16777216 bytes here");
	must_fail("kind triage\nbytes 0xffffffffffffffff 1122\n",
	          "test.recipe:2: memory that wraps around (raw-block may)");
	must_fail("kind triage\nirp 0x1000 stack=2 current=4\n",
	          "test.recipe:2: an IRP has 1 to 31 stack locations, and is at one of them");
	must_fail("kind triage\ncall-frame 0x1000 0x200000000 0x1000\n",
	          "test.recipe:2: a call does not reach that far");
	must_fail("kind triage\nblob 0011 00\n", "test.recipe:2: '0011' is not 32 hex digits");
	must_fail("kind header64\nruns 0x1\n", "test.recipe:2: a run is PFN,COUNT");
	must_fail("kind header64\nbody novel\n", "test.recipe:2: body is bitmap, summary, ranges or full");
	must_fail("kind mdmp\nmodule a 1 2 version=1.2\n", "test.recipe:2: a version is a.b.c.d");
	must_fail("kind mdmp\nmodule a 1 2 guid=12\n", "test.recipe:2: '12' is not 32 hex digits");
	must_fail("kind raw\npatch 0xffffffff 00\n", "test.recipe:2: patch takes at most 268435456 bytes here");
	must_fail("kind raw\nextend 16\npatch @0x100 00\n", "test.recipe:3: '@0x100' is no place in the file");
}

static void limits_of_a_recipe(void **state)
{
	char *text = malloc(1 << 17), *at = text;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "kind raw\npatch 0");
	for (int i = 0; i < 63; i++)
		at += sprintf(at, " 00");
	must_fail(text, "test.recipe:2: more than 64 words");
	at = text;
	for (int i = 0; i < 8193; i++)
		at += sprintf(at, "kind raw\n");
	must_fail(text, "test.recipe:8193: more than 8192 lines");
	assert_int_equal(sample_build(&built, "test.recipe", "kind\0raw", 8), -1);
	assert_string_equal(built.error, "test.recipe:1: a zero byte");
	free(text);
}

static void lines_are_dropped_and_overridden(void **state)
{
	(void)state;
	build("kind header64\nbuild 1\nbuild 2\nproduct 3\ndrop product\n");
	assert_int_equal(u32(0x0c), 2);
	assert_int_equal(u32(0x1040), 1);
	/* with a second word, only the lines that have it, in any case */
	build("kind mdmp\nmodule A.dll 0x1000 0x10\nmodule b.dll 0x2000 0x20\ndrop module a.DLL\n");
	assert_int_equal(u32(0x20 + 12 * 1), 4);
	assert_int_equal(u64(u32(0x20 + 12 * 1 + 8) + 4), 0x2000);
	must_fail("kind raw\ndrop module\n", "test.recipe:2: nothing to drop");
	must_fail("kind raw\ndrop\n", "test.recipe:2: drop takes a keyword");
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
	assert_int_equal(fclose(out), 0);
}

static void a_base_is_inherited(void **state)
{
	char folder[] = "recipes-XXXXXX", path[256], other[256];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.recipe", folder);
	snprintf(other, sizeof(other), "%s/b.recipe", folder);
	write_text(path, "kind header64\nbuild 17763\nproduct 3\n");
	write_text(other, "base a.recipe\nbuild 19041\n");
	sample_free(&built);
	assert_int_equal(sample_build_file(&built, other), 0);
	assert_int_equal(u32(0x0c), 19041);
	assert_int_equal(u32(0x1040), 3);
	/* an error of the base is told with the base's name */
	write_text(path, "kind header64\nnonsense\n");
	sample_free(&built);
	assert_int_equal(sample_build_file(&built, other), -1);
	assert_string_equal(built.error, "a.recipe:2: there is no keyword 'nonsense'");
	/* one that has itself as base comes to an end */
	write_text(path, "base a.recipe\n");
	assert_int_equal(sample_build_file(&built, path), -1);
	assert_string_equal(built.error,
	                    "a.recipe:1: base takes the name of a recipe in the same folder, at most 3 deep");
	unlink(path);
	unlink(other);
	rmdir(folder);
}

static void a_base_outside_the_folder_is_refused(void **state)
{
	(void)state;
	must_fail("base ../a.recipe\n",
	          "test.recipe:1: base takes the name of a recipe in the same folder, at most 3 deep");
	must_fail("kind raw\nbase none.recipe\n", "test.recipe:2: none.recipe: No such file or directory");
	assert_int_equal(sample_build_file(&built, "no/such.recipe"), -1);
	assert_string_equal(built.error, "no/such.recipe: No such file or directory");
}

static void damage_comes_last_and_in_order(void **state)
{
	(void)state;
	build("kind raw\nextend 16\npatch 4 0102 03\npatch-u16 8 0xbbaa\npatch-u32 10 0x44332211\ntruncate "
	      "13\n");
	assert_int_equal(built.len, 13);
	assert_memory_equal(built.data, "\0\0\0\0\1\2\3\0\xaa\xbb\x11\x22\x33", 13);
	/* through the offset that the file holds at a place */
	build("kind raw\nextend 64\npatch-u32 8 32\npatch @8+1 ff\npatch-u64 @8+8 7\n");
	assert_int_equal(u64(32), 0xff00);
	assert_int_equal(u64(40), 7);
	build("kind raw\ntext two words\n");
	assert_int_equal(built.len, 10);
	assert_memory_equal(built.data, "two words\n", 10);
	build("kind raw\n");
	assert_int_equal(built.len, 0);
	assert_non_null(built.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(errors_of_values),
		cmocka_unit_test(limits_of_a_recipe),
		cmocka_unit_test(lines_are_dropped_and_overridden),
		cmocka_unit_test(a_base_is_inherited),
		cmocka_unit_test(a_base_outside_the_folder_is_refused),
		cmocka_unit_test(damage_comes_last_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, free_built);
}

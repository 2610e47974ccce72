#include "fixture.h"

#include <stdio.h>

static struct dt_dump dump;
static struct dt_arena arena;

static struct dt_module module(const char *name, uint64_t base, uint64_t size)
{
	return (struct dt_module){ .name = name, .base = dt_some(base), .size = dt_some(size) };
}

static void begin(void)
{
	memset(&dump, 0, sizeof(dump));
	dt_arena_init(&arena, 1 << 20);
	dump.arena = &arena;
	dt_memory_init(&dump.memory, &arena);
}

static void finds_the_innermost_module(void **state)
{
	struct dt_module modules[] = {
		module("outer", 0x10000, 0x10000),         module("inner", 0x14000, 0x1000),
		module("after", 0x30000, 0x1000),          module("none", 0x15800, 0),
		module("top", UINT64_MAX - 0xfff, 0x2000),
	};

	(void)state;
	begin();
	dump.modules = modules;
	dump.module_count = 5;
	assert_ptr_equal(dt_dump_module_at(&dump, 0x10000), &modules[0]);
	assert_ptr_equal(dt_dump_module_at(&dump, 0x13fff), &modules[0]);
	assert_ptr_equal(dt_dump_module_at(&dump, 0x14000), &modules[1]);
	assert_ptr_equal(dt_dump_module_at(&dump, 0x14fff), &modules[1]);
	assert_ptr_equal(dt_dump_module_at(&dump, 0x15800), &modules[0]); /* size 0 holds nothing */
	assert_ptr_equal(dt_dump_module_at(&dump, 0x1ffff), &modules[0]);
	assert_null(dt_dump_module_at(&dump, 0x20000));
	assert_null(dt_dump_module_at(&dump, 0xffff));
	assert_null(dt_dump_module_at(&dump, 0x31000));
	assert_ptr_equal(dt_dump_module_at(&dump, UINT64_MAX), &modules[4]);
	assert_null(dt_dump_module_at(&dump, 0));
	dt_arena_deinit(&arena);
}

static void the_index_finds_what_searching_finds(void **state)
{
	static struct dt_module modules[300];
	static struct dt_module_index index[300];
	uint32_t seed = 7;

	(void)state;
	begin();
	dump.modules = modules;
	dump.module_count = 300;
	for (unsigned i = 0; i < 300; i++) {
		seed = seed * 1664525u + 1013904223u;
		modules[i] = module("m", seed >> 16, (seed >> 8) % 900 + (i % 50 == 0 ? 20000 : 0));
	}
	/* An index by hand, slow and plain. */
	bool used[300] = { false };
	for (unsigned n = 0; n < 300; n++) {
		unsigned best = 300;
		for (unsigned i = 0; i < 300; i++)
			if (!used[i] && (best == 300 || modules[i].base.value < modules[best].base.value))
				best = i;
		used[best] = true;
		uint64_t last = modules[best].base.value + modules[best].size.value;
		index[n] = (struct dt_module_index){ modules[best].base.value, last, best };
		if (n && index[n - 1].reach > last)
			index[n].reach = index[n - 1].reach;
	}
	for (uint64_t va = 0; va < 0x18000; va += 7) {
		dump.index = NULL;
		const struct dt_module *searched = dt_dump_module_at(&dump, va);
		dump.index = index;
		dump.index_count = 300;
		const struct dt_module *found = dt_dump_module_at(&dump, va);
		assert_int_equal(!searched, !found);
		if (found)
			assert_int_equal(found->size.value, searched->size.value);
	}
	dt_arena_deinit(&arena);
}

static void finds_unloaded_ranges(void **state)
{
	struct dt_unloaded unloaded[] = {
		{ .name = "a", .start = dt_some(0x1000), .end = dt_some(0x2000) },
		{ .name = "b", .start = dt_some(0x3000), .end = dt_some(0x3000) },
		{ .name = "c" },
	};

	(void)state;
	begin();
	dump.unloaded = unloaded;
	dump.unloaded_count = 3;
	assert_ptr_equal(dt_dump_unloaded_at(&dump, 0x1000), &unloaded[0]);
	assert_null(dt_dump_unloaded_at(&dump, 0x2000));
	assert_null(dt_dump_unloaded_at(&dump, 0x3000));
	assert_null(dt_dump_unloaded_at(&dump, 0));
	dt_arena_deinit(&arena);
}

static struct fixture f;

static void load(uint64_t va)
{
	struct dt_notes notes;
	struct dt_error err;

	dt_notes_init(&notes, &arena);
	assert_true(dt_memory_add(&dump.memory, va, (struct dt_bytes){ f.data, f.len }, DT_RANGE_BLOCK));
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
}

static void reads_exception_records(void **state)
{
	struct dt_exception_record record;

	(void)state;
	begin();
	dump.machine = DT_MACHINE_X64;
	memset(&f, 0, sizeof(f));
	put32(&f, 0x00, 0xc0000005);
	put32(&f, 0x04, 1);
	put64(&f, 0x08, 0x1234);
	put64(&f, 0x10, UINT64_C(0xfffff80012345678));
	put32(&f, 0x18, 2);
	put64(&f, 0x20, 1);
	put64(&f, 0x28, 0x9c);
	load(0x5000);
	assert_int_equal(f.len, 0x30); /* the record ends with the parameters it has */
	assert_true(dt_dump_exception_at(&dump, 0x5000, &record));
	assert_true(record.present);
	assert_int_equal(record.code, 0xc0000005);
	assert_int_equal(record.flags, 1);
	assert_int_equal(record.nested, 0x1234);
	assert_int_equal(record.address, UINT64_C(0xfffff80012345678));
	assert_int_equal(record.parameter_count, 2);
	assert_int_equal(record.parameter[0], 1);
	assert_int_equal(record.parameter[1], 0x9c);
	record.code = 7;
	assert_false(dt_dump_exception_at(&dump, 0x5018, &record));
	assert_false(dt_dump_exception_at(&dump, 0x4fff, &record));
	assert_int_equal(record.code, 7);
	dt_arena_deinit(&arena);
}

static void reads_32_bit_exception_records(void **state)
{
	struct dt_exception_record record;

	(void)state;
	begin();
	dump.machine = DT_MACHINE_X86;
	memset(&f, 0, sizeof(f));
	put32(&f, 0x00, 0xc0000005);
	put32(&f, 0x08, 0x1111);
	put32(&f, 0x0c, 0x401234);
	put32(&f, 0x10, 99); /* more than there can be */
	for (unsigned i = 0; i < 15; i++)
		put32(&f, 0x14 + 4 * i, i + 100);
	load(0x5000);
	assert_true(dt_dump_exception_at(&dump, 0x5000, &record));
	assert_int_equal(record.nested, 0x1111);
	assert_int_equal(record.address, 0x401234);
	assert_int_equal(record.parameter_count, 15);
	assert_int_equal(record.parameter[14], 114);
	dt_arena_deinit(&arena);
}

static void missing_texts_are_kept_once_and_capped(void **state)
{
	(void)state;
	struct dt_notes notes;
	begin();
	dt_notes_init(&notes, &arena);
	dump.notes = &notes;
	dt_dump_missing(&dump, "memory");
	dt_dump_missing(&dump, "memory");
	dt_dump_missing(&dump, NULL);
	assert_int_equal(dump.missing_count, 1);
	static char texts[100][8];
	for (unsigned i = 0; i < 100; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%u", i);
		dt_dump_missing(&dump, texts[i]);
	}
	assert_int_equal(dump.missing_count, DT_MAX_TEXTS);
	assert_int_equal(notes.count, 1);
	assert_string_equal(notes.items[0].text, "more than 64; the rest is not listed");
	dt_arena_deinit(&arena);
}

static void windows_is_told_by_the_platform(void **state)
{
	(void)state;
	begin();
	dump.format = DT_FORMAT_USER;
	dump.platform_id = 2;
	assert_true(dt_dump_is_windows(&dump));
	dump.platform_id = 0x8201;
	assert_false(dt_dump_is_windows(&dump));
	dump.format = DT_FORMAT_KERNEL;
	assert_true(dt_dump_is_windows(&dump));
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_innermost_module),
		cmocka_unit_test(the_index_finds_what_searching_finds),
		cmocka_unit_test(finds_unloaded_ranges),
		cmocka_unit_test(reads_exception_records),
		cmocka_unit_test(reads_32_bit_exception_records),
		cmocka_unit_test(missing_texts_are_kept_once_and_capped),
		cmocka_unit_test(windows_is_told_by_the_platform),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

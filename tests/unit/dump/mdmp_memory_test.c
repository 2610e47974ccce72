#include "mdmp_fixture.h"

static void begin_memory(void)
{
	begin_mdmp();
	add_system(9, 2);
}

static void put_range(size_t at, uint64_t va, uint32_t size, uint32_t rva)
{
	put64(&f, at, va);
	put32(&f, at + 8, size);
	put32(&f, at + 12, rva);
}

static void expect_text(uint64_t va, const char *text)
{
	char found[32] = "";

	assert_true(dt_memory_read_all(&o.dump.memory, va, found, strlen(text)));
	assert_string_equal(found, text);
}

static void reads_a_memory_list(void **state)
{
	(void)state;
	begin_memory();
	size_t list = add_stream(5, 8 + 2 * 16); /* with padding */
	size_t data = add_stream(0x77, 16);
	put_text(&f, data, "firstsecond");
	put32(&f, list, 2);
	put_range(list + 8, 0x9005, 6, (uint32_t)data + 5);
	put_range(list + 24, 0x9000, 5, (uint32_t)data);
	open_mdmp();
	expect_text(0x9000, "firstsecond");
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
	put_range(list + 24, 0x9000, 5000, (uint32_t)data);
	open_mdmp();
	assert_true(has_note(&o, "memory list", "1 of 2 ranges reach behind the end of the file"));
	assert_true(is_missing(&o, "memory: 1 of 2 ranges are not all there"));
	close_opened(&o);
}

static void reads_a_memory64_list(void **state)
{
	(void)state;
	begin_memory();
	size_t list = add_stream(9, 16 + 3 * 16);
	size_t data = add_stream(0x77, 16);
	put_text(&f, data, "onetwothree_____");
	put64(&f, list, 3);
	put64(&f, list + 8, data);
	put64(&f, list + 16, 0xa000);
	put64(&f, list + 24, 3);
	put64(&f, list + 32, 0xb000);
	put64(&f, list + 40, 3);
	put64(&f, list + 48, 0xa003);
	put64(&f, list + 56, 5);
	open_mdmp();
	expect_text(0xa000, "onethree");
	expect_text(0xb000, "two");
	assert_int_equal(o.dump.complete, DT_TRUE);
	close_opened(&o);
	put64(&f, list + 40, UINT64_MAX); /* the sum of the sizes wraps around */
	open_mdmp();
	expect_text(0xa000, "one");
	expect_text(0xb000, "two");
	assert_true(has_note(&o, "memory64 list", "2 of 3 ranges reach behind the end of the file"));
	close_opened(&o);
	put64(&f, list, UINT64_C(0x1000000000000001));
	open_mdmp();
	assert_true(has_note(&o, "memory64 list", "1152921504606846977 ranges"));
	assert_true(is_missing(&o, "memory: 3 of 1152921504606846977 ranges are described"));
	close_opened(&o);
}

static void stacks_go_before_lists(void **state)
{
	(void)state;
	begin_memory();
	size_t list = add_stream(5, 4 + 16), threads = add_stream(3, 4 + 48), data = add_stream(0x77, 32);
	put_text(&f, data, "from the list   from the thread ");
	put32(&f, list, 1);
	put_range(list + 4, 0x9000, 16, (uint32_t)data);
	put32(&f, threads, 1);
	put_range(threads + 4 + 0x18, 0x9000, 16, (uint32_t)data + 16);
	open_mdmp();
	expect_text(0x9000, "from the thread ");
	assert_true(has_note(&o, "memory", "1 overlapping ranges have different bytes, the first at 0x9000"));
	close_opened(&o);
}

static void memory_info_is_handed_on(void **state)
{
	(void)state;
	begin_memory();
	size_t info = add_stream(16, 16 + 2 * 56);
	put32(&f, info, 16);
	put32(&f, info + 4, 56);
	put64(&f, info + 8, 2);
	open_mdmp();
	assert_int_equal(o.dump.memory_info_stride, 56);
	assert_int_equal(o.dump.memory_info.len, 112);
	assert_ptr_equal(o.dump.memory_info.data, o.copy + info + 16);
	close_opened(&o);
	put64(&f, info + 8, UINT64_MAX);
	open_mdmp();
	assert_int_equal(o.dump.memory_info.len, 112);
	assert_int_equal(o.dump.complete, DT_FALSE);
	close_opened(&o);
	put32(&f, info + 4, 47);
	open_mdmp();
	assert_int_equal(o.dump.memory_info.len + o.dump.memory_info_stride, 0);
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_memory_list),
		cmocka_unit_test(reads_a_memory64_list),
		cmocka_unit_test(stacks_go_before_lists),
		cmocka_unit_test(memory_info_is_handed_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

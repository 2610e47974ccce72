#include "mdmp_fixture.h"

static size_t list;

static void begin_threads(uint32_t type, unsigned stride, unsigned count)
{
	begin_mdmp();
	add_system(9, 2);
	list = add_stream(type, 4 + stride * count);
	put32(&f, list, count);
}

static void put_thread(unsigned stride, unsigned index, uint32_t id, uint64_t stack_va, uint32_t stack,
                       uint32_t stack_len)
{
	size_t at = list + 4 + stride * index;

	put32(&f, at, id);
	put64(&f, at + 0x10, 0x7000 + id);
	put64(&f, at + 0x18, stack_va);
	put32(&f, at + 0x20, stack_len);
	put32(&f, at + 0x24, stack);
}

static void reads_threads_and_their_stacks(void **state)
{
	uint8_t text[8];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		unsigned stride = i ? 64 : 48;

		begin_threads(i ? 8 : 3, stride, 2);
		size_t stack = add_stream(0x77, 0x20);
		put_text(&f, stack, "stack of");
		put_thread(stride, 0, 11, 0x9000, (uint32_t)stack, 0x20);
		put_thread(stride, 1, 12, 0xa000, 0, 0x2000); /* its bytes stand elsewhere */
		uint32_t context = add_context(1, 2);
		put32(&f, list + 4 + 0x28, 0x4d0);
		put32(&f, list + 4 + 0x2c, context);
		open_mdmp();
		assert_int_equal(o.dump.thread_count, 2);
		const struct dt_dump_thread *thread = &o.dump.threads[0];
		assert_int_equal(thread->id, 11);
		assert_int_equal(thread->teb, 0x700b);
		assert_int_equal(thread->stack_va, 0x9000);
		assert_int_equal(thread->stack.len, 0x20);
		assert_int_equal(thread->context.len, 0x4d0);
		assert_ptr_equal(thread->context.data, o.copy + context);
		assert_null(thread->name);
		assert_int_equal(o.dump.threads[1].stack.len, 0);
		assert_true(dt_memory_read_all(&o.dump.memory, 0x9000, text, 8));
		assert_memory_equal(text, "stack of", 8);
		assert_int_equal(o.notes.count, 0);
		close_opened(&o);
	}
}

static void stacks_behind_the_end_are_counted(void **state)
{
	(void)state;
	begin_threads(3, 48, 2);
	put_thread(48, 0, 11, 0x9000, 0x7fffff00, 0x20);
	put_thread(48, 1, 12, 0xa000, (uint32_t)f.len - 8, 0x20);
	open_mdmp();
	assert_int_equal(o.dump.threads[0].stack.len, 0);
	assert_int_equal(o.dump.threads[1].stack.len, 8);
	assert_true(has_note(&o, "thread list", "2 stacks and register sets reach behind the end of the file"));
	assert_true(is_missing(&o, "stacks or registers of some threads"));
	assert_int_equal(o.dump.complete, DT_FALSE);
	close_opened(&o);
}

static void names_and_starts_go_to_their_threads(void **state)
{
	(void)state;
	begin_threads(3, 48, 2);
	put_thread(48, 0, 11, 0, 0, 0);
	put_thread(48, 1, 12, 0, 0, 0);
	size_t names = add_stream(24, 4 + 3 * 12), info = add_stream(17, 12 + 2 * 64);
	put32(&f, names, 3);
	put32(&f, names + 4, 12);
	put64(&f, names + 8, add_string("worker"));
	put32(&f, names + 16, 99); /* no such thread */
	put64(&f, names + 20, add_string("nobody"));
	put32(&f, names + 28, 11);
	put64(&f, names + 32, UINT64_C(0x1000000ff)); /* no such place */
	put32(&f, info, 12);
	put32(&f, info + 4, 64);
	put32(&f, info + 8, 2);
	put32(&f, info + 12, 11);
	put64(&f, info + 12 + 0x30, 0x401000);
	put32(&f, info + 76, 12);
	put32(&f, info + 76 + 4, 8); /* says itself that it is not valid */
	put64(&f, info + 76 + 0x30, 0x402000);
	open_mdmp();
	assert_null(o.dump.threads[0].name);
	assert_string_equal(o.dump.threads[1].name, "worker");
	assert_int_equal(o.dump.threads[0].start, 0x401000);
	assert_int_equal(o.dump.threads[1].start, 0);
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_threads_and_their_stacks),
		cmocka_unit_test(stacks_behind_the_end_are_counted),
		cmocka_unit_test(names_and_starts_go_to_their_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

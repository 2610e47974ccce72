#include "mdmp_fixture.h"

static uint32_t add_thread(uint32_t id, uint64_t stack_va, uint32_t stack_len, uint32_t context)
{
	size_t at = add_stream(3, 4 + 48), stack = add_stream(0x77, stack_len);

	put32(&f, at, 1);
	put32(&f, at + 4, id);
	put64(&f, at + 4 + 0x18, stack_va);
	put32(&f, at + 4 + 0x20, stack_len);
	put32(&f, at + 4 + 0x24, (uint32_t)stack);
	put32(&f, at + 4 + 0x28, context ? 0x4d0 : 0);
	put32(&f, at + 4 + 0x2c, context);
	return (uint32_t)stack;
}

static void reads_the_exception(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	uint32_t own = add_context(0x1111, 0x9010), listed = add_context(0x2222, 0x9020);
	add_thread(44, 0x9000, 0x40, listed);
	add_exception(44, own);
	open_mdmp();
	const struct dt_exception_record *record = &o.dump.exception;
	assert_true(record->present && o.dump.has_exception_thread);
	assert_int_equal(record->code, 0xc0000005);
	assert_int_equal(record->address, UINT64_C(0x7ff712345678));
	assert_int_equal(record->parameter_count, 2);
	assert_int_equal(record->parameter[0], 1);
	assert_int_equal(record->parameter[1], 0x9c);
	assert_int_equal(o.dump.exception_thread, 44);
	assert_int_equal(o.dump.live, DT_FALSE);
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x1111)); /* its own context, not the list's */
	assert_int_equal(o.dump.context.source, DT_FAULT_CONTEXT_RECORD);
	assert_int_equal(o.dump.stack_va, 0x9000);
	assert_int_equal(o.dump.stack_len, 0x40);
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
}

static void without_its_own_registers_the_threads_are_used(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_thread(44, 0x9000, 0x40, add_context(0x2222, 0x9020));
	add_exception(44, 0);
	open_mdmp();
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x2222));
	assert_true(has_note(&o, "exception", "those of its thread's entry are used"));
	close_opened(&o);
	add_exception(44, 0x7fffff00);
	put32(&f, 0x20 + 12 * 3, 0x76); /* the first exception stream becomes another one */
	open_mdmp();
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x2222));
	close_opened(&o);
	begin_mdmp();
	add_system(9, 2);
	add_exception(45, 0);
	open_mdmp();
	assert_int_equal(o.dump.context.machine, DT_machine_NULL);
	assert_true(has_note(&o, "exception", "its registers are not in the file"));
	assert_true(is_missing(&o, "registers of the exception"));
	close_opened(&o);
}

static void a_short_stream_still_has_the_record(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	add_exception(44, 0);
	put32(&f, 0x20 + 12 + 4, 160);
	open_mdmp();
	assert_true(o.dump.exception.present);
	close_opened(&o);
	put32(&f, 0x20 + 12 + 4, 159);
	open_mdmp();
	assert_false(o.dump.exception.present);
	assert_true(has_note(&o, "exception", "0x9f bytes at"));
	close_opened(&o);
}

static void too_many_parameters_are_cut(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t at = add_exception(44, 0);
	put32(&f, at + 0x20, 0x7fffffff);
	open_mdmp();
	assert_int_equal(o.dump.exception.parameter_count, 15);
	assert_true(has_note(&o, "exception", "2147483647 parameters, expected at most 15"));
	close_opened(&o);
}

static void a_stack_elsewhere_is_found_in_memory(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	uint32_t stack = add_thread(44, 0x9000, 0x40, 0);
	size_t list = add_stream(5, 4 + 16);
	put32(&f, list, 1);
	put64(&f, list + 4, 0x20000);
	put32(&f, list + 12, 0x30);
	put32(&f, list + 16, stack);
	add_exception(44, add_context(1, 0x20010));
	open_mdmp();
	assert_int_equal(o.dump.stack_va, 0x20010);
	assert_int_equal(o.dump.stack_len, 0x20);
	close_opened(&o);
}

static void breakpads_requesting_thread_stands_in(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t info = add_stream(0x47670001, 12);
	put32(&f, info, 3);
	put32(&f, info + 4, 7);
	put32(&f, info + 8, 44);
	add_thread(44, 0x9000, 0x40, add_context(0x3333, 0x9008));
	open_mdmp();
	assert_int_equal(o.dump.writer, DT_WRITER_TOOL);
	assert_false(o.dump.exception.present);
	assert_true(o.dump.has_exception_thread && o.dump.exception_thread == 44);
	assert_true(dt_opt_is(dt_context_ip(&o.dump.context), 0x3333));
	assert_int_equal(o.dump.stack_len, 0x40);
	assert_int_equal(o.dump.live, DT_NOT_KNOWN);
	close_opened(&o);
	put32(&f, info, 1); /* the requesting thread is not valid */
	open_mdmp();
	assert_false(o.dump.has_exception_thread);
	assert_int_equal(o.dump.context.machine, DT_machine_NULL);
	close_opened(&o);
	put32(&f, info, 2);
	put32(&f, info + 8, 45);
	open_mdmp();
	assert_true(has_note(&o, "exception", "its thread 0x2d is not in the thread list"));
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_exception),
		cmocka_unit_test(without_its_own_registers_the_threads_are_used),
		cmocka_unit_test(a_short_stream_still_has_the_record),
		cmocka_unit_test(too_many_parameters_are_cut),
		cmocka_unit_test(a_stack_elsewhere_is_found_in_memory),
		cmocka_unit_test(breakpads_requesting_thread_stands_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows of carriers: which one counts for a frame, and what is no row. */
#include <string.h>

#include "../arena.h"

#include "core/base/limits.h"
#include "core/tables/carriers.h"

static struct dt_carriers list;
static struct dt_error err;

static enum dt_status add(const char *text)
{
	return dt_carriers_add(&list, "own.conf", text, strlen(text), &arena, &err);
}

static int begin(void **state)
{
	list = (struct dt_carriers){ 0 };
	return arena_setup(state);
}

static enum dt_carrier_kind find(const char *module, const char *function)
{
	return dt_carriers_find(&list, true, module, function);
}

static void the_row_that_says_most_counts(void **state)
{
	(void)state;
	assert_int_equal(add("# who\n\nkernel a*.sys maybe\nkernel abc.sys ignore # all of it\r\nkernel abc.sys!Abc* last\nkernel abc.sys!AbcDo maybe\n"
	                     "kernel b* last\nuser abc.sys last"),
	                 DT_OK);
	assert_int_equal(list.count, 6);
	assert_int_equal(find("ab.sys", NULL), DT_CARRIER_MAYBE);
	assert_int_equal(find("ab.dll", NULL), DT_CARRIER_NONE);
	assert_int_equal(find("a.sys", NULL), DT_CARRIER_MAYBE);
	assert_int_equal(find(".sys", NULL), DT_CARRIER_NONE);
	assert_int_equal(find("ABC.SYS", NULL), DT_CARRIER_IGNORE);
	assert_int_equal(find("abc.sys", "Other"), DT_CARRIER_IGNORE);
	assert_int_equal(find("abc.sys", "AbcOther"), DT_CARRIER_LAST);
	assert_int_equal(find("abc.sys", "AbcDo"), DT_CARRIER_MAYBE);
	assert_int_equal(find("abc.sys", "AbcDoMore"), DT_CARRIER_LAST);
	assert_int_equal(find("bx", NULL), DT_CARRIER_LAST);
	assert_int_equal(find("c.sys", "x"), DT_CARRIER_NONE);
	assert_int_equal(find(NULL, "x"), DT_CARRIER_NONE);
	assert_int_equal(dt_carriers_find(&list, false, "abc.sys", NULL), DT_CARRIER_LAST);
	/* A row about a module beats one about a function of any module; of equal rows the later counts. */
	assert_int_equal(add("kernel *!Abc* maybe\nkernel abc.sys!* maybe\n"), DT_OK);
	assert_int_equal(find("abc.sys", NULL), DT_CARRIER_MAYBE);
	assert_int_equal(find("abc.sys", "Other"), DT_CARRIER_MAYBE);
	assert_int_equal(find("abc.sys", "AbcOther"), DT_CARRIER_LAST);
	assert_int_equal(find("zzz.sys", "AbcOther"), DT_CARRIER_MAYBE);
	assert_int_equal(find("zzz.sys", NULL), DT_CARRIER_NONE);
}

static void a_file_without_rows(void **state)
{
	(void)state;
	assert_int_equal(dt_carriers_add(&list, "own.conf", NULL, 0, &arena, &err), DT_OK);
	assert_int_equal(add(""), DT_OK);
	assert_int_equal(add("\n# none\n"), DT_OK);
	assert_int_equal(list.count, 0);
}

static void what_is_no_row(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "kernel a.sys ignore\nboth a.sys ignore", "own.conf:2:1: expected kernel or user, found 'both'" },
		{ "  kernel", "own.conf:1:9: expected MODULE or MODULE!FUNCTION, found the end of the line" },
		{ "kernel # a.sys", "own.conf:1:8: expected MODULE or MODULE!FUNCTION, found the end of the line" },
		{ "kernel a*b.sys ignore", "own.conf:1:8: expected a module's file name, a star at most at its end or before its extension, found 'a*b.sys'" },
		{ "kernel !f ignore", "own.conf:1:8: expected a module's file name, a star at most at its end or before its extension, found '!f'" },
		{ "kernel a.sys!*f ignore", "own.conf:1:14: expected a function's name, a star at most at its end, found '*f'" },
		{ "kernel a.sys! ignore", "own.conf:1:14: expected a function's name, a star at most at its end, found the end of the line" },
		{ "kernel a.sys", "own.conf:1:13: expected ignore, maybe or last, found the end of the line" },
		{ "kernel a.sys Ignore", "own.conf:1:14: expected ignore, maybe or last, found 'Ignore'" },
		{ "user a.dll last resort", "own.conf:1:17: expected the end of the line, found 'resort'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(add(rows[i].text), DT_ERR_FORMAT);
		assert_string_equal(err.text, rows[i].message);
	}
}

static void more_than_there_may_be(void **state)
{
	enum dt_status status = DT_OK;

	(void)state;
	for (unsigned i = 0; i < DT_MAX_CARRIERS; i++)
		assert_int_equal(add(i % 2 ? "user a.dll last\n" : "user a.dll maybe\n"), DT_OK);
	/* What is said already takes no room. */
	assert_int_equal(add("user A.DLL last\n"), DT_OK);
	status = add("user a.dll maybe\n");
	assert_int_equal(status, DT_ERR_LIMIT);
	assert_int_equal(list.count, DT_MAX_CARRIERS);
}

/* Rows that are added never reach the program's own. */
static void the_programs_own(void **state)
{
	const struct dt_carriers *own = dt_carriers_builtin();
	size_t count = own->count;

	(void)state;
	assert_true(count > 40);
	assert_int_equal(dt_carriers_find(NULL, true, "ntoskrnl.exe", "KeBugCheckEx"), DT_CARRIER_IGNORE);
	assert_int_equal(dt_carriers_find(NULL, true, "storport.sys", NULL), DT_CARRIER_MAYBE);
	assert_int_equal(dt_carriers_find(NULL, true, "ci.dll", NULL), DT_CARRIER_LAST);
	assert_int_equal(dt_carriers_find(NULL, false, "ucrtbased.dll", NULL), DT_CARRIER_IGNORE);
	list = *own;
	list.room = list.count;
	assert_int_equal(add("kernel storport.sys ignore\n"), DT_OK);
	assert_int_equal(find("storport.sys", NULL), DT_CARRIER_IGNORE);
	assert_int_equal(own->count, count);
	assert_int_equal(dt_carriers_find(NULL, true, "storport.sys", NULL), DT_CARRIER_MAYBE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_row_that_says_most_counts, begin, arena_teardown),
		cmocka_unit_test_setup_teardown(a_file_without_rows, begin, arena_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_row, begin, arena_teardown),
		cmocka_unit_test_setup_teardown(more_than_there_may_be, begin, arena_teardown),
		cmocka_unit_test_setup_teardown(the_programs_own, begin, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

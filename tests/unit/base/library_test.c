/* Libraries that are loaded when they are needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/library.h"

static void takes_functions(void **state)
{
	double (*function)(double) = NULL;
	void *library = dt_library_open("libm.so.6");
	(void)state;

	assert_non_null(library);
	assert_true(dt_library_take(library, "floor", &function));
	assert_true(function(2.5) == 2.0);
	assert_false(dt_library_take(library, "no_such_function", &function));
	assert_null(function);
}

static void what_is_not_there_is_said(void **state)
{
	double (*function)(double) = NULL;
	(void)state;

	assert_null(dt_library_open("libnosuch.so.1"));
	assert_false(dt_library_take(NULL, "floor", &function));
	assert_null(function);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_functions),
		cmocka_unit_test(what_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

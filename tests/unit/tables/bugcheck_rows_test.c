/* Walks every row of the stop-code tables: what must hold of all of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/tables/bugcheck.h"

enum { MAX_ROWS = 256 };

/* Every code of the two public ranges, and those named by hand: the accessors have no list of codes. */
static const uint32_t far_codes[] = { 0x20001,    0x1000007e, 0x1000007f, 0x1000008e, 0x100000ea, 0x4000008a, 0x400001ef, 0xc0000218,
	                              0xc000021a, 0xc0000221, 0xdeaddead };

enum { NEAR_CODES = 0x2200 };

static size_t codes_with_rows(uint32_t out[], size_t max)
{
	const struct dt_reading *rows[1];
	size_t count = 0;

	for (uint32_t code = 0; code < NEAR_CODES && count < max; code++)
		if (dt_bugcheck_readings(code, rows, 1))
			out[count++] = code;
	for (size_t i = 0; i < sizeof(far_codes) / sizeof(far_codes[0]) && count < max; i++)
		if (dt_bugcheck_readings(far_codes[i], rows, 1))
			out[count++] = far_codes[i];
	return count;
}

/* Calls check for each row of each code, with the rows before it. */
static size_t walk(void (*check)(const struct dt_reading *const *rows, size_t index))
{
	static uint32_t codes[NEAR_CODES];
	const struct dt_reading *rows[MAX_ROWS];
	size_t total = 0, count = codes_with_rows(codes, NEAR_CODES);

	for (size_t c = 0; c < count; c++) {
		size_t n = dt_bugcheck_readings(codes[c], rows, MAX_ROWS);
		assert_in_range(n, 1, MAX_ROWS - 1);
		for (size_t i = 0; i < n; i++)
			check(rows, i);
		total += n;
	}
	return total;
}

static void check_texts(const struct dt_reading *const *rows, size_t index)
{
	const struct dt_reading *row = rows[index];

	for (size_t p = 0; p < 4; p++) {
		assert_non_null(row->parameters[p].text);
		assert_true(strlen(row->parameters[p].text) > 0);
		assert_true(dt_text_is_clean(row->parameters[p].text, strlen(row->parameters[p].text)));
		assert_in_range(row->parameters[p].role, 0, DT_ROLE_COUNT - 1);
	}
	assert_true(!row->title || strlen(row->title) > 0);
	assert_non_null(row->source);
	assert_non_null(strstr(row->source, "0x"));
}

static void every_row_has_texts(void **state)
{
	(void)state;
	assert_true(walk(check_texts) > 700);
}

static void check_when(const struct dt_reading *const *rows, size_t index)
{
	const struct dt_when *when = &rows[index]->when;

	assert_in_range(when->parameter, 0, 4);
	assert_true(when->low <= when->high);
	assert_true(when->high <= UINT32_MAX);
	if (!when->parameter)
		assert_true(when->low == 0 && when->high == 0);
	assert_true(!when->build_high || when->build_low <= when->build_high);
	assert_int_equal(when->zero & when->nonzero, 0);
	assert_true((when->zero | when->nonzero) < 1u << 4);
}

static void every_condition_is_sane(void **state)
{
	(void)state;
	walk(check_when);
}

/* Whether all that satisfies narrow satisfies wide too. */
static bool is_within(const struct dt_when *narrow, const struct dt_when *wide)
{
	if (wide->parameter && (wide->parameter != narrow->parameter || narrow->low < wide->low || narrow->high > wide->high))
		return false;
	if (wide->machines && (!narrow->machines || (narrow->machines & ~wide->machines)))
		return false;
	if ((wide->zero & ~narrow->zero) || (wide->nonzero & ~narrow->nonzero))
		return false;
	return narrow->build_low >= wide->build_low && (!wide->build_high || (narrow->build_high && narrow->build_high <= wide->build_high));
}

static void check_reachable(const struct dt_reading *const *rows, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_within(&rows[index]->when, &rows[i]->when))
			fail_msg("0x%x: row %zu is hidden by row %zu", rows[index]->code, index, i);
}

static void no_row_is_hidden_by_an_earlier_one(void **state)
{
	(void)state;
	walk(check_reachable);
}

/* The check itself must find what it is for. */
static void a_hidden_row_would_be_found(void **state)
{
	const struct dt_when always = { 0 }, three = { .parameter = 1, .low = 3, .high = 3 },
	                     range = { .parameter = 1, .low = 1, .high = 5 }, other = { .parameter = 2, .low = 3, .high = 3 };

	(void)state;
	assert_true(is_within(&three, &always));
	assert_true(is_within(&three, &range));
	assert_false(is_within(&range, &three));
	assert_false(is_within(&always, &range));
	assert_false(is_within(&other, &range));
}

static void check_last(const struct dt_reading *const *rows, size_t index)
{
	const struct dt_when none = { 0 };
	const struct dt_reading *after[MAX_ROWS];

	if (index + 1 == dt_bugcheck_readings(rows[index]->code, after, MAX_ROWS))
		assert_memory_equal(&rows[index]->when, &none, sizeof(none));
}

static void every_code_ends_with_a_row_without_condition(void **state)
{
	(void)state;
	walk(check_last);
}

static void check_named(const struct dt_reading *const *rows, size_t index)
{
	if (!dt_bugcheck_name(rows[index]->code))
		fail_msg("0x%x has rows and no name", rows[index]->code);
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	walk(check_named);
}

/* A role that names what is responsible is what the rule ROLE needs; a row without one could only name nobody. */
static void check_roles(const struct dt_reading *const *rows, size_t index)
{
	static const enum dt_role naming[] = { DT_ROLE_MODULE_ADDRESS, DT_ROLE_DEVICE_OBJECT, DT_ROLE_PHYSICAL_DEVICE, DT_ROLE_DRIVER_OBJECT,
		                               DT_ROLE_IRP };
	const struct dt_reading *row = rows[index];
	bool names = false;

	for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++)
		names = names || dt_reading_role(row, naming[i]) >= 0;
	if (row->blame == DT_BLAME_ROLE && !names)
		fail_msg("0x%x row %zu: no parameter names anybody", row->code, index);
	if (row->class == DT_CODE_ONE_BIT)
		assert_true(dt_reading_role(row, DT_ROLE_PTE_BITS) >= 0 ||
		            (dt_reading_role(row, DT_ROLE_EXPECTED) >= 0 && dt_reading_role(row, DT_ROLE_ACTUAL) >= 0));
	if (row->class == DT_CODE_HARDWARE || row->class == DT_CODE_REQUESTED)
		assert_int_equal(row->blame, DT_BLAME_NOBODY);
}

static void what_rules_need_is_there(void **state)
{
	(void)state;
	walk(check_roles);
}

/* Roles that are read by dt_reading_role() stand once: a second one would never be looked at. */
static void check_once(const struct dt_reading *const *rows, size_t index)
{
	static const enum dt_role once[] = { DT_ROLE_ADDRESS,          DT_ROLE_IP,           DT_ROLE_EXCEPTION_CODE,
		                             DT_ROLE_EXCEPTION_RECORD, DT_ROLE_CONTEXT_RECORD, DT_ROLE_TRAP_FRAME,
		                             DT_ROLE_ACCESS_PF,        DT_ROLE_ACCESS_IRQL,  DT_ROLE_ACCESS_RW,
		                             DT_ROLE_EXPECTED,         DT_ROLE_ACTUAL,       DT_ROLE_PTE_BITS };

	for (size_t r = 0; r < sizeof(once) / sizeof(once[0]); r++) {
		unsigned count = 0;
		for (size_t p = 0; p < 4; p++)
			count += rows[index]->parameters[p].role == once[r];
		if (count > 1)
			fail_msg("0x%x row %zu: role %u stands %u times", rows[index]->code, index, once[r], count);
	}
}

static void roles_that_are_looked_up_stand_once(void **state)
{
	(void)state;
	walk(check_once);
}

/* Printing any row with any value ends, is clean text and begins with the parameter's text. */
static void check_prints(const struct dt_reading *const *rows, size_t index)
{
	static const uint64_t values[] = { 0, 1, 2, 8, 0x10, 0x403, UINT32_MAX, UINT64_C(0xffffffffc0000005), UINT64_MAX };
	struct dt_buf out;

	dt_buf_init(&out, 4096);
	dt_when_print(&rows[index]->when, &out);
	for (size_t p = 0; p < 4; p++)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			dt_buf_reset(&out);
			dt_parameter_print(rows[index], p, values[v], DT_machine_NULL, 0, &out);
			assert_true(dt_buf_ok(&out));
			assert_true(dt_text_is_clean(dt_buf_text(&out), out.len));
			assert_true(dt_text_starts_fold(dt_buf_text(&out), rows[index]->parameters[p].text));
		}
	dt_buf_deinit(&out);
}

static void every_row_prints(void **state)
{
	(void)state;
	walk(check_prints);
}

/* The codes that the program promises to read. */
static void the_promised_codes_have_rows(void **state)
{
	static const uint32_t promised[] = {
		0xa,   0x18,  0x19,  0x1a,  0x1e,  0x24,  0x3b,  0x3d,  0x44,  0x4a,  0x4e,  0x50,  0x7a,  0x7b,  0x7e,  0x7f,  0x8e,
		0x9f,  0xa0,  0xbe,  0xc1,  0xc2,  0xc4,  0xc5,  0xc9,  0xce,  0xd1,  0xd5,  0xd8,  0xe2,  0xe3,  0xea,  0xed,  0xef,
		0xf4,  0xf7,  0xfc,  0xfe,  0x101, 0x109, 0x10d, 0x113, 0x116, 0x117, 0x119, 0x124, 0x12b, 0x133, 0x139, 0x13a, 0x144,
		0x14e, 0x154, 0x15f, 0x161, 0x164, 0x18b, 0x1c7, 0x1c8, 0x1ca, 0x1d2,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
		const struct dt_reading *row[1];
		if (!dt_bugcheck_readings(promised[i], row, 1))
			fail_msg("0x%x has no row", promised[i]);
		assert_non_null(dt_bugcheck_name(promised[i]));
		assert_true(dt_bugcheck_hint(promised[i]) != NULL);
	}
}

static void names_lead_back_to_their_codes(void **state)
{
	uint32_t code = 0, count = 0;

	(void)state;
	for (uint32_t i = 0; i < NEAR_CODES; i++) {
		const char *name = dt_bugcheck_name(i);
		if (!name)
			continue;
		count++;
		assert_true(dt_bugcheck_code(name, &code));
		assert_string_equal(dt_bugcheck_name(code), name);
	}
	assert_true(count > 470);
}

/* A name that says live dump says that Windows went on: no row may leave such a code to the stack as if it had stopped. */
static void check_live(uint32_t code, const char *name)
{
	const struct dt_reading *row = dt_bugcheck_reading(code, NULL, DT_MACHINE_X64, 26100);

	if (!strstr(name, "LIVEDUMP") && !strstr(name, "LIVE_DUMP"))
		return;
	if (row && strstr(row->source, "name alone"))
		assert_int_equal(row->blame, DT_BLAME_NOBODY);
	if (!row || (row->class != DT_CODE_RECOVERED && row->class != DT_CODE_REQUESTED))
		fail_msg("0x%x %s is no report", code, name);
}

static void live_dumps_are_reports(void **state)
{
	(void)state;
	assert_non_null(strstr(dt_bugcheck_reading(0x1e7, NULL, DT_MACHINE_X64, 26100)->source, "no page describes 0x1e7"));
#define DT_BUGCHECK_NAME(number, name) check_live(number, name);
#define DT_BUGCHECK_ALIAS(number, name)
#include "core/tables/bugcheck_names.def"
}

/* Names and hints are searched by halving: each must be found, so they must stand in order. */
static void every_name_and_hint_is_found(void **state)
{
	uint32_t code;

	(void)state;
#define DT_BUGCHECK_NAME(number, name) assert_string_equal(dt_bugcheck_name(number), name);
#define DT_BUGCHECK_ALIAS(number, name)          \
	assert_true(dt_bugcheck_code(name, &code)); \
	assert_int_equal(code, number);
#include "core/tables/bugcheck_names.def"
#define DT_HINT(number, words) assert_string_equal(dt_bugcheck_hint(number), words);
#include "core/tables/bugcheck_hints.def"
}

/* A named value belongs to a code with rows and, where it is one of a sub-code, to a row of that sub-code. */
static void check_value(uint32_t code, int64_t first, unsigned parameter)
{
	const uint64_t parameters[4] = { first < 0 ? 0 : (uint64_t)first };
	const struct dt_reading *row = dt_bugcheck_reading(code, parameters, DT_MACHINE_X64, 19041);

	assert_in_range(parameter, 1, 4);
	if (!row || (first >= 0 && row->when.parameter != 1))
		fail_msg("0x%x: a value of parameter %u has a name and no row", code, parameter);
}

static void every_value_belongs_to_a_row(void **state)
{
	unsigned count = 0;

	(void)state;
#define DT_VALUE_NAME(code, parameter, value, words) check_value(code, -1, parameter), count += sizeof(words) > 1;
#define DT_VALUE_UNDER(code, first, parameter, value, words) check_value(code, first, parameter), count += sizeof(words) > 1;
#include "core/tables/bugcheck_values.def"
	assert_true(count > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_and_hint_is_found),
		cmocka_unit_test(live_dumps_are_reports),
		cmocka_unit_test(every_value_belongs_to_a_row),
		cmocka_unit_test(every_row_has_texts),
		cmocka_unit_test(every_condition_is_sane),
		cmocka_unit_test(no_row_is_hidden_by_an_earlier_one),
		cmocka_unit_test(a_hidden_row_would_be_found),
		cmocka_unit_test(every_code_ends_with_a_row_without_condition),
		cmocka_unit_test(every_code_has_a_name),
		cmocka_unit_test(what_rules_need_is_there),
		cmocka_unit_test(roles_that_are_looked_up_stand_once),
		cmocka_unit_test(every_row_prints),
		cmocka_unit_test(the_promised_codes_have_rows),
		cmocka_unit_test(names_lead_back_to_their_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Breakpad's symbol files: the lines that name functions, and lines that are not whole. */
#include <stdlib.h>
#include <string.h>

#include "../arena.h"

#include "facts/symbol/breakpad.h"
#include "facts/symbol/frame.h"

static const char text[] = "MODULE windows x86_64 0123456789ABCDEF0123456789ABCDEF1 app.pdb\r\n"
                           "INFO CODE_ID 5F1E2D3C6000 app.exe\n"
                           "FILE 0 c:\\app\\main.cpp\n"
                           "FUNC 2000 40 8 ns::later(int, char)\r\n"
                           "2000 10 12 0\n"
                           "FUNC m 1000 20 0 main\n"
                           "FUNC 3000 0 0 empty\n"
                           "FUNC zz 10 0 no_number\n"
                           "FUNC 123456789 10 0 too_long\n"
                           "FUNC 4000 10\n"
                           "PUBLIC 1800 0 label\n"
                           "PUBLIC m 1900 0 other label\n"
                           "STACK CFI INIT 1000 20 .cfa: $rsp 8 +\n"
                           "PUBLIC 5000 0 last without an end";

static struct dt_error err;

static void names(void **state)
{
	static const struct {
		uint32_t rva, begin, len;
		const char *name;
	} rows[] = {
		{ 0x1000, 0x1000, 0x20, "main" },        { 0x101f, 0x1000, 0x20, "main" },         { 0x2030, 0x2000, 0x40, "ns::later(int, char)" },
		{ 0x1850, 0x1800, 0, "label" },          { 0x1950, 0x1900, 0, "other label" },     { 0x3000, 0x1900, 0, "other label" },
		{ 0xffffffff, 0x5000, 0, "last without an end" }, { 0x1020, 0, 0, NULL },
	};
	struct dt_breakpad_symbol found;
	struct dt_breakpad sym;

	(void)state;
	assert_int_equal(dt_breakpad_open(&sym, (struct dt_bytes){ (const uint8_t *)text, strlen(text) }, &arena, &err), DT_OK);
	assert_string_equal(sym.debug_id, "0123456789ABCDEF0123456789ABCDEF1");
	assert_int_equal(sym.count, 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(dt_breakpad_symbol_at(&sym, rows[i].rva, &found), rows[i].name != NULL);
		if (!rows[i].name)
			continue;
		assert_string_equal(found.name, rows[i].name);
		assert_int_equal(found.rva, rows[i].begin);
		assert_int_equal(found.len, rows[i].len);
	}
}

static void frames_of_x86(void **state)
{
	static const char file[] = "MODULE windows x86 0123456789ABCDEF0123456789ABCDEF1 app.pdb\n"
	                           "STACK WIN 0 1000 60 5 0 8 c 10 0 0 1\n"
	                           "STACK WIN 4 1000 40 4 0 8 0 0 0 1 $T0 .raSearch = $eip $T0 ^ =\r\n"
	                           "STACK WIN 4 1004 3c 0 0 8 4 20 0 1 $T0 $ebp =\n"
	                           "STACK WIN 4 2000 40 4 0 8 0 0 0 0 1\n"
	                           "STACK WIN 4 3000\n"
	                           "STACK WIN 3 4000 40 0 0 0 0 0 0 0 0\n"
	                           "STACK CFI INIT 5000 20 .cfa: $esp 4 +\n"
	                           "STACK WIN 0 ffffffff ffffffff 0 0 0 0 0 0 0 0";
	struct dt_symbol_frame frame;
	struct dt_breakpad sym;

	(void)state;
	assert_int_equal(dt_breakpad_open(&sym, (struct dt_bytes){ (const uint8_t *)file, strlen(file) }, &arena, &err), DT_OK);
	assert_true(dt_breakpad_frame_at(&sym, 0x1000, &frame));
	assert_string_equal(frame.program, "$T0 .raSearch = $eip $T0 ^ =");
	assert_int_equal(frame.params, 8);
	assert_int_equal(frame.saved, 0);
	assert_true(dt_breakpad_frame_at(&sym, 0x103f, &frame));
	assert_string_equal(frame.program, "$T0 $ebp =");
	assert_int_equal(frame.begin, 0x1004);
	assert_int_equal(frame.into, 0x3b);
	assert_int_equal(frame.locals, 0x20);
	/* Behind the programs the counts remain. */
	assert_true(dt_breakpad_frame_at(&sym, 0x1040, &frame));
	assert_null(frame.program);
	assert_int_equal(frame.saved, 12);
	assert_int_equal(frame.locals, 16);
	assert_int_equal(frame.prolog, 5);
	assert_true(frame.saves_ebp);
	for (uint32_t rva = 0x1060; rva < 0x6000; rva += 0xfa0)
		assert_false(dt_breakpad_frame_at(&sym, rva, &frame));
	assert_false(dt_breakpad_frame_at(&sym, 0x2000, &frame));
	assert_true(dt_breakpad_frame_at(&sym, 0xffffffff, &frame));
}

static const char *rule_at(const struct dt_breakpad *sym, uint32_t rva, const char *name)
{
	static struct dt_symbol_cfi cfi;

	if (!dt_breakpad_cfi_at(sym, rva, &cfi))
		return "no";
	for (unsigned i = 0; i < cfi.count; i++)
		if (!strcmp(cfi.rules[i].name, name))
			return cfi.rules[i].text;
	return "none";
}

static void rules_for_registers(void **state)
{
	static const char file[] = "MODULE windows x86_64 0123456789ABCDEF0123456789ABCDEF1 app.pdb\n"
	                           "STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa 8 - ^\n"
	                           "STACK CFI 1004 .cfa: $rsp 24 + $rbx: .cfa 16 - ^\r\n"
	                           "STACK CFI 1010 $rbp: .cfa 24 - ^\n"
	                           "STACK CFI INIT 2000 40 .cfa:\n"
	                           "STACK CFI INIT 3000 40 8 + .cfa: $rsp\n"
	                           "STACK CFI INIT 4000 40 a.name.too.long: $rsp\n"
	                           "STACK CFI INIT 5000 40 .cfa: $rsp 8 +\n"
	                           "STACK CFI 5004\n"
	                           "STACK CFI INIT 6000";
	struct dt_breakpad sym;

	(void)state;
	assert_int_equal(dt_breakpad_open(&sym, (struct dt_bytes){ (const uint8_t *)file, strlen(file) }, &arena, &err), DT_OK);
	assert_string_equal(rule_at(&sym, 0x1000, ".cfa"), " $rsp 8 +");
	assert_string_equal(rule_at(&sym, 0x1000, "$rbx"), "none");
	assert_string_equal(rule_at(&sym, 0x1003, ".ra"), " .cfa 8 - ^");
	assert_string_equal(rule_at(&sym, 0x1004, ".cfa"), " $rsp 24 +");
	assert_string_equal(rule_at(&sym, 0x1004, "$rbx"), " .cfa 16 - ^");
	assert_string_equal(rule_at(&sym, 0x100f, "$rbp"), "none");
	assert_string_equal(rule_at(&sym, 0x103f, "$rbp"), " .cfa 24 - ^");
	assert_string_equal(rule_at(&sym, 0x103f, ".ra"), " .cfa 8 - ^");
	for (uint32_t rva = 0x1040; rva < 0x5000; rva += 0xfe0)
		assert_string_equal(rule_at(&sym, rva, ".cfa"), "no");
	assert_string_equal(rule_at(&sym, 0x5003, ".cfa"), " $rsp 8 +");
	assert_string_equal(rule_at(&sym, 0x5004, ".cfa"), "no");
	assert_string_equal(rule_at(&sym, 0x6000, ".cfa"), "no");
}

static void what_is_none(void **state)
{
	static const char *const files[] = { "", "\n", "FUNC 1000 20 0 main\n", "MODULE windows x86_64\n", "MODULE a b " };
	struct dt_breakpad sym;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(dt_breakpad_open(&sym, (struct dt_bytes){ (const uint8_t *)files[i], strlen(files[i]) }, &arena, &err), DT_ERR_FORMAT);
}

/* Cut at every byte, and every byte another: nothing outside is read. */
static void lies_and_cuts(void **state)
{
	static const char others[] = { '\n', ' ', 'f', 0, (char)0xff };
	struct dt_breakpad_symbol found;
	struct dt_breakpad sym;

	(void)state;
	for (size_t i = 0; i < strlen(text) * 5; i++) {
		size_t len = i % 2 ? strlen(text) : i / 5;
		uint8_t *copy = malloc(len + 1);
		memcpy(copy, text, len);
		if (i / 5 < len)
			copy[i / 5] = (uint8_t)others[i % 5];
		if (dt_breakpad_open(&sym, (struct dt_bytes){ copy, len }, &arena, &err) == DT_OK)
			(void)dt_breakpad_symbol_at(&sym, 0x1850, &found);
		free(copy);
		dt_arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(frames_of_x86, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(rules_for_registers, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(what_is_none, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(lies_and_cuts, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

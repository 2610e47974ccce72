/* Where an instruction begins, told from the code before. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "facts/insn/insn.h"

/* movzx ecx, byte [rdx+289h]; mov rax, [rdi+30h]; lea r14, [rdi+30h]: 7 + 4 + 4 bytes, over and over, behind it one of ten: 48 b8 imm64. */
static const uint8_t unit[] = { 0x0f, 0xb6, 0x8a, 0x89, 0x02, 0, 0, 0x48, 0x8b, 0x47, 0x30, 0x4c, 0x8d, 0x77, 0x30 };
static const uint8_t ten[] = { 0x48, 0xb8, 0x02, 0x40, 0x84, 0xf6, 0x74, 0x13, 0x45, 0x3b };
static uint8_t code[200];

static enum dt_bool3 at(enum dt_machine machine, size_t len)
{
	struct dt_decoder *decoder;
	struct dt_error err;

	assert_int_equal(dt_decoder_open(&decoder, machine, &err), DT_OK);
	enum dt_bool3 result = dt_insn_boundary(decoder, (struct dt_bytes){ code, len }, 0xfffff80000001000);
	dt_decoder_close(decoder);
	return result;
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < 9; i++)
		memcpy(code + i * sizeof(unit), unit, sizeof(unit));
	memcpy(code + 9 * sizeof(unit), ten, sizeof(ten));
	return 0;
}

static void true_boundaries(void **state)
{
	(void)state;
	assert_int_equal(at(DT_MACHINE_X64, 9 * sizeof(unit)), DT_TRUE);
	assert_int_equal(at(DT_MACHINE_X64, 8 * sizeof(unit) + 7), DT_TRUE);
	assert_int_equal(at(DT_MACHINE_X64, 9 * sizeof(unit) + sizeof(ten)), DT_TRUE);
}

static void middle_of_an_instruction(void **state)
{
	(void)state;
	for (size_t inside = 3; inside <= 6; inside++)
		assert_int_not_equal(at(DT_MACHINE_X64, 9 * sizeof(unit) + inside), DT_TRUE);
	assert_int_equal(at(DT_MACHINE_X64, 9 * sizeof(unit) + 5), DT_FALSE);
}

static void too_little_code_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(at(DT_MACHINE_X64, 0), DT_NOT_KNOWN);
	assert_int_equal(at(DT_MACHINE_X64, 19), DT_NOT_KNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(true_boundaries),
		cmocka_unit_test(middle_of_an_instruction),
		cmocka_unit_test(too_little_code_says_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

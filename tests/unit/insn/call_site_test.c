/* Whether a call ends right before a return address, from the bytes alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "facts/insn/insn.h"

static const struct {
	enum dt_machine machine;
	uint8_t bytes[12];
	unsigned count;
	bool call, direct;
	unsigned len;
	uint64_t target; /* the return address is 0x140001000 */
} cases[] = {
	{ DT_MACHINE_X64, { 0x90, 0xe8, 0x10, 0, 0, 0 }, 6, true, true, 5, 0x140001010 },
	{ DT_MACHINE_X64, { 0x90, 0xe8, 0xf0, 0xff, 0xff, 0xff }, 6, true, true, 5, 0x140000ff0 },
	{ DT_MACHINE_X64, { 0x90, 0x90, 0xff, 0xd0 }, 4, true, false, 2, 0 },                               /* call rax */
	{ DT_MACHINE_X64, { 0x90, 0x41, 0xff, 0xd2 }, 4, true, false, 3, 0 },                               /* call r10 */
	{ DT_MACHINE_X64, { 0x90, 0xff, 0x50, 0x18 }, 4, true, false, 3, 0 },                               /* call [rax+18h] */
	{ DT_MACHINE_X64, { 0xff, 0x54, 0x24, 0x20 }, 4, true, false, 4, 0 },                               /* call [rsp+20h] */
	{ DT_MACHINE_X64, { 0xff, 0x15, 0x10, 0x20, 0x30, 0x40 }, 6, true, false, 6, 0 },                   /* call [rip+x] */
	{ DT_MACHINE_X64, { 0xff, 0x90, 0x10, 0x20, 0, 0 }, 6, true, false, 6, 0 },                         /* call [rax+2010h] */
	{ DT_MACHINE_X64, { 0xff, 0x94, 0xc8, 0x10, 0x20, 0, 0 }, 7, true, false, 7, 0 },                   /* call [rax+rcx*8+2010h] */
	{ DT_MACHINE_X64, { 0x90, 0x90, 0xff, 0xe0 }, 4, false, false, 0, 0 },                              /* jmp rax */
	{ DT_MACHINE_X64, { 0x90, 0x90, 0xff, 0xc0 }, 4, false, false, 0, 0 },                              /* inc eax */
	{ DT_MACHINE_X64, { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 }, 8, false, false, 0, 0 },
	{ DT_MACHINE_X64, { 0xe9, 0x10, 0, 0, 0 }, 5, false, false, 0, 0 },                                 /* jmp rel32 */
	{ DT_MACHINE_X64, { 0x10, 0, 0, 0 }, 4, false, false, 0, 0 },                                       /* cut off */
	{ DT_MACHINE_X64, { 0 }, 0, false, false, 0, 0 },
	{ DT_MACHINE_X86, { 0xe8, 0x10, 0, 0, 0 }, 5, true, true, 5, 0x40001010 },
	{ DT_MACHINE_ARM64, { 0x04, 0x00, 0x00, 0x94 }, 4, true, true, 4, 0x14000100c },                    /* bl +16 */
	{ DT_MACHINE_ARM64, { 0xff, 0xff, 0xff, 0x97 }, 4, true, true, 4, 0x140000ff8 },                    /* bl -4 */
	{ DT_MACHINE_ARM64, { 0x00, 0x01, 0x3f, 0xd6 }, 4, true, false, 4, 0 },                             /* blr x8 */
	{ DT_MACHINE_ARM64, { 0x1f, 0x09, 0x3f, 0xd6 }, 4, true, false, 4, 0 },                             /* blraaz x8 */
	{ DT_MACHINE_ARM64, { 0x00, 0x01, 0x1f, 0xd6 }, 4, false, false, 0, 0 },                            /* br x8 */
	{ DT_MACHINE_ARM64, { 0xc0, 0x03, 0x5f, 0xd6 }, 4, false, false, 0, 0 },                            /* ret */
};

static void every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dt_call_site site = { 0 };
		bool call = dt_insn_call_before(cases[i].machine, (struct dt_bytes){ cases[i].bytes, cases[i].count }, 0x140001000, &site);
		if (call != cases[i].call)
			fail_msg("case %zu", i);
		if (call && (site.direct != cases[i].direct || site.len != cases[i].len || (site.direct && site.target != cases[i].target)))
			fail_msg("case %zu: direct %d length %u target %llx", i, site.direct, site.len, (unsigned long long)site.target);
		assert_int_equal(dt_insn_call_before(cases[i].machine, (struct dt_bytes){ cases[i].bytes, cases[i].count }, 0x140001000, NULL), call);
	}
}

static void an_odd_address_of_arm64_returns_from_nothing(void **state)
{
	static const uint8_t bl[] = { 0x04, 0x00, 0x00, 0x94 };

	(void)state;
	assert_false(dt_insn_call_before(DT_MACHINE_ARM64, (struct dt_bytes){ bl, 4 }, 0x140001002, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_form), cmocka_unit_test(an_odd_address_of_arm64_returns_from_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a photo of a blue screen says: by what is given, and no more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/tables/bugcheck.h"
#include "report/explain.h"

static struct dt_buf page;

/* The page with all runs of spaces and newlines as one space: where lines are wrapped does not matter. */
static const char *explained(uint32_t code, const uint64_t *parameters, size_t count, enum dt_machine machine, uint32_t build)
{
	static char flat[1 << 18];
	size_t n = 0;

	dt_buf_reset(&page);
	dt_explain_write(code, parameters, count, machine, build, &page);
	assert_true(dt_buf_ok(&page));
	assert_true(page.len > 0 && page.len < sizeof(flat));
	for (size_t i = 0; i < page.len; i++) {
		char c = page.data[i] == '\n' ? ' ' : page.data[i];
		if (c != ' ' || (n && flat[n - 1] != ' '))
			flat[n++] = c;
	}
	flat[n] = '\0';
	return flat;
}

static void says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not said in: %s", part, text);
}

static void says_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is said in: %s", part, text);
}

static int set_up(void **state)
{
	(void)state;
	dt_buf_init(&page, 1 << 18);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dt_buf_deinit(&page);
	return 0;
}

static void all_four_parameters(void **state)
{
	const uint64_t p[] = { UINT64_C(0xffff9c8e0000009c), 0, UINT64_C(0xfffff80123456789), 2 };
	const char *text = explained(0x50, p, 4, DT_machine_NULL, 0);

	(void)state;
	says(text, "0x50 PAGE_FAULT_IN_NONPAGED_AREA");
	says(text, dt_bugcheck_hint(0x50));
	says(text, "Parameter 1 0xffff9c8e0000009c address that was referenced (kernel memory)");
	says(text, "Parameter 2 0x0 access: read");
	says(text, "Parameter 3 0xfffff80123456789 instruction");
	says(text, "Parameter 4 0x2 kind of page fault: no valid page-table entry");
	says(text, "Bug Check 0x50");
	says_not(text, "not given");
	says_not(text, "Flag");
}

static void access_without_machine_and_build(void **state)
{
	const uint64_t p[] = { 8, 8, 0, 2 };

	(void)state;
	says(explained(0x50, p, 4, DT_machine_NULL, 0),
	     "access: undecided on x64 and x86 from build 10586; execute on ARM64 and older builds");
	says(explained(0x50, p, 4, DT_MACHINE_X64, 9600), "access: execute");
	says(explained(0x50, p, 4, DT_MACHINE_ARM64, 0), "access: execute");
	says(explained(0x50, p, 4, DT_MACHINE_X64, 19041), "access: the value does not say which");
}

static void the_flag_is_removed_and_said(void **state)
{
	const uint64_t p[] = { UINT64_C(0xffffffffc0000005), UINT64_C(0xfffff80123456789), UINT64_C(0xfffff80000001000),
		               UINT64_C(0xfffff80000002000) };
	const char *text = explained(0x1000007e, p, 4, DT_MACHINE_X64, 19041);

	(void)state;
	says(text, "0x7e SYSTEM_THREAD_EXCEPTION_NOT_HANDLED ");
	says(text, "0x1000007e is 0x7e with the mark of the minidump's writer");
	says(text, "exception code: STATUS_ACCESS_VIOLATION");
	says_not(explained(0xdeaddead, NULL, 0, DT_machine_NULL, 0), "mark of the minidump");
}

static void fewer_parameters(void **state)
{
	const uint64_t p[] = { 0x20 };
	const char *text = explained(0xd1, p, 1, DT_machine_NULL, 0);

	(void)state;
	says(text, "Parameter 1 0x20 address that was referenced (almost NULL)");
	says(text, "Parameter 2 not given; it would be: IRQL");
	says(text, "Parameter 4 not given; it would be: instruction");
	says_not(text, "access: read");
}

/* A parameter that is not given is not taken for zero. */
static void what_is_not_given_is_not_zero(void **state)
{
	const uint64_t p[] = { UINT64_C(0xffff800000001000), 5 };
	const char *text = explained(0x12b, p, 2, DT_MACHINE_X64, 19041);

	(void)state;
	says(text, "When parameter 3 is 0, parameter 4 is 0");
	says(text, "When in all other cases");
	says(text, "single wrong bit");
	says(text, "compressed page");
}

static void a_sub_code_chooses(void **state)
{
	const uint64_t p[] = { 3, UINT64_C(0xffff800000001000), UINT64_C(0xffff800000002000), UINT64_C(0xffff800000003000) };
	const char *text = explained(0x9f, p, 4, DT_MACHINE_X64, 19041);

	(void)state;
	says(text, "a device has held a power request for too long");
	says(text, "Parameter 4 0xffff800000003000 the power request that is held");
	says(text, "a parameter names what is responsible");
	says_not(text, "When");
}

static void machine_conditions_are_printed(void **state)
{
	const uint64_t p[] = { 8, UINT64_C(0xffff800000001000), 0, 0 };
	const char *text = explained(0x7f, p, 4, DT_machine_NULL, 0);

	(void)state;
	says(text, "When parameter 1 is 0x8, x64");
	says(text, "trap frame");
	text = explained(0x7f, p, 4, DT_MACHINE_ARM64, 0);
	says_not(text, "trap frame");
	says_not(text, "When");
}

static void without_parameters_every_reading(void **state)
{
	const char *text = explained(0x133, NULL, 0, DT_machine_NULL, 0);

	(void)state;
	says(text, "When parameter 1 is 0x0");
	says(text, "When parameter 1 is 0x1");
	says(text, "When in all other cases");
	says_not(text, "not given");
	text = explained(0x1a, NULL, 0, DT_machine_NULL, 0);
	says(text, "parameter 1 is 0x41792: a corrupt page-table entry was found");
	says(text, "parameter 1 is 0x61946: the memory descriptor list");
}

static void exception_information_by_its_code(void **state)
{
	const uint64_t av[] = { UINT64_C(0xffffffffc0000005), UINT64_C(0xfffff80123456789), 1, 0x289 };
	const uint64_t bp[] = { UINT64_C(0xffffffff80000003), UINT64_C(0xfffff80123456789), 1, 0x289 };
	const char *text = explained(0x1e, av, 4, DT_MACHINE_X64, 19041);

	(void)state;
	says(text, "Parameter 3 0x1 access: write");
	says(text, "Parameter 4 0x289 address that was accessed (almost NULL)");
	text = explained(0x1e, bp, 4, DT_MACHINE_X64, 19041);
	says_not(text, "access: write");
	says_not(text, "almost NULL");
}

static void one_wrong_bit(void **state)
{
	const uint64_t pte[] = { 0x41792, UINT64_C(0xffffdd010bc5d3f8), UINT64_C(0x400000000000), 0 };
	const uint64_t sync[] = { 0x403, 1, 0x30, 0x70 }, more[] = { 0x403, 1, 0x30, 0x72 };

	(void)state;
	says(explained(0x1a, pte, 4, DT_MACHINE_X64, 26100), "a single bit, bit 46");
	says(explained(0x1a, sync, 4, DT_MACHINE_X64, 26100), "parameters 3 and 4 differ in a single bit, bit 6");
	says(explained(0x1a, more, 4, DT_MACHINE_X64, 26100), "parameters 3 and 4 do not differ in just one bit");
	says_not(explained(0x1a, more, 3, DT_MACHINE_X64, 26100), "Compared");
}

static void codes_that_no_list_names(void **state)
{
	const uint64_t p[] = { 5, 0 };
	const char *text = explained(0xa0000001, p, 2, DT_machine_NULL, 0);

	(void)state;
	says(text, "0xa0000001 (no documented name)");
	says(text, "driver's own");
	says(text, "Parameter 1 0x5 what it means is not in our tables");
	text = explained(0xc0000005, NULL, 0, DT_machine_NULL, 0);
	says(text, "as an NTSTATUS it is STATUS_ACCESS_VIOLATION");
	says_not(text, "driver's own");
	text = explained(0x5454414d, p, 2, DT_machine_NULL, 0);
	says(text, "in no public list");
	says_not(text, "driver's own");
	/* Small numbers are not taken for an NTSTATUS that happens to exist. */
	says_not(explained(0, NULL, 0, DT_machine_NULL, 0), "NTSTATUS");
}

static void named_codes_without_rows(void **state)
{
	const uint64_t p[] = { 1, 2, 3, 4 };
	const char *text = explained(0x65, p, 4, DT_machine_NULL, 0);

	(void)state;
	says(text, "0x65 MEMORY1_INITIALIZATION_FAILED");
	says(text, "Parameter 4 0x4 what it means is not in our tables");
	says_not(text, "in no public list");
}

static void addresses_in_words(void **state)
{
	const uint64_t lost[] = { UINT64_MAX, 2, 0, UINT64_C(0x00007ff612345678) }, odd[] = { UINT64_C(0x0001000000000000), 2, 0, 0 };
	const char *text = explained(0xd1, lost, 4, DT_MACHINE_X64, 19041);

	(void)state;
	says(text, "the processor told no address");
	says(text, "user memory");
	says(explained(0xd1, odd, 4, DT_MACHINE_X64, 19041), "no valid x64 address");
	says_not(explained(0xd1, odd, 4, DT_MACHINE_ARM64, 19041), "no valid x64 address");
	says_not(explained(0xd1, odd, 4, DT_MACHINE_X86, 19041), "no valid x64 address");
}

static void more_than_four_are_cut(void **state)
{
	const uint64_t p[] = { 1, 2, 3, 4, 5 };

	(void)state;
	says_not(explained(0x65, p, 5, DT_machine_NULL, 0), "0x5 ");
}

/* Every code there is, with nothing, with some and with odd values: it ends, and the text is clean. */
static void every_code_is_explained(void **state)
{
	const uint64_t p[] = { UINT64_MAX, 1, 0x11, UINT64_C(0x8000000000000000) };

	(void)state;
	for (uint32_t code = 0; code < 0x2200; code++)
		for (size_t count = 0; count <= 4; count += 2) {
			dt_buf_reset(&page);
			dt_explain_write(code, p, count, count == 2 ? DT_MACHINE_X64 : DT_machine_NULL, count == 4 ? 19041 : 0, &page);
			assert_true(dt_buf_ok(&page));
			for (size_t i = 0; i < page.len; i++)
				assert_true(page.data[i] == '\n' || (unsigned char)page.data[i] >= ' ');
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_four_parameters),
		cmocka_unit_test(access_without_machine_and_build),
		cmocka_unit_test(the_flag_is_removed_and_said),
		cmocka_unit_test(fewer_parameters),
		cmocka_unit_test(what_is_not_given_is_not_zero),
		cmocka_unit_test(a_sub_code_chooses),
		cmocka_unit_test(machine_conditions_are_printed),
		cmocka_unit_test(without_parameters_every_reading),
		cmocka_unit_test(exception_information_by_its_code),
		cmocka_unit_test(one_wrong_bit),
		cmocka_unit_test(codes_that_no_list_names),
		cmocka_unit_test(named_codes_without_rows),
		cmocka_unit_test(addresses_in_words),
		cmocka_unit_test(more_than_four_are_cut),
		cmocka_unit_test(every_code_is_explained),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

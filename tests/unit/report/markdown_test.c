/* The text of a ticket: its title fits and ends at a word; what was found, missing and contradicted stands below, and what is left out is said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "report/report.h"

static struct dt_buf out;

static const char *ticket(const struct dt_crash *crash)
{
	static const struct dt_report_style plain = { .verbose = true };

	dt_buf_deinit(&out);
	dt_buf_init(&out, 1u << 20);
	dt_report_format("ticket")->write(crash, &plain, &out);
	assert_true(dt_buf_ok(&out));
	return dt_buf_text(&out);
}

static void title_is(const char *summary, const char *expected)
{
	struct dt_crash crash = { 0 };
	char line[200];

	crash.facts.host.name = "pc-1";
	crash.judgement.verdict.summary = summary;
	const char *text = ticket(&crash);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	assert_string_equal(line, expected);
	assert_true(strlen(line) <= strlen("Short description: ") + 160);
}

static void titles_end_at_a_word(void **state)
{
	char fits[156], word[300], cut[200];
	(void)state;

	title_is("a.sys failed.", "Short description: pc-1: a.sys failed.");
	memset(fits, 'x', sizeof(fits) - 1);
	fits[154] = '\0';
	snprintf(cut, sizeof(cut), "Short description: pc-1: %s", fits);
	title_is(fits, cut);
	title_is("This is probably CrowdStrike Falcon sensor, Channel File 291 (19 July 2024): SYSTEM_THREAD_EXCEPTION_NOT_HANDLED (0x7e), an invalid read in "
	         "CSAgent.sys+0xe14ed.",
	         "Short description: pc-1: This is probably CrowdStrike Falcon sensor, Channel File 291 (19 July 2024): SYSTEM_THREAD_EXCEPTION_NOT_HANDLED "
	         "(0x7e), an invalid read in...");
	/* one word of three hundred letters */
	memset(word, 'y', sizeof(word) - 1);
	word[299] = '\0';
	snprintf(cut, sizeof(cut), "Short description: pc-1: %.151s...", word);
	title_is(word, cut);
}

static void reasons_are_all_there_or_counted(void **state)
{
	const char *reasons[30];
	struct dt_crash crash = { 0 };
	(void)state;

	for (size_t i = 0; i < 30; i++)
		reasons[i] = i == 12 ? "contradicted: the clock" : "found: a fact";
	crash.judgement.verdict = (struct dt_verdict){ .summary = "s", .reasons = reasons, .reasons_count = 13 };
	assert_non_null(strstr(ticket(&crash), "- contradicted: the clock\n"));
	assert_null(strstr(dt_buf_text(&out), "more in the record"));
	crash.judgement.verdict.reasons_count = 30;
	assert_non_null(strstr(ticket(&crash), "- and 6 more in the record\n"));
	dt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles_end_at_a_word),
		cmocka_unit_test(reasons_are_all_there_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pages: what comes from outside is text, never markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/time.h"
#include "doors/serve/web/web.h"

static char text[65536];

static const char *markdown(const char *in)
{
	struct dt_buf out;

	dt_buf_init(&out, sizeof(text));
	dt_web_markdown(&out, in);
	strncpy(text, dt_buf_text(&out), sizeof(text) - 1);
	dt_buf_deinit(&out);
	return text;
}

static void markdown_is_a_small_safe_part(void **state)
{
	(void)state;
	assert_string_equal(markdown("run `del C-*.sys` **now**, *please*"), "run <code>del C-*.sys</code> <strong>now</strong>, <em>please</em>");
	assert_string_equal(markdown("[the page](https://example.org/a?b=1&c)"), "<a rel=\"noreferrer\" href=\"https://example.org/a?b=1&amp;c\">the page</a>");
	/* no other addresses, and nothing out of an attribute */
	assert_string_equal(markdown("[x](javascript:alert(1))"), "[x](javascript:alert(1))");
	assert_null(strstr(markdown("[x](https://a\" onclick=\"b)"), "onclick=\""));
	assert_string_equal(markdown("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_string_equal(markdown("`<b>`"), "<code>&lt;b&gt;</code>");
	/* marks that do not end are letters */
	assert_string_equal(markdown("a ` b ** c * d [e"), "a ` b ** c * d [e");
	assert_string_equal(markdown("\\*no\\*"), "*no*");
	assert_string_equal(markdown(""), "");
}

static void steps_nest_their_branches(void **state)
{
	static const char *const steps[] = { "first", "- if `a`", "- if b", "second" };
	static const char *const only_branch[] = { "- odd" };
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 16);
	dt_web_steps(&out, steps, 4, "x\"y");
	assert_non_null(strstr(dt_buf_text(&out), "data-steps=\"x&quot;y\""));
	assert_non_null(strstr(dt_buf_text(&out), "<span>first</span></label><ul><li>if <code>a</code></li><li>if b</li></ul></li>"));
	assert_non_null(strstr(dt_buf_text(&out), "<span>second</span></label></li>\n</ol>"));
	dt_buf_reset(&out);
	dt_web_steps(&out, only_branch, 1, "z");
	assert_non_null(strstr(dt_buf_text(&out), "<span>odd</span></label></li>\n</ol>"));
	dt_buf_reset(&out);
	dt_web_steps(&out, steps, 0, "z");
	assert_int_equal(out.len, 0);
	dt_buf_deinit(&out);
}

#define EVIL "\"><script>alert('x')</script>&"

/* Every text of every page is hostile; in none of them may a tag or an attribute come of it. */
static void assert_harmless(struct dt_buf *out)
{
	const char *tag = strstr(dt_buf_text(out), "<script>alert");

	assert_true(dt_buf_ok(out));
	if (tag)
		fail_msg("%.200s", tag - (tag - dt_buf_text(out) < 100 ? tag - dt_buf_text(out) : 100));
	assert_null(strstr(dt_buf_text(out), "\"><script"));
	assert_null(strstr(dt_buf_text(out), "('x')"));
	assert_non_null(strstr(dt_buf_text(out), "&lt;script&gt;"));
	/* and nothing that the policy of the page forbids */
	assert_null(strstr(dt_buf_text(out), " style="));
	assert_null(strstr(dt_buf_text(out), " onclick="));
	dt_buf_reset(out);
}

static void pages_of_hostile_values(void **state)
{
	static const char *evil[] = { EVIL, "- " EVIL };
	struct dt_web_frame frame = { .title = EVIL, .who = EVIL, .csrf = EVIL, .can_upload = true, .can_read = true, .can_admin = true, .can_sign_out = true };
	struct dt_web_row row = { EVIL, EVIL, EVIL, EVIL, EVIL, DT_CLASS_DRIVER, dt_some(5), 1, false };
	struct dt_web_rows rows = { &row, 1, "/crashes?host=" EVIL };
	struct dt_report_count count = { EVIL, 3 };
	struct dt_report_bar bars[] = { { 478000, 3, 1 }, { 478007, 9, 2 } };
	struct dt_report_incident incident = { .id = 3, .kind = "own", .key = EVIL, .title = EVIL, .state = "new", .reason = EVIL, .outbreak = true, .hosts = 2,
		                               .crashes = 3, .first = 5, .last = 9, .builds = &count, .build_count = 1, .host_names = &count, .host_count = 1,
		                               .bars = bars, .bar_count = 2 };
	struct dt_bugcheck bugcheck = { .code = dt_some(0x50), .name = EVIL, .parameters = (uint64_t[]){ 1, 2, 3, 4 }, .parameters_count = 4,
		                        .meanings = evil, .meanings_count = 2 };
	struct dt_frame frames[] = { { .ip = dt_some(1), .module = EVIL, .offset = dt_some(2), .symbol = EVIL } };
	struct dt_module modules[] = { { .name = EVIL, .version = EVIL, .company = EVIL } };
	struct dt_evidence evidence = { EVIL, DT_FACT_PRESENT, EVIL };
	struct dt_match match = { .signature = EVIL, .title = EVIL, .version = EVIL, .grade = DT_GRADE_CONFIRMED, .evidence = &evidence, .evidence_count = 1 };
	struct dt_candidate candidate = { .module = EVIL, .reason = EVIL };
	struct dt_note note = { .level = DT_NOTE_WARNING, .where = EVIL, .text = EVIL };
	struct dt_web_sender sender = { EVIL, EVIL, EVIL, EVIL, EVIL, 7 };
	struct dt_web_file file = { EVIL, EVIL, 5, true };
	struct dt_web_item item = { EVIL, EVIL, EVIL, EVIL, DT_CLASS_OS, dt_some(4), false };
	struct dt_web_suspect suspect = { EVIL, EVIL };
	struct dt_web_signature signature = { EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, evil, 1, evil, 2 };
	struct dt_finding finding = { .kind = "vulnerable-driver", .module = EVIL, .text = EVIL, .reference = EVIL };
	struct dt_crash crash = { 0 };
	struct dt_buf out;
	(void)state;

	crash.judgement.findings = &finding;
	crash.judgement.findings_count = 1;
	crash.facts.file.name = crash.facts.host.name = crash.facts.fault.module = crash.facts.fault.instruction = crash.facts.process.name = EVIL;
	crash.facts.dump.format = DT_FORMAT_KERNEL;
	crash.facts.fault.ip = dt_some(5);
	crash.facts.bugcheck = &bugcheck;
	crash.facts.stack = frames;
	crash.facts.modules = modules;
	crash.facts.notes = &note;
	crash.facts.stack_count = crash.facts.modules_count = crash.facts.notes_count = 1;
	crash.judgement.verdict = (struct dt_verdict){ .class = DT_CLASS_DRIVER, .summary = EVIL, .next_steps = evil, .next_steps_count = 2, .reasons = evil, .reasons_count = 2 };
	crash.judgement.blame = (struct dt_blame){ .module = EVIL, .reason = EVIL, .candidates = &candidate, .candidates_count = 1 };
	const struct dt_web_burst burst = { 478000, 478002, EVIL };
	const struct dt_web_chart chart = { .bars = incident.bars, .bar_count = incident.bar_count, .bursts = &burst, .burst_count = 1 };
	dt_buf_init(&out, 4u << 20);
	for (int matched = 0; matched < 2; matched++) {
		crash.judgement.matches = &match;
		crash.judgement.matches_count = (size_t)matched;
		dt_web_crash(&frame, &(struct dt_web_crash){ .id = "00", .crash = &crash, .incidents = &incident, .incident_count = 1, .others = rows, .senders = &sender,
		                                             .sender_count = 1, .hardware = EVIL, .ticket = EVIL, .markdown = EVIL, .sha256 = "00" }, &out);
		assert_harmless(&out);
	}
	dt_web_home(&frame, &(struct dt_web_home){ .latest = rows, .outbreaks = &incident, .outbreak_count = 1 }, &out);
	assert_harmless(&out);
	dt_web_upload(&frame, &(struct dt_web_upload){ .id = "00", .state = "done", .waiting = EVIL, .host = EVIL, .ticket = EVIL, .note = EVIL, .who = EVIL,
	                                               .files = &file, .file_count = 1, .items = &item, .item_count = 1 }, &out);
	assert_harmless(&out);
	dt_web_search(&frame, &(struct dt_web_search){ EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, rows }, &out);
	assert_harmless(&out);
	dt_web_incidents(&frame, &(struct dt_web_incidents){ .incidents = &incident, .count = 1, .kind = EVIL, .state = EVIL, .suspects = &suspect, .suspect_count = 1,
	                                                     .span = EVIL, .chart = chart }, &out);
	assert_harmless(&out);
	dt_web_incident(&frame, &(struct dt_web_incident){ .incident = &incident, .chart = chart, .burst = EVIL, .next_steps = evil, .next_step_count = 2,
	                                                   .latest = rows }, &out);
	assert_harmless(&out);
	dt_web_signatures(&frame, &signature, 1, EVIL, &out);
	assert_harmless(&out);
	dt_web_sign_in(&frame, EVIL, EVIL, &out);
	assert_harmless(&out);
	dt_web_problem(&frame, 400, EVIL, EVIL, &out);
	assert_harmless(&out);
	dt_buf_deinit(&out);
}

static void verdict_is_the_first_line(void **state)
{
	struct dt_web_frame frame = { .title = "t" };
	struct dt_crash crash = { 0 };
	struct dt_buf out;
	(void)state;

	crash.judgement.verdict = (struct dt_verdict){ .class = DT_CLASS_KNOWN_INCIDENT, .summary = "This is it.", .confidence = dt_some(98) };
	dt_buf_init(&out, 1u << 20);
	dt_web_crash(&frame, &(struct dt_web_crash){ .id = "00", .crash = &crash }, &out);
	assert_non_null(strstr(dt_buf_text(&out), "<main id=\"main\">\n<article class=\"verdict known-incident\">\n<h1>This is it.</h1>"));
	assert_non_null(strstr(dt_buf_text(&out), "confidence 98 of 100"));
	/* who may not, gets neither the form nor the raw record */
	assert_null(strstr(dt_buf_text(&out), "Delete this crash"));
	assert_null(strstr(dt_buf_text(&out), "raw=1"));
	dt_buf_deinit(&out);
}

static void findings_stand_apart_from_the_cause(void **state)
{
	struct dt_web_frame frame = { .title = "t" };
	struct dt_finding finding = { .kind = "vulnerable-driver", .module = "holes.sys", .text = "known for holes", .reference = "https://example.org/1" };
	struct dt_crash crash = { 0 };
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 20);
	dt_web_crash(&frame, &(struct dt_web_crash){ .id = "00", .crash = &crash }, &out);
	assert_null(strstr(dt_buf_text(&out), "Also found"));
	dt_buf_reset(&out);
	crash.judgement.findings = &finding;
	crash.judgement.findings_count = 1;
	dt_web_crash(&frame, &(struct dt_web_crash){ .id = "00", .crash = &crash }, &out);
	assert_non_null(strstr(dt_buf_text(&out), "Also found on this computer (not the cause)"));
	assert_non_null(strstr(dt_buf_text(&out), "<dt>holes.sys</dt><dd>known for holes (https://example.org/1)</dd>"));
	dt_buf_deinit(&out);
}

static void chart_counts_and_marks(void **state)
{
	struct dt_report_bar bars[] = { { 478000, 30, 20 }, { 478001, 2, 0 }, { 478005, 5, 5 } };
	struct dt_report_bar years[] = { { 300000, 1, 1 }, { 478005, 5, 5 } };
	/* one of before the first bar, and two within */
	const struct dt_web_burst bursts[] = { { 477000, 477006, "long over" }, { 478000, 478002, NULL }, { 478004, 478006, "a.sys & b.sys" } };
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 20);
	dt_web_chart(&out, &(struct dt_web_chart){ .bars = bars, .bar_count = 3, .bursts = bursts, .burst_count = 3 });
	assert_non_null(strstr(dt_buf_text(&out), "30 crashes, 20 hosts began"));
	const char *mark = strstr(dt_buf_text(&out), "class=\"burst\"");
	assert_non_null(mark);
	assert_non_null(strstr(mark, "<title>the outbreak</title>"));
	assert_non_null(strstr(mark, "<title>a.sys &amp; b.sys</title>"));
	assert_null(strstr(mark, "long over"));
	assert_non_null(strstr(dt_buf_text(&out), "Crashes by hour"));
	assert_non_null(strstr(dt_buf_text(&out), "<td>30</td><td>20</td>"));
	dt_buf_reset(&out);
	/* twenty years fit as well */
	dt_web_chart(&out, &(struct dt_web_chart){ .bars = years, .bar_count = 2 });
	assert_non_null(strstr(dt_buf_text(&out), "5 crashes, 5 hosts began"));
	assert_non_null(strstr(dt_buf_text(&out), "1 crash, 1 host began"));
	assert_non_null(strstr(dt_buf_text(&out), "Crashes by 90 days"));
	assert_null(strstr(dt_buf_text(&out), "class=\"burst\""));
	assert_true(out.len < 20000);
	dt_buf_reset(&out);
	/* a week, whatever of it has crashes: one bar of 168, at its end */
	dt_web_chart(&out, &(struct dt_web_chart){ .bars = bars, .bar_count = 1, .from = 478001 - 168, .until = 478001 });
	assert_non_null(strstr(dt_buf_text(&out), "Crashes by hour"));
	assert_non_null(strstr(dt_buf_text(&out), "class=\"crashes\" x=\"708.1\""));
	dt_buf_reset(&out);
	dt_web_chart(&out, &(struct dt_web_chart){ 0 });
	assert_int_equal(out.len, 0);
	dt_buf_deinit(&out);
}

static void times_and_addresses(void **state)
{
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 4096);
	dt_web_time(&out, dt_time_from_unix(1721365953) + 7);
	assert_string_equal(dt_buf_text(&out), "<time datetime=\"2024-07-19T05:12:33Z\">2024-07-19 05:12 UTC</time>");
	dt_buf_reset(&out);
	dt_web_time(&out, 0);
	dt_web_seconds(&out, -5);
	assert_string_equal(dt_buf_text(&out), "unknownunknown");
	dt_buf_reset(&out);
	dt_web_url_part(&out, "a b/\xc3\xa4?&\"#-._~");
	assert_string_equal(dt_buf_text(&out), "a%20b%2F%C3%A4%3F%26%22%23-._~");
	dt_buf_deinit(&out);
}

static void files_of_the_program(void **state)
{
	(void)state;
	assert_string_equal(dt_web_asset("app.css")->type, "text/css; charset=utf-8");
	assert_string_equal(dt_web_asset("openapi.json")->type, "application/json");
	assert_true(dt_web_asset("app.js")->len > 100);
	assert_null(dt_web_asset("../app.css"));
	assert_null(dt_web_asset(""));
	/* nothing from outside */
	assert_null(strstr(dt_web_asset("app.css")->data, "http"));
	assert_null(strstr(dt_web_asset("app.js")->data, "http"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markdown_is_a_small_safe_part), cmocka_unit_test(steps_nest_their_branches), cmocka_unit_test(pages_of_hostile_values),
		cmocka_unit_test(verdict_is_the_first_line), cmocka_unit_test(findings_stand_apart_from_the_cause),
		cmocka_unit_test(chart_counts_and_marks), cmocka_unit_test(times_and_addresses),
		cmocka_unit_test(files_of_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

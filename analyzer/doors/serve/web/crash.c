/* The page of a crash: verdict, what to do, who else has it, the evidence. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/field.h"
#include "doors/serve/web/web.h"
#include "report/evidence.h"

enum { FRAMES = 64, MODULES = 4096, NOTES = 32 };

static const struct dt_report_style whole = { .verbose = true };

/* ---- the evidence as rows ---------------------------------------------------------------- */

static void heading(struct dt_page *page, const char *text)
{
	(void)page;
	(void)text;
}

static void evidence_row(struct dt_page *page, const char *label, const char *text)
{
	dt_buf_puts(page->out, "<div><dt>");
	dt_web_text(page->out, label);
	dt_buf_puts(page->out, "</dt><dd>");
	dt_web_text(page->out, text);
	dt_buf_puts(page->out, "</dd></div>\n");
}

static void parameter(struct dt_page *page, size_t number, uint64_t value, const char *meaning)
{
	dt_buf_printf(page->out, "<div><dt>Parameter %zu</dt><dd><code>0x%llx</code> ", number, (unsigned long long)value);
	dt_web_text(page->out, meaning);
	dt_buf_puts(page->out, "</dd></div>\n");
}

static const struct dt_page_sink rows = { heading, evidence_row, parameter };

static void evidence(struct dt_buf *out, const struct dt_facts *facts)
{
	struct dt_page page;

	dt_page_init(&page, &whole, out);
	page.sink = &rows;
	dt_buf_puts(out, "<section aria-labelledby=\"evidence\"><h2 id=\"evidence\">Evidence</h2>\n<dl class=\"facts\">\n");
	dt_report_evidence(&page, facts);
	dt_buf_puts(out, "</dl>\n");
}

/* ---- parts ---------------------------------------------------------------------------------- */

static void verdict(struct dt_buf *out, const struct dt_web_crash *view)
{
	const struct dt_crash *crash = view->crash;
	const struct dt_verdict *verdict = &crash->judgement.verdict;
	const char *when = crash->facts.dump.time ? "crashed " : "time of the crash ";

	dt_buf_printf(out, "<article class=\"verdict %s\">\n<h1>", dt_or_unknown(dt_word(&dt_words_verdict_class, verdict->class)));
	dt_web_breakable(out, verdict->summary ? verdict->summary : "No verdict.");
	dt_buf_puts(out, "</h1>\n<p>");
	dt_web_class(out, verdict->class, verdict->confidence);
	dt_buf_puts(out, "</p>\n<p class=\"meta\">");
	if (crash->facts.host.name) {
		dt_buf_puts(out, "Host <a href=\"/crashes?host=");
		dt_web_url_part(out, crash->facts.host.name);
		dt_buf_puts(out, "\">");
		dt_web_text(out, crash->facts.host.name);
		dt_buf_printf(out, "</a>%s, ", crash->facts.host.source == DT_HOST_PATH ? " (from the file's name or folder)" : "");
	} else {
		dt_buf_puts(out, "Host not known, ");
	}
	dt_buf_puts(out, crash->facts.dump.live == DT_TRUE ? "captured " : when);
	dt_web_time(out, crash->facts.dump.time);
	dt_buf_puts(out, crash->facts.dump.time_trust == DT_TIME_IMPLAUSIBLE ? " (that clock cannot be right)" : "");
	dt_buf_puts(out, ", file ");
	dt_web_breakable(out, crash->facts.file.name ? crash->facts.file.name : "unknown");
	dt_buf_puts(out, "</p>\n<p class=\"actions\"><button type=\"button\" class=\"js\" data-copy=\"copy-ticket\">Copy ticket text</button> <a class=\"button\" href=\"#take\">More for the ticket</a></p>\n"
	                 "</article>\n");
}

static void next_steps(struct dt_buf *out, const struct dt_web_crash *view)
{
	const struct dt_verdict *verdict = &view->crash->judgement.verdict;

	if (!verdict->next_steps_count)
		return;
	dt_buf_puts(out, "<section aria-labelledby=\"steps\"><h2 id=\"steps\">What to do</h2>\n");
	dt_web_steps(out, verdict->next_steps, verdict->next_steps_count, view->id);
	dt_buf_puts(out, "</section>\n");
}

/* What the crashes of a group share. A bucket that ends with '?' names no module. */
static const char *shared(const struct dt_report_incident *incident)
{
	static const char *const kinds[][3] = { { "signature", "the same known incident", "the same known incident" },
		                                { "own", "the same place in the same build", "the same kind of crash, at no known place" },
		                                { "family", "the same module, all builds", "the same kind of crash, in no known module" } };
	size_t len = incident->key ? strlen(incident->key) : 0;
	bool placeless = len && incident->key[len - 1] == '?';

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i][0], incident->kind))
			return kinds[i][placeless ? 2 : 1];
	return incident->kind;
}

static void one_incident(struct dt_buf *out, const struct dt_report_incident *incident)
{
	dt_buf_printf(out, "<li><a href=\"/incidents/%llu\">", (unsigned long long)incident->id);
	/* The crash of this page is one of them. */
	if (incident->crashes == 1) {
		dt_buf_printf(out, "this crash alone</a>: %s", shared(incident));
	} else {
		dt_report_incident_hosts(incident, out);
		dt_buf_printf(out, "</a>, %llu crashes: %s", (unsigned long long)incident->crashes, shared(incident));
	}
	if (incident->outbreak || incident->state)
		dt_buf_printf(out, " <span class=\"chip state-%s\">%s</span>", incident->outbreak ? "outbreak" : incident->state,
		              incident->outbreak ? "outbreak" : incident->state);
	dt_buf_puts(out, "<br><span class=\"note\">first ");
	dt_web_seconds(out, incident->first);
	dt_buf_puts(out, ", last ");
	dt_web_seconds(out, incident->last);
	dt_buf_puts(out, "</span></li>\n");
}

static void seen(struct dt_buf *out, const struct dt_web_crash *view)
{
	if (!view->incident_count && !view->hardware)
		return;
	dt_buf_puts(out, "<section aria-labelledby=\"seen\"><h2 id=\"seen\">Who else has it</h2>\n<ul class=\"incidents\">\n");
	for (size_t i = 0; i < view->incident_count; i++)
		one_incident(out, &view->incidents[i]);
	dt_buf_puts(out, "</ul>\n");
	if (view->hardware) {
		dt_buf_puts(out, "<p class=\"warning\">This host crashes in many ways, suspect its memory and processor first: ");
		dt_web_text(out, view->hardware);
		dt_buf_puts(out, "</p>\n");
	}
	dt_buf_puts(out, "</section>\n");
}

static void matched(struct dt_buf *out, const struct dt_match *match)
{
	dt_buf_puts(out, "<h3>Signature ");
	dt_web_text(out, match->title ? match->title : match->signature);
	dt_buf_printf(out, ": %s</h3>\n<ul class=\"matched\">\n", dt_or_unknown(dt_word(&dt_words_grade, match->grade)));
	for (size_t i = 0; i < match->evidence_count; i++) {
		const char *state = dt_or_unknown(dt_word(&dt_words_fact_state, match->evidence[i].state));
		dt_buf_printf(out, "<li><span class=\"chip %s\">%s</span> ", state, state);
		dt_web_text(out, match->evidence[i].fact);
		if (match->evidence[i].value) {
			dt_buf_puts(out, ": <code>");
			dt_web_text(out, match->evidence[i].value);
			dt_buf_puts(out, "</code>");
		}
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul>\n");
}

static void reasons(struct dt_buf *out, const struct dt_judgement *judgement)
{
	for (size_t i = 0; i < judgement->matches_count; i++)
		matched(out, &judgement->matches[i]);
	if (judgement->matches_count || !judgement->verdict.reasons_count)
		return;
	dt_buf_puts(out, "<h3>Why</h3>\n<ul>\n");
	for (size_t i = 0; i < judgement->verdict.reasons_count; i++) {
		dt_buf_puts(out, "<li>");
		dt_web_text(out, judgement->verdict.reasons[i]);
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul>\n");
}

static void place(struct dt_buf *out, const char *module, struct dt_opt offset, struct dt_opt ip)
{
	struct dt_buf text;

	dt_buf_init(&text, 1u << 16);
	dt_put_place(&text, module, offset, ip);
	dt_web_text(out, dt_buf_text(&text));
	dt_buf_deinit(&text);
}

static void blame(struct dt_buf *out, const struct dt_judgement *judgement)
{
	const struct dt_blame *blame = &judgement->blame;

	if (!blame->module && !blame->candidates_count)
		return;
	dt_buf_puts(out, "<h3>At fault</h3>\n<ul>\n");
	if (blame->module) {
		dt_buf_puts(out, "<li><strong>");
		place(out, blame->module, blame->offset, (struct dt_opt){ 0 });
		dt_buf_printf(out, "</strong> (confidence %u): ", (unsigned)blame->confidence.value);
		dt_web_text(out, blame->reason);
		dt_buf_puts(out, "</li>\n");
	}
	for (size_t i = 0; i < blame->candidates_count; i++) {
		dt_buf_puts(out, "<li>candidate ");
		place(out, blame->candidates[i].module, blame->candidates[i].offset, (struct dt_opt){ 0 });
		dt_buf_puts(out, ": ");
		dt_web_text(out, blame->candidates[i].reason);
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul>\n");
}

static void stack(struct dt_buf *out, const struct dt_facts *facts)
{
	if (!facts->stack_count)
		return;
	dt_buf_puts(out, "<h3>Stack</h3>\n<p class=\"note\">Trust says how a frame was found; <em>scan</em> and <em>call-site</em> may be left over from earlier "
	                 "calls.</p>\n<table class=\"list\"><thead><tr><th scope=\"col\">#</th><th scope=\"col\">Trust</th><th scope=\"col\">Frame</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < facts->stack_count && i < FRAMES; i++) {
		const struct dt_frame *frame = &facts->stack[i];
		dt_buf_printf(out, "<tr><td data-label=\"#\">%zu</td><td data-label=\"Trust\">%s</td><td data-label=\"Frame\"><code>", i,
		              dt_or_unknown(dt_word(&dt_words_trust, frame->trust)));
		place(out, frame->module, frame->offset, frame->ip);
		if (frame->symbol) {
			dt_buf_puts(out, " ");
			dt_web_text(out, frame->symbol);
		}
		dt_buf_printf(out, "</code>%s</td></tr>\n", frame->unloaded == DT_TRUE ? " (unloaded)" : "");
	}
	dt_buf_puts(out, "</tbody></table>\n");
}

static void notes(struct dt_buf *out, const struct dt_facts *facts)
{
	if (!facts->notes_count)
		return;
	dt_buf_printf(out, "<details><summary>%zu %s on the file</summary><ul>\n", facts->notes_count,
	              dt_text_plural(facts->notes_count, "note", "notes"));
	for (size_t i = 0; i < facts->notes_count && i < NOTES; i++) {
		dt_buf_puts(out, "<li>");
		dt_web_text(out, facts->notes[i].where);
		dt_buf_puts(out, ": ");
		dt_web_text(out, facts->notes[i].text);
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul></details>\n");
}

static void modules(struct dt_buf *out, const struct dt_facts *facts)
{
	if (!facts->modules_count)
		return;
	dt_buf_printf(out, "<details><summary>%zu %s</summary><table class=\"list\"><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Version</th>"
	                   "<th scope=\"col\">Company</th><th scope=\"col\">Base</th><th scope=\"col\">Size</th></tr></thead><tbody>\n", facts->modules_count,
	              dt_text_plural(facts->modules_count, "module", "modules"));
	for (size_t i = 0; i < facts->modules_count && i < MODULES; i++) {
		const struct dt_module *module = &facts->modules[i];
		dt_buf_puts(out, "<tr><td data-label=\"Name\">");
		dt_web_text(out, dt_or_unknown(module->name));
		dt_buf_puts(out, "</td><td data-label=\"Version\">");
		dt_web_text(out, module->version);
		dt_buf_puts(out, "</td><td data-label=\"Company\">");
		dt_web_text(out, module->company);
		dt_buf_printf(out, "</td><td data-label=\"Base\"><code>0x%llx</code></td><td data-label=\"Size\"><code>0x%llx</code></td></tr>\n",
		              (unsigned long long)module->base.value, (unsigned long long)module->size.value);
	}
	dt_buf_puts(out, "</tbody></table></details>\n");
}

/* What stands apart from the crash: never its cause. */
static void findings(struct dt_buf *out, const struct dt_judgement *judgement)
{
	if (!judgement->findings_count)
		return;
	dt_buf_puts(out, "<section aria-labelledby=\"findings\"><h2 id=\"findings\">Also found on this computer (not the cause)</h2>\n<dl class=\"facts\">\n");
	for (size_t i = 0; i < judgement->findings_count; i++) {
		const struct dt_finding *finding = &judgement->findings[i];
		dt_buf_puts(out, "<dt>");
		dt_web_text(out, dt_or_unknown(finding->module));
		dt_buf_puts(out, "</dt><dd>");
		dt_web_text(out, dt_or_unknown(finding->text));
		if (finding->reference) {
			dt_buf_puts(out, " (");
			dt_web_text(out, finding->reference);
			dt_buf_puts(out, ")");
		}
		dt_buf_puts(out, "</dd>\n");
	}
	dt_buf_puts(out, "</dl></section>\n");
}

static void others(struct dt_buf *out, const struct dt_web_crash *view)
{
	if (!view->crash->facts.host.name)
		return;
	dt_buf_puts(out, "<section aria-labelledby=\"others\"><h2 id=\"others\">Other crashes of this host</h2>\n");
	dt_web_table(out, &view->others, "None that is known.");
	dt_buf_puts(out, "</section>\n");
}

static void senders(struct dt_buf *out, const struct dt_web_crash *view)
{
	if (!view->sender_count)
		return;
	dt_buf_puts(out, "<h3>Uploaded</h3>\n<ul>\n");
	for (size_t i = 0; i < view->sender_count; i++) {
		const struct dt_web_sender *sender = &view->senders[i];
		dt_buf_puts(out, "<li>");
		dt_web_time(out, sender->at);
		dt_buf_puts(out, " as <a href=\"/uploads/");
		dt_web_url_part(out, sender->upload);
		dt_buf_puts(out, "?list=1\">");
		dt_web_text(out, sender->name);
		dt_buf_puts(out, "</a> by ");
		dt_web_text(out, sender->who);
		if (sender->ticket) {
			dt_buf_puts(out, ", ticket ");
			dt_web_text(out, sender->ticket);
		}
		if (sender->note) {
			dt_buf_puts(out, ": ");
			dt_web_text(out, sender->note);
		}
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul>\n");
}

static void copyable(struct dt_buf *out, const char *id, const char *label, const char *text)
{
	dt_buf_printf(out, "<details class=\"copy\"><summary>%s</summary><textarea id=\"%s\" readonly rows=\"12\" aria-label=\"%s\">\n", label, id, label);
	dt_web_text(out, text);
	dt_buf_printf(out, "</textarea><p><button type=\"button\" class=\"js\" data-copy=\"%s\">Copy</button></p></details>\n", id);
}

static void admin(struct dt_buf *out, const struct dt_web_frame *frame, const struct dt_web_crash *view)
{
	dt_buf_printf(out, "<p class=\"actions\"><a class=\"button\" href=\"/api/v1/crashes/%s?raw=1\">Raw record, unmasked</a> ", view->id);
	if (view->sha256)
		dt_buf_printf(out, "<a class=\"button\" href=\"/api/v1/crashes/%s/dump\">Download the dump</a>", view->id);
	dt_buf_puts(out, "</p>\n");
	if (!frame->csrf)
		return;
	dt_buf_printf(out, "<details><summary>Delete this crash</summary><form method=\"post\" action=\"/crashes/%s/delete\"><p>Its record, its upload and "
	                   "its dump go, and a rescan does not bring it back.</p>", view->id);
	dt_web_csrf(out, frame);
	dt_buf_puts(out, "<button class=\"danger\">Delete it</button></form></details>\n");
}

static void take_away(struct dt_buf *out, const struct dt_web_frame *frame, const struct dt_web_crash *view)
{
	dt_buf_puts(out, "<section aria-labelledby=\"take\"><h2 id=\"take\">For the ticket</h2>\n");
	copyable(out, "copy-ticket", "Copy as ticket text", view->ticket);
	copyable(out, "copy-markdown", "Copy as Markdown", view->markdown);
	dt_buf_printf(out, "<p><a class=\"button\" href=\"/api/v1/crashes/%s\">Record as JSON</a></p>\n", view->id);
	if (frame->can_admin)
		admin(out, frame, view);
	dt_buf_puts(out, "</section>\n");
}

void dt_web_crash(const struct dt_web_frame *frame, const struct dt_web_crash *view, struct dt_buf *out)
{
	const struct dt_facts *facts = &view->crash->facts;

	dt_web_begin(frame, out);
	verdict(out, view);
	next_steps(out, view);
	seen(out, view);
	evidence(out, facts);
	reasons(out, &view->crash->judgement);
	blame(out, &view->crash->judgement);
	stack(out, facts);
	senders(out, view);
	notes(out, facts);
	dt_buf_puts(out, "</section>\n");
	findings(out, &view->crash->judgement);
	others(out, view);
	if (facts->modules_count) {
		dt_buf_puts(out, "<section aria-labelledby=\"modules\"><h2 id=\"modules\">Modules</h2>\n");
		modules(out, facts);
		dt_buf_puts(out, "</section>\n");
	}
	take_away(out, frame, view);
	dt_web_end(frame, out);
}

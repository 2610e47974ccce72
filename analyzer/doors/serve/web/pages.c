/* The smaller pages: upload, its results, search, signatures, signing in, what went wrong. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/field.h"
#include "doors/serve/web/web.h"

static void bytes(struct dt_buf *out, uint64_t count)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)count;
	size_t unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	dt_buf_printf(out, unit && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* ---- upload ------------------------------------------------------------------------------- */

static void upload_form(struct dt_buf *out, const struct dt_web_frame *frame, const struct dt_web_home *home)
{
	dt_buf_puts(out, "<form id=\"upload\" class=\"card\" method=\"post\" action=\"/upload\" enctype=\"multipart/form-data\">\n");
	dt_web_csrf(out, frame);
	dt_buf_puts(out, "<div class=\"drop\" id=\"drop\"><label for=\"files\"><strong>Choose dumps</strong><span class=\"js\"> or drop them here</span></label>\n"
	                 "<input type=\"file\" id=\"files\" name=\"file\" multiple required>\n<p class=\"note\">MEMORY.DMP, minidumps, or zip, 7z and cab archives "
	                 "of them; ");
	bytes(out, home->max_bytes);
	dt_buf_puts(out, " at most.</p><ul id=\"chosen\" class=\"chosen\"></ul></div>\n<div class=\"fields\">\n"
	                 "<label>Host <input name=\"host\" maxlength=\"253\" autocomplete=\"off\" placeholder=\"as in the ticket\"></label>\n"
	                 "<label>Ticket <input name=\"ticket\" maxlength=\"200\" autocomplete=\"off\"></label>\n"
	                 "<label class=\"wide\">Note <input name=\"note\" maxlength=\"2000\" autocomplete=\"off\"></label>\n</div>\n"
	                 "<button id=\"send\">Analyse</button> <progress id=\"progress\" max=\"1\" value=\"0\" hidden></progress>\n"
	                 "<p id=\"status\" role=\"status\" aria-live=\"polite\"></p>\n<p class=\"note\">");
	if (home->keep_days)
		dt_buf_printf(out, "A dump is a piece of the computer's memory. It is kept for %u %s for administrators, then deleted; what was found stays.",
		              home->keep_days, dt_text_plural(home->keep_days, "day", "days"));
	else
		dt_buf_puts(out, "A dump is a piece of the computer's memory. It is deleted as soon as it is analysed; only what was found stays.");
	dt_buf_puts(out, "</p>\n</form>\n");
}

static void outbreaks(struct dt_buf *out, const struct dt_web_home *home)
{
	if (!home->outbreak_count)
		return;
	dt_buf_puts(out, "<section class=\"alarm\" aria-labelledby=\"outbreaks\"><h2 id=\"outbreaks\">Outbreaks</h2>\n<p>Within the 7 days before the newest crash, ");
	dt_web_seconds(out, home->as_of);
	dt_buf_puts(out, ":</p>\n<ul>\n");
	for (size_t i = 0; i < home->outbreak_count; i++) {
		const struct dt_report_incident *incident = &home->outbreaks[i];
		dt_buf_printf(out, "<li><a href=\"/incidents/%llu\">", (unsigned long long)incident->id);
		dt_web_text(out, incident->title ? incident->title : incident->key);
		dt_buf_puts(out, "</a>: ");
		dt_report_incident_hosts(incident, out);
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul></section>\n");
}

void dt_web_home(const struct dt_web_frame *frame, const struct dt_web_home *home, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>What crashed, and what to do</h1>\n");
	outbreaks(out, home);
	if (frame->can_upload)
		upload_form(out, frame, home);
	if (frame->can_read) {
		dt_buf_puts(out, "<section aria-labelledby=\"latest\"><h2 id=\"latest\">Analysed last</h2>\n");
		dt_web_table(out, &home->latest, "None yet: upload the first dump above.");
		dt_buf_puts(out, "</section>\n");
	}
	dt_web_end(frame, out);
}

/* ---- an upload ------------------------------------------------------------------------------ */

static void item(struct dt_buf *out, const struct dt_web_item *item, bool readable)
{
	bool there = item->id && !item->deleted;

	dt_buf_puts(out, "<tr><td data-label=\"Verdict\">");
	if (there)
		dt_web_class(out, item->class, (struct dt_opt){ 0 });
	else
		dt_buf_puts(out, "<span class=\"chip\">deleted</span>");
	/* A chip does not look like a link; a name does. */
	dt_buf_puts(out, "</td><td data-label=\"File\">");
	if (there && readable) {
		dt_buf_puts(out, "<a href=\"/crashes/");
		dt_web_url_part(out, item->id);
		dt_buf_puts(out, "\">");
	}
	dt_web_breakable(out, item->name);
	dt_buf_puts(out, there && readable ? "</a>" : "");
	dt_buf_puts(out, "</td><td data-label=\"Host\">");
	dt_web_text(out, item->host ? item->host : "unknown");
	dt_buf_puts(out, "</td><td data-label=\"What\">");
	dt_web_text(out, item->summary);
	dt_buf_puts(out, "</td></tr>\n");
}

static void said(struct dt_buf *out, const char *label, const char *text)
{
	if (!text)
		return;
	dt_buf_printf(out, "<div><dt>%s</dt><dd>", label);
	dt_web_text(out, text);
	dt_buf_puts(out, "</dd></div>\n");
}

static void files(struct dt_buf *out, const struct dt_web_upload *upload)
{
	for (size_t i = 0; i < upload->file_count; i++) {
		dt_buf_puts(out, "<div><dt>File</dt><dd>");
		dt_web_text(out, upload->files[i].name);
		dt_buf_puts(out, ", ");
		bytes(out, upload->files[i].size);
		dt_buf_puts(out, upload->files[i].known ? ", known already<br><code class=\"hash\">" : "<br><code class=\"hash\">");
		dt_web_text(out, upload->files[i].sha256);
		dt_buf_puts(out, "</code></dd></div>\n");
	}
}

void dt_web_upload(const struct dt_web_frame *frame, const struct dt_web_upload *upload, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_printf(out, "<h1>%s</h1>\n", upload->done ? (!strcmp(upload->state, "failed") ? "Could not be stored" : "Analysed") : "Being analysed");
	dt_buf_printf(out, "<p id=\"live\" role=\"status\" aria-live=\"polite\"%s data-upload=\"%s\">%s</p>\n", upload->done ? "" : " class=\"busy\"", upload->id,
	              upload->state);
	if (upload->waiting) {
		dt_buf_puts(out, "<p class=\"warning\">");
		dt_web_text(out, upload->waiting);
		dt_buf_puts(out, "</p>\n");
	}
	if (!upload->done)
		dt_buf_puts(out, "<noscript><p>This page loads itself again until it is done.</p></noscript>\n");
	if (upload->item_count) {
		dt_buf_puts(out, "<table class=\"list\"><thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">File</th><th scope=\"col\">Host</th>"
		                 "<th scope=\"col\">What</th></tr></thead><tbody>\n");
		for (size_t i = 0; i < upload->item_count; i++)
			item(out, &upload->items[i], frame->can_read);
		dt_buf_puts(out, "</tbody></table>\n");
	}
	if (upload->item_total > upload->item_count)
		dt_buf_printf(out, "<p>The first %zu of %llu; all of them are among the <a href=\"/crashes\">crashes</a>.</p>\n", upload->item_count,
		              (unsigned long long)upload->item_total);
	dt_buf_puts(out, "<dl class=\"facts\">\n<div><dt>Received</dt><dd>");
	dt_web_time(out, upload->at);
	dt_buf_puts(out, "</dd></div>\n");
	said(out, "Host", upload->host);
	said(out, "Ticket", upload->ticket);
	said(out, "Note", upload->note);
	said(out, "By", upload->who);
	files(out, upload);
	dt_buf_puts(out, "</dl>\n<p><a class=\"button\" href=\"/\">Upload another</a></p>\n");
	dt_web_end(frame, out);
}

/* ---- search ----------------------------------------------------------------------------------- */

static void input(struct dt_buf *out, const char *name, const char *label, const char *value, const char *hint)
{
	dt_buf_printf(out, "<label>%s <input name=\"%s\" autocomplete=\"off\" placeholder=\"%s\" value=\"", label, name, hint);
	dt_web_text(out, value);
	dt_buf_puts(out, "\"></label>\n");
}

static void classes(struct dt_buf *out, const char *chosen)
{
	dt_buf_puts(out, "<label>Verdict <select name=\"class\"><option value=\"\">any</option>");
	for (unsigned i = 1; i < DT_verdict_class_COUNT; i++) {
		const char *word = dt_word(&dt_words_verdict_class, i);
		dt_buf_printf(out, "<option%s>%s</option>", chosen && !strcmp(chosen, word) ? " selected" : "", word);
	}
	dt_buf_puts(out, "</select></label>\n");
}

void dt_web_search(const struct dt_web_frame *frame, const struct dt_web_search *search, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>Crashes</h1>\n<form class=\"filter card\" method=\"get\" action=\"/crashes\" role=\"search\">\n");
	input(out, "text", "Words", search->text, "module, host, bucket");
	input(out, "host", "Host", search->host, "pc-0042");
	classes(out, search->class);
	input(out, "code", "Stop code", search->code, "0x50");
	input(out, "module", "Module", search->module, "csagent.sys");
	input(out, "signature", "Signature", search->signature, "id");
	input(out, "bucket", "Bucket", search->bucket, "own or family");
	input(out, "since", "Since", search->since, "2024-07-19");
	input(out, "until", "Until", search->until, "2024-07-20");
	if (search->incident)
		input(out, "incident", "Incident", search->incident, "4");
	dt_buf_puts(out, "<button>Search</button> <a href=\"/crashes\">Clear</a>\n</form>\n");
	if (search->problem) {
		dt_buf_puts(out, "<p class=\"warning\" role=\"alert\">");
		dt_web_text(out, search->problem);
		dt_buf_puts(out, "</p>\n");
	}
	if (search->found.count > 1)
		dt_buf_puts(out, "<p class=\"note\">What was analysed last comes first.</p>\n");
	dt_web_table(out, &search->found, "No crash is like that.");
	dt_web_end(frame, out);
}

/* ---- signatures ---------------------------------------------------------------------------------- */

static void signature(struct dt_buf *out, const struct dt_web_signature *signature)
{
	dt_buf_puts(out, "<section class=\"card\"><h2 id=\"");
	dt_web_text(out, signature->id);
	dt_buf_puts(out, "\">");
	dt_web_text(out, signature->title);
	dt_buf_puts(out, "</h2>\n<p class=\"meta\"><code>");
	dt_web_text(out, signature->id);
	dt_buf_puts(out, "</code>, version ");
	dt_web_text(out, signature->version);
	dt_buf_puts(out, signature->status ? ", " : "");
	dt_web_text(out, signature->status);
	dt_buf_puts(out, signature->level ? ", level " : "");
	dt_web_text(out, signature->level);
	dt_buf_puts(out, "; <a href=\"/crashes?signature=");
	dt_web_url_part(out, signature->id);
	dt_buf_puts(out, "\">its crashes</a></p>\n<p>");
	dt_web_text(out, signature->description);
	dt_buf_puts(out, "</p>\n");
	if (signature->next_step_count) {
		dt_buf_puts(out, "<details><summary>What to do</summary>");
		dt_web_steps(out, signature->next_steps, signature->next_step_count, signature->id);
		dt_buf_puts(out, "</details>\n");
	}
	if (signature->reference_count) {
		dt_buf_puts(out, "<details><summary>References</summary><ul>\n");
		for (size_t i = 0; i < signature->reference_count; i++) {
			bool link = !strncmp(signature->references[i], "https://", 8);
			dt_buf_puts(out, link ? "<li><a rel=\"noreferrer\" href=\"" : "<li>");
			if (link)
				dt_web_text(out, signature->references[i]);
			dt_buf_puts(out, link ? "\">" : "");
			dt_web_text(out, signature->references[i]);
			dt_buf_puts(out, link ? "</a></li>\n" : "</li>\n");
		}
		dt_buf_puts(out, "</ul></details>\n");
	}
	dt_buf_puts(out, "</section>\n");
}

void dt_web_signatures(const struct dt_web_frame *frame, const struct dt_web_signature *signatures, size_t count, const char *problem, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_printf(out, "<h1>Signatures</h1>\n<p>%zu known %s in force.</p>\n", count, dt_text_plural(count, "crash", "crashes"));
	if (problem) {
		dt_buf_puts(out, "<p class=\"warning\" role=\"alert\">Their files changed, and cannot be used as they are: ");
		dt_web_text(out, problem);
		dt_buf_puts(out, "</p>\n");
	}
	for (size_t i = 0; i < count; i++)
		signature(out, &signatures[i]);
	dt_web_end(frame, out);
}

/* ---- signing in, problems ---------------------------------------------------------------------------- */

void dt_web_sign_in(const struct dt_web_frame *frame, const char *problem, const char *back, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>Sign in</h1>\n");
	if (problem) {
		dt_buf_puts(out, "<p class=\"warning\" role=\"alert\">");
		dt_web_text(out, problem);
		dt_buf_puts(out, "</p>\n");
	}
	dt_buf_puts(out, "<form class=\"card\" method=\"post\" action=\"/sign-in\">\n");
	dt_web_csrf(out, frame);
	dt_buf_puts(out, "<input type=\"hidden\" name=\"back\" value=\"");
	dt_web_text(out, back);
	dt_buf_puts(out, "\"><label>Token <input type=\"password\" name=\"token\" required autocomplete=\"current-password\"></label>\n"
	                 "<button>Sign in</button>\n<p class=\"note\">An administrator makes one with <code>dumptriage token add NAME</code>.</p></form>\n");
	dt_web_end(frame, out);
}

void dt_web_problem(const struct dt_web_frame *frame, unsigned status, const char *title, const char *detail, struct dt_buf *out)
{
	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>");
	dt_web_text(out, title);
	dt_buf_puts(out, "</h1>\n<p>");
	dt_web_text(out, detail);
	dt_buf_printf(out, "</p>\n<p class=\"note\">HTTP status %u</p>\n<p><a class=\"button\" href=\"/\">Start</a></p>\n", status);
	dt_web_end(frame, out);
}

/* What pages are made of. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"
#include "core/model/field.h"
#include "doors/serve/web/web.h"

static void put_text(struct dt_buf *out, const char *text, const char *underscore)
{
	for (; text && *text; text++)
		switch (*text) {
		case '_': dt_buf_puts(out, underscore); break;
		case '&': dt_buf_puts(out, "&amp;"); break;
		case '<': dt_buf_puts(out, "&lt;"); break;
		case '>': dt_buf_puts(out, "&gt;"); break;
		case '"': dt_buf_puts(out, "&quot;"); break;
		case '\'': dt_buf_puts(out, "&#39;"); break;
		default: dt_buf_putc(out, *text);
		}
}

void dt_web_text(struct dt_buf *out, const char *text)
{
	put_text(out, text, "_");
}

void dt_web_breakable(struct dt_buf *out, const char *text)
{
	put_text(out, text, "_<wbr>");
}

void dt_web_url_part(struct dt_buf *out, const char *text)
{
	for (; text && *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') || strchr("-._~", *text);
		if (plain)
			dt_buf_putc(out, *text);
		else
			dt_buf_printf(out, "%%%02X", (unsigned char)*text);
	}
}

/* ---- the frame ---------------------------------------------------------------------- */

static void menu_entry(struct dt_buf *out, const struct dt_web_frame *frame, const char *address, const char *label)
{
	bool here = frame->here && !strcmp(frame->here, address);

	dt_buf_printf(out, "<li><a href=\"%s\"%s>%s</a></li>", address, here ? " aria-current=\"page\"" : "", label);
}

static void menu(struct dt_buf *out, const struct dt_web_frame *frame)
{
	dt_buf_puts(out, "<nav aria-label=\"Main\"><ul>");
	if (frame->can_upload || frame->can_read)
		menu_entry(out, frame, "/", "Upload");
	if (frame->can_read) {
		menu_entry(out, frame, "/incidents", "Incidents");
		menu_entry(out, frame, "/crashes", "Crashes");
		menu_entry(out, frame, "/signatures", "Signatures");
	}
	dt_buf_puts(out, "</ul></nav>");
}

void dt_web_csrf(struct dt_buf *out, const struct dt_web_frame *frame)
{
	dt_buf_puts(out, "<input type=\"hidden\" name=\"csrf\" value=\"");
	dt_web_text(out, frame->csrf);
	dt_buf_puts(out, "\">");
}

static void signed_in(struct dt_buf *out, const struct dt_web_frame *frame)
{
	if (!frame->who)
		return;
	dt_buf_puts(out, "<div class=\"who\"><span>");
	dt_web_text(out, frame->who);
	dt_buf_puts(out, "</span>");
	if (frame->can_sign_out && frame->csrf) {
		dt_buf_puts(out, "<form method=\"post\" action=\"/sign-out\">");
		dt_web_csrf(out, frame);
		dt_buf_puts(out, "<button class=\"plain\">Sign out</button></form>");
	}
	dt_buf_puts(out, "</div>");
}

void dt_web_begin(const struct dt_web_frame *frame, struct dt_buf *out)
{
	dt_buf_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	                 "<meta name=\"color-scheme\" content=\"light dark\">\n");
	if (frame->refresh)
		dt_buf_printf(out, "<noscript><meta http-equiv=\"refresh\" content=\"%u\"></noscript>\n", frame->refresh);
	dt_buf_puts(out, "<title>");
	dt_web_text(out, frame->title);
	dt_buf_puts(out, " - dumptriage</title>\n<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n"
	                 "<link rel=\"stylesheet\" href=\"/assets/app.css\">\n<script src=\"/assets/app.js\" defer></script>\n</head>\n<body>\n"
	                 "<a class=\"skip\" href=\"#main\">Skip to content</a>\n<header class=\"top\"><a class=\"brand\" href=\"/\">dumptriage</a>");
	menu(out, frame);
	signed_in(out, frame);
	dt_buf_puts(out, "</header>\n<main id=\"main\">\n");
}

void dt_web_end(const struct dt_web_frame *frame, struct dt_buf *out)
{
	(void)frame;
	dt_buf_puts(out, "</main>\n<footer><p>dumptriage " DT_VERSION ". It says no more than the evidence; times are UTC.</p></footer>\n</body>\n</html>\n");
}

/* ---- values --------------------------------------------------------------------------- */

void dt_web_time(struct dt_buf *out, uint64_t filetime)
{
	char text[DT_TIME_TEXT_MAX];

	if (!filetime || !dt_time_format(filetime - filetime % DT_TIME_SECOND, text)) {
		dt_buf_puts(out, "unknown");
		return;
	}
	dt_buf_printf(out, "<time datetime=\"%s\">%.10s %.5s UTC</time>", text, text, text + 11);
}

void dt_web_seconds(struct dt_buf *out, int64_t unix_seconds)
{
	dt_web_time(out, unix_seconds > 0 ? dt_time_from_unix((uint64_t)unix_seconds) : 0);
}

void dt_web_class(struct dt_buf *out, enum dt_verdict_class class, struct dt_opt confidence)
{
	const char *word = dt_word(&dt_words_verdict_class, class);

	dt_buf_printf(out, "<span class=\"chip %s\">%s</span>", word ? word : "", word ? word : "unknown");
	if (confidence.known)
		dt_buf_printf(out, " <span class=\"sure\">confidence %u of 100</span>", (unsigned)confidence.value);
}

/* ---- Markdown ---------------------------------------------------------------------------- */

/* Text up to a mark; its length, or 0 when the mark does not come or nothing stands before it. */
static size_t until(const char *text, const char *mark)
{
	const char *end = strstr(text, mark);

	return end ? (size_t)(end - text) : 0;
}

static void escaped(struct dt_buf *out, const char *text, size_t len)
{
	char part[2] = "";

	for (size_t i = 0; i < len; i++) {
		part[0] = text[i];
		dt_web_text(out, part);
	}
}

static const char *marked(struct dt_buf *out, const char *text, const char *mark, const char *tag)
{
	size_t wide = strlen(mark), len = until(text + wide, mark);

	if (!len)
		return NULL;
	dt_buf_printf(out, "<%s>", tag);
	escaped(out, text + wide, len);
	dt_buf_printf(out, "</%s>", tag);
	return text + 2 * wide + len;
}

/* [text](https://...): other addresses are no links. */
static const char *link_to(struct dt_buf *out, const char *text)
{
	size_t label = until(text + 1, "](");
	const char *address = text + 1 + label + 2;
	size_t len = label ? until(address, ")") : 0;

	if (!len || strncmp(address, "https://", 8) || memchr(address, ' ', len))
		return NULL;
	dt_buf_puts(out, "<a rel=\"noreferrer\" href=\"");
	escaped(out, address, len);
	dt_buf_puts(out, "\">");
	escaped(out, text + 1, label);
	dt_buf_puts(out, "</a>");
	return address + len + 1;
}

void dt_web_markdown(struct dt_buf *out, const char *text)
{
	while (text && *text) {
		const char *next = *text == '`' ? marked(out, text, "`", "code")
		                   : !strncmp(text, "**", 2) ? marked(out, text, "**", "strong")
		                   : *text == '*' && text[1] != ' ' ? marked(out, text, "*", "em")
		                   : *text == '[' ? link_to(out, text) : NULL;
		if (!next && *text == '\\' && text[1] && strchr("\\`*[]", text[1]))
			text++;
		if (!next)
			escaped(out, text, 1);
		text = next ? next : text + 1;
	}
}

void dt_web_steps(struct dt_buf *out, const char *const *steps, size_t count, const char *id)
{
	bool branches = false;

	if (!count)
		return;
	dt_buf_puts(out, "<ol class=\"steps\" data-steps=\"");
	dt_web_text(out, id);
	dt_buf_puts(out, "\">\n");
	for (size_t i = 0; i < count; i++) {
		bool branch = !strncmp(steps[i], "- ", 2) && i > 0;
		if (!branch && branches)
			dt_buf_puts(out, "</ul>");
		if (!branch && i)
			dt_buf_puts(out, "</li>\n");
		if (branch && !branches)
			dt_buf_puts(out, "<ul>");
		branches = branch;
		if (branch)
			dt_buf_puts(out, "<li>");
		else
			dt_buf_printf(out, "<li><label><input type=\"checkbox\" name=\"step-%zu\"> <span>", i);
		dt_web_markdown(out, !strncmp(steps[i], "- ", 2) ? steps[i] + 2 : steps[i]);
		dt_buf_puts(out, branch ? "</li>" : "</span></label>");
	}
	dt_buf_puts(out, branches ? "</ul></li>\n</ol>\n" : "</li>\n</ol>\n");
}

/* ---- lists ------------------------------------------------------------------------------- */

static void cell(struct dt_buf *out, const char *label, const char *text)
{
	dt_buf_printf(out, "<td data-label=\"%s\">", label);
	dt_web_breakable(out, text ? text : "unknown");
	dt_buf_puts(out, "</td>");
}

static void table_row(struct dt_buf *out, const struct dt_web_row *row)
{
	dt_buf_puts(out, "<tr><td data-label=\"Verdict\">");
	dt_web_class(out, row->class, (struct dt_opt){ 0 });
	/* A chip does not look like a link; a time does. */
	dt_buf_puts(out, "</td><td data-label=\"Crashed\"><a href=\"/crashes/");
	dt_web_url_part(out, row->id);
	dt_buf_puts(out, "\">");
	if (row->time)
		dt_web_time(out, row->time);
	else
		dt_buf_puts(out, "time not known");
	dt_buf_puts(out, "</a>");
	if (row->time && !row->time_ok)
		dt_buf_puts(out, " <span class=\"note\">that clock cannot be right</span>");
	dt_buf_puts(out, "</td>");
	cell(out, "Host", row->host);
	cell(out, "Code", row->code);
	cell(out, "Module", row->module);
	cell(out, "Signature", row->signature ? row->signature : "none");
	dt_buf_puts(out, "</tr>\n");
}

void dt_web_table(struct dt_buf *out, const struct dt_web_rows *rows, const char *empty)
{
	if (!rows->count) {
		dt_buf_printf(out, "<p class=\"empty\">%s</p>\n", empty);
		return;
	}
	dt_buf_puts(out, "<table class=\"list\"><thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Crashed</th><th scope=\"col\">Host</th>"
	                 "<th scope=\"col\">Code</th><th scope=\"col\">Module</th><th scope=\"col\">Signature</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < rows->count; i++)
		table_row(out, &rows->rows[i]);
	dt_buf_puts(out, "</tbody></table>\n");
	if (!rows->more)
		return;
	dt_buf_puts(out, "<p><a class=\"button\" rel=\"next\" href=\"");
	dt_web_text(out, rows->more);
	dt_buf_puts(out, "\">More</a></p>\n");
}

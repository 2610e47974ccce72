/*
 * Common Event Format: CEF:0|vendor|product|version|signature|name|severity|key=value ... on one line under 8 KiB,
 * which is what syslog receivers take in one piece.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "report/encodings.h"
#include "report/event.h"
#include "report/evidence.h"

enum { MAX_LINE = 8000, MAX_VALUE = 400 };

/* In the header | and \ are escaped, in values = and \. Our texts hold no line breaks but those we put there. */
static void escaped(struct dt_buf *out, const char *text, const char *marks)
{
	size_t len = dt_text_fit(text, MAX_VALUE);

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			dt_buf_puts(out, "\\n");
			continue;
		}
		if (strchr(marks, text[i]) || text[i] == '\\')
			dt_buf_putc(out, '\\');
		dt_buf_putc(out, text[i]);
	}
}

static void header(struct dt_buf *out, const char *text)
{
	escaped(out, text, "|");
	dt_buf_putc(out, '|');
}

static void value(struct dt_buf *out, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	dt_buf_printf(out, " %s=", key);
	escaped(out, text, "=");
}

static void labelled(struct dt_buf *out, const char *key, const char *label, const char *text)
{
	char name[16];

	if (!text || !*text)
		return;
	snprintf(name, sizeof(name), "%sLabel", key);
	value(out, name, label);
	value(out, key, text);
}

static void numbers(struct dt_buf *out, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;

	if (event->time > DT_TIME_UNIX_EPOCH)
		dt_buf_printf(out, " rt=%llu", (unsigned long long)((event->time - DT_TIME_UNIX_EPOCH) / 10000));
	if (facts->file.size.known)
		dt_buf_printf(out, " fsize=%llu", (unsigned long long)facts->file.size.value);
	if (event->crash->judgement.verdict.confidence.known)
		dt_buf_printf(out, " cn1Label=confidence cn1=%llu", (unsigned long long)event->crash->judgement.verdict.confidence.value);
}

static const char *place(const char *module, struct dt_opt offset, struct dt_arena *arena)
{
	struct dt_buf text;

	if (!module)
		return NULL;
	dt_buf_init(&text, 4096);
	dt_put_place(&text, module, offset, (struct dt_opt){ 0 });
	const char *copy = dt_arena_strdup(arena, dt_buf_text(&text));
	dt_buf_deinit(&text);
	return copy;
}

void dt_report_cef(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	const struct dt_facts *facts = &crash->facts;
	const struct dt_judgement *judgement = &crash->judgement;
	const char *class = dt_word(&dt_words_verdict_class, judgement->verdict.class);
	struct dt_arena arena;
	struct dt_event event;
	struct dt_buf line, code;

	(void)style;
	dt_arena_init(&arena, 4u << 20);
	dt_buf_init(&line, 1u << 17);
	dt_buf_init(&code, 256);
	dt_event_make(crash, "cef", &arena, &event);
	dt_buf_puts(&line, "CEF:0|dumptriage|dumptriage|" DT_VERSION "|");
	header(&line, event.match ? event.match->signature : class ? class : "unknown");
	header(&line, event.match && event.match->title ? event.match->title : event.name ? event.name : "crash dump");
	dt_buf_printf(&line, "%u|", event.severity / 10);
	numbers(&line, &event);
	value(&line, "externalId", event.id);
	value(&line, "dhost", facts->host.name);
	value(&line, "act", event.user ? "application-crash" : "kernel-crash");
	value(&line, "cat", class);
	value(&line, "fname", facts->file.name);
	value(&line, "filePath", event.path);
	value(&line, "fileHash", facts->file.sha256);
	value(&line, "sproc", facts->process.name);
	labelled(&line, "cs1", "faultModule", place(facts->fault.module, facts->fault.offset, &arena));
	if (event.code.known)
		dt_buf_hex(&code, event.code.value);
	labelled(&line, "cs2", "code", dt_buf_text(&code));
	labelled(&line, "cs3", "bucket", judgement->bucket.own);
	labelled(&line, "cs4", "blamedModule", place(judgement->blame.module, judgement->blame.offset, &arena));
	labelled(&line, "cs5", "crashId", facts->crash_id);
	value(&line, "reason", event.name);
	if (line.len + 2 * strlen(event.message ? event.message : "") + 8 < MAX_LINE)
		value(&line, "msg", event.message);
	dt_buf_append(out, dt_buf_text(&line), line.len < MAX_LINE ? line.len : MAX_LINE);
	dt_buf_putc(out, '\n');
	out->failed |= line.failed;
	dt_buf_deinit(&code);
	dt_buf_deinit(&line);
	dt_arena_deinit(&arena);
}

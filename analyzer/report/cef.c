/*
 * Common Event Format: CEF:0|vendor|product|version|signature|name|severity|key=value ... on one line under 8 KiB,
 * which is what syslog receivers take in one piece.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "report/cef.h"
#include "report/encodings.h"
#include "report/event.h"
#include "report/evidence.h"

enum { MAX_LINE = 8000, MAX_VALUE = 400, FRAMES = 16 };

/* In the header | and \ are escaped, in values = and \; a header has no line breaks. Other control characters are in no text of ours. */
static void escaped(struct dt_buf *out, const char *text, size_t len, bool value)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '\n' && value) {
			dt_buf_puts(out, "\\n");
			continue;
		}
		if (c == '\\' || c == (value ? '=' : '|'))
			dt_buf_putc(out, '\\');
		dt_buf_putc(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
	}
}

void dt_cef_header(struct dt_buf *out, const char *text)
{
	escaped(out, text, dt_text_fit(text, MAX_VALUE), false);
	dt_buf_putc(out, '|');
}

/* What has no room any more is left out whole. */
void dt_cef_value(struct dt_buf *out, const char *key, const char *text)
{
	size_t before = out->len;

	if (!text || !*text)
		return;
	dt_buf_printf(out, " %s=", key);
	escaped(out, text, dt_text_fit(text, MAX_VALUE), true);
	if (out->len > MAX_LINE) {
		out->len = before;
		out->data[before] = '\0';
	}
}

void dt_cef_labelled(struct dt_buf *out, const char *key, const char *label, const char *text)
{
	size_t before = out->len, with_label;
	char name[32];

	if (!text || !*text)
		return;
	snprintf(name, sizeof(name), "%sLabel", key);
	dt_cef_value(out, name, label);
	with_label = out->len;
	dt_cef_value(out, key, text);
	/* A label alone says nothing. */
	if (out->len == with_label && before != with_label) {
		out->len = before;
		out->data[before] = '\0';
	}
}

void dt_cef_time(struct dt_buf *out, const char *key, uint64_t filetime)
{
	if (filetime > DT_TIME_UNIX_EPOCH)
		dt_buf_printf(out, " %s=%llu", key, (unsigned long long)dt_time_to_unix_ms(filetime));
}

/* The frames, each on a line. */
static const char *stack(const struct dt_crash *crash, struct dt_arena *arena)
{
	struct dt_buf text;

	dt_buf_init(&text, 1u << 16);
	for (size_t i = 0; i < crash->facts.stack_count && i < FRAMES; i++) {
		if (i)
			dt_buf_putc(&text, '\n');
		dt_put_place(&text, crash->facts.stack[i].module, crash->facts.stack[i].offset, crash->facts.stack[i].ip);
	}
	const char *copy = dt_buf_ok(&text) ? dt_arena_strdup(arena, dt_buf_text(&text)) : NULL;
	dt_buf_deinit(&text);
	return copy;
}

static void numbers(struct dt_buf *out, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;

	/* rt is when the event came to be known: alert rules look at it. A dump may come days after its crash. */
	dt_cef_time(out, "rt", event->created);
	if (event->time != event->created)
		dt_cef_time(out, "start", event->time);
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
	struct dt_arena arena;
	struct dt_event event;
	struct dt_buf line, code;

	dt_arena_init(&arena, 64u << 20);
	dt_buf_init(&line, 1u << 17);
	dt_buf_init(&code, 256);
	dt_event_make(crash, "cef", style->unmasked, &arena, &event);
	const struct dt_facts *facts = &event.crash->facts;
	const struct dt_judgement *judgement = &event.crash->judgement;
	const char *class = dt_word(&dt_words_verdict_class, judgement->verdict.class);
	dt_buf_puts(&line, "CEF:0|dumptriage|dumptriage|" DT_VERSION "|");
	dt_cef_header(&line, event.match ? event.match->signature : class ? class : "unknown");
	dt_cef_header(&line, event.match && event.match->title ? event.match->title : event.name ? event.name : event.unread ? "unreadable dump" : "crash dump");
	dt_buf_printf(&line, "%u|", event.severity / 10);
	numbers(&line, &event);
	dt_cef_value(&line, "externalId", event.id);
	dt_cef_value(&line, "dhost", facts->host.name);
	dt_cef_value(&line, "act", event.action);
	dt_cef_value(&line, "cat", class);
	dt_cef_value(&line, "fname", facts->file.name);
	dt_cef_value(&line, "filePath", event.path);
	dt_cef_value(&line, "fileHash", facts->file.sha256);
	dt_cef_value(&line, "sproc", facts->process.name);
	dt_cef_labelled(&line, "cs1", "faultModule", place(facts->fault.module, facts->fault.offset, &arena));
	if (event.code.known)
		dt_buf_hex(&code, event.code.value);
	dt_cef_labelled(&line, "cs2", "code", dt_buf_text(&code));
	dt_cef_labelled(&line, "cs3", "bucket", judgement->bucket.own);
	dt_cef_labelled(&line, "cs4", "blamedModule", place(judgement->blame.module, judgement->blame.offset, &arena));
	dt_cef_labelled(&line, "cs5", "crashId", facts->crash_id);
	dt_cef_value(&line, "reason", event.name);
	dt_cef_labelled(&line, "flexString2", "pathHash", event.path_hash);
	dt_cef_value(&line, "msg", event.message);
	/* The last to come is the first to be dropped. */
	dt_cef_labelled(&line, "flexString1", "stack", stack(event.crash, &arena));
	dt_buf_append(out, dt_buf_text(&line), line.len);
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, &line, &arena);
	dt_buf_deinit(&code);
	dt_buf_deinit(&line);
	dt_arena_deinit(&arena);
}

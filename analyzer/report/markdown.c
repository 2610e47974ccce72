/* For a ticket or a wiki: Markdown, and the fields of a service desk. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "report/encodings.h"
#include "report/event.h"
#include "report/evidence.h"

enum { FRAMES = 10, TITLE = 160, REASONS = 24 };

/* Text of a dump is no Markdown: what would be read as such is escaped. */
static void plain(struct dt_buf *out, const char *text)
{
	for (; text && *text; text++) {
		if (strchr("\\`*{}[]<>#|~&", *text))
			dt_buf_putc(out, '\\');
		dt_buf_putc(out, *text);
	}
}

static void row(struct dt_buf *out, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	dt_buf_printf(out, "| %s | ", label);
	plain(out, text);
	dt_buf_puts(out, " |\n");
}

static void place_row(struct dt_buf *out, const char *label, const char *module, struct dt_opt offset)
{
	struct dt_buf text;

	if (!module)
		return;
	dt_buf_init(&text, 4096);
	dt_put_place(&text, module, offset, (struct dt_opt){ 0 });
	row(out, label, dt_buf_text(&text));
	dt_buf_deinit(&text);
}

static void evidence(struct dt_buf *out, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;
	char time[DT_TIME_TEXT_MAX] = "", code[200] = "";

	if (event->code.known)
		snprintf(code, sizeof(code), "0x%llx %s", (unsigned long long)event->code.value, event->name ? event->name : "");
	if (facts->dump.time)
		dt_time_format(facts->dump.time, time);
	dt_buf_puts(out, "\n| | |\n|---|---|\n");
	row(out, event->user ? "Exception" : "Stop code", code);
	for (size_t i = 0; facts->bugcheck && i < facts->bugcheck->parameters_count; i++) {
		char label[32], number[64];
		const char *meaning = i < facts->bugcheck->meanings_count ? facts->bugcheck->meanings[i] : NULL;
		struct dt_buf text;
		dt_buf_init(&text, 8192);
		snprintf(label, sizeof(label), "Parameter %zu", i + 1);
		snprintf(number, sizeof(number), "0x%llx ", (unsigned long long)facts->bugcheck->parameters[i]);
		dt_buf_puts(&text, number);
		dt_buf_puts(&text, meaning ? meaning : "");
		row(out, label, dt_buf_text(&text));
		dt_buf_deinit(&text);
	}
	place_row(out, "Fault", facts->fault.module, facts->fault.offset);
	row(out, "Instruction", facts->fault.instruction);
	place_row(out, "Blamed", event->crash->judgement.blame.module, event->crash->judgement.blame.offset);
	row(out, "Process", facts->process.name);
	row(out, "Host", facts->host.name);
	row(out, "Windows", facts->dump.os);
	row(out, event->live ? "Captured" : "Crashed", time);
	row(out, "File", event->path);
	row(out, "Crash id", facts->crash_id);
}

static void stack(struct dt_buf *out, const struct dt_facts *facts)
{
	if (!facts->stack_count)
		return;
	dt_buf_puts(out, "\nStack (how each frame was found):\n\n");
	for (size_t i = 0; i < facts->stack_count && i < FRAMES; i++) {
		struct dt_buf text;
		dt_buf_init(&text, 4096);
		dt_put_place(&text, facts->stack[i].module, facts->stack[i].offset, facts->stack[i].ip);
		dt_buf_puts(out, "- ");
		plain(out, dt_buf_text(&text));
		dt_buf_printf(out, " (%s)\n", dt_or_unknown(dt_word(&dt_words_trust, facts->stack[i].trust)));
		dt_buf_deinit(&text);
	}
}

/* Steps are Markdown already; branches stand below their step. */
static void steps(struct dt_buf *out, const struct dt_verdict *verdict)
{
	unsigned number = 0;

	if (!verdict->next_steps_count)
		return;
	dt_buf_puts(out, "\n**What to do**\n\n");
	for (size_t i = 0; i < verdict->next_steps_count; i++)
		if (!strncmp(verdict->next_steps[i], "- ", 2))
			dt_buf_printf(out, "   %s\n", verdict->next_steps[i]);
		else
			dt_buf_printf(out, "%u. %s\n", ++number, verdict->next_steps[i]);
}

/* What stands apart from the crash. */
static void findings(struct dt_buf *out, const struct dt_judgement *judgement)
{
	if (judgement->findings_count)
		dt_buf_puts(out, "\nAlso found on this computer, and not the cause:\n\n");
	for (size_t i = 0; i < judgement->findings_count; i++) {
		dt_buf_puts(out, "- ");
		plain(out, judgement->findings[i].text);
		if (judgement->findings[i].reference) {
			dt_buf_puts(out, ": ");
			plain(out, judgement->findings[i].reference);
		}
		dt_buf_putc(out, '\n');
	}
}

static void body(struct dt_buf *out, const struct dt_event *event)
{
	const struct dt_verdict *verdict = &event->crash->judgement.verdict;

	dt_buf_printf(out, "**%s**", dt_or_unknown(dt_word(&dt_words_verdict_class, verdict->class)));
	if (verdict->confidence.known)
		dt_buf_printf(out, " (confidence %llu of 100)", (unsigned long long)verdict->confidence.value);
	dt_buf_puts(out, ": ");
	plain(out, verdict->summary);
	dt_buf_putc(out, '\n');
	steps(out, verdict);
	evidence(out, event);
	if (verdict->reasons_count) {
		dt_buf_puts(out, "\nWhy:\n\n");
		for (size_t i = 0; i < verdict->reasons_count && i < REASONS; i++) {
			dt_buf_puts(out, "- ");
			plain(out, verdict->reasons[i]);
			dt_buf_putc(out, '\n');
		}
		if (verdict->reasons_count > REASONS)
			dt_buf_printf(out, "- and %zu more in the record\n", verdict->reasons_count - REASONS);
	}
	findings(out, &event->crash->judgement);
	stack(out, &event->crash->facts);
}

void dt_report_markdown(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	struct dt_arena arena;
	struct dt_event event;

	(void)style;
	dt_arena_init(&arena, 4u << 20);
	dt_event_make(crash, "markdown", false, &arena, &event);
	dt_buf_puts(out, "### ");
	plain(out, crash->facts.file.name ? crash->facts.file.name : "crash dump");
	dt_buf_puts(out, "\n\n");
	body(out, &event);
	dt_arena_deinit(&arena);
}

/* Cut at a word's end, with "..." behind it, when it is longer than a ticket's title may be. */
static void short_description(struct dt_buf *out, const char *title)
{
	static const char more[] = "...";
	size_t whole = strlen(title), len = dt_text_fit(title, TITLE);

	if (len < whole) {
		len = dt_text_fit(title, TITLE - strlen(more));
		for (size_t at = len; at > TITLE / 2; at--)
			if (title[at] == ' ') {
				len = at;
				break;
			}
	}
	dt_buf_printf(out, "Short description: %.*s%s\n", (int)len, title, len < whole ? more : "");
}

/* Impact and urgency from 1 (high) to 3, as service desks count. */
void dt_report_ticket(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	struct dt_arena arena;
	struct dt_event event;
	struct dt_buf title;

	(void)style;
	dt_arena_init(&arena, 4u << 20);
	dt_buf_init(&title, 1u << 16);
	dt_event_make(crash, "ticket", false, &arena, &event);
	dt_buf_printf(&title, "%s: %s", crash->facts.host.name ? crash->facts.host.name : "Windows crash",
	              crash->judgement.verdict.summary ? crash->judgement.verdict.summary : "a crash dump");
	short_description(out, dt_buf_text(&title));
	dt_buf_printf(out, "Impact: %d\nUrgency: %d\n", event.alert ? 1 : 3, event.severity >= 50 ? 2 : 3);
	dt_buf_printf(out, "Correlation id: %s\n",
	              event.match ? event.match->signature : crash->judgement.bucket.own ? crash->judgement.bucket.own : event.id);
	if (crash->facts.host.name)
		dt_buf_printf(out, "Configuration item: %s\n", crash->facts.host.name);
	dt_buf_puts(out, "Description:\n\n");
	body(out, &event);
	dt_buf_deinit(&title);
	dt_arena_deinit(&arena);
}

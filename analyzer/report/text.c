#include "report/text.h"

#include <stdio.h>
#include <string.h>

#include "core/model/field.h"
#include "report/evidence.h"
#include "report/page.h"

enum { SHORT_STACK = 10, SHORT_NOTES = 4, SHORT_REASONS = 6 };

static enum dt_ink class_ink(enum dt_verdict_class class)
{
	switch (class) {
	case DT_CLASS_KNOWN_INCIDENT:
	case DT_CLASS_HARDWARE:
		return DT_INK_RED;
	case DT_CLASS_DRIVER:
	case DT_CLASS_APPLICATION:
	case DT_CLASS_OS:
		return DT_INK_YELLOW;
	case DT_CLASS_REQUESTED:
	case DT_CLASS_RECOVERED:
		return DT_INK_GREEN;
	default:
		return DT_INK_BOLD;
	}
}

static void verdict(struct dt_page *page, const struct dt_crash *crash)
{
	const struct dt_verdict *verdict = &crash->judgement.verdict;

	dt_page_ink(page, DT_INK_DIM, dt_or_unknown(crash->facts.file.path));
	dt_buf_putc(page->out, '\n');
	const char *class = dt_or_unknown(dt_word(&dt_words_verdict_class, verdict->class));
	char sure[40] = ": ";
	if (verdict->confidence.known)
		snprintf(sure, sizeof(sure), " (confidence %u of 100): ", (unsigned)verdict->confidence.value);
	dt_page_ink(page, class_ink(verdict->class), class);
	dt_buf_puts(page->out, sure);
	dt_page_wrap(page, (unsigned)(strlen(class) + strlen(sure)), 0, verdict->summary ? verdict->summary : "no verdict");
}

/* A step without its Markdown: emphasis and code marks are for pages. The caller frees nothing: out is a buffer. */
static const char *plain(const char *markdown, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = markdown; *p && n + 1 < size; p++)
		if (*p != '`' && *p != '*')
			out[n++] = *p;
		/* A star in a name (C-00000291*.sys) is no emphasis: it stands between code marks. */
		else if (*p == '*' && p > markdown && p[1] == '.')
			out[n++] = *p;
	out[n] = '\0';
	return out;
}

static void reasons(struct dt_page *page, const struct dt_verdict *verdict, size_t most)
{
	if (verdict->reasons_count == 0)
		return;
	dt_page_heading(page, "Why");
	for (size_t i = 0; i < verdict->reasons_count && i < most; i++) {
		dt_buf_puts(page->out, "  - ");
		dt_page_wrap(page, 4, 4, verdict->reasons[i]);
	}
	if (verdict->reasons_count > most)
		dt_buf_printf(page->out, "    (%zu more: --verbose)\n", verdict->reasons_count - most);
}

/* Steps are numbered; their branches, which begin with "- ", stand below them. */
static void next_steps(struct dt_page *page, const struct dt_verdict *verdict)
{
	char text[2048];

	if (verdict->next_steps_count == 0)
		return;
	dt_page_heading(page, "What to do");
	for (size_t i = 0, number = 1; i < verdict->next_steps_count; i++) {
		const char *step = plain(verdict->next_steps[i], text, sizeof(text));
		bool branch = !strncmp(step, "- ", 2);
		if (branch)
			dt_buf_puts(page->out, "    - ");
		else
			dt_buf_printf(page->out, "%2zu. ", number++);
		dt_page_wrap(page, branch ? 6 : 4, branch ? 6 : 4, branch ? step + 2 : step);
	}
}

static void stack(struct dt_page *page, const struct dt_facts *facts)
{
	size_t most = page->style->verbose ? facts->stack_count : SHORT_STACK;

	if (facts->stack_count == 0)
		return;
	dt_page_heading(page, "Stack (how each frame was found; scan: may be left over from earlier calls)");
	for (size_t i = 0; i < facts->stack_count && i < most; i++) {
		const struct dt_frame *frame = &facts->stack[i];
		dt_buf_printf(page->out, " %3zu  %-13s ", i, dt_or_unknown(dt_word(&dt_words_trust, frame->trust)));
		dt_put_place(page->out, frame->module, frame->offset, frame->ip);
		if (frame->symbol)
			dt_buf_printf(page->out, "  %s+0x%llx", frame->symbol, (unsigned long long)frame->displacement.value);
		if (frame->unloaded == DT_TRUE)
			dt_buf_puts(page->out, "  (unloaded)");
		dt_buf_putc(page->out, '\n');
	}
	if (facts->stack_count > most)
		dt_buf_printf(page->out, "      (%zu more: --verbose)\n", facts->stack_count - most);
}

static void match(struct dt_page *page, const struct dt_match *match)
{
	char heading[512];

	snprintf(heading, sizeof(heading), "Signature %s, version %s: %s", match->signature, dt_or_unknown(match->version),
	         dt_or_unknown(dt_word(&dt_words_grade, match->grade)));
	dt_page_heading(page, heading);
	for (size_t i = 0; i < match->evidence_count; i++) {
		const struct dt_evidence *e = &match->evidence[i];
		enum dt_ink ink = e->state == DT_FACT_PRESENT ? DT_INK_GREEN : e->state == DT_FACT_CONTRADICTED ? DT_INK_RED : DT_INK_DIM;
		char state[16], text[1024];
		snprintf(state, sizeof(state), "  %-13s", dt_or_unknown(dt_word(&dt_words_fact_state, e->state)));
		snprintf(text, sizeof(text), "%s%s%s", dt_or_unknown(e->fact), e->value ? ": " : "", e->value ? e->value : "");
		/* One line each, cut at the edge: --verbose has all of it. */
		size_t cut = page->width - 20;
		if (!page->style->verbose && strlen(text) > cut + 3) {
			while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
				cut--;
			snprintf(text + cut, 4, "...");
		}
		dt_page_ink(page, ink, state);
		dt_page_wrap(page, 15, 16, text);
	}
}

static void registers(struct dt_page *page, const struct dt_facts *facts)
{
	if (!page->style->verbose || facts->registers_count == 0)
		return;
	dt_page_heading(page, "Registers of the fault");
	for (size_t i = 0; i < facts->registers_count; i++) {
		const struct dt_register *r = &facts->registers[i];
		char value[24] = "not known";
		if (r->value.known)
			snprintf(value, sizeof(value), "0x%llx", (unsigned long long)r->value.value);
		dt_buf_printf(page->out, "  %-7s %-20s%s", r->name, value,
		              i % 3 == 2 || i + 1 == facts->registers_count ? "\n" : "");
	}
}

static void modules(struct dt_page *page, const struct dt_facts *facts)
{
	if (!page->style->verbose || facts->modules_count == 0)
		return;
	dt_page_heading(page, "Modules");
	for (size_t i = 0; i < facts->modules_count; i++) {
		const struct dt_module *m = &facts->modules[i];
		dt_buf_printf(page->out, "  0x%-16llx 0x%-8llx %s%s%s\n", (unsigned long long)m->base.value,
		              (unsigned long long)m->size.value, dt_or_unknown(m->name), m->version ? "  " : "",
		              m->version ? m->version : "");
	}
}

static void oddities(struct dt_page *page, const struct dt_facts *facts)
{
	size_t most = page->style->verbose ? facts->notes_count : SHORT_NOTES, warnings = 0;

	for (size_t i = 0; i < facts->notes_count; i++)
		warnings += page->style->verbose || facts->notes[i].level == DT_NOTE_WARNING;
	if (warnings == 0)
		return;
	dt_page_heading(page, "Notes on the file");
	for (size_t i = 0, shown = 0; i < facts->notes_count && shown < most; i++) {
		const struct dt_note *note = &facts->notes[i];
		char text[1200];
		if (!page->style->verbose && note->level != DT_NOTE_WARNING)
			continue;
		snprintf(text, sizeof(text), "%s: %s", dt_or_unknown(note->where), dt_or_unknown(note->text));
		dt_buf_puts(page->out, "  - ");
		dt_page_wrap(page, 4, 4, text);
		shown++;
	}
	if (warnings > most)
		dt_buf_printf(page->out, "    (%zu more: --verbose)\n", warnings - most);
}

static void blame(struct dt_page *page, const struct dt_judgement *judgement)
{
	const struct dt_blame *blame = &judgement->blame;
	struct dt_buf text;

	dt_buf_init(&text, 2048);
	if (blame->module) {
		dt_put_place(&text, blame->module, blame->offset, (struct dt_opt){ 0 });
		dt_buf_printf(&text, " (confidence %u): ", (unsigned)blame->confidence.value);
	} else if (blame->reason) {
		dt_buf_puts(&text, "nobody: ");
	}
	if (blame->reason)
		dt_buf_puts(&text, blame->reason);
	if (text.len) {
		dt_page_heading(page, "Blame");
		dt_page_row(page, "At fault", dt_buf_text(&text));
	}
	for (size_t i = 0; i < blame->candidates_count; i++) {
		dt_buf_reset(&text);
		dt_put_place(&text, blame->candidates[i].module, blame->candidates[i].offset, (struct dt_opt){ 0 });
		dt_buf_printf(&text, ": %s", dt_or_unknown(blame->candidates[i].reason));
		dt_page_row(page, i ? "" : "Candidates", dt_buf_text(&text));
	}
	dt_page_row(page, "Bucket", judgement->bucket.own);
	dt_buf_deinit(&text);
}

/* What stands apart from the crash. */
static void findings(struct dt_page *page, const struct dt_judgement *judgement)
{
	if (judgement->findings_count)
		dt_page_heading(page, "Also found on this computer (not the cause)");
	for (size_t i = 0; i < judgement->findings_count; i++) {
		dt_page_row(page, dt_or_unknown(judgement->findings[i].module), dt_or_unknown(judgement->findings[i].text));
		dt_page_row(page, "", judgement->findings[i].reference);
	}
}

void dt_report_text(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	const struct dt_verdict *judged = &crash->judgement.verdict;
	struct dt_page page;

	dt_page_init(&page, style, out);
	verdict(&page, crash);
	next_steps(&page, judged);
	/* A signature's facts are its reasons: they are listed below, with their state. */
	if (style->verbose || crash->judgement.matches_count == 0)
		reasons(&page, judged, style->verbose ? SIZE_MAX : SHORT_REASONS);
	for (size_t i = 0; i < crash->judgement.matches_count && (style->verbose || i < 1); i++)
		match(&page, &crash->judgement.matches[i]);
	dt_report_evidence(&page, &crash->facts);
	if (judged->class != DT_CLASS_UNREADABLE)
		blame(&page, &crash->judgement);
	findings(&page, &crash->judgement);
	stack(&page, &crash->facts);
	registers(&page, &crash->facts);
	modules(&page, &crash->facts);
	oddities(&page, &crash->facts);
}

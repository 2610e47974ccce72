#include "report/text.h"

#include <stdio.h>
#include <string.h>

#include "core/base/time.h"
#include "core/model/field.h"
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

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

/* "csagent.sys+0xe14ed"; "0x1234" where no module holds the address. */
static void put_place(struct dt_buf *out, const char *module, struct dt_opt offset, struct dt_opt ip)
{
	if (module) {
		dt_buf_puts(out, module);
		if (offset.known) {
			dt_buf_putc(out, '+');
			dt_buf_hex(out, offset.value);
		}
	} else if (ip.known) {
		dt_buf_hex(out, ip.value);
	}
}

static void verdict(struct dt_page *page, const struct dt_crash *crash)
{
	const struct dt_verdict *verdict = &crash->judgement.verdict;

	dt_page_ink(page, DT_INK_DIM, or_unknown(crash->facts.file.path));
	dt_buf_putc(page->out, '\n');
	const char *class = or_unknown(dt_word(&dt_words_verdict_class, verdict->class));
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

static void bugcheck(struct dt_page *page, const struct dt_bugcheck *bugcheck)
{
	struct dt_buf *out = page->out;

	if (!bugcheck)
		return;
	dt_page_rowf(page, "Stop code", "0x%llx %s%s", (unsigned long long)bugcheck->code.value,
	             bugcheck->name ? bugcheck->name : "(in no public list)",
	             bugcheck->minidump_flag == DT_TRUE ? " (the minidump writer's 0x10000000 removed)" : "");
	for (size_t i = 0; i < bugcheck->parameters_count; i++) {
		int at = 16;
		dt_buf_printf(out, "                %zu: ", i + 1);
		size_t before = out->len;
		dt_buf_hex(out, bugcheck->parameters[i]);
		at += 3 + (int)(out->len - before);
		if (i < bugcheck->meanings_count && bugcheck->meanings[i]) {
			dt_buf_puts(out, "  ");
			dt_page_wrap(page, (unsigned)at + 2, 40, bugcheck->meanings[i]);
		} else {
			dt_buf_putc(out, '\n');
		}
	}
	if (bugcheck->subject && bugcheck->subject->name)
		dt_page_rowf(page, "About", "%s %s", bugcheck->subject->kind, bugcheck->subject->name);
}

static void exception(struct dt_page *page, const struct dt_exception *exception)
{
	struct dt_buf text;

	dt_buf_init(&text, 2048);
	if (exception->code.known) {
		dt_buf_hex(&text, exception->code.value);
		dt_buf_printf(&text, " %s", exception->name ? exception->name : "");
	}
	if (exception->access)
		dt_buf_printf(&text, "%s%s", text.len ? ", " : "", dt_word(&dt_words_access, exception->access));
	if (exception->address.known) {
		dt_buf_puts(&text, text.len ? (exception->access ? " of " : ", address ") : "access to ");
		dt_buf_hex(&text, exception->address.value);
	}
	if (exception->detail)
		dt_buf_printf(&text, "%s%s", text.len ? "; " : "", exception->detail);
	dt_page_row(page, exception->code.known ? "Exception" : "Access", dt_buf_text(&text));
	dt_buf_deinit(&text);
}

static void fault(struct dt_page *page, const struct dt_fault *fault)
{
	struct dt_buf text;

	if (!fault->ip.known)
		return;
	dt_buf_init(&text, 2048);
	put_place(&text, fault->module, fault->offset, fault->ip);
	if (fault->module)
		dt_buf_printf(&text, " (0x%llx)", (unsigned long long)fault->ip.value);
	else if (fault->unloaded)
		dt_buf_printf(&text, ", where %s was before it was unloaded", fault->unloaded);
	else
		dt_buf_puts(&text, ", in no loaded module");
	dt_buf_printf(&text, ", from the %s", or_unknown(dt_word(&dt_words_fault_source, fault->source)));
	dt_page_row(page, "Fault", dt_buf_text(&text));
	dt_page_row(page, "Instruction", fault->instruction);
	if (!fault->instruction)
		dt_page_row(page, "Instruction", fault->bytes.len ? "bytes there are no instruction we can decode"
		                                                  : "its bytes are not in the dump");
	dt_buf_deinit(&text);
}

static void where(struct dt_page *page, const struct dt_facts *facts)
{
	char time[DT_TIME_TEXT_MAX];
	struct dt_buf text;

	dt_buf_init(&text, 2048);
	if (facts->process.name)
		dt_buf_puts(&text, facts->process.name);
	if (facts->process.pid.known)
		dt_buf_printf(&text, "%s(%llu)", text.len ? " " : "process ", (unsigned long long)facts->process.pid.value);
	if (facts->process.thread_id.known)
		dt_buf_printf(&text, "%sthread %llu", text.len ? ", " : "", (unsigned long long)facts->process.thread_id.value);
	if (facts->cpu.number.known)
		dt_buf_printf(&text, "%sprocessor %llu", text.len ? ", " : "", (unsigned long long)facts->cpu.number.value);
	if (facts->cpu.irql.known)
		dt_buf_printf(&text, ", IRQL %llu", (unsigned long long)facts->cpu.irql.value);
	dt_page_row(page, "Process", dt_buf_text(&text));
	dt_page_row(page, "System", facts->dump.os);
	dt_buf_reset(&text);
	if (facts->dump.time && dt_time_format(facts->dump.time - facts->dump.time % DT_TIME_SECOND, time)) {
		dt_buf_puts(&text, time);
		if (facts->dump.time_trust == DT_TIME_IMPLAUSIBLE)
			dt_buf_puts(&text, " (that clock cannot be right)");
	}
	if (facts->dump.uptime_s.known)
		dt_buf_printf(&text, "%safter %llu s", text.len ? ", " : "", (unsigned long long)facts->dump.uptime_s.value / 1000);
	dt_page_row(page, "Time", dt_buf_text(&text));
	dt_buf_reset(&text);
	if (facts->system.manufacturer || facts->system.model)
		dt_buf_printf(&text, "%s %s", facts->system.manufacturer ? facts->system.manufacturer : "",
		              facts->system.model ? facts->system.model : "");
	if (facts->system.bios)
		dt_buf_printf(&text, "%sBIOS %s", text.len ? ", " : "", facts->system.bios);
	dt_page_row(page, "Computer", dt_buf_text(&text));
	dt_page_row(page, "Host", facts->host.name);
	dt_buf_deinit(&text);
}

static void stack(struct dt_page *page, const struct dt_facts *facts)
{
	size_t most = page->style->verbose ? facts->stack_count : SHORT_STACK;

	if (facts->stack_count == 0)
		return;
	dt_page_heading(page, "Stack (how each frame was found; scan: may be left over from earlier calls)");
	for (size_t i = 0; i < facts->stack_count && i < most; i++) {
		const struct dt_frame *frame = &facts->stack[i];
		dt_buf_printf(page->out, " %3zu  %-13s ", i, or_unknown(dt_word(&dt_words_trust, frame->trust)));
		put_place(page->out, frame->module, frame->offset, frame->ip);
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

	snprintf(heading, sizeof(heading), "Signature %s, version %s: %s", match->signature, or_unknown(match->version),
	         or_unknown(dt_word(&dt_words_grade, match->grade)));
	dt_page_heading(page, heading);
	for (size_t i = 0; i < match->evidence_count; i++) {
		const struct dt_evidence *e = &match->evidence[i];
		enum dt_ink ink = e->state == DT_FACT_PRESENT ? DT_INK_GREEN : e->state == DT_FACT_CONTRADICTED ? DT_INK_RED : DT_INK_DIM;
		char state[16], text[1024];
		snprintf(state, sizeof(state), "  %-13s", or_unknown(dt_word(&dt_words_fact_state, e->state)));
		snprintf(text, sizeof(text), "%s%s%s", or_unknown(e->fact), e->value ? ": " : "", e->value ? e->value : "");
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
		              (unsigned long long)m->size.value, or_unknown(m->name), m->version ? "  " : "",
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
		snprintf(text, sizeof(text), "%s: %s", or_unknown(note->where), or_unknown(note->text));
		dt_buf_puts(page->out, "  - ");
		dt_page_wrap(page, 4, 4, text);
		shown++;
	}
	if (warnings > most)
		dt_buf_printf(page->out, "    (%zu more: --verbose)\n", warnings - most);
}

static void evidence(struct dt_page *page, const struct dt_facts *facts)
{
	const struct dt_dump_facts *dump = &facts->dump;

	if (!dump->format && !facts->failure)
		return;
	dt_page_heading(page, "Evidence");
	if (facts->failure) {
		if (facts->failure->offset.known)
			dt_page_rowf(page, "Unreadable", "%s (at offset 0x%llx)", facts->failure->text,
			             (unsigned long long)facts->failure->offset.value);
		else
			dt_page_row(page, "Unreadable", facts->failure->text);
	}
	if (dump->format)
		dt_page_rowf(page, "Dump", "%s %s, %s%s", or_unknown(dt_word(&dt_words_format, dump->format)),
		             or_unknown(dt_word(&dt_words_kind, dump->kind)), or_unknown(dt_word(&dt_words_machine, dump->machine)),
		             dump->complete == DT_FALSE ? ", not complete" : "");
	bugcheck(page, facts->bugcheck);
	exception(page, &facts->exception);
	fault(page, &facts->fault);
	for (size_t i = 0; i < facts->anomalies_count; i++)
		dt_page_row(page, "Anomaly", facts->anomalies[i].text);
	for (size_t i = 0; i < facts->suspects_count; i++) {
		struct dt_buf text;
		dt_buf_init(&text, 1024);
		put_place(&text, facts->suspects[i].module, facts->suspects[i].offset, (struct dt_opt){ 0 });
		dt_buf_printf(&text, " (%s)", facts->suspects[i].from);
		dt_page_row(page, "Named", dt_buf_text(&text));
		dt_buf_deinit(&text);
	}
	where(page, facts);
	for (size_t i = 0; i < facts->annotations_count && (page->style->verbose || i < 3); i++)
		dt_page_rowf(page, "Says", "%s%s%s: %s", or_unknown(facts->annotations[i].source),
		             facts->annotations[i].key ? " " : "", facts->annotations[i].key ? facts->annotations[i].key : "",
		             or_unknown(facts->annotations[i].value));
	for (size_t i = 0; i < dump->missing_count && (page->style->verbose || i < 4); i++)
		dt_page_row(page, "Missing", dump->missing[i]);
}

static void blame(struct dt_page *page, const struct dt_judgement *judgement)
{
	const struct dt_blame *blame = &judgement->blame;
	struct dt_buf text;

	dt_buf_init(&text, 2048);
	if (blame->module) {
		put_place(&text, blame->module, blame->offset, (struct dt_opt){ 0 });
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
		put_place(&text, blame->candidates[i].module, blame->candidates[i].offset, (struct dt_opt){ 0 });
		dt_buf_printf(&text, ": %s", or_unknown(blame->candidates[i].reason));
		dt_page_row(page, i ? "" : "Candidates", dt_buf_text(&text));
	}
	dt_page_row(page, "Bucket", judgement->bucket.own);
	dt_buf_deinit(&text);
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
	evidence(&page, &crash->facts);
	blame(&page, &crash->judgement);
	stack(&page, &crash->facts);
	registers(&page, &crash->facts);
	modules(&page, &crash->facts);
	oddities(&page, &crash->facts);
}

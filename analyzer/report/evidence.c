#include "report/evidence.h"

#include <stdio.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"

const char *dt_or_unknown(const char *text)
{
	return text ? text : "unknown";
}

void dt_put_place(struct dt_buf *out, const char *module, struct dt_opt offset, struct dt_opt ip)
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

static void bugcheck(struct dt_page *page, const struct dt_bugcheck *bugcheck)
{
	if (!bugcheck)
		return;
	dt_page_rowf(page, "Stop code", "0x%llx %s%s", (unsigned long long)bugcheck->code.value,
	             bugcheck->name ? bugcheck->name : "(in no public list)",
	             bugcheck->minidump_flag == DT_TRUE ? " (the minidump writer's 0x10000000 removed)" : "");
	for (size_t i = 0; i < bugcheck->parameters_count; i++)
		dt_page_parameter(page, i + 1, bugcheck->parameters[i], i < bugcheck->meanings_count ? bugcheck->meanings[i] : NULL);
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

static void fault(struct dt_page *page, const struct dt_facts *facts)
{
	const struct dt_fault *fault = &facts->fault;
	struct dt_buf text;

	if (!fault->ip.known)
		return;
	dt_buf_init(&text, 2048);
	dt_put_place(&text, fault->module, fault->offset, fault->ip);
	if (fault->module)
		dt_buf_printf(&text, " (0x%llx)", (unsigned long long)fault->ip.value);
	else if (fault->unloaded)
		dt_buf_printf(&text, ", where %s was before it was unloaded", fault->unloaded);
	else if (fault->memory)
		dt_buf_printf(&text, ", in memory of no module (%s)", fault->memory);
	else
		/* Without a list of modules nobody knows whether one is there. */
		dt_buf_puts(&text, facts->modules_count ? ", in no loaded module" : ", of a module that is not known");
	dt_buf_printf(&text, ", from the %s", dt_or_unknown(dt_word(&dt_words_fault_source, fault->source)));
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

/* What Windows kept for the case, where it says what went on. */
static void meanwhile(struct dt_page *page, const struct dt_facts *facts)
{
	const struct dt_boot *boot = facts->boot;
	const struct dt_pnp *pnp = facts->pnp;

	if (boot && (boot->shutting_down == DT_TRUE || boot->sleeping == DT_TRUE || boot->standby == DT_TRUE))
		dt_page_rowf(page, "Meanwhile", "the computer was %s", boot->shutting_down == DT_TRUE ? "shutting down" :
		             boot->sleeping == DT_TRUE ? "going to sleep or waking up" : "in connected standby");
	if (pnp && pnp->in_progress == DT_TRUE && pnp->device)
		dt_page_rowf(page, "Meanwhile", "Plug and Play was busy with %s", pnp->device);
	if (facts->slow_io_count)
		dt_page_rowf(page, "Meanwhile", "%zu %s to a file system took too long", facts->slow_io_count,
		             dt_text_plural(facts->slow_io_count, "request", "requests"));
}

void dt_report_evidence(struct dt_page *page, const struct dt_facts *facts)
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
		dt_page_rowf(page, "Dump", "%s %s%s%s%s", dt_or_unknown(dt_word(&dt_words_format, dump->format)),
		             dt_or_unknown(dt_word(&dt_words_kind, dump->kind)), dump->machine ? ", " : "",
		             dump->machine ? dt_word(&dt_words_machine, dump->machine) : "",
		             dump->complete == DT_FALSE ? ", not complete" : "");
	bugcheck(page, facts->bugcheck);
	exception(page, &facts->exception);
	fault(page, facts);
	for (size_t i = 0; i < facts->anomalies_count; i++)
		dt_page_row(page, "Anomaly", facts->anomalies[i].text);
	for (size_t i = 0; i < facts->suspects_count; i++) {
		struct dt_buf text;
		dt_buf_init(&text, 1024);
		dt_put_place(&text, facts->suspects[i].module, facts->suspects[i].offset, (struct dt_opt){ 0 });
		dt_buf_printf(&text, " (%s)", facts->suspects[i].from);
		dt_page_row(page, "Named", dt_buf_text(&text));
		dt_buf_deinit(&text);
	}
	where(page, facts);
	meanwhile(page, facts);
	for (size_t i = 0; i < facts->annotations_count && (page->style->verbose || i < 3); i++)
		dt_page_rowf(page, "Says", "%s%s%s: %s", dt_or_unknown(facts->annotations[i].source),
		             facts->annotations[i].key ? " " : "", facts->annotations[i].key ? facts->annotations[i].key : "",
		             dt_or_unknown(facts->annotations[i].value));
	for (size_t i = 0; i < dump->missing_count && (page->style->verbose || i < 4); i++)
		dt_page_row(page, "Missing", dump->missing[i]);
}

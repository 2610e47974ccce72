/* OCSF 1.6.0: Detection Finding (2004) for a matched signature, Application Error (6008) otherwise. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "report/encodings.h"
#include "report/envelope.h"
#include "report/event.h"
#include "report/evidence.h"
#include "report/object.h"

enum { FRAMES = 32, SHA256 = 3, REGULAR_FILE = 1, DRIVER = 8 };

/* Class, activity and severity, by number and by name. */
static void put_class(struct dt_put *w, const struct dt_event *event)
{
	static const struct { unsigned least; int id; const char *name; } severities[] = {
		{ 90, 5, "Critical" }, { 70, 4, "High" }, { 40, 3, "Medium" }, { 20, 2, "Low" }, { 0, 1, "Informational" },
	};
	size_t at = 0;

	dt_put_number(w, "activity_id", 1);
	dt_put_text(w, "activity_name", event->match ? "Create" : "General Error");
	dt_put_number(w, "category_uid", event->match ? 2 : 6);
	dt_put_text(w, "category_name", event->match ? "Findings" : "Application Activity");
	dt_put_number(w, "class_uid", event->match ? 2004 : 6008);
	dt_put_text(w, "class_name", event->match ? "Detection Finding" : "Application Error");
	dt_put_number(w, "type_uid", event->match ? 200401 : 600801);
	dt_put_text(w, "type_name", event->match ? "Detection Finding: Create" : "Application Error: General Error");
	dt_put_number(w, "time", dt_time_to_unix_ms(event->match ? event->created : event->time));
	while (event->severity < severities[at].least)
		at++;
	dt_put_number(w, "severity_id", severities[at].id);
	dt_put_text(w, "severity", severities[at].name);
	dt_put_number(w, "status_id", event->match ? 1 : 2);
	dt_put_text(w, "status", event->match ? "New" : "Failure");
	dt_put_text(w, "message", event->message);
}

static void put_metadata(struct dt_put *w, const struct dt_event *event)
{
	char code[24], time[DT_TIME_TEXT_MAX];

	dt_put_open(w, "metadata", '{');
	dt_put_text(w, "version", "1.6.0");
	dt_put_text(w, "uid", event->id);
	dt_put_text(w, "correlation_uid", event->match ? event->match->signature : event->crash->judgement.bucket.family);
	if (event->code.known) {
		snprintf(code, sizeof(code), "0x%08llx", (unsigned long long)event->code.value);
		dt_put_text(w, "event_code", code);
	}
	dt_put_ocsf_log(w);
	dt_put_number(w, "logged_time", dt_time_to_unix_ms(event->created));
	if (dt_time_format(event->time, time))
		dt_put_text(w, "original_time", time);
	dt_put_texts(w, "profiles", (const char *const[]){ "host" }, 1);
	dt_put_ocsf_product(w);
	dt_put_close(w, '}');
}

static void put_device(struct dt_put *w, const struct dt_facts *facts)
{
	char build[24];

	dt_put_open(w, "device", '{');
	dt_put_number(w, "type_id", 0);
	dt_put_text(w, "hostname", facts->host.name ? facts->host.name : "unknown");
	dt_put_open(w, "os", '{');
	dt_put_text(w, "name", facts->dump.os ? facts->dump.os : "Windows");
	dt_put_number(w, "type_id", 100);
	dt_put_text(w, "type", "Windows");
	if (facts->dump.build.known) {
		snprintf(build, sizeof(build), "%llu", (unsigned long long)facts->dump.build.value);
		dt_put_text(w, "build", build);
	}
	dt_put_close(w, '}');
	dt_put_close(w, '}');
}

static void put_finding(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_judgement *judgement = &event->crash->judgement;

	dt_put_open(w, "finding_info", '{');
	dt_put_text(w, "uid", event->crash->facts.crash_id ? event->crash->facts.crash_id : event->id);
	dt_put_text(w, "title", event->match->title ? event->match->title : event->match->signature);
	dt_put_text(w, "desc", judgement->verdict.summary);
	dt_put_number(w, "created_time", dt_time_to_unix_ms(event->created));
	dt_put_number(w, "first_seen_time", dt_time_to_unix_ms(event->time));
	dt_put_number(w, "last_seen_time", dt_time_to_unix_ms(event->time));
	dt_put_open(w, "types", '[');
	dt_put_text(w, NULL, event->user ? "Windows application crash" : "Windows kernel crash");
	dt_put_close(w, ']');
	dt_put_ocsf_analytic(w, event->match->signature, event->match->title, event->match->version);
	dt_put_close(w, '}');
	dt_put_bool(w, "is_alert", event->alert);
	dt_put_opt(w, "confidence_score", judgement->verdict.confidence);
	if (judgement->verdict.next_steps_count) {
		dt_put_open(w, "remediation", '{');
		dt_put_text(w, "desc", judgement->verdict.next_steps[0]);
		dt_put_close(w, '}');
	}
}

static void put_dump_evidence(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_file *file = &event->crash->facts.file;

	dt_put_open(w, NULL, '{');
	dt_put_text(w, "name", "dump");
	dt_put_open(w, "file", '{');
	dt_put_text(w, "name", file->name ? file->name : "unknown");
	dt_put_number(w, "type_id", REGULAR_FILE);
	dt_put_text(w, "path", event->path);
	dt_put_opt(w, "size", file->size);
	if (file->sha256) {
		dt_put_open(w, "hashes", '[');
		dt_put_open(w, NULL, '{');
		dt_put_number(w, "algorithm_id", SHA256);
		dt_put_text(w, "algorithm", "SHA-256");
		dt_put_text(w, "value", file->sha256);
		dt_put_close(w, '}');
		dt_put_close(w, ']');
	}
	dt_put_close(w, '}');
	dt_put_close(w, '}');
}

static void put_evidences(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;

	dt_put_open(w, "evidences", '[');
	put_dump_evidence(w, event);
	if (facts->fault.module) {
		dt_put_open(w, NULL, '{');
		dt_put_text(w, "name", "faulting module");
		dt_put_open(w, "file", '{');
		dt_put_text(w, "name", facts->fault.module);
		dt_put_number(w, "type_id", DRIVER);
		dt_put_close(w, '}');
		dt_put_close(w, '}');
	}
	if (facts->stack_count) {
		dt_put_open(w, NULL, '{');
		dt_put_text(w, "name", "stack");
		dt_put_open(w, "data", '{');
		dt_put_open(w, "frames", '[');
		for (size_t i = 0; i < facts->stack_count && i < FRAMES; i++) {
			struct dt_buf text;
			dt_buf_init(&text, 4096);
			dt_put_place(&text, facts->stack[i].module, facts->stack[i].offset, facts->stack[i].ip);
			dt_put_text(w, NULL, dt_buf_text(&text));
			dt_buf_deinit(&text);
		}
		dt_put_close(w, ']');
		dt_put_close(w, '}');
		dt_put_close(w, '}');
	}
	dt_put_close(w, ']');
}

static void put_unmapped(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;
	const struct dt_judgement *judgement = &event->crash->judgement;
	char name[40];

	dt_put_open(w, "unmapped", '{');
	dt_put_text(w, "verdict", dt_word(&dt_words_verdict_class, judgement->verdict.class));
	dt_put_text(w, "crash_id", facts->crash_id);
	dt_put_text(w, "path_hash", event->path_hash);
	dt_put_text(w, "bucket.own", judgement->bucket.own);
	dt_put_text(w, "bucket.family", judgement->bucket.family);
	dt_put_text(w, "blame.module", judgement->blame.module);
	dt_put_text(w, "fault.module", facts->fault.module);
	dt_put_hex(w, "fault.offset", facts->fault.offset);
	for (size_t i = 0; facts->bugcheck && i < facts->bugcheck->parameters_count; i++) {
		snprintf(name, sizeof(name), "bugcheck.param%zu", i + 1);
		dt_put_hex(w, name, dt_some(facts->bugcheck->parameters[i]));
	}
	dt_put_close(w, '}');
}

static void put_error(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_process *process = &event->crash->facts.process;
	char code[24];

	if (event->code.known) {
		snprintf(code, sizeof(code), "0x%08llx", (unsigned long long)event->code.value);
		dt_put_text(w, "status_code", code);
	}
	dt_put_text(w, "status_detail", event->name ? event->name : event->crash->facts.failure ? event->crash->facts.failure->text : NULL);
	/* A process without its id is none to OCSF. */
	if (!process->pid.known)
		return;
	dt_put_open(w, "actor", '{');
	dt_put_open(w, "process", '{');
	dt_put_opt(w, "pid", process->pid);
	dt_put_text(w, "name", process->name);
	dt_put_close(w, '}');
	dt_put_close(w, '}');
}

void dt_report_ocsf(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	struct dt_put w = { .out = out };
	struct dt_arena arena;
	struct dt_event event;

	dt_arena_init(&arena, 64u << 20);
	dt_event_make(crash, "ocsf", style->unmasked, &arena, &event);
	crash = event.crash;
	dt_put_open(&w, NULL, '{');
	put_class(&w, &event);
	put_metadata(&w, &event);
	put_device(&w, &crash->facts);
	if (event.match) {
		put_finding(&w, &event);
		put_evidences(&w, &event);
	} else {
		put_error(&w, &event);
	}
	put_unmapped(&w, &event);
	dt_put_close(&w, '}');
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, NULL, &arena);
	dt_arena_deinit(&arena);
}

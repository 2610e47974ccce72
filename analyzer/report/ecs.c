/* Elastic Common Schema 9.4.0: one object on a line; arrays only of scalars; own fields under dumptriage. */
#include "report/encodings.h"

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "report/envelope.h"
#include "report/evidence.h"
#include "report/event.h"
#include "report/object.h"

enum { FRAMES = 32, KEYWORD = 1024 };

/* Keywords beyond ignore_above are not indexed: they are cut here. */
static const char *keyword(const char *text, struct dt_arena *arena)
{
	return text ? dt_arena_strndup(arena, text, dt_text_fit(text, KEYWORD)) : NULL;
}

static void put_event(struct dt_put *w, const struct dt_event *event)
{
	static const struct {
		const char *category[2], *type[2];
		size_t categories, types;
	} kinds[] = {
		{ { "host", "driver" }, { "info", "end" }, 2, 2 }, { { "process" }, { "end" }, 1, 1 }, { { "host" }, { "info" }, 1, 1 }
	};
	size_t kind = event->unread || event->live ? 2 : event->user;
	char code[24];

	dt_put_open(w, "event", '{');
	dt_put_text(w, "id", event->id);
	dt_put_text(w, "kind", event->alert ? "alert" : "event");
	dt_put_texts(w, "category", kinds[kind].category, kinds[kind].categories);
	dt_put_texts(w, "type", kinds[kind].type, kinds[kind].types);
	dt_put_text(w, "outcome", event->live ? "success" : "failure");
	dt_put_ecs_source(w);
	dt_put_text(w, "action", event->action);
	if (event->code.known) {
		snprintf(code, sizeof(code), "0x%08llx", (unsigned long long)event->code.value);
		dt_put_text(w, "code", code);
	}
	dt_put_text(w, "reason", event->name);
	dt_put_number(w, "severity", event->severity);
	dt_put_time(w, "created", event->created);
	dt_put_close(w, '}');
}

static void put_host(struct dt_put *w, const struct dt_facts *facts, struct dt_arena *arena)
{
	static const char *const machines[DT_machine_COUNT] = { [DT_MACHINE_X64] = "x86_64", [DT_MACHINE_X86] = "x86", [DT_MACHINE_ARM64] = "arm64" };

	dt_put_open(w, "host", '{');
	dt_put_text(w, "name", keyword(facts->host.name, arena));
	dt_put_text(w, "architecture", machines[facts->dump.machine]);
	if (facts->dump.format == DT_FORMAT_KERNEL && facts->dump.uptime_s.known)
		dt_put_number(w, "uptime", (int64_t)(facts->dump.uptime_s.value / 1000));
	dt_put_open(w, "os", '{');
	dt_put_text(w, "type", "windows");
	dt_put_text(w, "full", keyword(facts->dump.os, arena));
	if (facts->dump.build.known)
		dt_put_text(w, "kernel", dt_arena_printf(arena, "%llu", (unsigned long long)facts->dump.build.value));
	dt_put_close(w, '}');
	dt_put_close(w, '}');
}

static void put_file(struct dt_put *w, const struct dt_event *event, struct dt_arena *arena)
{
	const struct dt_file *file = &event->crash->facts.file;

	dt_put_open(w, "file", '{');
	dt_put_text(w, "path", keyword(event->path, arena));
	dt_put_text(w, "name", keyword(file->name, arena));
	dt_put_opt(w, "size", file->size);
	dt_put_time(w, "mtime", file->mtime);
	dt_put_text(w, "type", "file");
	if (file->sha256) {
		dt_put_open(w, "hash", '{');
		dt_put_text(w, "sha256", file->sha256);
		dt_put_close(w, '}');
	}
	dt_put_close(w, '}');
}

static void put_process(struct dt_put *w, const struct dt_process *process, struct dt_arena *arena)
{
	dt_put_open(w, "process", '{');
	dt_put_opt(w, "pid", process->pid);
	dt_put_text(w, "name", keyword(process->name, arena));
	if (process->thread_id.known) {
		dt_put_open(w, "thread", '{');
		dt_put_opt(w, "id", process->thread_id);
		dt_put_close(w, '}');
	}
	dt_put_close(w, '}');
}

/* The module that is blamed, else the one the fault was in. */
static const struct dt_module *culprit(const struct dt_crash *crash, const char **name)
{
	*name = crash->judgement.blame.module ? crash->judgement.blame.module : crash->facts.fault.module;
	for (size_t i = 0; *name && i < crash->facts.modules_count; i++)
		if (dt_text_equal_fold(crash->facts.modules[i].name, *name))
			return &crash->facts.modules[i];
	return NULL;
}

static void put_dll(struct dt_put *w, const struct dt_crash *crash, struct dt_arena *arena)
{
	const char *name;
	const struct dt_module *module = culprit(crash, &name);

	if (!name)
		return;
	dt_put_open(w, "dll", '{');
	dt_put_text(w, "name", keyword(name, arena));
	if (module) {
		dt_put_text(w, "path", keyword(module->path, arena));
		dt_put_open(w, "pe", '{');
		dt_put_text(w, "file_version", module->version);
		dt_put_text(w, "company", keyword(module->company, arena));
		dt_put_close(w, '}');
	}
	dt_put_close(w, '}');
}

static void put_error(struct dt_put *w, const struct dt_event *event, struct dt_arena *arena)
{
	const struct dt_crash *crash = event->crash;
	struct dt_buf stack;

	dt_buf_init(&stack, 1u << 16);
	for (size_t i = 0; i < crash->facts.stack_count && i < FRAMES; i++) {
		dt_put_place(&stack, crash->facts.stack[i].module, crash->facts.stack[i].offset, crash->facts.stack[i].ip);
		dt_buf_putc(&stack, '\n');
	}
	dt_put_open(w, "error", '{');
	dt_put_hex(w, "code", event->code);
	dt_put_text(w, "type", event->name);
	dt_put_text(w, "id", keyword(crash->judgement.bucket.own, arena));
	dt_put_text(w, "message", crash->facts.failure ? crash->facts.failure->text : crash->judgement.verdict.summary);
	if (stack.len && dt_buf_ok(&stack))
		dt_put_text(w, "stack_trace", dt_buf_text(&stack));
	dt_put_close(w, '}');
	dt_buf_deinit(&stack);
}

static void put_rule(struct dt_put *w, const struct dt_match *match, struct dt_arena *arena)
{
	if (!match)
		return;
	dt_put_open(w, "rule", '{');
	dt_put_text(w, "id", keyword(match->signature, arena));
	dt_put_text(w, "name", keyword(match->title, arena));
	dt_put_text(w, "version", match->version);
	dt_put_text(w, "category", "known-incident");
	dt_put_close(w, '}');
}

static void put_related(struct dt_put *w, const struct dt_facts *facts)
{
	dt_put_open(w, "related", '{');
	if (facts->file.sha256)
		dt_put_texts(w, "hash", (const char *const[]){ facts->file.sha256 }, 1);
	if (facts->host.name)
		dt_put_texts(w, "hosts", (const char *const[]){ facts->host.name }, 1);
	dt_put_close(w, '}');
}

static void put_own(struct dt_put *w, const struct dt_event *event)
{
	const struct dt_facts *facts = &event->crash->facts;
	const struct dt_judgement *judgement = &event->crash->judgement;

	dt_put_open(w, "dumptriage", '{');
	dt_put_text(w, "crash_id", facts->crash_id);
	dt_put_text(w, "path_hash", event->path_hash);
	dt_put_text(w, "verdict", dt_word(&dt_words_verdict_class, judgement->verdict.class));
	dt_put_opt(w, "confidence", judgement->verdict.confidence);
	dt_put_text(w, "family", judgement->bucket.family);
	dt_put_text(w, "grade", event->match ? dt_word(&dt_words_grade, event->match->grade) : NULL);
	dt_put_text(w, "time_trust", dt_word(&dt_words_time_trust, facts->dump.time_trust));
	if (facts->bugcheck) {
		dt_put_open(w, "bugcheck", '{');
		dt_put_hex(w, "code", facts->bugcheck->code);
		dt_put_open(w, "params", '[');
		for (size_t i = 0; i < facts->bugcheck->parameters_count; i++)
			dt_put_hex(w, NULL, dt_some(facts->bugcheck->parameters[i]));
		dt_put_close(w, ']');
		dt_put_close(w, '}');
	}
	dt_put_open(w, "module", '{');
	dt_put_hex(w, "offset", judgement->blame.module ? judgement->blame.offset : facts->fault.offset);
	dt_put_bool(w, "blamed", judgement->blame.module != NULL);
	dt_put_close(w, '}');
	dt_put_texts(w, "next_steps", judgement->verdict.next_steps, judgement->verdict.next_steps_count);
	dt_put_close(w, '}');
}

void dt_report_ecs(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	struct dt_put w = { .out = out };
	struct dt_arena arena;
	struct dt_event event;

	dt_arena_init(&arena, 64u << 20);
	dt_event_make(crash, "ecs", style->unmasked, &arena, &event);
	crash = event.crash;
	dt_put_open(&w, NULL, '{');
	dt_put_ecs_head(&w, event.time, event.message, style->name_space);
	put_event(&w, &event);
	put_host(&w, &crash->facts, &arena);
	put_file(&w, &event, &arena);
	put_process(&w, &crash->facts.process, &arena);
	put_dll(&w, crash, &arena);
	put_error(&w, &event, &arena);
	put_rule(&w, event.match, &arena);
	put_related(&w, &crash->facts);
	dt_put_ecs_observer(&w);
	put_own(&w, &event);
	dt_put_close(&w, '}');
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, NULL, &arena);
	dt_arena_deinit(&arena);
}

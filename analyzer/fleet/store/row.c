/* From a record to the columns that are searched. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "fleet/store/rows.h"

/* The kind of dump that holds most comes first. Kinds that are not named are last. */
static const int kind_order[DT_kind_COUNT] = {
	[DT_KIND_FULL] = 1,          [DT_KIND_FULL_BITMAP] = 2,   [DT_KIND_FULL_RANGES] = 3,  [DT_KIND_ACTIVE] = 4,
	[DT_KIND_KERNEL_BITMAP] = 5, [DT_KIND_KERNEL_RANGES] = 6, [DT_KIND_BITMAP] = 7,       [DT_KIND_LIVE] = 8,
	[DT_KIND_KDUMP] = 9,         [DT_KIND_ELF] = 10,          [DT_KIND_MINIDUMP] = 11,    [DT_KIND_TRIAGE] = 12,
	[DT_KIND_SUMMARY] = 13,      [DT_KIND_HEADER_ONLY] = 14,
};

/* What is indexed has at most so many bytes (PostgreSQL takes 2,704): longer texts, which only hostile files have, end in their hash. */
const char *dt_index_text(struct dt_arena *arena, const char *text)
{
	char hash[2 * DT_SHA256_SIZE + 1];
	size_t len = text ? strlen(text) : 0;

	if (len <= DT_INDEX_TEXT)
		return dt_arena_strdup(arena, text);
	dt_sha256_text((struct dt_bytes){ (const uint8_t *)text, len }, hash);
	return dt_arena_printf(arena, "%.*s~%s", (int)dt_text_fit(text, DT_INDEX_TEXT - 65), text, hash);
}

/* A crash without identity has a key of its own file. */
void dt_store_key(const struct dt_facts *facts, char out[DT_STORE_KEY_MAX])
{
	struct dt_bytes path = { (const uint8_t *)facts->file.path, facts->file.path ? strlen(facts->file.path) : 0 };
	char hash[2 * DT_SHA256_SIZE + 1];

	if (facts->crash_id) {
		snprintf(out, DT_STORE_KEY_MAX, "%s", facts->crash_id);
		return;
	}
	dt_sha256_text(path, hash);
	snprintf(out, DT_STORE_KEY_MAX, "x%.31s", hash);
}

static const char *rank_of(const struct dt_facts *facts, struct dt_arena *arena)
{
	int kind = kind_order[facts->dump.kind] ? kind_order[facts->dump.kind] : 99;

	return dt_arena_printf(arena, "%d|%02d|%s|%s", facts->failure || facts->dump.complete != DT_TRUE, kind,
	                       facts->file.sha256 ? facts->file.sha256 : "~", facts->file.path ? facts->file.path : "");
}

/* What tells builds of the blamed module apart: its version, else time stamp and size. */
static const char *module_build(const struct dt_facts *facts, const char *module, struct dt_arena *arena)
{
	for (size_t i = 0; module && i < facts->modules_count; i++) {
		const struct dt_module *at = &facts->modules[i];
		if (!dt_text_equal_fold(at->name, module))
			continue;
		if (at->version)
			return dt_arena_strdup(arena, at->version);
		if (at->timestamp.known)
			return dt_arena_printf(arena, "%llx-%llx", (unsigned long long)at->timestamp.value, (unsigned long long)at->size.value);
		return NULL;
	}
	return NULL;
}

static void signatures_of(const struct dt_judgement *judgement, struct dt_arena *arena, struct dt_crash_row *row)
{
	struct dt_buf ids, titles;

	dt_buf_init(&ids, 1u << 20);
	dt_buf_init(&titles, 1u << 20);
	for (size_t i = 0; i < judgement->matches_count; i++) {
		const struct dt_match *match = &judgement->matches[i];
		if (match->grade < DT_GRADE_PROBABLE || !match->signature || strchr(match->signature, ' '))
			continue;
		dt_buf_printf(&ids, " %s", match->signature);
		dt_buf_printf(&titles, "%s\n", match->title ? match->title : match->signature);
	}
	if (ids.len)
		dt_buf_putc(&ids, ' ');
	row->signatures = ids.len && dt_buf_ok(&ids) ? dt_arena_strdup(arena, dt_buf_text(&ids)) : NULL;
	row->titles = ids.len && dt_buf_ok(&titles) ? dt_arena_strdup(arena, dt_buf_text(&titles)) : NULL;
	dt_arena_refused(arena, ids.no_memory || titles.no_memory);
	dt_buf_deinit(&ids);
	dt_buf_deinit(&titles);
}

void dt_row_judge(const struct dt_facts *facts, const struct dt_judgement *judgement, struct dt_arena *arena, struct dt_crash_row *row)
{
	row->class = judgement->verdict.class;
	row->confidence = judgement->verdict.confidence;
	row->blame = dt_index_text(arena, dt_text_lower(arena, judgement->blame.module));
	row->module_build = dt_index_text(arena, module_build(facts, judgement->blame.module, arena));
	row->own = dt_index_text(arena, judgement->bucket.own);
	row->family = dt_index_text(arena, judgement->bucket.family);
	row->rules = dt_arena_strdup(arena, judgement->judged.rules);
	signatures_of(judgement, arena, row);
}

enum dt_status dt_row_make(const struct dt_facts *facts, const struct dt_judgement *judgement, struct dt_arena *arena,
                           struct dt_crash_row *out, struct dt_error *err)
{
	uint64_t time = facts->dump.time;
	char key[DT_STORE_KEY_MAX];

	memset(out, 0, sizeof(*out));
	dt_store_key(facts, key);
	out->key = dt_arena_strdup(arena, key);
	out->crash_id = dt_arena_strdup(arena, facts->crash_id);
	if (time > DT_TIME_UNIX_EPOCH)
		out->time = dt_some((time - DT_TIME_UNIX_EPOCH) / DT_TIME_SECOND);
	out->time_ok = facts->dump.time_trust == DT_TIME_OK;
	out->timed = out->time.known && out->time_ok && out->time.value > 0;
	out->host = dt_arena_strdup(arena, facts->host.name);
	out->host_source = facts->host.name ? facts->host.source : DT_host_source_NULL;
	out->machine = facts->dump.machine;
	out->code = facts->bugcheck ? facts->bugcheck->code : facts->exception.code;
	out->build = facts->dump.build;
	out->fault = dt_index_text(arena, dt_text_lower(arena, facts->fault.module));
	out->rank = rank_of(facts, arena);
	out->path = dt_index_text(arena, facts->file.path ? facts->file.path : "");
	out->facts_version = facts->producer.facts.value;
	dt_row_judge(facts, judgement, arena, out);
	return arena->failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : DT_OK;
}

void dt_row_read(const struct dt_rows *rows, struct dt_arena *arena, struct dt_crash_row *out)
{
	int at = 0;

	memset(out, 0, sizeof(*out));
	out->id = (uint64_t)dt_rows_int(rows, at++);
	out->key = dt_arena_strdup(arena, dt_rows_text(rows, at++));
	out->crash_id = dt_arena_strdup(arena, dt_rows_text(rows, at++));
	at++; /* added */
	out->time = (struct dt_opt){ (uint64_t)dt_rows_int(rows, at), !dt_rows_null(rows, at) };
	out->time_ok = dt_rows_int(rows, ++at) != 0;
	out->timed = out->time.known && out->time_ok && out->time.value > 0;
	out->host = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->host_source = (enum dt_host_source)dt_rows_int(rows, ++at);
	out->class = (enum dt_verdict_class)dt_rows_int(rows, ++at);
	at++;
	out->confidence = (struct dt_opt){ (uint64_t)dt_rows_int(rows, at), !dt_rows_null(rows, at) };
	at++;
	out->code = (struct dt_opt){ (uint64_t)dt_rows_int(rows, at), !dt_rows_null(rows, at) };
	at++;
	out->build = (struct dt_opt){ (uint64_t)dt_rows_int(rows, at), !dt_rows_null(rows, at) };
	out->machine = (enum dt_machine)dt_rows_int(rows, ++at);
	out->blame = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->fault = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->module_build = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->own = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->family = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->signatures = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->rules = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->facts_version = (uint64_t)dt_rows_int(rows, ++at);
	out->rank = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->path = dt_arena_strdup(arena, dt_rows_text(rows, ++at));
	out->host_id = (uint64_t)dt_rows_int(rows, ++at);
}

/* What somebody says of a file weighs more than what stands in it. */
bool dt_host_better(enum dt_host_source a_source, const char *a, enum dt_host_source b_source, const char *b)
{
	static const int order[DT_host_source_COUNT] = {
		[DT_HOST_GIVEN] = 1, [DT_HOST_UPLOAD] = 2, [DT_HOST_PATH] = 3, [DT_HOST_WER] = 4, [DT_HOST_MEMORY] = 5,
	};

	if (!a || !b)
		return a && !b;
	if (order[a_source] != order[b_source])
		return order[a_source] < order[b_source];
	return strcmp(a, b) < 0;
}

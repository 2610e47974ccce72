/* The engine's store: results into batches, batches into the store, and what happens while there is none. */
#include <string.h>

#include "core/base/killpoint.h"
#include "core/base/time.h"
#include "core/log/log.h"
#include "doors/serve/engine_parts.h"
#include "fleet/metrics/metrics.h"
#include "report/event.h"

enum { COMMIT_MS = 15, BACKOFF_MS = 1000 };

/* ---- the store ---------------------------------------------------------------------- */

void dt_engine_store_lost(struct dt_engine *engine, const struct dt_error *err)
{
	if (!engine->open_again)
		dt_log(DT_LOG_WARNING, "store-lost", NULL, "%s; uploads wait", err->text);
	atomic_store(&engine->troubled, true);
	dt_store_close(engine->store);
	engine->store = engine->intake.store = NULL;
	engine->batch_since = 0;
	engine->discard = engine->active_count > 0;
	engine->open_again = dt_time_steady_ms() + BACKOFF_MS;
	for (size_t i = 0; i < engine->active_count; i++)
		dt_jobs_set_state(engine->options.jobs, engine->active[i], DT_JOB_QUEUED, "the store cannot be reached; it goes on by itself");
}

/* A store there is, or it was tried a moment ago. */
bool dt_engine_have_store(struct dt_engine *engine)
{
	struct dt_error err = { 0 };

	if (engine->store)
		return true;
	if (dt_time_steady_ms() < engine->open_again)
		return false;
	if (dt_store_open(&engine->store, engine->options.db, DT_STORE_WRITE, &err) != DT_OK) {
		dt_engine_store_lost(engine, &err);
		return false;
	}
	if (engine->open_again)
		dt_log(DT_LOG_INFO, "store-back", NULL, "the store is there again");
	engine->open_again = 0;
	atomic_store(&engine->troubled, engine->careful > 0);
	engine->intake.store = engine->store;
	return true;
}

void dt_engine_drop_rules(struct dt_engine *engine)
{
	if (engine->intake.rules)
		dt_rulebook_give(engine->options.rulebook, engine->intake.rules);
	engine->intake.rules = NULL;
}

/* All that was begun goes back to the front of the queue, the first in front. */
void dt_engine_read_again(struct dt_engine *engine)
{
	for (size_t i = engine->active_count; i > 0; i--) {
		dt_jobs_restart(engine->options.jobs, engine->active[i - 1]);
		dt_engine_enqueue(engine, engine->active[i - 1], true);
	}
	engine->active_count = 0;
	engine->discard = false;
}

/* What is judged between two commits is judged by the same rules; new ones are taken up with the next batch. */
void dt_engine_take_rules(struct dt_engine *engine)
{
	if (engine->intake.rules && (engine->batch_since || engine->active_count))
		return;
	dt_engine_drop_rules(engine);
	engine->intake.rules = dt_rulebook_take(engine->options.rulebook);
}

/* ---- results ---------------------------------------------------------------------------- */

void dt_engine_batch_grew(struct dt_engine *engine)
{
	if (!engine->batch_since)
		engine->batch_since = dt_time_steady_ms();
}

static void show_item(struct dt_engine *engine, struct dt_job *job, unsigned file, const char *name, const struct dt_crash *crash, bool deleted)
{
	struct dt_job_item item = { .name = dt_mask_user(name, &engine->intake.arena), .file = file, .deleted = deleted, .class = crash->judgement.verdict.class,
		                    .confidence = crash->judgement.verdict.confidence, .host = crash->facts.host.name };

	dt_store_key(&crash->facts, item.crash);
	item.summary = deleted ? "It was deleted before, and is not taken again." : dt_mask_user(crash->judgement.verdict.summary, &engine->intake.arena);
	dt_jobs_add_item(engine->options.jobs, job, &item);
}

static const char *item_name(struct dt_engine *engine, const struct dt_job_file *file, const struct dt_facts *facts)
{
	const struct dt_container *container = facts->file.container;

	return container && container->member ? dt_arena_printf(&engine->intake.arena, "%s!/%s", file->name, container->member) : file->name;
}

/* Judged, and into the batch. */
enum dt_status dt_engine_keep(struct dt_engine *engine, struct dt_job *job, unsigned number, unsigned member, const struct dt_facts *facts,
                           struct dt_error *err)
{
	const struct dt_job_file *file = &job->files[number];
	const char *host = job->host ? job->host : file->host;
	struct dt_crash crash;
	char key[DT_STORE_KEY_MAX];
	bool deleted = false;
	enum dt_status status = dt_intake_judge(&engine->intake, facts, host, job->host ? DT_HOST_UPLOAD : DT_HOST_PATH, &crash, err);

	if (status != DT_OK)
		return status;
	dt_store_key(&crash.facts, key);
	status = dt_store_deleted(engine->store, key, &deleted, err);
	const struct dt_upload_item item = { .upload = job->id, .number = number * DT_JOB_MEMBERS + member,
		                             .name = item_name(engine, file, facts), .sha256 = file->sha256, .size = file->size };
	const struct dt_store_entry entry = { .facts = &crash.facts, .judgement = &crash.judgement, .item = &item };
	if (status == DT_OK)
		status = dt_store_put(engine->store, &entry, err);
	if (status != DT_OK)
		return status;
	job->files[number].live |= !deleted;
	dt_engine_batch_grew(engine);
	show_item(engine, job, number, item.name, &crash, deleted);
	return DT_OK;
}

/* An upload of which everything was read: its row closes it. */
void dt_engine_close_job(struct dt_engine *engine, struct dt_job *job)
{
	const struct dt_upload upload = { .id = job->id, .at = job->at, .host = job->host, .ticket = job->ticket, .note = job->note,
	                                  .who = job->who ? job->who : "unknown", .address = job->address };
	struct dt_error err;

	if (job->next_file < job->file_count || job->open_files || !engine->store || engine->discard)
		return;
	if (dt_store_put_upload(engine->store, &upload, &err) != DT_OK) {
		dt_engine_store_lost(engine, &err);
		return;
	}
	dt_engine_batch_grew(engine);
	dt_jobs_set_state(engine->options.jobs, job, DT_JOB_STORING, NULL);
}

/* ---- commits ------------------------------------------------------------------------------- */

/* First the upload leaves the queue: files without one are deleted at the next start. Only what is in the store is kept. */
static void leave_spool(struct dt_engine *engine, struct dt_job *job)
{
	dt_spool_close_upload(engine->options.spool, job->id);
	for (unsigned i = 0; i < job->file_count; i++)
		if (engine->options.keep && job->files[i].live)
			dt_spool_keep(engine->options.spool, job->id, i, job->files[i].sha256);
	dt_spool_forget(engine->options.spool, job->id, (unsigned)job->file_count);
}

static void count(struct dt_engine *engine)
{
	const struct dt_pool_counts *lost = dt_pool_counts(engine->pool);
	const struct dt_intake *intake = &engine->intake;

	dt_metric_set(DT_METRIC_INPUTS, engine->inputs);
	dt_metric_set(DT_METRIC_KNOWN, intake->classes[DT_CLASS_KNOWN_INCIDENT]);
	dt_metric_set(DT_METRIC_UNREADABLE, intake->classes[DT_CLASS_UNREADABLE]);
	dt_metric_set(DT_METRIC_LOST_SIGNAL, lost->signals);
	dt_metric_set(DT_METRIC_LOST_DEADLINE, lost->deadlines);
	dt_metric_set(DT_METRIC_LOST_PROTOCOL, lost->protocol);
	dt_metric_set(DT_METRIC_CRASHES_ADDED, intake->counts.added);
	dt_metric_set(DT_METRIC_CRASHES_CHANGED, intake->counts.changed);
	dt_metric_set(DT_METRIC_RETRIES, intake->counts.retries);
}

/* What cannot be committed though the store is there: alone it is given up, among others they are tried one by one. */
static void commit_failed(struct dt_engine *engine, const struct dt_error *err)
{
	bool away = dt_store_away(engine->store), alone = engine->active_count == 1;
	struct dt_job *job = alone ? engine->active[0] : NULL;

	dt_engine_store_lost(engine, err);
	if (away)
		return;
	dt_log(DT_LOG_ERROR, "store", job ? job->id : NULL, "%s", err->text);
	engine->open_again = 0;
	engine->careful = engine->active_count;
	if (!alone || job->open_files)
		return;
	engine->active_count = 0;
	engine->discard = false;
	leave_spool(engine, job);
	dt_jobs_set_state(engine->options.jobs, job, DT_JOB_FAILED, "It could not be stored; the server's log says why.");
}

void dt_engine_flush(struct dt_engine *engine)
{
	struct dt_error err;
	size_t left = 0;

	if (dt_store_commit(engine->store, &engine->intake.counts, &err) != DT_OK) {
		commit_failed(engine, &err);
		return;
	}
	atomic_store(&engine->troubled, false);
	engine->batch_since = 0;
	count(engine);
	/* Before anybody hears that it is done. */
	if (engine->options.stored)
		engine->options.stored(engine->options.context);
	for (size_t i = 0; i < engine->active_count; i++) {
		struct dt_job *job = engine->active[i];
		if (job->state != DT_JOB_STORING) {
			engine->active[left++] = job;
			continue;
		}
		dt_kill_point("before-leave-spool");
		leave_spool(engine, job);
		dt_jobs_set_state(engine->options.jobs, job, DT_JOB_DONE, NULL);
	}
	engine->active_count = left;
}

bool dt_engine_flush_is_due(const struct dt_engine *engine)
{
	if (!engine->store || !engine->batch_since)
		return false;
	return !dt_pool_busy(engine->pool) || dt_time_steady_ms() - engine->batch_since >= COMMIT_MS || dt_store_pending(engine->store) >= DT_ENGINE_COMMIT_ROWS;
}

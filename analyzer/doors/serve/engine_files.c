/* The engine's files: from the spool into the sandboxed pool, and what the workers say of them. */
#include <stdio.h>
#include <string.h>

#include "core/log/log.h"
#include "doors/serve/engine_parts.h"
#include "doors/serve/known.h"

/* ---- into the pool -------------------------------------------------------------------- */

/* What cannot be read from the spool has a record all the same. */
static enum dt_status keep_unread(struct dt_engine *engine, struct dt_job *job, unsigned file, const char *path, const char *why,
                                  struct dt_error *err)
{
	struct dt_failure failure = { .kind = DT_FAILURE_IO, .text = why };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .failure = &failure };

	facts.producer.version = DT_VERSION;
	facts.producer.facts = dt_some(DT_FACTS_VERSION);
	facts.file.path = path;
	facts.file.name = job->files[file].name;
	facts.file.size = dt_some(job->files[file].size);
	facts.file.sha256 = job->files[file].sha256;
	return dt_engine_keep(engine, job, file, 0, &facts, err);
}

/* DT_ERR_NOT_FOUND: the bytes were never seen. */
static enum dt_status answer_known(struct dt_engine *engine, struct dt_job *job, unsigned number, struct dt_error *err)
{
	struct dt_known known = { .store = engine->store, .intake = &engine->intake, .job = job, .number = number };
	enum dt_status status;

	dt_arena_init(&known.arena, DT_MAX_ARENA);
	status = dt_known_answer(&known, err);
	if (status == DT_OK) {
		dt_jobs_mark_known(engine->options.jobs, job, number);
		job->files[number].live = true;
		for (size_t i = 0; i < known.count; i++)
			dt_jobs_add_item(engine->options.jobs, job, &known.items[i]);
		dt_engine_batch_grew(engine);
	}
	dt_arena_deinit(&known.arena);
	return status;
}

/* DT_ERR_UNSUPPORTED: no worker can be started. */
static enum dt_status submit(struct dt_engine *engine, struct dt_job *job, unsigned number, const char *path, int fd, struct dt_error *err)
{
	size_t slot = 0;

	while (engine->flights[slot].job)
		slot++;
	engine->flights[slot] = (struct dt_flight){ .job = job, .file = number };
	job->open_files++;
	if (dt_pool_submit(engine->pool, &(struct dt_pool_job){ .id = slot, .path = path, .fd = fd, .hash = true }, err) == DT_OK)
		return DT_OK;
	engine->flights[slot].job = NULL;
	job->open_files--;
	return DT_ERR_UNSUPPORTED;
}

enum dt_status dt_engine_begin_file(struct dt_engine *engine, struct dt_job *job, unsigned number, struct dt_error *err)
{
	const struct dt_job_file *file = &job->files[number];
	char path[1200];
	int fd;
	enum dt_status status = answer_known(engine, job, number, err);

	if (status != DT_ERR_NOT_FOUND)
		return status;
	snprintf(path, sizeof(path), "upload/%.32s/%.1024s", file->sha256, file->name);
	if (dt_spool_read(engine->options.spool, job->id, number, &fd, err) != DT_OK) {
		struct dt_error why = *err;
		return keep_unread(engine, job, number, path, why.text, err);
	}
	return submit(engine, job, number, path, fd, err);
}

/* ---- results ---------------------------------------------------------------------------- */

static void finish_file(struct dt_engine *engine, struct dt_flight *flight)
{
	struct dt_job *job = flight->job;

	flight->job = NULL;
	job->open_files--;
	dt_engine_close_job(engine, job);
}

static enum dt_status take_facts(struct dt_engine *engine, struct dt_flight *flight, struct dt_facts *facts, struct dt_error *err)
{
	struct dt_job *job = flight->job;

	engine->inputs++;
	if (!facts->file.container) {
		facts->file.size = dt_some(job->files[flight->file].size);
		facts->file.mtime = job->at;
		facts->file.sha256 = job->files[flight->file].sha256;
	}
	if (flight->members >= DT_JOB_MEMBERS)
		return DT_OK;
	return dt_engine_keep(engine, job, flight->file, flight->members++, facts, err);
}

void dt_engine_collect(struct dt_engine *engine, int wait_ms)
{
	struct dt_pool_result result;
	struct dt_error err;
	enum dt_status status = dt_pool_wait(engine->pool, wait_ms, &result, &err);

	if (status == DT_ERR_NOT_FOUND)
		return;
	if (status != DT_OK) {
		dt_engine_give_up(engine, &err);
		return;
	}
	struct dt_flight *flight = &engine->flights[result.id];
	if (result.died)
		dt_log(DT_LOG_WARNING, "worker-lost", flight->job->id, "%s", result.facts.failure ? result.facts.failure->text : "");
	if (result.facts.schema && !engine->discard && engine->store && take_facts(engine, flight, &result.facts, &err) != DT_OK)
		dt_engine_store_lost(engine, &err);
	if (result.last)
		finish_file(engine, flight);
}

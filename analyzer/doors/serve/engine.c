#include "doors/serve/engine_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/time.h"
#include "core/log/log.h"

enum { COLLECT_MS = 15, IDLE_MS = 1000, STORE_MS = 100 };

static void ring(struct dt_engine *engine)
{
	uint64_t one = 1;

	(void)!write(engine->wake, &one, sizeof(one));
}

static void still(struct dt_engine *engine)
{
	uint64_t count;

	(void)!read(engine->wake, &count, sizeof(count));
}

/* ---- the queue ---------------------------------------------------------------------- */

void dt_engine_enqueue(struct dt_engine *engine, struct dt_job *job, bool in_front)
{
	pthread_mutex_lock(&engine->lock);
	job->queue = in_front ? engine->first : NULL;
	if (in_front)
		engine->first = job;
	else if (engine->last)
		engine->last->queue = job;
	else
		engine->first = job;
	if (!engine->last || !in_front)
		engine->last = job;
	pthread_mutex_unlock(&engine->lock);
}

void dt_engine_submit(struct dt_engine *engine, struct dt_job *job)
{
	dt_engine_enqueue(engine, job, false);
	ring(engine);
}

static struct dt_job *dequeue(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	struct dt_job *job = engine->first;
	if (job) {
		engine->first = job->queue;
		if (!engine->first)
			engine->last = NULL;
		job->queue = NULL;
	}
	pthread_mutex_unlock(&engine->lock);
	return job;
}

static bool has_queue(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool any = engine->first != NULL;
	pthread_mutex_unlock(&engine->lock);
	return any;
}

static bool activate(struct dt_engine *engine, struct dt_job *job)
{
	if (engine->active_count == engine->active_room) {
		size_t room = engine->active_room ? engine->active_room * 2 : 64;
		struct dt_job **more = realloc(engine->active, room * sizeof(*more));
		if (!more)
			return false;
		engine->active = more;
		engine->active_room = room;
	}
	engine->active[engine->active_count++] = job;
	return true;
}

void dt_engine_give_up(struct dt_engine *engine, const struct dt_error *err)
{
	dt_log(DT_LOG_ERROR, "workers", NULL, "%s", err->text);
	pthread_mutex_lock(&engine->lock);
	engine->failed = engine->stopping = true;
	engine->stop_at = 0;
	pthread_mutex_unlock(&engine->lock);
}

/* The job whose files are read: the last one begun, then the next of the queue. */
static struct dt_job *next_job(struct dt_engine *engine)
{
	struct dt_job *job = engine->active_count ? engine->active[engine->active_count - 1] : NULL;

	if (job && job->next_file < job->file_count)
		return job;
	/* After a commit that failed for what was in it, uploads are stored one by one. */
	if (engine->careful && engine->active_count)
		return NULL;
	job = dequeue(engine);
	if (!job)
		return NULL;
	engine->careful -= engine->careful > 0;
	if (!activate(engine, job)) {
		dt_engine_enqueue(engine, job, true);
		return NULL;
	}
	dt_jobs_set_state(engine->options.jobs, job, DT_JOB_READING, NULL);
	return job;
}

static bool may_begin(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool may = !engine->failed && (!engine->stopping || dt_time_steady_ms() < engine->stop_at);
	pthread_mutex_unlock(&engine->lock);
	return may && !engine->discard;
}

static void refill(struct dt_engine *engine)
{
	struct dt_error err;
	struct dt_job *job;

	while (may_begin(engine) && dt_pool_free(engine->pool) && (engine->active_count || has_queue(engine)) && dt_engine_have_store(engine) &&
	       (job = next_job(engine))) {
		unsigned number = (unsigned)job->next_file++;
		enum dt_status status = dt_engine_begin_file(engine, job, number, &err);
		/* No worker takes it: it stays in the spool for the next server. */
		if (status == DT_ERR_UNSUPPORTED) {
			job->next_file--;
			dt_engine_give_up(engine, &err);
			return;
		}
		if (status != DT_OK)
			dt_engine_store_lost(engine, &err);
		else
			dt_engine_close_job(engine, job);
		/* Known files need no worker: a long row of them is committed in between. */
		if (engine->store && dt_store_pending(engine->store) >= DT_ENGINE_COMMIT_ROWS)
			return;
	}
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_over(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool stopping = engine->stopping, late = stopping && dt_time_steady_ms() >= engine->stop_at, empty = !engine->first;
	pthread_mutex_unlock(&engine->lock);
	return stopping && (late || (empty && !engine->active_count));
}

static void wait_for_work(struct dt_engine *engine)
{
	struct pollfd bell = { engine->wake, POLLIN, 0 };
	bool work = engine->active_count || has_queue(engine);

	/* Work that cannot go on waits for the store. */
	(void)poll(&bell, 1, work && engine->store ? 0 : work ? STORE_MS : IDLE_MS);
}

static void *run(void *context)
{
	struct dt_engine *engine = context;

	while (!is_over(engine)) {
		still(engine);
		if (engine->discard && !dt_pool_busy(engine->pool))
			dt_engine_read_again(engine);
		dt_engine_take_rules(engine);
		refill(engine);
		if (dt_engine_flush_is_due(engine) && !dt_engine_failed(engine))
			dt_engine_flush(engine);
		else if (dt_pool_busy(engine->pool))
			dt_engine_collect(engine, engine->batch_since ? COLLECT_MS : IDLE_MS);
		else
			wait_for_work(engine);
	}
	return NULL;
}

static void restore(void *context, const char *id, struct dt_bytes description)
{
	struct dt_engine *engine = context;
	struct dt_job *job;
	struct dt_error err;

	if (dt_job_restore(&job, id, description, &err) != DT_OK) {
		dt_log(DT_LOG_ERROR, "spool", id, "%s; it and its files are deleted", err.text);
		dt_spool_close_upload(engine->options.spool, id);
		return;
	}
	dt_jobs_add(engine->options.jobs, job);
	dt_engine_enqueue(engine, job, false);
}

static enum dt_status start(struct dt_engine *engine, struct dt_error *err)
{
	struct dt_pool_options pool = engine->options.pool;
	enum dt_status status;

	engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (engine->wake < 0)
		return dt_fail(err, DT_ERR_IO, "cannot make an eventfd");
	pool.has_wake = true;
	pool.wake_fd = engine->wake;
	pool.workers = pool.workers > DT_ENGINE_FLIGHTS ? DT_ENGINE_FLIGHTS : pool.workers;
	status = dt_pool_create(&engine->pool, &pool, err);
	if (status == DT_OK)
		status = dt_spool_each(engine->options.spool, restore, engine, err);
	if (status == DT_OK)
		dt_spool_sweep(engine->options.spool);
	if (status == DT_OK && pthread_create(&engine->thread, NULL, run, engine))
		status = dt_fail(err, DT_ERR_IO, "cannot start a thread");
	engine->started = status == DT_OK;
	return status;
}

enum dt_status dt_engine_start(struct dt_engine **out, const struct dt_engine_options *options, struct dt_error *err)
{
	struct dt_engine *engine = calloc(1, sizeof(*engine));
	enum dt_status status;

	if (!engine)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	engine->options = *options;
	engine->wake = -1;
	pthread_mutex_init(&engine->lock, NULL);
	dt_intake_init(&engine->intake, NULL, NULL);
	engine->intake.batch = SIZE_MAX;
	status = start(engine, err);
	if (status != DT_OK) {
		dt_engine_free(engine);
		return status;
	}
	*out = engine;
	return DT_OK;
}

bool dt_engine_failed(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool failed = engine->failed;
	pthread_mutex_unlock(&engine->lock);
	return failed;
}

const char *dt_engine_missing(const struct dt_engine *engine)
{
	return dt_pool_missing(engine->pool);
}

void dt_engine_stop(struct dt_engine *engine, unsigned ms)
{
	if (!engine)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->stopping = true;
	engine->stop_at = engine->failed ? 0 : dt_time_steady_ms() + ms;
	pthread_mutex_unlock(&engine->lock);
	ring(engine);
	if (engine->started)
		pthread_join(engine->thread, NULL);
	engine->started = false;
}

bool dt_engine_store_ok(struct dt_engine *engine)
{
	return !atomic_load(&engine->troubled);
}

void dt_engine_free(struct dt_engine *engine)
{
	if (!engine)
		return;
	dt_engine_stop(engine, 0);
	dt_pool_destroy(engine->pool);
	dt_store_close(engine->store);
	dt_engine_drop_rules(engine);
	dt_intake_deinit(&engine->intake);
	if (engine->wake >= 0)
		close(engine->wake);
	pthread_mutex_destroy(&engine->lock);
	free(engine->active);
	free(engine);
}

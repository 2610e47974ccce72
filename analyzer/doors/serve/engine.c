#include "doors/serve/engine.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/base/time.h"
#include "core/log/log.h"
#include "doors/serve/known.h"
#include "fleet/intake/intake.h"
#include "fleet/metrics/metrics.h"
#include "report/event.h"

enum { COMMIT_MS = 15, COMMIT_ROWS = 128, IDLE_MS = 1000, BACKOFF_MS = 1000, MAX_FLIGHTS = 256 };

/* A file that a worker reads. */
struct flight {
	struct dt_job *job;
	unsigned file, members;
};

struct dt_engine {
	struct dt_engine_options options;
	pthread_t thread;
	bool started;
	int wake;
	pthread_mutex_t lock; /* of the next five */
	struct dt_job *first, *last; /* accepted, not begun */
	bool stopping, failed;
	int64_t stop_at;
	/* the thread's own */
	struct dt_pool *pool;
	struct dt_store *store;
	struct dt_intake intake;
	struct dt_job **active; /* begun, not done */
	size_t active_count, active_room;
	struct flight flights[MAX_FLIGHTS];
	int64_t batch_since;  /* 0: nothing waits for a commit */
	int64_t open_again;   /* the store is not asked before */
	bool discard;         /* the store was lost: what is under way is read again */
	uint64_t inputs;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

static void enqueue(struct dt_engine *engine, struct dt_job *job, bool in_front)
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
	enqueue(engine, job, false);
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

/* ---- the store ---------------------------------------------------------------------- */

static void store_lost(struct dt_engine *engine, const struct dt_error *err)
{
	if (!engine->open_again)
		dt_log(DT_LOG_WARNING, "store-lost", NULL, "%s; uploads wait", err->text);
	dt_store_close(engine->store);
	engine->store = engine->intake.store = NULL;
	engine->batch_since = 0;
	engine->discard = engine->active_count > 0;
	engine->open_again = now_ms() + BACKOFF_MS;
	for (size_t i = 0; i < engine->active_count; i++)
		dt_jobs_set_state(engine->options.jobs, engine->active[i], DT_JOB_QUEUED, "the store cannot be reached; it goes on by itself");
}

/* A store there is, or it was tried a moment ago. */
static bool have_store(struct dt_engine *engine)
{
	struct dt_error err = { 0 };

	if (engine->store)
		return true;
	if (now_ms() < engine->open_again)
		return false;
	if (dt_store_open(&engine->store, engine->options.db, DT_STORE_WRITE, &err) != DT_OK) {
		store_lost(engine, &err);
		return false;
	}
	if (engine->open_again)
		dt_log(DT_LOG_INFO, "store-back", NULL, "the store is there again");
	engine->open_again = 0;
	engine->intake.store = engine->store;
	return true;
}

static void drop_rules(struct dt_engine *engine)
{
	if (engine->intake.rules)
		dt_rulebook_give(engine->options.rulebook, engine->intake.rules);
	engine->intake.rules = NULL;
}

/* All that was begun goes back to the front of the queue, the first in front. */
static void read_again(struct dt_engine *engine)
{
	for (size_t i = engine->active_count; i > 0; i--) {
		dt_jobs_restart(engine->options.jobs, engine->active[i - 1]);
		enqueue(engine, engine->active[i - 1], true);
	}
	engine->active_count = 0;
	engine->discard = false;
}

/* ---- results ---------------------------------------------------------------------------- */

static void batch_grew(struct dt_engine *engine)
{
	if (!engine->batch_since)
		engine->batch_since = now_ms();
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
static enum dt_status keep(struct dt_engine *engine, struct dt_job *job, unsigned number, unsigned member, const struct dt_facts *facts,
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
	batch_grew(engine);
	show_item(engine, job, number, item.name, &crash, deleted);
	return DT_OK;
}

/* An upload of which everything was read: its row closes it. */
static void close_job(struct dt_engine *engine, struct dt_job *job)
{
	const struct dt_upload upload = { .id = job->id, .at = job->at, .host = job->host, .ticket = job->ticket, .note = job->note,
	                                  .who = job->who ? job->who : "unknown", .address = job->address };
	struct dt_error err;

	if (job->next_file < job->file_count || job->open_files || !engine->store || engine->discard)
		return;
	if (dt_store_put_upload(engine->store, &upload, &err) != DT_OK) {
		store_lost(engine, &err);
		return;
	}
	batch_grew(engine);
	dt_jobs_set_state(engine->options.jobs, job, DT_JOB_STORING, NULL);
}

static void finish_file(struct dt_engine *engine, struct flight *flight)
{
	struct dt_job *job = flight->job;

	flight->job = NULL;
	job->open_files--;
	close_job(engine, job);
}

static enum dt_status take_facts(struct dt_engine *engine, struct flight *flight, struct dt_facts *facts, struct dt_error *err)
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
	return keep(engine, job, flight->file, flight->members++, facts, err);
}

static void engine_failed(struct dt_engine *engine, const struct dt_error *err)
{
	dt_log(DT_LOG_ERROR, "workers", NULL, "%s", err->text);
	pthread_mutex_lock(&engine->lock);
	engine->failed = engine->stopping = true;
	engine->stop_at = 0;
	pthread_mutex_unlock(&engine->lock);
}

static void collect(struct dt_engine *engine, int wait_ms)
{
	struct dt_pool_result result;
	struct dt_error err;
	enum dt_status status = dt_pool_wait(engine->pool, wait_ms, &result, &err);

	if (status == DT_ERR_NOT_FOUND)
		return;
	if (status != DT_OK) {
		engine_failed(engine, &err);
		return;
	}
	struct flight *flight = &engine->flights[result.id];
	if (result.died)
		dt_log(DT_LOG_WARNING, "worker-lost", flight->job->id, "%s", result.facts.failure ? result.facts.failure->text : "");
	if (result.facts.schema && !engine->discard && engine->store && take_facts(engine, flight, &result.facts, &err) != DT_OK)
		store_lost(engine, &err);
	if (result.last)
		finish_file(engine, flight);
}

/* ---- files into the pool -------------------------------------------------------------------- */

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
	return keep(engine, job, file, 0, &facts, err);
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
		for (size_t i = 0; i < known.count; i++)
			dt_jobs_add_item(engine->options.jobs, job, &known.items[i]);
		batch_grew(engine);
	}
	dt_arena_deinit(&known.arena);
	return status;
}

static void submit(struct dt_engine *engine, struct dt_job *job, unsigned number, const char *path, int fd)
{
	struct dt_error err;
	size_t slot = 0;

	while (engine->flights[slot].job)
		slot++;
	engine->flights[slot] = (struct flight){ .job = job, .file = number };
	job->open_files++;
	if (dt_pool_submit(engine->pool, &(struct dt_pool_job){ .id = slot, .path = path, .fd = fd, .hash = true }, &err) == DT_OK)
		return;
	engine->flights[slot].job = NULL;
	job->open_files--;
	engine_failed(engine, &err);
}

static enum dt_status begin_file(struct dt_engine *engine, struct dt_job *job, unsigned number, struct dt_error *err)
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
	submit(engine, job, number, path, fd);
	return DT_OK;
}

/* The job whose files are read: the last one begun, then the next of the queue. */
static struct dt_job *next_job(struct dt_engine *engine)
{
	struct dt_job *job = engine->active_count ? engine->active[engine->active_count - 1] : NULL;

	if (job && job->next_file < job->file_count)
		return job;
	job = dequeue(engine);
	if (!job)
		return NULL;
	if (!activate(engine, job)) {
		enqueue(engine, job, true);
		return NULL;
	}
	dt_jobs_set_state(engine->options.jobs, job, DT_JOB_READING, NULL);
	return job;
}

static bool may_begin(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool may = !engine->failed && (!engine->stopping || now_ms() < engine->stop_at);
	pthread_mutex_unlock(&engine->lock);
	return may && !engine->discard;
}

/* What is judged between two commits is judged by the same rules; new ones are taken up with the next batch. */
static void take_rules(struct dt_engine *engine)
{
	if (engine->intake.rules && (engine->batch_since || engine->active_count))
		return;
	drop_rules(engine);
	engine->intake.rules = dt_rulebook_take(engine->options.rulebook);
}

static void refill(struct dt_engine *engine)
{
	struct dt_error err;
	struct dt_job *job;

	while (may_begin(engine) && dt_pool_free(engine->pool) && (engine->active_count || has_queue(engine)) && have_store(engine) &&
	       (job = next_job(engine))) {
		unsigned number = (unsigned)job->next_file++;
		if (begin_file(engine, job, number, &err) != DT_OK)
			store_lost(engine, &err);
		else
			close_job(engine, job);
		/* Known files need no worker: a long row of them is committed in between. */
		if (engine->store && dt_store_pending(engine->store) >= COMMIT_ROWS)
			return;
	}
}

/* ---- commits ------------------------------------------------------------------------------- */

static void leave_spool(struct dt_engine *engine, struct dt_job *job)
{
	for (unsigned i = 0; i < job->file_count; i++)
		if (engine->options.keep)
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

static void flush(struct dt_engine *engine)
{
	struct dt_error err;
	size_t left = 0;

	if (dt_store_commit(engine->store, &engine->intake.counts, &err) != DT_OK) {
		store_lost(engine, &err);
		return;
	}
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

static bool flush_is_due(const struct dt_engine *engine)
{
	if (!engine->store || !engine->batch_since)
		return false;
	return !dt_pool_busy(engine->pool) || now_ms() - engine->batch_since >= COMMIT_MS || dt_store_pending(engine->store) >= COMMIT_ROWS;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_over(struct dt_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	bool stopping = engine->stopping, late = stopping && now_ms() >= engine->stop_at, empty = !engine->first;
	pthread_mutex_unlock(&engine->lock);
	return stopping && (late || (empty && !engine->active_count));
}

static void wait_for_work(struct dt_engine *engine)
{
	struct pollfd bell = { engine->wake, POLLIN, 0 };
	bool work = engine->active_count || has_queue(engine);

	/* Work that cannot go on waits for the store. */
	(void)poll(&bell, 1, work && engine->store ? 0 : work ? 100 : IDLE_MS);
}

static void *run(void *context)
{
	struct dt_engine *engine = context;

	while (!is_over(engine)) {
		still(engine);
		if (engine->discard && !dt_pool_busy(engine->pool))
			read_again(engine);
		take_rules(engine);
		refill(engine);
		if (flush_is_due(engine))
			flush(engine);
		else if (dt_pool_busy(engine->pool))
			collect(engine, engine->batch_since ? COMMIT_MS : IDLE_MS);
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
		dt_log(DT_LOG_WARNING, "spool", id, "%s", err.text);
		return;
	}
	dt_jobs_add(engine->options.jobs, job);
	enqueue(engine, job, false);
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
	pool.workers = pool.workers > MAX_FLIGHTS ? MAX_FLIGHTS : pool.workers;
	status = dt_pool_create(&engine->pool, &pool, err);
	if (status == DT_OK)
		status = dt_spool_each(engine->options.spool, restore, engine, err);
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
		dt_engine_stop(engine, 0);
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
	engine->stop_at = engine->failed ? 0 : now_ms() + ms;
	pthread_mutex_unlock(&engine->lock);
	ring(engine);
	if (engine->started)
		pthread_join(engine->thread, NULL);
	dt_pool_destroy(engine->pool);
	dt_store_close(engine->store);
	drop_rules(engine);
	dt_intake_deinit(&engine->intake);
	if (engine->wake >= 0)
		close(engine->wake);
	pthread_mutex_destroy(&engine->lock);
	free(engine->active);
	free(engine);
}

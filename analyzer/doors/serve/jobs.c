#include "doors/serve/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"

enum { BUCKETS = 4096, KEPT_DONE = 1000 };

const char *const dt_job_words[] = { "queued", "reading", "storing", "done", "failed" };

struct dt_jobs {
	pthread_mutex_t lock;
	struct dt_job *buckets[BUCKETS];
	struct dt_job *done[KEPT_DONE]; /* a ring: the oldest goes when a new one comes */
	size_t done_at;
	struct dt_job_watch *watches;
	unsigned open;
};

struct dt_jobs *dt_jobs_create(void)
{
	struct dt_jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs)
		pthread_mutex_init(&jobs->lock, NULL);
	return jobs;
}

void dt_jobs_destroy(struct dt_jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct dt_job *job = jobs->buckets[i], *next; job; job = next) {
			next = job->next;
			dt_job_free(job);
		}
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

struct dt_job *dt_job_create(void)
{
	struct dt_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	dt_random_hex(DT_UPLOAD_ID / 2, job->id);
	job->at = dt_time_now();
	dt_arena_init(&job->arena, DT_MAX_ARENA);
	return job;
}

void dt_job_free(struct dt_job *job)
{
	if (!job)
		return;
	dt_arena_deinit(&job->arena);
	free(job->files);
	free(job->items);
	free(job);
}

struct dt_job_file *dt_job_add_file(struct dt_job *job, const char *name)
{
	struct dt_job_file *more = job->file_count < DT_JOB_FILES ? realloc(job->files, (job->file_count + 1) * sizeof(*more)) : NULL;

	if (!more)
		return NULL;
	job->files = more;
	struct dt_job_file *file = &job->files[job->file_count];
	*file = (struct dt_job_file){ .name = dt_arena_strdup(&job->arena, name) };
	if (!file->name)
		return NULL;
	job->file_count++;
	return file;
}

/* ---- the table -------------------------------------------------------------------- */

static struct dt_job **bucket(struct dt_jobs *jobs, const char *id)
{
	size_t sum = 5381;

	for (const char *c = id; *c; c++)
		sum = sum * 33 + (unsigned char)*c;
	return &jobs->buckets[sum % BUCKETS];
}

static struct dt_job *find(struct dt_jobs *jobs, const char *id)
{
	struct dt_job *job = *bucket(jobs, id);

	while (job && strcmp(job->id, id))
		job = job->next;
	return job;
}

static void take_out(struct dt_jobs *jobs, struct dt_job *job)
{
	struct dt_job **at = bucket(jobs, job->id);

	while (*at && *at != job)
		at = &(*at)->next;
	if (*at)
		*at = job->next;
	dt_job_free(job);
}

void dt_jobs_add(struct dt_jobs *jobs, struct dt_job *job)
{
	pthread_mutex_lock(&jobs->lock);
	struct dt_job **at = bucket(jobs, job->id);
	job->next = *at;
	*at = job;
	jobs->open++;
	pthread_mutex_unlock(&jobs->lock);
}

static void tell(struct dt_jobs *jobs, struct dt_job *job)
{
	job->version++;
	for (struct dt_job_watch *watch = jobs->watches; watch; watch = watch->next)
		if (!strcmp(watch->id, job->id))
			watch->changed(watch->context);
}

static void remember_done(struct dt_jobs *jobs, struct dt_job *job)
{
	struct dt_job **place = &jobs->done[jobs->done_at++ % KEPT_DONE];

	job->done = dt_time_now();
	jobs->open--;
	if (*place)
		take_out(jobs, *place);
	*place = job;
}

void dt_jobs_set_state(struct dt_jobs *jobs, struct dt_job *job, enum dt_job_state state, const char *waiting)
{
	pthread_mutex_lock(&jobs->lock);
	bool was_done = job->state >= DT_JOB_DONE;
	bool same_reason = dt_text_equal(waiting, job->waiting);
	if (state != job->state || !same_reason) {
		job->state = state;
		job->waiting = waiting && !same_reason ? dt_arena_strdup(&job->arena, waiting) : waiting ? job->waiting : NULL;
		tell(jobs, job);
		if (state >= DT_JOB_DONE && !was_done)
			remember_done(jobs, job);
	}
	pthread_mutex_unlock(&jobs->lock);
}

void dt_jobs_add_item(struct dt_jobs *jobs, struct dt_job *job, const struct dt_job_item *item)
{
	pthread_mutex_lock(&jobs->lock);
	job->item_total++;
	if (job->item_count == job->item_room && job->item_count < DT_JOB_SHOWN) {
		size_t room = job->item_room ? job->item_room * 2 : 4;
		struct dt_job_item *more = realloc(job->items, room * sizeof(*more));
		if (more) {
			job->items = more;
			job->item_room = room;
		}
	}
	if (job->item_count < job->item_room && job->item_count < DT_JOB_SHOWN) {
		struct dt_job_item *to = &job->items[job->item_count++];
		*to = *item;
		to->name = dt_arena_strdup(&job->arena, item->name);
		to->summary = dt_arena_strdup(&job->arena, item->summary);
		to->host = dt_arena_strdup(&job->arena, item->host);
		/* Without memory it is left out: the store has it. */
		job->item_count -= job->arena.failed;
	}
	tell(jobs, job);
	pthread_mutex_unlock(&jobs->lock);
}

void dt_jobs_mark_known(struct dt_jobs *jobs, struct dt_job *job, unsigned file)
{
	pthread_mutex_lock(&jobs->lock);
	job->files[file].known = true;
	pthread_mutex_unlock(&jobs->lock);
}

void dt_jobs_restart(struct dt_jobs *jobs, struct dt_job *job)
{
	pthread_mutex_lock(&jobs->lock);
	job->item_count = job->item_total = 0;
	job->next_file = job->open_files = 0;
	tell(jobs, job);
	pthread_mutex_unlock(&jobs->lock);
}

void dt_jobs_watch(struct dt_jobs *jobs, const char *id, struct dt_job_watch *watch)
{
	pthread_mutex_lock(&jobs->lock);
	strncpy(watch->id, id, sizeof(watch->id) - 1);
	watch->next = jobs->watches;
	jobs->watches = watch;
	pthread_mutex_unlock(&jobs->lock);
}

void dt_jobs_unwatch(struct dt_jobs *jobs, struct dt_job_watch *watch)
{
	pthread_mutex_lock(&jobs->lock);
	for (struct dt_job_watch **at = &jobs->watches; *at; at = &(*at)->next)
		if (*at == watch) {
			*at = watch->next;
			break;
		}
	pthread_mutex_unlock(&jobs->lock);
}

bool dt_jobs_look(struct dt_jobs *jobs, const char *id, void (*view)(void *context, const struct dt_job *job), void *context)
{
	pthread_mutex_lock(&jobs->lock);
	struct dt_job *job = find(jobs, id);
	if (job)
		view(context, job);
	pthread_mutex_unlock(&jobs->lock);
	return job != NULL;
}

unsigned dt_jobs_open(struct dt_jobs *jobs)
{
	pthread_mutex_lock(&jobs->lock);
	unsigned open = jobs->open;
	pthread_mutex_unlock(&jobs->lock);
	return open;
}

static bool may_have(const struct dt_job *job, const char *crash)
{
	bool found = job->item_total > job->item_count;

	for (size_t i = 0; i < job->item_count && !found; i++)
		found = !strcmp(job->items[i].crash, crash);
	return found;
}

void dt_jobs_forget_crash(struct dt_jobs *jobs, const char *crash)
{
	pthread_mutex_lock(&jobs->lock);
	for (size_t i = 0; i < KEPT_DONE; i++)
		if (jobs->done[i] && may_have(jobs->done[i], crash)) {
			take_out(jobs, jobs->done[i]);
			jobs->done[i] = NULL;
		}
	pthread_mutex_unlock(&jobs->lock);
}

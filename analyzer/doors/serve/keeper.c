/* The keeper: a thread for what must be done once in a while: states of incidents, what is too old. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/log/log.h"
#include "doors/serve/serve.h"

enum { LOOK_S = 2, MARK_S = 10, EXPIRE_S = 600, DAY_S = 86400 };

struct dt_keeper {
	struct dt_serve *serve;
	pthread_t thread;
	bool started, stopping;
	pthread_mutex_t lock;
	pthread_cond_t bell;
};

/* New states go into the outbox, and so to who follows it. */
static enum dt_status mark(struct dt_serve *serve, struct dt_store *store, struct dt_error *err)
{
	const struct dt_review *review;
	enum dt_status status = dt_reviews_take(serve->reviews, store, &review, err);

	if (status != DT_OK)
		return status;
	status = dt_review_mark(store, review, err);
	dt_reviews_give(serve->reviews, review);
	return status;
}

static uint64_t days_ago(unsigned days)
{
	return dt_time_now() - (uint64_t)days * DAY_S * DT_TIME_SECOND;
}

static enum dt_status expire(struct dt_serve *serve, struct dt_store *store, struct dt_error *err)
{
	const struct dt_serve_options *options = serve->options;
	uint64_t removed = 0, before = days_ago(options->keep_records);
	enum dt_status status = options->keep_audit ? dt_store_prune_audit(store, days_ago(options->keep_audit), err) : DT_OK;

	if (status != DT_OK || !options->keep_records)
		return status;
	status = dt_store_remove(store, &(struct dt_store_query){ .added_before = before }, false, &removed, err);
	if (status == DT_OK)
		status = dt_store_prune_uploads(store, before, err);
	if (status == DT_OK && removed) {
		dt_log(DT_LOG_INFO, "expired", NULL, "%llu %s deleted", (unsigned long long)removed,
		       dt_text_plural(removed, "record was", "records were"));
		dt_reviews_stale(serve->reviews);
	}
	return status;
}

static void do_round(struct dt_serve *serve, bool expiring)
{
	struct dt_store *store;
	struct dt_error err;
	/* Dumps go when their time is over, whether the store is there or not. */
	unsigned gone = expiring ? dt_spool_expire(serve->spool, (int64_t)serve->options->keep_dumps * DAY_S) : 0;
	if (gone)
		dt_log(DT_LOG_INFO, "expired", NULL, "%u kept %s deleted", gone, dt_text_plural(gone, "dump was", "dumps were"));
	enum dt_status status = dt_stores_take(serve->stores, &store, &err);
	if (status != DT_OK)
		return;
	status = mark(serve, store, &err);
	if (status == DT_OK && expiring)
		status = expire(serve, store, &err);
	if (status != DT_OK)
		dt_log(DT_LOG_WARNING, "keeper", NULL, "%s", err.text);
	dt_stores_give(serve->stores, store, status != DT_OK);
}

static void *run(void *context)
{
	struct dt_keeper *keeper = context;
	unsigned seconds = 0;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		unsigned now = seconds;
		pthread_mutex_unlock(&keeper->lock);
		if (dt_rulebook_refresh(keeper->serve->rulebook))
			dt_log(DT_LOG_INFO, "signatures", NULL, "other signatures are in force; 'dumptriage rematch' judges what is stored by them");
		if (now % MARK_S == 0)
			do_round(keeper->serve, now % EXPIRE_S == 0);
		pthread_mutex_lock(&keeper->lock);
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += LOOK_S;
		seconds += LOOK_S;
		while (!keeper->stopping && pthread_cond_timedwait(&keeper->bell, &keeper->lock, &until) == 0)
			;
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

enum dt_status dt_keeper_start(struct dt_keeper **out, struct dt_serve *serve, struct dt_error *err)
{
	struct dt_keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	keeper->serve = serve;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->bell, NULL);
	keeper->started = pthread_create(&keeper->thread, NULL, run, keeper) == 0;
	*out = keeper;
	return keeper->started ? DT_OK : dt_fail(err, DT_ERR_IO, "cannot start a thread");
}

void dt_keeper_stop(struct dt_keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	pthread_cond_broadcast(&keeper->bell);
	pthread_mutex_unlock(&keeper->lock);
	if (keeper->started)
		pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->bell);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

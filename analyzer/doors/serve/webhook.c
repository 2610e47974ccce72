/*
 * The webhook: a thread that tells an address of each incident that becomes new, growing or an outbreak. It is a feed like those of `dumptriage
 * feed`: what is owed stands in the store's outbox, so a receiver that is away, or a server that ends, loses nothing.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/time.h"
#include "core/log/log.h"
#include "doors/serve/serve.h"
#include "fleet/deliver/deliver.h"
#include "fleet/metrics/metrics.h"

enum { POLL_MS = 500, AFTER_ERROR_MS = 60000, BACKLOG_MS = 10000 };

struct dt_webhook {
	struct dt_deliver *deliver;
	pthread_t thread;
	bool started, stopping;
	uint64_t sent, rejected, again;
	int64_t backlog_ms; /* when the backlog was counted last; 0 never */
	pthread_mutex_t lock;
	pthread_cond_t bell;
};

static bool is_stopping(void *context)
{
	struct dt_webhook *webhook = context;

	pthread_mutex_lock(&webhook->lock);
	bool stopping = webhook->stopping;
	pthread_mutex_unlock(&webhook->lock);
	return stopping;
}

/* Until the time is over, or the server ends. */
static void rest(struct dt_webhook *webhook, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&webhook->lock);
	while (!webhook->stopping && pthread_cond_timedwait(&webhook->bell, &webhook->lock, &until) == 0)
		;
	pthread_mutex_unlock(&webhook->lock);
}

/* It costs a look at all that waits. */
static void count_backlog(struct dt_webhook *webhook)
{
	int64_t now = dt_time_steady_ms();
	struct dt_deliver_backlog backlog;

	if (webhook->backlog_ms && now - webhook->backlog_ms < BACKLOG_MS)
		return;
	webhook->backlog_ms = now;
	if (dt_deliver_backlog(webhook->deliver, &backlog)) {
		dt_metric_set(DT_METRIC_FEED_WAITING, backlog.changes);
		dt_metric_set(DT_METRIC_FEED_DEAD, backlog.dead);
	}
}

static void count(struct dt_webhook *webhook, const struct dt_deliver_report *report)
{
	dt_metric_set(DT_METRIC_FEED_SENT, webhook->sent += report->sent);
	dt_metric_set(DT_METRIC_FEED_REJECTED, webhook->rejected += report->rejected);
	dt_metric_set(DT_METRIC_FEED_AGAIN, webhook->again += report->again);
	dt_metric_set(DT_METRIC_FEED_FAILING, report->problem[0] != '\0');
	count_backlog(webhook);
}

static void *run(void *context)
{
	struct dt_webhook *webhook = context;
	struct dt_deliver_report report;
	struct dt_error err = { 0 };

	while (!is_stopping(webhook)) {
		if (dt_deliver_step(webhook->deliver, &report, &err) != DT_OK) {
			dt_log(DT_LOG_ERROR, "webhook", NULL, "%s", err.text);
			rest(webhook, AFTER_ERROR_MS);
			continue;
		}
		count(webhook, &report);
		if (report.wait_ms)
			rest(webhook, report.wait_ms);
		else if (!report.taken)
			dt_deliver_wait(webhook->deliver, POLL_MS);
	}
	return NULL;
}

enum dt_status dt_webhook_start(struct dt_webhook **out, const struct dt_deliver_options *options, struct dt_error *err)
{
	struct dt_webhook *webhook = calloc(1, sizeof(*webhook));
	pthread_condattr_t attributes;
	enum dt_status status;

	if (!webhook)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	pthread_mutex_init(&webhook->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&webhook->bell, &attributes);
	pthread_condattr_destroy(&attributes);
	*out = webhook;
	struct dt_deliver_options own = *options;
	own.sink.stop = (struct dt_sink_stop){ is_stopping, webhook };
	status = dt_deliver_open(&webhook->deliver, &own, NULL, err);
	if (status != DT_OK)
		return status;
	webhook->started = pthread_create(&webhook->thread, NULL, run, webhook) == 0;
	return webhook->started ? DT_OK : dt_fail(err, DT_ERR_IO, "cannot start a thread");
}

void dt_webhook_stop(struct dt_webhook *webhook)
{
	if (!webhook)
		return;
	pthread_mutex_lock(&webhook->lock);
	webhook->stopping = true;
	pthread_cond_broadcast(&webhook->bell);
	pthread_mutex_unlock(&webhook->lock);
	if (webhook->started)
		pthread_join(webhook->thread, NULL);
	dt_deliver_close(webhook->deliver);
	pthread_cond_destroy(&webhook->bell);
	pthread_mutex_destroy(&webhook->lock);
	free(webhook);
}

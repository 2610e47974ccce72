/* dumptriage feed: steps of one delivery until nothing is owed, or for ever. */
#include "doors/feed/feed.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/log/log.h"
#include "fleet/metrics/metrics.h"

enum { SLICE_MS = 200, POLL_MS = 1000, BACKLOG_S = 10 };

static volatile sig_atomic_t interrupted, hung_up;

static void on_signal(int signal_number)
{
	if (signal_number == SIGHUP)
		hung_up = 1;
	else
		interrupted = 1;
}

struct run {
	struct dt_deliver *deliver;
	struct dt_metrics_out *metrics;
	uint64_t sent, rejected, again;
	int64_t arrived_s; /* when something arrived last */
	int64_t backlog_s; /* when the backlog was counted last; 0 never */
};

static int64_t now_s(void)
{
	return dt_time_steady_ms() / 1000;
}

/* For whoever reads metrics: it costs a look at all that waits. */
static void count_backlog(struct run *run, bool now)
{
	struct dt_deliver_backlog backlog;

	if (!run->metrics || (!now && run->backlog_s && now_s() - run->backlog_s < BACKLOG_S))
		return;
	run->backlog_s = now_s();
	if (dt_deliver_backlog(run->deliver, &backlog)) {
		dt_metric_set(DT_METRIC_FEED_WAITING, backlog.changes);
		dt_metric_set(DT_METRIC_FEED_DEAD, backlog.dead);
	}
}

static void count(struct run *run, const struct dt_deliver_report *report)
{
	run->sent += report->sent;
	run->rejected += report->rejected;
	run->again += report->again;
	if (report->sent || report->rejected || !report->problem[0])
		run->arrived_s = now_s();
	dt_metric_set(DT_METRIC_FEED_SENT, run->sent);
	dt_metric_set(DT_METRIC_FEED_REJECTED, run->rejected);
	dt_metric_set(DT_METRIC_FEED_AGAIN, run->again);
	dt_metric_set(DT_METRIC_FEED_FAILING, report->problem[0] != '\0');
	count_backlog(run, false);
	dt_metrics_tick(run->metrics, false);
}

static void reopen_when_asked(struct run *run)
{
	if (hung_up) {
		hung_up = 0;
		dt_deliver_reopen(run->deliver);
	}
}

static void rest(struct run *run, unsigned ms)
{
	for (unsigned done = 0; done < ms && !interrupted; done += SLICE_MS) {
		nanosleep(&(struct timespec){ 0, SLICE_MS * 1000000L }, NULL);
		reopen_when_asked(run);
	}
}

static bool is_interrupted(void *self)
{
	(void)self;
	return interrupted;
}

/* One that follows has always something before it: being told to end is how it ends. */
static enum dt_status ended_early(struct run *run, const struct dt_feed_command *feed, struct dt_error *err)
{
	struct dt_deliver_backlog backlog = { 0 };

	if (!interrupted || feed->follow)
		return DT_OK;
	if (!dt_deliver_backlog(run->deliver, &backlog))
		return dt_fail(err, DT_ERR_LIMIT, "told to end; what is still owed the store does not say now");
	if (!backlog.changes && !backlog.incidents)
		return DT_OK;
	return dt_fail(err, DT_ERR_LIMIT, "told to end: %llu changes stay owed, %llu incidents are to be looked at", (unsigned long long)backlog.changes,
	               (unsigned long long)backlog.incidents);
}

/* DT_OK: everything that was owed is settled, or we followed and were told to end. DT_ERR_LIMIT: something is still owed. */
static enum dt_status run_steps(struct run *run, const struct dt_feed_command *feed, struct dt_error *err)
{
	struct dt_deliver_report report;

	run->arrived_s = now_s();
	while (!interrupted) {
		reopen_when_asked(run);
		enum dt_status status = dt_deliver_step(run->deliver, &report, err);
		if (status != DT_OK)
			return status;
		count(run, &report);
		if (!feed->follow && report.wait_ms && now_s() - run->arrived_s >= (int64_t)feed->give_up_s)
			return dt_fail(err, DT_ERR_LIMIT, "given up, what did not arrive stays owed: %.200s", report.problem);
		if (report.wait_ms)
			rest(run, report.wait_ms);
		else if (!report.taken && !feed->follow)
			break;
		else if (!report.taken)
			dt_deliver_wait(run->deliver, POLL_MS);
	}
	return ended_early(run, feed, err);
}

static int run_feed(struct dt_feed_command *feed)
{
	struct run run = { 0 };
	struct dt_error err;
	bool fresh = false;
	enum dt_status status;

	feed->deliver.sink.stop.asked = is_interrupted;
	status = dt_deliver_open(&run.deliver, &feed->deliver, &fresh, &err);
	if (status == DT_OK && fresh && !feed->deliver.start.since_given && !feed->deliver.start.replay)
		dt_log(DT_LOG_INFO, "feed", NULL, "a new feed: it begins with what changes from now on; --replay sends what is there already");
	if (status == DT_OK && !fresh && feed->deliver.start.since_given && !feed->deliver.start.replay)
		dt_log(DT_LOG_WARNING, "feed", NULL, "this feed is there already and goes on where it was; --since counts with --replay only");
	if (status == DT_OK)
		status = dt_metrics_open(&run.metrics, feed->metrics, &err);
	if (status == DT_OK)
		status = run_steps(&run, feed, &err);
	if (status != DT_OK)
		(void)dt_door_fail("%s", err.text);
	if (run.deliver)
		count_backlog(&run, true);
	dt_metrics_tick(run.metrics, true);
	dt_metrics_close(run.metrics);
	dt_deliver_close(run.deliver);
	if (strcmp(feed->deliver.sink.url, "-") != 0 && (status == DT_OK || status == DT_ERR_LIMIT))
		printf("%llu %s sent, %llu rejected\n", (unsigned long long)run.sent, dt_text_plural(run.sent, "event", "events"), (unsigned long long)run.rejected);
	if (status == DT_ERR_USAGE)
		return DT_EXIT_USAGE;
	if (status != DT_OK || !dt_door_flush())
		return DT_EXIT_ENVIRONMENT;
	return run.rejected ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

int dt_feed_feed(const struct dt_command *self, int argc, char **argv)
{
	struct dt_feed_command feed = { 0 };
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = dt_feed_parse(&feed, self, argc, argv);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGPIPE, SIG_IGN);
	if (status == DT_EXIT_OK && feed.word)
		status = dt_feed_words(&feed);
	else if (status == DT_EXIT_OK)
		status = run_feed(&feed);
	dt_buf_deinit(&feed.secret);
	dt_buf_deinit(&feed.template);
	return status;
}

/* dumptriage scan: finds inputs, has them read by the pool, judges, keeps. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/base/names.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/scan/count.h"
#include "doors/scan/enqueue.h"
#include "doors/scan/options.h"
#include "doors/scan/summary.h"
#include "core/log/log.h"
#include "fleet/metrics/metrics.h"
#include "doors/common/symbols.h"
#include "fleet/pool/pool.h"

enum { COMMIT_MS = 1000, WAIT_MS = 100, OPEN_AHEAD = 4 };

/* An input that a worker has. */
struct job {
	bool used, self; /* self: a record of the input itself came, not only of members */
	bool again;      /* something of it failed that may go better the next time */
	char *path, *host;
	uint64_t size, mtime;
};

struct scan {
	struct dt_scan_options options;
	struct dt_rules *rules;
	struct dt_host_rule *host_rule;
	struct dt_store *store;
	struct dt_part *part;
	struct dt_pool *pool;
	struct dt_pool_source source; /* workers ask symbols */
	struct dt_walk *walk;
	struct dt_intake intake;
	struct dt_arena arena; /* for one input */
	struct job *jobs;
	struct dt_progress progress;
	struct dt_counter *counter; /* NULL: nobody watches */
	struct dt_metrics_out *metrics;
	struct dt_scan_summary summary;
	int64_t committed;
	int list_fd;
	bool over; /* the walk has ended */
	uint64_t unreadable_before; /* records of such inputs that an earlier run made; with --strict at least whether there is one */
	bool lacking; /* a path that was given is not there */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* The path as records have it. */
static const char *clean_path(struct scan *scan, const char *path)
{
	return dt_text_from_utf8(&scan->arena, (struct dt_bytes){ (const uint8_t *)path, strlen(path) });
}

static enum dt_status keep(struct scan *scan, const struct dt_facts *facts, const char *host, struct dt_error *err)
{
	struct dt_crash crash;
	enum dt_host_source source = scan->options.host ? DT_HOST_GIVEN : DT_HOST_PATH;
	enum dt_status status = dt_intake_judge(&scan->intake, facts, host, source, &crash, err);

	if (status != DT_OK)
		return status;
	dt_summary_add(&scan->summary, &crash);
	scan->progress.known += crash.judgement.verdict.class == DT_CLASS_KNOWN_INCIDENT;
	return scan->part ? dt_part_write(scan->part, &crash, err) : dt_intake_store(&scan->intake, &crash, err);
}

/* An input that no worker ever saw. */
static enum dt_status keep_failure(struct scan *scan, const struct dt_found *found, struct dt_error *err)
{
	struct dt_failure failure = { .kind = DT_FAILURE_IO, .text = found->err.text };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .failure = &failure };

	facts.producer.version = DT_VERSION;
	facts.producer.facts = dt_some(DT_FACTS_VERSION);
	facts.file.path = clean_path(scan, found->path);
	facts.file.path_raw = dt_path_raw(&scan->arena, found->path);
	facts.file.name = dt_text_basename(facts.file.path);
	scan->progress.done++;
	return keep(scan, &facts, scan->options.host, err);
}

const char *dt_scan_host(const char *given, const struct dt_host_rule *rule, const struct dt_found *found, struct dt_arena *arena)
{
	static bool said;
	const char *relative = found->path + found->relative;

	if (given || !rule)
		return given;
	if (*relative == '/' && dt_host_rule_counts_folders(rule) && !said) {
		dt_log(DT_LOG_WARNING, "host-from", found->path, "below which folder does --host-from count? --list-root names it; such names of the list have no host");
		said = true;
	}
	return dt_host_rule_apply(rule, relative, arena);
}

static enum dt_status is_known(struct scan *scan, const struct dt_found *found, bool *known, struct dt_error *err)
{
	const char *path = clean_path(scan, found->path);
	uint64_t mtime = dt_time_from_unix_ns(found->mtime_ns);

	*known = false;
	if (!path || found->link)
		return DT_OK;
	if (scan->part) {
		*known = dt_part_has(scan->part, path, found->size, mtime);
		return DT_OK;
	}
	enum dt_status status = dt_store_seen(scan->store, path, found->size, mtime, scan->options.no_reanalyse ? 1 : DT_FACTS_VERSION, known, err);
	if (status != DT_OK || !*known || !scan->options.strict || scan->unreadable_before)
		return status;
	bool unreadable;
	status = dt_store_unreadable(scan->store, path, &unreadable, err);
	scan->unreadable_before = status == DT_OK && unreadable;
	return status;
}

/* A path that was given and is not there is no input that has a record: the others are read, and the exit status tells. */
static void lack(struct scan *scan, const struct dt_found *found)
{
	(void)dt_door_fail("%s: %s", found->path, found->err.text);
	scan->lacking = true;
}

static enum dt_status take_found(struct scan *scan, struct dt_found *found, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	bool known = false;

	dt_arena_reset(&scan->arena);
	if (found->folder) {
		const char *path = clean_path(scan, found->path);
		status = path ? dt_intake_folder(&scan->intake, path, err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
		dt_found_free(found);
		return status;
	}
	if (found->named)
		lack(scan, found);
	else if (found->status != DT_OK)
		status = keep_failure(scan, found, err);
	else
		status = is_known(scan, found, &known, err);
	if (status != DT_OK || found->status != DT_OK || known) {
		scan->progress.unchanged += known;
		scan->progress.done += known;
		dt_found_free(found);
		return status;
	}
	dt_kill_point("before-open");
	dt_walk_open(scan->walk, found);
	return DT_OK;
}

static enum dt_status submit(struct scan *scan, struct dt_opened *opened, struct dt_error *err)
{
	struct dt_pool_job job = { .path = opened->found.path, .fd = opened->fd, .has_report = opened->report_fd >= 0,
		                   .report_fd = opened->report_fd, .hash = scan->options.hash, .hash_large = scan->options.hash_large };
	const char *host;

	dt_arena_reset(&scan->arena);
	host = dt_scan_host(scan->options.host, scan->host_rule, &opened->found, &scan->arena);
	while (scan->jobs[job.id].used)
		job.id++;
	scan->jobs[job.id] = (struct job){ .used = true, .path = opened->found.path, .host = host ? strdup(host) : NULL,
		                           .size = opened->found.size, .mtime = dt_time_from_unix_ns(opened->found.mtime_ns) };
	if (scan->arena.failed || (host && !scan->jobs[job.id].host)) {
		/* Without its host it would be a crash of nobody. */
		close(opened->fd);
		if (opened->report_fd >= 0)
			close(opened->report_fd);
		return dt_fail(err, DT_ERR_NOMEM, "no memory for a job");
	}
	return dt_pool_submit(scan->pool, &job, err);
}

static enum dt_status take_opened(struct scan *scan, struct dt_opened *opened, struct dt_error *err)
{
	enum dt_status status;

	if (opened->fd >= 0)
		return submit(scan, opened, err);
	dt_arena_reset(&scan->arena);
	status = keep_failure(scan, &opened->found, err);
	dt_found_free(&opened->found);
	return status;
}

static enum dt_status end_job(struct scan *scan, struct job *job, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	const char *path;

	dt_arena_reset(&scan->arena);
	path = clean_path(scan, job->path);
	if (!job->self && scan->store && path)
		status = dt_intake_seen(&scan->intake, path, job->size, job->mtime, job->again ? 0 : DT_FACTS_VERSION, err);
	free(job->path);
	free(job->host);
	memset(job, 0, sizeof(*job));
	scan->progress.done++;
	return status;
}

static enum dt_status take_result(struct scan *scan, struct dt_pool_result *result, struct dt_error *err)
{
	struct job *job = &scan->jobs[result->id];
	enum dt_status status = DT_OK;

	if (result->died)
		dt_log(DT_LOG_WARNING, "worker-lost", result->facts.file.path, "%s", result->facts.failure ? result->facts.failure->text : "");
	if (result->facts.schema) {
		/* What the scan saw of the file before it was read is what the next scan compares. */
		if (!result->facts.file.container) {
			job->self = true;
			result->facts.file.size = dt_some(job->size);
			result->facts.file.mtime = job->mtime;
		}
		job->again |= dt_store_passing(result->facts.failure);
		status = keep(scan, &result->facts, job->host, err);
	}
	if (status == DT_OK && result->last)
		status = end_job(scan, job, err);
	return status;
}

static enum dt_status find(struct scan *scan, int timeout_ms, struct dt_error *err)
{
	struct dt_found found;
	enum dt_status status = DT_OK;

	while (status == DT_OK && !scan->over && dt_walk_opening(scan->walk) < (size_t)scan->options.jobs * OPEN_AHEAD) {
		status = dt_walk_next(scan->walk, timeout_ms, &found);
		timeout_ms = 0;
		if (status == DT_ERR_TRUNCATED)
			scan->over = true;
		else if (status == DT_OK)
			status = take_found(scan, &found, err);
	}
	return status == DT_ERR_NOT_FOUND || status == DT_ERR_TRUNCATED ? DT_OK : status;
}

static enum dt_status feed(struct scan *scan, int timeout_ms, struct dt_error *err)
{
	struct dt_opened opened;
	enum dt_status status = DT_OK;

	while (status == DT_OK && dt_pool_free(scan->pool)) {
		status = dt_walk_opened(scan->walk, timeout_ms, &opened);
		timeout_ms = 0;
		if (status == DT_OK)
			status = take_opened(scan, &opened, err);
	}
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status collect(struct scan *scan, struct dt_error *err)
{
	struct dt_pool_result result;
	enum dt_status status = dt_pool_wait(scan->pool, WAIT_MS, &result, err);

	if (status == DT_ERR_NOT_FOUND)
		return DT_OK;
	return status == DT_OK ? take_result(scan, &result, err) : status;
}

/* What is judged is kept within a second, however slowly inputs come. */
static enum dt_status commit_in_time(struct scan *scan, struct dt_error *err)
{
	int64_t now = dt_time_steady_ms();

	if (!scan->store || now - scan->committed < COMMIT_MS)
		return DT_OK;
	scan->committed = now;
	return dt_intake_commit(&scan->intake, err);
}

static void count(struct scan *scan)
{
	const struct dt_pool_counts *lost = dt_pool_counts(scan->pool);

	dt_metric_set(DT_METRIC_INPUTS, scan->progress.done);
	dt_metric_set(DT_METRIC_UNCHANGED, scan->progress.unchanged);
	dt_metric_set(DT_METRIC_KNOWN, scan->progress.known);
	dt_metric_set(DT_METRIC_UNREADABLE, scan->intake.classes[DT_CLASS_UNREADABLE]);
	dt_metric_set(DT_METRIC_LOST_SIGNAL, lost->signals);
	dt_metric_set(DT_METRIC_LOST_DEADLINE, lost->deadlines);
	dt_metric_set(DT_METRIC_LOST_PROTOCOL, lost->protocol);
	dt_metric_set(DT_METRIC_CRASHES_ADDED, scan->intake.counts.added);
	dt_metric_set(DT_METRIC_CRASHES_CHANGED, scan->intake.counts.changed);
	dt_metric_set(DT_METRIC_RETRIES, scan->intake.counts.retries);
	dt_metrics_tick(scan->metrics, false);
}

static void tick(struct scan *scan)
{
	struct dt_walk_counts counts;

	dt_walk_counts(scan->walk, &counts);
	scan->progress.total = counts.found + counts.failed;
	scan->progress.total_known = counts.complete;
	if (scan->counter && !counts.complete)
		scan->progress.total = dt_counter_total(scan->counter, &scan->progress.total_known);
	dt_progress_tick(&scan->progress);
	if (scan->metrics)
		count(scan);
}

/* An input that there was no memory for has no record: that is no scan to rely on. */
static enum dt_status nothing_left_out(struct scan *scan, struct dt_error *err)
{
	struct dt_walk_counts counts;

	dt_walk_counts(scan->walk, &counts);
	return counts.no_memory ? dt_fail(err, DT_ERR_NOMEM, "no memory to find or open some files; the same command again reads them") : DT_OK;
}

static enum dt_status run_loop(struct scan *scan, struct dt_error *err)
{
	enum dt_status status = DT_OK;

	while (status == DT_OK && !interrupted) {
		bool busy = dt_pool_busy(scan->pool) > 0, opening = dt_walk_opening(scan->walk) > 0;
		if (scan->over && !busy && !opening)
			break;
		status = find(scan, busy || opening ? 0 : WAIT_MS, err);
		if (status == DT_OK)
			status = feed(scan, busy || !dt_walk_opening(scan->walk) ? 0 : WAIT_MS, err);
		if (status == DT_OK && dt_pool_busy(scan->pool))
			status = collect(scan, err);
		if (status == DT_OK)
			status = commit_in_time(scan, err);
		tick(scan);
	}
	return status == DT_OK ? nothing_left_out(scan, err) : status;
}

/* ---- beginning and end --------------------------------------------------- */

static int open_sink(struct scan *scan)
{
	struct dt_part_head head = { .shard = scan->options.shard, .shards = scan->options.shards ? scan->options.shards : 1 };
	struct dt_error err;
	enum dt_status status;

	if (scan->options.db) {
		status = dt_store_open(&scan->store, scan->options.db, DT_STORE_WRITE, &err);
		if (status != DT_OK)
			return dt_door_fail("%s", err.text), status == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
		return DT_EXIT_OK;
	}
	if (!dt_scan_run_id(&scan->options, head.run))
		return dt_door_fail("no memory, or the options are too long");
	status = dt_part_create(&scan->part, scan->options.out, &head, &scan->unreadable_before, &err);
	if (status == DT_ERR_NOT_FOUND) {
		dt_log(DT_LOG_INFO, "complete", NULL, "%s is complete already", scan->options.out);
		scan->over = true;
		return DT_EXIT_OK;
	}
	if (status != DT_OK)
		return dt_door_fail("%s", err.text), status == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	return DT_EXIT_OK;
}

static int open_pool(struct scan *scan)
{
	/* One more than processors: it has its next dump when this process is busy with records. */
	struct dt_pool_options options = { .workers = scan->options.jobs + 1, .deadline_ms = scan->options.deadline_s * 1000,
		                           .no_sandbox = scan->options.no_sandbox,
		                           .source = scan->options.symbols.open ? &scan->source : NULL };
	struct dt_error err;

	if (dt_pool_create(&scan->pool, &options, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	if (scan->options.no_sandbox)
		dt_log(DT_LOG_WARNING, "no-sandbox", NULL, "--no-sandbox: dumps are read without protection; only for debugging");
	else if (*dt_pool_missing(scan->pool))
		dt_log(DT_LOG_WARNING, "sandbox", NULL, "this system has no %s; dumps are read under what is left", dt_pool_missing(scan->pool));
	scan->jobs = calloc(scan->options.jobs + 2, sizeof(*scan->jobs));
	return scan->jobs ? DT_EXIT_OK : dt_door_fail("no memory");
}

static int open_walk(struct scan *scan)
{
	struct dt_walk_options options = {
		.paths = scan->options.paths, .path_count = scan->options.path_count, .list_fd = -1, .list_nul = scan->options.list_nul,
		.list_root = scan->options.list_root,
		.shard = scan->options.shard, .shards = scan->options.shards,
		.tell_folders = scan->store != NULL, .deadline_ms = scan->options.open_deadline_s * 1000,
		.include = scan->options.include, .include_count = scan->options.include_count,
	};
	const char *list = scan->options.list;
	struct dt_error err;

	if (list) {
		scan->list_fd = strcmp(list, "-") ? open(list, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
		if (scan->list_fd < 0)
			return dt_door_fail("%s: %s", list, strerror(errno));
		options.list_fd = scan->list_fd;
	}
	if (dt_walk_create(&scan->walk, &options, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	/* A share is asked for its names a second time only for somebody who waits for the end. */
	if (isatty(STDERR_FILENO) && !scan->options.quiet && !scan->options.enqueue)
		scan->counter = dt_counter_start(&options);
	return DT_EXIT_OK;
}

/* What an earlier run could not read, and nobody has changed since, is as unreadable as it was. */
static int strict_status(const struct scan *scan)
{
	bool unreadable = scan->intake.classes[DT_CLASS_UNREADABLE] || scan->unreadable_before;

	return scan->options.strict && unreadable ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

static int finish(struct scan *scan, enum dt_status status, struct dt_error *err)
{
	if (status == DT_OK && scan->store)
		status = dt_intake_commit(&scan->intake, err);
	/* Without a path that was given a part has no end: the same command again reads it when it is there. */
	if (status == DT_OK && scan->part && !interrupted && !scan->lacking)
		status = dt_part_finish(scan->part, err);
	count(scan);
	dt_metrics_tick(scan->metrics, true);
	dt_progress_end(&scan->progress);
	if (status != DT_OK)
		return dt_door_fail("%s", err->text);
	scan->summary.unchanged = scan->progress.unchanged;
	scan->summary.inputs = scan->progress.done;
	dt_summary_print(&scan->summary, &scan->intake, dt_pool_counts(scan->pool));
	if (scan->store && (scan->intake.counts.added || scan->intake.counts.changed) && dt_summary_incidents(scan->store, err) != DT_OK)
		return dt_door_fail("%s", err->text);
	if (!dt_door_flush())
		return DT_EXIT_ENVIRONMENT;
	if (interrupted)
		return dt_door_fail("interrupted; the same command again goes on");
	if (scan->lacking)
		return DT_EXIT_ENVIRONMENT;
	return strict_status(scan);
}

static int run(struct scan *scan)
{
	struct dt_error err = { 0 };
	int status;

	if (scan->options.enqueue) {
		if ((status = open_walk(scan)) != DT_EXIT_OK)
			return status;
		enum dt_status sent = dt_scan_enqueue(scan->walk, scan->options.enqueue, scan->options.host, scan->host_rule, &scan->lacking, &err);
		if (sent != DT_OK)
			return dt_door_fail("%s", err.text), sent == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
		return dt_door_flush() && !scan->lacking ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	status = open_sink(scan);
	if (status == DT_EXIT_OK && scan->over)
		return strict_status(scan);
	if (status != DT_EXIT_OK)
		return status;
	dt_intake_init(&scan->intake, scan->store, scan->rules);
	enum dt_status metrics = dt_metrics_open(&scan->metrics, scan->options.metrics, &err);
	if (metrics != DT_OK)
		return dt_door_fail("%s", err.text), metrics == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	if ((status = open_pool(scan)) != DT_EXIT_OK || (status = open_walk(scan)) != DT_EXIT_OK)
		return status;
	dt_progress_init(&scan->progress, scan->options.quiet);
	scan->committed = dt_time_steady_ms();
	return finish(scan, run_loop(scan, &err), &err);
}

static void close_scan(struct scan *scan)
{
	for (unsigned i = 0; scan->jobs && i < scan->options.jobs + 2; i++) {
		free(scan->jobs[i].path);
		free(scan->jobs[i].host);
	}
	free(scan->jobs);
	dt_metrics_close(scan->metrics);
	dt_counter_stop(scan->counter);
	dt_walk_destroy(scan->walk);
	dt_pool_destroy(scan->pool);
	dt_door_symbols_close(&scan->options.symbols);
	dt_part_close(scan->part);
	dt_store_close(scan->store);
	dt_intake_deinit(&scan->intake);
	dt_summary_deinit(&scan->summary);
	dt_host_rule_free(scan->host_rule);
	dt_rules_free(scan->rules);
	dt_arena_deinit(&scan->arena);
	if (scan->list_fd >= 0)
		close(scan->list_fd);
}

int dt_scan_scan(const struct dt_command *self, int argc, char **argv)
{
	struct scan scan = { .list_fd = -1 };
	struct dt_error err;
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = dt_scan_options_parse(&scan.options, self, argc, argv);
	if (status == DT_EXIT_OK)
		status = dt_door_symbols_open(&scan.options.symbols, self);
	scan.source = (struct dt_pool_source){ &scan.options.symbols, dt_door_symbols_ask };
	if (status != DT_EXIT_OK)
		return status;
	if (scan.options.host_from && dt_host_rule_create(&scan.host_rule, scan.options.host_from, &err) != DT_OK)
		return dt_door_usage(self, "%s", err.text);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	dt_arena_init(&scan.arena, DT_MAX_ARENA);
	dt_summary_init(&scan.summary);
	scan.rules = dt_door_rules(scan.options.signatures, scan.options.carriers);
	status = scan.rules ? run(&scan) : DT_EXIT_ENVIRONMENT;
	close_scan(&scan);
	return status;
}

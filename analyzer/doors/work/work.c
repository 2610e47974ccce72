/* dumptriage work: queue -> pool -> store -> acknowledgement. */
#include "doors/work/work.h"

#include <getopt.h>
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
#include "fleet/intake/intake.h"
#include "fleet/intake/location.h"
#include "core/log/log.h"
#include "fleet/metrics/metrics.h"
#include "doors/common/symbols.h"
#include "fleet/pool/pool.h"
#include "fleet/queue/queue.h"
#include "fleet/walk/walk.h"

enum { DB = 300, QUEUE, METRICS, JOBS, IDLE, SIGNATURES, CARRIERS, DEADLINE, NO_SANDBOX };
enum { MAX_JOBS = 256, AHEAD = 8, BATCH = 64, COMMIT_MS = 250, WAIT_MS = 100, LAST_ATTEMPT = 2, RECONNECT_TRIES = 60 };

enum stage { FREE, OPENING, READING, STORED, FAILED };

/* A message that was taken and not acknowledged yet. */
struct message {
	enum stage stage;
	uint64_t tag;
	unsigned attempts;
	char *path, *host;
	uint64_t size, mtime;
};

struct work {
	const char *db, *queue_url, *signatures, *carriers, *metrics_target;
	struct dt_metrics_out *metrics;
	unsigned jobs, idle_s, deadline_s;
	bool no_sandbox;
	struct dt_rules *rules;
	struct dt_store *store;
	struct dt_queue *queue;
	struct dt_pool *pool;
	struct dt_door_symbols symbols;
	struct dt_pool_source source; /* workers ask symbols */
	struct dt_walk *walk; /* only its openers are used */
	struct dt_intake intake;
	struct dt_arena arena;
	struct message *messages;
	size_t room, used;
	int64_t committed, heard;
	uint64_t done, rejected, redelivered;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void forget(struct work *work, struct message *message)
{
	free(message->path);
	free(message->host);
	memset(message, 0, sizeof(*message));
	work->used--;
}

/* ---- the queue's side -------------------------------------------------------- */

static enum dt_status accept_message(struct work *work, const struct dt_delivery *delivery, struct dt_error *err)
{
	struct message *message = work->messages;
	struct dt_location location;
	struct dt_found found = { .root = -1 };

	work->redelivered += delivery->redelivered;
	dt_arena_reset(&work->arena);
	if (dt_location_read(delivery->body, &work->arena, &location, err) != DT_OK) {
		dt_log(DT_LOG_WARNING, "message", NULL, "%s", err->text);
		work->rejected++;
		return dt_queue_reject(work->queue, delivery->tag, err);
	}
	while (message->stage != FREE)
		message++;
	*message = (struct message){ .stage = OPENING, .tag = delivery->tag, .attempts = delivery->attempts, .path = strdup(location.path),
		                     .host = location.host ? strdup(location.host) : NULL };
	work->used++;
	found.path = strdup(location.path);
	found.user = (size_t)(message - work->messages);
	if (!message->path || !found.path || (location.host && !message->host)) {
		free(found.path);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	dt_kill_point("before-open");
	dt_walk_open(work->walk, &found);
	return DT_OK;
}

static enum dt_status take_messages(struct work *work, int timeout_ms, struct dt_error *err)
{
	struct dt_delivery delivery;
	enum dt_status status = DT_OK;

	while (status == DT_OK && work->used < work->room && !interrupted) {
		status = dt_queue_take(work->queue, timeout_ms, &delivery, err);
		timeout_ms = 0;
		if (status == DT_OK) {
			work->heard = dt_time_steady_ms();
			status = accept_message(work, &delivery, err);
		}
	}
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* What is in the store is acknowledged, what failed goes back; both only behind the commit. */
static enum dt_status settle(struct work *work, struct dt_error *err)
{
	enum dt_status status = dt_intake_commit(&work->intake, err);

	work->committed = dt_time_steady_ms();
	if (status != DT_OK)
		return status;
	dt_kill_point("before-ack");
	for (size_t i = 0; i < work->room && status == DT_OK; i++) {
		struct message *message = &work->messages[i];
		if (message->stage != STORED && message->stage != FAILED)
			continue;
		bool stored = message->stage == STORED;
		status = stored ? dt_queue_ack(work->queue, message->tag, err) : dt_queue_reject(work->queue, message->tag, err);
		work->done += stored;
		work->rejected += !stored;
		forget(work, message);
	}
	return status;
}

/* A broker that went away comes back; what was not acknowledged comes again, and changes nothing in the store. */
static enum dt_status reconnect(struct work *work, struct dt_error *err)
{
	enum dt_status status = DT_ERR_IO;

	dt_log(DT_LOG_WARNING, "queue-lost", NULL, "%s; trying again", err->text);
	dt_queue_close(work->queue);
	work->queue = NULL;
	for (size_t i = 0; i < work->room; i++)
		work->messages[i].tag = 0;
	for (unsigned try = 0; try < RECONNECT_TRIES && status == DT_ERR_IO && !interrupted; try++) {
		if (try)
			sleep(1);
		status = dt_queue_open(&work->queue, work->queue_url, (unsigned)work->room, err);
	}
	return status;
}

/* Messages of the connection that broke are worked to their end and not acknowledged. */
static void drop_lost(struct work *work)
{
	for (size_t i = 0; i < work->room; i++)
		if (!work->messages[i].tag && (work->messages[i].stage == STORED || work->messages[i].stage == FAILED))
			forget(work, &work->messages[i]);
}

/* ---- the pool's side ----------------------------------------------------------- */

/* The share or the worker failed, not the file. */
static bool passing(const struct dt_facts *facts)
{
	return facts->failure && (facts->failure->kind == DT_FAILURE_IO || facts->failure->kind == DT_FAILURE_SIGNAL ||
	                          facts->failure->kind == DT_FAILURE_DEADLINE);
}

/* What may go better the next time is not stored before the last. */
static enum dt_status keep(struct work *work, struct message *message, const struct dt_facts *facts, struct dt_error *err)
{
	struct dt_crash crash;
	enum dt_status status;

	if (passing(facts)) {
		message->stage = FAILED;
		if (message->attempts < LAST_ATTEMPT)
			return DT_OK;
	}
	status = dt_intake_judge(&work->intake, facts, message->host, DT_HOST_GIVEN, &crash, err);
	return status == DT_OK ? dt_intake_store(&work->intake, &crash, err) : status;
}

static enum dt_status keep_unopened(struct work *work, struct message *message, const struct dt_error *why, struct dt_error *err)
{
	struct dt_failure failure = { .kind = DT_FAILURE_IO, .text = why->text };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .failure = &failure };

	dt_arena_reset(&work->arena);
	facts.producer.version = DT_VERSION;
	facts.producer.facts = dt_some(DT_FACTS_VERSION);
	facts.file.path = dt_text_from_utf8(&work->arena, (struct dt_bytes){ (const uint8_t *)message->path, strlen(message->path) });
	facts.file.path_raw = dt_path_raw(&work->arena, message->path);
	facts.file.name = dt_text_basename(facts.file.path);
	return keep(work, message, &facts, err);
}

static enum dt_status take_opened(struct work *work, struct dt_error *err)
{
	struct dt_opened opened;
	enum dt_status status = DT_OK;

	while (status == DT_OK && dt_pool_free(work->pool) && dt_walk_opened(work->walk, 0, &opened) == DT_OK) {
		struct message *message = &work->messages[opened.found.user];
		message->stage = READING;
		message->size = opened.found.size;
		message->mtime = dt_time_from_unix_ns(opened.found.mtime_ns);
		if (opened.fd < 0) {
			status = keep_unopened(work, message, &opened.found.err, err);
		} else {
			const struct dt_pool_job job = { .id = opened.found.user, .path = message->path, .fd = opened.fd,
			                                 .has_report = opened.report_fd >= 0, .report_fd = opened.report_fd, .hash = true };
			status = dt_pool_submit(work->pool, &job, err);
		}
		dt_found_free(&opened.found);
	}
	return status;
}

static enum dt_status collect(struct work *work, struct dt_error *err)
{
	struct dt_pool_result result;
	enum dt_status status = dt_pool_wait(work->pool, WAIT_MS, &result, err);

	if (status != DT_OK)
		return status == DT_ERR_NOT_FOUND ? DT_OK : status;
	struct message *message = &work->messages[result.id];
	if (result.facts.schema) {
		if (!result.facts.file.container) {
			result.facts.file.size = dt_some(message->size);
			result.facts.file.mtime = message->mtime;
		}
		status = keep(work, message, &result.facts, err);
	}
	if (result.last && message->stage == READING)
		message->stage = STORED;
	return status;
}

static bool waiting_to_settle(const struct work *work)
{
	for (size_t i = 0; i < work->room; i++)
		if (work->messages[i].stage == STORED || work->messages[i].stage == FAILED)
			return true;
	return false;
}

/* One round. The error says whether queue or store failed: queue errors are told by *queue_failed. */
static enum dt_status round_once(struct work *work, bool *queue_failed, struct dt_error *err)
{
	enum dt_status status = take_messages(work, work->used ? 0 : WAIT_MS, err);

	*queue_failed = status == DT_ERR_IO;
	if (status == DT_OK)
		status = take_opened(work, err);
	if (status == DT_OK && dt_pool_busy(work->pool))
		status = collect(work, err);
	else if (status == DT_OK && work->used)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	if (status != DT_OK)
		return status;
	bool due = dt_store_pending(work->store) >= BATCH || dt_time_steady_ms() - work->committed >= COMMIT_MS;
	if (!due || !waiting_to_settle(work))
		return DT_OK;
	status = dt_intake_commit(&work->intake, err);
	if (status != DT_OK)
		return status;
	status = settle(work, err);
	*queue_failed = status == DT_ERR_IO;
	return status;
}

static void count(const struct work *work)
{
	const struct dt_pool_counts *lost = dt_pool_counts(work->pool);

	dt_metric_set(DT_METRIC_MESSAGES, work->done);
	dt_metric_set(DT_METRIC_REJECTED, work->rejected);
	dt_metric_set(DT_METRIC_REDELIVERED, work->redelivered);
	dt_metric_set(DT_METRIC_IN_FLIGHT, work->used);
	dt_metric_set(DT_METRIC_KNOWN, work->intake.classes[DT_CLASS_KNOWN_INCIDENT]);
	dt_metric_set(DT_METRIC_UNREADABLE, work->intake.classes[DT_CLASS_UNREADABLE]);
	dt_metric_set(DT_METRIC_LOST_SIGNAL, lost->signals);
	dt_metric_set(DT_METRIC_LOST_DEADLINE, lost->deadlines);
	dt_metric_set(DT_METRIC_LOST_PROTOCOL, lost->protocol);
	dt_metric_set(DT_METRIC_CRASHES_ADDED, work->intake.counts.added);
	dt_metric_set(DT_METRIC_CRASHES_CHANGED, work->intake.counts.changed);
	dt_metric_set(DT_METRIC_RETRIES, work->intake.counts.retries);
	dt_metrics_tick(work->metrics, false);
}

/* A message whose file could not be handed on would never be answered: without this program, the queue gives it to another. */
static enum dt_status nothing_left_out(struct work *work, struct dt_error *err)
{
	struct dt_walk_counts counts;

	dt_walk_counts(work->walk, &counts);
	return counts.no_memory ? dt_fail(err, DT_ERR_NOMEM, "no memory to open a file") : DT_OK;
}

static enum dt_status run_rounds(struct work *work, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	bool queue_failed = false;

	work->heard = work->committed = dt_time_steady_ms();
	while (status == DT_OK && !(interrupted && !work->used)) {
		if (!work->used && work->idle_s && dt_time_steady_ms() - work->heard > (int64_t)work->idle_s * 1000)
			break;
		drop_lost(work);
		if (work->metrics)
			count(work);
		status = round_once(work, &queue_failed, err);
		if (status != DT_OK && queue_failed)
			status = reconnect(work, err);
		if (status == DT_OK)
			status = nothing_left_out(work, err);
	}
	return status;
}

/* ---- beginning and end ----------------------------------------------------------- */

static int one(struct work *work, const struct dt_command *self, int option, const char *value)
{
	switch (option) {
	case DB: work->db = value; return DT_EXIT_OK;
	case QUEUE: work->queue_url = value; return DT_EXIT_OK;
	case METRICS: work->metrics_target = value; return DT_EXIT_OK;
	case JOBS: return dt_door_unsigned(self, "--jobs", value, 1, MAX_JOBS, &work->jobs);
	case IDLE: return dt_door_unsigned(self, "--idle", value, 0, 86400, &work->idle_s);
	case SIGNATURES: work->signatures = value; return DT_EXIT_OK;
	case CARRIERS: work->carriers = value; return DT_EXIT_OK;
	case DEADLINE: return dt_door_unsigned(self, "--deadline", value, 1, 86400, &work->deadline_s);
	case NO_SANDBOX: work->no_sandbox = true; return DT_EXIT_OK;
	default: return dt_door_usage(self, "wrong option");
	}
}

static int parse(struct work *work, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB },     { "queue", required_argument, NULL, QUEUE },           { "jobs", required_argument, NULL, JOBS },
		{ "idle", required_argument, NULL, IDLE }, { "signatures", required_argument, NULL, SIGNATURES },
		{ "carriers", required_argument, NULL, CARRIERS },
		DT_SYMBOLS_LONG_OPTIONS, { "deadline", required_argument, NULL, DEADLINE },
		{ "no-sandbox", no_argument, NULL, NO_SANDBOX }, { "metrics", required_argument, NULL, METRICS }, { 0 },
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct dt_queue_url url;
	struct dt_error err;
	int option, taken, status = DT_EXIT_OK;

	work->jobs = processors > 0 && processors < MAX_JOBS ? (unsigned)processors : 1;
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		if ((taken = dt_door_symbols_option(&work->symbols, self, option, optarg)) == 0)
			status = one(work, self, option, optarg);
		else if (taken < 0)
			status = DT_EXIT_USAGE;
	if (status == DT_EXIT_OK && optind < argc)
		status = dt_door_usage(self, "'%s' is one too many", argv[optind]);
	if (status == DT_EXIT_OK && (!work->db || !work->queue_url))
		status = dt_door_usage(self, work->db ? "--queue is missing" : "--db is missing");
	if (status == DT_EXIT_OK && dt_queue_url_parse(work->queue_url, &url, &err) != DT_OK)
		status = dt_door_usage(self, "%s", err.text);
	return status;
}

static enum dt_status open_all(struct work *work, struct dt_error *err)
{
	const struct dt_pool_options pool = { .workers = work->jobs + 1, .deadline_ms = work->deadline_s * 1000, .no_sandbox = work->no_sandbox,
		                              .source = work->symbols.open ? &work->source : NULL };
	enum dt_status status;

	work->room = (size_t)work->jobs * AHEAD;
	work->messages = calloc(work->room, sizeof(*work->messages));
	if (!work->messages)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	status = dt_store_open(&work->store, work->db, DT_STORE_WRITE, err);
	if (status == DT_OK)
		status = dt_pool_create(&work->pool, &pool, err);
	if (status == DT_OK)
		status = dt_walk_create(&work->walk, &(struct dt_walk_options){ .list_fd = -1 }, err);
	if (status == DT_OK)
		status = dt_queue_open(&work->queue, work->queue_url, (unsigned)work->room, err);
	if (status == DT_OK)
		status = dt_metrics_open(&work->metrics, work->metrics_target, err);
	dt_intake_init(&work->intake, work->store, work->rules);
	/* Batches end by settle(), which acknowledges them. */
	work->intake.batch = SIZE_MAX;
	return status;
}

static int run(struct work *work)
{
	struct dt_error err;
	enum dt_status status = open_all(work, &err);

	if (status == DT_OK && *dt_pool_missing(work->pool) && !work->no_sandbox)
		dt_log(DT_LOG_WARNING, "sandbox", NULL, "this system has no %s; dumps are read under what is left", dt_pool_missing(work->pool));
	if (status == DT_OK)
		status = run_rounds(work, &err);
	if (status == DT_ERR_USAGE)
		return dt_door_fail("%s", err.text), DT_EXIT_USAGE;
	if (status != DT_OK)
		return dt_door_fail("%s", err.text);
	printf("%llu %s done, %llu failed, %llu came again; %llu new %s, %llu changed, %llu known already\n", (unsigned long long)work->done,
	       dt_text_plural(work->done, "message", "messages"), (unsigned long long)work->rejected, (unsigned long long)work->redelivered,
	       (unsigned long long)work->intake.counts.added, dt_text_plural(work->intake.counts.added, "crash", "crashes"),
	       (unsigned long long)work->intake.counts.changed, (unsigned long long)work->intake.counts.unchanged);
	return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

int dt_work_work(const struct dt_command *self, int argc, char **argv)
{
	struct work work = { 0 };
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = parse(&work, self, argc, argv);
	if (status == DT_EXIT_OK)
		status = dt_door_symbols_open(&work.symbols, self);
	if (status != DT_EXIT_OK)
		return status;
	work.source = (struct dt_pool_source){ &work.symbols, dt_door_symbols_ask };
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	dt_arena_init(&work.arena, DT_MAX_ARENA);
	work.rules = dt_door_rules(work.signatures, work.carriers);
	status = work.rules ? run(&work) : DT_EXIT_ENVIRONMENT;
	for (size_t i = 0; i < work.room; i++)
		if (work.messages[i].stage != FREE)
			forget(&work, &work.messages[i]);
	free(work.messages);
	dt_metrics_tick(work.metrics, true);
	dt_metrics_close(work.metrics);
	dt_queue_close(work.queue);
	dt_walk_destroy(work.walk);
	dt_pool_destroy(work.pool);
	dt_door_symbols_close(&work.symbols);
	dt_store_close(work.store);
	dt_intake_deinit(&work.intake);
	dt_arena_deinit(&work.arena);
	dt_rules_free(work.rules);
	return status;
}

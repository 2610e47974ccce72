#include "fleet/pool/pool.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/codec.h"
#include "fleet/pool/process.h"

enum { DEFAULT_DEADLINE_MS = 30000, DEFAULT_ASK_MS = 60000, MAX_WORKERS = 256, MAX_DEATHS = 16, START_TRIES = 5 };
#define DEFAULT_MEMORY (UINT64_C(256) << 20)

struct slot {
	struct dt_process_handle process;
	bool busy;
	uint64_t id;
	char *path;
	int fd;           /* of the input, for another worker when this one is lost inside an archive; -1 none */
	int report;       /* -1 none */
	uint32_t flags;
	char *member;     /* of the archive: where the worker is; NULL: no archive */
	uint32_t index;   /* its number */
	unsigned deaths;
	uint32_t asks;    /* for this dump */
	bool unasked;     /* the time of the job's questions was over: this dump did not get what it asked for */
	int64_t asked_ms; /* what the job's questions have taken */
	int64_t deadline; /* ms of the monotonic clock */
};

struct dt_pool {
	struct slot *slots;
	struct pollfd *polls; /* of the workers, and behind them of who wakes us */
	unsigned count;
	bool has_wake;
	int wake_fd;
	unsigned deadline_ms, ask_ms;
	const struct dt_pool_source *source;
	struct dt_hello hello;
	char program[PATH_MAX];
	uint32_t mechanisms;
	struct dt_arena arena; /* of the result handed out last */
	struct dt_pool_counts counts;
};

/* Beside the program (a build folder), else in the folder that an installation has for it. */
static void find_worker(struct dt_pool *pool, const char *given)
{
	static const char *const places[] = { "dumptriage-worker", "../libexec/dumptriage/dumptriage-worker" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given) {
		snprintf(pool->program, sizeof(pool->program), "%s", given);
		return;
	}
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(pool->program, sizeof(pool->program), "%.*s%s", (int)(PATH_MAX - 64), self, places[i]);
		if (n > 0 && access(pool->program, X_OK) == 0)
			return;
	}
}

static enum dt_status start(struct dt_pool *pool, struct slot *slot, struct dt_error *err)
{
	enum dt_status status = DT_ERR_IO;

	/* A worker can be killed before it has said a word; a program that is not there stays away. */
	for (unsigned try = 0; try < START_TRIES && (status == DT_ERR_IO || status == DT_ERR_TRUNCATED); try++)
		status = dt_process_start(&slot->process, pool->program, &pool->hello, err);

	if (status != DT_OK)
		return status;
	pool->counts.spawned++;
	pool->mechanisms &= slot->process.mechanisms;
	return DT_OK;
}

enum dt_status dt_pool_create(struct dt_pool **out, const struct dt_pool_options *options, struct dt_error *err)
{
	struct dt_pool *pool = calloc(1, sizeof(*pool));
	unsigned count = options->workers < 1 ? 1 : options->workers > MAX_WORKERS ? MAX_WORKERS : options->workers;
	enum dt_status status = DT_OK;

	if (!pool || !(pool->slots = calloc(count, sizeof(*pool->slots))) || !(pool->polls = calloc(count + 1, sizeof(*pool->polls)))) {
		dt_pool_destroy(pool);
		return dt_fail(err, DT_ERR_NOMEM, "no memory for %u workers", count);
	}
	dt_arena_init(&pool->arena, DT_MAX_ARENA);
	pool->count = count;
	pool->has_wake = options->has_wake;
	pool->wake_fd = options->wake_fd;
	pool->mechanisms = DT_SANDBOX_ALL;
	pool->deadline_ms = options->deadline_ms ? options->deadline_ms : DEFAULT_DEADLINE_MS;
	pool->ask_ms = options->ask_ms ? options->ask_ms : DEFAULT_ASK_MS;
	pool->source = options->source;
	pool->hello = (struct dt_hello){
		.version = DT_PROTOCOL_VERSION,
		.flags = options->no_sandbox ? 0 : DT_HELLO_SANDBOX,
		.memory_limit = options->memory_limit ? options->memory_limit : DEFAULT_MEMORY,
		.cpu_seconds = pool->deadline_ms / 1000 + 1,
	};
	find_worker(pool, options->worker_path);
	for (unsigned i = 0; i < count && status == DT_OK; i++)
		status = start(pool, &pool->slots[i], err);
	if (status != DT_OK) {
		dt_pool_destroy(pool);
		return status;
	}
	*out = pool;
	return DT_OK;
}

static void forget_job(struct slot *slot)
{
	free(slot->path);
	free(slot->member);
	slot->path = slot->member = NULL;
	if (slot->busy && slot->fd >= 0)
		close(slot->fd);
	if (slot->busy && slot->report >= 0)
		close(slot->report);
	slot->fd = slot->report = -1;
	slot->busy = false;
}

void dt_pool_destroy(struct dt_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; pool->slots && i < pool->count; i++) {
		(void)dt_process_end(&pool->slots[i].process);
		forget_job(&pool->slots[i]);
	}
	dt_arena_deinit(&pool->arena);
	free(pool->slots);
	free(pool->polls);
	free(pool);
}

uint32_t dt_pool_mechanisms(const struct dt_pool *pool)
{
	return pool->mechanisms;
}

const char *dt_pool_missing(const struct dt_pool *pool)
{
	static const char *const words[] = {
		"", "seccomp", "Landlock", "seccomp and Landlock", "resource limits", "seccomp and resource limits",
		"Landlock and resource limits", "seccomp, Landlock and resource limits",
	};

	return words[~pool->mechanisms & DT_SANDBOX_ALL];
}

unsigned dt_pool_busy(const struct dt_pool *pool)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < pool->count; i++)
		busy += pool->slots[i].busy;
	return busy;
}

unsigned dt_pool_free(const struct dt_pool *pool)
{
	return pool->count - dt_pool_busy(pool);
}

const struct dt_pool_counts *dt_pool_counts(const struct dt_pool *pool)
{
	return &pool->counts;
}

static enum dt_status send_job(struct slot *slot, uint32_t skip, struct dt_error *err)
{
	struct dt_job body = { .flags = slot->flags, .skip = skip, .path = slot->path };
	struct dt_message message = { .type = DT_MESSAGE_JOB, .job = slot->id, .fd = slot->fd, .has_report = slot->report >= 0, .report = slot->report };
	struct dt_buf buf;

	dt_buf_init(&buf, DT_MESSAGE_MAX);
	dt_job_write(&body, &buf);
	message.body = dt_buf_bytes(&buf);
	enum dt_status status = dt_buf_ok(&buf) ? dt_channel_send(&slot->process.channel, &message, err)
	                                        : dt_fail(err, DT_ERR_NOMEM, "no memory for a job");
	dt_buf_deinit(&buf);
	return status;
}

/* A worker can have died since its last job: it is replaced, and the job goes to the new one. */
static enum dt_status give(struct dt_pool *pool, struct slot *slot, uint32_t skip, struct dt_error *err)
{
	enum dt_status status = slot->process.pid ? send_job(slot, skip, err) : DT_ERR_IO;

	if (status == DT_OK || status == DT_ERR_NOMEM)
		return status;
	(void)dt_process_end(&slot->process);
	status = start(pool, slot, err);
	return status == DT_OK ? send_job(slot, skip, err) : status;
}

enum dt_status dt_pool_submit(struct dt_pool *pool, const struct dt_pool_job *job, struct dt_error *err)
{
	struct slot *slot = NULL;
	enum dt_status status;

	for (unsigned i = 0; i < pool->count && !slot; i++)
		slot = pool->slots[i].busy ? NULL : &pool->slots[i];
	if (!slot || !(slot->path = strdup(job->path))) {
		close(job->fd);
		if (job->has_report)
			close(job->report_fd);
		return slot ? dt_fail(err, DT_ERR_NOMEM, "no memory for a job") : dt_fail(err, DT_ERR_LIMIT, "all %u workers are busy", pool->count);
	}
	slot->busy = true;
	slot->id = job->id;
	slot->fd = job->fd;
	slot->report = job->has_report ? job->report_fd : -1;
	slot->flags = (job->hash ? DT_JOB_HASH : 0u) | (job->hash_large ? DT_JOB_HASH_LARGE : 0u) |
	              (pool->source ? DT_JOB_SYMBOLS : 0u);
	slot->asks = 0;
	slot->unasked = false;
	slot->asked_ms = 0;
	slot->deaths = 0;
	slot->deadline = dt_time_steady_ms() + pool->deadline_ms;
	status = give(pool, slot, 0, err);
	if (status != DT_OK)
		forget_job(slot);
	return status;
}

/* The parts of facts that are the parent's own knowledge: a worker cannot rename its input. */
static void own_facts(struct dt_pool *pool, const struct slot *slot, struct dt_facts *facts)
{
	struct dt_arena *arena = &pool->arena;
	const char *path = dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)slot->path, strlen(slot->path) });
	struct dt_container *container = slot->member && *slot->member ? DT_ARENA_NEW(arena, struct dt_container) : NULL;

	facts->schema = DT_CRASH_SCHEMA;
	facts->file.path_raw = dt_path_raw(arena, slot->path);
	facts->file.container = container;
	facts->file.path = path;
	if (container) {
		*container = (struct dt_container){ .archive = path, .member = dt_arena_strdup(arena, slot->member) };
		facts->file.path = dt_arena_printf(arena, "%s!/%s", path ? path : "", slot->member);
	}
	facts->file.name = dt_text_basename(facts->file.path);
}

/* The archive's next members go to a new worker. */
static bool go_on_behind(struct dt_pool *pool, struct slot *slot)
{
	struct dt_error err;

	if (!slot->member || !*slot->member || ++slot->deaths >= MAX_DEATHS)
		return false;
	slot->deadline = dt_time_steady_ms() + pool->deadline_ms;
	slot->asks = 0;
	return give(pool, slot, slot->index + 1, &err) == DT_OK;
}

static void lost(struct dt_pool *pool, struct slot *slot, enum dt_failure_kind kind, const char *text,
                 struct dt_pool_result *result)
{
	struct dt_failure *failure = DT_ARENA_NEW(&pool->arena, struct dt_failure);

	*result = (struct dt_pool_result){ .id = slot->id, .died = true };
	own_facts(pool, slot, &result->facts);
	result->facts.producer.version = DT_VERSION;
	if (failure)
		*failure = (struct dt_failure){ .kind = kind, .text = dt_arena_strdup(&pool->arena, text) };
	result->facts.failure = failure;
	pool->counts.results++;
	if (go_on_behind(pool, slot))
		return;
	result->last = true;
	forget_job(slot);
}

/* How the process ended, in words. A worker over its memory limit gets no memory and says so itself, or dies of SIGSEGV or SIGABRT. */
static void lost_to_death(struct dt_pool *pool, struct slot *slot, struct dt_pool_result *result)
{
	int status = dt_process_end(&slot->process);
	char text[160];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
		pool->counts.deadlines++;
		snprintf(text, sizeof(text), "reading it took more than %u s of processor time", pool->hello.cpu_seconds);
		lost(pool, slot, DT_FAILURE_DEADLINE, text, result);
		return;
	}
	pool->counts.signals++;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the worker that read it died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "the worker that read it ended with status %d", WEXITSTATUS(status));
	lost(pool, slot, DT_FAILURE_SIGNAL, text, result);
}

static void lost_to_deadline(struct dt_pool *pool, struct slot *slot, struct dt_pool_result *result)
{
	char text[160];

	pool->counts.deadlines++;
	(void)dt_process_end(&slot->process);
	snprintf(text, sizeof(text), "reading it took longer than the deadline of %u ms", pool->deadline_ms);
	lost(pool, slot, DT_FAILURE_DEADLINE, text, result);
}

static void lost_to_protocol(struct dt_pool *pool, struct slot *slot, const char *why, struct dt_pool_result *result)
{
	char text[400];

	pool->counts.protocol++;
	(void)dt_process_end(&slot->process);
	snprintf(text, sizeof(text), "the worker that read it does not keep to the protocol: %s", why);
	lost(pool, slot, DT_FAILURE_SIGNAL, text, result);
}

/* false: it does not keep to the protocol. */
static bool take_member(struct dt_pool *pool, struct slot *slot, struct dt_bytes body)
{
	const char *name;

	if (!dt_member_message_read(body, &slot->index, &name))
		return false;
	free(slot->member);
	slot->member = strdup(name);
	slot->asks = 0;
	slot->unasked = false;
	slot->deadline = dt_time_steady_ms() + pool->deadline_ms;
	return slot->member != NULL;
}

/* Symbols may come from a server: that time is nobody's fault, and no worker of this thread could be heard meanwhile. */
static int ask_source(struct dt_pool *pool, struct slot *slot, const struct dt_ask *ask)
{
	if (slot->asked_ms >= (int64_t)pool->ask_ms) {
		slot->unasked = true;
		return -1;
	}
	int64_t begin = dt_time_steady_ms();
	int fd = pool->source->ask(pool->source->self, ask);
	int64_t spent = dt_time_steady_ms() - begin;

	slot->asked_ms += spent;
	for (unsigned i = 0; i < pool->count; i++)
		if (pool->slots[i].busy)
			pool->slots[i].deadline += spent;
	return fd;
}

/* false: it does not keep to the protocol, or cannot be answered. */
static bool take_ask(struct dt_pool *pool, struct slot *slot, struct dt_bytes body)
{
	struct dt_message answer = { .type = DT_MESSAGE_ANSWER, .job = slot->id, .fd = -1 };
	struct dt_error err;
	struct dt_ask ask;

	if (!pool->source || slot->asks++ == DT_MAX_ASKS || !dt_ask_read(body, &ask))
		return false;
	answer.fd = ask_source(pool, slot, &ask);
	bool ok = dt_channel_send(&slot->process.channel, &answer, &err) == DT_OK;
	if (answer.fd >= 0)
		close(answer.fd);
	return ok;
}

/* That nobody was asked is the parent's to say: the worker cannot tell it from a file that is not there. */
static void note_unasked(struct dt_pool *pool, const struct slot *slot, struct dt_facts *facts)
{
	struct dt_note *notes;

	if (!slot->unasked || facts->notes_count == DT_MAX_NOTES ||
	    !(notes = DT_ARENA_ARRAY(&pool->arena, facts->notes_count + 1, struct dt_note)))
		return;
	if (facts->notes_count)
		memcpy(notes, facts->notes, facts->notes_count * sizeof(*notes));
	notes[facts->notes_count++] = (struct dt_note){
		.level = DT_NOTE_WARNING,
		.where = "symbols",
		.text = dt_arena_printf(&pool->arena, "looking for them took %lld s: what else was missing was not asked for", (long long)slot->asked_ms / 1000),
	};
	facts->notes = notes;
}

static void take_record(struct dt_pool *pool, struct slot *slot, struct dt_bytes body, struct dt_pool_result *result)
{
	struct dt_error err;
	const char *broken;
	struct dt_bytes copy = dt_arena_bytes(&pool->arena, body);

	*result = (struct dt_pool_result){ .id = slot->id };
	if (copy.len != body.len) {
		lost_to_protocol(pool, slot, "its record does not fit", result);
	} else if (dt_facts_decode(copy, &pool->arena, &result->facts, &err) != DT_OK) {
		lost_to_protocol(pool, slot, err.text, result);
	} else if ((broken = dt_pool_facts_broken(&result->facts))) {
		lost_to_protocol(pool, slot, broken, result);
	} else {
		own_facts(pool, slot, &result->facts);
		note_unasked(pool, slot, &result->facts);
		pool->counts.results++;
	}
}

enum served { NOTHING, PROGRESS, RESULT };

/* One message of a busy worker. */
static enum served serve(struct dt_pool *pool, struct slot *slot, struct dt_pool_result *result)
{
	struct dt_message message;
	struct dt_error err;
	enum dt_status status = dt_channel_receive(&slot->process.channel, &message, &err);

	if (status == DT_ERR_NOT_FOUND)
		return NOTHING;
	dt_arena_reset(&pool->arena);
	if (status == DT_ERR_TRUNCATED || status == DT_ERR_IO)
		lost_to_death(pool, slot, result);
	else if (status != DT_OK)
		lost_to_protocol(pool, slot, err.text, result);
	else if (message.job != slot->id || message.type < DT_MESSAGE_RECORD)
		lost_to_protocol(pool, slot, "a message that nobody asked for", result);
	else if (message.type == DT_MESSAGE_MEMBER && take_member(pool, slot, message.body))
		return PROGRESS;
	else if (message.type == DT_MESSAGE_MEMBER)
		lost_to_protocol(pool, slot, "a member without a name", result);
	else if (message.type == DT_MESSAGE_ASK && take_ask(pool, slot, message.body))
		return PROGRESS;
	else if (message.type == DT_MESSAGE_ASK || message.type == DT_MESSAGE_ANSWER)
		lost_to_protocol(pool, slot, "a question for symbols that is not allowed, or cannot be read", result);
	else if (message.type == DT_MESSAGE_RECORD)
		take_record(pool, slot, message.body, result);
	else {
		*result = (struct dt_pool_result){ .id = slot->id, .last = true };
		forget_job(slot);
	}
	return RESULT;
}

static int nearest_deadline(const struct dt_pool *pool, int timeout_ms)
{
	int64_t now = dt_time_steady_ms(), wait = timeout_ms < 0 ? INT_MAX : timeout_ms;

	for (unsigned i = 0; i < pool->count; i++)
		if (pool->slots[i].busy && pool->slots[i].deadline - now < wait)
			wait = pool->slots[i].deadline > now ? pool->slots[i].deadline - now : 0;
	return (int)wait;
}

static bool overdue(struct dt_pool *pool, struct dt_pool_result *result)
{
	int64_t now = dt_time_steady_ms();

	for (unsigned i = 0; i < pool->count; i++)
		if (pool->slots[i].busy && pool->slots[i].deadline <= now) {
			dt_arena_reset(&pool->arena);
			lost_to_deadline(pool, &pool->slots[i], result);
			return true;
		}
	return false;
}

/* A result from a worker that has said something: what was received before counts, too. */
static bool ready(struct dt_pool *pool, struct dt_pool_result *result)
{
	for (unsigned i = 0; i < pool->count; i++)
		while (pool->slots[i].busy) {
			enum served served = serve(pool, &pool->slots[i], result);
			if (served == RESULT)
				return true;
			if (served == NOTHING)
				break;
		}
	return false;
}

enum dt_status dt_pool_wait(struct dt_pool *pool, int timeout_ms, struct dt_pool_result *result, struct dt_error *err)
{
	int64_t end = timeout_ms < 0 ? INT64_MAX : dt_time_steady_ms() + timeout_ms;

	while (dt_pool_busy(pool) > 0) {
		if (ready(pool, result) || overdue(pool, result))
			return DT_OK;
		if (dt_time_steady_ms() >= end)
			break;
		for (unsigned i = 0; i < pool->count; i++)
			pool->polls[i] = (struct pollfd){ pool->slots[i].busy ? pool->slots[i].process.channel.socket : -1, POLLIN, 0 };
		pool->polls[pool->count] = (struct pollfd){ pool->has_wake ? pool->wake_fd : -1, POLLIN, 0 };
		int64_t left = end == INT64_MAX ? -1 : end - dt_time_steady_ms();
		if (poll(pool->polls, pool->count + 1, nearest_deadline(pool, left > INT_MAX ? INT_MAX : (int)left)) < 0 && errno != EINTR)
			return dt_fail(err, DT_ERR_IO, "cannot wait for workers: %s", strerror(errno));
		if (pool->polls[pool->count].revents & POLLIN)
			break;
	}
	return DT_ERR_NOT_FOUND;
}

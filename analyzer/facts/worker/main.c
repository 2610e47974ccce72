/*
 * dumptriage-worker: descriptors in, records out. The parent spawns it with a socket at descriptor 3; it gives up
 * what it can, says what is in force, and reads dumps until the socket closes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/base/text.h"
#include "core/model/codec.h"
#include "core/protocol/protocol.h"
#include "facts/archive/archive.h"
#include "facts/symbol/source.h"
#include "facts/triage/triage.h"
#include "facts/triage/wer.h"
#include "facts/worker/sandbox.h"

/* The parent writes into a record where its file is, and must still be able to store it. */
enum { ROOM_OF_PARENT = 8 * DT_MAX_TEXT };

struct worker {
	struct dt_channel channel;
	struct dt_triage *triage;
	struct dt_buf out;
	uint32_t cpu_seconds;
	bool limited;
	bool broken;     /* the parent does not keep to the protocol */
	uint64_t job;    /* the one being read */
	uint32_t asks;   /* for this dump, so far */
};

/* Asks the parent and waits for its answer. */
static int ask_parent(void *self, const struct dt_symbol_request *request)
{
	struct worker *worker = self;
	struct dt_ask ask = { .kind = request->kind, .timestamp = request->timestamp, .size = request->size, .attempt = request->attempt,
		              .name = request->name, .debug_id = request->debug_id ? request->debug_id : "" };
	struct dt_message message = { .type = DT_MESSAGE_ASK, .job = worker->job, .fd = -1 };
	struct dt_error err;

	if (worker->broken || worker->asks == DT_MAX_ASKS || strlen(ask.name) > DT_MAX_ASK_TEXT || strlen(ask.debug_id) > DT_MAX_ASK_TEXT)
		return -1;
	worker->asks++;
	dt_buf_reset(&worker->out);
	dt_ask_write(&ask, &worker->out);
	message.body = dt_buf_bytes(&worker->out);
	if (!dt_buf_ok(&worker->out) || dt_channel_send(&worker->channel, &message, &err) != DT_OK ||
	    dt_channel_receive(&worker->channel, &message, &err) != DT_OK || message.type != DT_MESSAGE_ANSWER || message.job != worker->job) {
		worker->broken = true;
		return -1;
	}
	if (message.has_report)
		close(message.report);
	return message.fd;
}

static bool greet(struct worker *worker)
{
	struct dt_ready ready = { .version = DT_PROTOCOL_VERSION };
	struct dt_message message;
	struct dt_hello hello;
	struct dt_error err;

	if (dt_channel_receive(&worker->channel, &message, &err) != DT_OK || message.type != DT_MESSAGE_HELLO ||
	    !dt_hello_read(message.body, &hello) || hello.version != DT_PROTOCOL_VERSION)
		return false;
	worker->cpu_seconds = hello.cpu_seconds;
#ifndef DT_SANITIZED
	/* A sanitizer's report dies silently under seccomp, and its shadow memory under RLIMIT_DATA. */
	if (hello.flags & DT_HELLO_SANDBOX) {
		ready.mechanisms = dt_sandbox_enter(hello.memory_limit);
		worker->limited = true;
	}
#endif
	dt_buf_reset(&worker->out);
	dt_ready_write(&ready, &worker->out);
	message = (struct dt_message){ .type = DT_MESSAGE_READY, .body = dt_buf_bytes(&worker->out), .fd = -1 };
	return dt_channel_send(&worker->channel, &message, &err) == DT_OK;
}

/* Sends what stands in worker->out. */
static bool say(struct worker *worker, enum dt_message_type type, uint64_t job)
{
	struct dt_message message = { .type = type, .job = job, .fd = -1, .body = dt_buf_bytes(&worker->out) };
	struct dt_error err;

	return dt_buf_ok(&worker->out) && dt_channel_send(&worker->channel, &message, &err) == DT_OK;
}

static bool send_facts(struct worker *worker, uint64_t job, const struct dt_facts *facts)
{
	dt_buf_reset(&worker->out);
	dt_facts_encode(facts, &worker->out);
	return say(worker, DT_MESSAGE_RECORD, job);
}

static bool send_done(struct worker *worker, uint64_t job)
{
	dt_buf_reset(&worker->out);
	return say(worker, DT_MESSAGE_DONE, job);
}

/* ---- archives ------------------------------------------------------------ */

static enum dt_failure_kind failure_kind(enum dt_status status)
{
	switch (status) {
	case DT_ERR_LIMIT: return DT_FAILURE_LIMIT;
	case DT_ERR_NOMEM: return DT_FAILURE_MEMORY;
	case DT_ERR_IO: return DT_FAILURE_IO;
	case DT_ERR_UNSUPPORTED: return DT_FAILURE_UNSUPPORTED;
	default: return DT_FAILURE_FORMAT;
	}
}

static bool send_failure(struct worker *worker, uint64_t job, enum dt_status status, const char *text)
{
	struct dt_failure failure = { .kind = failure_kind(status), .text = text };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .failure = &failure };

	facts.producer.version = DT_VERSION;
	facts.producer.facts = dt_some(DT_FACTS_VERSION);
	return send_facts(worker, job, &facts);
}

/* A dump can ask for more than a record may hold: a thousand names that are nothing but escapes. */
static bool send_record(struct worker *worker, uint64_t job, const struct dt_facts *facts)
{
	char text[64];

	if (send_facts(worker, job, facts))
		return true;
	snprintf(text, sizeof(text), "the record would be over %u MiB", DT_MAX_RECORD >> 20);
	return !dt_buf_ok(&worker->out) && !worker->out.no_memory && send_failure(worker, job, DT_ERR_LIMIT, text);
}

/* A share that fails for a moment must not make an archive look like a file that is no dump. */
static bool send_unread(struct worker *worker, uint64_t job)
{
	char text[128];

	snprintf(text, sizeof(text), "the file cannot be read: %s", strerror(errno));
	return send_failure(worker, job, DT_ERR_IO, text);
}

static bool one_member(struct worker *worker, uint64_t job, struct dt_archive *archive, const struct dt_member *member,
                       const struct dt_triage_options *options)
{
	struct dt_error err;
	enum dt_status status;
	bool unread = false;

	dt_buf_reset(&worker->out);
	dt_member_message_write(member->index, member->name, &worker->out);
	if (!say(worker, DT_MESSAGE_MEMBER, job))
		return false;
	worker->asks = 0;
	if (worker->limited)
		dt_sandbox_cpu(worker->cpu_seconds);
	status = dt_archive_extract(archive, DT_SPILL_FD, &err);
	if (status == DT_OK && dt_archive_is(DT_SPILL_FD, &unread))
		status = dt_fail(&err, DT_ERR_UNSUPPORTED, "an archive inside an archive is not opened");
	if (status == DT_OK && unread)
		status = dt_fail(&err, DT_ERR_IO, "the unpacked member cannot be read: %s", strerror(errno));
	if (status != DT_OK)
		return send_failure(worker, job, status, err.text);
	struct dt_facts facts = *dt_triage_fd(worker->triage, DT_SPILL_FD, member->name, options);
	facts.file.mtime = member->mtime;
	return send_record(worker, job, &facts);
}

/* A record for each member; one more for what ends the archive early. */
static bool archive_job(struct worker *worker, uint64_t id, int fd, const struct dt_job *job, const struct dt_triage_options *options)
{
	struct dt_archive *archive = NULL;
	struct dt_member member = { 0 };
	struct dt_error err;
	enum dt_status status = dt_archive_open(&archive, fd, job->path, &err);
	bool ok = true, any = job->skip > 0;

	while (ok && status == DT_OK && (status = dt_archive_next(archive, &member, &err)) == DT_OK) {
		any = true;
		if (member.index >= job->skip)
			ok = one_member(worker, id, archive, &member, options);
	}
	if (status == DT_ERR_NOT_FOUND && !any)
		status = dt_fail(&err, DT_ERR_FORMAT, "the archive holds no file");
	if (ok && status != DT_ERR_NOT_FOUND) {
		/* Of the archive itself, no member. */
		dt_buf_reset(&worker->out);
		dt_member_message_write(0, "", &worker->out);
		ok = say(worker, DT_MESSAGE_MEMBER, id) && send_failure(worker, id, status, err.text);
	}
	dt_archive_close(archive);
	return ok;
}

/* A report beside the dump may know the host that the dump does not. */
static bool dump_job(struct worker *worker, const struct dt_message *message, const struct dt_job *job, const struct dt_triage_options *options)
{
	struct dt_facts facts = *dt_triage_fd(worker->triage, message->fd, job->path, options);
	struct dt_arena arena;

	dt_arena_init(&arena, 1u << 20);
	if (message->has_report && !facts.host.name && (facts.host.name = dt_wer_host(message->report, &arena)))
		facts.host.source = DT_HOST_WER;
	bool ok = send_record(worker, message->job, &facts);
	dt_arena_deinit(&arena);
	return ok;
}

static bool work(struct worker *worker, const struct dt_message *message)
{
	const struct dt_symbol_source source = { worker, ask_parent };
	struct dt_triage_options options = { 0 };
	struct dt_job job;

	char *path;

	/* A question brings an answer, which takes the place of this message in the channel. */
	if (!dt_job_read(message->body, &job) || message->fd < 0 || !(path = strdup(job.path)))
		return false;
	job.path = path;
	options.hash = (job.flags & DT_JOB_HASH) != 0;
	options.hash_large = (job.flags & DT_JOB_HASH_LARGE) != 0;
	if (job.flags & DT_JOB_SYMBOLS)
		options.symbols = &source;
	worker->job = message->job;
	worker->asks = 0;
	if (worker->limited)
		dt_sandbox_cpu(worker->cpu_seconds);
	bool unread, archive = dt_archive_is(message->fd, &unread);
	bool ok = unread    ? send_unread(worker, message->job)
	          : archive ? archive_job(worker, message->job, message->fd, &job, &options)
	                    : dump_job(worker, message, &job, &options);
	free(path);
	close(message->fd);
	if (message->has_report)
		close(message->report);
	return ok && !worker->broken && send_done(worker, message->job);
}

int main(void)
{
	struct worker worker = { 0 };
	struct dt_message message;
	struct dt_error err;
	enum dt_status status = DT_OK;
	bool ok;

	dt_channel_init(&worker.channel, DT_PROTOCOL_FD);
	dt_buf_init(&worker.out, DT_MAX_RECORD - ROOM_OF_PARENT);
	dt_mapping_guard();
	dt_archive_prepare();
	dt_triage_prepare();
	/* A member over its cap is an error of write, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	ok = dt_triage_create(&worker.triage, &err) == DT_OK && greet(&worker);
	while (ok && (status = dt_channel_receive(&worker.channel, &message, &err)) == DT_OK)
		ok = message.type == DT_MESSAGE_JOB && work(&worker, &message);
	dt_triage_destroy(worker.triage);
	dt_buf_deinit(&worker.out);
	dt_channel_deinit(&worker.channel);
	/* The parent closing the socket is the ordinary end. */
	return ok && status == DT_ERR_TRUNCATED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * dumptriage-worker: descriptors in, records out. The parent spawns it with a socket at descriptor 3; it gives up
 * what it can, says what is in force, and reads dumps until the socket closes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/model/codec.h"
#include "core/protocol/protocol.h"
#include "facts/triage/triage.h"
#include "facts/worker/sandbox.h"

struct worker {
	struct dt_channel channel;
	struct dt_triage *triage;
	struct dt_buf out;
	uint32_t cpu_seconds;
	bool limited;
};

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

static bool answer(struct worker *worker, uint64_t job, const struct dt_facts *facts)
{
	struct dt_message record = { .type = DT_MESSAGE_RECORD, .job = job, .fd = -1 };
	struct dt_message done = { .type = DT_MESSAGE_DONE, .job = job, .fd = -1 };
	struct dt_error err;

	dt_buf_reset(&worker->out);
	dt_facts_encode(facts, &worker->out);
	record.body = dt_buf_bytes(&worker->out);
	return dt_buf_ok(&worker->out) && dt_channel_send(&worker->channel, &record, &err) == DT_OK &&
	       dt_channel_send(&worker->channel, &done, &err) == DT_OK;
}

static bool work(struct worker *worker, const struct dt_message *message)
{
	struct dt_triage_options options = { 0 };
	struct dt_job job;

	if (!dt_job_read(message->body, &job) || message->fd < 0)
		return false;
	options.hash = (job.flags & DT_JOB_HASH) != 0;
	options.hash_large = (job.flags & DT_JOB_HASH_LARGE) != 0;
	if (worker->limited)
		dt_sandbox_cpu(worker->cpu_seconds);
	bool ok = answer(worker, message->job, dt_triage_fd(worker->triage, message->fd, job.path, &options));
	close(message->fd);
	return ok;
}

int main(void)
{
	struct worker worker = { 0 };
	struct dt_message message;
	struct dt_error err;
	enum dt_status status = DT_OK;
	bool ok;

	dt_channel_init(&worker.channel, DT_PROTOCOL_FD);
	dt_buf_init(&worker.out, DT_MAX_RECORD);
	dt_mapping_guard();
	ok = dt_triage_create(&worker.triage, &err) == DT_OK && greet(&worker);
	while (ok && (status = dt_channel_receive(&worker.channel, &message, &err)) == DT_OK)
		ok = message.type == DT_MESSAGE_JOB && work(&worker, &message);
	dt_triage_destroy(worker.triage);
	dt_buf_deinit(&worker.out);
	dt_channel_deinit(&worker.channel);
	/* The parent closing the socket is the ordinary end. */
	return ok && status == DT_ERR_TRUNCATED ? EXIT_SUCCESS : EXIT_FAILURE;
}

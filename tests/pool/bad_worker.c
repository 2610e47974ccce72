/* A worker that misbehaves. How, its name says: the tests start it through links. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/model/codec.h"
#include "core/protocol/protocol.h"

static struct dt_channel channel;

static void send_message(enum dt_message_type type, uint64_t job, struct dt_bytes body)
{
	struct dt_message message = { .type = type, .job = job, .body = body, .fd = -1 };
	struct dt_error err;

	if (dt_channel_send(&channel, &message, &err) != DT_OK)
		exit(1);
}

static void send_facts(uint64_t job, const struct dt_facts *facts)
{
	struct dt_buf buf;

	dt_buf_init(&buf, DT_MAX_RECORD);
	dt_facts_encode(facts, &buf);
	send_message(DT_MESSAGE_RECORD, job, dt_buf_bytes(&buf));
	dt_buf_deinit(&buf);
}

static void member(uint64_t job, uint32_t index, bool record)
{
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA };
	struct dt_buf buf;
	char name[32];

	snprintf(name, sizeof(name), "m%u.dmp", index);
	dt_buf_init(&buf, 256);
	dt_member_message_write(index, name, &buf);
	send_message(DT_MESSAGE_MEMBER, job, dt_buf_bytes(&buf));
	dt_buf_deinit(&buf);
	if (record)
		send_facts(job, &facts);
}

/* An archive of four members, the second of which kills. */
static void archive(uint64_t job, uint32_t skip)
{
	for (uint32_t i = skip; i < 4; i++) {
		member(job, i, i != 1);
		if (i == 1)
			raise(SIGKILL);
	}
	send_message(DT_MESSAGE_DONE, job, (struct dt_bytes){ NULL, 0 });
}

/* Questions without end, or one that cannot be read. */
static void ask_for_ever(uint64_t job, const char *how)
{
	struct dt_ask ask = { .name = "a.sys", .debug_id = "" };
	struct dt_message answer;
	struct dt_error err;
	struct dt_buf buf;

	dt_buf_init(&buf, 256);
	dt_ask_write(&ask, &buf);
	if (!strcmp(how, "asks-garbage"))
		buf.len -= 3;
	for (;;) {
		send_message(DT_MESSAGE_ASK, job, dt_buf_bytes(&buf));
		if (dt_channel_receive(&channel, &answer, &err) != DT_OK)
			exit(1);
	}
}

/* Two dumps of an archive; for each three questions, and a record whether or not they are answered. */
static void ask_for_members(uint64_t job)
{
	struct dt_ask ask = { .name = "a.sys", .debug_id = "" };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA };
	struct dt_message answer;
	struct dt_error err;
	struct dt_buf buf;

	dt_buf_init(&buf, 256);
	dt_ask_write(&ask, &buf);
	for (uint32_t i = 0; i < 2; i++) {
		member(job, i, false);
		for (unsigned k = 0; k < 3; k++) {
			send_message(DT_MESSAGE_ASK, job, dt_buf_bytes(&buf));
			if (dt_channel_receive(&channel, &answer, &err) != DT_OK)
				exit(1);
		}
		send_facts(job, &facts);
	}
	dt_buf_deinit(&buf);
	send_message(DT_MESSAGE_DONE, job, (struct dt_bytes){ NULL, 0 });
}

static void misbehave(const char *how, uint64_t job, uint32_t skip)
{
	struct dt_module module = { .name = "a.sys", .base = dt_some(0x1000), .size = dt_some(0x100) };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .modules = &module, .modules_count = 1 };
	static const uint8_t garbage[32] = { 'D', 'T', 'R', '1', 1, 0xff, 0xff, 0xff };

	if (!strcmp(how, "archive")) {
		archive(job, skip);
		return;
	}
	if (!strcmp(how, "archive-dies")) {
		member(job, skip, false);
		raise(SIGSEGV);
	}
	if (!strcmp(how, "dies"))
		raise(SIGKILL);
	if (!strcmp(how, "exits"))
		exit(3);
	if (!strcmp(how, "hangs"))
		for (;;)
			pause();
	if (!strcmp(how, "garbage"))
		send_message(DT_MESSAGE_RECORD, job, (struct dt_bytes){ garbage, sizeof(garbage) });
	if (!strcmp(how, "other-job"))
		send_message(DT_MESSAGE_DONE, job + 1, (struct dt_bytes){ NULL, 0 });
	if (!strcmp(how, "asks") || !strcmp(how, "asks-garbage"))
		ask_for_ever(job, how);
	if (!strcmp(how, "asks-members")) {
		ask_for_members(job);
		return;
	}
	if (!strcmp(how, "half"))
		(void)!write(channel.socket, garbage, 3);
	if (!strcmp(how, "lies")) {
		facts.fault = (struct dt_fault){ .ip = dt_some(0x2000), .module = "a.sys", .offset = dt_some(0x1000) };
		send_facts(job, &facts);
	}
	if (!strcmp(how, "renames")) {
		facts.file.path = facts.file.name = "another.dmp";
		send_facts(job, &facts);
		send_message(DT_MESSAGE_DONE, job, (struct dt_bytes){ NULL, 0 });
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *how = argc ? strrchr(argv[0], '/') : NULL;
	struct dt_ready ready = { DT_PROTOCOL_VERSION, 0 };
	struct dt_message message;
	struct dt_error err;
	struct dt_buf buf;

	how = how ? how + 1 : "";
	dt_channel_init(&channel, DT_PROTOCOL_FD);
	if (!strcmp(how, "silent"))
		pause();
	if (!strcmp(how, "other-version"))
		ready.version++;
	if (dt_channel_receive(&channel, &message, &err) != DT_OK)
		return 1;
	dt_buf_init(&buf, 64);
	dt_ready_write(&ready, &buf);
	send_message(DT_MESSAGE_READY, 0, dt_buf_bytes(&buf));
	dt_buf_deinit(&buf);
	while (dt_channel_receive(&channel, &message, &err) == DT_OK) {
		struct dt_job job;
		if (dt_job_read(message.body, &job))
			misbehave(how, message.job, job.skip);
	}
	return 0;
}

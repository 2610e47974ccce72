/* A worker that was taken over: it goes into the sandbox as the real one does, and then tries what its job names. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/model/codec.h"
#include "core/protocol/protocol.h"
#include "facts/worker/sandbox.h"

static struct dt_channel channel;
static char scratch[4096];
static int number, pair[2];
static struct iovec here = { scratch, sizeof(scratch) };
static void *page;
static pid_t getppid_known; /* asked for before the sandbox, which does not let it ask */

static const char *parent_memory(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid_known);
	return path;
}

static long mapped(const void *at)
{
	return at == MAP_FAILED ? -1 : 0;
}

static long clock_nanosleep_denied(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 1 }, NULL);
}

/* How much memory it gets, in MiB, before there is no more. */
static long take_memory(void)
{
	static char *volatile taken; /* a compiler must not do without what nobody reads */
	long got = 0;

	while (got < 4096 && (taken = malloc(1 << 20))) {
		memset(taken, 1, 1 << 20);
		got++;
	}
	return got;
}

static void spin(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

/* Beyond what a member may have. */
static long fill_the_disk(void)
{
	return pwrite(DT_SPILL_FD, "x", 1, (off_t)DT_MAX_MEMBER);
}

static const char *outcome(long result)
{
	static char text[64];

	if (result >= 0)
		return "it worked";
	snprintf(text, sizeof(text), "denied: %s", errno == EPERM ? "EPERM" : strerror(errno));
	return text;
}

static const char *attempt(const char *what)
{
	static char text[64];

#define ATTEMPT(name, how, code)      \
	if (!strcmp(what, #name)) \
		return outcome((long)(code));
#include "attempts.def"
#undef ATTEMPT
	if (!strcmp(what, "take_memory")) {
		snprintf(text, sizeof(text), "%ld", take_memory());
		return text;
	}
	if (!strcmp(what, "fill_the_disk"))
		return fill_the_disk() < 0 && errno == EFBIG ? "denied: EFBIG" : "it worked";
	if (!strcmp(what, "spin"))
		spin();
	return "unknown";
}

static void answer(enum dt_message_type type, uint64_t job, const struct dt_buf *body)
{
	struct dt_message message = { .type = type, .job = job, .body = dt_buf_bytes(body), .fd = -1 };
	struct dt_error err;

	if (dt_channel_send(&channel, &message, &err) != DT_OK)
		_exit(1);
}

static void report(uint64_t job, const char *text)
{
	struct dt_failure failure = { .kind = DT_FAILURE_FORMAT, .text = text };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .failure = &failure };
	struct dt_buf body;

	dt_buf_init(&body, DT_MAX_RECORD);
	dt_facts_encode(&facts, &body);
	answer(DT_MESSAGE_RECORD, job, &body);
	dt_buf_reset(&body);
	answer(DT_MESSAGE_DONE, job, &body);
	dt_buf_deinit(&body);
}

int main(void)
{
	struct dt_ready ready = { .version = DT_PROTOCOL_VERSION };
	struct dt_message message;
	struct dt_hello hello;
	struct dt_error err;
	struct dt_buf body;
	struct dt_job job;

	signal(SIGXFSZ, SIG_IGN);
	getppid_known = getppid();
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	dt_channel_init(&channel, DT_PROTOCOL_FD);
	if (page == MAP_FAILED || dt_channel_receive(&channel, &message, &err) != DT_OK || !dt_hello_read(message.body, &hello))
		return 1;
	ready.mechanisms = dt_sandbox_enter(hello.memory_limit);
	dt_buf_init(&body, 64);
	dt_ready_write(&ready, &body);
	answer(DT_MESSAGE_READY, 0, &body);
	dt_buf_deinit(&body);
	while (dt_channel_receive(&channel, &message, &err) == DT_OK && dt_job_read(message.body, &job)) {
		dt_sandbox_cpu(hello.cpu_seconds);
		report(message.job, attempt(job.path));
	}
	return 0;
}

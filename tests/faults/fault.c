#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unwind.h>

enum { DEPTH = 8, HASHES = 1 << 14 };

static enum { OFF, TRACE, NTH, STACK } mode;
static atomic_ulong calls;
static atomic_bool hit;
static unsigned long nth; /* NTH: which call; STACK: which with that stack */
static bool and_later;
static uint64_t wanted;
static int trace_fd = -1;
static _Atomic uint64_t seen[HASHES];
static __thread bool inside;

extern const char __executable_start[]; /* the linker's: where the program begins */

struct trace {
	unsigned depth;
	uint64_t at[DEPTH + 2];
};

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *out)
{
	struct trace *trace = out;
	uint64_t ip = (uint64_t)_Unwind_GetIP(context);

	if (trace->depth == DEPTH + 2 || !ip)
		return _URC_END_OF_STACK;
	trace->at[trace->depth++] = ip - (uint64_t)__executable_start;
	return _URC_NO_REASON;
}

/* The two innermost frames are ours. Library code (of another load address in every run) counts as one place. */
static uint64_t hash_of(struct trace *trace)
{
	uint64_t hash = 14695981039346656037u;

	trace->depth = 0;
	_Unwind_Backtrace(frame, trace);
	for (unsigned i = 2; i < trace->depth; i++) {
		if (trace->at[i] > 1u << 30)
			trace->at[i] = 0;
		hash = (hash ^ trace->at[i]) * 1099511628211u;
	}
	return hash ? hash : 1;
}

static bool is_new(uint64_t hash)
{
	for (unsigned i = 0; i < HASHES; i++) {
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(&seen[(hash + i) % HASHES], &there, hash))
			return true;
		if (there == hash)
			return false;
	}
	return false;
}

static void note(const struct trace *trace, uint64_t hash, const char *name, unsigned long number)
{
	char line[512];
	int len = snprintf(line, sizeof(line), "%lu %016llx %s", number, (unsigned long long)hash, name);

	for (unsigned i = 2; i < trace->depth; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %llx", (unsigned long long)trace->at[i]);
	line[len++] = '\n';
	(void)!pwrite(trace_fd, line, (size_t)len, 0); /* opened to append */
}

static bool counted(unsigned long now)
{
	bool fails = now == nth || (and_later && now > nth);

	if (fails)
		atomic_store(&hit, true);
	return fails;
}

static bool must_fail(const char *name)
{
	struct trace trace;

	if (mode == OFF || inside)
		return false;
	inside = true;
	bool fails = false;
	if (mode == NTH) {
		fails = counted(atomic_fetch_add(&calls, 1) + 1);
	} else {
		uint64_t hash = hash_of(&trace);
		unsigned long number = mode == TRACE || hash == wanted ? atomic_fetch_add(&calls, 1) + 1 : 0;
		if (mode == TRACE && is_new(hash))
			note(&trace, hash, name, number);
		fails = mode == STACK && hash == wanted && counted(number);
	}
	inside = false;
	return fails;
}

#define FAULT_CALL(name, result, declared, given, failure, code) \
	result __real_##name declared;                            \
	result __wrap_##name declared;                            \
	result __wrap_##name declared                             \
	{                                                         \
		if (must_fail(#name)) {                           \
			errno = code;                             \
			return failure;                           \
		}                                                 \
		return __real_##name given;                       \
	}
#include "calls.def"
#undef FAULT_CALL

void fault_arm(unsigned long at)
{
	atomic_store(&hit, false);
	atomic_store(&calls, 0);
	nth = at;
	and_later = false;
	mode = NTH;
}

unsigned long fault_calls(void)
{
	return atomic_load(&calls);
}

bool fault_hit(void)
{
	return atomic_load(&hit);
}

static void obey(const char *text)
{
	char *end;

	if (!strncmp(text, "trace:", 6)) {
		trace_fd = open(text + 6, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		mode = trace_fd >= 0 ? TRACE : OFF;
	} else if (!strncmp(text, "nth:", 4)) {
		nth = strtoul(text + 4, NULL, 10);
		mode = NTH;
	} else if (!strncmp(text, "stack:", 6)) {
		wanted = strtoull(text + 6, &end, 16);
		nth = *end == ':' ? strtoul(end + 1, &end, 10) : 1;
		and_later = *end == '+';
		mode = STACK;
	}
}

/* Says at the end whether the fault came about: a test that hits nothing proves nothing. */
static void tell(void)
{
	const char *path = getenv("DT_FAULT_HIT");
	int fd = path && atomic_load(&hit) ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;

	mode = OFF;
	if (fd >= 0)
		close(fd);
}

__attribute__((constructor)) static void begin(void)
{
	const char *given = getenv("DT_FAULT");
	char path[PATH_MAX], text[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 8);
	int fd;

	atexit(tell);
	if (given) {
		obey(given);
		return;
	}
	if (len <= 0)
		return;
	memcpy(path + len, ".fault", sizeof(".fault"));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	obey(text);
}

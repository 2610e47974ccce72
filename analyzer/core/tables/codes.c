#include "core/tables/codes.h"

#include <stddef.h>

struct name_row {
	uint32_t code;
	const char *name;
};

struct exception_row {
	uint32_t code;
	const char *name;
	bool has_access, is_illegal;
	enum dt_exception_kind kind;
};

static const struct name_row ntstatus[] = {
#define DT_NTSTATUS(code, name) { code, name },
#include "core/tables/ntstatus.def"
};

static const struct name_row fast_fail[] = {
#define DT_FAST_FAIL(code, name) { code, name },
#include "core/tables/fast_fail.def"
};

static const struct exception_row exceptions[] = {
#define DT_EXCEPTION(code, name, has_access, is_illegal, kind) { code, name, has_access, is_illegal, DT_EXCEPTION_##kind },
#include "core/tables/exceptions.def"
};

static const char *find_name(const struct name_row *rows, size_t count, uint32_t code)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		if (rows[middle].code == code)
			return rows[middle].name;
		if (rows[middle].code < code)
			low = middle + 1;
		else
			count = middle;
	}
	return NULL;
}

static const struct exception_row *find_exception(uint64_t code)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (exceptions[i].code == (uint32_t)code)
			return &exceptions[i];
	return NULL;
}

const char *dt_ntstatus_name(uint64_t code)
{
	return find_name(ntstatus, sizeof(ntstatus) / sizeof(ntstatus[0]), (uint32_t)code);
}

const char *dt_fast_fail_name(uint64_t code)
{
	return code <= UINT32_MAX ? find_name(fast_fail, sizeof(fast_fail) / sizeof(fast_fail[0]), (uint32_t)code) : NULL;
}

const char *dt_exception_name(uint64_t code)
{
	const struct exception_row *row = find_exception(code);

	return row ? row->name : dt_ntstatus_name(code);
}

bool dt_exception_has_access(uint64_t code)
{
	const struct exception_row *row = find_exception(code);

	return row && row->has_access;
}

bool dt_exception_is_illegal(uint64_t code)
{
	const struct exception_row *row = find_exception(code);

	return row && row->is_illegal;
}

enum dt_exception_kind dt_exception_kind(uint64_t code)
{
	const struct exception_row *row = find_exception(code);

	return row ? row->kind : DT_EXCEPTION_CRASH;
}

bool dt_exception_is_crash(enum dt_exception_kind kind)
{
	return kind <= DT_EXCEPTION_STORAGE;
}

/* signal(7): Linux numbers its signals alike on all machines that Breakpad writes for but MIPS. */
static const char *const linux_signals[] = {
	NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
	"SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
	"SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
	"SIGSYS",
};

/* mach/exception_types.h */
static const char *const mach_exceptions[] = {
	NULL, "EXC_BAD_ACCESS", "EXC_BAD_INSTRUCTION", "EXC_ARITHMETIC", "EXC_EMULATION", "EXC_SOFTWARE", "EXC_BREAKPOINT",
	"EXC_SYSCALL", "EXC_MACH_SYSCALL", "EXC_RPC_ALERT", "EXC_CRASH", "EXC_RESOURCE", "EXC_GUARD", "EXC_CORPSE_NOTIFY",
};

/* Platform ids: Breakpad, minidump_format.h. */
enum { PLATFORM_MAC = 0x8101, PLATFORM_IOS = 0x8102, PLATFORM_LINUX = 0x8201, PLATFORM_ANDROID = 0x8203 };

const char *dt_signal_name(uint32_t platform_id, uint32_t code)
{
	const char *const *names;
	size_t count;

	switch (platform_id) {
	case PLATFORM_LINUX:
	case PLATFORM_ANDROID:
		names = linux_signals;
		count = sizeof(linux_signals) / sizeof(linux_signals[0]);
		break;
	case PLATFORM_MAC:
	case PLATFORM_IOS:
		names = mach_exceptions;
		count = sizeof(mach_exceptions) / sizeof(mach_exceptions[0]);
		break;
	default:
		return NULL;
	}
	if (dt_exception_kind(code) == DT_EXCEPTION_ASKED)
		return dt_exception_name(code);
	return code < count ? names[code] : NULL;
}

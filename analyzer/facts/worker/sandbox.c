#include "facts/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/protocol/protocol.h"

/* What reading a dump takes, once everything is open. */
static const int allowed[] = {
	SCMP_SYS(read),          SCMP_SYS(write),           SCMP_SYS(readv),        SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(lseek),           SCMP_SYS(close),        SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),    SCMP_SYS(recvmsg),         SCMP_SYS(sendmsg),      SCMP_SYS(brk),
	SCMP_SYS(munmap),        SCMP_SYS(mremap),          SCMP_SYS(madvise),      SCMP_SYS(clock_gettime),
	SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),  SCMP_SYS(exit),         SCMP_SYS(exit_group),
	SCMP_SYS(futex),         SCMP_SYS(getrandom),       SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
};

/* What no parser asks for by mistake: whoever tries has taken the process over. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),   SCMP_SYS(vfork),  SCMP_SYS(clone),
	SCMP_SYS(clone3), SCMP_SYS(socket),   SCMP_SYS(connect), SCMP_SYS(bind),  SCMP_SYS(listen),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kill), SCMP_SYS(tgkill),
};

/* Memory may be mapped, never executable; a limit may be set on its own processor time, and on nothing else. */
static const struct {
	int call;
	unsigned count;
	struct scmp_arg_cmp arguments[2];
} restricted[] = {
	{ SCMP_SYS(mmap), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(mprotect), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(prlimit64), 2, { { 0, SCMP_CMP_EQ, 0, 0 }, { 1, SCMP_CMP_EQ, RLIMIT_CPU, 0 } } },
};

static bool enter_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = !filter;

	for (size_t i = 0; !failed && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !failed && i < sizeof(deadly) / sizeof(deadly[0]); i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	for (size_t i = 0; !failed && i < sizeof(restricted) / sizeof(restricted[0]); i++)
		failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, restricted[i].call, restricted[i].count, restricted[i].arguments);
	failed = failed || seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return !failed;
}

/* A ruleset that handles every kind of file access the kernel knows and allows none. */
static bool enter_landlock(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		                              LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		                              LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		                              LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
		                              LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		                              LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		                              LANDLOCK_ACCESS_FS_MAKE_SYM };
	long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);

	if (ruleset < 0)
		return false;
	bool ok = syscall(SYS_landlock_restrict_self, (int)ruleset, 0) == 0;
	close((int)ruleset);
	return ok;
}

static bool limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit both = { value, value };

	return setrlimit(resource, &both) == 0;
}

uint32_t dt_sandbox_enter(uint64_t memory_limit)
{
	uint32_t mechanisms = 0;

	/* No privileges from set-uid files, no core file with strangers' memory, no debugger. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return 0;
	if (limit(RLIMIT_DATA, memory_limit) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, DT_MAX_MEMBER))
		mechanisms |= DT_SANDBOX_RLIMITS;
	if (enter_landlock())
		mechanisms |= DT_SANDBOX_LANDLOCK;
	if (enter_seccomp())
		mechanisms |= DT_SANDBOX_SECCOMP;
	return mechanisms;
}

void dt_sandbox_cpu(uint32_t seconds)
{
	struct timespec used;
	struct rlimit now;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) || getrlimit(RLIMIT_CPU, &now))
		return;
	now.rlim_cur = (rlim_t)used.tv_sec + seconds + 1;
	(void)setrlimit(RLIMIT_CPU, &now);
}

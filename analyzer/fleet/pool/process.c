#include "fleet/pool/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GREETING_MS = 5000 };

/* The child gets the socket at its fixed number, standard error, and /dev/null for the rest; all else of ours is
 * close-on-exec. */
static int spawn(pid_t *pid, const char *program, int socket, int spill)
{
	static char *const environment[] = { NULL };
	char *const argv[] = { (char *)(uintptr_t)program, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failed;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	sigemptyset(&none);
	sigfillset(&all);
	failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0) ||
	         posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0) ||
	         posix_spawn_file_actions_adddup2(&actions, socket, DT_PROTOCOL_FD) ||
	         posix_spawn_file_actions_adddup2(&actions, spill, DT_SPILL_FD) ||
	         posix_spawnattr_setsigmask(&attributes, &none) || posix_spawnattr_setsigdefault(&attributes, &all) ||
	         posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	failed = failed ? ENOMEM : posix_spawn(pid, program, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* What members of archives are unpacked into: a file without a name, on disk where that can be. */
static int open_spill(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : memfd_create("dumptriage-spill", MFD_CLOEXEC);
}

/* Our end does not block: a worker that stops in the middle of a message must not stop us. */
static enum dt_status receive_within(struct dt_channel *channel, struct dt_message *message, int ms, struct dt_error *err)
{
	struct pollfd wait = { channel->socket, POLLIN, 0 };
	enum dt_status status;

	while ((status = dt_channel_receive(channel, message, err)) == DT_ERR_NOT_FOUND)
		if (poll(&wait, 1, ms) == 0)
			return dt_fail(err, DT_ERR_IO, "the worker said nothing within %d ms of its start", ms);
	return status;
}

static enum dt_status greet(struct dt_process_handle *process, const struct dt_hello *hello, struct dt_error *err)
{
	struct dt_buf body;
	struct dt_message message;
	struct dt_ready ready;

	dt_buf_init(&body, 64);
	dt_hello_write(hello, &body);
	message = (struct dt_message){ .type = DT_MESSAGE_HELLO, .body = dt_buf_bytes(&body), .fd = -1 };
	enum dt_status status = dt_channel_send(&process->channel, &message, err);
	dt_buf_deinit(&body);
	if (status != DT_OK)
		return status;
	status = receive_within(&process->channel, &message, GREETING_MS, err);
	if (status != DT_OK)
		return status;
	if (message.type != DT_MESSAGE_READY || !dt_ready_read(message.body, &ready) || ready.version != DT_PROTOCOL_VERSION)
		return dt_fail(err, DT_ERR_FORMAT, "the worker is of another version than this program");
	process->mechanisms = ready.mechanisms;
	return DT_OK;
}

enum dt_status dt_process_start(struct dt_process_handle *process, const char *program, const struct dt_hello *hello,
                                struct dt_error *err)
{
	int pair[2], failed;

	memset(process, 0, sizeof(*process));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return dt_fail(err, DT_ERR_IO, "cannot make a socket: %s", strerror(errno));
	process->spill = open_spill();
	/* The child's numbers must be free for dup2: onto themselves they would keep close-on-exec. */
	int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 16), spill = fcntl(process->spill, F_DUPFD_CLOEXEC, 16);
	close(pair[1]);
	failed = process->spill < 0 || theirs < 0 || spill < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) ? errno
	                                                                                             : spawn(&process->pid, program, theirs, spill);
	if (theirs >= 0)
		close(theirs);
	if (spill >= 0)
		close(spill);
	if (failed) {
		close(pair[0]);
		if (process->spill >= 0)
			close(process->spill);
		process->pid = 0;
		return dt_fail(err, failed == ENOENT ? DT_ERR_NOT_FOUND : DT_ERR_IO, "cannot start %s: %s", program, strerror(failed));
	}
	dt_channel_init(&process->channel, pair[0]);
	enum dt_status status = greet(process, hello, err);
	if (status != DT_OK)
		(void)dt_process_end(process);
	return status;
}

int dt_process_end(struct dt_process_handle *process)
{
	int status = -1;

	if (process->pid <= 0)
		return -1;
	/* A worker that is ending by itself keeps its own status: kill does nothing to a zombie. */
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(process->channel.socket);
	close(process->spill);
	dt_channel_deinit(&process->channel);
	process->pid = 0;
	return status;
}

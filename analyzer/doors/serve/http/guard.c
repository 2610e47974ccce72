/*
 * The guard: a thread that looks at all connections once in a while. It cuts those that hold a place without getting on with
 * their request, and wakes those that sleep, so that they see their own deadlines.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "core/base/time.h"
#include "doors/serve/http/internal.h"

enum { TICK_MS = 250, WAKE_TICKS = 4 };

/* ---- connections ------------------------------------------------------------------ */

static struct dt_http_link *add(struct dt_http_server *server, struct MHD_Connection *connection)
{
	struct dt_http_link *link = calloc(1, sizeof(*link));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (!link || !info) {
		free(link);
		return NULL;
	}
	link->fd = info->connect_fd;
	link->since = dt_time_steady_ms();
	link->next = server->links;
	if (server->links)
		server->links->previous = link;
	server->links = link;
	return link;
}

static void drop(struct dt_http_server *server, struct dt_http_link *link)
{
	if (link->previous)
		link->previous->next = link->next;
	else
		server->links = link->next;
	if (link->next)
		link->next->previous = link->previous;
	free(link);
}

void dt_http_link_event(void *context, struct MHD_Connection *connection, void **link, enum MHD_ConnectionNotificationCode code)
{
	struct dt_http_server *server = context;

	pthread_mutex_lock(&server->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*link = add(server, connection);
	} else if (*link) {
		drop(server, *link);
		*link = NULL;
	}
	pthread_mutex_unlock(&server->lock);
}

void dt_http_link_phase(struct dt_http_request *request, int phase)
{
	if (!request->link)
		return;
	pthread_mutex_lock(&request->server->lock);
	request->link->phase = (enum dt_link_phase)phase;
	request->link->since = dt_time_steady_ms();
	request->link->bytes = 0;
	request->link->was_over = false;
	pthread_mutex_unlock(&request->server->lock);
}

static bool too_slow(const struct dt_http_options *options, const struct dt_http_link *link, int64_t now)
{
	int64_t ms = now - link->since;

	if (link->phase == DT_LINK_HEAD)
		return ms > (int64_t)options->header_seconds * 1000;
	return link->phase == DT_LINK_BODY && ms > (int64_t)options->body_seconds * 1000 &&
	       link->bytes < (uint64_t)ms / 1000 * options->body_rate;
}

/* The other side has said all that it will, all of it was read, and it is not a whole request. The library would wait for more. */
static bool cut_short(struct dt_http_link *link)
{
	struct pollfd ends = { link->fd, POLLRDHUP, 0 };
	int unread = 0;
	bool over = link->phase != DT_LINK_ANSWER && poll(&ends, 1, 0) == 1 && (ends.revents & POLLRDHUP) && ioctl(link->fd, FIONREAD, &unread) == 0 &&
	            unread == 0;

	/* What was read a moment ago may be in the handler's hands still: it is looked at twice. */
	bool again = over && link->was_over;
	link->was_over = over;
	return again;
}

/* Its thread sees the connection closed, and tidies up. */
static void cut_slow_ones(struct dt_http_server *server)
{
	int64_t now = dt_time_steady_ms();

	for (struct dt_http_link *link = server->links; link; link = link->next)
		if (too_slow(&server->options, link, now) || cut_short(link))
			shutdown(link->fd, SHUT_RDWR);
}

/* ---- sleepers --------------------------------------------------------------------- */

static void take_out(struct dt_http_request *request)
{
	struct dt_http_server *server = request->server;

	if (request->previous_sleeper)
		request->previous_sleeper->next_sleeper = request->next_sleeper;
	else
		server->sleepers = request->next_sleeper;
	if (request->next_sleeper)
		request->next_sleeper->previous_sleeper = request->previous_sleeper;
	request->next_sleeper = request->previous_sleeper = NULL;
	request->asleep = false;
}

void dt_http_sleep(struct dt_http_request *request)
{
	struct dt_http_server *server = request->server;

	pthread_mutex_lock(&server->lock);
	bool stay = request->woken || server->stopping;
	request->woken = false;
	request->asleep = true;
	request->next_sleeper = server->sleepers;
	request->previous_sleeper = NULL;
	if (server->sleepers)
		server->sleepers->previous_sleeper = request;
	server->sleepers = request;
	MHD_suspend_connection(request->connection);
	/* Woken between its look and its sleep: it looks again at once. */
	if (stay) {
		take_out(request);
		MHD_resume_connection(request->connection);
	}
	pthread_mutex_unlock(&server->lock);
}

static void wake(struct dt_http_request *request)
{
	if (!request->asleep) {
		request->woken = true;
		return;
	}
	take_out(request);
	MHD_resume_connection(request->connection);
}

void dt_http_wake(struct dt_http_request *request)
{
	pthread_mutex_lock(&request->server->lock);
	wake(request);
	pthread_mutex_unlock(&request->server->lock);
}

void dt_http_forget_sleeper(struct dt_http_request *request)
{
	pthread_mutex_lock(&request->server->lock);
	if (request->asleep)
		take_out(request);
	pthread_mutex_unlock(&request->server->lock);
}

static void wake_all(struct dt_http_server *server)
{
	while (server->sleepers)
		wake(server->sleepers);
}

/* ---- the thread --------------------------------------------------------------------- */

static void *run(void *context)
{
	struct dt_http_server *server = context;
	unsigned ticks = 0;

	pthread_mutex_lock(&server->lock);
	while (!server->stopping) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		(void)pthread_cond_timedwait(&server->tick, &server->lock, &until);
		cut_slow_ones(server);
		if (++ticks % WAKE_TICKS == 0 || server->stopping)
			wake_all(server);
	}
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

enum dt_status dt_http_guard_start(struct dt_http_server *server, struct dt_error *err)
{
	int code = pthread_create(&server->guard, NULL, run, server);

	server->guarded = code == 0;
	return code ? dt_fail(err, DT_ERR_IO, "cannot start a thread: %s", strerror(code)) : DT_OK;
}

void dt_http_guard_stop(struct dt_http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_cond_broadcast(&server->tick);
	pthread_mutex_unlock(&server->lock);
	if (server->guarded)
		pthread_join(server->guard, NULL);
	server->guarded = false;
}

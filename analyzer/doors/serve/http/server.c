/* The server: from connections to handlers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doors/serve/http/internal.h"

enum { CONNECTION_MEMORY = 48 * 1024, REQUEST_MEMORY = 8 << 20, DRAINED = 8 << 20, IDLE_SECONDS = 75 };

/* ---- one request --------------------------------------------------------------------- */

static struct dt_http_request *new_request(struct dt_http_server *server, struct MHD_Connection *connection, const char *method, const char *path)
{
	struct dt_http_request *request = calloc(1, sizeof(*request));
	const union MHD_ConnectionInfo *address, *link;

	if (!request)
		return NULL;
	request->server = server;
	request->connection = connection;
	dt_arena_init(&request->arena, REQUEST_MEMORY);
	request->method = dt_arena_strdup(&request->arena, method);
	request->path = dt_arena_strdup(&request->arena, path);
	address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	link = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	request->link = link ? link->socket_context : NULL;
	dt_address_host(address ? address->client_addr : NULL, request->peer);
	request->loopback = address && address->client_addr && dt_address_is_loopback(address->client_addr);
	atomic_fetch_add(&server->active, 1);
	return request;
}

/* After a short body the sender is ready to hear; a long one is not waited for. */
static enum MHD_Result send_or_drain(struct dt_http_request *request, bool body_over)
{
	uint64_t announced = dt_http_announced(request);

	if (body_over || (announced != UINT64_MAX && announced > DRAINED) || request->body_bytes > DRAINED || strcmp(request->method, "POST"))
		return dt_http_send(request);
	request->draining = true;
	return MHD_YES;
}

static enum MHD_Result begin(struct dt_http_request *request)
{
	bool known = false;

	request->begun = true;
	dt_http_link_phase(request, DT_LINK_BODY);
	if (!request->method || !request->path)
		return MHD_NO;
	if (!dt_http_find_route(request, &known))
		request->server->app->refuse(request, known ? 405 : 404, known ? "this address takes another method" : "there is nothing at this address");
	if (!request->answered && request->server->app->before && !request->server->app->before(request) && !request->answered)
		return MHD_NO;
	if (!request->answered)
		(void)dt_http_body_begin(request);
	/* An answer at this point is sent without reading the body: only those that wait for it are told to go on. */
	if (request->answered)
		return send_or_drain(request, dt_http_announced(request) == UINT64_MAX || dt_http_announced(request) == 0);
	return MHD_YES;
}

static enum MHD_Result take_body(struct dt_http_request *request, const char *data, size_t *size)
{
	size_t n = *size;

	*size = 0;
	request->body_bytes += n;
	if (request->link) {
		pthread_mutex_lock(&request->server->lock);
		request->link->bytes += n;
		pthread_mutex_unlock(&request->server->lock);
	}
	if (!request->answered && !request->draining)
		(void)dt_http_body_take(request, data, n);
	if (!request->answered)
		return MHD_YES;
	/* In the middle of a body nothing can be said: its rest is thrown away, or the connection cut. */
	return request->body_bytes > DRAINED + DT_HTTP_FORM_MAX && dt_http_announced(request) == UINT64_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result finish(struct dt_http_request *request)
{
	if (!request->body_over) {
		if (!request->answered)
			(void)dt_http_body_end(request);
		request->body_over = true;
		dt_http_link_phase(request, DT_LINK_ANSWER);
	}
	if (!request->answered)
		request->route->handle(request);
	return request->answered ? dt_http_send(request) : MHD_YES;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
                                 const char *data, size_t *size, void **state)
{
	struct dt_http_request *request = *state;

	(void)version;
	if (!request) {
		*state = request = new_request(context, connection, method, path);
		return request ? begin(request) : MHD_NO;
	}
	if (*size)
		return take_body(request, data, size);
	return finish(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct dt_http_server *server = context;
	struct dt_http_request *request = *state;

	(void)connection;
	if (!request)
		return;
	*state = NULL;
	dt_http_forget_sleeper(request);
	dt_http_link_phase(request, DT_LINK_HEAD);
	if (server->app->after)
		server->app->after(request, request->status, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	dt_http_body_free(request);
	dt_http_answer_free(request);
	dt_arena_deinit(&request->arena);
	free(request);
	atomic_fetch_sub(&server->active, 1);
}

/* ---- beginning and end ----------------------------------------------------------------- */

static void defaults(struct dt_http_options *options)
{
	options->threads = options->threads ? options->threads : 4;
	options->connections = options->connections ? options->connections : 1200;
	options->header_seconds = options->header_seconds ? options->header_seconds : 20;
	options->body_seconds = options->body_seconds ? options->body_seconds : 30;
	options->body_rate = options->body_rate ? options->body_rate : 1024;
}

static enum dt_status start_daemon(struct dt_http_server *server, struct dt_error *err)
{
	const struct dt_http_options *options = &server->options;
	bool v6 = options->address.ss_family == AF_INET6;
	/* Not epoll: with it a thread of the pool and MHD_quiesce_daemon() (0.9.75) both take the listener out of the thread's set, and the one
	 * that comes second ends the process. */
	unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | (v6 ? MHD_USE_IPv6 : 0u);

	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, server,
	                                  MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&options->address,
	                                  MHD_OPTION_THREAD_POOL_SIZE, options->threads,
	                                  MHD_OPTION_CONNECTION_LIMIT, options->connections,
	                                  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	                                  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	                                  MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u,
	                                  MHD_OPTION_STRICT_FOR_CLIENT, 1,
	                                  MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	                                  MHD_OPTION_NOTIFY_CONNECTION, dt_http_link_event, server, MHD_OPTION_END);
	return server->daemon ? DT_OK : dt_fail(err, DT_ERR_IO, "cannot listen there: %s", strerror(errno));
}

enum dt_status dt_http_start(struct dt_http_server **out, const struct dt_http_app *app, const struct dt_http_options *options,
                             struct dt_error *err)
{
	struct dt_http_server *server = calloc(1, sizeof(*server));
	enum dt_status status;

	if (!server)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	server->app = app;
	server->listener = -1;
	server->options = *options;
	defaults(&server->options);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->tick, NULL);
	status = dt_http_guard_start(server, err);
	if (status == DT_OK)
		status = start_daemon(server, err);
	if (status != DT_OK) {
		dt_http_stop(server);
		return status;
	}
	*out = server;
	return DT_OK;
}

unsigned dt_http_port(const struct dt_http_server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void dt_http_quiesce(struct dt_http_server *server)
{
	if (server->listener < 0 && (server->listener = MHD_quiesce_daemon(server->daemon)) >= 0)
		shutdown(server->listener, SHUT_RDWR);
}

unsigned dt_http_active(const struct dt_http_server *server)
{
	return atomic_load(&server->active);
}

void dt_http_stop(struct dt_http_server *server)
{
	if (!server)
		return;
	dt_http_guard_stop(server);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->listener >= 0)
		close(server->listener);
	pthread_cond_destroy(&server->tick);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

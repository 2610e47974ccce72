/* What a request says. */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "doors/serve/http/internal.h"

void *dt_http_context(const struct dt_http_request *request)
{
	return request->server->app->context;
}

const struct dt_http_route *dt_http_route_of(const struct dt_http_request *request)
{
	return request->route;
}

const char *dt_http_method(const struct dt_http_request *request)
{
	return request->method;
}

const char *dt_http_path(const struct dt_http_request *request)
{
	return request->path;
}

const char *dt_http_parameter(const struct dt_http_request *request, const char *name)
{
	for (size_t i = 0; i < request->parameter_count; i++)
		if (request->parameters[i].name && !strcmp(request->parameters[i].name, name))
			return request->parameters[i].value ? request->parameters[i].value : "";
	return "";
}

static const char *look_up(const struct dt_http_request *request, enum MHD_ValueKind kind, const char *name)
{
	return MHD_lookup_connection_value(request->connection, kind, name);
}

const char *dt_http_query(const struct dt_http_request *request, const char *name)
{
	return look_up(request, MHD_GET_ARGUMENT_KIND, name);
}

const char *dt_http_header(const struct dt_http_request *request, const char *name)
{
	return look_up(request, MHD_HEADER_KIND, name);
}

const char *dt_http_cookie(const struct dt_http_request *request, const char *name)
{
	return look_up(request, MHD_COOKIE_KIND, name);
}

const char *dt_http_field(const struct dt_http_request *request, const char *name)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (!strcmp(request->fields[i].name, name))
			return dt_buf_text(&request->fields[i].value);
	return NULL;
}

const char *dt_http_peer(const struct dt_http_request *request)
{
	return request->peer;
}

bool dt_http_peer_is_loopback(const struct dt_http_request *request)
{
	return request->loopback;
}

uint64_t dt_http_announced(const struct dt_http_request *request)
{
	const char *text = dt_http_header(request, "Content-Length");
	uint64_t length;

	return text && dt_text_parse_u64(text, false, &length) ? length : UINT64_MAX;
}

struct dt_arena *dt_http_arena(struct dt_http_request *request)
{
	return &request->arena;
}

void dt_http_set_state(struct dt_http_request *request, void *state)
{
	request->state = state;
}

void *dt_http_state(const struct dt_http_request *request)
{
	return request->state;
}

bool dt_http_stopping(const struct dt_http_request *request)
{
	pthread_mutex_lock(&request->server->lock);
	bool stopping = request->server->stopping;
	pthread_mutex_unlock(&request->server->lock);
	return stopping;
}

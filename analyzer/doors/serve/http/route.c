/* Which route a path belongs to. */
#include <string.h>

#include "doors/serve/http/internal.h"

/* One part of a path or a pattern, without its slash. */
static size_t part(const char *text)
{
	return strcspn(text, "/");
}

static bool match(struct dt_http_request *request, const char *pattern)
{
	const char *path = request->path;

	request->parameter_count = 0;
	while (*pattern == '/' && *path == '/') {
		size_t wanted = part(++pattern), found = part(++path);
		bool named = wanted > 2 && pattern[0] == '{' && pattern[wanted - 1] == '}';
		if (named && found && request->parameter_count < DT_HTTP_PARAMETERS) {
			request->parameters[request->parameter_count].name = dt_arena_strndup(&request->arena, pattern + 1, wanted - 2);
			request->parameters[request->parameter_count++].value = dt_arena_strndup(&request->arena, path, found);
		} else if (named || wanted != found || memcmp(pattern, path, wanted) != 0) {
			return false;
		}
		pattern += wanted;
		path += found;
	}
	return !*pattern && !*path;
}

bool dt_http_find_route(struct dt_http_request *request, bool *known)
{
	const struct dt_http_app *app = request->server->app;
	const char *method = !strcmp(request->method, "HEAD") ? "GET" : request->method;

	*known = false;
	for (size_t i = 0; i < app->route_count; i++) {
		if (!match(request, app->routes[i].pattern))
			continue;
		*known = true;
		if (strcmp(app->routes[i].method, method) != 0)
			continue;
		request->route = &app->routes[i];
		return true;
	}
	return false;
}

/* Who asks and whether they may, before any handler; and the answers that all handlers give. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log/log.h"
#include "core/model/json.h"
#include "doors/serve/serve.h"

struct dt_serve *dt_serve_of(const struct dt_http_request *request)
{
	return dt_http_context(request);
}

struct dt_visit *dt_visit_of(const struct dt_http_request *request)
{
	return dt_http_state(request);
}

bool dt_may_see_all(const struct dt_http_request *request)
{
	return (dt_visit_of(request)->who.scopes & DT_SCOPE_ADMIN) != 0;
}

/* ---- answers ------------------------------------------------------------------------- */

static void common_headers(struct dt_http_request *request)
{
	struct dt_visit *visit = dt_visit_of(request);

	dt_http_add_header(request, "X-Content-Type-Options", "nosniff");
	dt_http_add_header(request, "Referrer-Policy", "same-origin");
	dt_http_add_header(request, "Cache-Control", "no-store");
	dt_http_add_header(request, "Content-Security-Policy",
	                   "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
	                   "frame-ancestors 'none'; base-uri 'none'");
	dt_http_add_header(request, "X-Frame-Options", "DENY");
	dt_http_add_header(request, "Cross-Origin-Resource-Policy", "same-origin");
	if (visit && visit->who.new_cookie && !visit->who.bearer)
		dt_access_set_cookie(dt_serve_of(request)->access, request, &visit->who);
}

void dt_answer_body(struct dt_http_request *request, unsigned status, const char *type, struct dt_buf *body)
{
	common_headers(request);
	if (!dt_buf_ok(body)) {
		dt_buf_reset(body);
		dt_buf_puts(body, "the answer is larger than its limit, or memory ran out\n");
		status = 500;
		type = "text/plain; charset=utf-8";
	}
	dt_http_answer(request, status, type, body);
	dt_buf_deinit(body);
}

void dt_answer_json(struct dt_http_request *request, unsigned status, struct dt_buf *body)
{
	dt_answer_body(request, status, "application/json", body);
}

void dt_answer_page(struct dt_http_request *request, unsigned status, struct dt_buf *body)
{
	dt_answer_body(request, status, "text/html; charset=utf-8", body);
}

void dt_answer_redirect(struct dt_http_request *request, const char *address)
{
	struct dt_buf body;

	dt_buf_init(&body, 4096);
	dt_http_add_header(request, "Location", address);
	dt_answer_body(request, 303, "text/plain; charset=utf-8", &body);
}

static const char *title_of(unsigned status)
{
	static const struct { unsigned status; const char *title; } titles[] = {
		{ 400, "The request cannot be understood" }, { 401, "Sign in first" },        { 403, "This is not allowed" },
		{ 404, "Not found" },                        { 405, "Method not allowed" },   { 409, "Not now" },
		{ 413, "Too large" },                        { 415, "Unsupported format" },   { 429, "Too many requests" },
		{ 503, "Not available at the moment" },      { 507, "No room left" },
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Something went wrong";
}

static bool wants_json(const struct dt_http_request *request)
{
	const char *path = dt_http_path(request), *accept = dt_http_header(request, "Accept");

	return !strncmp(path, "/api/", 5) || (accept && strstr(accept, "json"));
}

/* RFC 9457. */
static void problem_document(struct dt_http_request *request, unsigned status, const char *detail)
{
	struct dt_buf body;

	dt_buf_init(&body, 1u << 16);
	dt_buf_printf(&body, "{\"type\":\"about:blank\",\"title\":");
	dt_json_write_text(title_of(status), &body);
	dt_buf_printf(&body, ",\"status\":%u,\"detail\":", status);
	dt_json_write_text(detail, &body);
	dt_buf_puts(&body, "}\n");
	dt_answer_body(request, status, "application/problem+json", &body);
}

void dt_answer_problem(struct dt_http_request *request, unsigned status, const char *detail)
{
	struct dt_web_frame frame;
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	if (status == 401)
		dt_http_add_header(request, "WWW-Authenticate", "Bearer realm=\"dumptriage\"");
	if (wants_json(request)) {
		problem_document(request, status, detail);
		return;
	}
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_frame(request, title_of(status), NULL, csrf, &frame);
	dt_web_problem(&frame, status, title_of(status), detail, &body);
	dt_answer_page(request, status, &body);
}

void dt_answer_failed(struct dt_http_request *request, enum dt_status status, const struct dt_error *err)
{
	if (status == DT_ERR_NOT_FOUND) {
		dt_answer_problem(request, 404, err->text);
		return;
	}
	if (status == DT_ERR_USAGE) {
		dt_answer_problem(request, 400, err->text);
		return;
	}
	dt_log(DT_LOG_WARNING, "request", NULL, "%s: %s", dt_http_path(request), err->text);
	dt_http_add_header(request, "Retry-After", "5");
	dt_answer_problem(request, 503, "The store cannot be asked at the moment.");
}

struct dt_store *dt_borrow_store(struct dt_http_request *request)
{
	struct dt_store *store;
	struct dt_error err = { 0 };

	if (dt_stores_take(dt_serve_of(request)->stores, &store, &err) == DT_OK)
		return store;
	dt_answer_failed(request, DT_ERR_IO, &err);
	return NULL;
}

void dt_return_store(struct dt_http_request *request, struct dt_store *store, enum dt_status status)
{
	bool broken = status == DT_ERR_IO || status == DT_ERR_NOMEM;

	dt_stores_give(dt_serve_of(request)->stores, store, broken);
}

void dt_frame(struct dt_http_request *request, const char *title, const char *here, char csrf[DT_CSRF_SIZE], struct dt_web_frame *out)
{
	const struct dt_serve *serve = dt_serve_of(request);
	const struct dt_visit *visit = dt_visit_of(request);
	unsigned scopes = visit ? visit->who.scopes : 0;

	memset(out, 0, sizeof(*out));
	out->title = title;
	out->here = here;
	if (!visit)
		return;
	dt_access_csrf(serve->access, &visit->who, csrf);
	out->csrf = csrf;
	out->can_upload = (scopes & DT_SCOPE_UPLOAD) != 0;
	out->can_read = (scopes & DT_SCOPE_READ) != 0;
	out->can_admin = (scopes & DT_SCOPE_ADMIN) != 0;
	out->who = dt_access_auth(serve->access) != DT_AUTH_NONE && scopes ? visit->who.name : NULL;
	out->can_sign_out = visit->who.session;
}

bool dt_form_ok(struct dt_http_request *request)
{
	if (dt_access_csrf_ok(dt_serve_of(request)->access, &dt_visit_of(request)->who, dt_http_field(request, "csrf")))
		return true;
	dt_answer_problem(request, 403, "The form is out of date. Load the page again and send it once more.");
	return false;
}

void dt_page_begin(struct dt_http_request *request, const char *title, const char *here, char csrf[DT_CSRF_SIZE], struct dt_web_frame *frame,
                   struct dt_buf *body)
{
	dt_buf_init(body, DT_ANSWER_MAX);
	dt_frame(request, title, here, csrf, frame);
}

/* ---- before a handler ------------------------------------------------------------------ */

static bool refuse(struct dt_http_request *request, unsigned status, const char *why)
{
	dt_answer_problem(request, status, why);
	return false;
}

static bool changes(const struct dt_http_request *request)
{
	const char *method = dt_http_method(request);

	return strcmp(method, "GET") && strcmp(method, "HEAD");
}

/* Nobody in particular: a browser is led to the page where it signs in. */
static bool ask_to_sign_in(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_buf address;

	if (wants_json(request) || changes(request) || dt_access_auth(serve->access) != DT_AUTH_TOKEN)
		return refuse(request, 401, "This needs a token (Authorization: Bearer ...), or somebody who is signed in.");
	dt_buf_init(&address, 4096);
	dt_buf_puts(&address, "/sign-in?back=");
	dt_web_url_part(&address, dt_http_path(request));
	dt_answer_redirect(request, dt_buf_text(&address));
	dt_buf_deinit(&address);
	return false;
}

static bool may(struct dt_http_request *request, const struct dt_visit *visit)
{
	unsigned needs = dt_http_route_of(request)->needs;

	if ((needs & DT_NEED_NOBODY) || (visit->who.scopes & needs & DT_SCOPE_ALL))
		return true;
	if (!visit->who.scopes)
		return ask_to_sign_in(request);
	return refuse(request, 403, needs & DT_SCOPE_ADMIN ? "Only an administrator may do this." : "Your token does not allow this.");
}

static bool before(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_visit *visit = calloc(1, sizeof(*visit));
	struct dt_error err = { 0 };
	const char *why;
	unsigned wait_s;

	if (!visit)
		return false;
	visit->seen = UINT_MAX;
	dt_http_set_state(request, visit);
	if ((why = dt_access_channel(serve->access, request)))
		return refuse(request, 403, why);
	/* What nobody in particular may see is shown while the store is away, too. */
	if (dt_access_identify(serve->access, request, &visit->who, &err) != DT_OK && !(dt_http_route_of(request)->needs & DT_NEED_NOBODY)) {
		dt_answer_failed(request, DT_ERR_IO, &err);
		return false;
	}
	if ((wait_s = visit->who.wait_s) || !dt_access_allow(serve->access, &visit->who, &wait_s)) {
		char seconds[16];
		snprintf(seconds, sizeof(seconds), "%u", wait_s);
		dt_http_add_header(request, "Retry-After", seconds);
		return refuse(request, 429, "You ask more often than this server answers. Wait a moment.");
	}
	if (changes(request) && !visit->who.bearer && !dt_access_same_origin(serve->access, request))
		return refuse(request, 403, "This came from a page of another site.");
	return may(request, visit);
}

static void refuse_unrouted(struct dt_http_request *request, unsigned status, const char *why)
{
	dt_answer_problem(request, status, why);
}

static void after(struct dt_http_request *request, unsigned status, bool complete)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_visit *visit = dt_visit_of(request);

	if (dt_log_wanted(DT_LOG_DEBUG))
		dt_log(DT_LOG_DEBUG, "answered", NULL, "%s %s %u%s", dt_http_method(request), dt_http_path(request), status, complete ? "" : " (cut off)");
	if (!visit)
		return;
	dt_stop_waiting(serve, visit);
	dt_upload_forget_in(serve, visit);
	dt_http_set_state(request, NULL);
	free(visit);
}

/* ---- the routes ----------------------------------------------------------------------------- */

enum {
	UPLOAD = DT_SCOPE_UPLOAD, READ = DT_SCOPE_READ, ADMIN = DT_SCOPE_ADMIN, SENDER = DT_SCOPE_UPLOAD | DT_SCOPE_READ, API = DT_NEED_API,
	NOBODY = DT_NEED_NOBODY, FORM = DT_NEED_CSRF,
};

static const struct dt_http_route routes[] = {
	{ "POST", "/api/v1/dumps", API | UPLOAD, dt_handle_post_dumps, &dt_upload_intake },
	{ "GET", "/api/v1/uploads/{id}", API | SENDER, dt_handle_get_upload, NULL },
	{ "GET", "/api/v1/uploads/{id}/events", API | SENDER, dt_handle_upload_events, NULL },
	{ "GET", "/api/v1/crashes", API | READ, dt_handle_crashes, NULL },
	{ "GET", "/api/v1/crashes/{id}", API | READ, dt_handle_crash, NULL },
	{ "DELETE", "/api/v1/crashes/{id}", API | ADMIN, dt_handle_delete_crash, NULL },
	{ "GET", "/api/v1/crashes/{id}/dump", API | ADMIN, dt_handle_crash_dump, NULL },
	{ "GET", "/api/v1/incidents", API | READ, dt_handle_incidents, NULL },
	{ "GET", "/api/v1/incidents/{id}", API | READ, dt_handle_incident, NULL },
	{ "GET", "/api/v1/signatures", API | READ, dt_handle_signatures, NULL },
	{ "GET", "/api/v1/audit", API | ADMIN, dt_handle_audit, NULL },
	{ "GET", "/api/v1/healthz", API | NOBODY, dt_handle_health, NULL },
	{ "GET", "/api/v1/metrics", API | READ, dt_handle_metrics, NULL },
	{ "GET", "/api/v1/openapi.json", API | NOBODY, dt_handle_openapi, NULL },
	{ "GET", "/", SENDER, dt_handle_home_page, NULL },
	{ "POST", "/upload", FORM | UPLOAD, dt_handle_post_upload, &dt_upload_intake },
	{ "GET", "/uploads/{id}", SENDER, dt_handle_upload_page, NULL },
	{ "GET", "/crashes", READ, dt_handle_crashes_page, NULL },
	{ "GET", "/crashes/{id}", READ, dt_handle_crash_page, NULL },
	{ "POST", "/crashes/{id}/delete", FORM | ADMIN, dt_handle_delete_form, NULL },
	{ "GET", "/incidents", READ, dt_handle_incidents_page, NULL },
	{ "GET", "/incidents/{id}", READ, dt_handle_incident_page, NULL },
	{ "GET", "/signatures", READ, dt_handle_signatures_page, NULL },
	{ "GET", "/sign-in", NOBODY, dt_handle_sign_in_page, NULL },
	{ "POST", "/sign-in", FORM | NOBODY, dt_handle_sign_in, NULL },
	{ "POST", "/sign-out", FORM | NOBODY, dt_handle_sign_out, NULL },
	{ "GET", "/assets/{name}", NOBODY, dt_handle_asset, NULL },
};

const struct dt_http_app dt_serve_app = {
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.before = before,
	.refuse = refuse_unrouted,
	.after = after,
};

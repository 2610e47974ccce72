/* The page of a crash, and its deletion. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "doors/serve/serve.h"
#include "report/event.h"
#include "report/mask.h"

enum { OTHERS = 10, SENDERS = 10 };

static const struct dt_report_style plain = { .verbose = true };

struct senders {
	struct dt_store *store;
	struct dt_arena *arena;
	struct { const char *name, *upload; } items[SENDERS];
	size_t count;
};

static bool take_sender(void *context, const struct dt_upload_item *item)
{
	struct senders *senders = context;

	/* The row's texts go with it. */
	senders->items[senders->count].name = dt_mask_user(dt_arena_strdup(senders->arena, item->name), senders->arena);
	senders->items[senders->count++].upload = dt_arena_strdup(senders->arena, item->upload);
	return senders->count < SENDERS;
}

static enum dt_status find_senders(struct dt_store *store, const char *crash, struct dt_arena *arena, struct dt_web_crash *view, struct dt_error *err)
{
	struct senders found = { .store = store, .arena = arena };
	struct dt_web_sender *out = DT_ARENA_ARRAY(arena, SENDERS, struct dt_web_sender);
	enum dt_status status = dt_store_upload_items(store, &(struct dt_upload_query){ .crash = crash, .limit = SENDERS }, take_sender, &found, err);

	for (size_t i = 0; status == DT_OK && out && i < found.count; i++) {
		struct dt_upload upload;
		status = dt_store_upload(store, found.items[i].upload, arena, &upload, err);
		if (status == DT_OK)
			out[view->sender_count++] = (struct dt_web_sender){ found.items[i].name, found.items[i].upload, upload.ticket, upload.note, upload.who, upload.at };
	}
	view->senders = out;
	return status;
}

static enum dt_status find_others(struct dt_store *store, const struct dt_one_crash *one, struct dt_arena *arena, struct dt_web_crash *view,
                                  struct dt_error *err)
{
	struct dt_listed listed;
	enum dt_status status = DT_OK;
	size_t n = 0;

	if (!one->row.host)
		return DT_OK;
	status = dt_list_crashes(store, &(struct dt_store_query){ .host = one->row.host, .newest = true }, OTHERS + 1, arena, &listed, err);
	for (size_t i = 0; status == DT_OK && i < listed.count; i++)
		if (strcmp(listed.rows[i].id, one->row.key) != 0 && n < OTHERS)
			listed.rows[n++] = listed.rows[i];
	if (status != DT_OK)
		return status;
	const char *more = NULL;
	if (listed.more || n < listed.count - 1) {
		struct dt_buf address;
		dt_buf_init(&address, 4096);
		dt_buf_puts(&address, "/crashes?host=");
		dt_web_url_part(&address, one->row.host);
		more = dt_arena_strdup(arena, dt_buf_text(&address));
		dt_buf_deinit(&address);
	}
	view->others = (struct dt_web_rows){ listed.rows, n, more };
	return DT_OK;
}

static enum dt_status is_suspect(struct dt_serve *serve, struct dt_store *store, const char *host, struct dt_arena *arena, const char **reason,
                                 struct dt_error *err)
{
	const struct dt_review *review;
	enum dt_status status = host ? dt_reviews_take(serve->reviews, store, &review, err) : DT_ERR_NOT_FOUND;

	if (status != DT_OK)
		return host ? status : DT_OK;
	for (size_t i = 0; i < review->host_count; i++)
		if (!strcmp(review->hosts[i].name, host))
			*reason = dt_arena_strdup(arena, review->hosts[i].pattern.reason);
	dt_reviews_give(serve->reviews, review);
	return DT_OK;
}

static const char *print_text(const struct dt_crash *crash, const char *format, struct dt_arena *arena)
{
	struct dt_buf text;

	dt_buf_init(&text, 4u << 20);
	dt_report_format(format)->write(crash, &plain, &text);
	const char *out = dt_arena_strdup(arena, dt_buf_text(&text));
	dt_buf_deinit(&text);
	return out;
}

static enum dt_status gather_crash(struct dt_http_request *request, struct dt_store *store, struct dt_one_crash *one, struct dt_web_crash *view,
                                   struct dt_error *err)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_arena *arena = dt_http_arena(request);
	struct dt_report_incident *incidents = NULL;
	enum dt_status status = dt_find_crash(store, dt_http_parameter(request, "id"), arena, one, err);

	if (status != DT_OK)
		return status;
	view->id = one->row.key;
	view->files = one->row.files;
	view->crash = dt_mask_crash(&one->crash, arena);
	if (!view->crash)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	if ((status = dt_incidents_of(serve, store, one->row.id, arena, &incidents, &view->incident_count, err)) != DT_OK ||
	    (status = find_others(store, one, arena, view, err)) != DT_OK || (status = find_senders(store, view->id, arena, view, err)) != DT_OK ||
	    (status = is_suspect(serve, store, one->row.host, arena, &view->hardware, err)) != DT_OK)
		return status;
	view->incidents = incidents;
	if (dt_may_see_all(request))
		view->sha256 = dt_kept_dump(serve, store, view->id, arena);
	view->ticket = dt_ticket_text(serve, view->crash, view->id, incidents, view->incident_count, arena);
	view->markdown = print_text(view->crash, "markdown", arena);
	return DT_OK;
}

void dt_handle_crash_page(struct dt_http_request *request)
{
	struct dt_one_crash one = { 0 };
	struct dt_web_crash view = { 0 };
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE], title[160];
	struct dt_buf body;
	struct dt_store *store = dt_borrow_store(request);

	if (!store)
		return;
	enum dt_status status = gather_crash(request, store, &one, &view, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	const char *summary = view.crash->judgement.verdict.summary ? view.crash->judgement.verdict.summary : "Crash";
	snprintf(title, sizeof(title), "%.*s", (int)dt_text_fit(summary, 120), summary);
	dt_page_begin(request, title, "/crashes", csrf, &frame, &body);
	dt_web_crash(&frame, &view, &body);
	dt_answer_page(request, 200, &body);
}

void dt_handle_delete_form(struct dt_http_request *request)
{
	struct dt_error err = { 0 };
	struct dt_store *store = dt_form_ok(request) ? dt_borrow_store(request) : NULL;

	if (!store)
		return;
	enum dt_status status = dt_delete_crash(request, store, dt_http_parameter(request, "id"), &err);
	dt_return_store(request, store, status);
	if (status == DT_OK)
		dt_answer_redirect(request, "/crashes");
	else
		dt_answer_failed(request, status, &err);
}

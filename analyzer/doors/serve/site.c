/* The pages: what is asked for, gathered and handed to web/. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "doors/serve/serve.h"
#include "doors/view/incident_view.h"
#include "report/event.h"
#include "report/mask.h"

enum { LATEST = 10, PAGE = 50, OTHERS = 10, SENDERS = 10 };

static const struct dt_report_style plain = { .verbose = true };

static void begin(struct dt_http_request *request, const char *title, const char *here, char csrf[DT_CSRF_SIZE], struct dt_web_frame *frame,
                  struct dt_buf *body)
{
	dt_buf_init(body, DT_ANSWER_MAX);
	dt_frame(request, title, here, csrf, frame);
}

/* ---- the start page ------------------------------------------------------------------------ */

static enum dt_status outbreaks(struct dt_http_request *request, struct dt_store *store, struct dt_web_home *home, const struct dt_review **review,
                                struct dt_error *err)
{
	struct dt_report_incident *items;
	enum dt_status status = dt_reviews_take(dt_serve_of(request)->reviews, store, review, err);

	if (status != DT_OK)
		return status;
	items = DT_ARENA_ARRAY(dt_http_arena(request), (*review)->outbreaks + 1, struct dt_report_incident);
	for (size_t i = 0; items && i < (*review)->count; i++)
		if ((*review)->incidents[i].outbreak && home->outbreak_count < (*review)->outbreaks)
			dt_view_incident(&(*review)->incidents[i], &items[home->outbreak_count++]);
	home->outbreaks = items;
	return DT_OK;
}

void dt_handle_home_page(struct dt_http_request *request)
{
	const struct dt_serve_options *options = dt_serve_of(request)->options;
	struct dt_web_home home = { .max_bytes = options->max_bytes, .keep_days = options->keep_dumps };
	const struct dt_review *review = NULL;
	struct dt_listed listed = { 0 };
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	begin(request, "Upload a dump", "/", csrf, &frame, &body);
	struct dt_store *store = frame.can_read ? dt_borrow_store(request) : NULL;
	if (frame.can_read && !store) {
		dt_buf_deinit(&body);
		return;
	}
	enum dt_status status = DT_OK;
	if (store) {
		status = dt_list_crashes(store, &(struct dt_store_query){ .newest = true }, LATEST, dt_http_arena(request), &listed, &err);
		if (status == DT_OK)
			status = outbreaks(request, store, &home, &review, &err);
		dt_return_store(request, store, status);
	}
	if (status != DT_OK) {
		dt_buf_deinit(&body);
		dt_answer_failed(request, status, &err);
		return;
	}
	home.latest = (struct dt_web_rows){ listed.rows, listed.count, listed.more ? "/crashes" : NULL };
	dt_web_home(&frame, &home, &body);
	if (review)
		dt_reviews_give(dt_serve_of(request)->reviews, review);
	dt_answer_page(request, 200, &body);
}

/* ---- a crash ---------------------------------------------------------------------------------- */

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

static const char *printed(const struct dt_crash *crash, const char *format, struct dt_arena *arena)
{
	struct dt_buf text;

	dt_buf_init(&text, 4u << 20);
	dt_report_format(format)->write(crash, &plain, &text);
	const char *out = dt_arena_strdup(arena, dt_buf_text(&text));
	dt_buf_deinit(&text);
	return out;
}

/* The correlation id of a ticket is its incident's: one ticket for each incident gathers all its crashes. */
static const char *ticket_text(struct dt_serve *serve, const struct dt_web_crash *view, struct dt_arena *arena)
{
	const char *text = printed(view->crash, "ticket", arena), *base = serve->options->url ? serve->options->url : "";
	struct dt_buf out;

	if (!text)
		return NULL;
	dt_buf_init(&out, 4u << 20);
	dt_buf_puts(&out, text);
	if (view->incident_count) {
		const struct dt_report_incident *first = &view->incidents[0];
		dt_buf_puts(&out, "\nSeen on ");
		dt_report_incident_hosts(first, &out);
		dt_buf_printf(&out, " with incident i%llu.\n", (unsigned long long)first->id);
	}
	if (*base)
		dt_buf_printf(&out, "Record: %s/crashes/%s\n", base, view->id);
	const char *copy = dt_arena_strdup(arena, dt_buf_text(&out));
	dt_buf_deinit(&out);
	return copy;
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
	view->ticket = ticket_text(serve, view, arena);
	view->markdown = printed(view->crash, "markdown", arena);
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
	begin(request, title, "/crashes", csrf, &frame, &body);
	dt_web_crash(&frame, &view, &body);
	dt_answer_page(request, 200, &body);
}

/* Forms carry a hidden value; false: answered. */
static bool form_ok(struct dt_http_request *request)
{
	if (dt_access_csrf_ok(dt_serve_of(request)->access, &dt_visit_of(request)->who, dt_http_field(request, "csrf")))
		return true;
	dt_answer_problem(request, 403, "The form is out of date. Load the page again and send it once more.");
	return false;
}

void dt_handle_delete_form(struct dt_http_request *request)
{
	struct dt_error err = { 0 };
	struct dt_store *store = form_ok(request) ? dt_borrow_store(request) : NULL;

	if (!store)
		return;
	enum dt_status status = dt_delete_crash(request, store, dt_http_parameter(request, "id"), &err);
	dt_return_store(request, store, status);
	if (status == DT_OK)
		dt_answer_redirect(request, "/crashes");
	else
		dt_answer_failed(request, status, &err);
}

/* ---- search -------------------------------------------------------------------------------------- */

static void put_parameter(struct dt_buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	dt_buf_printf(out, "%s=", name);
	dt_web_url_part(out, value);
	dt_buf_putc(out, '&');
}

static const char *next_page(const struct dt_web_search *words, uint64_t cursor, struct dt_arena *arena)
{
	struct dt_buf out;

	dt_buf_init(&out, 1u << 20);
	dt_buf_puts(&out, "/crashes?");
	put_parameter(&out, "text", words->text);
	put_parameter(&out, "host", words->host);
	put_parameter(&out, "class", words->class);
	put_parameter(&out, "code", words->code);
	put_parameter(&out, "module", words->module);
	put_parameter(&out, "signature", words->signature);
	put_parameter(&out, "bucket", words->bucket);
	put_parameter(&out, "since", words->since);
	put_parameter(&out, "until", words->until);
	put_parameter(&out, "incident", words->incident);
	dt_buf_printf(&out, "cursor=%llu", (unsigned long long)cursor);
	const char *address = dt_arena_strdup(arena, dt_buf_text(&out));
	dt_buf_deinit(&out);
	return address;
}

void dt_handle_crashes_page(struct dt_http_request *request)
{
	const char *cursor = dt_http_query(request, "cursor");
	struct dt_listed listed = { 0 };
	struct dt_search search;
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	if (dt_read_search(request, &search)) {
		struct dt_store *store = dt_borrow_store(request);
		if (!store)
			return;
		if (cursor && !dt_text_parse_u64(cursor, false, &search.query.after))
			search.query.after = 0;
		enum dt_status status = dt_list_crashes(store, &search.query, PAGE, dt_http_arena(request), &listed, &err);
		dt_return_store(request, store, status);
		if (status != DT_OK) {
			dt_answer_failed(request, status, &err);
			return;
		}
	}
	search.words.found = (struct dt_web_rows){ listed.rows, listed.count,
		                                   listed.more ? next_page(&search.words, listed.ids[listed.count - 1], dt_http_arena(request)) : NULL };
	begin(request, "Crashes", "/crashes", csrf, &frame, &body);
	dt_web_search(&frame, &search.words, &body);
	dt_answer_page(request, search.words.problem ? 400 : 200, &body);
}

/* ---- incidents --------------------------------------------------------------------------------------- */

static const char *chosen(struct dt_http_request *request, const char *name)
{
	const char *value = dt_http_query(request, name);

	return value && *value ? value : NULL;
}

static void fill_incidents(const struct dt_review *review, struct dt_arena *arena, struct dt_web_incidents *view)
{
	struct dt_report_incident *items = DT_ARENA_ARRAY(arena, review->count + 1, struct dt_report_incident);
	struct dt_web_suspect *suspects = DT_ARENA_ARRAY(arena, review->host_count + 1, struct dt_web_suspect);

	view->crashes = review->fleet.crashes;
	view->hosts = review->fleet.hosts;
	view->as_of = review->now;
	for (size_t i = 0; items && i < review->count; i++) {
		struct dt_report_incident *item = &items[view->count];
		dt_view_incident(&review->incidents[i], item);
		if ((!view->kind || !strcmp(view->kind, item->kind)) && (!view->state || !strcmp(view->state, item->outbreak ? "outbreak" : item->state)))
			view->count++;
	}
	for (size_t i = 0; suspects && i < review->host_count; i++, view->suspect_count++)
		suspects[i] = (struct dt_web_suspect){ review->hosts[i].name, review->hosts[i].pattern.reason };
	view->incidents = items;
	view->suspects = suspects;
}

void dt_handle_incidents_page(struct dt_http_request *request)
{
	struct dt_web_incidents view = { .kind = chosen(request, "kind"), .state = chosen(request, "state") };
	const struct dt_review *review;
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;
	struct dt_store *store = dt_borrow_store(request);

	if (!store)
		return;
	enum dt_status status = dt_reviews_take(dt_serve_of(request)->reviews, store, &review, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	fill_incidents(review, dt_http_arena(request), &view);
	begin(request, "Incidents", "/incidents", csrf, &frame, &body);
	dt_web_incidents(&frame, &view, &body);
	dt_reviews_give(dt_serve_of(request)->reviews, review);
	dt_answer_page(request, 200, &body);
}

/* What to do stands in the signature, where the incident has one. */
static void steps_of_signature(const struct dt_rules *rules, const struct dt_report_incident *incident, struct dt_web_incident *view)
{
	/* The caller keeps the rules until the page is written. */
	const struct dt_rule_info *info = !strcmp(incident->kind, "signature") ? dt_rule_find(rules, incident->key) : NULL;

	if (!info)
		return;
	view->next_steps = info->next_steps;
	view->next_step_count = info->next_step_count;
}

static enum dt_status gather_incident(struct dt_http_request *request, struct dt_store *store, uint64_t id, struct dt_report_incident *incident,
                                      struct dt_web_incident *view, struct dt_error *err)
{
	struct dt_arena *arena = dt_http_arena(request);
	struct dt_listed listed;
	struct dt_review review;
	enum dt_status status = dt_review_make(store, &(struct dt_review_options){ .id = id }, arena, &review, err);

	if (status == DT_OK && !review.count)
		return dt_fail(err, DT_ERR_NOT_FOUND, "There is no such incident.");
	if (status == DT_OK)
		status = dt_view_incident_details(store, &review.incidents[0], arena, incident, err);
	if (status == DT_OK)
		status = dt_list_crashes(store, &(struct dt_store_query){ .incident = id, .newest = true }, LATEST, arena, &listed, err);
	if (status != DT_OK)
		return status;
	const struct dt_burst *burst = &review.incidents[0].status.burst;
	view->incident = incident;
	if (burst->found && review.incidents[0].status.outbreak) {
		struct dt_buf words;
		dt_buf_init(&words, 1024);
		dt_view_burst(burst, &words);
		view->burst = dt_arena_strdup(arena, dt_buf_text(&words));
		dt_buf_deinit(&words);
		view->burst_begin = burst->begin;
		view->burst_end = burst->end;
	}
	view->latest = (struct dt_web_rows){ listed.rows, listed.count,
		                             listed.more ? dt_arena_printf(arena, "/crashes?incident=%llu", (unsigned long long)id) : NULL };
	return DT_OK;
}

void dt_handle_incident_page(struct dt_http_request *request)
{
	const char *word = dt_http_parameter(request, "id");
	struct dt_report_incident incident;
	struct dt_web_incident view = { 0 };
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;
	uint64_t id;

	if (!dt_text_parse_u64(*word == 'i' ? word + 1 : word, false, &id) || !id) {
		dt_answer_problem(request, 404, "There is no such incident.");
		return;
	}
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = gather_incident(request, store, id, &incident, &view, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	const struct dt_rules *rules = dt_rulebook_take(dt_serve_of(request)->rulebook);
	steps_of_signature(rules, &incident, &view);
	begin(request, incident.title ? incident.title : incident.key, "/incidents", csrf, &frame, &body);
	dt_web_incident(&frame, &view, &body);
	dt_rulebook_give(dt_serve_of(request)->rulebook, rules);
	dt_answer_page(request, 200, &body);
}

/* ---- signatures, signing in ------------------------------------------------------------------------------ */

void dt_handle_signatures_page(struct dt_http_request *request)
{
	struct dt_rulebook *book = dt_serve_of(request)->rulebook;
	const struct dt_rules *rules = dt_rulebook_take(book);
	size_t count = dt_rules_count(rules);
	struct dt_web_signature *views = DT_ARENA_ARRAY(dt_http_arena(request), count + 1, struct dt_web_signature);
	struct dt_web_frame frame;
	char csrf[DT_CSRF_SIZE];
	struct dt_error error;
	struct dt_buf body;

	for (size_t i = 0; views && i < count; i++) {
		const struct dt_rule_info *info = dt_rule_info(rules, i);
		views[i] = (struct dt_web_signature){ info->id, info->title, info->version, info->status, info->level, info->category, info->description,
			                              dt_word(&dt_words_verdict_class, info->class), info->author, info->date, info->references,
			                              info->reference_count, info->next_steps, info->next_step_count };
	}
	begin(request, "Signatures", "/signatures", csrf, &frame, &body);
	dt_web_signatures(&frame, views, views ? count : 0, dt_rulebook_error(book, &error) ? error.text : NULL, &body);
	dt_rulebook_give(book, rules);
	dt_answer_page(request, 200, &body);
}

/* Where to go after signing in: an address of this server, and nothing else. */
static const char *back_of(const char *back)
{
	return back && back[0] == '/' && back[1] != '/' && back[1] != '\\' && !back[strcspn(back, "\r\n\\")] ? back : "/";
}

static void sign_in_page(struct dt_http_request *request, unsigned status, const char *problem, const char *back)
{
	struct dt_web_frame frame;
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	begin(request, "Sign in", NULL, csrf, &frame, &body);
	dt_web_sign_in(&frame, problem, back_of(back), &body);
	dt_answer_page(request, status, &body);
}

void dt_handle_sign_in_page(struct dt_http_request *request)
{
	sign_in_page(request, 200, NULL, dt_http_query(request, "back"));
}

void dt_handle_sign_in(struct dt_http_request *request)
{
	const char *token = dt_http_field(request, "token"), *back = dt_http_field(request, "back");

	if (!form_ok(request))
		return;
	if (dt_access_auth(dt_serve_of(request)->access) == DT_AUTH_TOKEN && token &&
	    dt_access_sign_in(dt_serve_of(request)->access, &dt_visit_of(request)->who, token))
		dt_answer_redirect(request, back_of(back));
	else
		sign_in_page(request, 403, "This token is not in force.", back);
}

void dt_handle_sign_out(struct dt_http_request *request)
{
	if (!form_ok(request))
		return;
	dt_access_sign_out(dt_serve_of(request)->access, &dt_visit_of(request)->who);
	dt_answer_redirect(request, "/sign-in");
}

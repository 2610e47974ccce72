/* The pages of lists: the start page, search, incidents, signatures. What is asked for is gathered and handed to web/. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "doors/serve/serve.h"
#include "doors/view/incident_view.h"

enum { LATEST = 10, PAGE = 50 };

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
	home->as_of = (*review)->now;
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

	dt_page_begin(request, "Upload a dump", "/", csrf, &frame, &body);
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
	dt_page_begin(request, "Crashes", "/crashes", csrf, &frame, &body);
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

/* What the chart may show; the first unless another is asked for. */
static const struct span { const char *word; int64_t hours; } spans[] = { { "7d", 168 }, { "2d", 48 }, { "30d", 720 }, { "all", 0 } };

/* NULL: there is none of that name. */
static const struct span *find_span(const char *word)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (!word || !strcmp(spans[i].word, word))
			return &spans[i];
	return NULL;
}

/* The first hour of the chart that is asked for. */
static int64_t chart_from(const struct dt_web_incidents *view, int64_t now)
{
	const struct span *span = find_span(view->span);

	return span->hours ? now / 3600 - span->hours + 1 : INT64_MIN;
}

static enum dt_status draw_fleet(struct dt_store *store, const struct dt_review *review, struct dt_arena *arena, struct dt_web_incidents *view,
                                 struct dt_error *err)
{
	struct dt_web_burst *bursts = DT_ARENA_ARRAY(arena, review->outbreaks + 1, struct dt_web_burst);
	int64_t from = chart_from(view, review->now);

	if (!bursts)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < review->count && view->chart.burst_count < review->outbreaks; i++) {
		const struct dt_review_incident *incident = &review->incidents[i];
		const struct dt_burst *burst = &incident->status.burst;
		if (incident->outbreak && burst->found)
			bursts[view->chart.burst_count++] =
				(struct dt_web_burst){ burst->begin, burst->end, incident->stored.title ? incident->stored.title : incident->stored.key };
	}
	view->chart.bursts = bursts;
	view->chart.from = from == INT64_MIN ? 0 : from;
	view->chart.until = review->now / 3600 + 1;
	return review->fleet.id ? dt_view_bars(store, review->fleet.id, from, arena, &view->chart.bars, &view->chart.bar_count, err) : DT_OK;
}

void dt_handle_incidents_page(struct dt_http_request *request)
{
	const struct span *span = find_span(chosen(request, "span"));
	struct dt_incident_filter filter;
	const struct dt_review *review;
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	if (!dt_read_incident_filter(request, &filter))
		return;
	if (!span) {
		dt_answer_problem(request, 400, "'span' takes 2d, 7d, 30d or all.");
		return;
	}
	struct dt_web_incidents view = { .kind = filter.kind_word, .state = filter.state, .span = span->word };
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = dt_reviews_take(dt_serve_of(request)->reviews, store, &review, &err);
	bool taken = status == DT_OK;
	if (taken)
		status = draw_fleet(store, review, dt_http_arena(request), &view, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		if (taken)
			dt_reviews_give(dt_serve_of(request)->reviews, review);
		dt_answer_failed(request, status, &err);
		return;
	}
	fill_incidents(review, dt_http_arena(request), &view);
	dt_page_begin(request, "Incidents", "/incidents", csrf, &frame, &body);
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
	const struct dt_incident_status *now;
	enum dt_status status = dt_view_incident_details(store, id, arena, incident, &now, err);

	if (status == DT_OK)
		status = dt_list_crashes(store, &(struct dt_store_query){ .incident = id, .newest = true }, LATEST, arena, &listed, err);
	if (status != DT_OK)
		return status;
	const struct dt_burst *burst = &now->burst;
	view->incident = incident;
	if (burst->found && now->outbreak) {
		struct dt_buf words;
		dt_buf_init(&words, 1024);
		dt_view_burst(burst, &words);
		view->burst = dt_arena_strdup(arena, dt_buf_text(&words));
		dt_buf_deinit(&words);
		struct dt_web_burst *mark = DT_ARENA_NEW(arena, struct dt_web_burst);
		if (mark)
			*mark = (struct dt_web_burst){ burst->begin, burst->end, view->burst };
		view->chart.bursts = mark;
		view->chart.burst_count = mark != NULL;
	}
	view->chart.bars = incident->bars;
	view->chart.bar_count = incident->bar_count;
	view->latest = (struct dt_web_rows){ listed.rows, listed.count,
		                             listed.more ? dt_arena_printf(arena, "/crashes?incident=%llu", (unsigned long long)id) : NULL };
	return DT_OK;
}

void dt_handle_incident_page(struct dt_http_request *request)
{
	struct dt_report_incident incident;
	struct dt_web_incident view = { 0 };
	struct dt_web_frame frame;
	struct dt_error err = { 0 };
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;
	uint64_t id;

	if (!dt_wanted_incident(request, &id))
		return;
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
	dt_page_begin(request, incident.title ? incident.title : incident.key, "/incidents", csrf, &frame, &body);
	dt_web_incident(&frame, &view, &body);
	dt_rulebook_give(dt_serve_of(request)->rulebook, rules);
	dt_answer_page(request, 200, &body);
}

/* ---- signatures ------------------------------------------------------------------------------ */

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
	dt_page_begin(request, "Signatures", "/signatures", csrf, &frame, &body);
	dt_web_signatures(&frame, views, views ? count : 0, dt_rulebook_error(book, &error) ? error.text : NULL, &body);
	dt_rulebook_give(book, rules);
	dt_answer_page(request, 200, &body);
}

/* The API's answers: JSON of what the store knows. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "core/model/json.h"
#include "doors/serve/serve.h"
#include "doors/view/incident_view.h"
#include "fleet/metrics/metrics.h"
#include "report/mask.h"

enum { PAGE = 50, MAX_PAGE = 200 };

static void time_member(struct dt_buf *out, const char *name, uint64_t filetime)
{
	char text[DT_TIME_TEXT_MAX];

	dt_json_write_member(name, filetime && dt_time_format(filetime, text) ? text : NULL, out);
}

/* A number of the query string; absent: the default. false: answered. */
static bool number(struct dt_http_request *request, const char *name, uint64_t low, uint64_t high, uint64_t otherwise, uint64_t *out)
{
	const char *text = dt_http_query(request, name);
	char why[100];

	*out = otherwise;
	if (!text || (dt_text_parse_u64(text, false, out) && *out >= low && *out <= high))
		return true;
	snprintf(why, sizeof(why), "'%.20s' takes a number from %llu to %llu.", name, (unsigned long long)low, (unsigned long long)high);
	dt_answer_problem(request, 400, why);
	return false;
}

/* ---- crashes ---------------------------------------------------------------------------- */

static void write_row(const struct dt_web_row *row, struct dt_buf *out)
{
	dt_buf_puts(out, "{\"id\":");
	dt_json_write_text(row->id, out);
	time_member(out, "time", row->time);
	dt_buf_printf(out, ",\"time_trusted\":%s", row->time_ok ? "true" : "false");
	dt_json_write_member("host", row->host, out);
	dt_json_write_member("class", dt_word(&dt_words_verdict_class, row->class), out);
	dt_json_write_number("confidence", row->confidence, out);
	dt_json_write_member("code", row->code, out);
	dt_json_write_member("module", row->module, out);
	dt_json_write_member("signature", row->signature, out);
	dt_buf_printf(out, ",\"url\":\"/api/v1/crashes/%s\"}", row->id);
}

void dt_handle_crashes(struct dt_http_request *request)
{
	struct dt_search search;
	struct dt_listed listed;
	struct dt_error err = { 0 };
	struct dt_buf body;
	uint64_t limit;

	if (!number(request, "limit", 1, MAX_PAGE, PAGE, &limit) || !number(request, "cursor", 1, INT64_MAX, 0, &search.query.after))
		return;
	uint64_t after = search.query.after;
	if (!dt_read_search(request, &search)) {
		dt_answer_problem(request, 400, search.words.problem);
		return;
	}
	search.query.after = after;
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = dt_list_crashes(store, &search.query, (size_t)limit, dt_http_arena(request), &listed, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_buf_puts(&body, "{\"items\":[");
	for (size_t i = 0; i < listed.count; i++) {
		dt_buf_puts(&body, i ? "," : "");
		write_row(&listed.rows[i], &body);
	}
	if (listed.more)
		dt_buf_printf(&body, "],\"next\":\"%llu\"}\n", (unsigned long long)listed.ids[listed.count - 1]);
	else
		dt_buf_puts(&body, "],\"next\":null}\n");
	dt_answer_json(request, 200, &body);
}

static const char *type_of_format(const char *name)
{
	static const char *const types[][2] = { { "markdown", "text/markdown; charset=utf-8" }, { "text", "text/plain; charset=utf-8" },
		                                { "ticket", "text/plain; charset=utf-8" }, { "cef", "text/plain; charset=utf-8" } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i][0], name))
			return types[i][1];
	return "application/json";
}

/* text: what was made already; NULL: it is written by the format. */
static void print_crash(struct dt_http_request *request, const struct dt_report_format *format, const struct dt_crash *crash, const char *text)
{
	static const struct dt_report_style plain = { .verbose = true };
	struct dt_buf body;

	dt_buf_init(&body, DT_ANSWER_MAX);
	if (text)
		dt_buf_puts(&body, text);
	else
		format->write(crash, &plain, &body);
	dt_answer_body(request, 200, type_of_format(format->name), &body);
}

void dt_handle_crash(struct dt_http_request *request)
{
	struct dt_report_incident *incidents = NULL;
	size_t incident_count = 0;
	const char *id = dt_http_parameter(request, "id"), *name = dt_http_query(request, "format"), *raw = dt_http_query(request, "raw");
	const struct dt_report_format *format = dt_report_format(name ? name : "json");
	struct dt_one_crash one;
	struct dt_error err = { 0 };

	if (!format) {
		dt_answer_problem(request, 400, "'format' takes one of text, json, jsonl, markdown, ticket, ecs, ocsf, cef.");
		return;
	}
	if (raw && strcmp(raw, "1")) {
		dt_answer_problem(request, 400, "'raw' takes 1.");
		return;
	}
	if (raw && !dt_may_see_all(request)) {
		dt_answer_problem(request, 403, "Only an administrator sees the unmasked record.");
		return;
	}
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = dt_find_crash(store, id, dt_http_arena(request), &one, &err);
	if (status == DT_OK && raw)
		status = dt_audit(request, store, "view-raw", id, one.row.host, &err);
	bool ticket = !strcmp(format->name, "ticket");
	if (status == DT_OK && ticket)
		status = dt_incidents_of(dt_serve_of(request), store, one.row.id, dt_http_arena(request), &incidents, &incident_count, &err);
	dt_return_store(request, store, status);
	const struct dt_crash *crash = status != DT_OK ? NULL : raw ? &one.crash : dt_mask_crash(&one.crash, dt_http_arena(request));
	const char *text = ticket && crash ? dt_ticket_text(dt_serve_of(request), crash, one.row.key, incidents, incident_count, dt_http_arena(request)) : NULL;
	if (status != DT_OK)
		dt_answer_failed(request, status, &err);
	else if (!crash || (ticket && !text))
		dt_answer_problem(request, 503, "The record is larger than what can be shown at once.");
	else
		print_crash(request, format, crash, text);
}

void dt_handle_delete_crash(struct dt_http_request *request)
{
	struct dt_store *store = dt_borrow_store(request);
	struct dt_error err = { 0 };
	struct dt_buf body;

	if (!store)
		return;
	enum dt_status status = dt_delete_crash(request, store, dt_http_parameter(request, "id"), &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	dt_buf_init(&body, 1);
	dt_answer_json(request, 204, &body);
}

void dt_handle_crash_dump(struct dt_http_request *request)
{
	const char *id = dt_http_parameter(request, "id"), *sha256 = NULL;
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_store *store = dt_borrow_store(request);
	struct dt_one_crash one;
	struct dt_error err = { 0 };
	uint64_t size;
	int fd = -1;

	if (!store)
		return;
	enum dt_status status = dt_find_crash(store, id, dt_http_arena(request), &one, &err);
	if (status == DT_OK && !(sha256 = dt_kept_dump(serve, store, id, dt_http_arena(request))))
		status = dt_fail(&err, DT_ERR_NOT_FOUND, "Its dump is not kept.");
	if (status == DT_OK)
		status = dt_audit(request, store, "download", id, sha256, &err);
	dt_return_store(request, store, status);
	if (status == DT_OK)
		status = dt_spool_kept(serve->spool, sha256, &fd, &size, &err);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	dt_http_add_header(request, "Content-Disposition", dt_arena_printf(dt_http_arena(request), "attachment; filename=\"%s.dmp\"", id));
	dt_http_add_header(request, "X-Content-Type-Options", "nosniff");
	dt_http_add_header(request, "Cache-Control", "no-store");
	dt_http_answer_file(request, 200, "application/octet-stream", fd, size);
}

/* ---- incidents -------------------------------------------------------------------------------- */

void dt_handle_incidents(struct dt_http_request *request)
{
	struct dt_incident_filter filter;
	const struct dt_review *review;
	struct dt_error err = { 0 };
	struct dt_buf body;
	uint64_t limit, written = 0;

	if (!dt_read_incident_filter(request, &filter) || !number(request, "limit", 1, 500, 100, &limit))
		return;
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = dt_reviews_take(dt_serve_of(request)->reviews, store, &review, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_buf_printf(&body, "{\"crashes\":%llu,\"hosts\":%llu", (unsigned long long)review->fleet.crashes, (unsigned long long)review->fleet.hosts);
	time_member(&body, "as_of", review->now > 0 ? dt_time_from_unix((uint64_t)review->now) : 0);
	dt_buf_puts(&body, ",\"items\":[");
	for (size_t i = 0; i < review->count && written < limit; i++) {
		struct dt_report_incident view;
		dt_view_incident(&review->incidents[i], &view);
		const char *word = view.outbreak ? "outbreak" : view.state;
		if ((filter.kind && review->incidents[i].stored.kind != filter.kind) || (filter.state && strcmp(filter.state, word)))
			continue;
		dt_buf_puts(&body, written++ ? "," : "");
		dt_report_incident_json(&view, &body);
	}
	dt_buf_puts(&body, "]}\n");
	dt_reviews_give(dt_serve_of(request)->reviews, review);
	dt_answer_json(request, 200, &body);
}

void dt_handle_incident(struct dt_http_request *request)
{
	struct dt_report_incident view;
	struct dt_error err = { 0 };
	struct dt_buf body;
	uint64_t id;

	if (!dt_wanted_incident(request, &id))
		return;
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	enum dt_status status = dt_view_incident_details(store, id, dt_http_arena(request), &view, NULL, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_answer_failed(request, status, &err);
		return;
	}
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_report_incident_json(&view, &body);
	dt_buf_putc(&body, '\n');
	dt_answer_json(request, 200, &body);
}

/* ---- signatures, audit, health -------------------------------------------------------------------- */

static void texts(struct dt_buf *out, const char *name, const char *const *items, size_t count)
{
	dt_buf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		dt_buf_puts(out, i ? "," : "");
		dt_json_write_text(items[i], out);
	}
	dt_buf_putc(out, ']');
}

static void write_signature(const struct dt_rule_info *info, struct dt_buf *out)
{
	dt_buf_puts(out, "{\"id\":");
	dt_json_write_text(info->id, out);
	dt_json_write_member("title", info->title, out);
	dt_json_write_member("version", info->version, out);
	dt_json_write_member("status", info->status, out);
	dt_json_write_member("level", info->level, out);
	dt_json_write_member("category", info->category, out);
	dt_json_write_member("description", info->description, out);
	dt_json_write_member("class", dt_word(&dt_words_verdict_class, info->class), out);
	texts(out, "references", info->references, info->reference_count);
	texts(out, "next_steps", info->next_steps, info->next_step_count);
	dt_buf_putc(out, '}');
}

void dt_handle_signatures(struct dt_http_request *request)
{
	struct dt_rulebook *book = dt_serve_of(request)->rulebook;
	const struct dt_rules *rules = dt_rulebook_take(book);
	struct dt_error error;
	struct dt_buf body;

	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_buf_printf(&body, "{\"rules\":\"%s\"", dt_rules_hash(rules));
	dt_json_write_member("error", dt_rulebook_error(book, &error) ? error.text : NULL, &body);
	dt_buf_puts(&body, ",\"items\":[");
	for (size_t i = 0; i < dt_rules_count(rules); i++) {
		dt_buf_puts(&body, i ? "," : "");
		write_signature(dt_rule_info(rules, i), &body);
	}
	dt_buf_puts(&body, "]}\n");
	dt_rulebook_give(book, rules);
	dt_answer_json(request, 200, &body);
}

struct audit_list {
	struct dt_buf *out;
	size_t count, limit;
	uint64_t last;
	bool more;
};

static bool take_audit(void *context, const struct dt_audit *audit)
{
	struct audit_list *list = context;

	list->more = list->count == list->limit;
	if (list->more)
		return false;
	dt_buf_printf(list->out, "%s{\"number\":%llu", list->count++ ? "," : "", (unsigned long long)audit->id);
	time_member(list->out, "at", audit->at);
	dt_json_write_member("who", audit->who, list->out);
	dt_json_write_member("address", audit->address, list->out);
	dt_json_write_member("action", audit->action, list->out);
	dt_json_write_member("object", audit->object, list->out);
	dt_json_write_member("detail", audit->detail, list->out);
	dt_buf_putc(list->out, '}');
	list->last = audit->id;
	return true;
}

void dt_handle_audit(struct dt_http_request *request)
{
	struct audit_list list = { 0 };
	struct dt_error err = { 0 };
	struct dt_buf body;
	uint64_t limit, cursor;

	if (!number(request, "limit", 1, MAX_PAGE, PAGE, &limit) || !number(request, "cursor", 1, INT64_MAX, 0, &cursor))
		return;
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return;
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_buf_puts(&body, "{\"items\":[");
	list.out = &body;
	list.limit = (size_t)limit;
	enum dt_status status = dt_store_audits(store, cursor, limit + 1, take_audit, &list, &err);
	dt_return_store(request, store, status);
	if (status != DT_OK) {
		dt_buf_deinit(&body);
		dt_answer_failed(request, status, &err);
		return;
	}
	if (list.more)
		dt_buf_printf(&body, "],\"next\":\"%llu\"}\n", (unsigned long long)list.last);
	else
		dt_buf_puts(&body, "],\"next\":null}\n");
	dt_answer_json(request, 200, &body);
}

/* Whether uploads can be taken and answered. */
void dt_handle_health(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_store *store = NULL;
	struct dt_error err;
	struct dt_buf body;
	bool workers = !dt_engine_failed(serve->engine), there = dt_stores_take(serve->stores, &store, &err) == DT_OK;
	bool asked = there && dt_store_tokens(store, "-", NULL, NULL, &err) == DT_OK && dt_engine_store_ok(serve->engine);

	dt_stores_give(serve->stores, store, !asked);
	dt_buf_init(&body, 4096);
	dt_buf_printf(&body, "{\"status\":\"%s\",\"store\":\"%s\",\"workers\":\"%s\",\"open_uploads\":%u,\"version\":\"" DT_VERSION "\"}\n",
	              workers && asked ? "ok" : "failing", asked ? "ok" : "unreachable", workers ? "ok" : "lost", dt_jobs_open(serve->jobs));
	dt_answer_json(request, workers && asked ? 200 : 503, &body);
}

void dt_handle_metrics(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_buf body;

	dt_metric_set(DT_METRIC_OPEN_UPLOADS, dt_jobs_open(serve->jobs));
	dt_metric_set(DT_METRIC_REQUESTS_ACTIVE, dt_http_active(serve->http));
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_metrics_write(&body);
	dt_http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
	dt_buf_deinit(&body);
}

/* ---- files of the program --------------------------------------------------------------------------- */

static void answer_asset(struct dt_http_request *request, const char *name)
{
	const struct dt_web_asset *asset = dt_web_asset(name);

	if (!asset) {
		dt_answer_problem(request, 404, "There is no such file.");
		return;
	}
	dt_http_add_header(request, "X-Content-Type-Options", "nosniff");
	dt_http_add_header(request, "Cache-Control", "max-age=300");
	dt_http_answer_static(request, 200, asset->type, (struct dt_bytes){ (const uint8_t *)asset->data, asset->len });
}

void dt_handle_asset(struct dt_http_request *request)
{
	answer_asset(request, dt_http_parameter(request, "name"));
}

void dt_handle_openapi(struct dt_http_request *request)
{
	answer_asset(request, "openapi.json");
}

/* What has become of an upload: asked once, waited for, or streamed. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "core/model/json.h"
#include "doors/serve/serve.h"
#include "report/event.h"

enum { MAX_WAIT_S = 60, KEEP_ALIVE_MS = 15000, DETAILED = DT_JOB_SHOWN };

/* ---- what is known of it, as plain values in the request's arena ------------------------ */

struct found {
	struct dt_arena *arena;
	struct dt_web_upload upload;
	unsigned version;
};

static void copy_job(void *context, const struct dt_job *job)
{
	struct found *found = context;
	struct dt_arena *arena = found->arena;
	struct dt_web_upload *out = &found->upload;

	found->version = job->version;
	*out = (struct dt_web_upload){
		.id = dt_arena_strdup(arena, job->id), .state = dt_job_words[job->state], .waiting = dt_arena_strdup(arena, job->waiting),
		.host = dt_arena_strdup(arena, job->host), .ticket = dt_arena_strdup(arena, job->ticket), .note = dt_arena_strdup(arena, job->note),
		.who = dt_arena_strdup(arena, job->who), .done = job->state >= DT_JOB_DONE, .item_total = job->item_total, .at = job->at,
		.files = DT_ARENA_ARRAY(arena, job->file_count + 1, struct dt_web_file),
		.items = DT_ARENA_ARRAY(arena, job->item_count + 1, struct dt_web_item),
	};
	for (size_t i = 0; out->files && i < job->file_count; i++, out->file_count++)
		out->files[i] = (struct dt_web_file){ dt_arena_strdup(arena, job->files[i].name), dt_arena_strdup(arena, job->files[i].sha256),
			                              job->files[i].size, job->files[i].known };
	for (size_t i = 0; out->items && i < job->item_count; i++, out->item_count++) {
		const struct dt_job_item *item = &job->items[i];
		out->items[i] = (struct dt_web_item){ dt_arena_strdup(arena, item->name), dt_arena_strdup(arena, item->crash),
			                              dt_arena_strdup(arena, item->summary), dt_arena_strdup(arena, item->host), item->class, item->confidence, item->deleted };
	}
}

struct from_store {
	struct dt_arena *arena;
	struct dt_web_upload *out;
	size_t room;
};

static bool take_item(void *context, const struct dt_upload_item *row)
{
	struct from_store *from = context;
	struct dt_web_upload *out = from->out;

	if (out->item_count == from->room) {
		size_t room = from->room ? from->room * 2 : 64;
		struct dt_web_item *more = DT_ARENA_ARRAY(from->arena, room, struct dt_web_item);
		struct dt_web_file *files = DT_ARENA_ARRAY(from->arena, room, struct dt_web_file);
		if (!more || !files)
			return false;
		if (out->item_count)
			memcpy(more, out->items, out->item_count * sizeof(*more));
		if (out->file_count)
			memcpy(files, out->files, out->file_count * sizeof(*files));
		out->items = more;
		out->files = files;
		from->room = room;
	}
	const char *name = dt_arena_strdup(from->arena, row->name), *member = name ? strstr(name, "!/") : NULL;
	out->items[out->item_count++] = (struct dt_web_item){ .name = dt_mask_user(name, from->arena), .id = dt_arena_strdup(from->arena, row->crash),
		                                                      .deleted = !row->crash };
	if (out->file_count && !strcmp(out->files[out->file_count - 1].sha256, row->sha256))
		return true;
	out->files[out->file_count++] = (struct dt_web_file){ member ? dt_arena_strndup(from->arena, name, (size_t)(member - name)) : name,
		                                              dt_arena_strdup(from->arena, row->sha256), row->size, false };
	return true;
}

/* Verdicts of the first ones; the others are a click away. */
static enum dt_status fill_verdicts(struct dt_store *store, struct dt_web_upload *upload, struct dt_arena *arena, struct dt_error *err)
{
	for (size_t i = 0; i < upload->item_count && i < DETAILED; i++) {
		struct dt_web_item *item = &upload->items[i];
		struct dt_one_crash one;
		enum dt_status status = item->id ? dt_find_crash(store, item->id, arena, &one, err) : DT_ERR_NOT_FOUND;
		if (status == DT_ERR_NOT_FOUND) {
			item->deleted = true;
			continue;
		}
		if (status != DT_OK)
			return status;
		item->class = one.crash.judgement.verdict.class;
		item->confidence = one.crash.judgement.verdict.confidence;
		item->summary = dt_mask_user(one.crash.judgement.verdict.summary, arena);
		item->host = one.crash.facts.host.name;
	}
	return DT_OK;
}

static enum dt_status read_upload(struct dt_store *store, const char *id, struct dt_arena *arena, struct dt_web_upload *out, struct dt_error *err)
{
	struct from_store from = { arena, out, 0 };
	struct dt_upload upload;
	enum dt_status status = dt_store_upload(store, id, arena, &upload, err);

	if (status != DT_OK)
		return status;
	*out = (struct dt_web_upload){ .item_total = upload.items, .id = upload.id, .state = dt_job_words[DT_JOB_DONE], .done = true, .at = upload.at, .host = upload.host,
		                       .ticket = upload.ticket, .note = upload.note, .who = upload.who };
	status = dt_store_upload_items(store, &(struct dt_upload_query){ .upload = id, .limit = DETAILED }, take_item, &from, err);
	if (status == DT_OK)
		status = fill_verdicts(store, out, arena, err);
	return status == DT_OK && arena->failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : status;
}

static bool is_id(const char *id)
{
	return strlen(id) == DT_UPLOAD_ID && strspn(id, "0123456789abcdef") == DT_UPLOAD_ID;
}

/* NULL: answered. */
static const struct dt_web_upload *find(struct dt_http_request *request, const char *id)
{
	struct found *found = DT_ARENA_NEW(dt_http_arena(request), struct found);
	struct dt_error err = { 0 };

	if (!found)
		return dt_answer_problem(request, 503, "no memory"), NULL;
	found->arena = dt_http_arena(request);
	if (!is_id(id))
		return dt_answer_problem(request, 404, "There is no such upload."), NULL;
	if (dt_jobs_look(dt_serve_of(request)->jobs, id, copy_job, found))
		return found->arena->failed ? (dt_answer_problem(request, 503, "no memory"), NULL) : &found->upload;
	struct dt_store *store = dt_borrow_store(request);
	if (!store)
		return NULL;
	enum dt_status status = read_upload(store, id, found->arena, &found->upload, &err);
	dt_return_store(request, store, status);
	if (status == DT_OK)
		return &found->upload;
	dt_answer_failed(request, status, &err);
	return NULL;
}

/* ---- as JSON -------------------------------------------------------------------------------- */

static void write_items(const struct dt_web_upload *upload, const char *base, struct dt_buf *out)
{
	for (size_t i = 0; i < upload->item_count; i++) {
		const struct dt_web_item *item = &upload->items[i];
		dt_buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
		dt_json_write_text(item->name, out);
		dt_buf_printf(out, ",\"deleted\":%s", item->deleted ? "true" : "false");
		dt_json_write_member("id", item->deleted ? NULL : item->id, out);
		dt_json_write_member("class", item->deleted ? NULL : dt_word(&dt_words_verdict_class, item->class), out);
		dt_json_write_number("confidence", item->confidence, out);
		dt_json_write_member("summary", item->summary, out);
		dt_json_write_member("host", item->host, out);
		dt_buf_puts(out, ",\"url\":");
		if (item->id && !item->deleted)
			dt_buf_printf(out, "\"%s/crashes/%s\"}", base, item->id);
		else
			dt_buf_puts(out, "null}");
	}
}

static void write_json(const struct dt_web_upload *upload, const char *base, struct dt_buf *out)
{
	char time[DT_TIME_TEXT_MAX];

	dt_buf_printf(out, "{\"schema\":\"dumptriage.upload/1\",\"id\":\"%s\",\"state\":\"%s\"", upload->id, upload->state);
	dt_json_write_member("waiting", upload->waiting, out);
	dt_json_write_member("received", dt_time_format(upload->at, time) ? time : NULL, out);
	dt_json_write_member("host", upload->host, out);
	dt_json_write_member("ticket", upload->ticket, out);
	dt_json_write_member("note", upload->note, out);
	dt_json_write_member("by", upload->who, out);
	dt_buf_printf(out, ",\"url\":\"%s/uploads/%s\",\"status\":\"%s/api/v1/uploads/%s\",\"events\":\"%s/api/v1/uploads/%s/events\",\"files\":[", base, upload->id,
	              base, upload->id, base, upload->id);
	for (size_t i = 0; i < upload->file_count; i++) {
		dt_buf_printf(out, "%s{\"size\":%llu,\"known\":%s", i ? "," : "", (unsigned long long)upload->files[i].size, upload->files[i].known ? "true" : "false");
		dt_json_write_member("name", upload->files[i].name, out);
		dt_json_write_member("sha256", upload->files[i].sha256, out);
		dt_buf_putc(out, '}');
	}
	dt_buf_printf(out, "],\"crash_count\":%llu,\"crashes\":[", (unsigned long long)upload->item_total);
	write_items(upload, base, out);
	dt_buf_puts(out, "]}");
}

static const char *base_of(const struct dt_http_request *request)
{
	const char *url = dt_serve_of(request)->options->url;

	return url ? url : "";
}

void dt_answer_upload(struct dt_http_request *request, const char *id, bool accepted)
{
	const struct dt_web_upload *upload = find(request, id);
	struct dt_buf body;
	char address[80];

	if (!upload)
		return;
	dt_buf_init(&body, DT_ANSWER_MAX);
	write_json(upload, base_of(request), &body);
	dt_buf_putc(&body, '\n');
	snprintf(address, sizeof(address), "/api/v1/uploads/%s", id);
	if (accepted)
		dt_http_add_header(request, "Location", address);
	dt_answer_json(request, accepted && !upload->done ? 202 : 200, &body);
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static void wake(void *context)
{
	dt_http_wake(context);
}

static void watch(struct dt_http_request *request, const char *id)
{
	struct dt_visit *visit = dt_visit_of(request);

	if (visit->watching)
		return;
	visit->watching = true;
	visit->watch = (struct dt_job_watch){ .changed = wake, .context = request };
	dt_jobs_watch(dt_serve_of(request)->jobs, id, &visit->watch);
}

void dt_stop_waiting(struct dt_serve *serve, struct dt_visit *visit)
{
	if (visit->watching)
		dt_jobs_unwatch(serve->jobs, &visit->watch);
	visit->watching = false;
}

static void is_done(void *context, const struct dt_job *job)
{
	*(bool *)context = job->state >= DT_JOB_DONE;
}

bool dt_wait_for_upload(struct dt_http_request *request, const char *id, unsigned seconds)
{
	struct dt_visit *visit = dt_visit_of(request);
	bool done = false;

	watch(request, id);
	if (!visit->until)
		visit->until = dt_time_steady_ms() + (int64_t)seconds * 1000;
	if (!dt_jobs_look(dt_serve_of(request)->jobs, id, is_done, &done) || done || dt_time_steady_ms() >= visit->until || dt_http_stopping(request))
		return true;
	dt_http_sleep(request);
	return false;
}

void dt_handle_get_upload(struct dt_http_request *request)
{
	const char *id = dt_http_parameter(request, "id"), *wait = dt_http_query(request, "wait");
	uint64_t seconds = 0;

	if (wait && (!dt_text_parse_u64(wait, false, &seconds) || seconds > MAX_WAIT_S)) {
		dt_answer_problem(request, 400, "'wait' takes seconds, 60 at most.");
		return;
	}
	if (!seconds || dt_wait_for_upload(request, id, (unsigned)seconds))
		dt_answer_upload(request, id, false);
}

/* ---- as a stream (server-sent events) ------------------------------------------------------------- */

static void write_event(const struct dt_web_upload *upload, const char *base, struct dt_buf *out)
{
	dt_buf_puts(out, "event: status\ndata: ");
	write_json(upload, base, out);
	dt_buf_puts(out, "\n\n");
}

static bool more_events(struct dt_http_request *request, struct dt_buf *out)
{
	struct dt_visit *visit = dt_visit_of(request);
	struct found found;
	struct dt_arena arena;
	bool there;

	if (dt_http_stopping(request))
		return false;
	dt_arena_init(&arena, DT_MAX_ARENA);
	found.arena = &arena;
	there = dt_jobs_look(dt_serve_of(request)->jobs, visit->id, copy_job, &found) && !arena.failed;
	if (there && found.version != visit->seen) {
		visit->seen = found.version;
		visit->told = dt_time_steady_ms();
		write_event(&found.upload, base_of(request), out);
		/* The next look ends the stream. */
	} else if (there && found.upload.done) {
		there = false;
	} else if (there && dt_time_steady_ms() - visit->told > KEEP_ALIVE_MS) {
		visit->told = dt_time_steady_ms();
		dt_buf_puts(out, ": still here\n\n");
	}
	dt_arena_deinit(&arena);
	return there;
}

/* An upload of long ago is told once. */
static void tell_once(struct dt_http_request *request, const char *id)
{
	const struct dt_web_upload *upload = find(request, id);
	struct dt_buf body;

	if (!upload)
		return;
	dt_buf_init(&body, DT_ANSWER_MAX);
	write_event(upload, base_of(request), &body);
	dt_http_add_header(request, "Cache-Control", "no-store");
	dt_http_answer(request, 200, "text/event-stream", &body);
	dt_buf_deinit(&body);
}

void dt_handle_upload_events(struct dt_http_request *request)
{
	struct dt_visit *visit = dt_visit_of(request);
	const char *id = dt_http_parameter(request, "id");
	bool done = false;

	if (!dt_jobs_look(dt_serve_of(request)->jobs, id, is_done, &done)) {
		tell_once(request, id);
		return;
	}
	snprintf(visit->id, sizeof(visit->id), "%s", id);
	watch(request, id);
	dt_http_add_header(request, "Cache-Control", "no-store");
	dt_http_add_header(request, "X-Accel-Buffering", "no");
	dt_http_answer_stream(request, 200, "text/event-stream", more_events);
}

/* ---- as a page -------------------------------------------------------------------------------------- */

static const char *only_crash(const struct dt_web_upload *upload)
{
	return upload->done && upload->item_total == 1 && upload->item_count == 1 && !upload->items[0].deleted ? upload->items[0].id : NULL;
}

void dt_handle_upload_page(struct dt_http_request *request)
{
	const struct dt_web_upload *upload = find(request, dt_http_parameter(request, "id"));
	const char *crash = upload ? only_crash(upload) : NULL;
	struct dt_web_frame frame;
	char csrf[DT_CSRF_SIZE], address[80];
	struct dt_buf body;

	if (!upload)
		return;
	if (crash && !dt_http_query(request, "list") && (dt_visit_of(request)->who.scopes & DT_SCOPE_READ)) {
		snprintf(address, sizeof(address), "/crashes/%.48s", crash);
		dt_answer_redirect(request, address);
		return;
	}
	dt_buf_init(&body, DT_ANSWER_MAX);
	dt_frame(request, upload->done ? "Analysed" : "Being analysed", NULL, csrf, &frame);
	frame.refresh = upload->done ? 0 : 1;
	dt_web_upload(&frame, upload, &body);
	dt_answer_page(request, 200, &body);
}

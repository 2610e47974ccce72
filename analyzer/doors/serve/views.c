/* What handlers show, gathered from the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"
#include "doors/common/when.h"
#include "doors/serve/serve.h"
#include "doors/view/incident_view.h"

/* ---- search ------------------------------------------------------------------------------ */

/* A parameter of the query string as it was typed, without spaces around; NULL for nothing. */
static const char *typed(struct dt_http_request *request, const char *name)
{
	const char *value = dt_http_query(request, name);
	size_t len;

	if (!value)
		return NULL;
	value += strspn(value, " ");
	len = strlen(value);
	while (len && value[len - 1] == ' ')
		len--;
	return len ? dt_text_from_utf8(dt_http_arena(request), (struct dt_bytes){ (const uint8_t *)value, len }) : NULL;
}

static bool wrong(struct dt_search *out, const char *why)
{
	out->words.problem = why;
	return false;
}

static bool read_code(const char *text, struct dt_opt *out)
{
	uint64_t value;
	uint32_t named;

	if (dt_text_parse_u64(text, true, &value))
		*out = dt_some(value);
	else if (dt_bugcheck_code(text, &named))
		*out = dt_some(named);
	return out->known;
}

static bool read_incident(const char *text, uint64_t *out)
{
	return dt_text_parse_u64(*text == 'i' ? text + 1 : text, false, out) && *out;
}

bool dt_read_search(struct dt_http_request *request, struct dt_search *out)
{
	struct dt_arena *arena = dt_http_arena(request);
	struct dt_web_search *words = &out->words;

	memset(out, 0, sizeof(*out));
	*words = (struct dt_web_search){
		.host = typed(request, "host"), .since = typed(request, "since"), .until = typed(request, "until"), .class = typed(request, "class"),
		.signature = typed(request, "signature"), .bucket = typed(request, "bucket"), .module = typed(request, "module"),
		.code = typed(request, "code"), .text = typed(request, "text"), .incident = typed(request, "incident"),
	};
	out->query = (struct dt_store_query){ .newest = true, .host = dt_host_fold(arena, words->host), .signature = words->signature,
		                              .bucket = words->bucket, .module = dt_text_lower(arena, words->module), .text = words->text,
		                              .text_in_paths = dt_may_see_all(request) };
	if (words->class && !(out->query.class = dt_word_value(&dt_words_verdict_class, words->class)))
		return wrong(out, "There is no verdict of that name.");
	if (words->since && !dt_parse_when(words->since, &out->query.since))
		return wrong(out, "'since' takes a day such as 2024-07-19, a time such as 2024-07-19T06:00:00Z, or an age such as 7d.");
	if (words->until && !dt_parse_when(words->until, &out->query.until))
		return wrong(out, "'until' takes a day such as 2024-07-20, a time such as 2024-07-19T06:00:00Z, or an age such as 7d.");
	if (words->code && !read_code(words->code, &out->query.code))
		return wrong(out, "'code' takes a stop code or an exception code, as a number or a name.");
	if (words->incident && !read_incident(words->incident, &out->query.incident))
		return wrong(out, "'incident' takes the number of an incident.");
	return true;
}

bool dt_read_incident_filter(struct dt_http_request *request, struct dt_incident_filter *out)
{
	*out = (struct dt_incident_filter){ .kind = DT_INCIDENT_FLEET, .kind_word = typed(request, "kind"), .state = typed(request, "state") };
	if (out->kind_word && !dt_view_kind_parse(out->kind_word, &out->kind)) {
		dt_answer_problem(request, 400, "'kind' takes signature, own or family.");
		return false;
	}
	if (out->state && !dt_view_is_state(out->state)) {
		dt_answer_problem(request, 400, "'state' takes outbreak, new, growing, steady or over.");
		return false;
	}
	return true;
}

/* ---- lists ---------------------------------------------------------------------------------- */

struct listing {
	struct dt_arena *arena;
	struct dt_listed *out;
	size_t limit;
};

static const char *code_text(const struct dt_stored *row, struct dt_arena *arena)
{
	bool user = row->family && !strncmp(row->family, "u:", 2);
	const char *name = !row->code.known ? NULL : user ? dt_exception_name(row->code.value) : dt_bugcheck_name((uint32_t)row->code.value);

	if (!row->code.known)
		return NULL;
	return dt_arena_printf(arena, "0x%llx%s%s", (unsigned long long)row->code.value, name ? " " : "", name ? name : "");
}

/* " a b " -> "a, b" */
static const char *signatures_text(const char *signatures, struct dt_arena *arena)
{
	char *out = signatures ? (char *)(uintptr_t)dt_arena_strdup(arena, signatures + strspn(signatures, " ")) : NULL;
	size_t len = out ? strlen(out) : 0;

	while (len && out[len - 1] == ' ')
		out[--len] = '\0';
	return len ? out : NULL;
}

static bool take_row(void *context, const struct dt_stored *row)
{
	struct listing *listing = context;
	struct dt_listed *out = listing->out;
	struct dt_arena *arena = listing->arena;

	if (out->count == listing->limit) {
		out->more = true;
		return false;
	}
	out->ids[out->count] = row->id;
	out->rows[out->count++] = (struct dt_web_row){
		.id = dt_arena_strdup(arena, row->key), .host = dt_arena_strdup(arena, row->host), .code = code_text(row, arena),
		.module = dt_arena_strdup(arena, row->blame ? row->blame : row->fault), .signature = signatures_text(row->signatures, arena),
		.class = row->class, .confidence = row->confidence, .time = row->time, .time_ok = row->time_ok,
	};
	return true;
}

enum dt_status dt_list_crashes(struct dt_store *store, const struct dt_store_query *query, size_t limit, struct dt_arena *arena,
                               struct dt_listed *out, struct dt_error *err)
{
	struct listing listing = { arena, out, limit };
	struct dt_store_query one_more = *query;

	*out = (struct dt_listed){ .rows = DT_ARENA_ARRAY(arena, limit + 1, struct dt_web_row), .ids = DT_ARENA_ARRAY(arena, limit + 1, uint64_t) };
	if (!out->rows || !out->ids)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	one_more.limit = limit + 1;
	return dt_store_each(store, &one_more, take_row, &listing, err);
}

/* ---- one crash ---------------------------------------------------------------------------------- */

struct finding {
	struct dt_arena *arena;
	struct dt_one_crash *out;
	const char *id;
	bool found;
};

static bool take_crash(void *context, const struct dt_stored *row)
{
	struct finding *finding = context;

	if (strcmp(row->key, finding->id))
		return true;
	finding->out->row = dt_stored_keep(row, finding->arena);
	finding->found = true;
	return false;
}

enum dt_status dt_find_crash(struct dt_store *store, const char *id, struct dt_arena *arena, struct dt_one_crash *out, struct dt_error *err)
{
	struct finding finding = { arena, out, id, false };
	const struct dt_store_query query = { .key = id, .records = true, .count_files = true, .limit = 2 };
	enum dt_status status;
	bool deleted = false;

	if (strlen(id) != 32 || strspn(id, "0123456789abcdefx") != 32)
		return dt_fail(err, DT_ERR_NOT_FOUND, "There is no such crash.");
	status = dt_store_each(store, &query, take_crash, &finding, err);
	if (status == DT_OK && !finding.found) {
		status = dt_store_deleted(store, id, &deleted, err);
		return status != DT_OK ? status : dt_fail(err, DT_ERR_NOT_FOUND, deleted ? "This crash was deleted." : "There is no such crash.");
	}
	return status == DT_OK ? dt_store_unpack(&out->row, arena, &out->crash, err) : status;
}

enum dt_status dt_audit(struct dt_http_request *request, struct dt_store *store, const char *action, const char *object, const char *detail,
                        struct dt_error *err)
{
	const struct dt_who *who = &dt_visit_of(request)->who;

	return dt_store_audit(store, &(struct dt_audit){ .who = who->name, .address = who->address, .action = action, .object = object, .detail = detail }, err);
}

/* ---- its dumps in the spool -------------------------------------------------------------------------- */

struct hashes {
	struct dt_arena *arena;
	const char *items[4096];
	size_t count;
};

static bool take_hash(void *context, const struct dt_upload_item *item)
{
	struct hashes *hashes = context;

	for (size_t i = 0; i < hashes->count; i++)
		if (!strcmp(hashes->items[i], item->sha256))
			return true;
	hashes->items[hashes->count++] = dt_arena_strdup(hashes->arena, item->sha256);
	return hashes->count < 4096;
}

const char *dt_kept_dump(struct dt_serve *serve, struct dt_store *store, const char *crash, struct dt_arena *arena)
{
	struct hashes hashes = { .arena = arena };
	struct dt_error err;
	uint64_t size;
	int fd;

	if (dt_store_upload_items(store, &(struct dt_upload_query){ .crash = crash }, take_hash, &hashes, &err) != DT_OK)
		return NULL;
	for (size_t i = 0; i < hashes.count; i++)
		if (dt_spool_kept(serve->spool, hashes.items[i], &fd, &size, &err) == DT_OK) {
			close(fd);
			return hashes.items[i];
		}
	return NULL;
}

enum dt_status dt_delete_crash(struct dt_http_request *request, struct dt_store *store, const char *id, struct dt_error *err)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct hashes hashes = { .arena = dt_http_arena(request) };
	struct dt_one_crash one;
	uint64_t removed;
	enum dt_status status = dt_find_crash(store, id, dt_http_arena(request), &one, err);

	if (status == DT_OK)
		status = dt_store_upload_items(store, &(struct dt_upload_query){ .crash = id }, take_hash, &hashes, err);
	/* Said before it is done: what cannot be written down is not done. */
	if (status == DT_OK)
		status = dt_audit(request, store, "delete", id, one.row.host, err);
	if (status == DT_OK)
		status = dt_store_remove(store, &(struct dt_store_query){ .key = id }, false, &removed, err);
	for (size_t i = 0; status == DT_OK && i < hashes.count; i++)
		dt_spool_drop_kept(serve->spool, hashes.items[i]);
	if (status == DT_OK) {
		dt_jobs_forget_crash(serve->jobs, id);
		dt_reviews_stale(serve->reviews);
	}
	return status;
}

/* ---- its incidents ------------------------------------------------------------------------------------- */

struct incidents {
	struct dt_arena *arena;
	struct dt_report_incident *items;
	size_t count;
};

enum { MAX_INCIDENTS = 32 };

static bool take_incident(void *context, const struct dt_stored_incident *row)
{
	struct incidents *incidents = context;
	struct dt_arena *arena = incidents->arena;

	incidents->items[incidents->count++] = (struct dt_report_incident){
		.id = row->id, .kind = dt_view_kind(row->kind), .key = dt_arena_strdup(arena, row->key), .title = dt_arena_strdup(arena, row->title),
		.hosts = row->hosts, .crashes = row->crashes, .unknown_hosts = row->unknown_hosts, .untimed = row->untimed,
		.first = row->first, .last = row->last,
	};
	return incidents->count < MAX_INCIDENTS;
}

enum dt_status dt_incidents_of(struct dt_serve *serve, struct dt_store *store, uint64_t crash, struct dt_arena *arena,
                               struct dt_report_incident **out, size_t *count, struct dt_error *err)
{
	struct incidents incidents = { arena, DT_ARENA_ARRAY(arena, MAX_INCIDENTS, struct dt_report_incident), 0 };
	const struct dt_review *review;
	enum dt_status status;

	if (!incidents.items)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	status = dt_store_incidents(store, &(struct dt_store_incident_query){ .crash = crash }, take_incident, &incidents, err);
	if (status == DT_OK)
		status = dt_reviews_take(serve->reviews, store, &review, err);
	if (status != DT_OK)
		return status;
	for (size_t i = 0; i < incidents.count; i++)
		for (size_t k = 0; k < review->count; k++)
			if (review->incidents[k].stored.id == incidents.items[i].id) {
				incidents.items[i].state = dt_incident_state_words[review->incidents[k].status.state];
				incidents.items[i].outbreak = review->incidents[k].outbreak;
			}
	dt_reviews_give(serve->reviews, review);
	*out = incidents.items;
	*count = incidents.count;
	return DT_OK;
}

bool dt_wanted_incident(struct dt_http_request *request, uint64_t *id)
{
	const char *word = dt_http_parameter(request, "id");

	if (dt_text_parse_u64(*word == 'i' ? word + 1 : word, false, id) && *id)
		return true;
	dt_answer_problem(request, 404, "There is no such incident.");
	return false;
}

/* One delivery's steps. */
#include "fleet/deliver/deliver.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/killpoint.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/log/log.h"
#include "fleet/deliver/batch.h"
#include "report/incident_event.h"

enum { BATCH = 1000, MAX_BATCH = 10000, EXTRA = 1100, BATCH_BYTES = 512 << 20, EVENT_BYTES = 16 << 20, FIRST_MS = 500, LAST_MS = 60000, SWEEP_LOOK_MS = 3600000 };

static const struct dt_encoding encodings[] = {
	{ "ecs", dt_incident_event_ecs }, { "ocsf", dt_incident_event_ocsf }, { "cef", dt_incident_event_cef }, { "template", NULL },
};

/* ---- beginning and end --------------------------------------------------------------- */

static bool takes(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
		if (!strncmp(at, name, len) && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static enum dt_status choose_encoding(struct dt_deliver *deliver, struct dt_error *err)
{
	const struct dt_sink_scheme *scheme = deliver->sink->scheme;
	const char *name = deliver->options.encoding ? deliver->options.encoding : scheme->encoding;

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		if (!strcmp(encodings[i].name, name) && takes(scheme->encodings, name))
			deliver->encoding = &encodings[i];
	return deliver->encoding ? DT_OK : dt_fail(err, DT_ERR_USAGE, "%s takes %s, not '%.40s'", scheme->scheme, scheme->encodings, name);
}

static enum dt_status check_template(const struct dt_deliver *deliver, struct dt_error *err)
{
	const struct dt_report_incident incident = { .kind = "own", .key = "", .state = "new" };
	const struct dt_incident_event event = { .incident = &incident, .id = "" };
	struct dt_buf out;

	dt_buf_init(&out, EVENT_BYTES);
	enum dt_status status = deliver->options.template ? dt_incident_event_template(&event, deliver->options.template, &out, err) : DT_OK;
	json_error_t why;
	json_t *json = status == DT_OK && deliver->options.template ? json_loadb(dt_buf_text(&out), out.len, JSON_DECODE_ANY, &why) : NULL;
	if (status == DT_OK && deliver->options.template && !json)
		status = dt_fail(err, DT_ERR_USAGE, "the template is no JSON: line %d: %s", why.line, why.text);
	json_decref(json);
	dt_buf_deinit(&out);
	return status;
}

static bool make_room(struct dt_deliver *deliver)
{
	struct dt_batch *batch = &deliver->batch;

	batch->room = deliver->options.batch ? deliver->options.batch : BATCH;
	if (batch->room > MAX_BATCH)
		batch->room = MAX_BATCH;
	batch->item_room = 2 * batch->room + EXTRA;
	batch->slot_count = 2 * batch->item_room + 1;
	batch->rows = calloc(batch->room, sizeof(*batch->rows));
	batch->row_items = calloc(batch->room, sizeof(*batch->row_items));
	batch->items = calloc(batch->item_room, sizeof(*batch->items));
	batch->events = calloc(batch->item_room, sizeof(*batch->events));
	batch->slots = calloc(batch->slot_count, sizeof(*batch->slots));
	return batch->rows && batch->row_items && batch->items && batch->events && batch->slots;
}

static enum dt_status open_store(struct dt_deliver *deliver, bool first, bool *fresh, struct dt_error *err)
{
	const struct dt_feed_start again = { 0 };
	enum dt_status status = dt_store_open(&deliver->store, deliver->db, DT_STORE_READ, err);
	bool is_new;

	if (status != DT_OK) {
		deliver->store = NULL;
		return status;
	}
	status = dt_store_feed_open(deliver->store, deliver->name, first ? &deliver->options.start : &again, &deliver->feed, fresh ? fresh : &is_new, err);
	if (status != DT_OK) {
		dt_store_close(deliver->store);
		deliver->store = NULL;
	}
	return status;
}

static enum dt_status open_all(struct dt_deliver *deliver, bool *fresh, struct dt_error *err)
{
	size_t len = strlen(deliver->options.sink.url) + 32;
	enum dt_status status;

	if (!make_room(deliver) || !(deliver->db = strdup(deliver->options.db)) || !(deliver->name = malloc(len)))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	status = dt_sink_open(&deliver->sink, &deliver->options.sink, err);
	if (status == DT_OK)
		status = choose_encoding(deliver, err);
	if (status == DT_OK)
		status = check_template(deliver, err);
	if (status == DT_OK && !deliver->sink->scheme->incidents_only)
		status = dt_encoders_open(&deliver->encoders, dt_deliver_encode, deliver, BATCH_BYTES, err);
	if (status != DT_OK)
		return status;
	/* The URL holds no secret: the sink refused one that does. */
	snprintf(deliver->name, len, "%s %s", deliver->options.sink.url, deliver->encoding->name);
	return open_store(deliver, true, fresh, err);
}

enum dt_status dt_deliver_open(struct dt_deliver **out, const struct dt_deliver_options *options, bool *fresh, struct dt_error *err)
{
	struct dt_deliver *deliver = calloc(1, sizeof(*deliver));
	enum dt_status status;

	if (!deliver)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	deliver->options = *options;
	deliver->told = true;
	deliver->random = dt_time_now() | 1;
	deliver->reviewed_ms = dt_time_steady_ms();
	dt_arena_init(&deliver->batch.arena, BATCH_BYTES);
	dt_buf_init(&deliver->text, EVENT_BYTES);
	status = open_all(deliver, fresh, err);
	if (status != DT_OK)
		dt_deliver_close(deliver);
	else
		*out = deliver;
	return status;
}

void dt_deliver_close(struct dt_deliver *deliver)
{
	if (!deliver)
		return;
	/* Whoever still encodes reads the rest. */
	dt_deliver_pass_on(deliver);
	dt_encoders_close(deliver->encoders);
	dt_sink_close(deliver->sink);
	dt_store_close(deliver->store);
	dt_arena_deinit(&deliver->batch.arena);
	dt_buf_deinit(&deliver->text);
	free(deliver->batch.rows);
	free(deliver->batch.row_items);
	free(deliver->batch.items);
	free(deliver->batch.events);
	free(deliver->batch.slots);
	free(deliver->db);
	free(deliver->name);
	free(deliver);
}

/* ---- a batch -------------------------------------------------------------------------- */

static enum dt_status take_rows(struct dt_deliver *deliver, struct dt_error *err)
{
	struct dt_batch *batch = &deliver->batch;
	enum dt_status status = dt_store_feed_owed(deliver->store, deliver->feed, batch->rows, batch->room, &batch->row_count, &batch->horizon, err);

	for (size_t i = 0; i < batch->row_count && status == DT_OK; i++) {
		bool fresh;
		batch->row_items[i] = SIZE_MAX;
		if (batch->rows[i].incident)
			continue;
		struct dt_item *item = dt_batch_item(batch, batch->rows[i].ref, &fresh);
		if (!item)
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
		batch->row_items[i] = (size_t)(item - batch->items);
		if (fresh)
			status = dt_deliver_crash(deliver, item, err);
	}
	return status;
}

struct again {
	struct dt_batch *batch;
	uint64_t incidents[64];
	size_t incident_count;
	const char **refs;
	size_t count;
};

static bool take_letter(void *context, const struct dt_feed_letter *letter)
{
	struct again *again = context;

	if (letter->incident && again->incident_count < 64)
		again->incidents[again->incident_count++] = strtoull(letter->ref, NULL, 10);
	else if (!letter->incident)
		again->refs[again->count++] = dt_arena_strdup(&again->batch->arena, letter->ref);
	return true;
}

/* What was rejected and shall be tried again. */
static enum dt_status take_letters(struct dt_deliver *deliver, struct dt_error *err)
{
	struct dt_batch *batch = &deliver->batch;
	struct again again = { .batch = batch, .refs = DT_ARENA_ARRAY(&batch->arena, batch->room, const char *) };
	enum dt_status status;

	if (!again.refs)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	status = dt_store_feed_dead(deliver->store, deliver->feed, true, batch->room, take_letter, &again, err);
	for (size_t i = 0; i < again.count && status == DT_OK; i++) {
		bool fresh;
		struct dt_item *item = again.refs[i] ? dt_batch_item(batch, again.refs[i], &fresh) : NULL;
		if (!item)
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
		if (fresh)
			status = dt_deliver_crash(deliver, item, err);
	}
	for (size_t i = 0; i < again.incident_count && status == DT_OK; i++)
		status = dt_deliver_incident_again(deliver, again.incidents[i], err);
	return status;
}

static void begin_batch(struct dt_deliver *deliver)
{
	struct dt_batch *batch = &deliver->batch;

	/* A step that failed may have left some under way. */
	dt_deliver_pass_on(deliver);
	deliver->asked_count = 0;
	if (deliver->encoders)
		dt_encoders_begin(deliver->encoders);
	dt_arena_reset(&batch->arena);
	memset(batch->slots, 0, batch->slot_count * sizeof(*batch->slots));
	batch->item_count = batch->event_count = batch->row_count = 0;
}

/* Whether a row of the outbox needs no more thought. */
static bool settled(const struct dt_item *item)
{
	return item->state != DT_ITEM_EVENT || item->event->result != DT_SINK_RETRY;
}

struct lists {
	struct dt_feed_letter *sent, *dead;
	struct dt_feed_incident *incidents;
	const char **gone;
	size_t sent_count, dead_count, incident_count, gone_count;
};

static void sort_item(const struct dt_item *item, struct lists *lists, struct dt_deliver_report *report)
{
	const struct dt_sink_event *event = item->state == DT_ITEM_EVENT ? item->event : NULL;

	if (item->state == DT_ITEM_GONE)
		lists->gone[lists->gone_count++] = item->ref;
	if (item->state == DT_ITEM_BAD)
		lists->dead[lists->dead_count++] = (struct dt_feed_letter){ .ref = item->ref, .event = "", .reason = item->reason ? item->reason : "no memory" };
	if (event && event->result == DT_SINK_REJECTED)
		lists->dead[lists->dead_count++] = (struct dt_feed_letter){ .incident = item->incident, .ref = item->ref, .event = event->id, .reason = event->reason };
	if (event && event->result == DT_SINK_ACCEPTED)
		lists->sent[lists->sent_count++] = (struct dt_feed_letter){ .incident = item->incident, .ref = item->ref, .event = event->id };
	report->again += event && event->result == DT_SINK_RETRY;
	if (item->incident && settled(item))
		lists->incidents[lists->incident_count++] = item->kept;
}

static enum dt_status keep(struct dt_deliver *deliver, struct dt_deliver_report *report, struct dt_error *err)
{
	struct dt_batch *batch = &deliver->batch;
	size_t room = batch->item_count + 1;
	struct lists lists = { DT_ARENA_ARRAY(&batch->arena, room, struct dt_feed_letter), DT_ARENA_ARRAY(&batch->arena, room, struct dt_feed_letter),
		               DT_ARENA_ARRAY(&batch->arena, room, struct dt_feed_incident), DT_ARENA_ARRAY(&batch->arena, room, const char *), 0, 0, 0, 0 };

	if (batch->arena.failed)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < batch->item_count; i++) {
		sort_item(&batch->items[i], &lists, report);
		/* Looked at again with the next step, not only in a minute. */
		deliver->reviewed &= !batch->items[i].incident || settled(&batch->items[i]);
	}
	for (size_t i = 0; i < batch->row_count; i++)
		batch->rows[i].settled = batch->row_items[i] == SIZE_MAX || settled(&batch->items[batch->row_items[i]]);
	report->sent = lists.sent_count;
	report->rejected = lists.dead_count;
	const struct dt_feed_outcome outcome = {
		.feed = deliver->feed, .rows = batch->rows, .row_count = batch->row_count, .complete = batch->row_count < batch->room,
		.horizon = batch->horizon, .sent = lists.sent, .sent_count = lists.sent_count, .dead = lists.dead, .dead_count = lists.dead_count,
		.incidents = lists.incidents, .incident_count = lists.incident_count, .gone = lists.gone, .gone_count = lists.gone_count,
	};
	return dt_store_feed_settle(deliver->store, &outcome, err);
}

/* ---- waiting ---------------------------------------------------------------------------- */

/* Doubling, and between a half and the whole of it: many feeds that lost one receiver do not come back at the same moment. */
static unsigned back_off(struct dt_deliver *deliver, unsigned retry_after_s)
{
	unsigned shift = deliver->failures < 8 ? deliver->failures : 8, most = (unsigned)FIRST_MS << shift;

	if (most > LAST_MS)
		most = LAST_MS;
	deliver->random ^= deliver->random << 13;
	deliver->random ^= deliver->random >> 7;
	deliver->random ^= deliver->random << 17;
	unsigned wait = most / 2 + (unsigned)(deliver->random % (most / 2 + 1));
	return wait > retry_after_s * 1000 ? wait : retry_after_s * 1000;
}

/* A problem is logged whenever it comes, a note once. */
static void tell(struct dt_deliver *deliver, const char *problem, const char *note)
{
	bool news = strcmp(note, deliver->note) != 0;
	struct dt_error err;

	if (*problem || (*note && news))
		dt_log(DT_LOG_WARNING, "feed", NULL, "%s: %s", deliver->name, *problem ? problem : note);
	if (!*problem && !deliver->told && !news)
		return;
	enum dt_status status = *problem ? dt_store_feed_error(deliver->store, deliver->feed, problem, &err)
	                                 : dt_store_feed_note(deliver->store, deliver->feed, *note ? note : NULL, &err);
	if (status != DT_OK)
		return;
	deliver->told = *problem != '\0';
	snprintf(deliver->note, sizeof(deliver->note), "%s", *problem ? "" : note);
}

/* Reads one state of the store, in one transaction. */
static enum dt_status take_changes(struct dt_deliver *deliver, struct dt_error *err)
{
	enum dt_status status = dt_store_read_begin(deliver->store, err);

	if (status == DT_OK)
		status = take_rows(deliver, err);
	if (status == DT_OK)
		status = take_letters(deliver, err);
	if (status == DT_OK)
		status = dt_deliver_asked(deliver, err);
	return dt_store_read_end(deliver->store, status, err);
}

static enum dt_status deliver_batch(struct dt_deliver *deliver, struct dt_deliver_report *report, struct dt_error *err)
{
	struct dt_batch *batch = &deliver->batch;
	struct dt_sink_report sink = { 0 };
	enum dt_status status;

	begin_batch(deliver);
	status = take_changes(deliver, err);
	if (status == DT_OK)
		status = dt_deliver_crashes_made(deliver, err);
	if (status == DT_OK)
		status = dt_deliver_incidents(deliver, err);
	report->taken = batch->row_count + batch->item_count;
	if (status != DT_OK || (!batch->row_count && !batch->item_count))
		return status;
	dt_kill_point("feed-before-send");
	if (batch->event_count)
		dt_sink_send(deliver->sink, batch->events, batch->event_count, &sink);
	dt_kill_point("feed-after-send");
	status = keep(deliver, report, err);
	if (status != DT_OK)
		return status;
	snprintf(report->problem, sizeof(report->problem), "%s", sink.problem);
	if (report->again || sink.retry_after_s) {
		deliver->failures = report->sent || report->rejected ? 0 : deliver->failures + 1;
		report->wait_ms = back_off(deliver, sink.retry_after_s);
	} else {
		deliver->failures = 0;
	}
	/* Where nothing was sent, what is known of the receiver stays. */
	tell(deliver, report->problem, batch->event_count ? sink.note : deliver->note);
	return DT_OK;
}

/* Once a day somebody sweeps the outbox: a feed that has nothing else to do. That it could not be done costs only room. */
static void sweep(struct dt_deliver *deliver)
{
	int64_t now = dt_time_steady_ms();
	struct dt_error err;
	uint64_t removed;
	bool due = false;

	if (deliver->swept_ms && now - deliver->swept_ms < SWEEP_LOOK_MS)
		return;
	deliver->swept_ms = now;
	enum dt_status status = dt_store_outbox_sweep_due(deliver->store, &due, &err);
	if (status == DT_OK && due)
		status = dt_store_outbox_sweep(deliver->store, &removed, &err);
	if (status != DT_OK)
		dt_log(DT_LOG_WARNING, "feed-store", NULL, "changes that are told are not dropped yet: %s", err.text);
	else if (due && removed)
		dt_log(DT_LOG_INFO, "feed-store", NULL, "%llu %s dropped, each with a later one behind it", (unsigned long long)removed,
		       dt_text_plural(removed, "change", "changes"));
}

enum dt_status dt_deliver_step(struct dt_deliver *deliver, struct dt_deliver_report *report, struct dt_error *err)
{
	enum dt_status status = DT_OK;

	memset(report, 0, sizeof(*report));
	if (!deliver->store)
		status = open_store(deliver, false, NULL, err);
	if (status == DT_OK)
		status = deliver_batch(deliver, report, err);
	if (status == DT_OK && !report->taken)
		sweep(deliver);
	if (status == DT_ERR_NOT_FOUND)
		(void)dt_fail(err, status, "the feed was removed; it begins anew with what changes from now on");
	else if (status != DT_ERR_IO)
		return status;
	/* The database is locked, or away: it comes back. What was sent and could not be kept is sent again, and does not count. */
	report->sent = report->rejected = report->again = 0;
	dt_log(DT_LOG_WARNING, "feed-store", NULL, "%s", err->text);
	snprintf(report->problem, sizeof(report->problem), "%.239s", err->text);
	dt_store_close(deliver->store);
	deliver->store = NULL;
	deliver->failures++;
	report->wait_ms = back_off(deliver, 0);
	return DT_OK;
}

struct own_backlog {
	uint64_t feed;
	struct dt_deliver_backlog *out;
	bool found;
};

static bool take_backlog(void *context, const struct dt_feed *feed)
{
	struct own_backlog *own = context;

	if (feed->id != own->feed)
		return true;
	*own->out = (struct dt_deliver_backlog){ .changes = feed->owed, .incidents = feed->incidents, .dead = feed->dead };
	own->found = true;
	return false;
}

bool dt_deliver_backlog(struct dt_deliver *deliver, struct dt_deliver_backlog *out)
{
	struct own_backlog own = { .feed = deliver->feed, .out = out };
	struct dt_error err;

	return deliver->store && dt_store_feeds(deliver->store, take_backlog, &own, &err) == DT_OK && own.found;
}

void dt_deliver_wait(struct dt_deliver *deliver, int timeout_ms)
{
	if (deliver->store)
		dt_store_wait(deliver->store, timeout_ms);
	else
		nanosleep(&(struct timespec){ timeout_ms / 1000, timeout_ms % 1000 * 1000000L }, NULL);
}

void dt_deliver_reopen(struct dt_deliver *deliver)
{
	dt_sink_reopen(deliver->sink);
}

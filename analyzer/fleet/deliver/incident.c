/*
 * Which incidents are due: on a change of their state, and on each doubling of their hosts; at most once a minute. An incident of one host that no
 * signature knows is a crash, of which there is an event already; families are only told of as outbreaks, the crashes' own groups speak for
 * them otherwise.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"
#include "fleet/deliver/batch.h"
#include "fleet/review/review.h"
#include "report/event.h"
#include "report/incident_event.h"

enum { MINUTE_MS = 60000, MAX_AT_ONCE = 1000, REVIEW_BYTES = 512 << 20, OVER_S = 14 * 86400 };

static const char *const kinds[DT_INCIDENT_KINDS] = { "fleet", "signature", "own", "family" };

struct flagged {
	struct dt_feed_incident items[MAX_AT_ONCE];
	size_t count;
};

static bool take(void *context, const struct dt_feed_incident *incident)
{
	struct flagged *flagged = context;

	flagged->items[flagged->count++] = *incident;
	return flagged->count < MAX_AT_ONCE;
}

static void view(const struct dt_review_incident *in, struct dt_report_incident *out)
{
	*out = (struct dt_report_incident){
		.id = in->stored.id, .kind = kinds[in->stored.kind], .key = in->stored.key, .title = in->stored.title,
		.state = dt_incident_state_words[in->status.state], .reason = in->status.reason, .outbreak = in->outbreak, .hosts = in->stored.hosts,
		.crashes = in->stored.crashes, .unknown_hosts = in->stored.unknown_hosts, .untimed = in->stored.untimed,
		.suspect_hosts = in->suspect_hosts, .first = in->stored.first, .last = in->stored.last,
	};
}

static bool tellable(const struct dt_review_incident *incident)
{
	switch (incident->stored.kind) {
	case DT_INCIDENT_SIGNATURE: return true;
	case DT_INCIDENT_OWN: return incident->outbreak || incident->stored.hosts > 1;
	case DT_INCIDENT_FAMILY: return incident->outbreak;
	default: return false;
	}
}

/* A webhook wakes somebody: what goes on as before, or is over, does not. */
static bool wakes(const char *state)
{
	return !strcmp(state, "new") || !strcmp(state, "growing") || !strcmp(state, "outbreak");
}

static bool due(const struct dt_deliver *deliver, const struct dt_feed_incident *sent, const struct dt_review_incident *incident, const char *state)
{
	bool changed = strcmp(sent->state, state) != 0;

	/* What is over, and was never told of, is no news. */
	if (!tellable(incident) || (!sent->state[0] && !strcmp(state, "over")) || (deliver->sink->scheme->incidents_only && !(changed && wakes(state))))
		return false;
	return changed || (sent->hosts && incident->stored.hosts >= 2 * sent->hosts);
}

static unsigned doublings(uint64_t hosts)
{
	unsigned n = 0;

	while (hosts >>= 1)
		n++;
	return n;
}

/* When the last one was sent is part of the name: what comes back after a while is another event, a resend is the same. */
static void name_event(struct dt_deliver *deliver, const struct dt_feed_incident *sent, const struct dt_report_incident *incident, char id[37])
{
	struct dt_arena *arena = &deliver->batch.arena;

	dt_event_uuid(dt_arena_printf(arena, "incident|%s|%s|%s|%u|%llu|%s", incident->kind, incident->key, dt_incident_event_state(incident),
	                              doublings(incident->hosts), (unsigned long long)sent->at, deliver->encoding->name), arena, id);
}

static enum dt_status make_event(struct dt_deliver *deliver, struct dt_item *item, const struct dt_report_incident *incident, struct dt_error *err)
{
	char id[37];
	struct dt_incident_event event = { .incident = incident, .id = id, .now = dt_time_now(), .first = !item->before.state[0],
		                           .unmasked = deliver->options.unmasked, .name_space = deliver->options.sink.name_space,
		                           .server = deliver->options.server };
	enum dt_status status = DT_OK;

	name_event(deliver, &item->before, incident, id);
	dt_buf_reset(&deliver->text);
	if (deliver->encoding->incident)
		deliver->encoding->incident(&event, &deliver->text);
	else
		status = dt_incident_event_template(&event, deliver->options.template, &deliver->text, err);
	if (status != DT_OK)
		return status;
	item->event = dt_batch_event(&deliver->batch, &deliver->text);
	if (!item->event)
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the events of one batch; a smaller --batch needs less");
	item->event->id = dt_arena_strdup(&deliver->batch.arena, id);
	item->event->incident = true;
	item->event->time = item->event->created = event.now;
	item->event->severity = dt_incident_event_severity(incident);
	item->state = DT_ITEM_EVENT;
	return DT_OK;
}

static enum dt_status look(struct dt_deliver *deliver, const struct dt_feed_incident *sent, const struct dt_review *review, bool again,
                           struct dt_error *err)
{
	const struct dt_review_incident *found = NULL;
	struct dt_report_incident incident;
	char ref[24];

	snprintf(ref, sizeof(ref), "%llu", (unsigned long long)sent->incident);
	struct dt_item *item = dt_batch_add(&deliver->batch, ref, true);
	if (!item)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	item->before = item->kept = *sent;
	item->kept.owed = false;
	for (size_t i = 0; i < review->count && !found; i++)
		if (review->incidents[i].stored.id == sent->incident)
			found = &review->incidents[i];
	if (!found)
		return DT_OK;
	view(found, &incident);
	const char *state = dt_incident_event_state(&incident);
	if (!again && !due(deliver, sent, found, state))
		return DT_OK;
	snprintf(item->kept.state, sizeof(item->kept.state), "%s", state);
	item->kept.hosts = incident.hosts;
	item->kept.at = dt_time_now();
	return make_event(deliver, item, &incident, err);
}

static bool take_stored(void *context, const struct dt_stored_incident *row)
{
	struct dt_review_incident *out = context;

	out->stored.kind = row->kind;
	out->stored.hosts = row->hosts;
	out->stored.last = row->last;
	return false;
}

static bool in_review(const struct dt_review *review, uint64_t id)
{
	for (size_t i = 0; i < review->count; i++)
		if (review->incidents[i].stored.id == id)
			return true;
	return false;
}

/* Whether there is anything to tell of one that is older, or smaller, than what a review of the fleet looks at. */
static enum dt_status worth_a_look(struct dt_deliver *deliver, const struct dt_feed_incident *sent, int64_t now, bool *worth, struct dt_error *err)
{
	struct dt_review_incident row = { 0 };
	enum dt_status status = dt_store_incidents(deliver->store, &(struct dt_store_incident_query){ .id = sent->incident, .limit = 1 }, take_stored, &row, err);

	bool past = now - row.stored.last > OVER_S && !sent->state[0];
	*worth = status == DT_OK && tellable(&row) && !past;
	return status;
}

/* Those are reviewed together: each review reads the hours of the whole fleet. */
static enum dt_status look_at_rest(struct dt_deliver *deliver, const struct flagged *rest, int64_t now, struct dt_error *err)
{
	struct dt_review review = { 0 };
	uint64_t ids[MAX_AT_ONCE];
	size_t count = 0;
	struct dt_arena arena;
	enum dt_status status = DT_OK;

	for (size_t i = 0; i < rest->count && status == DT_OK; i++) {
		bool worth;
		status = worth_a_look(deliver, &rest->items[i], now, &worth, err);
		if (worth)
			ids[count++] = rest->items[i].incident;
	}
	dt_arena_init(&arena, REVIEW_BYTES);
	if (status == DT_OK && count)
		status = dt_review_make(deliver->store, &(struct dt_review_options){ .ids = ids, .id_count = count, .now = dt_some((uint64_t)now), .hosts = 1 }, &arena, &review, err);
	for (size_t i = 0; i < rest->count && status == DT_OK; i++)
		status = look(deliver, &rest->items[i], &review, false, err);
	dt_arena_deinit(&arena);
	return status;
}

/* The states as of now, kept in the store, so that everybody sees the same. */
static enum dt_status review_fleet(struct dt_deliver *deliver, struct dt_arena *arena, struct dt_review *review, struct dt_error *err)
{
	enum dt_status status = dt_review_make(deliver->store, &(struct dt_review_options){ 0 }, arena, review, err);

	return status == DT_OK ? dt_review_mark(deliver->store, review, err) : status;
}

enum dt_status dt_deliver_incidents(struct dt_deliver *deliver, struct dt_error *err)
{
	struct flagged *flagged = DT_ARENA_NEW(&deliver->batch.arena, struct flagged), *rest = DT_ARENA_NEW(&deliver->batch.arena, struct flagged);
	uint64_t minute_ago = dt_time_now() - 60 * DT_TIME_SECOND;
	struct dt_review review = { 0 };
	struct dt_arena arena;
	enum dt_status status;

	/* Behind the crashes it is made of; when those do not end, once a minute all the same. */
	bool late = dt_time_steady_ms() - deliver->reviewed_ms >= MINUTE_MS;
	if (!late && (deliver->reviewed || deliver->batch.row_count))
		return DT_OK;
	status = flagged && rest ? dt_store_feed_incidents(deliver->store, deliver->feed, minute_ago, take, flagged, err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (status != DT_OK || !flagged->count)
		return status;
	dt_arena_init(&arena, REVIEW_BYTES);
	status = review_fleet(deliver, &arena, &review, err);
	for (size_t i = 0; i < flagged->count && status == DT_OK; i++)
		if (in_review(&review, flagged->items[i].incident))
			status = look(deliver, &flagged->items[i], &review, false, err);
		else
			rest->items[rest->count++] = flagged->items[i];
	if (status == DT_OK)
		status = look_at_rest(deliver, rest, review.now, err);
	dt_arena_deinit(&arena);
	/* More than one look takes: the rest comes with the next step. */
	if (flagged->count < MAX_AT_ONCE) {
		deliver->reviewed_ms = dt_time_steady_ms();
		deliver->reviewed = true;
	}
	return status;
}

enum dt_status dt_deliver_incident_again(struct dt_deliver *deliver, uint64_t id, struct dt_error *err)
{
	struct dt_review review = { 0 };
	struct dt_arena arena;

	dt_arena_init(&arena, REVIEW_BYTES);
	enum dt_status status = dt_review_make(deliver->store, &(struct dt_review_options){ .id = id }, &arena, &review, err);
	if (status == DT_OK)
		status = look(deliver, &(struct dt_feed_incident){ .incident = id }, &review, true, err);
	dt_arena_deinit(&arena);
	return status;
}

#include "fleet/review/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"

enum { LIMIT = 500, MAX_HOSTS = 1024, MAX_CRASHES = 512, MAX_FAMILIES = 64, WEEK_S = 7 * 86400 };

/* ---- rows into the arena ----------------------------------------------------- */

struct collect {
	struct dt_arena *arena;
	void *items;
	size_t count, room, size, max;
};

static void *collect_new(struct collect *collect)
{
	if (collect->count == collect->max)
		return NULL;
	if (collect->count == collect->room) {
		size_t room = collect->room ? collect->room * 2 : 64;
		void *more = dt_arena_array(collect->arena, room, collect->size);
		if (!more)
			return NULL;
		if (collect->count)
			memcpy(more, collect->items, collect->count * collect->size);
		collect->items = more;
		collect->room = room;
	}
	return (char *)collect->items + collect->count++ * collect->size;
}

static bool take_hour(void *context, const struct dt_stored_detail *row)
{
	struct dt_hour *hour = collect_new(context);

	if (hour)
		*hour = (struct dt_hour){ row->a, (uint32_t)row->b, (uint32_t)row->c };
	return hour != NULL;
}

enum dt_status dt_review_series(struct dt_store *store, uint64_t incident, struct dt_arena *arena, struct dt_series *out, struct dt_error *err)
{
	struct collect hours = { .arena = arena, .size = sizeof(struct dt_hour), .max = SIZE_MAX };
	enum dt_status status = dt_store_detail(store, incident, DT_STORE_HOURS, 0, take_hour, &hours, err);

	*out = (struct dt_series){ hours.items, hours.count };
	return status == DT_OK && arena->failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : status;
}

static void copy_incident(struct dt_arena *arena, const struct dt_stored_incident *row, struct dt_stored_incident *out)
{
	*out = *row;
	out->key = dt_arena_strdup(arena, row->key);
	out->title = dt_arena_strdup(arena, row->title);
	out->state = dt_arena_strdup(arena, row->state);
}

struct fleet_row {
	struct dt_arena *arena;
	struct dt_stored_incident *out;
};

static bool take_fleet(void *context, const struct dt_stored_incident *row)
{
	struct fleet_row *fleet = context;

	copy_incident(fleet->arena, row, fleet->out);
	return false;
}

static bool take_incident(void *context, const struct dt_stored_incident *row)
{
	struct collect *collect = context;
	struct dt_review_incident *incident;

	for (size_t i = 0; i < collect->count; i++)
		if (((struct dt_review_incident *)collect->items)[i].stored.id == row->id)
			return true;
	incident = collect_new(collect);
	if (incident)
		copy_incident(collect->arena, row, &incident->stored);
	return incident != NULL;
}

static bool take_family(void *context, const struct dt_stored_detail *row)
{
	struct collect *collect = context;
	const char **family = row->text ? collect_new(collect) : NULL;

	if (family)
		*family = dt_arena_strdup(collect->arena, row->text);
	return family != NULL;
}

/* ---- hosts --------------------------------------------------------------------- */

static bool take_host(void *context, const struct dt_stored_detail *row)
{
	struct collect *collect = context;
	struct dt_review_host *host = collect_new(collect);

	if (host)
		*host = (struct dt_review_host){ .id = (uint64_t)row->a, .name = dt_arena_strdup(collect->arena, row->text) };
	return host != NULL;
}

/* A crash of a host that may be suspect, with the groups it is in. */
struct suspect_crash {
	struct dt_host_crash row;
	const char *own, *signatures;
};

struct suspect {
	struct suspect_crash *crashes;
	size_t count;
};

static bool take_crash(void *context, const struct dt_stored *row)
{
	struct collect *collect = context;
	/* Applications crash in many ways on sound hardware. */
	bool kernel = row->family && strncmp(row->family, "u:", 2) != 0;
	struct suspect_crash *crash = kernel && row->time_ok && row->time > DT_TIME_UNIX_EPOCH ? collect_new(collect) : NULL;

	if (crash)
		*crash = (struct suspect_crash){
			.row = {
				.time = dt_time_to_unix(row->time),
				.family = dt_arena_strdup(collect->arena, row->family),
				.known_incident = row->class == DT_CLASS_KNOWN_INCIDENT,
				.hardware_sign = row->class == DT_CLASS_HARDWARE,
			},
			.own = dt_arena_strdup(collect->arena, row->own),
			.signatures = dt_arena_strdup(collect->arena, row->signatures),
		};
	return collect->count < collect->max;
}

static int by_time(const void *left, const void *right)
{
	const struct suspect_crash *a = left, *b = right;

	return a->row.time < b->row.time ? -1 : a->row.time > b->row.time;
}

static bool take_time(void *context, const struct dt_stored_detail *row)
{
	int64_t *time = row->a ? collect_new(context) : NULL;

	if (time)
		*time = row->a;
	return true;
}

/* Most hosts with several families had them over years: three crashes within a week are needed for a pattern. */
static enum dt_status crashes_come_close(struct dt_store *store, uint64_t fleet, uint64_t host, struct dt_arena *scratch, bool *close,
                                         struct dt_error *err)
{
	struct collect times = { .arena = scratch, .size = sizeof(int64_t), .max = MAX_CRASHES };
	enum dt_status status = dt_store_detail(store, fleet, DT_STORE_HOST_TIMES, host, take_time, &times, err);
	const int64_t *at = times.items;

	*close = false;
	for (size_t i = 2; i < times.count && !*close; i++)
		*close = at[i] - at[i - 2] <= WEEK_S;
	return status;
}

static enum dt_status look_at_host(struct dt_store *store, const struct dt_review *review, struct dt_review_host *host, struct suspect *suspect,
                                   struct dt_arena *arena, struct dt_error *err)
{
	struct collect crashes = { .arena = arena, .size = sizeof(struct suspect_crash), .max = MAX_CRASHES };
	const struct dt_store_query query = { .host = host->name, .incident = review->fleet.id, .newest = true, .limit = MAX_CRASHES };
	enum dt_status status = dt_store_each(store, &query, take_crash, &crashes, err);
	struct dt_host_crash *rows = DT_ARENA_ARRAY(arena, crashes.count + 1, struct dt_host_crash);

	if (status != DT_OK || !rows)
		return status != DT_OK ? status : dt_fail(err, DT_ERR_NOMEM, "no memory");
	*suspect = (struct suspect){ crashes.items, crashes.count };
	if (crashes.count)
		qsort(crashes.items, crashes.count, sizeof(struct suspect_crash), by_time);
	for (size_t i = 0; i < crashes.count; i++)
		rows[i] = suspect->crashes[i].row;
	host->pattern = dt_host_pattern(rows, crashes.count);
	return DT_OK;
}

static enum dt_status find_suspects(struct dt_store *store, size_t limit, struct dt_arena *arena, struct dt_review *out,
                                    struct suspect **suspects, struct dt_error *err)
{
	struct collect hosts = { .arena = arena, .size = sizeof(struct dt_review_host), .max = limit };
	struct dt_arena scratch;
	enum dt_status status = dt_store_detail(store, 0, DT_STORE_PATTERN_HOSTS, 0, take_host, &hosts, err);

	out->hosts = hosts.items;
	*suspects = DT_ARENA_ARRAY(arena, hosts.count + 1, struct suspect);
	if (status == DT_OK && !*suspects)
		status = dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_arena_init(&scratch, 1u << 20);
	for (size_t i = 0; i < hosts.count && status == DT_OK; i++) {
		struct dt_review_host host = out->hosts[i];
		bool close;
		dt_arena_reset(&scratch);
		status = crashes_come_close(store, out->fleet.id, host.id, &scratch, &close, err);
		if (status == DT_OK && close)
			status = look_at_host(store, out, &host, &(*suspects)[out->host_count], arena, err);
		if (status == DT_OK && close && host.pattern.suspect)
			out->hosts[out->host_count++] = host;
	}
	dt_arena_deinit(&scratch);
	return status;
}

/* ---- one incident ---------------------------------------------------------------- */

static int by_hour(const void *left, const void *right)
{
	const struct dt_hour *a = left, *b = right;

	return a->hour < b->hour ? -1 : a->hour > b->hour;
}

static bool is_in(const struct suspect_crash *crash, const struct dt_stored_incident *incident)
{
	char word[160];

	switch (incident->kind) {
	case DT_INCIDENT_OWN:
		return crash->own && !strcmp(crash->own, incident->key);
	case DT_INCIDENT_FAMILY:
		return !strcmp(crash->row.family, incident->key);
	default:
		snprintf(word, sizeof(word), " %.150s ", incident->key);
		return crash->signatures && strstr(crash->signatures, word);
	}
}

/* The onsets of suspect hosts in an incident, by hour. */
static enum dt_status suspect_series(const struct dt_review *review, const struct suspect *suspects, struct dt_review_incident *incident,
                                     struct dt_arena *arena, struct dt_series *out, struct dt_error *err)
{
	struct collect hours = { .arena = arena, .size = sizeof(struct dt_hour), .max = SIZE_MAX };
	int64_t times[MAX_CRASHES], onsets[MAX_CRASHES];
	struct dt_hour *all;
	size_t n = 0;

	for (size_t i = 0; i < review->host_count; i++) {
		size_t count = 0;
		for (size_t k = 0; k < suspects[i].count && k < MAX_CRASHES; k++)
			if (is_in(&suspects[i].crashes[k], &incident->stored))
				times[count++] = suspects[i].crashes[k].row.time;
		incident->suspect_hosts += count > 0;
		count = dt_episodes(times, count, onsets);
		for (size_t k = 0; k < count; k++) {
			struct dt_hour *hour = collect_new(&hours);
			if (hour)
				*hour = (struct dt_hour){ onsets[k], 0, 1 };
		}
	}
	all = hours.items;
	if (hours.count)
		qsort(all, hours.count, sizeof(*all), by_hour);
	for (size_t i = 0; i < hours.count; i++)
		if (n && all[n - 1].hour == all[i].hour)
			all[n - 1].onsets++;
		else
			all[n++] = all[i];
	*out = (struct dt_series){ all, n };
	return arena->failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : DT_OK;
}

static enum dt_status look_at(struct dt_store *store, const struct dt_review *review, const struct suspect *suspect_hosts, struct dt_series fleet,
                              struct dt_review_incident *incident, struct dt_arena *arena, struct dt_error *err)
{
	struct collect families = { .arena = arena, .size = sizeof(const char *), .max = MAX_FAMILIES };
	struct dt_series series, suspects;
	enum dt_status status = dt_review_series(store, incident->stored.id, arena, &series, err);

	if (status == DT_OK)
		status = suspect_series(review, suspect_hosts, incident, arena, &suspects, err);
	if (status == DT_OK && incident->stored.kind != DT_INCIDENT_FAMILY)
		status = dt_store_detail(store, incident->stored.id, DT_STORE_FAMILIES, 0, take_family, &families, err);
	if (status != DT_OK)
		return status;
	incident->families = families.items;
	incident->family_count = families.count;
	if (suspects.count) {
		struct dt_hour *weighed = DT_ARENA_ARRAY(arena, series.count + 1, struct dt_hour);
		if (!weighed)
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
		dt_series_weigh(series, suspects, weighed);
		series.hours = weighed;
	}
	incident->status = dt_incident_status(series, fleet, incident->stored.first, incident->stored.last, review->now);
	return DT_OK;
}

static enum dt_status find_outbreaks(struct dt_review *review, struct dt_arena *arena, struct dt_error *err)
{
	struct dt_story *stories = DT_ARENA_ARRAY(arena, review->count + 1, struct dt_story);
	bool *parts = DT_ARENA_ARRAY(arena, review->count + 1, bool);

	if (!stories || !parts)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < review->count; i++) {
		const struct dt_review_incident *at = &review->incidents[i];
		stories[i] = (struct dt_story){ (enum dt_story_kind)at->stored.kind, at->stored.key, at->families, at->family_count, at->status.burst };
		stories[i].burst.found = at->status.outbreak;
	}
	review->outbreaks = dt_outbreaks(stories, review->count, parts);
	for (size_t i = 0; i < review->count; i++)
		review->incidents[i].outbreak = !parts[i];
	return DT_OK;
}

/* Outbreaks first, what is over last: the largest of the past would hide what began today. */
static int by_weight(const void *left, const void *right)
{
	const struct dt_review_incident *a = left, *b = right;

	if (a->outbreak != b->outbreak)
		return a->outbreak ? -1 : 1;
	if ((a->status.state == DT_STATE_OVER) != (b->status.state == DT_STATE_OVER))
		return a->status.state == DT_STATE_OVER ? 1 : -1;
	if (a->stored.hosts != b->stored.hosts)
		return a->stored.hosts > b->stored.hosts ? -1 : 1;
	if (a->stored.crashes != b->stored.crashes)
		return a->stored.crashes > b->stored.crashes ? -1 : 1;
	if (a->stored.kind != b->stored.kind)
		return a->stored.kind < b->stored.kind ? -1 : 1;
	return strcmp(a->stored.key, b->stored.key);
}

/* The incidents that are looked at: those named, or the largest, and recent ones even when older ones are larger. */
static enum dt_status find_incidents(struct dt_store *store, const struct dt_review_options *options, size_t limit, int64_t now,
                                     struct collect *incidents, struct dt_error *err)
{
	struct dt_store_incident_query query = { .id = options->id, .kind = options->kind, .limit = limit };
	enum dt_status status = DT_OK;

	for (size_t i = 0; i < options->id_count && status == DT_OK; i++) {
		query.id = options->ids[i];
		status = dt_store_incidents(store, &query, take_incident, incidents, err);
	}
	if (options->ids)
		return status;
	status = dt_store_incidents(store, &query, take_incident, incidents, err);
	query.since = now - 14 * 86400;
	if (status == DT_OK && !options->id)
		status = dt_store_incidents(store, &query, take_incident, incidents, err);
	return status;
}

enum dt_status dt_review_make(struct dt_store *store, const struct dt_review_options *options, struct dt_arena *arena, struct dt_review *out,
                              struct dt_error *err)
{
	size_t limit = options->limit ? options->limit : options->ids ? options->id_count : LIMIT;
	struct collect incidents = { .arena = arena, .size = sizeof(struct dt_review_incident), .max = 2 * limit };
	struct fleet_row fleet_row = { arena, &out->fleet };
	struct dt_series fleet = { 0 };
	struct suspect *suspects = NULL;
	enum dt_status status;

	memset(out, 0, sizeof(*out));
	status = dt_store_incidents(store, &(struct dt_store_incident_query){ .fleet = true }, take_fleet, &fleet_row, err);
	out->now = options->now.known ? (int64_t)options->now.value : out->fleet.last;
	if (status == DT_OK)
		status = find_incidents(store, options, limit, out->now, &incidents, err);
	out->incidents = incidents.items;
	out->count = incidents.count;
	if (status == DT_OK && out->fleet.id)
		status = dt_review_series(store, out->fleet.id, arena, &fleet, err);
	if (status == DT_OK && out->fleet.id)
		status = find_suspects(store, options->hosts ? options->hosts : MAX_HOSTS, arena, out, &suspects, err);
	for (size_t i = 0; i < out->count && status == DT_OK; i++)
		status = look_at(store, out, suspects, fleet, &out->incidents[i], arena, err);
	if (status == DT_OK)
		status = find_outbreaks(out, arena, err);
	if (status == DT_OK && arena->failed)
		status = dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (status == DT_OK && out->count)
		qsort(out->incidents, out->count, sizeof(*out->incidents), by_weight);
	return status;
}

enum dt_status dt_review_mark(struct dt_store *store, const struct dt_review *review, struct dt_error *err)
{
	struct dt_store_state *states = calloc(review->count + 1, sizeof(*states));
	size_t count = 0;

	if (!states)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < review->count; i++) {
		const struct dt_review_incident *incident = &review->incidents[i];
		const char *word = incident->outbreak ? "outbreak" : dt_incident_state_words[incident->status.state];
		if (!incident->stored.state || strcmp(incident->stored.state, word) != 0)
			states[count++] = (struct dt_store_state){ incident->stored.id, word };
	}
	enum dt_status status = dt_store_mark(store, states, count, err);
	free(states);
	return status;
}

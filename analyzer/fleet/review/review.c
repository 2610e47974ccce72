#include "fleet/review/review.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"

enum { LIMIT = 500, MAX_HOSTS = 4096, MAX_CRASHES = 512, MAX_FAMILIES = 64 };

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

static const char *copy(struct dt_arena *arena, const char *text)
{
	return text ? dt_arena_strdup(arena, text) : NULL;
}

static void copy_incident(struct dt_arena *arena, const struct dt_stored_incident *row, struct dt_stored_incident *out)
{
	*out = *row;
	out->key = copy(arena, row->key);
	out->title = copy(arena, row->title);
	out->state = copy(arena, row->state);
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
		*family = copy(collect->arena, row->text);
	return family != NULL;
}

/* ---- hosts --------------------------------------------------------------------- */

static bool take_host(void *context, const struct dt_stored_detail *row)
{
	struct collect *collect = context;
	struct dt_review_host *host = collect_new(collect);

	if (host)
		*host = (struct dt_review_host){ .id = (uint64_t)row->a, .name = copy(collect->arena, row->text) };
	return host != NULL;
}

static bool take_crash(void *context, const struct dt_stored *row)
{
	struct collect *collect = context;
	/* Applications crash in many ways on sound hardware. */
	bool kernel = row->family && strncmp(row->family, "u:", 2) != 0;
	struct dt_host_crash *crash = kernel && row->time_ok && row->time > DT_TIME_UNIX_EPOCH ? collect_new(collect) : NULL;

	if (crash)
		*crash = (struct dt_host_crash){
			.time = (int64_t)((row->time - DT_TIME_UNIX_EPOCH) / DT_TIME_SECOND),
			.family = copy(collect->arena, row->family),
			.known_incident = row->class == DT_CLASS_KNOWN_INCIDENT,
			.hardware_sign = row->class == DT_CLASS_HARDWARE,
		};
	return collect->count < collect->max;
}

static int by_time(const void *left, const void *right)
{
	const struct dt_host_crash *a = left, *b = right;

	return a->time < b->time ? -1 : a->time > b->time;
}

static enum dt_status find_suspects(struct dt_store *store, struct dt_arena *arena, struct dt_review *out, struct dt_error *err)
{
	struct collect hosts = { .arena = arena, .size = sizeof(struct dt_review_host), .max = MAX_HOSTS };
	enum dt_status status = dt_store_detail(store, 0, DT_STORE_PATTERN_HOSTS, 0, take_host, &hosts, err);

	out->hosts = hosts.items;
	for (size_t i = 0; i < hosts.count && status == DT_OK; i++) {
		struct collect crashes = { .arena = arena, .size = sizeof(struct dt_host_crash), .max = MAX_CRASHES };
		struct dt_review_host *host = &out->hosts[i];
		status = dt_store_each(store, &(struct dt_store_query){ .host = host->name, .incident = out->fleet.id, .newest = true, .limit = MAX_CRASHES },
		                       take_crash, &crashes, err);
		if (crashes.count)
			qsort(crashes.items, crashes.count, sizeof(struct dt_host_crash), by_time);
		host->pattern = dt_host_pattern(crashes.items, crashes.count);
		if (host->pattern.suspect)
			out->hosts[out->host_count++] = *host;
	}
	return status;
}

/* ---- one incident ---------------------------------------------------------------- */

static bool take_time(void *context, const struct dt_stored_detail *row)
{
	int64_t *time = collect_new(context);

	if (time)
		*time = row->a;
	return time != NULL;
}

static int by_hour(const void *left, const void *right)
{
	const struct dt_hour *a = left, *b = right;

	return a->hour < b->hour ? -1 : a->hour > b->hour;
}

/* The onsets of suspect hosts in an incident, by hour. */
static enum dt_status suspect_series(struct dt_store *store, const struct dt_review *review, struct dt_review_incident *incident,
                                     struct dt_arena *arena, struct dt_series *out, struct dt_error *err)
{
	struct collect hours = { .arena = arena, .size = sizeof(struct dt_hour), .max = SIZE_MAX };
	struct dt_hour *all;
	size_t n = 0;

	for (size_t i = 0; i < review->host_count; i++) {
		struct collect times = { .arena = arena, .size = sizeof(int64_t), .max = SIZE_MAX };
		enum dt_status status = dt_store_detail(store, incident->stored.id, DT_STORE_HOST_TIMES, review->hosts[i].id, take_time, &times, err);
		if (status != DT_OK)
			return status;
		incident->suspect_hosts += times.count > 0;
		int64_t *timed = times.items, *onsets = DT_ARENA_ARRAY(arena, times.count + 1, int64_t);
		size_t untimed = 0;
		while (untimed < times.count && !timed[untimed])
			untimed++;
		size_t count = onsets ? dt_episodes(timed + untimed, times.count - untimed, onsets) : 0;
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
	return DT_OK;
}

static enum dt_status look_at(struct dt_store *store, const struct dt_review *review, struct dt_series fleet, struct dt_review_incident *incident,
                              struct dt_arena *arena, struct dt_error *err)
{
	struct collect families = { .arena = arena, .size = sizeof(const char *), .max = MAX_FAMILIES };
	struct dt_series series, suspects;
	enum dt_status status = dt_review_series(store, incident->stored.id, arena, &series, err);

	if (status == DT_OK)
		status = suspect_series(store, review, incident, arena, &suspects, err);
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

static int by_weight(const void *left, const void *right)
{
	const struct dt_review_incident *a = left, *b = right;

	if (a->outbreak != b->outbreak)
		return a->outbreak ? -1 : 1;
	if (a->stored.hosts != b->stored.hosts)
		return a->stored.hosts > b->stored.hosts ? -1 : 1;
	if (a->stored.crashes != b->stored.crashes)
		return a->stored.crashes > b->stored.crashes ? -1 : 1;
	if (a->stored.kind != b->stored.kind)
		return a->stored.kind < b->stored.kind ? -1 : 1;
	return strcmp(a->stored.key, b->stored.key);
}

enum dt_status dt_review_make(struct dt_store *store, const struct dt_review_options *options, struct dt_arena *arena, struct dt_review *out,
                              struct dt_error *err)
{
	size_t limit = options->limit ? options->limit : LIMIT;
	struct collect incidents = { .arena = arena, .size = sizeof(struct dt_review_incident), .max = 2 * limit };
	struct dt_store_incident_query query = { .id = options->id, .kind = options->kind, .limit = limit };
	struct fleet_row fleet_row = { arena, &out->fleet };
	struct dt_series fleet = { 0 };
	enum dt_status status;

	memset(out, 0, sizeof(*out));
	status = dt_store_incidents(store, &(struct dt_store_incident_query){ .fleet = true }, take_fleet, &fleet_row, err);
	out->now = options->now ? options->now : out->fleet.last;
	if (status == DT_OK)
		status = dt_store_incidents(store, &query, take_incident, &incidents, err);
	/* Recent ones are looked at even when older ones are larger. */
	query.since = out->now - 14 * 86400;
	if (status == DT_OK && !options->id)
		status = dt_store_incidents(store, &query, take_incident, &incidents, err);
	out->incidents = incidents.items;
	out->count = incidents.count;
	if (status == DT_OK && out->fleet.id)
		status = dt_review_series(store, out->fleet.id, arena, &fleet, err);
	if (status == DT_OK && out->fleet.id)
		status = find_suspects(store, arena, out, err);
	for (size_t i = 0; i < out->count && status == DT_OK; i++)
		status = look_at(store, out, fleet, &out->incidents[i], arena, err);
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
	enum dt_status status = DT_OK;

	for (size_t i = 0; i < review->count && status == DT_OK; i++) {
		const struct dt_review_incident *incident = &review->incidents[i];
		const char *word = incident->outbreak ? "outbreak" : dt_incident_state_words[incident->status.state];
		if (!incident->stored.state || strcmp(incident->stored.state, word) != 0)
			status = dt_store_mark(store, incident->stored.id, word, err);
	}
	return status;
}

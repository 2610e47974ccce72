/*
 * What is counted of incidents, kept true with every crash that comes or goes.
 *
 * Table members says which crashes an incident has. A host's crashes chained by less than a day are
 * one episode (incident.h); the hour of its first crash has the onset. A crash that comes or goes changes only its host's
 * episodes, so the difference of them before and after is what the hours change by: the result
 * is the same in whatever order crashes come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/incident/incident.h"
#include "fleet/store/rows.h"

/* The whole fleet is an incident too: its series is what others are measured against. */
static enum dt_status incident_id(struct dt_store *store, enum dt_incident_kind kind, const char *key, const char *title, uint64_t *id,
                                  struct dt_error *err)
{
	const char *name = dt_arena_printf(&store->work, "%d %s", (int)kind, key);
	struct dt_rows rows;
	enum dt_status status;

	if (!name)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (dt_cache_get(&store->incidents, name, id))
		return DT_OK;
	status = dt_sql_one(store->db, "SELECT id FROM incidents WHERE kind = $1 AND key = $2", DT_PARAMS(dt_p_int(kind), dt_p_text(key)),
	                    &rows, err);
	if (status == DT_ERR_NOT_FOUND) {
		dt_rows_end(&rows);
		status = dt_sql_one(store->db, "INSERT INTO incidents (kind, key, title) VALUES ($1, $2, $3) RETURNING id",
		                    DT_PARAMS(dt_p_int(kind), dt_p_text(key), dt_p_text(title)), &rows, err);
	}
	if (status == DT_OK) {
		*id = (uint64_t)dt_rows_int(&rows, 0);
		dt_cache_set(&store->incidents, name, *id);
	}
	dt_rows_end(&rows);
	return status;
}

static enum dt_status part(struct dt_store *store, const struct dt_crash_row *row, int sign, enum dt_incident_kind kind, const char *key,
                           const char *title, struct dt_error *err)
{
	uint64_t incident;

	DT_TRY(incident_id(store, kind, key, title, &incident, err));
	if (store->part_count == store->part_room) {
		size_t room = store->part_room ? store->part_room * 2 : 1024;
		struct dt_part *more = realloc(store->parts, room * sizeof(*more));
		if (!more)
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
		store->parts = more;
		store->part_room = room;
	}
	store->parts[store->part_count++] = (struct dt_part){
		.sign = sign,
		.incident = incident,
		.host = row->host_id,
		.crash = row->id,
		.kind = kind,
		.time = row->timed ? (int64_t)row->time.value : 0,
		.build = row->build.known ? dt_arena_printf(&store->work, "%llu", (unsigned long long)row->build.value) : NULL,
		.module_build = kind == DT_INCIDENT_FLEET ? NULL : row->module_build,
		.family = kind == DT_INCIDENT_OWN || kind == DT_INCIDENT_SIGNATURE ? row->family : NULL,
	};
	return DT_OK;
}

static enum dt_status signature_parts(struct dt_store *store, const struct dt_crash_row *row, int sign, struct dt_error *err)
{
	const char *id = row->signatures, *title = row->titles;

	while (id && *id == ' ' && id[1]) {
		size_t len = strcspn(++id, " "), line = title ? strcspn(title, "\n") : 0;
		const char *key = dt_arena_strndup(&store->work, id, len);
		const char *words = title ? dt_arena_strndup(&store->work, title, line) : NULL;
		if (!key)
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
		DT_TRY(part(store, row, sign, DT_INCIDENT_SIGNATURE, key, words, err));
		id += len;
		title = title && title[line] ? title + line + 1 : NULL;
	}
	return DT_OK;
}

enum dt_status dt_tally_add(struct dt_store *store, const struct dt_crash_row *row, int sign, struct dt_error *err)
{
	if (!row->own || !row->family)
		return DT_OK;
	DT_TRY(part(store, row, sign, DT_INCIDENT_FLEET, "", NULL, err));
	DT_TRY(part(store, row, sign, DT_INCIDENT_OWN, row->own, NULL, err));
	DT_TRY(part(store, row, sign, DT_INCIDENT_FAMILY, row->family, NULL, err));
	return signature_parts(store, row, sign, err);
}

static int compare_parts(const void *left, const void *right)
{
	const struct dt_part *a = left, *b = right;

	if (a->incident != b->incident)
		return a->incident < b->incident ? -1 : 1;
	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->crash != b->crash)
		return a->crash < b->crash ? -1 : 1;
	return 0;
}

/* What one incident changes by in this transaction. */
struct change {
	int64_t crashes, unknown, untimed, hosts, first, last;
	bool gone; /* a timed crash left: first and last are looked up again */
	struct { int64_t hour, crashes, onsets; } *hours;
	size_t hour_count, hour_room;
	struct { const char *name, *value; int64_t crashes; } *facets;
	size_t facet_count, facet_room;
};

static bool grow(void **items, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return true;
	size_t more = *room ? *room * 2 : 64;
	void *bigger = realloc(*items, more * size);
	if (!bigger)
		return false;
	*items = bigger;
	*room = more;
	return true;
}

static bool change_hour(struct change *change, int64_t hour, int64_t crashes, int64_t onsets)
{
	size_t i = 0;

	while (i < change->hour_count && change->hours[i].hour != hour)
		i++;
	if (i == change->hour_count) {
		void *items = change->hours;
		if (!grow(&items, &change->hour_room, i, sizeof(*change->hours)))
			return false;
		change->hours = items;
		memset(&change->hours[i], 0, sizeof(change->hours[i]));
		change->hours[i].hour = hour;
		change->hour_count++;
	}
	change->hours[i].crashes += crashes;
	change->hours[i].onsets += onsets;
	return true;
}

static bool change_facet(struct change *change, const char *name, const char *value, int64_t crashes)
{
	size_t i = 0;

	if (!value)
		return true;
	while (i < change->facet_count && (change->facets[i].name != name || strcmp(change->facets[i].value, value) != 0))
		i++;
	if (i == change->facet_count) {
		void *items = change->facets;
		if (!grow(&items, &change->facet_room, i, sizeof(*change->facets)))
			return false;
		change->facets = items;
		memset(&change->facets[i], 0, sizeof(change->facets[i]));
		change->facets[i].name = name;
		change->facets[i].value = value;
		change->facet_count++;
	}
	change->facets[i].crashes += crashes;
	return true;
}

static const char facet_build[] = "build", facet_module[] = "module", facet_family[] = "family";

/* The row of table members, and what is counted without looking at others. sign: what the parts of one crash come to. */
static enum dt_status apply_member(struct dt_store *store, const struct dt_part *part, int sign, struct change *change, struct dt_error *err)
{
	const struct dt_param params[] = { dt_p_int((int64_t)part->incident), dt_p_int((int64_t)part->host), dt_p_int(part->time),
		                           dt_p_int((int64_t)part->crash) };

	change->crashes += sign;
	change->unknown += part->host ? 0 : sign;
	change->untimed += part->time ? 0 : sign;
	if (part->time && sign > 0) {
		change->first = change->first && change->first < part->time ? change->first : part->time;
		change->last = change->last > part->time ? change->last : part->time;
	}
	change->gone |= part->time && sign < 0;
	if (part->time && !change_hour(change, part->time / 3600, sign, 0))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return sign > 0 ? dt_sql_run(store->db, "INSERT INTO members (incident, host, time, crash) VALUES ($1, $2, $3, $4)", params, 4, err)
	                : dt_sql_run(store->db, "DELETE FROM members WHERE incident = $1 AND host = $2 AND time = $3 AND crash = $4", params, 4, err);
}

static bool apply_facets(const struct dt_part *part, struct change *change)
{
	return change_facet(change, facet_build, part->build, part->sign) &&
	       change_facet(change, facet_module, part->module_build, part->sign) &&
	       change_facet(change, facet_family, part->family, part->sign);
}

struct times {
	int64_t *at, *onsets;
	size_t count, room, untimed;
};

static bool times_room(struct times *times)
{
	void *at = times->at;
	size_t room = times->room;

	if (times->count < times->room)
		return true;
	if (!grow(&at, &room, times->count, sizeof(int64_t)))
		return false;
	times->at = at;
	int64_t *onsets = realloc(times->onsets, room * sizeof(int64_t));
	if (!onsets)
		return false;
	times->onsets = onsets;
	times->room = room;
	return true;
}

static bool times_insert(struct times *times, int64_t time)
{
	size_t i;

	if (!time) {
		times->untimed++;
		return true;
	}
	if (!times_room(times))
		return false;
	for (i = times->count; i > 0 && times->at[i - 1] > time; i--)
		times->at[i] = times->at[i - 1];
	times->at[i] = time;
	times->count++;
	return true;
}

static void times_remove(struct times *times, int64_t time)
{
	size_t i = 0;

	if (!time) {
		times->untimed -= times->untimed > 0;
		return;
	}
	while (i < times->count && times->at[i] != time)
		i++;
	if (i == times->count)
		return;
	memmove(&times->at[i], &times->at[i + 1], (times->count - i - 1) * sizeof(int64_t));
	times->count--;
}

static enum dt_status load_times(struct dt_store *store, const struct dt_part *part, struct times *times, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_query(store->db, "SELECT time FROM members WHERE incident = $1 AND host = $2 ORDER BY time",
	                                     DT_PARAMS(dt_p_int((int64_t)part->incident), dt_p_int((int64_t)part->host)), &rows, err);

	times->count = times->untimed = 0;
	while (status == DT_OK && (status = dt_rows_next(&rows, err)) == DT_OK)
		if (!times_insert(times, dt_rows_int(&rows, 0)))
			status = dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static bool count_onsets(struct times *times, struct change *change, int sign)
{
	size_t onsets = times->count ? dt_episodes(times->at, times->count, times->onsets) : 0;
	bool ok = true;

	for (size_t i = 0; i < onsets && ok; i++)
		ok = change_hour(change, times->onsets[i], 0, sign);
	return ok;
}

/* All parts of one crash: in one transaction it can come and go several times. */
static enum dt_status apply_crash(struct dt_store *store, const struct dt_part *parts, size_t count, struct times *times,
                                  struct change *change, struct dt_error *err)
{
	bool ok = true;
	int sign = 0;

	for (size_t i = 0; i < count && ok; i++) {
		sign += parts[i].sign;
		ok = apply_facets(&parts[i], change);
	}
	if (ok && sign > 0 && parts[0].host)
		ok = times_insert(times, parts[0].time);
	else if (sign < 0 && parts[0].host)
		times_remove(times, parts[0].time);
	if (!ok)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return sign ? apply_member(store, &parts[0], sign, change, err) : DT_OK;
}

/* All parts of one host in one incident. */
static enum dt_status apply_host(struct dt_store *store, const struct dt_part *parts, size_t count, struct times *times,
                                 struct change *change, struct dt_error *err)
{
	bool known = parts[0].host != 0, had = false, has;

	if (known) {
		DT_TRY(load_times(store, &parts[0], times, err));
		had = times->count + times->untimed > 0;
	}
	if (known && !count_onsets(times, change, -1))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0, n; i < count; i += n) {
		for (n = 1; i + n < count && parts[i + n].crash == parts[i].crash && parts[i + n].time == parts[i].time; n++)
			;
		DT_TRY(apply_crash(store, parts + i, n, times, change, err));
	}
	if (known && !count_onsets(times, change, 1))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	has = known && times->count + times->untimed > 0;
	if (had == has)
		return DT_OK;
	change->hosts += has ? 1 : -1;
	if (parts[0].kind != DT_INCIDENT_FAMILY)
		return DT_OK;
	return dt_sql_run(store->db, "UPDATE hosts SET families = families + $1 WHERE id = $2",
	                  DT_PARAMS(dt_p_int(has ? 1 : -1), dt_p_int((int64_t)parts[0].host)), err);
}

/* PostgreSQL wants to know the type of a parameter that is null. */
static enum dt_status write_times(struct dt_store *store, uint64_t incident, const struct change *change, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status;

	if (!change->gone) {
		if (!change->first)
			return DT_OK;
		return dt_sql_run(store->db,
		                  "UPDATE incidents SET first = CASE WHEN first <= $1 THEN first ELSE $1 END,"
		                  " last = CASE WHEN last >= $2 THEN last ELSE $2 END WHERE id = $3",
		                  DT_PARAMS(dt_p_int(change->first), dt_p_int(change->last), dt_p_int((int64_t)incident)), err);
	}
	status = dt_sql_one(store->db, "SELECT min(time), max(time) FROM members WHERE incident = $1 AND time > 0",
	                    DT_PARAMS(dt_p_int((int64_t)incident)), &rows, err);
	if (status != DT_OK) {
		dt_rows_end(&rows);
		return status;
	}
	bool known = !dt_rows_null(&rows, 0);
	int64_t first = dt_rows_int(&rows, 0), last = dt_rows_int(&rows, 1);
	dt_rows_end(&rows);
	return dt_sql_run(store->db, "UPDATE incidents SET first = $1, last = $2 WHERE id = $3",
	                  DT_PARAMS(dt_p_int_or_null(known, first), dt_p_int_or_null(known, last), dt_p_int((int64_t)incident)), err);
}

static enum dt_status write_hours(struct dt_store *store, uint64_t incident, const struct change *change, struct dt_error *err)
{
	bool shrunk = false;

	for (size_t i = 0; i < change->hour_count; i++) {
		if (!change->hours[i].crashes && !change->hours[i].onsets)
			continue;
		shrunk |= change->hours[i].crashes < 0;
		DT_TRY(dt_sql_run(store->db,
		                  "INSERT INTO hours (incident, hour, crashes, onsets) VALUES ($1, $2, $3, $4)"
		                  " ON CONFLICT (incident, hour) DO UPDATE SET crashes = hours.crashes + excluded.crashes,"
		                  " onsets = hours.onsets + excluded.onsets",
		                  DT_PARAMS(dt_p_int((int64_t)incident), dt_p_int(change->hours[i].hour), dt_p_int(change->hours[i].crashes),
		                            dt_p_int(change->hours[i].onsets)), err));
	}
	if (!shrunk)
		return DT_OK;
	return dt_sql_run(store->db, "DELETE FROM hours WHERE incident = $1 AND crashes = 0 AND onsets = 0",
	                  DT_PARAMS(dt_p_int((int64_t)incident)), err);
}

static enum dt_status write_facets(struct dt_store *store, uint64_t incident, const struct change *change, struct dt_error *err)
{
	bool shrunk = false;

	for (size_t i = 0; i < change->facet_count; i++) {
		if (!change->facets[i].crashes)
			continue;
		shrunk |= change->facets[i].crashes < 0;
		DT_TRY(dt_sql_run(store->db,
		                  "INSERT INTO facets (incident, name, value, crashes) VALUES ($1, $2, $3, $4)"
		                  " ON CONFLICT (incident, name, value) DO UPDATE SET crashes = facets.crashes + excluded.crashes",
		                  DT_PARAMS(dt_p_int((int64_t)incident), dt_p_text(change->facets[i].name), dt_p_text(change->facets[i].value),
		                            dt_p_int(change->facets[i].crashes)), err));
	}
	if (!shrunk)
		return DT_OK;
	return dt_sql_run(store->db, "DELETE FROM facets WHERE incident = $1 AND crashes = 0", DT_PARAMS(dt_p_int((int64_t)incident)), err);
}

static enum dt_status write_change(struct dt_store *store, uint64_t incident, enum dt_incident_kind kind, const struct change *change,
                                   struct dt_error *err)
{
	char ref[24];

	DT_TRY(dt_sql_run(store->db,
	                  "UPDATE incidents SET crashes = crashes + $1, unknown_hosts = unknown_hosts + $2, untimed = untimed + $3,"
	                  " hosts = hosts + $4 WHERE id = $5",
	                  DT_PARAMS(dt_p_int(change->crashes), dt_p_int(change->unknown), dt_p_int(change->untimed), dt_p_int(change->hosts),
	                            dt_p_int((int64_t)incident)), err));
	DT_TRY(write_times(store, incident, change, err));
	DT_TRY(write_hours(store, incident, change, err));
	DT_TRY(write_facets(store, incident, change, err));
	if (kind == DT_INCIDENT_FLEET)
		return DT_OK;
	snprintf(ref, sizeof(ref), "%llu", (unsigned long long)incident);
	return dt_outbox_add(store, true, ref, "changed", err);
}

static enum dt_status apply_incident(struct dt_store *store, const struct dt_part *parts, size_t count, struct times *times,
                                     struct dt_error *err)
{
	struct change change = { 0 };
	enum dt_status status = DT_OK;

	for (size_t i = 0, n; i < count && status == DT_OK; i += n) {
		for (n = 1; i + n < count && parts[i + n].host == parts[i].host; n++)
			;
		status = apply_host(store, parts + i, n, times, &change, err);
	}
	if (status == DT_OK)
		status = write_change(store, parts[0].incident, parts[0].kind, &change, err);
	free(change.hours);
	free(change.facets);
	return status;
}

enum dt_status dt_tally_apply(struct dt_store *store, struct dt_error *err)
{
	struct times times = { 0 };
	enum dt_status status = DT_OK;

	if (store->part_count)
		qsort(store->parts, store->part_count, sizeof(*store->parts), compare_parts);
	for (size_t i = 0, n; i < store->part_count && status == DT_OK; i += n) {
		for (n = 1; i + n < store->part_count && store->parts[i + n].incident == store->parts[i].incident; n++)
			;
		status = apply_incident(store, store->parts + i, n, &times, err);
	}
	store->part_count = 0;
	free(times.at);
	free(times.onsets);
	return status;
}

/* Feeds: floors, what is settled above them, what was sent and what was rejected. */
#include "fleet/store/feeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/killpoint.h"
#include "core/base/time.h"
#include "fleet/store/rows.h"

enum { TRIES = 8, RECENT = 1024 };

static enum dt_status begin(struct dt_store *store, struct dt_error *err)
{
	store->now = dt_time_now();
	store->db->retry = false;
	return dt_sql_run(store->db, store->db->driver->begin_feed, DT_NO_PARAMS, err);
}

static enum dt_status read_mark(struct dt_store *store, const char *sql, const struct dt_param *params, size_t count, struct dt_feed_mark *out,
                                struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, sql, params, count, &rows, err);

	*out = (struct dt_feed_mark){ 0 };
	if (status == DT_OK)
		*out = (struct dt_feed_mark){ dt_rows_int(&rows, 0), dt_rows_int(&rows, 1) };
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? dt_fail(err, status, "there is no such feed") : status;
}

static int order(struct dt_feed_mark a, struct dt_feed_mark b)
{
	if (a.xid != b.xid)
		return a.xid < b.xid ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

/* ---- registering ------------------------------------------------------------- */

static enum dt_status feed_id(struct dt_store *store, const char *name, uint64_t *id, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT id FROM feeds WHERE name = $1", DT_PARAMS(dt_p_text(name)), &rows, err);

	*id = status == DT_OK ? (uint64_t)dt_rows_int(&rows, 0) : 0;
	dt_rows_end(&rows);
	return status;
}

/* From now on: what this transaction sees is settled, what runs beside it will be owed. */
static enum dt_status register_now(struct dt_store *store, const char *name, struct dt_error *err)
{
	struct dt_feed_mark floor, last;
	uint64_t id;

	DT_TRY(read_mark(store, store->db->driver->horizon, DT_NO_PARAMS, &floor, err));
	DT_TRY(read_mark(store, "SELECT COALESCE(max(seq), 0), 0 FROM outbox", DT_NO_PARAMS, &last, err));
	DT_TRY(dt_sql_run(store->db, "INSERT INTO feeds (name, xid, seq, since, begin, registered) VALUES ($1, $2, $3, 0, $4, $5)"
	                             " ON CONFLICT (name) DO NOTHING",
	                  DT_PARAMS(dt_p_text(name), dt_p_int(floor.xid), dt_p_int(floor.seq), dt_p_int(last.xid), dt_p_int((int64_t)store->now)), err));
	DT_TRY(feed_id(store, name, &id, err));
	return dt_sql_run(store->db, "INSERT INTO feed_done (feed, xid, seq) SELECT $1, xid, seq FROM outbox WHERE (xid, seq) > ($2, $3)"
	                             " ON CONFLICT (feed, xid, seq) DO NOTHING",
	                  DT_PARAMS(dt_p_int((int64_t)id), dt_p_int(floor.xid), dt_p_int(floor.seq)), err);
}

static enum dt_status register_since(struct dt_store *store, const char *name, uint64_t since, struct dt_error *err)
{
	return dt_sql_run(store->db, "INSERT INTO feeds (name, xid, seq, since, begin, registered) VALUES ($1, -1, 0, $2, 0, $3)"
	                             " ON CONFLICT (name) DO NOTHING",
	                  DT_PARAMS(dt_p_text(name), dt_p_int((int64_t)since), dt_p_int((int64_t)store->now)), err);
}

static enum dt_status forget(struct dt_store *store, uint64_t id, uint64_t since, struct dt_error *err)
{
	const struct dt_param feed = dt_p_int((int64_t)id);

	DT_TRY(dt_sql_run(store->db, "UPDATE feeds SET xid = -1, seq = 0, begin = 0, since = $1 WHERE id = $2", DT_PARAMS(dt_p_int((int64_t)since), feed), err));
	DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_done WHERE feed = $1", &feed, 1, err));
	DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_sent WHERE feed = $1", &feed, 1, err));
	return dt_sql_run(store->db, "DELETE FROM feed_incidents WHERE feed = $1", &feed, 1, err);
}

/* A database that was restored elsewhere counts its transactions anew: then the rows' numbers are what is left to go by. */
static enum dt_status heal(struct dt_store *store, struct dt_error *err)
{
	struct dt_feed_mark horizon, floor;

	DT_TRY(read_mark(store, store->db->driver->horizon, DT_NO_PARAMS, &horizon, err));
	DT_TRY(read_mark(store, "SELECT COALESCE(max(xid), 0), 0 FROM feeds", DT_NO_PARAMS, &floor, err));
	if (floor.xid <= horizon.xid)
		return DT_OK;
	DT_TRY(dt_sql_run(store->db, "UPDATE outbox SET xid = 0 WHERE xid > $1", DT_PARAMS(dt_p_int(horizon.xid)), err));
	DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_done", DT_NO_PARAMS, err));
	return dt_sql_run(store->db, "UPDATE feeds SET xid = 0, seq = begin", DT_NO_PARAMS, err);
}

static enum dt_status open_feed(struct dt_store *store, const char *name, const struct dt_feed_start *start, uint64_t *id, bool *fresh,
                                struct dt_error *err)
{
	enum dt_status status;

	DT_TRY(heal(store, err));
	status = feed_id(store, name, id, err);
	*fresh = status == DT_ERR_NOT_FOUND;
	if (status == DT_OK && start->replay)
		return forget(store, *id, start->since, err);
	if (!*fresh)
		return status;
	DT_TRY(start->since_given || start->replay ? register_since(store, name, start->since, err) : register_now(store, name, err));
	return feed_id(store, name, id, err);
}

enum dt_status dt_store_feed_open(struct dt_store *store, const char *name, const struct dt_feed_start *start, uint64_t *id, bool *fresh,
                                  struct dt_error *err)
{
	enum dt_status status = begin(store, err);

	return dt_finish(store, status == DT_OK ? open_feed(store, name, start, id, fresh, err) : status, err);
}

/* ---- what is owed -------------------------------------------------------------- */

#define OWED "SELECT o.xid, o.seq, o.kind, o.ref FROM outbox o WHERE "
#define NOT_DONE                                                                                                                        \
	" AND o.at >= $3 AND NOT EXISTS (SELECT 1 FROM feed_done d WHERE d.feed = $4 AND d.xid = o.xid AND d.seq = o.seq)"               \
	" ORDER BY o.xid, o.seq LIMIT $5"

/* Appends what a query gives. */
static enum dt_status read_owed(struct dt_store *store, const char *sql, struct dt_feed_mark floor, int64_t since, uint64_t feed,
                                struct dt_feed_row *out, size_t room, size_t *count, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_query(store->db, sql, DT_PARAMS(dt_p_int(floor.xid), dt_p_int(floor.seq), dt_p_int(since), dt_p_int((int64_t)feed),
	                                                               dt_p_int((int64_t)(room - *count))), &rows, err);

	while (status == DT_OK && *count < room && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_feed_row *row = &out[(*count)++];
		*row = (struct dt_feed_row){ .mark = { dt_rows_int(&rows, 0), dt_rows_int(&rows, 1) }, .incident = dt_rows_int(&rows, 2) != 0 };
		snprintf(row->ref, sizeof(row->ref), "%s", dt_rows_text(&rows, 3));
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_feed_owed(struct dt_store *store, uint64_t feed, struct dt_feed_row *out, size_t room, size_t *count,
                                  struct dt_feed_mark *horizon, struct dt_error *err)
{
	struct dt_feed_mark floor, since;

	*count = 0;
	/* Before the rows: what commits between the two is above it. */
	DT_TRY(read_mark(store, store->db->driver->horizon, DT_NO_PARAMS, horizon, err));
	DT_TRY(read_mark(store, "SELECT xid, seq FROM feeds WHERE id = $1", DT_PARAMS(dt_p_int((int64_t)feed)), &floor, err));
	DT_TRY(read_mark(store, "SELECT since, 0 FROM feeds WHERE id = $1", DT_PARAMS(dt_p_int((int64_t)feed)), &since, err));
	/* The rest of the floor's own transaction, then the later ones: SQLite, whose transactions are all 0, would look for a pair by its first half. */
	DT_TRY(read_owed(store, OWED "o.xid = $1 AND o.seq > $2" NOT_DONE, floor, since.xid, feed, out, room, count, err));
	return read_owed(store, OWED "o.xid > $1 AND $2 = $2" NOT_DONE, floor, since.xid, feed, out, room, count, err);
}

static size_t place_of(const char *ref, const char *const refs[], size_t count)
{
	size_t at = 0;

	while (at < count && strcmp(refs[at], ref) != 0)
		at++;
	return at;
}

enum dt_status dt_store_feed_crashes(struct dt_store *store, uint64_t feed, const char *const refs[], size_t count, dt_feed_crash_row row,
                                     void *context, struct dt_error *err)
{
	/* What was sent is looked up crash by crash: as a join, a planner without statistics reads all that the feed has sent. */
	static const char sql[] = "SELECT c.key, r.facts, r.judgement, h.name, c.host_source,"
	                          " (SELECT s.event FROM feed_sent s WHERE s.feed = $1 AND s.ref = c.key)"
	                          " FROM crashes c JOIN records r ON r.crash = c.id LEFT JOIN hosts h ON h.id = c.host"
	                          " WHERE c.key IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
	struct dt_param params[1 + DT_FEED_CRASHES];
	struct dt_rows rows;
	enum dt_status status;

	params[0] = dt_p_int((int64_t)feed);
	for (size_t i = 0; i < DT_FEED_CRASHES; i++)
		params[1 + i] = dt_p_text(i < count ? refs[i] : NULL);
	status = dt_sql_query(store->db, sql, params, 1 + DT_FEED_CRASHES, &rows, err);
	while (status == DT_OK && (status = dt_rows_next(&rows, err)) == DT_OK) {
		const char *sent = dt_rows_text(&rows, 5);
		size_t at = place_of(dt_rows_text(&rows, 0), refs, count);
		const struct dt_stored crash = {
			.key = refs[at < count ? at : 0], .facts = dt_rows_blob(&rows, 1), .judgement = dt_rows_blob(&rows, 2),
			.host = dt_rows_text(&rows, 3), .host_source = (enum dt_host_source)dt_rows_int(&rows, 4),
		};
		if (at < count)
			status = row(context, at, &crash, sent ? sent : "", err);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_feed_incidents(struct dt_store *store, uint64_t feed, uint64_t before, dt_feed_incident_row row, void *context,
                                       struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, "SELECT incident, state, hosts, at FROM feed_incidents WHERE feed = $1 AND owed = 1 AND at <= $2"
	                                                " ORDER BY incident",
	                                     DT_PARAMS(dt_p_int((int64_t)feed), dt_p_int((int64_t)before)), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_feed_incident incident = { .incident = (uint64_t)dt_rows_int(&rows, 0), .owed = true, .hosts = (uint64_t)dt_rows_int(&rows, 2),
			                             .at = (uint64_t)dt_rows_int(&rows, 3) };
		snprintf(incident.state, sizeof(incident.state), "%s", dt_rows_text(&rows, 1));
		stop = !row(context, &incident);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_feed_dead(struct dt_store *store, uint64_t feed, bool retry, uint64_t limit, dt_feed_letter_row row, void *context,
                                  struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, "SELECT kind, ref, event, reason, at, retry FROM feed_dead WHERE feed = $1 AND retry >= $2"
	                                                " ORDER BY at, ref LIMIT $3",
	                                     DT_PARAMS(dt_p_int((int64_t)feed), dt_p_int(retry), dt_p_int(limit ? (int64_t)limit : INT64_MAX)), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_feed_letter letter = { .incident = dt_rows_int(&rows, 0) != 0, .ref = dt_rows_text(&rows, 1), .event = dt_rows_text(&rows, 2),
			                         .reason = dt_rows_text(&rows, 3), .at = (uint64_t)dt_rows_int(&rows, 4), .retry = dt_rows_int(&rows, 5) != 0 };
		stop = !row(context, &letter);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status retry(struct dt_store *store, const char *count_sql, const char *update_sql, const struct dt_param *params, size_t param_count,
                            uint64_t *count, struct dt_error *err)
{
	struct dt_feed_mark found = { 0 };
	enum dt_status status = begin(store, err);

	if (status == DT_OK)
		status = read_mark(store, count_sql, params, param_count, &found, err);
	if (status == DT_OK)
		status = dt_sql_run(store->db, update_sql, params, param_count, err);
	status = dt_finish(store, status, err);
	*count = status == DT_OK ? (uint64_t)found.xid : 0;
	return status;
}

enum dt_status dt_store_feed_retry(struct dt_store *store, uint64_t feed, uint64_t *count, struct dt_error *err)
{
	return retry(store, "SELECT count(*), 0 FROM feed_dead WHERE $1 = 0 OR feed = $1", "UPDATE feed_dead SET retry = 1 WHERE $1 = 0 OR feed = $1",
	             DT_PARAMS(dt_p_int((int64_t)feed)), count, err);
}

enum dt_status dt_store_feed_retry_one(struct dt_store *store, uint64_t feed, bool incident, const char *ref, uint64_t *count, struct dt_error *err)
{
#define THAT_ONE " WHERE ($1 = 0 OR feed = $1) AND kind = $2 AND ref >= $3 AND ref <= $4"
	char high[DT_STORE_KEY_MAX + 1];

	snprintf(high, sizeof(high), incident ? "%.*s" : "%.*s\x7f", DT_STORE_KEY_MAX - 1, ref);
	return retry(store, "SELECT count(*), 0 FROM feed_dead" THAT_ONE, "UPDATE feed_dead SET retry = 1" THAT_ONE,
	             DT_PARAMS(dt_p_int((int64_t)feed), dt_p_int(incident), dt_p_text(ref), dt_p_text(high)), count, err);
}

/* ---- what became of it ----------------------------------------------------------- */

/* Up to where everything is settled, by what was just read. */
static struct dt_feed_mark new_floor(const struct dt_feed_outcome *outcome)
{
	struct dt_feed_mark floor = { -1, 0 };
	size_t settled = 0;

	while (settled < outcome->row_count && outcome->rows[settled].settled && order(outcome->rows[settled].mark, outcome->horizon) <= 0)
		floor = outcome->rows[settled++].mark;
	bool past = settled == outcome->row_count || order(outcome->rows[settled].mark, outcome->horizon) > 0;
	return outcome->complete && past ? outcome->horizon : floor;
}

static enum dt_status keep_rows(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	struct dt_feed_mark floor = new_floor(outcome);
	const struct dt_param feed = dt_p_int((int64_t)outcome->feed);

	for (size_t i = 0; i < outcome->row_count; i++) {
		const struct dt_feed_row *row = &outcome->rows[i];
		if (row->settled && order(row->mark, floor) > 0)
			DT_TRY(dt_sql_run(store->db, "INSERT INTO feed_done (feed, xid, seq) VALUES ($1, $2, $3) ON CONFLICT (feed, xid, seq) DO NOTHING",
			                  DT_PARAMS(feed, dt_p_int(row->mark.xid), dt_p_int(row->mark.seq)), err));
	}
	DT_TRY(dt_sql_run(store->db, "UPDATE feeds SET xid = $1, seq = $2 WHERE id = $3 AND (xid, seq) < ($1, $2)",
	                  DT_PARAMS(dt_p_int(floor.xid), dt_p_int(floor.seq), feed), err));
	return dt_sql_run(store->db, "DELETE FROM feed_done WHERE feed = $1 AND (xid, seq) <= ($2, $3)",
	                  DT_PARAMS(feed, dt_p_int(floor.xid), dt_p_int(floor.seq)), err);
}

/* A batch names most incidents many times. */
static bool named_before(uint64_t *recent, const char *ref)
{
	uint64_t id = strtoull(ref, NULL, 10), *slot = &recent[id % RECENT];
	bool named = *slot == id;

	*slot = id;
	return named;
}

static enum dt_status flag_incidents(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	uint64_t recent[RECENT] = { 0 };

	for (size_t i = 0; i < outcome->row_count; i++) {
		const struct dt_feed_row *row = &outcome->rows[i];
		if (!row->incident || !row->settled || named_before(recent, row->ref))
			continue;
		DT_TRY(dt_sql_run(store->db, "INSERT INTO feed_incidents (feed, incident, owed, state, hosts, at) VALUES ($1, $2, 1, '', 0, 0)"
		                             " ON CONFLICT (feed, incident) DO UPDATE SET owed = 1",
		                  DT_PARAMS(dt_p_int((int64_t)outcome->feed), dt_p_int((int64_t)strtoull(row->ref, NULL, 10))), err));
	}
	return DT_OK;
}

static enum dt_status keep_incidents(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	for (size_t i = 0; i < outcome->incident_count; i++) {
		const struct dt_feed_incident *incident = &outcome->incidents[i];
		DT_TRY(dt_sql_run(store->db, "INSERT INTO feed_incidents (feed, incident, owed, state, hosts, at) VALUES ($1, $2, $3, $4, $5, $6)"
		                             " ON CONFLICT (feed, incident) DO UPDATE SET owed = excluded.owed, state = excluded.state,"
		                             " hosts = excluded.hosts, at = excluded.at",
		                  DT_PARAMS(dt_p_int((int64_t)outcome->feed), dt_p_int((int64_t)incident->incident), dt_p_int(incident->owed),
		                            dt_p_text(incident->state), dt_p_int((int64_t)incident->hosts), dt_p_int((int64_t)incident->at)), err));
	}
	return DT_OK;
}

static enum dt_status has_letters(struct dt_store *store, const struct dt_param *feed, bool *has, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT 1 FROM feed_dead WHERE feed = $1 LIMIT 1", feed, 1, &rows, err);

	*has = status == DT_OK;
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status keep_letters(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	const struct dt_param feed = dt_p_int((int64_t)outcome->feed);
	bool some;

	DT_TRY(has_letters(store, &feed, &some, err));
	for (size_t i = 0; i < outcome->sent_count; i++) {
		const struct dt_feed_letter *letter = &outcome->sent[i];
		if (!letter->incident)
			DT_TRY(dt_sql_run(store->db, "INSERT INTO feed_sent (feed, ref, event) VALUES ($1, $2, $3)"
			                             " ON CONFLICT (feed, ref) DO UPDATE SET event = excluded.event",
			                  DT_PARAMS(feed, dt_p_text(letter->ref), dt_p_text(letter->event)), err));
		if (some)
			DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_dead WHERE feed = $1 AND kind = $2 AND ref = $3",
			                  DT_PARAMS(feed, dt_p_int(letter->incident), dt_p_text(letter->ref)), err));
	}
	for (size_t i = 0; i < outcome->dead_count; i++) {
		const struct dt_feed_letter *letter = &outcome->dead[i];
		DT_TRY(dt_sql_run(store->db, "INSERT INTO feed_dead (feed, kind, ref, event, at, reason) VALUES ($1, $2, $3, $4, $5, $6)"
		                             " ON CONFLICT (feed, kind, ref) DO UPDATE SET event = excluded.event, at = excluded.at,"
		                             " reason = excluded.reason, retry = 0",
		                  DT_PARAMS(feed, dt_p_int(letter->incident), dt_p_text(letter->ref), dt_p_text(letter->event),
		                            dt_p_int((int64_t)store->now), dt_p_text(letter->reason)), err));
	}
	for (size_t i = 0; i < outcome->gone_count; i++) {
		const struct dt_param ref = dt_p_text(outcome->gone[i]);
		DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_sent WHERE feed = $1 AND ref = $2", DT_PARAMS(feed, ref), err));
		DT_TRY(dt_sql_run(store->db, "DELETE FROM feed_dead WHERE feed = $1 AND kind = 0 AND ref = $2", DT_PARAMS(feed, ref), err));
	}
	return dt_sql_run(store->db, "UPDATE feeds SET sent = sent + $1, sent_at = CASE WHEN $1 > 0 THEN $2 ELSE sent_at END WHERE id = $3",
	                  DT_PARAMS(dt_p_int((int64_t)outcome->sent_count), dt_p_int((int64_t)store->now), feed), err);
}

static enum dt_status settle(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	DT_TRY(begin(store, err));
	DT_TRY(flag_incidents(store, outcome, err));
	DT_TRY(keep_incidents(store, outcome, err));
	DT_TRY(keep_letters(store, outcome, err));
	DT_TRY(keep_rows(store, outcome, err));
	dt_kill_point("feed-before-commit");
	return dt_commit(store, err);
}

enum dt_status dt_store_feed_settle(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err)
{
	enum dt_status status = DT_OK;

	for (unsigned try = 0; try < TRIES; try++) {
		status = settle(store, outcome, err);
		if (status == DT_OK)
			break;
		dt_rollback(store);
		if (!store->db->retry)
			return status;
		nanosleep(&(struct timespec){ 0, (long)(1u << try) * 1000000 }, NULL);
	}
	if (status == DT_OK)
		dt_kill_point("feed-after-commit");
	return status;
}

static enum dt_status say(struct dt_store *store, const char *sql, const char *text, uint64_t feed, struct dt_error *err)
{
	enum dt_status status = begin(store, err);

	if (status == DT_OK)
		status = dt_sql_run(store->db, sql, DT_PARAMS(dt_p_text(text), dt_p_int((int64_t)store->now), dt_p_int((int64_t)feed)), err);
	return dt_finish(store, status, err);
}

enum dt_status dt_store_feed_error(struct dt_store *store, uint64_t feed, const char *text, struct dt_error *err)
{
	return say(store, "UPDATE feeds SET error = $1, error_at = COALESCE(error_at, $2) WHERE id = $3", text, feed, err);
}

/* A text without a time is a note. */
enum dt_status dt_store_feed_note(struct dt_store *store, uint64_t feed, const char *text, struct dt_error *err)
{
	return say(store, "UPDATE feeds SET error = $1, error_at = NULL WHERE $2 = $2 AND id = $3", text, feed, err);
}

enum dt_status dt_store_feed_remove(struct dt_store *store, uint64_t feed, struct dt_error *err)
{
	static const char *const tables[] = { "DELETE FROM feed_done WHERE feed = $1", "DELETE FROM feed_sent WHERE feed = $1",
		                              "DELETE FROM feed_incidents WHERE feed = $1", "DELETE FROM feed_dead WHERE feed = $1",
		                              "DELETE FROM feeds WHERE id = $1" };
	const struct dt_param id = dt_p_int((int64_t)feed);
	struct dt_feed_mark floor;
	enum dt_status status = begin(store, err);

	if (status == DT_OK)
		status = read_mark(store, "SELECT xid, seq FROM feeds WHERE id = $1", &id, 1, &floor, err);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && status == DT_OK; i++)
		status = dt_sql_run(store->db, tables[i], &id, 1, err);
	return dt_finish(store, status, err);
}

/* ---- what is to be seen ------------------------------------------------------------ */

/* In two halves, as in dt_store_feed_owed(). */
#define WAITING(behind)                                                                                                                 \
	" (SELECT count(*) FROM outbox o WHERE " behind " AND o.at >= f.since AND NOT EXISTS"                                              \
	" (SELECT 1 FROM feed_done d WHERE d.feed = f.id AND d.xid = o.xid AND d.seq = o.seq))"

enum dt_status dt_store_feeds(struct dt_store *store, dt_feed_view view, void *context, struct dt_error *err)
{
	static const char sql[] = "SELECT f.id, f.name, f.sent, f.registered, f.sent_at, f.error, f.error_at,"
	                          WAITING("o.xid = f.xid AND o.seq > f.seq") " +" WAITING("o.xid > f.xid") ","
	                          " (SELECT count(*) FROM feed_dead x WHERE x.feed = f.id),"
	                          " (SELECT count(*) FROM feed_incidents i WHERE i.feed = f.id AND i.owed = 1) FROM feeds f ORDER BY f.id";
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, sql, DT_NO_PARAMS, &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_feed feed = { .id = (uint64_t)dt_rows_int(&rows, 0), .name = dt_rows_text(&rows, 1), .sent = (uint64_t)dt_rows_int(&rows, 2),
			                .registered = (uint64_t)dt_rows_int(&rows, 3), .sent_at = (uint64_t)dt_rows_int(&rows, 4),
			                .error_at = (uint64_t)dt_rows_int(&rows, 6),
			                .owed = (uint64_t)dt_rows_int(&rows, 7), .dead = (uint64_t)dt_rows_int(&rows, 8),
			                .incidents = (uint64_t)dt_rows_int(&rows, 9) };
		*(dt_rows_null(&rows, 6) ? &feed.note : &feed.error) = dt_rows_text(&rows, 5);
		stop = !view(context, &feed);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

void dt_store_wait(struct dt_store *store, int timeout_ms)
{
	store->db->driver->wait(store->db, timeout_ms);
}

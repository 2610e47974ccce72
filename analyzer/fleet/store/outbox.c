/*
 * The outbox does not grow for ever. A row goes when every feed has settled it and a later one names the same crash or incident: a feed that nobody
 * made yet, or that begins again, is owed that one, and an event is made from what the store holds, not from the row. The row that tells
 * of a deletion goes when every feed has settled it.
 *
 * That the later row is owed as well would not be enough: on PostgreSQL it may have been there, and told, before the earlier one was committed.
 *
 * The rows are read from the newest on, and what was named is remembered; when the memory for that is full, more rows stay than need to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"
#include "core/hash/hash.h"
#include "fleet/store/feeds.h"
#include "fleet/store/rows.h"

enum { PAGE = 2000, NAMED_BITS = 22, DAY_S = 86400 };

/* The newest row of a crash or incident; at 0: a free place. */
struct named {
	uint8_t ref[16];
	int64_t at;
};

struct sweep {
	struct dt_store *store;
	struct named *named;
	size_t used, size;
	struct dt_feed_mark place, settled; /* read down to here; settled by every feed up to there */
	struct dt_feed_mark gone[PAGE];
	size_t gone_count, read;
};

/* A crash's key is a hash already, but others may have chosen it. */
static void name_of(bool incident, const char *ref, uint8_t out[16])
{
	char text[DT_STORE_KEY_MAX + 2];
	uint8_t hash[DT_SHA256_SIZE];
	int len = snprintf(text, sizeof(text), "%c%s", incident ? 'i' : 'c', ref);

	dt_sha256((struct dt_bytes){ (const uint8_t *)text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1 }, hash);
	memcpy(out, hash, 16);
}

/* Where a name is, or would be; NULL: it is not, and there is no room. */
static struct named *find(struct sweep *sweep, const uint8_t ref[16])
{
	uint64_t at;

	memcpy(&at, ref, sizeof(at));
	for (at &= sweep->size - 1; sweep->named[at].at; at = (at + 1) & (sweep->size - 1))
		if (!memcmp(sweep->named[at].ref, ref, 16))
			return &sweep->named[at];
	return sweep->used < sweep->size / 4 * 3 ? &sweep->named[at] : NULL;
}

static bool is_settled(const struct sweep *sweep, struct dt_feed_mark mark)
{
	return mark.xid != sweep->settled.xid ? mark.xid < sweep->settled.xid : mark.seq <= sweep->settled.seq;
}

/* Whether the row goes. A later row with an earlier time, of a clock that was set back, does not stand for it: a feed may begin between the two. */
static bool goes(struct sweep *sweep, struct dt_feed_mark mark, int64_t at, bool incident, const char *ref, bool removal)
{
	uint8_t name[16];

	name_of(incident, ref, name);
	struct named *named = find(sweep, name);
	if (named && named->at)
		return at <= named->at && is_settled(sweep, mark);
	if (named && at > 0) {
		memcpy(named->ref, name, sizeof(name));
		named->at = at;
		sweep->used++;
	}
	return removal && is_settled(sweep, mark);
}

static enum dt_status read_rows(struct sweep *sweep, const char *sql, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_query(sweep->store->db, sql, DT_PARAMS(dt_p_int(sweep->place.xid), dt_p_int(sweep->place.seq),
	                                                                      dt_p_int((int64_t)(PAGE - sweep->read))), &rows, err);

	while (status == DT_OK && (status = dt_rows_next(&rows, err)) == DT_OK) {
		const char *change = dt_rows_text(&rows, 5), *ref = dt_rows_text(&rows, 4);
		struct dt_feed_mark mark = { dt_rows_int(&rows, 0), dt_rows_int(&rows, 1) };
		bool incident = dt_rows_int(&rows, 3) != 0, removal = !incident && change && !strcmp(change, "removed");
		if (ref && goes(sweep, mark, dt_rows_int(&rows, 2), incident, ref, removal))
			sweep->gone[sweep->gone_count++] = mark;
		sweep->place = mark;
		sweep->read++;
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* The rest of a transaction, then the earlier ones; as in dt_store_feed_owed(). */
static enum dt_status read_page(struct sweep *sweep, struct dt_error *err)
{
	struct dt_feed_mark from = sweep->place;

	sweep->read = sweep->gone_count = 0;
	DT_TRY(read_rows(sweep, "SELECT xid, seq, at, kind, ref, change FROM outbox WHERE xid = $1 AND seq < $2 ORDER BY xid DESC, seq DESC LIMIT $3", err));
	if (sweep->read == PAGE)
		return DT_OK;
	sweep->place = from;
	return read_rows(sweep, "SELECT xid, seq, at, kind, ref, change FROM outbox WHERE xid < $1 AND $2 = $2 ORDER BY xid DESC, seq DESC LIMIT $3", err);
}

/* Two may do this at once: what the other one has deleted is not there any more, and that is all. */
static enum dt_status delete_page(struct sweep *sweep, struct dt_error *err)
{
	enum dt_status status = dt_sql_run(sweep->store->db, sweep->store->db->driver->begin_write, DT_NO_PARAMS, err);

	for (size_t i = 0; i < sweep->gone_count && status == DT_OK; i++)
		status = dt_sql_run(sweep->store->db, "DELETE FROM outbox WHERE xid = $1 AND seq = $2",
		                    DT_PARAMS(dt_p_int(sweep->gone[i].xid), dt_p_int(sweep->gone[i].seq)), err);
	return dt_finish(sweep->store, status, err);
}

/* Up to where every feed has settled everything. */
static enum dt_status read_settled(struct sweep *sweep, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(sweep->store->db, "SELECT xid, seq FROM feeds ORDER BY xid, seq LIMIT 1", DT_NO_PARAMS, &rows, err);

	sweep->settled = (struct dt_feed_mark){ INT64_MAX, INT64_MAX };
	if (status == DT_OK)
		sweep->settled = (struct dt_feed_mark){ dt_rows_int(&rows, 0), dt_rows_int(&rows, 1) };
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* So that many feeds do it once a day, not each. */
static enum dt_status note_time(struct dt_store *store, struct dt_error *err)
{
	char text[32];
	enum dt_status status = dt_sql_run(store->db, store->db->driver->begin_write, DT_NO_PARAMS, err);

	snprintf(text, sizeof(text), "%lld", (long long)dt_time_to_unix(dt_time_now()));
	if (status == DT_OK)
		status = dt_sql_run(store->db, "INSERT INTO meta (name, value) VALUES ('outbox_swept', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		                    DT_PARAMS(dt_p_text(text)), err);
	return dt_finish(store, status, err);
}

enum dt_status dt_store_outbox_sweep_due(struct dt_store *store, bool *due, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT value FROM meta WHERE name = 'outbox_swept'", DT_NO_PARAMS, &rows, err);
	int64_t last = status == DT_OK ? strtoll(dt_rows_text(&rows, 0), NULL, 10) : 0, now = dt_time_to_unix(dt_time_now());

	*due = now - last >= DAY_S || last > now;
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status sweep_all(struct sweep *sweep, uint64_t *removed, struct dt_error *err)
{
	DT_TRY(read_settled(sweep, err));
	do {
		DT_TRY(read_page(sweep, err));
		if (sweep->gone_count)
			DT_TRY(delete_page(sweep, err));
		*removed += sweep->gone_count;
	} while (sweep->read == PAGE);
	return note_time(sweep->store, err);
}

/* Room for twice as many as there may be names. */
static enum dt_status make_room(struct sweep *sweep, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(sweep->store->db, "SELECT count(*) FROM outbox", DT_NO_PARAMS, &rows, err);
	int64_t count = status == DT_OK ? dt_rows_int(&rows, 0) : 0;

	dt_rows_end(&rows);
	if (status != DT_OK)
		return status;
	for (sweep->size = 1024; sweep->size < 2 * (uint64_t)count && sweep->size < (size_t)1 << NAMED_BITS; sweep->size *= 2)
		;
	sweep->named = calloc(sweep->size, sizeof(*sweep->named));
	return sweep->named ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no memory");
}

enum dt_status dt_store_outbox_sweep(struct dt_store *store, uint64_t *removed, struct dt_error *err)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));
	enum dt_status status;

	*removed = 0;
	if (!sweep)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	sweep->store = store;
	sweep->place = (struct dt_feed_mark){ INT64_MAX, INT64_MAX };
	status = make_room(sweep, err);
	if (status == DT_OK)
		status = sweep_all(sweep, removed, err);
	free(sweep->named);
	free(sweep);
	return status;
}

/* Reading: crashes, incidents and what they are made of, changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/codec.h"
#include "fleet/store/rows.h"

/* Rows of one query at most; longer listings go on behind the last id. */
enum { PAGE = 512 };

static uint64_t filetime(const struct dt_opt *seconds)
{
	return seconds->known ? dt_time_from_unix(seconds->value) : 0;
}

/* A range of keys that begin with a text: from it to behind it. Keys are ASCII. */
static void key_range(const char *prefix, char low[80], char high[80])
{
	snprintf(low, 80, "%.70s", prefix ? prefix : "");
	snprintf(high, 80, "%.70s\x7f", prefix ? prefix : "");
}

#define FROM_CRASHES " FROM crashes c LEFT JOIN hosts h ON h.id = c.host"
#define WITH_RECORD ", r.facts, r.judgement" FROM_CRASHES " LEFT JOIN records r ON r.crash = c.id"
#define FILES_OF ", (SELECT count(*) FROM files f WHERE f.crash = c.id)"
#define BY_KEY " WHERE c.key >= $1 AND c.key <= $2"
/* Without a key the rows must come by id: a condition on keys would have them sorted for every page. */
#define ANY_KEY " WHERE $1 <= $2"
#define REST                                                                                                               \
	" AND ($6 = '' OR c.blame = $6 OR c.fault = $6) AND ($7 = -1 OR c.code = $7)"                                      \
	" AND ($8 = '' OR c.signatures LIKE $8) AND ($9 = 0 OR c.time >= $9) AND ($10 = 0 OR c.time < $10)"                \
	" AND ($11 = 0 OR c.added < $11) AND ($12 = '' OR c.own = $12 OR c.family = $12)"                                  \
	" AND ($13 = '' OR h.name LIKE $13 ESCAPE '!' OR c.blame LIKE $13 ESCAPE '!' OR c.fault LIKE $13 ESCAPE '!'"      \
	" OR LOWER(c.own) LIKE $13 ESCAPE '!' OR LOWER(c.signatures) LIKE $13 ESCAPE '!'"                                 \
	" OR ($14 = 1 AND LOWER(c.path) LIKE $13 ESCAPE '!'))"
#define BY_CLASS " AND ($3 = 0 OR c.class = $3)"
#define BY_QUERY BY_CLASS " AND ($4 = '' OR h.name = $4) AND $5 = 0" REST
/* By the host's number, which has an index. */
#define BY_HOST ANY_KEY BY_CLASS " AND c.host = (SELECT id FROM hosts WHERE name = $4) AND $5 = 0" REST
#define BY_INCIDENT ANY_KEY BY_CLASS " AND $4 = '' AND m.incident = $5" REST
#define BY_INCIDENT_HOST ANY_KEY BY_CLASS " AND m.host = (SELECT id FROM hosts WHERE name = $4) AND m.incident = $5" REST
#define UP " AND c.id > $15 ORDER BY c.id LIMIT $16"
#define DOWN " AND c.id < $15 ORDER BY c.id DESC LIMIT $16"
#define NO_FILES ", 0"
/* The crashes of one incident are read from its members, not found among all. */
#define OF_INCIDENT " FROM members m JOIN crashes c ON c.id = m.crash LEFT JOIN hosts h ON h.id = c.host"
#define OF_INCIDENT_RECORD ", r.facts, r.judgement" OF_INCIDENT " LEFT JOIN records r ON r.crash = c.id"

/* By what is asked for: [any, key, host][records][files counted][newest first]. */
static const char *sql_of(const struct dt_store_query *query)
{
#define ORDERS(files, from, which)                                                                                           \
	{ "SELECT " DT_CRASH_COLUMNS files from which UP, "SELECT " DT_CRASH_COLUMNS files from which DOWN }
#define ROWS(which)                                                                                                          \
	{                                                                                                                    \
		{ ORDERS(NO_FILES, FROM_CRASHES, which), ORDERS(FILES_OF, FROM_CRASHES, which) },                           \
		{ ORDERS(NO_FILES, WITH_RECORD, which), ORDERS(FILES_OF, WITH_RECORD, which) },                             \
	}
	static const char *const all[3][2][2][2] = { ROWS(ANY_KEY BY_QUERY), ROWS(BY_KEY BY_QUERY), ROWS(BY_HOST) };
#define MEMBERS(record, which)                                                                                              \
	{ "SELECT " DT_CRASH_COLUMNS NO_FILES record which UP, "SELECT " DT_CRASH_COLUMNS NO_FILES record which DOWN }
	static const char *const members[2][2][2] = {
		{ MEMBERS(OF_INCIDENT, BY_INCIDENT), MEMBERS(OF_INCIDENT_RECORD, BY_INCIDENT) },
		{ MEMBERS(OF_INCIDENT, BY_INCIDENT_HOST), MEMBERS(OF_INCIDENT_RECORD, BY_INCIDENT_HOST) },
	};

	if (query->incident)
		return members[query->host != NULL][query->records][query->newest];
	bool by_key = query->key && *query->key, by_host = !by_key && query->host && *query->host;
	return all[by_key ? 1 : by_host ? 2 : 0][query->records][query->count_files][query->newest];
}

/* What a LIKE finds anywhere in a text; lower case, its own marks escaped. */
static void like_pattern(const char *text, char out[280])
{
	size_t n = 0;

	out[0] = '\0';
	if (!text || !*text)
		return;
	out[n++] = '%';
	for (const char *c = text; *c && n < 270; c++) {
		if (*c == '%' || *c == '_' || *c == '!')
			out[n++] = '!';
		out[n++] = dt_text_fold(*c);
	}
	out[n++] = '%';
	out[n] = '\0';
}

/* A limit in seconds, as the statements take it: 0 is none, so that one of before 1970 is the first second behind it. */
static struct dt_param time_limit(uint64_t filetime)
{
	int64_t seconds = dt_time_to_unix(filetime);

	return dt_p_int(filetime && seconds < 1 ? 1 : seconds);
}

static enum dt_status run_query(struct dt_store *store, const struct dt_store_query *query, uint64_t after, uint64_t limit,
                                struct dt_rows *rows, struct dt_error *err)
{
	char low[80], high[80], like[160] = "", anywhere[280];

	key_range(query->key, low, high);
	like_pattern(query->text, anywhere);
	if (query->signature)
		snprintf(like, sizeof(like), "%% %.120s %%", query->signature);
	return dt_sql_query(store->db, sql_of(query),
	                    DT_PARAMS(dt_p_text(low), dt_p_text(high), dt_p_int(query->class), dt_p_text(query->host ? query->host : ""),
	                              dt_p_int((int64_t)query->incident), dt_p_text(query->module ? query->module : ""),
	                              dt_p_int(query->code.known ? (int64_t)query->code.value : -1), dt_p_text(like),
	                              time_limit(query->since), time_limit(query->until),
	                              dt_p_int((int64_t)query->added_before), dt_p_text(query->bucket ? query->bucket : ""), dt_p_text(anywhere),
	                              dt_p_int(query->text_in_paths), dt_p_int((int64_t)after), dt_p_int((int64_t)limit)),
	                    rows, err);
}

static void fill_row(const struct dt_rows *rows, bool records, struct dt_arena *arena, struct dt_stored *out)
{
	struct dt_crash_row row;

	dt_row_read(rows, arena, &row);
	*out = (struct dt_stored){
		.id = row.id, .key = row.key, .crash_id = row.crash_id, .time = filetime(&row.time), .added = (uint64_t)dt_rows_int(rows, 3),
		.time_ok = row.time_ok, .host = row.host, .host_source = row.host_source, .class = row.class, .confidence = row.confidence,
		.code = row.code, .build = row.build, .blame = row.blame, .fault = row.fault, .module_build = row.module_build, .own = row.own,
		.family = row.family, .signatures = row.signatures, .rules = row.rules, .path = row.path,
		.files = (uint64_t)dt_rows_int(rows, DT_CRASH_COLUMN_COUNT),
	};
	if (records) {
		out->facts = dt_rows_blob(rows, DT_CRASH_COLUMN_COUNT + 1);
		out->judgement = dt_rows_blob(rows, DT_CRASH_COLUMN_COUNT + 2);
	}
}

/* One page; *last becomes the last id. */
static enum dt_status page(struct dt_store *store, const struct dt_store_query *query, uint64_t limit, uint64_t *last, uint64_t *count,
                           dt_store_row row, void *context, bool *stop, struct dt_error *err)
{
	struct dt_rows rows;
	struct dt_stored stored;
	enum dt_status status = run_query(store, query, *last, limit, &rows, err);

	*count = 0;
	while (status == DT_OK && !*stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		dt_arena_reset(&store->work);
		fill_row(&rows, query->records, &store->work, &stored);
		if (store->work.failed)
			status = dt_fail(err, DT_ERR_NOMEM, "no memory");
		else
			*stop = !row(context, &stored);
		*last = stored.id;
		++*count;
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_each(struct dt_store *store, const struct dt_store_query *query, dt_store_row row, void *context, struct dt_error *err)
{
	uint64_t last = query->newest && !query->after ? INT64_MAX : query->after, left = query->limit ? query->limit : UINT64_MAX, count;
	bool stop = false;

	do {
		uint64_t limit = left < PAGE ? left : PAGE;
		DT_TRY(page(store, query, limit, &last, &count, row, context, &stop, err));
		left -= count;
		if (count < limit)
			break;
	} while (!stop && left);
	return DT_OK;
}

struct dt_stored dt_stored_keep(const struct dt_stored *row, struct dt_arena *arena)
{
	struct dt_stored out = *row;

	out.key = dt_arena_strdup(arena, row->key);
	out.host = dt_arena_strdup(arena, row->host);
	out.facts = dt_arena_bytes(arena, row->facts);
	out.judgement = dt_arena_bytes(arena, row->judgement);
	out.crash_id = out.blame = out.fault = out.module_build = out.own = out.family = out.signatures = out.rules = out.path = NULL;
	return out;
}

enum dt_status dt_store_unpack(const struct dt_stored *row, struct dt_arena *arena, struct dt_crash *out, struct dt_error *err)
{
	struct dt_bytes facts, judgement;

	memset(out, 0, sizeof(*out));
	DT_TRY(dt_unpack(row->facts, arena, &facts, err));
	DT_TRY(dt_facts_decode(facts, arena, &out->facts, err));
	DT_TRY(dt_unpack(row->judgement, arena, &judgement, err));
	DT_TRY(dt_judgement_decode(judgement, arena, &out->judgement, err));
	out->facts.host.name = dt_arena_strdup(arena, row->host);
	out->facts.host.source = row->host ? row->host_source : DT_host_source_NULL;
	return DT_OK;
}

#define INCIDENT_COLUMNS "SELECT i.id, i.kind, i.key, i.title, i.state, i.crashes, i.hosts, i.unknown_hosts, i.untimed, i.first, i.last FROM incidents i"
#define OF_KIND_AND_KEY " AND i.crashes > 0 AND i.kind >= $3 AND i.kind <= $4 AND i.key >= $5 AND i.key <= $6 AND i.hosts >= $7"
#define NO_CRASH " AND $8 = 0 AND COALESCE(i.last, 0) >= $9 ORDER BY i.hosts DESC, i.crashes DESC, i.id LIMIT $10"

static const char *incidents_sql(const struct dt_store_incident_query *query)
{
	if (query->crash)
		return INCIDENT_COLUMNS " WHERE i.id >= $1 AND i.id <= $2" OF_KIND_AND_KEY
		                        " AND EXISTS (SELECT 1 FROM crashes c JOIN members m ON m.incident = i.id AND m.host = c.host AND m.crash = c.id"
		                        " WHERE c.id = $8) AND COALESCE(i.last, 0) >= $9"
		                        " AND i.key IN (SELECT own FROM crashes WHERE id = $8 UNION SELECT family FROM crashes WHERE id = $8"
		                        " UNION SELECT key FROM incidents WHERE kind = 1)"
		                        " ORDER BY i.kind, i.id LIMIT $10";
	/* A planner that does not know the numbers takes a range for many rows, and reads them all. */
	return query->id ? INCIDENT_COLUMNS " WHERE i.id = $1 AND i.id <= $2" OF_KIND_AND_KEY NO_CRASH
	                 : INCIDENT_COLUMNS " WHERE i.id >= $1 AND i.id <= $2" OF_KIND_AND_KEY NO_CRASH;
}

enum dt_status dt_store_incidents(struct dt_store *store, const struct dt_store_incident_query *query, dt_store_incident_row row,
                                  void *context, struct dt_error *err)
{
	char low[80], high[80];
	struct dt_rows rows;
	int64_t kind_low = query->fleet ? 0 : query->kind ? (int64_t)query->kind : 1, kind_high = query->fleet ? 0 : query->kind ? (int64_t)query->kind : 99;
	enum dt_status status;
	bool stop = false;

	key_range(query->key, low, high);
	status = dt_sql_query(store->db, incidents_sql(query),
	                      DT_PARAMS(dt_p_int((int64_t)query->id), dt_p_int(query->id ? (int64_t)query->id : INT64_MAX), dt_p_int(kind_low),
	                                dt_p_int(kind_high), dt_p_text(low), dt_p_text(high), dt_p_int((int64_t)query->min_hosts),
	                                dt_p_int((int64_t)query->crash), dt_p_int(query->since), dt_p_int(query->limit ? (int64_t)query->limit : INT64_MAX)),
	                      &rows, err);
	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_stored_incident incident = {
			.id = (uint64_t)dt_rows_int(&rows, 0), .kind = (enum dt_incident_kind)dt_rows_int(&rows, 1), .key = dt_rows_text(&rows, 2),
			.title = dt_rows_text(&rows, 3), .state = dt_rows_text(&rows, 4), .crashes = (uint64_t)dt_rows_int(&rows, 5),
			.hosts = (uint64_t)dt_rows_int(&rows, 6), .unknown_hosts = (uint64_t)dt_rows_int(&rows, 7),
			.untimed = (uint64_t)dt_rows_int(&rows, 8), .first = dt_rows_int(&rows, 9), .last = dt_rows_int(&rows, 10),
		};
		stop = !row(context, &incident);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* One row each: text, a, b, c. Parameters: incident, host. */
static const char *const detail_sql[] = {
	[DT_STORE_HOURS] = "SELECT NULL, hour, crashes, onsets FROM hours WHERE incident = $1 AND $2 = 0 ORDER BY hour",
	[DT_STORE_BUILDS] = "SELECT value, 0, crashes, 0 FROM facets WHERE incident = $1 AND name = 'build' AND $2 = 0 ORDER BY crashes DESC, value",
	[DT_STORE_MODULE_BUILDS] = "SELECT value, 0, crashes, 0 FROM facets WHERE incident = $1 AND name = 'module' AND $2 = 0 ORDER BY crashes DESC, value",
	[DT_STORE_FAMILIES] = "SELECT value, 0, crashes, 0 FROM facets WHERE incident = $1 AND name = 'family' AND $2 = 0 ORDER BY crashes DESC, value",
	[DT_STORE_HOST_TIMES] = "SELECT NULL, time, crash, 0 FROM members WHERE incident = $1 AND host = $2 ORDER BY time",
	[DT_STORE_PATTERN_HOSTS] = "SELECT name, id, families, 0 FROM hosts WHERE families >= 3 AND $1 >= 0 AND $2 = 0 ORDER BY families DESC, id",
	[DT_STORE_HOSTS] = ("SELECT h.name, max(m.time), count(*), 0 FROM members m JOIN hosts h ON h.id = m.host WHERE m.incident = $1 AND $2 = 0"
	                    " GROUP BY h.name ORDER BY count(*) DESC, h.name"),
};

enum dt_status dt_store_detail(struct dt_store *store, uint64_t incident, enum dt_store_detail what, uint64_t host, dt_store_detail_row row,
                               void *context, struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, detail_sql[what], DT_PARAMS(dt_p_int((int64_t)incident), dt_p_int((int64_t)host)), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_stored_detail detail = { dt_rows_int(&rows, 1), dt_rows_int(&rows, 2), dt_rows_int(&rows, 3), dt_rows_text(&rows, 0) };
		stop = !row(context, &detail);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_outbox(struct dt_store *store, uint64_t after, uint64_t limit, dt_store_change_row row, void *context,
                               struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, "SELECT seq, at, kind, ref, change FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2",
	                                     DT_PARAMS(dt_p_int((int64_t)after), dt_p_int(limit ? (int64_t)limit : INT64_MAX)), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_store_change change = { (uint64_t)dt_rows_int(&rows, 0), (uint64_t)dt_rows_int(&rows, 1), dt_rows_int(&rows, 2) != 0,
			                          dt_rows_text(&rows, 3), dt_rows_text(&rows, 4) };
		stop = !row(context, &change);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* Opening and keeping a store: versions, deletion, health. */
#include "fleet/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"
#include "fleet/store/migrations.h"
#include "fleet/store/rows.h"

static enum dt_status check_version(struct dt_store *store, enum dt_store_mode mode, struct dt_error *err)
{
	int version;

	DT_TRY(dt_store_version_of(store->db, &version, err));
	if (version == 0 && mode != DT_STORE_WRITE)
		return dt_fail(err, DT_ERR_NOT_FOUND, "%s holds no store; 'dumptriage scan' makes one", store->url);
	if (mode == DT_STORE_ANY)
		return DT_OK;
	if (version > dt_store_version)
		return dt_fail(err, DT_ERR_UNSUPPORTED, "the store %s has version %d, written by a newer dumptriage; this one knows up to %d", store->url,
		               version, dt_store_version);
	if (version == dt_store_version)
		return DT_OK;
	if (mode == DT_STORE_UPGRADE || (mode == DT_STORE_WRITE && version == 0))
		return dt_store_migrate(store->db, err);
	return dt_fail(err, DT_ERR_UNSUPPORTED, "the store %s has version %d, this program writes %d: type 'dumptriage store upgrade --db %s'",
	               store->url, version, dt_store_version, store->url);
}

enum dt_status dt_store_open(struct dt_store **out, const char *url, enum dt_store_mode mode, struct dt_error *err)
{
	struct dt_store *store = calloc(1, sizeof(*store));
	struct dt_buf masked;
	enum dt_status status;

	if (!store)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_buf_init(&masked, 4096);
	dt_sql_url_mask(url, &masked);
	snprintf(store->url, sizeof(store->url), "%s", dt_buf_text(&masked));
	dt_buf_deinit(&masked);
	dt_buf_init(&store->scratch, DT_MAX_RECORD);
	dt_buf_init(&store->packed, DT_MAX_RECORD + (1u << 20));
	dt_arena_init(&store->arena, DT_BATCH_BYTES);
	dt_arena_init(&store->work, DT_BATCH_BYTES);
	store->packer = dt_packer_create();
	status = store->packer ? dt_sql_open(&store->db, url, mode == DT_STORE_WRITE, err)
	                       : dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (status == DT_OK)
		status = check_version(store, mode, err);
	if (status != DT_OK) {
		dt_store_close(store);
		return status;
	}
	*out = store;
	return DT_OK;
}

void dt_store_close(struct dt_store *store)
{
	if (!store)
		return;
	if (store->db)
		store->db->driver->close(store->db);
	dt_packer_destroy(store->packer);
	dt_buf_deinit(&store->scratch);
	dt_buf_deinit(&store->packed);
	dt_arena_deinit(&store->arena);
	dt_arena_deinit(&store->work);
	dt_cache_deinit(&store->hosts);
	dt_cache_deinit(&store->incidents);
	free(store->batch);
	free(store->parts);
	free(store);
}

bool dt_store_away(const struct dt_store *store)
{
	return store->db->lost || store->db->retry || store->db->full;
}

/* ---- deletion ------------------------------------------------------------- */

struct doomed {
	char (*keys)[48];
	size_t count, room;
	bool failed;
};

static bool doom(void *context, const struct dt_stored *row)
{
	struct doomed *doomed = context;

	if (doomed->count == doomed->room) {
		size_t room = doomed->room ? doomed->room * 2 : 256;
		void *more = realloc(doomed->keys, room * sizeof(*doomed->keys));
		if (!more) {
			doomed->failed = true;
			return false;
		}
		doomed->keys = more;
		doomed->room = room;
	}
	snprintf(doomed->keys[doomed->count++], sizeof(*doomed->keys), "%s", row->key);
	return true;
}

static enum dt_status remove_key(struct dt_store *store, const char *key, struct dt_error *err)
{
	struct dt_crash_row row;
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT " DT_CRASH_COLUMNS " FROM crashes c LEFT JOIN hosts h ON h.id = c.host WHERE c.key = $1",
	                                   DT_PARAMS(dt_p_text(key)), &rows, err);

	if (status == DT_OK)
		dt_row_read(&rows, &store->work, &row);
	dt_rows_end(&rows);
	if (status != DT_OK)
		return status == DT_ERR_NOT_FOUND ? DT_OK : status;
	DT_TRY(dt_remove_row(store, &row, err));
	return dt_sql_run(store->db, "INSERT INTO tombstones (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
	                  DT_PARAMS(dt_p_text(key), dt_p_int((int64_t)store->now)), err);
}

static enum dt_status remove_some(struct dt_store *store, char (*keys)[48], size_t count, struct dt_error *err)
{
	enum dt_status status = dt_begin_write(store, err);

	for (size_t i = 0; i < count && status == DT_OK; i++)
		status = remove_key(store, keys[i], err);
	if (status == DT_OK)
		status = dt_tally_apply(store, err);
	return dt_finish(store, status, err);
}

enum dt_status dt_store_remove(struct dt_store *store, const struct dt_store_query *query, bool dry, uint64_t *removed, struct dt_error *err)
{
	struct doomed doomed = { 0 };
	enum dt_status status = dt_store_each(store, query, doom, &doomed, err);

	if (status == DT_OK && doomed.failed)
		status = dt_fail(err, DT_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < doomed.count && status == DT_OK && !dry; i += 256)
		status = remove_some(store, doomed.keys + i, doomed.count - i < 256 ? doomed.count - i : 256, err);
	if (status == DT_OK)
		*removed = doomed.count;
	free(doomed.keys);
	return status;
}

/* ---- health ---------------------------------------------------------------- */

static enum dt_status count(struct dt_store *store, const char *sql, uint64_t *out, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, sql, DT_NO_PARAMS, &rows, err);

	*out = status == DT_OK ? (uint64_t)dt_rows_int(&rows, 0) : 0;
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* What is kept twice, as queries that count where the two disagree. */
static const struct { const char *what, *sql; } agreements[] = {
	{ "crashes without a record", "SELECT count(*) FROM crashes c LEFT JOIN records r ON r.crash = c.id WHERE r.crash IS NULL" },
	{ "records without a crash", "SELECT count(*) FROM records r LEFT JOIN crashes c ON r.crash = c.id WHERE c.id IS NULL" },
	{ "files that point at no crash", "SELECT count(*) FROM files f LEFT JOIN crashes c ON f.crash = c.id WHERE f.crash IS NOT NULL AND c.id IS NULL" },
	{ "deleted crashes that are there", "SELECT count(*) FROM tombstones t JOIN crashes c ON c.key = t.key" },
	{ "members without a crash", "SELECT count(*) FROM members m LEFT JOIN crashes c ON c.id = m.crash WHERE c.id IS NULL OR c.host <> m.host" },
	{ "crashes missing among the fleet's members",
	  "SELECT count(*) FROM crashes c WHERE c.own IS NOT NULL AND c.family IS NOT NULL AND NOT EXISTS"
	  " (SELECT 1 FROM members m JOIN incidents i ON i.id = m.incident WHERE i.kind = 0 AND m.host = c.host"
	  " AND m.time = CASE WHEN c.time_ok = 1 THEN COALESCE(c.time, 0) ELSE 0 END AND m.crash = c.id)" },
	{ "incidents whose counts differ from their members",
	  "SELECT count(*) FROM incidents i LEFT JOIN (SELECT incident, count(*) AS n, count(DISTINCT CASE WHEN host > 0 THEN host END) AS hosts,"
	  " CAST(sum(CASE WHEN host = 0 THEN 1 ELSE 0 END) AS BIGINT) AS unknown, CAST(sum(CASE WHEN time = 0 THEN 1 ELSE 0 END) AS BIGINT) AS untimed,"
	  " min(CASE WHEN time > 0 THEN time END) AS first, max(CASE WHEN time > 0 THEN time END) AS last"
	  " FROM members GROUP BY incident) m ON m.incident = i.id"
	  " WHERE i.crashes <> COALESCE(m.n, 0) OR i.hosts <> COALESCE(m.hosts, 0) OR i.unknown_hosts <> COALESCE(m.unknown, 0)"
	  " OR i.untimed <> COALESCE(m.untimed, 0) OR COALESCE(i.first, 0) <> COALESCE(m.first, 0) OR COALESCE(i.last, 0) <> COALESCE(m.last, 0)" },
	{ "hours that differ from the members",
	  "SELECT count(*) FROM hours h LEFT JOIN (SELECT incident, time / 3600 AS hour, count(*) AS n FROM members WHERE time > 0"
	  " GROUP BY incident, time / 3600) m ON m.incident = h.incident AND m.hour = h.hour WHERE h.crashes <> COALESCE(m.n, 0)" },
};

struct audit {
	struct dt_arena arena;
	struct dt_store_health *out;
};

static void problem(struct dt_store_health *out, uint64_t count, const char *what)
{
	if (count && !out->problems)
		snprintf(out->problem, sizeof(out->problem), "%llu %s", (unsigned long long)count, what);
	out->problems += count;
}

static bool audit_row(void *context, const struct dt_stored *row)
{
	struct audit *audit = context;
	struct dt_crash crash;
	struct dt_error err = { 0 };

	dt_arena_reset(&audit->arena);
	if (dt_store_unpack(row, &audit->arena, &crash, &err) != DT_OK)
		problem(audit->out, 1, err.text);
	else if ((crash.judgement.verdict.class != row->class) || (crash.facts.crash_id && strcmp(crash.facts.crash_id, row->key) != 0))
		problem(audit->out, 1, "record that differs from its columns");
	return true;
}

static enum dt_status deep_check(struct dt_store *store, struct dt_store_health *out, struct dt_error *err)
{
	struct audit audit = { .out = out };
	struct dt_rows rows;
	uint64_t n;

	if (store->db->driver->integrity) {
		enum dt_status status = dt_sql_one(store->db, store->db->driver->integrity, DT_NO_PARAMS, &rows, err);
		const char *said = status == DT_OK ? dt_rows_text(&rows, 0) : "ok";
		if (said && strcmp(said, "ok") != 0)
			problem(out, 1, said);
		dt_rows_end(&rows);
	}
	for (size_t i = 0; i < sizeof(agreements) / sizeof(agreements[0]); i++) {
		DT_TRY(count(store, agreements[i].sql, &n, err));
		problem(out, n, agreements[i].what);
	}
	dt_arena_init(&audit.arena, DT_MAX_ARENA);
	enum dt_status status = dt_store_each(store, &(struct dt_store_query){ .records = true }, audit_row, &audit, err);
	dt_arena_deinit(&audit.arena);
	return status;
}

enum dt_status dt_store_check(struct dt_store *store, bool deep, struct dt_store_health *out, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status;

	memset(out, 0, sizeof(*out));
	snprintf(out->url, sizeof(out->url), "%s", store->url);
	DT_TRY(dt_store_version_of(store->db, &out->version, err));
	if (out->version != dt_store_version)
		return DT_OK;
	DT_TRY(count(store, "SELECT count(*) FROM files", &out->files, err));
	DT_TRY(count(store, "SELECT count(*) FROM incidents WHERE kind > 0 AND crashes > 0", &out->incidents, err));
	DT_TRY(count(store, "SELECT count(*) FROM hosts", &out->hosts, err));
	DT_TRY(count(store, "SELECT count(*) FROM outbox", &out->changes, err));
	DT_TRY(count(store, "SELECT count(*) FROM tombstones", &out->tombstones, err));
	status = dt_sql_query(store->db, "SELECT class, count(*) FROM crashes GROUP BY class", DT_NO_PARAMS, &rows, err);
	while (status == DT_OK && (status = dt_rows_next(&rows, err)) == DT_OK) {
		int64_t class = dt_rows_int(&rows, 0);
		if (class >= 0 && class < DT_verdict_class_COUNT)
			out->classes[class] = (uint64_t)dt_rows_int(&rows, 1);
		out->crashes += (uint64_t)dt_rows_int(&rows, 1);
	}
	dt_rows_end(&rows);
	if (status != DT_ERR_NOT_FOUND)
		return status;
	return deep ? deep_check(store, out, err) : DT_OK;
}

enum dt_status dt_store_backup(struct dt_store *store, const char *path, struct dt_error *err)
{
	return store->db->driver->backup(store->db, path, err);
}

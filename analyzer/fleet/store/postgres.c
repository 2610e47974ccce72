/*
 * The store on PostgreSQL. Statements whose result does not matter are sent in
 * a pipeline and looked at with the next query: a batch costs few round trips.
 *
 * Nobody waits for ever. A statement has the time that statement_timeout gives it (two minutes where nobody set one; `options=-c
 * statement_timeout=...` in the URL does); a server that has not answered some seconds after that hangs, and the connection is given up: a
 * process that is stopped, or a disk that is, keeps its connections open. A machine that is gone is found by TCP.
 */
#include "fleet/store/sql.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"

enum { STATEMENTS = 128, MAX_PARAMS = 32, OID_INT8 = 20, OID_TEXT = 25, OID_BYTEA = 17, MAX_PENDING = 256 };
enum { STATEMENT_MS = 120000, GRACE_MS = 10000, SCRIPT_MS = 3600000 };

struct postgres {
	struct dt_sql base;
	PGconn *connection;
	const char *statements[STATEMENTS]; /* prepared, by number */
	size_t count;
	unsigned pending; /* results that nobody looked at yet */
	bool listening;   /* for changes of the outbox */
	bool hung;        /* did not answer in time: given up */
	int64_t answer_ms; /* how long an answer may take */
	char name[128];   /* host and database, for messages */
};

static enum dt_status fail(struct postgres *db, const PGresult *result, struct dt_error *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	char line[256];

	snprintf(line, sizeof(line), "%s", text && *text ? text : PQerrorMessage(db->connection));
	line[strcspn(line, "\n")] = '\0';
	/* 57014: the statement took longer than it may. */
	db->base.lost = db->hung || PQstatus(db->connection) != CONNECTION_OK ||
	                (state && (!strncmp(state, "57P", 3) || !strncmp(state, "08", 2) || !strcmp(state, "57014")));
	db->base.retry = state && (!strcmp(state, "40001") || !strcmp(state, "40P01") || !strcmp(state, "55P03"));
	db->base.full = state && !strcmp(state, "53100");
	return dt_fail(err, DT_ERR_IO, "%s: %s", db->name, line);
}

/* Until the next result is there, or the connection broke. */
static bool wait_result(struct postgres *db, int64_t timeout_ms)
{
	int64_t end = dt_time_steady_ms() + timeout_ms;

	for (;;) {
		int left = PQflush(db->connection);
		if (left < 0 || PQsocket(db->connection) < 0 || !PQisBusy(db->connection))
			return true;
		struct pollfd ready = { .fd = PQsocket(db->connection), .events = (short)(POLLIN | (left ? POLLOUT : 0)) };
		int64_t rest = end - dt_time_steady_ms();
		int n = rest > 0 ? poll(&ready, 1, (int)rest) : 0;
		if (n == 0)
			return false;
		if (n > 0 && (ready.revents & ~POLLOUT) && !PQconsumeInput(db->connection))
			return true;
		if (n < 0 && errno != EINTR)
			return true;
	}
}

/* PQgetResult() that does not wait for ever; DT_ERR_IO: in vain, and the connection is of no more use. */
static enum dt_status get_result(struct postgres *db, int64_t timeout_ms, PGresult **out, struct dt_error *err)
{
	*out = NULL;
	if (!db->hung && wait_result(db, timeout_ms)) {
		*out = PQgetResult(db->connection);
		return DT_OK;
	}
	db->hung = db->base.lost = true;
	return dt_fail(err, DT_ERR_IO, "%s: no answer within %lld s", db->name, (long long)(timeout_ms / 1000));
}

/* Two NULLs in a row: nothing more is under way. */
static enum dt_status drop_results(struct postgres *db, struct dt_error *err)
{
	PGresult *result;
	unsigned empty = 0;

	while (empty < 2) {
		enum dt_status status = get_result(db, db->answer_ms, &result, err);
		if (status != DT_OK)
			return status;
		empty = result ? 0 : empty + 1;
		PQclear(result);
	}
	db->pending = 0;
	return DT_OK;
}

/* Looks at all results so far; the last statement's own one goes to *last. */
static enum dt_status drain(struct postgres *db, PGresult **last, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	bool done = false;

	if (!db->hung && !PQpipelineSync(db->connection))
		return fail(db, NULL, err);
	while (!done) {
		PGresult *result;
		if (get_result(db, db->answer_ms, &result, status == DT_OK ? err : NULL) != DT_OK)
			return status == DT_OK ? DT_ERR_IO : status;
		ExecStatusType type = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;
		if (!result && PQstatus(db->connection) != CONNECTION_OK)
			return status == DT_OK ? fail(db, NULL, err) : status;
		if (!result)
			continue;
		done = type == PGRES_PIPELINE_SYNC;
		if (type == PGRES_FATAL_ERROR && status == DT_OK)
			status = fail(db, result, err);
		if (last && type == PGRES_TUPLES_OK) {
			PQclear(*last);
			*last = result;
		} else {
			PQclear(result);
		}
		if (!done && PQstatus(db->connection) != CONNECTION_OK)
			return status == DT_OK ? fail(db, NULL, err) : status;
	}
	db->pending = 0;
	return status;
}

static Oid oid(const struct dt_param *param)
{
	return param->type == DT_PARAM_INT ? OID_INT8 : param->type == DT_PARAM_TEXT ? OID_TEXT : OID_BYTEA;
}

/* The name of a prepared statement. It is prepared on first use, and only what is known to be prepared counts. */
static enum dt_status prepared(struct postgres *db, const char *sql, const struct dt_param *params, size_t count, char name[16],
                               struct dt_error *err)
{
	Oid types[MAX_PARAMS];
	enum dt_status status;
	size_t at = 0;

	while (at < db->count && db->statements[at] != sql)
		at++;
	snprintf(name, 16, "s%zu", at);
	if (at < db->count)
		return DT_OK;
	if (at == STATEMENTS || count > MAX_PARAMS)
		return dt_fail(err, DT_ERR_LIMIT, "too many statements");
	for (size_t i = 0; i < count; i++)
		types[i] = oid(&params[i]);
	status = drain(db, NULL, err);
	if (status == DT_OK && !PQsendPrepare(db->connection, name, sql, (int)count, types))
		status = fail(db, NULL, err);
	if (status == DT_OK)
		status = drain(db, NULL, err);
	if (status == DT_OK)
		db->statements[db->count++] = sql;
	return status;
}

static enum dt_status send_query(struct postgres *db, const char *sql, const struct dt_param *params, size_t count, struct dt_error *err)
{
	const char *values[MAX_PARAMS];
	uint64_t numbers[MAX_PARAMS];
	int lengths[MAX_PARAMS], formats[MAX_PARAMS];
	char name[16];

	enum dt_status status = prepared(db, sql, params, count, name, err);
	if (status != DT_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = htobe64((uint64_t)params[i].number);
		values[i] = params[i].null ? NULL : params[i].type == DT_PARAM_INT ? (const char *)&numbers[i] : params[i].data;
		lengths[i] = params[i].type == DT_PARAM_INT ? 8 : (int)params[i].len;
		formats[i] = 1;
	}
	db->pending++;
	return PQsendQueryPrepared(db->connection, name, (int)count, values, lengths, formats, 1) ? DT_OK : fail(db, NULL, err);
}

static enum dt_status run(struct dt_sql *base, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                          struct dt_error *err)
{
	struct postgres *db = (struct postgres *)base;
	PGresult *result = NULL;
	enum dt_status status;
	/* What ends a transaction must be known to have happened. */
	bool ends = !strcmp(sql, "COMMIT") || !strcmp(sql, "ROLLBACK");

	status = send_query(db, sql, params, count, err);
	if (status != DT_OK)
		return status;
	if (!rows && !ends && db->pending < MAX_PENDING)
		return DT_OK;
	status = drain(db, rows ? &result : NULL, err);
	if (status != DT_OK) {
		PQclear(result);
		return status;
	}
	if (rows) {
		rows->handle = result;
		rows->row = -1;
		rows->count = result ? PQntuples(result) : 0;
	}
	return DT_OK;
}

static enum dt_status next(struct dt_rows *rows, struct dt_error *err)
{
	(void)err;
	return ++rows->row < rows->count ? DT_OK : DT_ERR_NOT_FOUND;
}

static void end(struct dt_rows *rows)
{
	PQclear(rows->handle);
}

static bool is_null(const struct dt_rows *rows, int column)
{
	return PQgetisnull(rows->handle, rows->row, column);
}

static int64_t number(const struct dt_rows *rows, int column)
{
	const char *value = PQgetvalue(rows->handle, rows->row, column);
	uint64_t wide;
	uint32_t narrow;

	if (PQgetlength(rows->handle, rows->row, column) == 8) {
		memcpy(&wide, value, 8);
		return (int64_t)be64toh(wide);
	}
	memcpy(&narrow, value, 4);
	return (int32_t)ntohl(narrow);
}

static struct dt_bytes bytes(const struct dt_rows *rows, int column)
{
	return (struct dt_bytes){ (const uint8_t *)PQgetvalue(rows->handle, rows->row, column),
		                  (size_t)PQgetlength(rows->handle, rows->row, column) };
}

/* Statements as one text, outside of a pipeline. *last: the last one's rows, to be cleared; NULL none. */
static enum dt_status simple(struct postgres *db, const char *text, int64_t timeout_ms, PGresult **last, struct dt_error *err)
{
	PGresult *result;
	enum dt_status status = PQsendQuery(db->connection, text) ? DT_OK : fail(db, NULL, err), more = DT_OK;

	*last = NULL;
	while (more == DT_OK) {
		more = get_result(db, timeout_ms, &result, status == DT_OK ? err : NULL);
		if (!result)
			break;
		ExecStatusType type = PQresultStatus(result);
		if (type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK && status == DT_OK)
			status = fail(db, result, err);
		PQclear(*last);
		*last = result;
	}
	return status == DT_OK ? more : status;
}

static enum dt_status script_within(struct postgres *db, const char *text, int64_t timeout_ms, struct dt_error *err)
{
	enum dt_status status = drain(db, NULL, err);
	PGresult *last;

	if (status != DT_OK)
		return status;
	if (!PQexitPipelineMode(db->connection))
		return fail(db, NULL, err);
	status = simple(db, text, timeout_ms, &last, err);
	PQclear(last);
	if (status == DT_OK)
		status = drop_results(db, err);
	else
		(void)drop_results(db, NULL);
	if (!PQenterPipelineMode(db->connection) && status == DT_OK)
		status = fail(db, NULL, err);
	return status;
}

/* An upgrade may build an index over everything. */
static enum dt_status script(struct dt_sql *base, const char *text, struct dt_error *err)
{
	return script_within((struct postgres *)base, text, SCRIPT_MS, err);
}

static enum dt_status backup(struct dt_sql *base, const char *path, struct dt_error *err)
{
	(void)base;
	(void)path;
	return dt_fail(err, DT_ERR_UNSUPPORTED, "PostgreSQL has its own backups: pg_dump, or a base backup; "
	               "'dumptriage store export' writes the records as JSON lines");
}

static void close_postgres(struct dt_sql *base)
{
	struct postgres *db = (struct postgres *)base;

	PQfinish(db->connection);
	free(db);
}

/* Other programs' commits are told by the trigger on the outbox. Whoever waits listens from then on. */
static void wait_commit(struct dt_sql *base, int timeout_ms)
{
	struct postgres *db = (struct postgres *)base;
	struct pollfd ready = { .events = POLLIN };
	bool told = false;

	if (!db->listening)
		db->listening = script_within(db, "LISTEN dumptriage_outbox", db->answer_ms, NULL) == DT_OK;
	ready.fd = PQsocket(db->connection);
	if (!db->listening || ready.fd < 0) {
		(void)poll(NULL, 0, timeout_ms);
		return;
	}
	for (unsigned turn = 0; turn < 2 && !told; turn++) {
		PGnotify *note;
		if (!PQconsumeInput(db->connection))
			return;
		while ((note = PQnotifies(db->connection))) {
			told = true;
			PQfreemem(note);
		}
		if (!told && !turn)
			(void)poll(&ready, 1, timeout_ms);
	}
}

static const struct dt_sql_driver driver = {
	.name = "postgresql",
	.run = run,
	.next = next,
	.end = end,
	.is_null = is_null,
	.number = number,
	.bytes = bytes,
	.script = script,
	.backup = backup,
	.close = close_postgres,
	.begin_write = "BEGIN",
	.begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.begin_feed = "BEGIN ISOLATION LEVEL REPEATABLE READ",
	.transaction = "(pg_current_xact_id()::text::bigint)",
	.notify = "CREATE FUNCTION dumptriage_outbox_told() RETURNS trigger LANGUAGE plpgsql AS"
	          " 'BEGIN NOTIFY dumptriage_outbox; RETURN NULL; END';"
	          "CREATE TRIGGER outbox_told AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION dumptriage_outbox_told();",
	.horizon = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807",
	.wait = wait_commit,
	.blob = "BYTEA",
	.text = "TEXT COLLATE \"C\"",
	.serial = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
	.narrow = "",
};

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

/* What the session keeps to. A program that was stopped within a transaction does not keep the others from writing. */
static enum dt_status begin_session(struct postgres *db, struct dt_error *err)
{
	static const char text[] = "SET synchronous_commit = on;"
	                           "SELECT set_config('idle_in_transaction_session_timeout', '300000', false) FROM pg_settings"
	                           " WHERE name = 'idle_in_transaction_session_timeout' AND setting = '0';"
	                           "SELECT set_config('statement_timeout', CASE setting WHEN '0' THEN '120000' ELSE setting END, false) IS NULL,"
	                           " CASE setting WHEN '0' THEN '120000' ELSE setting END FROM pg_settings WHERE name = 'statement_timeout'";
	PGresult *last;
	enum dt_status status = simple(db, text, db->answer_ms, &last, err);

	if (status == DT_OK && PQntuples(last) == 1)
		db->answer_ms = strtoll(PQgetvalue(last, 0, 1), NULL, 10) + GRACE_MS;
	PQclear(last);
	if (status == DT_OK && (PQsetnonblocking(db->connection, 1) || !PQenterPipelineMode(db->connection)))
		status = fail(db, NULL, err);
	return status;
}

enum dt_status dt_postgres_open(struct dt_sql **out, const char *url, struct dt_error *err)
{
	/* What stands before the URL counts less than what is in it. */
	static const char *const names[] = { "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
		                             "dbname", "client_encoding", "application_name", NULL };
	const char *const values[] = { "10", "30", "10", "3", "60000", url, "UTF8", "dumptriage", NULL };
	struct postgres *db = calloc(1, sizeof(*db));

	if (!db)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	db->base.driver = &driver;
	db->answer_ms = STATEMENT_MS + GRACE_MS;
	snprintf(db->name, sizeof(db->name), "postgresql");
	db->connection = PQconnectdbParams(names, values, 1);
	if (PQstatus(db->connection) != CONNECTION_OK) {
		enum dt_status status = fail(db, NULL, err);
		close_postgres(&db->base);
		return status;
	}
	snprintf(db->name, sizeof(db->name), "postgresql %s/%s", PQhost(db->connection), PQdb(db->connection));
	PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
	enum dt_status status = begin_session(db, err);
	if (status != DT_OK)
		close_postgres(&db->base);
	else
		*out = &db->base;
	return status;
}

/*
 * sql.h - the little of SQL that the store needs, alike on SQLite and PostgreSQL.
 * Private to fleet/store.
 *
 * One SQL text serves both: parameters are $1, $2 ... and appear in that order
 * for the first time; every integer column is BIGINT; sums are cast to BIGINT. What the two write
 * differently in table definitions stands in braces and is filled in by dt_sql_script().
 *
 * A statement's text is a string constant: its address is the key under which it stays prepared.
 */
#ifndef DT_STORE_SQL_H
#define DT_STORE_SQL_H

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

enum dt_param_type { DT_PARAM_INT, DT_PARAM_TEXT, DT_PARAM_BLOB };

struct dt_param {
	enum dt_param_type type;
	bool null;
	int64_t number;
	const void *data; /* TEXT, BLOB: borrowed for the call */
	size_t len;
};

struct dt_param dt_p_int(int64_t value);
struct dt_param dt_p_int_or_null(bool known, int64_t value);
struct dt_param dt_p_text(const char *text); /* NULL: null */
struct dt_param dt_p_blob(struct dt_bytes bytes);
#define DT_PARAMS(...) (const struct dt_param[]){ __VA_ARGS__ }, sizeof((const struct dt_param[]){ __VA_ARGS__ }) / sizeof(struct dt_param)
#define DT_NO_PARAMS NULL, 0

struct dt_sql;

/* The result of a query, row by row. */
struct dt_rows {
	struct dt_sql *db;
	void *handle;
	int row, count; /* PostgreSQL */
	bool begun;
};

struct dt_sql_driver {
	const char *name;
	/* Runs a statement. rows NULL: its result does not matter, and it may be sent later, at the
	 * latest with the next query or commit, whose failure then tells of it. */
	enum dt_status (*run)(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count,
	                      struct dt_rows *rows, struct dt_error *err);
	/* DT_OK a row, DT_ERR_NOT_FOUND no more. */
	enum dt_status (*next)(struct dt_rows *rows, struct dt_error *err);
	void (*end)(struct dt_rows *rows);
	bool (*is_null)(const struct dt_rows *rows, int column);
	int64_t (*number)(const struct dt_rows *rows, int column);
	struct dt_bytes (*bytes)(const struct dt_rows *rows, int column);
	/* Several statements without parameters, as one text. */
	enum dt_status (*script)(struct dt_sql *db, const char *text, struct dt_error *err);
	enum dt_status (*backup)(struct dt_sql *db, const char *path, struct dt_error *err);
	void (*close)(struct dt_sql *db);
	const char *begin_write; /* starts a transaction that no other writer overlaps */
	const char *begin_read;  /* starts a transaction that sees one state */
	const char *begin_feed;  /* starts a transaction that writes what no other writer counts */
	const char *blob, *text, *serial, *narrow; /* what stands for {blob}, {text}, {serial}, {narrow} */
	const char *transaction; /* for {transaction}: the number of the writing transaction; 0 where transactions commit in the order of their rows */
	const char *notify;      /* for {notify}: what wakes who waits for the outbox */
	/* A query of one row (transaction, number): of the outbox, all up to that is visible to whoever reads from now on. */
	const char *horizon;
	/* Waits until another program committed, or for so long. */
	void (*wait)(struct dt_sql *db, int timeout_ms);
	const char *integrity;  /* a query whose one row is "ok"; NULL: none */
};

struct dt_sql {
	const struct dt_sql_driver *driver;
	bool retry; /* the last failure goes away when the transaction is tried again */
	bool lost;  /* the connection is gone */
	bool full;  /* no space left */
};

/* Opens by URL: sqlite:PATH, a bare path, postgresql://... or postgres://... create: a SQLite file is made when it is not
 * there. DT_ERR_USAGE, DT_ERR_IO, DT_ERR_NOT_FOUND (a file that is not there). */
enum dt_status dt_sql_open(struct dt_sql **out, const char *url, bool create, struct dt_error *err);
enum dt_status dt_sqlite_open(struct dt_sql **out, const char *path, bool create, struct dt_error *err);
enum dt_status dt_postgres_open(struct dt_sql **out, const char *url, struct dt_error *err);
/* "sqlite:/x" or the URL without its password, for messages. */
void dt_sql_url_mask(const char *url, struct dt_buf *out);

enum dt_status dt_sql_run(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_error *err);
/* The one row of a query: DT_OK with rows standing on it, DT_ERR_NOT_FOUND. The caller ends it in both cases. */
enum dt_status dt_sql_one(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                          struct dt_error *err);
enum dt_status dt_sql_query(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                            struct dt_error *err);
enum dt_status dt_rows_next(struct dt_rows *rows, struct dt_error *err);
void dt_rows_end(struct dt_rows *rows);
bool dt_rows_null(const struct dt_rows *rows, int column);
int64_t dt_rows_int(const struct dt_rows *rows, int column);
/* Borrowed until the next row. Text has a NUL behind; NULL for null. */
const char *dt_rows_text(const struct dt_rows *rows, int column);
struct dt_bytes dt_rows_blob(const struct dt_rows *rows, int column);
/* Runs a script with the driver's words for {blob}, {text}, {serial}, {narrow}. */
enum dt_status dt_sql_script(struct dt_sql *db, const char *text, struct dt_error *err);

#endif

/* The store on SQLite: one file, write-ahead log, one writer at a time. */
#include "fleet/store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "core/base/arena.h"

enum { BUSY_MS = 60000, OPEN_TRIES = 100, STATEMENTS = 128, WAIT_STEP_MS = 50 };

struct sqlite {
	struct dt_sql base;
	sqlite3 *db;
	struct { const char *sql; sqlite3_stmt *handle; } statements[STATEMENTS];
	size_t count;
	char *path;
};

/* SQLite's locks and its shared memory need a local file system. */
static const struct { long type; const char *name; } refused[] = {
	{ NFS_SUPER_MAGIC, "NFS" }, { SMB_SUPER_MAGIC, "SMB" },  { 0xFF534D42L, "CIFS" },
	{ 0xFE534D42L, "SMB" },     { FUSE_SUPER_MAGIC, "FUSE" },
};

static enum dt_status fail(struct sqlite *db, const char *what, struct dt_error *err)
{
	int code = db->db ? sqlite3_extended_errcode(db->db) : SQLITE_NOMEM, primary = code & 0xFF;

	db->base.retry = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
	db->base.full = primary == SQLITE_FULL;
	db->base.lost = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
	if (primary == SQLITE_NOMEM)
		return dt_fail(err, DT_ERR_NOMEM, "%s: no memory", db->path);
	return dt_fail(err, DT_ERR_IO, "%s: %s: %s", db->path, what, db->db ? sqlite3_errmsg(db->db) : "no memory");
}

static sqlite3_stmt *prepared(struct sqlite *db, const char *sql)
{
	sqlite3_stmt *handle = NULL;

	for (size_t i = 0; i < db->count; i++)
		if (db->statements[i].sql == sql)
			return db->statements[i].handle;
	if (db->count == STATEMENTS || sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) != SQLITE_OK)
		return NULL;
	db->statements[db->count].sql = sql;
	db->statements[db->count++].handle = handle;
	return handle;
}

/* A query is stepped after its parameters went out of sight: then they are copied. */
static int bind(sqlite3_stmt *handle, int at, const struct dt_param *param, sqlite3_destructor_type keep)
{
	if (param->null)
		return sqlite3_bind_null(handle, at);
	switch (param->type) {
	case DT_PARAM_INT:
		return sqlite3_bind_int64(handle, at, param->number);
	case DT_PARAM_TEXT:
		return sqlite3_bind_text64(handle, at, param->data, param->len, keep, SQLITE_UTF8);
	case DT_PARAM_BLOB:
	default:
		return sqlite3_bind_blob64(handle, at, param->data, param->len, keep);
	}
}

static enum dt_status run(struct dt_sql *base, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                          struct dt_error *err)
{
	struct sqlite *db = (struct sqlite *)base;
	sqlite3_stmt *handle = prepared(db, sql);
	int code = SQLITE_OK;

	if (!handle)
		return fail(db, "prepare", err);
	for (size_t i = 0; i < count && code == SQLITE_OK; i++)
		code = bind(handle, (int)i + 1, &params[i], rows ? SQLITE_TRANSIENT : SQLITE_STATIC);
	if (code == SQLITE_OK && rows) {
		rows->handle = handle;
		return DT_OK;
	}
	if (code == SQLITE_OK)
		while ((code = sqlite3_step(handle)) == SQLITE_ROW)
			;
	enum dt_status status = code == SQLITE_OK || code == SQLITE_DONE ? DT_OK : fail(db, "write", err);
	sqlite3_reset(handle);
	sqlite3_clear_bindings(handle);
	return status;
}

static enum dt_status next(struct dt_rows *rows, struct dt_error *err)
{
	int code = sqlite3_step(rows->handle);

	if (code == SQLITE_ROW)
		return DT_OK;
	return code == SQLITE_DONE ? DT_ERR_NOT_FOUND : fail((struct sqlite *)rows->db, "read", err);
}

static void end(struct dt_rows *rows)
{
	sqlite3_reset(rows->handle);
	sqlite3_clear_bindings(rows->handle);
}

static bool is_null(const struct dt_rows *rows, int column)
{
	return sqlite3_column_type(rows->handle, column) == SQLITE_NULL;
}

static int64_t number(const struct dt_rows *rows, int column)
{
	return sqlite3_column_int64(rows->handle, column);
}

static struct dt_bytes bytes(const struct dt_rows *rows, int column)
{
	bool text = sqlite3_column_type(rows->handle, column) == SQLITE_TEXT;
	const void *data = text ? (const void *)sqlite3_column_text(rows->handle, column) : sqlite3_column_blob(rows->handle, column);

	return (struct dt_bytes){ data, (size_t)sqlite3_column_bytes(rows->handle, column) };
}

static enum dt_status script(struct dt_sql *base, const char *text, struct dt_error *err)
{
	struct sqlite *db = (struct sqlite *)base;

	return sqlite3_exec(db->db, text, NULL, NULL, NULL) == SQLITE_OK ? DT_OK : fail(db, "script", err);
}

/* A copy that other processes' writes do not disturb, complete or not there. */
static enum dt_status backup(struct dt_sql *base, const char *path, struct dt_error *err)
{
	struct sqlite *db = (struct sqlite *)base;
	sqlite3 *to = NULL;
	int code;

	if (access(path, F_OK) == 0)
		return dt_fail(err, DT_ERR_USAGE, "%s exists already", path);
	code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	sqlite3_backup *copy = code == SQLITE_OK ? sqlite3_backup_init(to, "main", db->db, "main") : NULL;
	if (copy) {
		do {
			code = sqlite3_backup_step(copy, 1024);
		} while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
		code = sqlite3_backup_finish(copy);
	}
	enum dt_status status = copy && code == SQLITE_OK ? DT_OK : dt_fail(err, DT_ERR_IO, "%s: %s", path, to ? sqlite3_errmsg(to) : "no memory");
	sqlite3_close(to);
	if (status != DT_OK)
		unlink(path);
	return status;
}

static void close_sqlite(struct dt_sql *base)
{
	struct sqlite *db = (struct sqlite *)base;

	for (size_t i = 0; i < db->count; i++)
		sqlite3_finalize(db->statements[i].handle);
	sqlite3_close(db->db);
	free(db->path);
	free(db);
}

/* The number that other connections' commits change. */
static int64_t data_version(struct sqlite *db)
{
	sqlite3_stmt *handle = prepared(db, "PRAGMA data_version");
	int64_t version = handle && sqlite3_step(handle) == SQLITE_ROW ? sqlite3_column_int64(handle, 0) : 0;

	if (handle)
		sqlite3_reset(handle);
	return version;
}

static void wait_commit(struct dt_sql *base, int timeout_ms)
{
	struct sqlite *db = (struct sqlite *)base;
	int64_t before = data_version(db);

	for (int waited = 0; waited < timeout_ms && data_version(db) == before; waited += WAIT_STEP_MS)
		nanosleep(&(struct timespec){ 0, WAIT_STEP_MS * 1000000L }, NULL);
}

static const struct dt_sql_driver driver = {
	.name = "sqlite",
	.run = run,
	.next = next,
	.end = end,
	.is_null = is_null,
	.number = number,
	.bytes = bytes,
	.script = script,
	.backup = backup,
	.close = close_sqlite,
	.begin_write = "BEGIN IMMEDIATE",
	.begin_read = "BEGIN",
	.begin_feed = "BEGIN IMMEDIATE",
	.transaction = "0",
	.notify = "",
	.horizon = "SELECT 0, COALESCE(max(seq), 0) FROM outbox",
	.wait = wait_commit,
	.blob = "BLOB",
	.text = "TEXT",
	.serial = "INTEGER PRIMARY KEY AUTOINCREMENT",
	.narrow = " WITHOUT ROWID",
	.integrity = "PRAGMA quick_check(1)",
};

static enum dt_status check_file_system(const char *path, struct dt_error *err)
{
	char folder[4096];
	struct statfs info;
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (statfs(path, &info) && statfs(slash == path ? "/" : folder, &info))
		return dt_fail(err, DT_ERR_IO, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if ((unsigned long)info.f_type == (unsigned long)refused[i].type)
			return dt_fail(err, DT_ERR_IO,
			               "%s lies on %s, where SQLite's locks do not hold and the store would be damaged; "
			               "use a local disk or a postgresql:// store", path, refused[i].name);
	return DT_OK;
}

/* A checkpoint writes every page that changed: one of 100 MB of log writes the pages that many batches touch once. Who mostly reads
 * needs no large cache of its own: the system has one. */
static enum dt_status prepare(struct sqlite *db, bool writer, struct dt_error *err)
{
	static const char common[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;"
	                             "PRAGMA wal_autocheckpoint=25000; PRAGMA temp_store=MEMORY;";
	const char *cache = writer ? "PRAGMA cache_size=-24000" : "PRAGMA cache_size=-6000";

	int code = SQLITE_BUSY;

	sqlite3_busy_timeout(db->db, BUSY_MS);
	sqlite3_extended_result_codes(db->db, 1);
	/* The change to write-ahead logging does not wait for another program that makes it at the same moment. */
	for (unsigned try = 0; try < OPEN_TRIES && (code & 0xFF) == SQLITE_BUSY; try++) {
		if (try)
			nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		code = sqlite3_exec(db->db, common, NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(db->db, cache, NULL, NULL, NULL);
	return code == SQLITE_OK ? DT_OK : fail(db, "open", err);
}

enum dt_status dt_sqlite_open(struct dt_sql **out, const char *path, bool create, struct dt_error *err)
{
	struct sqlite *db;
	enum dt_status status;

	if (!*path)
		return dt_fail(err, DT_ERR_USAGE, "the store's path is empty");
	if (!create && access(path, F_OK))
		return dt_fail(err, DT_ERR_NOT_FOUND, "there is no store at %s; 'dumptriage scan' makes one", path);
	status = check_file_system(path, err);
	if (status != DT_OK)
		return status;
	db = calloc(1, sizeof(*db));
	if (!db || !(db->path = strdup(path))) {
		free(db);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	db->base.driver = &driver;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
	status = sqlite3_open_v2(path, &db->db, flags, NULL) == SQLITE_OK ? prepare(db, create, err) : fail(db, "open", err);
	if (status != DT_OK) {
		close_sqlite(&db->base);
		return status;
	}
	*out = &db->base;
	return DT_OK;
}

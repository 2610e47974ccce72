/* What is alike for all databases: URLs, parameters, scripts. */
#include "fleet/store/sql.h"

#include <string.h>

enum { MARKS = 6 };

struct dt_param dt_p_int(int64_t value)
{
	return (struct dt_param){ .type = DT_PARAM_INT, .number = value };
}

struct dt_param dt_p_int_or_null(bool known, int64_t value)
{
	return (struct dt_param){ .type = DT_PARAM_INT, .null = !known, .number = value };
}

struct dt_param dt_p_text(const char *text)
{
	return (struct dt_param){ .type = DT_PARAM_TEXT, .null = !text, .data = text, .len = text ? strlen(text) : 0 };
}

struct dt_param dt_p_blob(struct dt_bytes bytes)
{
	return (struct dt_param){ .type = DT_PARAM_BLOB, .null = !bytes.data, .data = bytes.data, .len = bytes.len };
}

static bool is_postgres(const char *url)
{
	return !strncmp(url, "postgresql://", 13) || !strncmp(url, "postgres://", 11);
}

enum dt_status dt_sql_open(struct dt_sql **out, const char *url, bool create, struct dt_error *err)
{
	if (is_postgres(url))
		return dt_postgres_open(out, url, err);
	if (!strncmp(url, "sqlite:", 7))
		return dt_sqlite_open(out, url + 7, create, err);
	if (strstr(url, "://"))
		return dt_fail(err, DT_ERR_USAGE, "a store is sqlite:PATH, a path, or postgresql://..., not '%.60s'", url);
	return dt_sqlite_open(out, url, create, err);
}

void dt_sql_url_mask(const char *url, struct dt_buf *out)
{
	const char *authority = is_postgres(url) ? strstr(url, "://") + 3 : NULL;
	const char *at = authority ? strrchr(authority, '@') : NULL;
	const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

	if (colon)
		dt_buf_printf(out, "%.*s:***%s", (int)(colon - url), url, at);
	else
		dt_buf_puts(out, url);
}

enum dt_status dt_sql_run(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_error *err)
{
	return db->driver->run(db, sql, params, count, NULL, err);
}

enum dt_status dt_sql_query(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                            struct dt_error *err)
{
	memset(rows, 0, sizeof(*rows));
	rows->db = db;
	return db->driver->run(db, sql, params, count, rows, err);
}

enum dt_status dt_sql_one(struct dt_sql *db, const char *sql, const struct dt_param *params, size_t count, struct dt_rows *rows,
                          struct dt_error *err)
{
	enum dt_status status = dt_sql_query(db, sql, params, count, rows, err);

	return status == DT_OK ? dt_rows_next(rows, err) : status;
}

enum dt_status dt_rows_next(struct dt_rows *rows, struct dt_error *err)
{
	return rows->db->driver->next(rows, err);
}

void dt_rows_end(struct dt_rows *rows)
{
	if (rows->handle)
		rows->db->driver->end(rows);
	rows->handle = NULL;
}

bool dt_rows_null(const struct dt_rows *rows, int column)
{
	return rows->db->driver->is_null(rows, column);
}

int64_t dt_rows_int(const struct dt_rows *rows, int column)
{
	return dt_rows_null(rows, column) ? 0 : rows->db->driver->number(rows, column);
}

const char *dt_rows_text(const struct dt_rows *rows, int column)
{
	return dt_rows_null(rows, column) ? NULL : (const char *)rows->db->driver->bytes(rows, column).data;
}

struct dt_bytes dt_rows_blob(const struct dt_rows *rows, int column)
{
	return dt_rows_null(rows, column) ? (struct dt_bytes){ 0 } : rows->db->driver->bytes(rows, column);
}

enum dt_status dt_sql_script(struct dt_sql *db, const char *text, struct dt_error *err)
{
	const struct dt_sql_driver *driver = db->driver;
	const struct { const char *mark, *word; } marks[MARKS] = {
		{ "{blob}", driver->blob }, { "{text}", driver->text }, { "{serial}", driver->serial }, { "{narrow}", driver->narrow },
		{ "{transaction}", driver->transaction }, { "{notify}", driver->notify },
	};
	struct dt_buf out;

	dt_buf_init(&out, 1u << 20);
	while (*text) {
		size_t i = 0;
		while (*text == '{' && i < MARKS && strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
			i++;
		if (*text == '{' && i < MARKS) {
			dt_buf_puts(&out, marks[i].word);
			text += strlen(marks[i].mark);
		} else {
			dt_buf_putc(&out, *text++);
		}
	}
	enum dt_status status = dt_buf_ok(&out) ? driver->script(db, dt_buf_text(&out), err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_buf_deinit(&out);
	return status;
}

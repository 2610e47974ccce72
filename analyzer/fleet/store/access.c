#include "fleet/store/access.h"

#include "fleet/store/rows.h"

static enum dt_status is_there(struct dt_store *store, const char *name, bool in_force, bool *there, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT 1 FROM tokens WHERE name = $1 AND ($2 = 0 OR revoked IS NULL)",
	                                   DT_PARAMS(dt_p_text(name), dt_p_int(in_force)), &rows, err);

	dt_rows_end(&rows);
	*there = status == DT_OK;
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status add(struct dt_store *store, const struct dt_token *token, struct dt_error *err)
{
	bool there;

	DT_TRY(is_there(store, token->name, false, &there, err));
	if (there)
		return dt_fail(err, DT_ERR_USAGE, "there is a token '%.60s' already (or was: names are not given twice)", token->name);
	return dt_sql_run(store->db, "INSERT INTO tokens (name, hash, scopes, created) VALUES ($1, $2, $3, $4)",
	                  DT_PARAMS(dt_p_text(token->name), dt_p_text(token->hash), dt_p_int(token->scopes), dt_p_int((int64_t)store->now)), err);
}

enum dt_status dt_store_token_add(struct dt_store *store, const struct dt_token *token, struct dt_error *err)
{
	enum dt_status status = dt_begin_write(store, err);

	return dt_finish(store, status == DT_OK ? add(store, token, err) : status, err);
}

static enum dt_status revoke(struct dt_store *store, const char *name, struct dt_error *err)
{
	bool there;

	DT_TRY(is_there(store, name, true, &there, err));
	if (!there)
		return dt_fail(err, DT_ERR_NOT_FOUND, "there is no token '%.60s' in force", name);
	return dt_sql_run(store->db, "UPDATE tokens SET revoked = $1 WHERE name = $2", DT_PARAMS(dt_p_int((int64_t)store->now), dt_p_text(name)), err);
}

enum dt_status dt_store_token_revoke(struct dt_store *store, const char *name, struct dt_error *err)
{
	enum dt_status status = dt_begin_write(store, err);

	return dt_finish(store, status == DT_OK ? revoke(store, name, err) : status, err);
}

enum dt_status dt_store_tokens(struct dt_store *store, const char *hash, dt_token_row row, void *context, struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db,
	                                     "SELECT name, hash, scopes, created, revoked FROM tokens WHERE $1 = '' OR (hash = $1 AND revoked IS NULL)"
	                                     " ORDER BY name",
	                                     DT_PARAMS(dt_p_text(hash ? hash : "")), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_token token = { .name = dt_rows_text(&rows, 0), .hash = dt_rows_text(&rows, 1), .scopes = (unsigned)dt_rows_int(&rows, 2),
			                  .created = (uint64_t)dt_rows_int(&rows, 3), .revoked = (uint64_t)dt_rows_int(&rows, 4) };
		stop = !row(context, &token);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_audit(struct dt_store *store, const struct dt_audit *audit, struct dt_error *err)
{
	enum dt_status status = dt_begin_write(store, err);

	if (status == DT_OK)
		status = dt_sql_run(store->db, "INSERT INTO audit (at, who, address, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)",
		                    DT_PARAMS(dt_p_int((int64_t)store->now), dt_p_text(audit->who), dt_p_text(audit->address), dt_p_text(audit->action),
		                              dt_p_text(audit->object), dt_p_text(audit->detail)), err);
	return dt_finish(store, status, err);
}

enum dt_status dt_store_prune_audit(struct dt_store *store, uint64_t before, struct dt_error *err)
{
	const struct dt_param then = dt_p_int((int64_t)before);
	enum dt_status status = dt_begin_write(store, err);

	if (status == DT_OK)
		status = dt_sql_run(store->db, "DELETE FROM audit WHERE at < $1", &then, 1, err);
	return dt_finish(store, status, err);
}

enum dt_status dt_store_audits(struct dt_store *store, uint64_t below, uint64_t limit, dt_audit_row row, void *context, struct dt_error *err)
{
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db,
	                                     "SELECT id, at, who, address, action, object, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
	                                     DT_PARAMS(dt_p_int(below ? (int64_t)below : INT64_MAX), dt_p_int(limit ? (int64_t)limit : INT64_MAX)),
	                                     &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_audit audit = { (uint64_t)dt_rows_int(&rows, 0), (uint64_t)dt_rows_int(&rows, 1), dt_rows_text(&rows, 2), dt_rows_text(&rows, 3),
			                  dt_rows_text(&rows, 4), dt_rows_text(&rows, 5), dt_rows_text(&rows, 6) };
		stop = !row(context, &audit);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

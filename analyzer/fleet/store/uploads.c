#include "fleet/store/uploads.h"

#include <string.h>

#include "fleet/store/rows.h"

struct dt_pending_upload {
	bool is_item;
	struct dt_upload upload;
	struct dt_upload_item item;
};

const struct dt_pending_upload *dt_upload_item_copy(struct dt_store *store, const struct dt_upload_item *item)
{
	struct dt_pending_upload *out = DT_ARENA_NEW(&store->arena, struct dt_pending_upload);

	if (!out)
		return NULL;
	out->is_item = true;
	out->item = *item;
	out->item.upload = dt_arena_strdup(&store->arena, item->upload);
	out->item.name = dt_arena_strdup(&store->arena, item->name);
	out->item.sha256 = dt_arena_strdup(&store->arena, item->sha256);
	out->item.crash = dt_arena_strdup(&store->arena, item->crash);
	return out;
}

static enum dt_status put(struct dt_store *store, const struct dt_pending_upload *upload, struct dt_error *err)
{
	struct dt_pending *pending = upload ? dt_batch_new(store) : NULL;

	if (!pending)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	pending->upload = upload;
	return dt_batch_take(store, err);
}

enum dt_status dt_store_put_item(struct dt_store *store, const struct dt_upload_item *item, struct dt_error *err)
{
	return put(store, dt_upload_item_copy(store, item), err);
}

enum dt_status dt_store_put_upload(struct dt_store *store, const struct dt_upload *upload, struct dt_error *err)
{
	struct dt_pending_upload *out = DT_ARENA_NEW(&store->arena, struct dt_pending_upload);

	if (out) {
		out->upload = *upload;
		out->upload.id = dt_arena_strdup(&store->arena, upload->id);
		out->upload.host = dt_arena_strdup(&store->arena, upload->host);
		out->upload.ticket = dt_arena_strdup(&store->arena, upload->ticket);
		out->upload.note = dt_arena_strdup(&store->arena, upload->note);
		out->upload.who = dt_arena_strdup(&store->arena, upload->who);
		out->upload.address = dt_arena_strdup(&store->arena, upload->address);
	}
	return put(store, out, err);
}

static enum dt_status write_item(struct dt_store *store, const struct dt_upload_item *item, const char *key, struct dt_error *err)
{
	return dt_sql_run(store->db,
	                  "INSERT INTO upload_items (upload, number, name, sha256, size, crash) VALUES ($1, $2, $3, $4, $5, $6)"
	                  " ON CONFLICT (upload, number) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256, size = excluded.size,"
	                  " crash = excluded.crash",
	                  DT_PARAMS(dt_p_text(item->upload), dt_p_int(item->number), dt_p_text(item->name), dt_p_text(item->sha256),
	                            dt_p_int((int64_t)item->size), dt_p_text(key)), err);
}

/* Once: an upload that is read again after a crash of the server is there already. */
static enum dt_status write_upload(struct dt_store *store, const struct dt_upload *upload, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT 1 FROM uploads WHERE id = $1", DT_PARAMS(dt_p_text(upload->id)), &rows, err);

	dt_rows_end(&rows);
	if (status != DT_ERR_NOT_FOUND)
		return status;
	DT_TRY(dt_sql_run(store->db, "INSERT INTO uploads (id, at, done, host, ticket, note, who) VALUES ($1, $2, $3, $4, $5, $6, $7)",
	                  DT_PARAMS(dt_p_text(upload->id), dt_p_int((int64_t)upload->at), dt_p_int((int64_t)store->now), dt_p_text(upload->host),
	                            dt_p_text(upload->ticket), dt_p_text(upload->note), dt_p_text(upload->who)), err));
	return dt_sql_run(store->db, "INSERT INTO audit (at, who, address, action, object) VALUES ($1, $2, $3, 'upload', $4)",
	                  DT_PARAMS(dt_p_int((int64_t)upload->at), dt_p_text(upload->who), dt_p_text(upload->address ? upload->address : "unknown"),
	                            dt_p_text(upload->id)), err);
}

enum dt_status dt_upload_write(struct dt_store *store, const struct dt_pending_upload *upload, const char *key, struct dt_error *err)
{
	if (upload->is_item)
		return write_item(store, &upload->item, key ? key : upload->item.crash, err);
	return write_upload(store, &upload->upload, err);
}

enum dt_status dt_upload_forget(struct dt_store *store, const char *key, struct dt_error *err)
{
	const struct dt_param crash = dt_p_text(key);

	DT_TRY(dt_sql_run(store->db,
	                  "DELETE FROM uploads WHERE id IN (SELECT upload FROM upload_items WHERE crash = $1) AND NOT EXISTS"
	                  " (SELECT 1 FROM upload_items i WHERE i.upload = uploads.id AND (i.crash IS NULL OR i.crash <> $1))",
	                  &crash, 1, err));
	return dt_sql_run(store->db, "DELETE FROM upload_items WHERE crash = $1", &crash, 1, err);
}

enum dt_status dt_store_prune_uploads(struct dt_store *store, uint64_t before, struct dt_error *err)
{
	const struct dt_param then = dt_p_int((int64_t)before);
	enum dt_status status = dt_begin_write(store, err);

	if (status == DT_OK)
		status = dt_sql_run(store->db, "DELETE FROM upload_items WHERE upload IN (SELECT id FROM uploads WHERE done < $1)", &then, 1, err);
	if (status == DT_OK)
		status = dt_sql_run(store->db, "DELETE FROM uploads WHERE done < $1", &then, 1, err);
	return dt_finish(store, status, err);
}

/* ---- reading ------------------------------------------------------------------ */

enum dt_status dt_store_upload(struct dt_store *store, const char *id, struct dt_arena *arena, struct dt_upload *out, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT id, at, done, host, ticket, note, who, (SELECT count(*) FROM upload_items WHERE upload = $1) FROM uploads WHERE id = $1",
	                                   DT_PARAMS(dt_p_text(id)), &rows, err);

	if (status == DT_OK)
		*out = (struct dt_upload){
			.id = dt_arena_strdup(arena, dt_rows_text(&rows, 0)), .at = (uint64_t)dt_rows_int(&rows, 1), .done = (uint64_t)dt_rows_int(&rows, 2),
			.host = dt_arena_strdup(arena, dt_rows_text(&rows, 3)), .ticket = dt_arena_strdup(arena, dt_rows_text(&rows, 4)),
			.note = dt_arena_strdup(arena, dt_rows_text(&rows, 5)), .who = dt_arena_strdup(arena, dt_rows_text(&rows, 6)), .items = (uint64_t)dt_rows_int(&rows, 7),
		};
	dt_rows_end(&rows);
	if (status == DT_ERR_NOT_FOUND)
		return dt_fail(err, DT_ERR_NOT_FOUND, "there is no upload %.64s", id);
	return status == DT_OK && arena->failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : status;
}

#define COLUMNS "SELECT i.upload, i.number, i.name, i.sha256, i.size, i.crash FROM upload_items i"
static const char by_upload[] = COLUMNS " WHERE i.upload = $1 AND $2 >= 0 ORDER BY i.number LIMIT $3 OFFSET $4";
static const char by_crash[] = COLUMNS " JOIN uploads u ON u.id = i.upload WHERE i.crash = $1 AND $2 >= 0 ORDER BY u.done DESC, i.number LIMIT $3 OFFSET $4";
/* Of several uploads of the same bytes one answers, and only when all that it gave is still there. */
static const char by_sha256[] =
	COLUMNS " WHERE i.sha256 = $1 AND i.upload = (SELECT n.upload FROM upload_items n JOIN uploads u ON u.id = n.upload WHERE n.sha256 = $1"
	        " ORDER BY u.done DESC, n.upload LIMIT 1) AND NOT EXISTS (SELECT 1 FROM upload_items m LEFT JOIN crashes c ON c.key = m.crash"
	        " WHERE m.upload = i.upload AND m.sha256 = $1 AND (c.id IS NULL OR c.facts_version < $2)) ORDER BY i.number LIMIT $3 OFFSET $4";

enum dt_status dt_store_upload_items(struct dt_store *store, const struct dt_upload_query *query, dt_upload_row row, void *context,
                                     struct dt_error *err)
{
	const char *sql = query->upload ? by_upload : query->crash ? by_crash : by_sha256;
	const char *what = query->upload ? query->upload : query->crash ? query->crash : query->sha256;
	struct dt_rows rows;
	bool stop = false;
	enum dt_status status = dt_sql_query(store->db, sql, DT_PARAMS(dt_p_text(what), dt_p_int((int64_t)query->facts_version),
	                                     dt_p_int(query->limit ? (int64_t)query->limit : INT64_MAX), dt_p_int((int64_t)query->offset)), &rows, err);

	while (status == DT_OK && !stop && (status = dt_rows_next(&rows, err)) == DT_OK) {
		struct dt_upload_item item = {
			.upload = dt_rows_text(&rows, 0), .number = (uint32_t)dt_rows_int(&rows, 1), .name = dt_rows_text(&rows, 2),
			.sha256 = dt_rows_text(&rows, 3), .size = (uint64_t)dt_rows_int(&rows, 4), .crash = dt_rows_text(&rows, 5),
		};
		stop = !row(context, &item);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

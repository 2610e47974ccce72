/* Writing: the batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/killpoint.h"
#include "core/base/text.h"
#include "core/model/codec.h"
#include "fleet/store/rows.h"

enum { TRIES = 12 };

enum dt_status dt_outbox_add(struct dt_store *store, bool incident, const char *ref, const char *change, struct dt_error *err)
{
	return dt_sql_run(store->db, "INSERT INTO outbox (at, kind, ref, change) VALUES ($1, $2, $3, $4)",
	                  DT_PARAMS(dt_p_int((int64_t)store->now), dt_p_int(incident), dt_p_text(ref), dt_p_text(change)), err);
}

static enum dt_status host_id(struct dt_store *store, const char *name, uint64_t *id, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status;

	*id = 0;
	if (!name || dt_cache_get(&store->hosts, name, id))
		return DT_OK;
	status = dt_sql_one(store->db, "SELECT id FROM hosts WHERE name = $1", DT_PARAMS(dt_p_text(name)), &rows, err);
	if (status == DT_ERR_NOT_FOUND) {
		dt_rows_end(&rows);
		status = dt_sql_one(store->db, "INSERT INTO hosts (name) VALUES ($1) RETURNING id", DT_PARAMS(dt_p_text(name)), &rows, err);
	}
	if (status == DT_OK) {
		*id = (uint64_t)dt_rows_int(&rows, 0);
		dt_cache_set(&store->hosts, name, *id);
	}
	dt_rows_end(&rows);
	return status;
}

enum dt_status dt_store_deleted(struct dt_store *store, const char *key, bool *deleted, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT 1 FROM tombstones WHERE key = $1", DT_PARAMS(dt_p_text(key)), &rows, err);

	dt_rows_end(&rows);
	*deleted = status == DT_OK;
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status find_row(struct dt_store *store, const char *key, struct dt_crash_row *row, struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, "SELECT " DT_CRASH_COLUMNS " FROM crashes c LEFT JOIN hosts h ON h.id = c.host WHERE c.key = $1",
	                                   DT_PARAMS(dt_p_text(key)), &rows, err);

	if (status == DT_OK)
		dt_row_read(&rows, &store->work, row);
	dt_rows_end(&rows);
	if (status == DT_OK && store->work.failed)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return status;
}

static enum dt_status write_record(struct dt_store *store, const struct dt_pending *entry, uint64_t crash, struct dt_error *err)
{
	if (!entry->facts.len)
		return dt_sql_run(store->db, "UPDATE records SET judgement = $1 WHERE crash = $2",
		                  DT_PARAMS(dt_p_blob(entry->judgement), dt_p_int((int64_t)crash)), err);
	return dt_sql_run(store->db,
	                  "INSERT INTO records (crash, facts, judgement) VALUES ($1, $2, $3)"
	                  " ON CONFLICT (crash) DO UPDATE SET facts = excluded.facts, judgement = excluded.judgement",
	                  DT_PARAMS(dt_p_int((int64_t)crash), dt_p_blob(entry->facts), dt_p_blob(entry->judgement)), err);
}

/* Values of a crash's columns from time on, in the order of both statements below. */
#define ROW_PARAMS(row)                                                                                                          \
	dt_p_int_or_null((row)->time.known, (int64_t)(row)->time.value), dt_p_int((row)->time_ok), dt_p_int((int64_t)(row)->host_id), \
		dt_p_int((row)->host_source), dt_p_int((row)->class),                                                             \
		dt_p_int_or_null((row)->confidence.known, (int64_t)(row)->confidence.value),                                      \
		dt_p_int_or_null((row)->code.known, (int64_t)(row)->code.value),                                                  \
		dt_p_int_or_null((row)->build.known, (int64_t)(row)->build.value), dt_p_int((row)->machine), dt_p_text((row)->blame), \
		dt_p_text((row)->fault), dt_p_text((row)->module_build), dt_p_text((row)->own), dt_p_text((row)->family),         \
		dt_p_text((row)->signatures), dt_p_text((row)->rules), dt_p_int((int64_t)(row)->facts_version),                   \
		dt_p_text((row)->rank), dt_p_text((row)->path)

static enum dt_status insert_row(struct dt_store *store, struct dt_crash_row *row, struct dt_error *err)
{
	static const char sql[] =
		"INSERT INTO crashes (key, crash_id, added, time, time_ok, host, host_source, class, confidence, code, build, machine,"
		" blame, fault, module_build, own, family, signatures, rules, facts_version, rank, path)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) RETURNING id";
	struct dt_rows rows;
	enum dt_status status = dt_sql_one(store->db, sql,
	                                   DT_PARAMS(dt_p_text(row->key), dt_p_text(row->crash_id), dt_p_int((int64_t)store->now), ROW_PARAMS(row)),
	                                   &rows, err);

	if (status == DT_OK)
		row->id = (uint64_t)dt_rows_int(&rows, 0);
	dt_rows_end(&rows);
	return status;
}

static enum dt_status update_row(struct dt_store *store, const struct dt_crash_row *row, struct dt_error *err)
{
	return dt_sql_run(store->db,
	                  "UPDATE crashes SET time = $1, time_ok = $2, host = $3, host_source = $4, class = $5, confidence = $6, code = $7,"
	                  " build = $8, machine = $9, blame = $10, fault = $11, module_build = $12, own = $13, family = $14, signatures = $15,"
	                  " rules = $16, facts_version = $17, rank = $18, path = $19 WHERE id = $20",
	                  DT_PARAMS(ROW_PARAMS(row), dt_p_int((int64_t)row->id)), err);
}

enum outcome { ADDED, CHANGED, UNCHANGED, DELETED, NO_CRASH, OUTCOMES };

/* A crash that was not there. */
static enum dt_status add_crash(struct dt_store *store, const struct dt_pending *entry, uint64_t *id, struct dt_error *err)
{
	struct dt_crash_row row = entry->row;

	DT_TRY(host_id(store, row.host, &row.host_id, err));
	DT_TRY(insert_row(store, &row, err));
	DT_TRY(write_record(store, entry, row.id, err));
	DT_TRY(dt_tally_add(store, &row, 1, err));
	*id = row.id;
	return dt_outbox_add(store, false, row.key, "new", err);
}

/* Judging is a pure function: equal facts under equal rules have the same judgement. */
static enum dt_status same_record(struct dt_store *store, const struct dt_pending *entry, const struct dt_crash_row *old, bool *same,
                                  struct dt_error *err)
{
	struct dt_rows rows;
	enum dt_status status;

	*same = false;
	if (!entry->facts.len || !dt_text_equal(entry->row.rules, old->rules))
		return DT_OK;
	status = dt_sql_one(store->db, "SELECT facts FROM records WHERE crash = $1", DT_PARAMS(dt_p_int((int64_t)old->id)), &rows, err);
	if (status == DT_OK) {
		struct dt_bytes facts = dt_rows_blob(&rows, 0);
		*same = facts.len == entry->facts.len && !memcmp(facts.data, entry->facts.data, facts.len);
	}
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

/* The row after a file of a known crash was seen: the better file's, with the better host. */
static void merge_rows(const struct dt_crash_row *old, const struct dt_pending *entry, bool take, struct dt_crash_row *out)
{
	const struct dt_crash_row *new = &entry->row;
	bool new_host = dt_host_better(new->host_source, new->host, old->host_source, old->host);

	*out = take ? *new : *old;
	out->id = old->id;
	out->key = old->key;
	out->host = new_host ? new->host : old->host;
	out->host_source = new_host ? new->host_source : old->host_source;
	out->host_id = new_host ? 0 : old->host_id;
	if (!entry->facts.len) { /* judged again: the facts' columns stay */
		*out = *old;
		out->class = new->class;
		out->confidence = new->confidence;
		out->blame = new->blame;
		out->module_build = new->module_build;
		out->own = new->own;
		out->family = new->family;
		out->rules = new->rules;
		out->signatures = new->signatures;
		out->titles = new->titles;
	}
}

static bool same_groups(const struct dt_crash_row *a, const struct dt_crash_row *b)
{
	return a->host_id == b->host_id && a->timed == b->timed && a->time.value == b->time.value && dt_text_equal(a->own, b->own) &&
	       dt_text_equal(a->family, b->family) && dt_text_equal(a->signatures, b->signatures) && dt_text_equal(a->module_build, b->module_build) &&
	       a->build.known == b->build.known && a->build.value == b->build.value;
}

static enum dt_status change_crash(struct dt_store *store, const struct dt_pending *entry, const struct dt_crash_row *old,
                                   enum outcome *outcome, struct dt_error *err)
{
	/* A file of its own key is the only one there is: what it says now counts. */
	int order = old->crash_id ? strcmp(entry->row.rank ? entry->row.rank : "", old->rank) : 0;
	bool take = !entry->facts.len || order < 0 || (order == 0 && entry->row.facts_version >= old->facts_version);
	struct dt_crash_row row;
	bool same = true;

	merge_rows(old, entry, take, &row);
	if (row.host && !row.host_id)
		DT_TRY(host_id(store, row.host, &row.host_id, err));
	if (take)
		DT_TRY(same_record(store, entry, old, &same, err));
	*outcome = UNCHANGED;
	if (same && row.host_id == old->host_id)
		return DT_OK;
	*outcome = CHANGED;
	if (!same_groups(old, &row)) {
		DT_TRY(dt_tally_add(store, old, -1, err));
		DT_TRY(dt_tally_add(store, &row, 1, err));
	}
	DT_TRY(update_row(store, &row, err));
	if (!same)
		DT_TRY(write_record(store, entry, old->id, err));
	return dt_outbox_add(store, false, old->key, "changed", err);
}


enum dt_status dt_remove_row(struct dt_store *store, const struct dt_crash_row *row, struct dt_error *err)
{
	const struct dt_param id = dt_p_int((int64_t)row->id);

	DT_TRY(dt_tally_add(store, row, -1, err));
	DT_TRY(dt_sql_run(store->db, "DELETE FROM records WHERE crash = $1", &id, 1, err));
	DT_TRY(dt_sql_run(store->db, "UPDATE files SET crash = NULL WHERE crash = $1", &id, 1, err));
	DT_TRY(dt_upload_forget(store, row->key, err));
	DT_TRY(dt_sql_run(store->db, "DELETE FROM crashes WHERE id = $1", &id, 1, err));
	return dt_outbox_add(store, false, row->key, "removed", err);
}

/* A file that had a crash of its own key and now has another left nothing that speaks for the old one. */
static enum dt_status drop_orphan(struct dt_store *store, const char *path, const char *key, struct dt_error *err)
{
	struct dt_rows rows;
	struct dt_crash_row row;
	enum dt_status status = dt_sql_one(store->db,
	                                   "SELECT " DT_CRASH_COLUMNS " FROM files f JOIN crashes c ON c.id = f.crash LEFT JOIN hosts h ON h.id = c.host"
	                                   " WHERE f.path = $1 AND c.crash_id IS NULL AND c.key <> $2",
	                                   DT_PARAMS(dt_p_text(path), dt_p_text(key)), &rows, err);

	if (status == DT_OK)
		dt_row_read(&rows, &store->work, &row);
	dt_rows_end(&rows);
	if (status == DT_OK)
		return dt_remove_row(store, &row, err);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status write_file(struct dt_store *store, const struct dt_pending *entry, bool linked, uint64_t crash, struct dt_error *err)
{
	return dt_sql_run(store->db,
	                  "INSERT INTO files (path, size, mtime, facts_version, crash, sha256, seen) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	                  " ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime = excluded.mtime,"
	                  " facts_version = excluded.facts_version, crash = excluded.crash, sha256 = excluded.sha256, seen = excluded.seen",
	                  DT_PARAMS(dt_p_text(entry->path), dt_p_int((int64_t)entry->size), dt_p_int((int64_t)entry->mtime),
	                            dt_p_int((int64_t)entry->file_version), dt_p_int_or_null(linked, (int64_t)crash),
	                            dt_p_text(entry->sha256), dt_p_int((int64_t)store->now)), err);
}

static enum dt_status drop_file(struct dt_store *store, const char *path, struct dt_error *err)
{
	return dt_sql_run(store->db, "DELETE FROM files WHERE path = $1 AND crash IS NULL", DT_PARAMS(dt_p_text(path)), err);
}

static enum dt_status write_entry(struct dt_store *store, const struct dt_pending *entry, enum outcome *outcome, struct dt_error *err)
{
	struct dt_crash_row old;
	bool deleted = false;
	uint64_t id = 0;

	*outcome = entry->row.key ? UNCHANGED : NO_CRASH;
	if (!entry->row.key && !entry->path)
		return dt_upload_write(store, entry->upload, NULL, err);
	if (!entry->row.key) {
		/* An archive that was lost as a whole before: its members have records of their own now. */
		DT_TRY(drop_orphan(store, entry->path, "", err));
		return entry->gone ? drop_file(store, entry->path, err) : write_file(store, entry, false, 0, err);
	}
	DT_TRY(dt_store_deleted(store, entry->row.key, &deleted, err));
	if (entry->upload)
		DT_TRY(dt_upload_write(store, entry->upload, deleted ? NULL : entry->row.key, err));
	if (deleted) {
		*outcome = DELETED;
		return entry->path ? write_file(store, entry, false, 0, err) : DT_OK;
	}
	enum dt_status status = find_row(store, entry->row.key, &old, err);
	if (status == DT_ERR_NOT_FOUND && entry->path) {
		*outcome = ADDED;
		status = add_crash(store, entry, &id, err);
	} else if (status == DT_OK) {
		id = old.id;
		status = change_crash(store, entry, &old, outcome, err);
	}
	/* Judged again, and deleted meanwhile: nothing to do. */
	if (!entry->path)
		return status == DT_ERR_NOT_FOUND ? DT_OK : status;
	if (status == DT_OK)
		status = drop_orphan(store, entry->path, entry->row.key, err);
	return status == DT_OK ? write_file(store, entry, true, id, err) : status;
}

static enum dt_status write_batch(struct dt_store *store, uint64_t outcomes[OUTCOMES], struct dt_error *err)
{
	memset(outcomes, 0, OUTCOMES * sizeof(outcomes[0]));
	DT_TRY(dt_begin_write(store, err));
	for (size_t i = 0; i < store->count; i++) {
		enum outcome outcome;
		DT_TRY(write_entry(store, &store->batch[i], &outcome, err));
		outcomes[outcome]++;
		dt_kill_point("in-batch");
	}
	DT_TRY(dt_tally_apply(store, err));
	dt_kill_point("before-commit");
	return dt_commit(store, err);
}

/* By key, so that two writers meet in the same order; the rows of one key stay in the order they came. */
static int compare_pending(const void *left, const void *right)
{
	const struct dt_pending *a = left, *b = right;
	int order = strcmp(a->row.key ? a->row.key : "~", b->row.key ? b->row.key : "~");

	if (order)
		return order;
	return strcmp(a->path ? a->path : "", b->path ? b->path : "");
}

enum dt_status dt_store_commit(struct dt_store *store, struct dt_store_counts *counts, struct dt_error *err)
{
	uint64_t outcomes[OUTCOMES];
	enum dt_status status = DT_OK;

	if (!store->count)
		return DT_OK;
	qsort(store->batch, store->count, sizeof(*store->batch), compare_pending);
	for (unsigned try = 0; try < TRIES; try++) {
		store->db->retry = false;
		status = write_batch(store, outcomes, err);
		if (status == DT_OK)
			break;
		dt_rollback(store);
		if (!store->db->retry)
			return status;
		counts->retries++;
		nanosleep(&(struct timespec){ 0, (long)(1u << try) * 1000000 % 999999999 }, NULL);
	}
	if (status != DT_OK)
		return status;
	dt_kill_point("after-commit");
	counts->files += store->count;
	counts->added += outcomes[ADDED];
	counts->changed += outcomes[CHANGED];
	counts->unchanged += outcomes[UNCHANGED];
	counts->deleted += outcomes[DELETED];
	store->count = 0;
	dt_arena_reset(&store->arena);
	return DT_OK;
}

static enum dt_status pack(struct dt_store *store, struct dt_bytes *out, struct dt_error *err)
{
	if (!dt_buf_ok(&store->scratch))
		return dt_fail(err, DT_ERR_LIMIT, "the record is larger than %u bytes", DT_MAX_RECORD);
	dt_buf_reset(&store->packed);
	DT_TRY(dt_pack(store->packer, dt_buf_bytes(&store->scratch), &store->packed, err));
	*out = dt_arena_bytes(&store->arena, dt_buf_bytes(&store->packed));
	return DT_OK;
}

bool dt_store_passing(const struct dt_failure *failure)
{
	return failure && (failure->kind == DT_FAILURE_IO || failure->kind == DT_FAILURE_DEADLINE || failure->kind == DT_FAILURE_SIGNAL ||
	                   failure->kind == DT_FAILURE_MEMORY);
}

static enum dt_status fill(struct dt_store *store, const struct dt_store_entry *entry, struct dt_pending *out, struct dt_error *err)
{
	memset(out, 0, sizeof(*out));
	if (!entry->facts) {
		out->path = dt_index_text(&store->arena, entry->path);
		out->gone = entry->gone;
		out->size = entry->size;
		out->mtime = entry->mtime;
		out->file_version = entry->facts_version;
		return DT_OK;
	}
	dt_buf_reset(&store->scratch);
	dt_judgement_encode(entry->judgement, &store->scratch);
	DT_TRY(pack(store, &out->judgement, err));
	if (entry->rejudge) {
		out->row.key = dt_arena_strdup(&store->arena, entry->rejudge);
		dt_row_judge(entry->facts, entry->judgement, &store->arena, &out->row);
		return DT_OK;
	}
	dt_buf_reset(&store->scratch);
	dt_facts_encode(entry->facts, &store->scratch);
	DT_TRY(pack(store, &out->facts, err));
	DT_TRY(dt_row_make(entry->facts, entry->judgement, &store->arena, &out->row, err));
	out->path = out->row.path;
	out->file_version = dt_store_passing(entry->facts->failure) ? 0 : out->row.facts_version;
	out->sha256 = entry->facts->file.sha256 ? dt_arena_strdup(&store->arena, entry->facts->file.sha256) : NULL;
	out->size = entry->facts->file.size.value;
	out->mtime = entry->facts->file.mtime;
	return DT_OK;
}

struct dt_pending *dt_batch_new(struct dt_store *store)
{
	if (store->count == store->room) {
		size_t room = store->room ? store->room * 2 : 256;
		struct dt_pending *more = realloc(store->batch, room * sizeof(*more));
		if (!more)
			return NULL;
		store->batch = more;
		store->room = room;
	}
	memset(&store->batch[store->count], 0, sizeof(*store->batch));
	return &store->batch[store->count];
}

enum dt_status dt_batch_take(struct dt_store *store, struct dt_error *err)
{
	if (store->arena.failed)
		return dt_fail(err, DT_ERR_NOMEM, "the batch is larger than its limit");
	store->count++;
	return DT_OK;
}

enum dt_status dt_store_put(struct dt_store *store, const struct dt_store_entry *entry, struct dt_error *err)
{
	struct dt_pending *pending = dt_batch_new(store);

	if (!pending)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	DT_TRY(fill(store, entry, pending, err));
	if (entry->item)
		pending->upload = dt_upload_item_copy(store, entry->item);
	return dt_batch_take(store, err);
}

size_t dt_store_pending(const struct dt_store *store)
{
	return store->arena.used > DT_BATCH_BYTES / 2 ? SIZE_MAX : store->count;
}

enum dt_status dt_store_seen(struct dt_store *store, const char *path, uint64_t size, uint64_t mtime, uint64_t facts_version, bool *seen,
                             struct dt_error *err)
{
	struct dt_rows rows;

	dt_arena_reset(&store->work);
	path = dt_index_text(&store->work, path);
	enum dt_status status = dt_sql_one(store->db, "SELECT size, mtime, facts_version FROM files WHERE path = $1", DT_PARAMS(dt_p_text(path)),
	                                   &rows, err);

	*seen = status == DT_OK && (uint64_t)dt_rows_int(&rows, 0) == size && (uint64_t)dt_rows_int(&rows, 1) == mtime &&
	        (uint64_t)dt_rows_int(&rows, 2) >= facts_version;
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_unreadable(struct dt_store *store, const char *path, bool *unreadable, struct dt_error *err)
{
	struct dt_rows rows;

	dt_arena_reset(&store->work);
	/* Members are "archive!/member"; what follows on '/' is '0'. */
	const char *low = dt_arena_printf(&store->work, "%s!/", path), *high = dt_arena_printf(&store->work, "%s!0", path);
	path = dt_index_text(&store->work, path);
	if (store->work.failed)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	enum dt_status status = dt_sql_one(store->db,
	                                   "SELECT 1 FROM files f JOIN crashes c ON c.id = f.crash WHERE c.class = $1"
	                                   " AND (f.path = $2 OR (f.path >= $3 AND f.path < $4)) LIMIT 1",
	                                   DT_PARAMS(dt_p_int(DT_CLASS_UNREADABLE), dt_p_text(path), dt_p_text(low), dt_p_text(high)), &rows, err);

	dt_rows_end(&rows);
	*unreadable = status == DT_OK;
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status mark_one(struct dt_store *store, const struct dt_store_state *state, struct dt_error *err)
{
	const struct dt_param id = dt_p_int((int64_t)state->incident), word = dt_p_text(state->word);
	struct dt_rows rows;
	char ref[24];
	enum dt_status status = dt_sql_one(store->db, "SELECT 1 FROM incidents WHERE id = $1 AND (state IS NULL OR state <> $2)", DT_PARAMS(id, word),
	                                   &rows, err);

	dt_rows_end(&rows);
	if (status != DT_OK)
		return status == DT_ERR_NOT_FOUND ? DT_OK : status;
	DT_TRY(dt_sql_run(store->db, "UPDATE incidents SET state = $1 WHERE id = $2", DT_PARAMS(word, id), err));
	snprintf(ref, sizeof(ref), "%llu", (unsigned long long)state->incident);
	return dt_outbox_add(store, true, ref, state->word, err);
}

enum dt_status dt_store_mark(struct dt_store *store, const struct dt_store_state *states, size_t count, struct dt_error *err)
{
	enum dt_status status = count ? dt_begin_write(store, err) : DT_OK;

	if (!count)
		return DT_OK;
	for (size_t i = 0; i < count && status == DT_OK; i++)
		status = mark_one(store, &states[i], err);
	return dt_finish(store, status, err);
}

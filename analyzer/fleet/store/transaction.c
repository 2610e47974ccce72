/* Transactions: how one begins, and its two ends. */
#include <string.h>

#include "core/base/time.h"
#include "fleet/store/rows.h"

enum dt_status dt_begin_write(struct dt_store *store, struct dt_error *err)
{
	store->now = dt_time_now();
	store->part_count = 0;
	dt_arena_reset(&store->work);
	DT_TRY(dt_sql_run(store->db, store->db->driver->begin_write, DT_NO_PARAMS, err));
	/* One writer at a time: what is counted from rows must not be counted by two at once. */
	if (!strcmp(store->db->driver->name, "postgresql"))
		return dt_sql_run(store->db, "SELECT pg_advisory_xact_lock(1685417329)", DT_NO_PARAMS, err);
	return DT_OK;
}

enum dt_status dt_store_read_begin(struct dt_store *store, struct dt_error *err)
{
	store->db->retry = false;
	return dt_sql_run(store->db, store->db->driver->begin_read, DT_NO_PARAMS, err);
}

enum dt_status dt_store_read_end(struct dt_store *store, enum dt_status status, struct dt_error *err)
{
	return dt_finish(store, status, err);
}

enum dt_status dt_commit(struct dt_store *store, struct dt_error *err)
{
	return dt_sql_run(store->db, "COMMIT", DT_NO_PARAMS, err);
}

/* Ids that the transaction gave out are not there any more. */
void dt_rollback(struct dt_store *store)
{
	bool retry = store->db->retry, lost = store->db->lost, full = store->db->full;

	(void)dt_sql_run(store->db, "ROLLBACK", DT_NO_PARAMS, NULL);
	store->db->retry = retry;
	store->db->lost |= lost;
	store->db->full = full;
	store->part_count = 0;
	dt_cache_clear(&store->hosts);
	dt_cache_clear(&store->incidents);
}

enum dt_status dt_finish(struct dt_store *store, enum dt_status status, struct dt_error *err)
{
	if (status == DT_OK)
		status = dt_commit(store, err);
	if (status != DT_OK)
		dt_rollback(store);
	return status;
}

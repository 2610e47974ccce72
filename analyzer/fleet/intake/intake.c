#include "fleet/intake/intake.h"

#include <string.h>

#include "core/base/killpoint.h"
#include "core/base/names.h"
#include "core/base/time.h"
#include "judgement/verdict/verdict.h"

enum { BATCH = 256 };

void dt_intake_init(struct dt_intake *intake, struct dt_store *store, const struct dt_rules *rules)
{
	memset(intake, 0, sizeof(*intake));
	intake->store = store;
	intake->rules = rules;
	intake->batch = BATCH;
	dt_arena_init(&intake->arena, DT_MAX_ARENA);
}

void dt_intake_deinit(struct dt_intake *intake)
{
	dt_arena_deinit(&intake->arena);
}

enum dt_status dt_intake_judge(struct dt_intake *intake, const struct dt_facts *facts, const char *host, enum dt_host_source source,
                               struct dt_crash *crash, struct dt_error *err)
{
	enum dt_status status;

	dt_arena_reset(&intake->arena);
	crash->facts = *facts;
	host = dt_host_fold(&intake->arena, host);
	if (host) {
		crash->facts.host.name = host;
		crash->facts.host.source = source;
	}
	status = dt_judge(&crash->facts, intake->rules, dt_time_now(), &intake->arena, &crash->judgement, err);
	if (status != DT_OK)
		return status;
	intake->classes[crash->judgement.verdict.class]++;
	if (crash->facts.failure)
		intake->failures[crash->facts.failure->kind]++;
	dt_kill_point("after-record");
	return DT_OK;
}

/* Into the batch; a full one is committed. */
static enum dt_status put(struct dt_intake *intake, const struct dt_store_entry *entry, struct dt_error *err)
{
	enum dt_status status = dt_store_put(intake->store, entry, err);

	if (status != DT_OK || dt_store_pending(intake->store) < intake->batch)
		return status;
	return dt_intake_commit(intake, err);
}

enum dt_status dt_intake_store(struct dt_intake *intake, const struct dt_crash *crash, struct dt_error *err)
{
	return put(intake, &(struct dt_store_entry){ .facts = &crash->facts, .judgement = &crash->judgement }, err);
}

enum dt_status dt_intake_seen(struct dt_intake *intake, const char *path, uint64_t size, uint64_t mtime, uint64_t facts_version,
                              struct dt_error *err)
{
	return put(intake, &(struct dt_store_entry){ .path = path, .size = size, .mtime = mtime, .facts_version = facts_version }, err);
}

/* A folder that could not be opened has a row of no size and no time. */
static enum dt_status forget_failure(struct dt_intake *intake, const char *path, struct dt_error *err)
{
	bool there;
	enum dt_status status = dt_store_seen(intake->store, path, 0, 0, 0, &there, err);

	return status == DT_OK && there ? put(intake, &(struct dt_store_entry){ .path = path, .gone = true }, err) : status;
}

enum dt_status dt_intake_folder(struct dt_intake *intake, const char *path, struct dt_error *err)
{
	size_t len = strlen(path);
	enum dt_status status = forget_failure(intake, path, err); /* while it was read */

	if (status != DT_OK || len < 2)
		return status;
	dt_arena_reset(&intake->arena);
	path = dt_arena_strndup(&intake->arena, path, len - 1); /* when it was opened */
	return path ? forget_failure(intake, path, err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
}

enum dt_status dt_intake_commit(struct dt_intake *intake, struct dt_error *err)
{
	return dt_store_commit(intake->store, &intake->counts, err);
}

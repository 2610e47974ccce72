#include "doors/serve/known.h"

#include <string.h>

#include "report/event.h"

enum { MAX_ITEMS = 1024 };

/* What an earlier upload gave. */
struct earlier {
	struct dt_arena *arena;
	const char *crashes[MAX_ITEMS], *names[MAX_ITEMS];
	size_t count;
	bool more;
};

static bool take(void *context, const struct dt_upload_item *item)
{
	struct earlier *earlier = context;

	earlier->more = earlier->count == MAX_ITEMS;
	if (earlier->more || !item->crash)
		return false;
	earlier->crashes[earlier->count] = dt_arena_strdup(earlier->arena, item->crash);
	earlier->names[earlier->count++] = dt_arena_strdup(earlier->arena, item->name);
	return true;
}

struct record {
	struct dt_arena *arena;
	struct dt_crash crash;
	struct dt_error *err;
	enum dt_status status;
	bool found;
};

static bool unpack(void *context, const struct dt_stored *row)
{
	struct record *record = context;
	struct dt_stored copy = *row;

	/* The bytes are gone with the row; the record points into them. */
	copy.facts = dt_arena_bytes(record->arena, row->facts);
	copy.judgement = dt_arena_bytes(record->arena, row->judgement);
	record->status = dt_store_unpack(&copy, record->arena, &record->crash, record->err);
	record->found = true;
	return false;
}

/* "new.zip!/a.dmp" for what was "old.zip!/a.dmp". */
static const char *renamed(const char *earlier, const char *name, struct dt_arena *arena)
{
	const char *member = strstr(earlier, "!/");

	return member ? dt_arena_printf(arena, "%s%s", name, member) : name;
}

static enum dt_status put(struct dt_known *known, struct record *record, const struct dt_upload_item *item, struct dt_error *err)
{
	const struct dt_job *job = known->job;
	const char *host = job->host ? job->host : job->files[known->number].host;
	const char *had = record->crash.facts.host.name;
	struct dt_crash crash;

	if (!host || (had && !strcmp(had, host)))
		return dt_store_put_item(known->store, item, err);
	enum dt_status status = dt_intake_judge(known->intake, &record->crash.facts, host, job->host ? DT_HOST_UPLOAD : DT_HOST_PATH, &crash, err);
	const struct dt_store_entry entry = { .facts = &crash.facts, .judgement = &crash.judgement, .item = item };
	return status == DT_OK ? dt_store_put(known->store, &entry, err) : status;
}

static enum dt_status answer_one(struct dt_known *known, const struct earlier *earlier, size_t at, struct dt_arena *arena, struct dt_job_item *out,
                                 struct dt_error *err)
{
	const struct dt_job_file *file = &known->job->files[known->number];
	const char *host = known->job->host ? known->job->host : file->host;
	struct record record = { .arena = arena, .err = err };
	const struct dt_store_query query = { .key = earlier->crashes[at], .records = true, .limit = 1 };
	enum dt_status status = dt_store_each(known->store, &query, unpack, &record, err);

	if (status != DT_OK || !record.found)
		return status != DT_OK ? status : DT_ERR_NOT_FOUND;
	/* A record that cannot be read is no answer. */
	if (record.status != DT_OK)
		return record.status == DT_ERR_NOMEM ? record.status : DT_ERR_NOT_FOUND;
	const struct dt_upload_item item = { .upload = known->job->id, .number = known->number * DT_JOB_MEMBERS + (uint32_t)at,
		                             .name = renamed(earlier->names[at], file->name, arena), .sha256 = file->sha256,
		                             .size = file->size, .crash = earlier->crashes[at] };
	*out = (struct dt_job_item){ .name = dt_mask_user(item.name, arena), .file = known->number, .class = record.crash.judgement.verdict.class,
		                     .confidence = record.crash.judgement.verdict.confidence, .host = host ? host : record.crash.facts.host.name,
		                     .summary = dt_mask_user(record.crash.judgement.verdict.summary, arena) };
	strncpy(out->crash, item.crash, sizeof(out->crash) - 1);
	return put(known, &record, &item, err);
}

enum dt_status dt_known_answer(struct dt_known *known, struct dt_error *err)
{
	struct dt_arena *arena = &known->arena;
	struct earlier *earlier = DT_ARENA_NEW(arena, struct earlier);
	const struct dt_upload_query query = { .sha256 = known->job->files[known->number].sha256, .facts_version = DT_FACTS_VERSION };

	if (!earlier)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	earlier->arena = arena;
	enum dt_status status = dt_store_upload_items(known->store, &query, take, earlier, err);
	/* So many that reading them again is as well. */
	if (status == DT_OK && (!earlier->count || earlier->more))
		return DT_ERR_NOT_FOUND;
	known->items = DT_ARENA_ARRAY(arena, earlier->count + 1, struct dt_job_item);
	for (size_t i = 0; i < earlier->count && status == DT_OK && known->items; i++, known->count++)
		status = answer_one(known, earlier, i, arena, &known->items[i], err);
	return status;
}

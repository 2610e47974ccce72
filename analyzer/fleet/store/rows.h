/* rows.h - what the parts of the store share. Private to fleet/store. */
#ifndef DT_STORE_ROWS_H
#define DT_STORE_ROWS_H

#include "core/base/arena.h"
#include "fleet/store/cache.h"
#include "fleet/store/pack.h"
#include "fleet/store/sql.h"
#include "fleet/store/store.h"
#include "fleet/store/uploads.h"

#define DT_TRY(expression)                            \
	do {                                          \
		enum dt_status try_ = (expression);   \
		if (try_ != DT_OK)                    \
			return try_;                  \
	} while (0)

/* Memory of one batch, and of one transaction's work. */
#define DT_BATCH_BYTES (64u << 20)

/* A crash as the tables have it; texts live in an arena. */
struct dt_crash_row {
	uint64_t id;
	const char *key, *crash_id;
	bool timed; /* time is known and plausible */
	struct dt_opt time; /* seconds of the Unix clock */
	bool time_ok;
	const char *host; /* NULL unknown */
	uint64_t host_id;
	enum dt_host_source host_source;
	enum dt_verdict_class class;
	enum dt_machine machine;
	struct dt_opt confidence, code, build;
	const char *blame, *fault, *module_build, *own, *family, *rules, *rank, *path;
	const char *signatures; /* " id id ", NULL none */
	const char *titles;     /* their titles, a line each in the same order */
	uint64_t facts_version;
};

struct dt_pending_upload; /* uploads.c */

/* One entry of the batch. */
struct dt_pending {
	const struct dt_pending_upload *upload; /* what an upload wants written beside it, or alone; NULL nothing */
	struct dt_crash_row row; /* key NULL: only the file */
	struct dt_bytes facts, judgement; /* packed; facts empty: rejudged */
	const char *path, *sha256;
	bool gone; /* the file's row goes, and what only it speaks for */
	uint64_t size, mtime, file_version; /* file_version 0: the next scan tries the file again */
};

/* One crash's part in one incident, coming or going. */
struct dt_part {
	int sign;
	uint64_t incident, host, crash;
	enum dt_incident_kind kind;
	int64_t time; /* 0: none that can be trusted */
	const char *build, *module_build, *family;
};

struct dt_store {
	struct dt_sql *db;
	char url[256];
	struct dt_packer *packer;
	struct dt_buf scratch, packed;
	/* the batch */
	struct dt_arena arena;
	struct dt_pending *batch;
	size_t count, room;
	/* the transaction */
	struct dt_arena work;
	struct dt_part *parts;
	size_t part_count, part_room;
	struct dt_cache hosts, incidents;
	uint64_t now; /* FILETIME of the transaction */
};

/* The columns of table crashes in the order dt_row_read expects, with h.name for the host. */
#define DT_CRASH_COLUMNS                                                                                             \
	"c.id, c.key, c.crash_id, c.added, c.time, c.time_ok, h.name, c.host_source, c.class, c.confidence, c.code, " \
	"c.build, c.machine, c.blame, c.fault, c.module_build, c.own, c.family, c.signatures, c.rules, "            \
	"c.facts_version, c.rank, c.path, c.host"
enum { DT_CRASH_COLUMN_COUNT = 24 };

#define DT_INDEX_TEXT 1000
/* A text as the tables have it: the same for every caller. NULL for NULL. */
const char *dt_index_text(struct dt_arena *arena, const char *text);

/* Fills a row from facts and judgement; texts are copied into the arena. */
enum dt_status dt_row_make(const struct dt_facts *facts, const struct dt_judgement *judgement, struct dt_arena *arena,
                           struct dt_crash_row *out, struct dt_error *err);
/* Only what comes from the judgement. */
void dt_row_judge(const struct dt_facts *facts, const struct dt_judgement *judgement, struct dt_arena *arena, struct dt_crash_row *row);
/* The row a result stands on; texts are copied. */
void dt_row_read(const struct dt_rows *rows, struct dt_arena *arena, struct dt_crash_row *out);
/* Whether host a (by source) is to be believed before host b; equal sources: the lower name. */
bool dt_host_better(enum dt_host_source a_source, const char *a, enum dt_host_source b_source, const char *b);

/* Remembers a crash's parts in its incidents, to be applied with the transaction. */
enum dt_status dt_tally_add(struct dt_store *store, const struct dt_crash_row *row, int sign, struct dt_error *err);
/* Applies them: members, hours, facets, incidents, outbox. */
enum dt_status dt_tally_apply(struct dt_store *store, struct dt_error *err);
enum dt_status dt_outbox_add(struct dt_store *store, bool incident, const char *ref, const char *change, struct dt_error *err);

/* Takes a crash out of all tables but files, which forget it. */
enum dt_status dt_remove_row(struct dt_store *store, const struct dt_crash_row *row, struct dt_error *err);

/* A place in the batch, emptied; NULL without memory. It counts once dt_batch_take() is called. */
struct dt_pending *dt_batch_new(struct dt_store *store);
enum dt_status dt_batch_take(struct dt_store *store, struct dt_error *err);
/* Copies an item into the batch's arena. */
const struct dt_pending_upload *dt_upload_item_copy(struct dt_store *store, const struct dt_upload_item *item);
/* Writes it. key: the crash it is about; NULL: that was deleted, or the item names it itself. */
enum dt_status dt_upload_write(struct dt_store *store, const struct dt_pending_upload *upload, const char *key, struct dt_error *err);
/* An upload forgets a crash; one that brought nothing else is forgotten whole. */
enum dt_status dt_upload_forget(struct dt_store *store, const char *key, struct dt_error *err);

enum dt_status dt_begin_write(struct dt_store *store, struct dt_error *err);
enum dt_status dt_commit(struct dt_store *store, struct dt_error *err);
void dt_rollback(struct dt_store *store);
/* Commits when status is DT_OK and rolls back when it is not, or when the commit fails. The first failure. */
enum dt_status dt_finish(struct dt_store *store, enum dt_status status, struct dt_error *err);

#endif

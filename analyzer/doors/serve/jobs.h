/*
 * jobs.h - uploads under way and those done lately: what is known of each, and who waits for it. Thread-safe; an upload that is older
 * than what is kept here is asked of the store.
 */
#ifndef DT_SERVE_JOBS_H
#define DT_SERVE_JOBS_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"
#include "fleet/store/uploads.h"

#define DT_JOB_FILES 256          /* files of one upload */
#define DT_JOB_SHOWN 200          /* results kept here; the store has all */
#define DT_JOB_MEMBERS 16384u     /* results of one file: more than an archive may have members */

/* FAILED: it cannot be stored, and the reason is no other server or disk. */
enum dt_job_state { DT_JOB_QUEUED, DT_JOB_READING, DT_JOB_STORING, DT_JOB_DONE, DT_JOB_FAILED };
extern const char *const dt_job_words[]; /* "queued", "reading", "storing", "done", "failed" */

struct dt_job_file {
	const char *name;   /* clean text, no folders */
	const char *host;   /* from its name, NULL none */
	char sha256[65];
	uint64_t size;
	bool known;         /* answered from the store */
	bool live;          /* of the engine: some result of it is in the store */
};

/* A result, as pages and the API show it. */
struct dt_job_item {
	const char *name;   /* of the file; "bag.zip!/pc7/MEMORY.DMP" of a member; names of users masked */
	unsigned file;
	char crash[48];     /* key */
	bool deleted;       /* it was deleted before, and is not taken again */
	enum dt_verdict_class class;
	struct dt_opt confidence;
	const char *summary; /* names of users masked */
	const char *host;
};

struct dt_job {
	char id[DT_UPLOAD_ID + 1];
	uint64_t at, done;  /* FILETIME */
	const char *host, *ticket, *note, *who, *address;
	struct dt_job_file *files;
	size_t file_count;
	/* of the engine, under the jobs' lock */
	enum dt_job_state state;
	const char *waiting; /* why it does not go on; NULL it does */
	struct dt_job_item *items;
	size_t item_count, item_room; /* DT_JOB_SHOWN at most */
	uint64_t item_total;
	unsigned version;    /* raised by each change */
	/* of the engine alone */
	size_t next_file, open_files;
	struct dt_arena arena; /* texts */
	struct dt_job *next;   /* of the table */
	struct dt_job *queue;  /* of the engine's queue */
};

struct dt_jobs;
DT_MUST_USE struct dt_jobs *dt_jobs_create(void);
void dt_jobs_destroy(struct dt_jobs *jobs);

/* A new upload with an id of its own, not in the table yet. NULL without memory. */
struct dt_job *dt_job_create(void);
void dt_job_free(struct dt_job *job);
/* Adds a file; NULL without memory, or when there are DT_JOB_FILES. */
struct dt_job_file *dt_job_add_file(struct dt_job *job, const char *name);

/* Into the table, which owns it from then on. */
void dt_jobs_add(struct dt_jobs *jobs, struct dt_job *job);

/* The engine's changes; all who wait for the job are woken. */
void dt_jobs_set_state(struct dt_jobs *jobs, struct dt_job *job, enum dt_job_state state, const char *waiting);
/* Copies the item; on lack of memory it is left out here (it is in the store). */
void dt_jobs_add_item(struct dt_jobs *jobs, struct dt_job *job, const struct dt_job_item *item);
/* A file was answered from the store. */
void dt_jobs_mark_known(struct dt_jobs *jobs, struct dt_job *job, unsigned file);
/* What was found so far is forgotten: the job is read again. */
void dt_jobs_restart(struct dt_jobs *jobs, struct dt_job *job);

/* Who waits: called when the job changes, under no lock of theirs. */
struct dt_job_watch {
	void (*changed)(void *context);
	void *context;
	struct dt_job_watch *next;
	char id[DT_UPLOAD_ID + 1];
};
void dt_jobs_watch(struct dt_jobs *jobs, const char *id, struct dt_job_watch *watch);
void dt_jobs_unwatch(struct dt_jobs *jobs, struct dt_job_watch *watch);

/* Calls view with the job, which does not change meanwhile. false: it is not in the table. */
bool dt_jobs_look(struct dt_jobs *jobs, const char *id, void (*view)(void *context, const struct dt_job *job), void *context);
/* A crash was deleted: what is kept here of uploads that brought it, or may have, is forgotten. */
void dt_jobs_forget_crash(struct dt_jobs *jobs, const char *crash);
/* Jobs that are not done. */
unsigned dt_jobs_open(struct dt_jobs *jobs);

/* The description that the spool keeps, and a job made from it. DT_ERR_FORMAT. */
void dt_job_describe(const struct dt_job *job, struct dt_buf *out);
DT_MUST_USE enum dt_status dt_job_restore(struct dt_job **out, const char *id, struct dt_bytes description, struct dt_error *err);

/* "PC-0042" of "PC-0042_20240719.zip": the host that a collector wrote in front of an archive's name. NULL: none. In the arena. */
const char *dt_job_host_of_name(const char *name, struct dt_arena *arena);

#endif

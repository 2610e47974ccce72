/*
 * store.h - crashes kept: rows in and out of SQLite or PostgreSQL. No statistics, no wording, and the
 * only folder with SQL.
 *
 * The store has one row for every file ever seen and one for every crash. A crash points at its best file: complete before
 * partial, then the kind of dump that holds most, then lowest hash, then lowest path; so the result does not
 * depend on the order in which files come, and a worse file never overwrites a better one's facts. A
 * crash whose identity is not known (crash_id null) has a key made from its path and merges with nothing.
 *
 * Each change of a crash or an incident writes an outbox row in the same transaction.
 *
 * One store handle is used by one thread. Errors: DT_ERR_USAGE (URL), DT_ERR_IO (database), DT_ERR_NOMEM,
 * DT_ERR_UNSUPPORTED (a version that this program does not write; the text names the command to type).
 */
#ifndef DT_STORE_STORE_H
#define DT_STORE_STORE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"

struct dt_store;

enum dt_store_mode {
	DT_STORE_READ,    /* must be there, with our version */
	DT_STORE_WRITE,   /* made when it is not there; never migrated */
	DT_STORE_UPGRADE, /* must be there; migrated */
	DT_STORE_ANY,     /* must be there; any version (for status) */
};

/* Opens by URL: sqlite:PATH, a bare path, postgresql://... */
DT_MUST_USE enum dt_status dt_store_open(struct dt_store **out, const char *url, enum dt_store_mode mode, struct dt_error *err);
/* What was put and not committed is dropped. */
void dt_store_close(struct dt_store *store);

/* ---- writing ------------------------------------------------------------ */

/* Whether the file was analysed before and has not changed since: same path, size and mtime (FILETIME), and facts not older
 * than facts_version. */
DT_MUST_USE enum dt_status dt_store_seen(struct dt_store *store, const char *path, uint64_t size, uint64_t mtime,
                                         uint64_t facts_version, bool *seen, struct dt_error *err);

/* Whether the file, or a member of it where it is an archive, has a crash of class unreadable. */
DT_MUST_USE enum dt_status dt_store_unreadable(struct dt_store *store, const char *path, bool *unreadable, struct dt_error *err);

struct dt_upload_item;
struct dt_store_entry {
	const struct dt_facts *facts;         /* NULL: only the file is marked as seen (an archive behind its members) */
	const struct dt_judgement *judgement; /* NULL only without facts */
	const char *path;                     /* with facts NULL; else facts->file says it */
	uint64_t size, mtime, facts_version;  /* likewise */
	bool gone;                            /* with facts NULL: nothing is kept of the path and of a record that only it has */
	const char *rejudge;                  /* key of a stored crash: only its judgement is written, facts must be those stored */
	const struct dt_upload_item *item;    /* of an upload (uploads.h) that brought the file; NULL none */
};

/* The key under which facts are kept: their crash_id, or one made from their path. */
#define DT_STORE_KEY_MAX 48
void dt_store_key(const struct dt_facts *facts, char out[DT_STORE_KEY_MAX]);
/* Whether a crash of this key was deleted: it is not taken again. */
DT_MUST_USE enum dt_status dt_store_deleted(struct dt_store *store, const char *key, bool *deleted, struct dt_error *err);

/* Takes an entry into the batch; everything is copied. Nothing is written before commit. DT_ERR_LIMIT: the record is too large. */
DT_MUST_USE enum dt_status dt_store_put(struct dt_store *store, const struct dt_store_entry *entry, struct dt_error *err);
struct dt_failure;
/* A reason that may be gone the next time: the share, the machine, not the file. NULL: none. */
bool dt_store_passing(const struct dt_failure *failure);
/* Entries in the batch; SIZE_MAX when it takes so much memory that it should be committed now. */
size_t dt_store_pending(const struct dt_store *store);

struct dt_store_counts {
	uint64_t files, added, changed, unchanged, deleted; /* deleted: kept out by a tombstone */
	uint64_t retries;
};
/* Whether the last failure was the store's (its server, its disk, its locks) and not that of what was written or asked. */
bool dt_store_away(const struct dt_store *store);
/* Writes the batch in one transaction, sorted by key; tried again after deadlocks and serialization failures. On failure the batch
 * is kept: commit may be called again. Counts are added to. */
DT_MUST_USE enum dt_status dt_store_commit(struct dt_store *store, struct dt_store_counts *counts, struct dt_error *err);

/* ---- reading ------------------------------------------------------------ */

/* Which crashes. Zero means any. */
struct dt_store_query {
	const char *key;       /* the beginning of a key */
	enum dt_verdict_class class;
	const char *host;
	uint64_t incident;
	const char *module;    /* blamed or faulting, exact lower case */
	struct dt_opt code;
	const char *signature; /* id */
	uint64_t since, until; /* FILETIME, half open */
	uint64_t added_before; /* FILETIME */
	const char *bucket;    /* own or family, exact */
	const char *text;      /* in the host's, a module's, a bucket's or a signature's name; case does not matter */
	bool text_in_paths;    /* in the file's path, too */
	uint64_t after;        /* ids above this; rows come in order of id */
	bool newest;           /* instead: in falling order of id, and below `after` */
	uint64_t limit;        /* rows at most; 0: all */
	bool records;          /* facts and judgement too */
	bool count_files;      /* how many files each has */
};

/* One crash. Texts and bytes are borrowed until the callback returns. */
struct dt_stored {
	uint64_t id;
	const char *key, *crash_id;
	uint64_t time, added; /* FILETIME, 0 unknown */
	bool time_ok;
	const char *host;
	enum dt_host_source host_source;
	enum dt_verdict_class class;
	struct dt_opt confidence, code, build;
	const char *blame, *fault, *module_build, *own, *family, *signatures, *rules, *path;
	uint64_t files; /* with count_files */
	struct dt_bytes facts, judgement; /* packed: dt_store_unpack */
};
/* false ends the listing. */
typedef bool (*dt_store_row)(void *context, const struct dt_stored *row);
DT_MUST_USE enum dt_status dt_store_each(struct dt_store *store, const struct dt_store_query *query, dt_store_row row,
                                         void *context, struct dt_error *err);
/* A row that stays when the callback has returned: its numbers, key, host and packed record, in the arena. Its other texts are NULL. */
struct dt_stored dt_stored_keep(const struct dt_stored *row, struct dt_arena *arena);
/* Facts and judgement of a row with records. They live in the arena; the host that the store knows is put in. */
DT_MUST_USE enum dt_status dt_store_unpack(const struct dt_stored *row, struct dt_arena *arena, struct dt_crash *out, struct dt_error *err);

enum dt_incident_kind { DT_INCIDENT_FLEET = 0, DT_INCIDENT_SIGNATURE, DT_INCIDENT_OWN, DT_INCIDENT_FAMILY, DT_INCIDENT_KINDS };

/* What is read between the two is one state of the store. _end gives the status that it was given, or why the end failed. */
DT_MUST_USE enum dt_status dt_store_read_begin(struct dt_store *store, struct dt_error *err);
DT_MUST_USE enum dt_status dt_store_read_end(struct dt_store *store, enum dt_status status, struct dt_error *err);

/* One incident. Texts are borrowed until the callback returns. */
struct dt_stored_incident {
	uint64_t id;
	enum dt_incident_kind kind;
	const char *key, *title, *state;
	uint64_t crashes, hosts, unknown_hosts, untimed; /* unknown_hosts: crashes whose host is not known */
	int64_t first, last;                             /* seconds of the Unix clock; 0 when no crash has a time */
};
struct dt_store_incident_query {
	uint64_t id;
	enum dt_incident_kind kind; /* 0: all but the fleet */
	const char *key;            /* the beginning of a key */
	bool fleet;                 /* only the fleet's row */
	uint64_t crash;             /* only those this crash (id) is in */
	uint64_t min_hosts;
	int64_t since;              /* last crash not before (seconds of the Unix clock); 0: any */
	uint64_t limit;             /* the largest by hosts and crashes; 0: all */
};
typedef bool (*dt_store_incident_row)(void *context, const struct dt_stored_incident *row);
DT_MUST_USE enum dt_status dt_store_incidents(struct dt_store *store, const struct dt_store_incident_query *query,
                                              dt_store_incident_row row, void *context, struct dt_error *err);

/* What an incident is made of. */
enum dt_store_detail {
	DT_STORE_HOURS,         /* a = hour, b = crashes, c = onsets */
	DT_STORE_BUILDS,        /* text = OS build, b = crashes */
	DT_STORE_MODULE_BUILDS, /* text = build of the blamed module, b = crashes */
	DT_STORE_FAMILIES,      /* text = family key, b = crashes */
	DT_STORE_HOST_TIMES,    /* of one host (by id in `host`): a = time in seconds */
	DT_STORE_PATTERN_HOSTS, /* of the fleet: hosts with crashes of three families or more: a = id, b = families, text = name */
	DT_STORE_HOSTS,         /* text = host, a = last time, b = crashes */
};
struct dt_stored_detail {
	int64_t a, b, c;
	const char *text;
};
typedef bool (*dt_store_detail_row)(void *context, const struct dt_stored_detail *row);
DT_MUST_USE enum dt_status dt_store_detail(struct dt_store *store, uint64_t incident, enum dt_store_detail what, uint64_t host,
                                           dt_store_detail_row row, void *context, struct dt_error *err);

/* ---- what else is done to a store ---------------------------------------- */

struct dt_store_state {
	uint64_t incident;
	const char *word;
};
/* Keeps the states incidents were found in, in one transaction; writes an outbox row for each that is another than before. */
DT_MUST_USE enum dt_status dt_store_mark(struct dt_store *store, const struct dt_store_state *states, size_t count, struct dt_error *err);
/* Deletes the crashes of a query, leaves tombstones. dry: only counts. */
DT_MUST_USE enum dt_status dt_store_remove(struct dt_store *store, const struct dt_store_query *query, bool dry, uint64_t *removed,
                                           struct dt_error *err);

struct dt_store_change {
	uint64_t seq, at; /* at: FILETIME */
	bool incident;    /* else a crash */
	const char *ref;  /* the crash's key; the incident's id */
	const char *change; /* new, changed, removed, or the incident's state */
};
typedef bool (*dt_store_change_row)(void *context, const struct dt_store_change *row);
/* Changes with a number above `after`, in the order of commit. */
DT_MUST_USE enum dt_status dt_store_outbox(struct dt_store *store, uint64_t after, uint64_t limit, dt_store_change_row row,
                                           void *context, struct dt_error *err);

struct dt_store_health {
	int version;
	char url[256]; /* without password */
	uint64_t files, crashes, incidents, hosts, changes, tombstones;
	uint64_t classes[DT_verdict_class_COUNT];
	uint64_t problems; /* deep: what does not agree */
	char problem[400]; /* the first of them */
};
/* Counts; deep: also counts everything that is kept twice again, and reads every record. */
DT_MUST_USE enum dt_status dt_store_check(struct dt_store *store, bool deep, struct dt_store_health *out, struct dt_error *err);
/* A copy of a SQLite store while others write. DT_ERR_UNSUPPORTED on PostgreSQL. */
DT_MUST_USE enum dt_status dt_store_backup(struct dt_store *store, const char *path, struct dt_error *err);

#endif

/*
 * triage.h - the passes that turn the bytes of a dump into the facts of a record.
 */
#ifndef DT_TRIAGE_TRIAGE_H
#define DT_TRIAGE_TRIAGE_H

#include "core/base/arena.h"
#include "core/base/mapping.h"
#include "core/model/crash.h"
#include "core/base/status.h"

struct dt_symbol_source;

struct dt_triage_options {
	bool hash;             /* SHA-256 of the file (skipped for files over DT_MAX_HASHED_FILE unless hash_large) */
	bool hash_large;
	const struct dt_symbol_source *symbols; /* asked for images and symbols; NULL: the dump alone */
	const char *host;      /* name given by the caller, NULL */
};

struct dt_triage; /* holds decoders and scratch memory; made once, used for many dumps, not shared between threads */

DT_MUST_USE enum dt_status dt_triage_create(struct dt_triage **out, struct dt_error *err);
void dt_triage_destroy(struct dt_triage *triage);

/* Loads what some dumps need of the system's libraries (docs/adr/0005), for a process that will not be allowed to open files later. */
void dt_triage_prepare(void);

/* Microseconds of the last dump, by stage, for the bench. */
struct dt_triage_times {
	double open, context, stack, hash, total;
};
const struct dt_triage_times *dt_triage_times(const struct dt_triage *triage);

/* Analyses the file at path. Always gives facts: a file that cannot be opened or read has facts->failure. The facts live until the next call
 * with the same triage. */
const struct dt_facts *dt_triage_path(struct dt_triage *triage, const char *path, const struct dt_triage_options *options);
/* The same for an open descriptor, which stays the caller's; path is only a name for the record. */
const struct dt_facts *dt_triage_fd(struct dt_triage *triage, int fd, const char *path,
                                    const struct dt_triage_options *options);
/* The same for bytes in memory; path is only a name for the record. */
const struct dt_facts *dt_triage_bytes(struct dt_triage *triage, struct dt_bytes bytes, const char *path,
                                       const struct dt_triage_options *options);


/* What is at hand for each module of the dump at path, in the dump's order: visit is called for each, with notes of what was refused; the files
 * are closed behind it. The statuses of dt_dump_open, and DT_ERR_IO. */
struct dt_module;
struct dt_notes;
struct dt_symbols_state;
typedef void dt_symbols_visit(void *self, const struct dt_module *module, const struct dt_symbols_state *state, const struct dt_notes *notes);
DT_MUST_USE enum dt_status dt_triage_symbols(struct dt_triage *triage, const char *path, const struct dt_symbol_source *source,
                                             dt_symbols_visit *visit, void *self, struct dt_error *err);

#endif

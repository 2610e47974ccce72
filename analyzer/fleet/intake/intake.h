/*
 * intake.h - from facts to a judged, stored crash: what scan, work and serve share.
 *
 * An intake judges facts by its rules, gives the crash the host that is known
 * of it, and hands it to the store in batches.
 */
#ifndef DT_INTAKE_INTAKE_H
#define DT_INTAKE_INTAKE_H

#include "core/base/arena.h"
#include "fleet/store/store.h"
#include "judgement/signature/rules.h"

/* How a host's name is found for an input, in this order: given, by rule from the path, Report.wer, the dump. */
struct dt_host_rule;
/* "dir:N": the N-th folder below the scanned path; anything else: a regular expression (PCRE2) with one group, matched against
 * the path relative to the scanned one. DT_ERR_USAGE says what is wrong with it. */
DT_MUST_USE enum dt_status dt_host_rule_create(struct dt_host_rule **out, const char *text, struct dt_error *err);
void dt_host_rule_free(struct dt_host_rule *rule);
/* Whether it is a "dir:N". */
bool dt_host_rule_counts_folders(const struct dt_host_rule *rule);
/* The name as it stands in the path, in the arena; NULL when the rule finds none. A path that begins with '/' is below nothing:
 * no folder of it is the N-th. */
const char *dt_host_rule_apply(const struct dt_host_rule *rule, const char *relative, struct dt_arena *arena);
struct dt_intake {
	struct dt_store *store;       /* NULL: nothing is stored */
	const struct dt_rules *rules; /* borrowed */
	size_t batch;                 /* crashes in one transaction; 0: 256 */
	struct dt_arena arena;        /* of the judgement of the last crash */
	struct dt_store_counts counts;
	uint64_t classes[DT_verdict_class_COUNT];
	uint64_t failures[DT_failure_kind_COUNT];
};

void dt_intake_init(struct dt_intake *intake, struct dt_store *store, const struct dt_rules *rules);
void dt_intake_deinit(struct dt_intake *intake);
/* Judges; facts' host becomes host when that is given (source says whence). *crash is valid until the next call. */
DT_MUST_USE enum dt_status dt_intake_judge(struct dt_intake *intake, const struct dt_facts *facts, const char *host,
                                           enum dt_host_source source, struct dt_crash *crash, struct dt_error *err);
/* Into the batch; commits a full one. */
DT_MUST_USE enum dt_status dt_intake_store(struct dt_intake *intake, const struct dt_crash *crash, struct dt_error *err);
/* An input that has no record of its own any more to come: an archive behind its members. */
DT_MUST_USE enum dt_status dt_intake_seen(struct dt_intake *intake, const char *path, uint64_t size, uint64_t mtime,
                                          uint64_t facts_version, struct dt_error *err);
/* A folder that could be read to its end: where the store has a record of class unreadable of it, that goes. Its path is with '/' at its end. */
DT_MUST_USE enum dt_status dt_intake_folder(struct dt_intake *intake, const char *path, struct dt_error *err);
DT_MUST_USE enum dt_status dt_intake_commit(struct dt_intake *intake, struct dt_error *err);

#endif

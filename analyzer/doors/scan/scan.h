/* scan.h - the parts of `dumptriage scan` and `merge`. */
#ifndef DT_SCAN_SCAN_H
#define DT_SCAN_SCAN_H

#include "core/base/buf.h"
#include "doors/common/door.h"
#include "fleet/intake/intake.h"
#include "fleet/walk/walk.h"

int dt_scan_scan(const struct dt_command *self, int argc, char **argv);
int dt_scan_merge(const struct dt_command *self, int argc, char **argv);

/* The host of an input: the one that was given, or what the rule (NULL: none) finds in its path, in the arena. NULL: not known. */
const char *dt_scan_host(const char *given, const struct dt_host_rule *rule, const struct dt_found *found, struct dt_arena *arena);

/* ---- part.c: JSON lines of one shard ------------------------------------ */

/* What a part says of its scan in its first line. Parts of one scan have the same run. */
struct dt_part_head {
	char run[17];           /* hash of what was asked: paths, patterns, number of shards */
	uint32_t shard, shards; /* shards 0 is written as shard 0 of 1 */
};

struct dt_part;

/* Opens PATH for writing: lines go to PATH.tmp; complete lines of an earlier, killed run of the same scan are kept and their inputs
 * need not be read again. A finished PATH of the same scan: DT_ERR_NOT_FOUND, nothing is left to do. DT_ERR_USAGE: PATH is of another
 * scan. DT_ERR_IO. *unreadable: records of class unreadable that are there already. */
DT_MUST_USE enum dt_status dt_part_create(struct dt_part **out, const char *path, const struct dt_part_head *head, uint64_t *unreadable,
                                          struct dt_error *err);
/* Whether an earlier run has the input already. */
bool dt_part_has(const struct dt_part *part, const char *path, uint64_t size, uint64_t mtime);
uint64_t dt_part_kept(const struct dt_part *part);
DT_MUST_USE enum dt_status dt_part_write(struct dt_part *part, const struct dt_crash *crash, struct dt_error *err);
/* Writes the last line, syncs, renames. */
DT_MUST_USE enum dt_status dt_part_finish(struct dt_part *part, struct dt_error *err);
/* Without finish the temporary file stays, to be continued. */
void dt_part_close(struct dt_part *part);

/* ---- progress.c: what a person or a log sees meanwhile -------------------- */

struct dt_progress {
	bool terminal, quiet;
	int64_t begun, said;    /* ms */
	uint64_t done, unchanged, known, total; /* total: 0 as long as it is not known */
	bool total_known;
};

void dt_progress_init(struct dt_progress *progress, bool quiet);
/* Says something when it is time to. */
void dt_progress_tick(struct dt_progress *progress);
/* Takes the line off the terminal. */
void dt_progress_end(struct dt_progress *progress);

#endif

/*
 * walk.h - finding and opening the inputs of a scan where a share that hangs can be left behind.
 *
 * Two steps, so that a file which is known already is not even opened:
 * dt_walk_next() gives what was found (name, size, time); for what the caller wants he calls
 * dt_walk_open(), and dt_walk_opened() gives it back open, in any order.
 *
 * Everything that can block runs in threads. A thread whose call does not return within the deadline is abandoned with the one file
 * or folder it was at, and replaced. Memory does not grow with the number of files: folders are open
 * only along the path from the root, and the queues have a length.
 *
 * Links out of the tree are not followed: a link to a folder never, a link to a file only when
 * it stays beneath the path that was given (openat2, Linux 5.6). The order is the folders' own.
 *
 * All functions are called from one thread.
 */
#ifndef DT_WALK_WALK_H
#define DT_WALK_WALK_H

#include <stddef.h>

#include "core/base/status.h"

struct dt_walk;

struct dt_walk_options {
	const char *const *paths;   /* files and folders */
	size_t path_count;
	int list_fd;                /* names, one a line (or ended by NUL); -1 none; stays the caller's */
	bool list_nul;
	const char *list_root;      /* the folder that names of the list count from, where they begin with it; NULL none */
	uint32_t shard, shards;     /* only files of this shard; shards 0: all */
	const char *const *include; /* patterns (fnmatch, case folded) of the last part of the name; none: all files */
	size_t include_count;
	bool tell_folders;          /* hand out folders, too, when they were read to their end */
	unsigned openers;           /* threads that open; 0: 4 */
	unsigned deadline_ms;       /* for one open, stat or read of a folder; 0: 10000 */
};

/* What was found. */
struct dt_found {
	char *path;     /* as the system has it */
	size_t relative; /* offset in path of the part below the path that was given; of a listed name below list_root, else 0 */
	int root;       /* private; -1 in what a caller makes himself */
	bool link;      /* private */
	bool folder;    /* no input: a folder, with '/' at its end; only with tell_folders */
	bool named;     /* with a status: the path that was given itself is not there, or cannot be opened */
	size_t user;    /* whatever the caller wants to find again in what was opened */
	uint64_t size;
	int64_t mtime_ns; /* since the Unix epoch */
	enum dt_status status; /* not DT_OK: a file or folder that cannot be an input, and why */
	struct dt_error err;
};

/* What was opened. */
struct dt_opened {
	struct dt_found found; /* status and err say why fd is -1 */
	int fd, report_fd;     /* the caller's; report_fd: a Report.wer in the same folder, or -1 */
};

struct dt_walk_counts {
	uint64_t found, failed, folders, skipped, hung; /* skipped: of another shard, or not included */
	bool complete; /* nothing more will be found */
	bool no_memory; /* something was left out, because the system had no memory for it */
};

DT_MUST_USE enum dt_status dt_walk_create(struct dt_walk **out, const struct dt_walk_options *options, struct dt_error *err);
/* Does not wait for threads that hang. */
void dt_walk_destroy(struct dt_walk *walk);

/* DT_OK: *out is the caller's, to be given to dt_walk_open or dt_found_free. DT_ERR_NOT_FOUND: nothing within timeout_ms (-1: waits).
 * DT_ERR_TRUNCATED: the walk is over. */
DT_MUST_USE enum dt_status dt_walk_next(struct dt_walk *walk, int timeout_ms, struct dt_found *out);
/* Takes *found over. */
void dt_walk_open(struct dt_walk *walk, struct dt_found *found);
/* DT_OK: *out is the caller's. DT_ERR_NOT_FOUND: none within timeout_ms. */
DT_MUST_USE enum dt_status dt_walk_opened(struct dt_walk *walk, int timeout_ms, struct dt_opened *out);
/* Files given to dt_walk_open that did not come back yet. */
size_t dt_walk_opening(const struct dt_walk *walk);
void dt_found_free(struct dt_found *found);
void dt_walk_counts(struct dt_walk *walk, struct dt_walk_counts *out);

/* FNV-1a of the name: which shard a file belongs to is this modulo the number of shards. Never changes. */
uint64_t dt_walk_hash(const char *relative);

#endif

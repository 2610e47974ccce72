/* shared.h - what the threads of a walk share. Private to fleet/walk. */
#ifndef DT_WALK_SHARED_H
#define DT_WALK_SHARED_H

#include <dirent.h>
#include <pthread.h>

#include "fleet/walk/walk.h"

enum { DT_WALK_AHEAD = 256, DT_WALK_DEPTH = 256, DT_WALK_ABANDONED = 64, DT_WALK_NAME = 256 };

/* A thread and the call it may hang in. An abandoned thread finds another generation than its own. */
struct dt_lane {
	uint64_t generation;
	int64_t since;         /* ms of the monotonic clock at which the call began; 0: none */
	struct dt_found at;    /* opener: what is being opened */
	bool opening;
	char *what;            /* walker: the file or folder the call is about */
	bool in_folder;        /* walker: the call reads the innermost folder, which goes with the thread */
};

struct dt_level {
	DIR *dir;
	size_t path_len; /* of the folder's path */
};

struct dt_ring {
	struct dt_found items[DT_WALK_AHEAD];
	size_t first, count;
};

struct dt_done {
	struct dt_opened opened;
	struct dt_done *next;
};

struct dt_walk {
	pthread_mutex_t lock;
	pthread_cond_t for_caller, for_walker, for_openers;
	unsigned caller_waits, walker_waits, openers_wait; /* nobody is woken who does not wait */
	unsigned references;
	bool stopping;
	struct dt_walk_options options;
	char *list_root;
	char **paths, **include;
	int *roots; /* one descriptor for each path that is a folder; -1 */
	/* the walker */
	struct dt_lane walker;
	struct dt_level *levels[DT_WALK_DEPTH];
	size_t depth, path_at, path_begun;
	char *path;
	size_t path_room, root_len;
	bool listing; /* the paths are done, names of the list come */
	char *line;
	size_t line_len, line_room;
	bool line_cut; /* it is longer than a name can be */
	char *input;
	size_t input_at, input_len;
	bool over;
	struct dt_ring found;
	/* the openers */
	struct dt_lane *openers;
	struct dt_ring wanted;
	struct dt_done *done, **done_end;
	size_t opening;
	struct dt_walk_counts counts;
};

struct dt_lane_start {
	struct dt_walk *walk;
	struct dt_lane *lane;
	uint64_t generation;
};

/* Milliseconds of the steady clock, never 0. */
int64_t dt_walk_now(void);
/* With the lock held. */
static inline void dt_wake(pthread_cond_t *condition, unsigned waiting)
{
	if (waiting)
		pthread_cond_signal(condition);
}

/* Around a call that may hang. dt_lane_back gives false (the lock is released) when the thread was abandoned meanwhile. */
void dt_lane_away(struct dt_walk *walk, struct dt_lane *lane);
bool dt_lane_back(struct dt_walk *walk, struct dt_lane *lane, uint64_t generation);
void dt_walk_unref(struct dt_walk *walk); /* with the lock held; releases it */
bool dt_lane_spawn(struct dt_walk *walk, struct dt_lane *lane, void *(*run)(void *));
void *dt_walker_run(void *argument);
void *dt_opener_run(void *argument);
/* With the lock held: puts what was found into the queue, waits for room. false: stopping. Takes *found over. */
bool dt_walk_push(struct dt_walk *walk, struct dt_lane *lane, uint64_t generation, struct dt_found *found);
void dt_walk_finish(struct dt_walk *walk, const struct dt_opened *opened);

#endif

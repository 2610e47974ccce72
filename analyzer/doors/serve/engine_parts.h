/* engine_parts.h - what the parts of the engine share. Private to doors/serve; all of it belongs to the engine's thread. */
#ifndef DT_SERVE_ENGINE_PARTS_H
#define DT_SERVE_ENGINE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "doors/serve/engine.h"
#include "fleet/intake/intake.h"

enum { DT_ENGINE_COMMIT_ROWS = 128, DT_ENGINE_FLIGHTS = 256 };

/* A file that a worker reads. */
struct dt_flight {
	struct dt_job *job;
	unsigned file, members;
};

struct dt_engine {
	struct dt_engine_options options;
	pthread_t thread;
	bool started;
	int wake;
	pthread_mutex_t lock; /* of the next five */
	struct dt_job *first, *last; /* accepted, not begun */
	bool stopping, failed;
	int64_t stop_at;
	/* the thread's own */
	struct dt_pool *pool;
	struct dt_store *store;
	struct dt_intake intake;
	struct dt_job **active; /* begun, not done */
	size_t active_count, active_room;
	struct dt_flight flights[DT_ENGINE_FLIGHTS];
	int64_t batch_since;  /* 0: nothing waits for a commit */
	int64_t open_again;   /* the store is not asked before */
	bool discard;         /* the store was lost: what is under way is read again */
	size_t careful;       /* so many uploads are stored one by one */
	atomic_bool troubled; /* the store was lost, or a commit failed */
	uint64_t inputs;
};

/* engine.c: the queue. in_front: what must be read again. */
void dt_engine_enqueue(struct dt_engine *engine, struct dt_job *job, bool in_front);
/* Workers cannot be started any more. */
void dt_engine_give_up(struct dt_engine *engine, const struct dt_error *err);

/* engine_store.c: the store's side. A store there is, or it was tried a moment ago. */
bool dt_engine_have_store(struct dt_engine *engine);
/* Something failed with it: what was begun is read again when it is back. */
void dt_engine_store_lost(struct dt_engine *engine, const struct dt_error *err);
/* All that was begun goes back to the front of the queue, the first in front. */
void dt_engine_read_again(struct dt_engine *engine);
/* Rules for what is judged next: between two commits they stay the same. */
void dt_engine_take_rules(struct dt_engine *engine);
void dt_engine_drop_rules(struct dt_engine *engine);
/* Facts of a job's file, judged, into the batch. member: counts the results of the file. */
DT_MUST_USE enum dt_status dt_engine_keep(struct dt_engine *engine, struct dt_job *job, unsigned number, unsigned member, const struct dt_facts *facts,
                                          struct dt_error *err);
void dt_engine_batch_grew(struct dt_engine *engine);
/* Closes a job of which everything was read, and nothing else. */
void dt_engine_close_job(struct dt_engine *engine, struct dt_job *job);
bool dt_engine_flush_is_due(const struct dt_engine *engine);
/* Commits the batch; jobs that are closed are done. */
void dt_engine_flush(struct dt_engine *engine);

/* engine_files.c: the pool's side. Begins a file of a job; errors are those of the store. */
DT_MUST_USE enum dt_status dt_engine_begin_file(struct dt_engine *engine, struct dt_job *job, unsigned number, struct dt_error *err);
/* Takes one result, if one comes in time. */
void dt_engine_collect(struct dt_engine *engine, int wait_ms);

#endif

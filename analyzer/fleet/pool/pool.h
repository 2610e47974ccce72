/*
 * pool.h - the parent's side of the worker: N sandboxed processes, their jobs,
 * deadlines and deaths.
 *
 * One thread drives a pool. It gives a job (an open descriptor) to a free
 * worker and waits for results; a worker that dies, hangs past its deadline, or does not keep
 * to the protocol costs its one input, which gets facts with a failure, and is
 * replaced. What workers send is input: it is decoded with caps and checked before anybody sees it.
 */
#ifndef DT_POOL_POOL_H
#define DT_POOL_POOL_H

#include "core/base/arena.h"
#include "core/model/crash.h"

struct dt_pool;

struct dt_ask;

/* Who answers a worker's questions for images and symbols (core/protocol). */
struct dt_pool_source {
	void *self;
	int (*ask)(void *self, const struct dt_ask *ask); /* an open descriptor, which becomes the pool's; -1: no */
};

struct dt_pool_options {
	unsigned workers;         /* processes; at least 1 */
	unsigned deadline_ms;     /* wall time for one input; 0: 30 s */
	unsigned ask_ms;          /* wall time that the source may take for one input: then it is not asked any more, and the record says so; 0: 60 s */
	uint64_t memory_limit;    /* RLIMIT_DATA of a worker, bytes; 0: 256 MiB */
	bool no_sandbox;          /* for debugging only */
	bool has_wake;            /* wake_fd is there: waiting ends early when it can be read (it is not read, and stays the caller's) */
	int wake_fd;
	const struct dt_pool_source *source; /* NULL: workers must not ask; borrowed */
	const char *worker_path;  /* NULL: dumptriage-worker beside the program, or in its libexec folder */
};

struct dt_pool_job {
	uint64_t id;      /* comes back with the result */
	const char *path; /* the name for the record; copied */
	int fd;           /* open for reading; belongs to the pool from submit on, also on failure */
	bool has_report; /* report_fd, a Report.wer beside the dump, belongs to the pool likewise */
	int report_fd;
	bool hash, hash_large;
};

struct dt_pool_result {
	uint64_t id;
	struct dt_facts facts; /* valid until the next call on the pool */
	bool last;             /* no more records of this job */
	bool died;             /* the worker was lost on this input */
};

struct dt_pool_counts {
	uint64_t results, signals, deadlines, protocol; /* workers lost, by reason */
	uint64_t spawned;
};

/* Spawns the workers. DT_ERR_NOT_FOUND: no worker program. DT_ERR_IO: it cannot be started. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_pool_create(struct dt_pool **out, const struct dt_pool_options *options,
                                          struct dt_error *err);
/* Ends all workers at once. */
void dt_pool_destroy(struct dt_pool *pool);

/* What of the sandbox is in force in every worker (bits DT_SANDBOX_…), and in words what is not ("" when all is). */
uint32_t dt_pool_mechanisms(const struct dt_pool *pool);
const char *dt_pool_missing(const struct dt_pool *pool);

/* Workers that have no job. */
unsigned dt_pool_free(const struct dt_pool *pool);
/* Jobs without their last result. */
unsigned dt_pool_busy(const struct dt_pool *pool);

/* Gives a job to a free worker. DT_ERR_LIMIT when there is none. */
DT_MUST_USE enum dt_status dt_pool_submit(struct dt_pool *pool, const struct dt_pool_job *job, struct dt_error *err);
/* Waits for a result, at most timeout_ms (-1: until there is one). DT_ERR_NOT_FOUND: none came in
 * time, the caller was woken, or no job is running. DT_ERR_IO: workers cannot be started any more. */
DT_MUST_USE enum dt_status dt_pool_wait(struct dt_pool *pool, int timeout_ms, struct dt_pool_result *result,
                                        struct dt_error *err);

const struct dt_pool_counts *dt_pool_counts(const struct dt_pool *pool);

/* Whether facts that came from a worker keep the rules that readers rely on: offsets inside their module. NULL when they do, else
 * what they break (static text). */
const char *dt_pool_facts_broken(const struct dt_facts *facts);

#endif

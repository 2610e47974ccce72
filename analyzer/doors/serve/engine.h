/*
 * engine.h - the thread that turns accepted uploads into stored crashes: spool -> sandboxed pool -> judged -> store, in batches.
 *
 * An upload is done when its crashes and its own row are committed; then its files leave the spool. Whatever ends the server before
 * that, the next one finds the upload in the spool and reads it again. While the store cannot be reached, uploads wait.
 */
#ifndef DT_SERVE_ENGINE_H
#define DT_SERVE_ENGINE_H

#include "doors/serve/jobs.h"
#include "doors/serve/rulebook.h"
#include "doors/serve/spool.h"
#include "fleet/pool/pool.h"

struct dt_engine;

struct dt_engine_options {
	const char *db;
	struct dt_pool_options pool;
	struct dt_rulebook *rulebook;
	struct dt_spool *spool;
	struct dt_jobs *jobs;
	bool keep; /* dumps stay in the spool when they are done */
	void (*stored)(void *context); /* after each commit that changed crashes, in the engine's thread; NULL nothing */
	void *context;
};

/* Starts pool and thread, and takes up what the spool holds. DT_ERR_NOT_FOUND, DT_ERR_IO: no workers; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_engine_start(struct dt_engine **out, const struct dt_engine_options *options, struct dt_error *err);
/* Takes an accepted upload, whose job is in the table. */
void dt_engine_submit(struct dt_engine *engine, struct dt_job *job);
/* Whether workers cannot be started any more: the server should end. */
bool dt_engine_failed(struct dt_engine *engine);
/* What of the sandbox is missing ("" nothing). */
const char *dt_engine_missing(const struct dt_engine *engine);
/* Ends it after what is under way, at the latest after ms; what is not done stays in the spool. */
void dt_engine_stop(struct dt_engine *engine, unsigned ms);
/* Frees it; nobody submits any more. Stops it first where that was not done. */
void dt_engine_free(struct dt_engine *engine);
/* Whether the last commit, or look for the store, went well. */
bool dt_engine_store_ok(struct dt_engine *engine);

#endif

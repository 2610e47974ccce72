/* known.h - bytes that were uploaded before: their crashes answer, and nothing is read. */
#ifndef DT_SERVE_KNOWN_H
#define DT_SERVE_KNOWN_H

#include "doors/serve/jobs.h"
#include "fleet/intake/intake.h"

struct dt_known {
	struct dt_store *store;
	struct dt_intake *intake;
	const struct dt_job *job;
	unsigned number; /* of the file */
	struct dt_arena arena; /* the caller's to begin and to end */
	/* result, in the arena */
	struct dt_job_item *items;
	size_t count;
};

/* Looks for the file's SHA-256 among earlier uploads; what they gave goes into the store's batch as this upload's items. A host that
 * is said now and was not known then is given to the crash. DT_ERR_NOT_FOUND: the bytes must be read. Errors of the store. */
DT_MUST_USE enum dt_status dt_known_answer(struct dt_known *known, struct dt_error *err);

#endif

/*
 * review.h - the incidents of a store, looked at together: states, outbreaks, suspect hosts. Reads rows from the
 * store and gives them to the pure functions of fleet/incident.
 *
 * The clock is the newest crash the fleet knows, so that a store says the same whenever it is asked; another point in time may be
 * given.
 */
#ifndef DT_REVIEW_REVIEW_H
#define DT_REVIEW_REVIEW_H

#include "core/base/arena.h"
#include "fleet/incident/incident.h"
#include "fleet/store/store.h"

struct dt_review_incident {
	struct dt_stored_incident stored; /* texts in the arena */
	struct dt_incident_status status;
	uint64_t suspect_hosts; /* of its hosts, how many are suspected of bad hardware */
	bool outbreak;          /* it bursts, and is no part of another outbreak */
	const char **families;
	size_t family_count;
};

struct dt_review_host {
	uint64_t id;
	const char *name;
	struct dt_host_pattern pattern;
};

struct dt_review {
	struct dt_stored_incident fleet; /* id 0: there is no crash yet */
	int64_t now;                     /* seconds of the Unix clock */
	struct dt_review_incident *incidents; /* outbreaks first, over last, then by hosts and crashes */
	size_t count;
	struct dt_review_host *hosts; /* suspects only */
	size_t host_count;
	size_t outbreaks;
};

struct dt_review_options {
	struct dt_opt now;          /* seconds of the Unix clock; not known: the newest crash */
	enum dt_incident_kind kind; /* 0: all */
	uint64_t id;                /* only this incident; 0: all */
	const uint64_t *ids;        /* only these, as many as id_count; NULL: all */
	size_t id_count;
	size_t limit;               /* incidents looked at; 0: 500 */
	size_t hosts;               /* hosts looked at, those with the most families; 0: 1024 */
};

/* Everything lives in the arena. Errors of the store; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_review_make(struct dt_store *store, const struct dt_review_options *options, struct dt_arena *arena,
                                          struct dt_review *out, struct dt_error *err);
/* Keeps the states in the store (and so in its outbox): "outbreak" or the state's word. */
DT_MUST_USE enum dt_status dt_review_mark(struct dt_store *store, const struct dt_review *review, struct dt_error *err);
/* An incident's or the fleet's series, in the arena. */
DT_MUST_USE enum dt_status dt_review_series(struct dt_store *store, uint64_t incident, struct dt_arena *arena, struct dt_series *out,
                                            struct dt_error *err);

#endif

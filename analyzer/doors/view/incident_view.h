/*
 * incident_view.h - from what a review and the store know of an incident to what a report prints. For the doors that show incidents.
 */
#ifndef DT_VIEW_INCIDENT_VIEW_H
#define DT_VIEW_INCIDENT_VIEW_H

#include "fleet/review/review.h"
#include "report/incidents.h"

/* "signature", "own", "family"; and back: false for another word. */
const char *dt_view_kind(enum dt_incident_kind kind);
bool dt_view_kind_parse(const char *word, enum dt_incident_kind *out);
/* Whether it is a word that an incident's state may be shown as: "outbreak", or one of dt_incident_state_words. */
bool dt_view_is_state(const char *word);
/* Borrows from in; without details. */
void dt_view_incident(const struct dt_review_incident *in, struct dt_report_incident *out);
/* The incident of this id with builds, families, hosts and hours, in the arena; now (may be NULL): how it stands. DT_ERR_NOT_FOUND, and
 * errors of the store. */
DT_MUST_USE enum dt_status dt_view_incident_details(struct dt_store *store, uint64_t id, struct dt_arena *arena, struct dt_report_incident *out,
                                                    const struct dt_incident_status **now, struct dt_error *err);
/* An incident's or the fleet's hours from `from` on (hours of the Unix clock), in the arena. Errors of the store. */
DT_MUST_USE enum dt_status dt_view_bars(struct dt_store *store, uint64_t incident, int64_t from, struct dt_arena *arena,
                                        const struct dt_report_bar **out, size_t *count, struct dt_error *err);
/* "40 hosts began within 2 hours, 0.0015 expected (1 in 10^122)" */
void dt_view_burst(const struct dt_burst *burst, struct dt_buf *out);

#endif

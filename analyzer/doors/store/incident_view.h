/* incident_view.h - from what a review found to what a report prints. */
#ifndef DT_STORE_INCIDENT_VIEW_H
#define DT_STORE_INCIDENT_VIEW_H

#include "doors/store/commands.h"
#include "fleet/review/review.h"
#include "report/incidents.h"

/* Borrows from in. */
void dt_view_incident(const struct dt_review_incident *in, struct dt_report_incident *out);

#endif

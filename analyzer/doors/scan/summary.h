/* summary.h - what a scan found, for the person who started it. */
#ifndef DT_SCAN_SUMMARY_H
#define DT_SCAN_SUMMARY_H

#include "fleet/intake/intake.h"
#include "fleet/pool/pool.h"

enum { DT_SUMMARY_BUCKETS = 4096 };

struct dt_scan_summary {
	uint64_t inputs, unchanged, records;
	struct { char *key; uint64_t crashes; } *buckets; /* of this scan; those beyond the cap are not counted */
	size_t bucket_count;
	bool cut;
	char reasons[8][200]; /* unreadable inputs, the first few */
	size_t reason_count;
};

void dt_summary_init(struct dt_scan_summary *summary);
void dt_summary_deinit(struct dt_scan_summary *summary);
void dt_summary_add(struct dt_scan_summary *summary, const struct dt_crash *crash);
/* To standard output. */
void dt_summary_print(struct dt_scan_summary *summary, const struct dt_intake *intake, const struct dt_pool_counts *pool);
/* Looks at the store's incidents, keeps their states, prints the outbreaks and the largest. */
DT_MUST_USE enum dt_status dt_summary_incidents(struct dt_store *store, struct dt_error *err);

#endif

/* count.h - how many files there are to do, found out beside the scan for the person who watches it. */
#ifndef DT_SCAN_COUNT_H
#define DT_SCAN_COUNT_H

#include "fleet/walk/walk.h"

struct dt_counter;

/* Walks the same paths once more in a thread of its own. NULL: not possible (a list can be read only once), or no memory. */
struct dt_counter *dt_counter_start(const struct dt_walk_options *options);
/* Files found so far; *complete: all of them. */
uint64_t dt_counter_total(const struct dt_counter *counter, bool *complete);
void dt_counter_stop(struct dt_counter *counter);

#endif

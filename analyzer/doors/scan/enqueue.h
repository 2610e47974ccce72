/* enqueue.h - what a walk finds, as messages of the fleet's queue. */
#ifndef DT_SCAN_ENQUEUE_H
#define DT_SCAN_ENQUEUE_H

#include "doors/scan/scan.h"

/* Publishes every input and waits until the broker has confirmed all. Prints how many. *lacking: a path that was given is not there. */
DT_MUST_USE enum dt_status dt_scan_enqueue(struct dt_walk *walk, const char *url, const char *host, const struct dt_host_rule *rule,
                                           bool *lacking, struct dt_error *err);

#endif

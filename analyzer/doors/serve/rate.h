/* rate.h - how often somebody may ask: a bucket of tokens for each name, refilled at a steady rate. Thread-safe. */
#ifndef DT_SERVE_RATE_H
#define DT_SERVE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct dt_rate;

/* per_second 0: everything is allowed. burst: how many at once. NULL without memory. */
struct dt_rate *dt_rate_create(unsigned per_second, unsigned burst);
void dt_rate_free(struct dt_rate *rate);
/* now: ms of any steady clock. false: too often; *wait_s seconds are to be waited, at least 1. */
bool dt_rate_allow(struct dt_rate *rate, const char *name, int64_t now, unsigned *wait_s);

#endif

/*
 * metrics.h - what a long-running command counts, in Prometheus' text format 0.0.4.
 *
 * `--metrics ADDR:PORT` serves GET /metrics (libmicrohttpd, a thread of its own; ":9100" is loopback); `--metrics FILE`, which has a '/' or
 * ends in .prom, is written at most once a second and at the end, complete or not at all (node_exporter's textfile collector).
 */
#ifndef DT_METRICS_METRICS_H
#define DT_METRICS_METRICS_H

#include "core/base/buf.h"
#include "core/base/status.h"

enum dt_metric {
#define DT_METRIC(id, name, type, help, label) id,
#include "fleet/metrics/metrics.def"
#undef DT_METRIC
	DT_METRICS
};

/* Thread-safe. */
void dt_metric_set(enum dt_metric metric, uint64_t value);

struct dt_metrics_out;
/* NULL target: nothing is put out, *out is NULL. DT_ERR_USAGE: no such target; DT_ERR_IO: the address is taken, the file cannot be written. */
DT_MUST_USE enum dt_status dt_metrics_open(struct dt_metrics_out **out, const char *target, struct dt_error *err);
/* Writes the file when it is time to; now: always. Does nothing for an address. */
void dt_metrics_tick(struct dt_metrics_out *out, bool now);
void dt_metrics_close(struct dt_metrics_out *out);
/* All of them. */
void dt_metrics_write(struct dt_buf *out);

#endif

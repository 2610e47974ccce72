/* kinds.h - the kinds of sinks, and what they share. Private to fleet/sink. */
#ifndef DT_SINK_KINDS_H
#define DT_SINK_KINDS_H

#include "fleet/sink/sink.h"

#define DT_SINK_KIND(kind)                                                                                                              \
	enum dt_status dt_##kind##_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options, \
	                                struct dt_error *err);                                                                         \
	void dt_##kind##_send(struct dt_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report);         \
	void dt_##kind##_close(struct dt_sink *sink)

DT_SINK_KIND(file_sink);
void dt_file_sink_reopen(struct dt_sink *sink);
DT_SINK_KIND(bulk_sink);
DT_SINK_KIND(hec_sink);
DT_SINK_KIND(syslog_sink);
DT_SINK_KIND(webhook_sink);

bool dt_sink_stopping(const struct dt_sink_stop *stop);

/* What is to be said of one event, of several, and of the batch. */
void dt_sink_mark(struct dt_sink_event *event, enum dt_sink_result result, const char *fmt, ...) DT_PRINTF(3, 4);
void dt_sink_mark_all(struct dt_sink_event *events, size_t count, enum dt_sink_result result, const char *reason);
void dt_sink_problem(struct dt_sink_report *report, const char *fmt, ...) DT_PRINTF(2, 3);

#endif

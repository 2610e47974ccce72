/*
 * log.h - what the program says of its own running, on standard error: one line for one event.
 *
 * Text for a person at a terminal ("dumptriage: warning: ..."), with a time where it is no terminal and with
 * syslog's levels in front under systemd; or JSON. What stands in a line is cleaned, so that a file's name cannot forge one.
 */
#ifndef DT_LOG_LOG_H
#define DT_LOG_LOG_H

#include "core/base/status.h"

enum dt_log_level { DT_LOG_ERROR, DT_LOG_WARNING, DT_LOG_INFO, DT_LOG_DEBUG };

/* false: there is no such level (error, warning, info, debug) or format (text, json); NULL leaves it as it is. */
bool dt_log_set(const char *level, const char *format);
bool dt_log_wanted(enum dt_log_level level);
/* event: a word for machines ("worker-lost"); id: the input it is about, the same from pool to feed, NULL none. Thread-safe. */
void dt_log(enum dt_log_level level, const char *event, const char *id, const char *fmt, ...) DT_PRINTF(4, 5);
void dt_log_args(enum dt_log_level level, const char *event, const char *id, const char *fmt, va_list args);

#endif

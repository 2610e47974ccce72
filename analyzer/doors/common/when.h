/* when.h - points in time as people type them. */
#ifndef DT_DOORS_WHEN_H
#define DT_DOORS_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* A point in time (RFC 3339 or a day) or an age ("30d", "12h") before now, as FILETIME; false: neither. Never 0, which means "not given" where times are
 * asked for: the first instant of 1601 becomes the next. */
bool dt_parse_when(const char *text, uint64_t *filetime);

#endif

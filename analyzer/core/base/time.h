/*
 * time.h - points in time as Windows keeps them, and as RFC 3339 writes them.
 *
 * The one unit inside the program: FILETIME, 100 ns since 1601-01-01T00:00:00Z,
 * in a uint64_t. 0 is "not known".
 */
#ifndef DT_BASE_TIME_H
#define DT_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DT_TIME_SECOND UINT64_C(10000000)
#define DT_TIME_UNIX_EPOCH UINT64_C(116444736000000000)
/* The first instant that RFC 3339 cannot write: the year 10000. */
#define DT_TIME_END (DT_TIME_UNIX_EPOCH + UINT64_C(253402300800) * DT_TIME_SECOND)
/* "9999-12-31T23:59:59.9999999Z" and a NUL */
#define DT_TIME_TEXT_MAX 32

/* RFC 3339 in UTC; the fraction is printed only when it is not zero, with up to 7 digits and no trailing
 * zeros. Years past 9999 cannot be written: false. */
bool dt_time_format(uint64_t filetime, char out[DT_TIME_TEXT_MAX]);
/* The inverse: accepts what dt_time_format writes (and an offset +hh:mm). false for anything else. */
bool dt_time_parse(const char *text, uint64_t *filetime);
uint64_t dt_time_from_unix(uint64_t seconds);
/* The inverse, in seconds and in milliseconds; 0 for what is not known and for what was before 1970. */
int64_t dt_time_to_unix(uint64_t filetime);
int64_t dt_time_to_unix_ms(uint64_t filetime);
/* Of a file's time, in nanoseconds since 1970: all of int64_t is after 1601. */
uint64_t dt_time_from_unix_ns(int64_t ns);
/* The wall clock. */
uint64_t dt_time_now(void);
/* Milliseconds of the clock that never goes back, for deadlines. */
int64_t dt_time_steady_ms(void);

#endif

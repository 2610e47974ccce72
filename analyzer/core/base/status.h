/*
 * status.h - how functions say that they could not do their work.
 *
 * Three kinds of trouble are kept apart everywhere in this program:
 *   status  the function cannot go on; the detail goes into struct dt_error
 *   note    the dump is odd; it is recorded with its place, and work goes on
 *           (model/notes.h)
 *   assert  a mistake of ours; never reachable by input
 */
#ifndef DT_BASE_STATUS_H
#define DT_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum dt_status {
	DT_OK = 0,
	DT_ERR_TRUNCATED,   /* the input ends before what it promises */
	DT_ERR_FORMAT,      /* a value the format forbids */
	DT_ERR_NOT_A_DUMP,  /* no signature of a known format */
	DT_ERR_UNSUPPORTED, /* recognised, and not read by this version */
	DT_ERR_NOT_FOUND,   /* what was asked for is not there */
	DT_ERR_LIMIT,       /* a cap of limits.h was reached */
	DT_ERR_NOMEM,       /* memory ran out, or an arena's cap */
	DT_ERR_IO,          /* the system refused: open, read, map */
	DT_ERR_USAGE,       /* the caller's (or the user's) words are wrong */
	DT_STATUS_COUNT
};

#define DT_MUST_USE __attribute__((warn_unused_result))
#define DT_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

/* What went wrong, for a person. Callers own it; a function that fails fills
 * it, a function that succeeds leaves it alone. A NULL pointer is accepted by
 * all functions that take one: the detail is then lost, the status is not. */
struct dt_error {
	enum dt_status status;
	bool has_off;   /* whether off means something */
	uint64_t off;   /* offset in the input, bytes */
	char text[320]; /* expected what, found what; NUL-terminated */
};

/* Fill err and return status, so that callers write `return dt_fail(...)`. */
enum dt_status dt_fail(struct dt_error *err, enum dt_status status, const char *fmt, ...) DT_PRINTF(3, 4);
/* The same with the offset in the input at which it was seen. */
enum dt_status dt_fail_at(struct dt_error *err, enum dt_status status, uint64_t off, const char *fmt, ...)
	DT_PRINTF(4, 5);

/* A short fixed word for a status: "truncated", "format", ... Never NULL. */
const char *dt_status_name(enum dt_status status);

#endif

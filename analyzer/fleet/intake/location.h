/* location.h - where a dump lies, as a message of the queue says it: {"path": "...", "host": "..."}. */
#ifndef DT_INTAKE_LOCATION_H
#define DT_INTAKE_LOCATION_H

#include "core/base/arena.h"
#include "core/base/buf.h"

struct dt_location {
	const char *path; /* as the system has it */
	const char *host; /* NULL: not known */
};

/* A path that is not UTF-8 is written as path_raw, in base64. */
void dt_location_write(const struct dt_location *location, struct dt_arena *arena, struct dt_buf *out);
/* DT_ERR_FORMAT says what is wrong. Texts in the arena. */
DT_MUST_USE enum dt_status dt_location_read(struct dt_bytes message, struct dt_arena *arena, struct dt_location *out, struct dt_error *err);

#endif

/*
 * bucket.h - keys that group equal crashes.
 */
#ifndef DT_BUCKET_BUCKET_H
#define DT_BUCKET_BUCKET_H

#include "core/base/arena.h"
#include "core/model/crash.h"

/* own: class of code | module + offset | size of image (never the OS build); family: class of code | access | module.
 * Both null for an unreadable input. id and hash stay null here unless the form needs no function name. */
void dt_bucket(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_arena *arena,
               struct dt_bucket *out);

#endif

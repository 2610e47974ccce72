/*
 * mask.h - records without the names of users: every text that holds a path below \Users\, /home/ and the like.
 */
#ifndef DT_REPORT_MASK_H
#define DT_REPORT_MASK_H

#include "core/base/arena.h"
#include "core/model/crash.h"

/* A copy in the arena in which every text is masked (report/event.h, dt_mask_user); path_raw, which cannot be, is null. What holds no
 * name is shared with the original. NULL without memory. */
const struct dt_crash *dt_mask_crash(const struct dt_crash *crash, struct dt_arena *arena);

#endif

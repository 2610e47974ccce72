/* parts.h - reading the part of one shard, for going on with it and for merge. */
#ifndef DT_SCAN_PARTS_H
#define DT_SCAN_PARTS_H

#include <sys/types.h>

#include "doors/scan/scan.h"

/* One record's line, without its newline. Not DT_OK ends the reading. */
typedef enum dt_status (*dt_part_record)(void *context, const char *line, size_t len, struct dt_error *err);
/* Reads a part to its end or to its last complete line. *good: bytes up to there. DT_ERR_NOT_FOUND: no such file. DT_ERR_TRUNCATED: it
 * has no head. DT_ERR_FORMAT: it is no part, or its end does not fit its records. */
DT_MUST_USE enum dt_status dt_part_read(const char *path, struct dt_part_head *head, bool *complete, dt_part_record record, void *context,
                                        off_t *good, struct dt_error *err);

#endif

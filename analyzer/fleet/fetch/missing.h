/*
 * missing.h - what a cache remembers of files that a server does not have: one small file each in CACHE/.dumptriage, whose name is the
 * SHA-256 of server, file and key, whose text is the reason, and whose age says how long it still holds. Private to fleet/fetch.
 */
#ifndef DT_FETCH_MISSING_H
#define DT_FETCH_MISSING_H

#include <stdint.h>

#include "core/base/status.h"

#define DT_FETCH_OWN_FOLDER ".dumptriage"

/* Makes the folder, and removes what is too old there: memories past remember_s, partial files of a day. Gives the number of memories that
 * stay in *count. DT_ERR_IO: the cache cannot be written. */
DT_MUST_USE enum dt_status dt_missing_open(const char *cache, uint64_t remember_s, unsigned *count, struct dt_error *err);
/* Whether it is remembered as missing; the reason in why. */
bool dt_missing_known(const char *cache, const char *server, const char *file, uint64_t remember_s, char why[200]);
/* file: NAME/KEY/NAME. */
void dt_missing_remember(const char *cache, const char *server, const char *file, const char *why);

#endif

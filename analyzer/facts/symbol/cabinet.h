/*
 * cabinet.h - files that a symbol store keeps compressed (driver.sy_, driver.pd_): a cabinet with one file in it.
 *
 * libarchive unpacks them, loaded when the first one comes (docs/adr/0005).
 */
#ifndef DT_SYMBOL_CABINET_H
#define DT_SYMBOL_CABINET_H

#include "core/base/bytes.h"
#include "core/base/status.h"

/* Loads libarchive, for a process that will not be allowed to open files later. */
void dt_cabinet_prepare(void);
/* Whether the bytes are a cabinet. */
bool dt_cabinet_is(struct dt_bytes file);
/* Unpacks the first file in it; *out is to be given to dt_cabinet_free. DT_ERR_FORMAT: damaged. DT_ERR_LIMIT: larger than DT_MAX_UNPACKED_SYMBOLS.
 * DT_ERR_NOMEM. DT_ERR_UNSUPPORTED: libarchive is not on this machine. */
DT_MUST_USE enum dt_status dt_cabinet_unpack(struct dt_bytes file, struct dt_bytes *out, struct dt_error *err);
void dt_cabinet_free(struct dt_bytes unpacked);

#endif

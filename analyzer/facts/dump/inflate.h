/*
 * inflate.h - decompression of one page, by libraries that are loaded when the first such page comes (docs/adr/0005).
 */
#ifndef DT_DUMP_INFLATE_H
#define DT_DUMP_INFLATE_H

#include "core/base/bytes.h"

enum dt_inflate { DT_INFLATE_ZLIB, DT_INFLATE_LZO, DT_INFLATE_SNAPPY, DT_INFLATE_ZSTD, DT_INFLATE_COUNT };

/* Whether the library is on this machine; loads it. */
bool dt_inflate_is_there(enum dt_inflate method);
const char *dt_inflate_library(enum dt_inflate method);
/* Decompresses all of in to exactly len bytes; false when it does not give them. */
bool dt_inflate(enum dt_inflate method, struct dt_bytes in, uint8_t *out, size_t len);

#endif

/* embedded.h - the signatures that are built into the program. */
#ifndef DT_SIGNATURE_EMBEDDED_H
#define DT_SIGNATURE_EMBEDDED_H

#include "core/base/embedded.h"

extern const struct dt_embedded dt_builtin_signatures[]; /* without their tests */
extern const struct dt_embedded dt_builtin_signatures_tested[];
extern const size_t dt_builtin_signatures_tested_count;
extern const size_t dt_builtin_signatures_count;

extern const struct dt_embedded dt_builtin_vulnerable[];
extern const size_t dt_builtin_vulnerable_count;

#endif

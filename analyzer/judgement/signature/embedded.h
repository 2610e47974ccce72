/*
 * embedded.h - files that the build puts into the program (cmake/embed.cmake).
 */
#ifndef DT_SIGNATURE_EMBEDDED_H
#define DT_SIGNATURE_EMBEDDED_H

#include <stddef.h>

struct dt_embedded {
	const char *name; /* file name; NULL ends the array */
	const char *data; /* a NUL stands behind it */
	size_t len;
};

extern const struct dt_embedded dt_builtin_signatures[];
extern const size_t dt_builtin_signatures_count;

#endif

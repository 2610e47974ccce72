/*
 * embedded.h - files that the build puts into the program (cmake/embed.cmake).
 */
#ifndef DT_BASE_EMBEDDED_H
#define DT_BASE_EMBEDDED_H

#include <stddef.h>

struct dt_embedded {
	const char *name; /* file name; NULL ends the array */
	const char *data; /* a NUL stands behind it */
	size_t len;
};

#endif

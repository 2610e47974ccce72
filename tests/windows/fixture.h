/* fixture.h - the files that tests/windows builds, for tests. */
#ifndef TEST_WINDOWS_FIXTURE_H
#define TEST_WINDOWS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/bytes.h"

/* A file of the fixtures, to be freed; empty when it was not built (no clang or lld-link on this machine). */
static inline struct dt_bytes fixture_read(const char *name)
{
	char path[512];
	struct dt_bytes out = { NULL, 0 };

	snprintf(path, sizeof(path), "%s/%s", DT_FIXTURES, name);
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = file ? malloc(1 << 20) : NULL;
	if (bytes)
		out = (struct dt_bytes){ bytes, fread(bytes, 1, 1 << 20, file) };
	if (file)
		fclose(file);
	return out;
}

#endif

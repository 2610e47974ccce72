#include "doors/common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doors/common/door.h"

int dt_door_read_text(const char *path, const char *what, struct dt_buf *out)
{
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t n;

	if (!file)
		return dt_door_fail("%s %s: %s", what, path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		dt_buf_append(out, block, n);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (failed || !dt_buf_ok(out) || memchr(dt_buf_text(out), '\0', out->len))
		return dt_door_fail("%s %s cannot be read, or is no text of at most %zu bytes", what, path, out->max);
	return DT_EXIT_OK;
}

int dt_door_secret(const char *file, const char *variable, struct dt_buf *out, const char **secret)
{
	const char *environment = getenv(variable);
	int status = DT_EXIT_OK;

	if (file)
		status = dt_door_read_text(file, "the secret's file", out);
	else if (environment)
		dt_buf_puts(out, environment);
	while (out->len && strchr("\r\n", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
	*secret = out->len ? dt_buf_text(out) : NULL;
	if (status == DT_EXIT_OK && !dt_buf_ok(out))
		status = dt_door_fail("the secret in $%s is longer than %zu bytes", variable, out->max);
	if (status == DT_EXIT_OK && file && !*secret)
		status = dt_door_fail("the secret's file %s is empty", file);
	return status;
}

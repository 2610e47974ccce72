/*
 * secret.h - texts that a command takes from files: secrets, which never stand on a command line, and templates.
 */
#ifndef DT_DOORS_SECRET_H
#define DT_DOORS_SECRET_H

#include "core/base/buf.h"

#define DT_SECRET_MAX 4096 /* bytes */

/* Reads a text file of at most as many bytes as out may have; what: how it is called in a message. DT_EXIT_OK, or DT_EXIT_ENVIRONMENT (said): it
 * cannot be read, is larger, or has a NUL. */
int dt_door_read_text(const char *path, const char *what, struct dt_buf *out);
/* The secret of a file, or of a variable of the environment when file is NULL, without the ends of lines behind it. out is the caller's, initialised;
 * *secret lives in it, NULL: there is none. DT_EXIT_OK, or DT_EXIT_ENVIRONMENT (said): a file that cannot be read, or is empty. */
int dt_door_secret(const char *file, const char *variable, struct dt_buf *out, const char **secret);

#endif

/*
 * mapping.h - a file from outside as a bounded view.
 *
 * Opens never block (a FIFO, a device), never follow anything but the name
 * given, and only regular files are taken. The file is mapped read-only. A file
 * that shrinks while it is read raises SIGBUS: dt_mapping_guard() installs a
 * handler that puts zero pages in place of the lost ones and marks the mapping,
 * so the reader goes on with zeros and the caller sees `shrunk` afterwards.
 */
#ifndef DT_BASE_MAPPING_H
#define DT_BASE_MAPPING_H

#include <signal.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_mapping {
	struct dt_bytes bytes;        /* empty for an empty file */
	uint64_t size;                /* bytes, at the time of opening */
	uint64_t mtime;               /* FILETIME of the last change */
	volatile sig_atomic_t shrunk; /* set by the guard when pages went away */
};

/* Installs the SIGBUS handler, once for the process. Programs call it in main;
 * a SIGBUS outside any mapping gets the action that was there before. */
void dt_mapping_guard(void);

/* Opens and maps path. The mapping must not move in memory until closed, and at
 * most DT_MAX_MAPPINGS are open at a time in one process (DT_ERR_LIMIT).
 * DT_ERR_IO: cannot be opened or mapped. DT_ERR_UNSUPPORTED: not a regular file (says what it is). */
DT_MUST_USE enum dt_status dt_mapping_open(struct dt_mapping *map, const char *path, struct dt_error *err);
/* The same over an open descriptor, which stays the caller's. */
DT_MUST_USE enum dt_status dt_mapping_open_fd(struct dt_mapping *map, int fd, struct dt_error *err);
void dt_mapping_close(struct dt_mapping *map);

#endif

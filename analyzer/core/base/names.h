/*
 * names.h - names of files and of hosts, as the record has them.
 */
#ifndef DT_BASE_NAMES_H
#define DT_BASE_NAMES_H

#include "core/base/arena.h"

/* Bytes of a host's name; DNS allows 253. */
#define DT_HOST_MAX 253

/* The path's bytes in base64 when they are not UTF-8, else NULL. In the arena. */
const char *dt_path_raw(struct dt_arena *arena, const char *path);
/* A host's name in lower case (ASCII), without its domain, clean; an IP address stays whole. NULL for NULL, for nothing, and for
 * names longer than DT_HOST_MAX. In the arena. */
const char *dt_host_fold(struct dt_arena *arena, const char *name);

#endif

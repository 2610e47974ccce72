/*
 * fetch.h - images and symbols from the servers that the user names, into the caches that the user has.
 *
 * Runs in the parent, never in the sandboxed worker, and only where a symbol path has a URL. What comes lies in a file of its own until it
 * is whole and is what was asked for (time stamp and size, GUID and age); then it takes its place in the cache, so that nobody
 * sees half a file or another one. Compressed files (driver.sy_) are kept as they come: they are unpacked and checked by the reader.
 *
 * What a server does not have, or has under the key of another file, is remembered in CACHE/.dumptriage for a day. A server that does not
 * answer is left alone for a minute.
 */
#ifndef DT_FETCH_FETCH_H
#define DT_FETCH_FETCH_H

#include "core/base/limits.h"
#include "facts/symbol/store.h"

struct dt_fetch_options {
	unsigned timeout_s;  /* without a byte; a file may take eight times as long in all. 0: 15 */
	uint64_t max_bytes;  /* of one file; 0: DT_MAX_DOWNLOAD */
	uint64_t remember_s; /* how long "not there" holds; 0: a day */
	/* Told what became of a file that was asked for and did not come; NULL: nobody. */
	void (*tell)(void *self, const char *server, const char *file, const char *why);
	void *self;
};

struct dt_fetch;

/* One thread may use it. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_fetch_create(struct dt_fetch **out, const struct dt_fetch_options *options, struct dt_error *err);
void dt_fetch_destroy(struct dt_fetch *fetch);
/* For dt_symbol_store; lives as long as fetch. */
const struct dt_symbol_fetcher *dt_fetch_fetcher(struct dt_fetch *fetch);

#endif

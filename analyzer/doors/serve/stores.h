/*
 * stores.h - handles of the store for threads that answer: one handle is used by one thread at a time. A store that cannot be reached is
 * not asked again for a second, so that a server whose store is down still answers at once.
 */
#ifndef DT_SERVE_STORES_H
#define DT_SERVE_STORES_H

#include "fleet/store/store.h"

struct dt_stores;

/* Opens the first handle, so that a wrong URL is told at the start; the store must be there. url outlives it. */
DT_MUST_USE enum dt_status dt_stores_create(struct dt_stores **out, const char *url, struct dt_error *err);
void dt_stores_destroy(struct dt_stores *stores);
/* A handle for this thread until it gives it back. Errors of the store. */
DT_MUST_USE enum dt_status dt_stores_take(struct dt_stores *stores, struct dt_store **out, struct dt_error *err);
/* broken: something failed with it; it is closed. */
void dt_stores_give(struct dt_stores *stores, struct dt_store *store, bool broken);

#endif

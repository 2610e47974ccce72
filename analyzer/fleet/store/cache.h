/* cache.h - text to number, bounded: ids of hosts and incidents that were looked up. Private to fleet/store. */
#ifndef DT_STORE_CACHE_H
#define DT_STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dt_cache {
	struct { char *key; uint64_t value; } *slots;
	size_t size, used;
};

/* Whether key is known. */
bool dt_cache_get(const struct dt_cache *cache, const char *key, uint64_t *value);
/* Remembers; forgets everything when it is full. Lack of memory costs only speed. */
void dt_cache_set(struct dt_cache *cache, const char *key, uint64_t value);
void dt_cache_clear(struct dt_cache *cache);
void dt_cache_deinit(struct dt_cache *cache);

#endif

#include "fleet/store/cache.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16 };

static size_t slot_of(const struct dt_cache *cache, const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t at;

	for (const char *c = key; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	for (at = hash & (cache->size - 1); cache->slots[at].key && strcmp(cache->slots[at].key, key) != 0; at = (at + 1) & (cache->size - 1))
		;
	return at;
}

bool dt_cache_get(const struct dt_cache *cache, const char *key, uint64_t *value)
{
	size_t at;

	if (!cache->slots)
		return false;
	at = slot_of(cache, key);
	if (!cache->slots[at].key)
		return false;
	*value = cache->slots[at].value;
	return true;
}

void dt_cache_set(struct dt_cache *cache, const char *key, uint64_t value)
{
	if (!cache->slots && !(cache->slots = calloc(SLOTS, sizeof(*cache->slots))))
		return;
	cache->size = SLOTS;
	if (cache->used >= SLOTS / 2)
		dt_cache_clear(cache);
	size_t at = slot_of(cache, key);
	if (!cache->slots[at].key) {
		if (!(cache->slots[at].key = strdup(key)))
			return;
		cache->used++;
	}
	cache->slots[at].value = value;
}

void dt_cache_clear(struct dt_cache *cache)
{
	for (size_t i = 0; cache->slots && i < cache->size; i++) {
		free(cache->slots[i].key);
		cache->slots[i].key = NULL;
	}
	cache->used = 0;
}

void dt_cache_deinit(struct dt_cache *cache)
{
	dt_cache_clear(cache);
	free(cache->slots);
	memset(cache, 0, sizeof(*cache));
}

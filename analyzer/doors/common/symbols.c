#include "doors/common/symbols.h"

#include <stdlib.h>

#include "core/protocol/protocol.h"
#include "fleet/fetch/fetch.h"

int dt_door_symbols_option(struct dt_door_symbols *symbols, const struct dt_command *self, int option, const char *value)
{
	int status = DT_EXIT_OK;

	switch (option) {
	case DT_OPTION_SYMBOLS:
		symbols->path = value;
		return 1;
	case DT_OPTION_SYMBOLS_TIMEOUT:
		status = dt_door_unsigned(self, "--symbols-timeout", value, 1, 3600, &symbols->timeout_s);
		break;
	case DT_OPTION_SYMBOLS_MAX:
		status = dt_door_size(self, "--symbols-max", value, &symbols->max_bytes);
		break;
	default:
		return 0;
	}
	return status == DT_EXIT_OK ? 1 : -1;
}

/* Where downloads are kept when the path names no folder for them. NULL: nobody says where this user keeps such things. */
static const char *default_cache(struct dt_arena *arena)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		return dt_arena_printf(arena, "%s/dumptriage/symbols", cache);
	return home && *home == '/' ? dt_arena_printf(arena, "%s/.cache/dumptriage/symbols", home) : NULL;
}

static bool lacks_cache(const struct dt_symbol_store *store)
{
	for (size_t i = 0; i < store->place_count; i++)
		if (store->places[i].kind == DT_PLACE_SERVER && !store->places[i].cache)
			return true;
	return false;
}

static int open_store(struct dt_door_symbols *symbols, const struct dt_command *self, const char *path)
{
	struct dt_error err;
	const char *cache;

	if (dt_symbol_store_open(&symbols->store, path, &symbols->arena, &err) != DT_OK)
		return dt_door_usage(self, "%s", err.text);
	if (!lacks_cache(&symbols->store))
		return DT_EXIT_OK;
	if (!(cache = default_cache(&symbols->arena)))
		return dt_door_usage(self, "symbol path: a server without a folder that keeps its files, and no $HOME: write srv*FOLDER*URL");
	path = dt_arena_printf(&symbols->arena, "cache*%s;%s", cache, path);
	if (!path || dt_symbol_store_open(&symbols->store, path, &symbols->arena, &err) != DT_OK)
		return dt_door_usage(self, "%s", path ? err.text : "symbol path: no memory");
	return DT_EXIT_OK;
}

static int open_fetch(struct dt_door_symbols *symbols)
{
	const struct dt_fetch_options options = { .timeout_s = symbols->timeout_s, .max_bytes = symbols->max_bytes, .tell = symbols->tell,
		                                  .self = symbols->tell_self };
	struct dt_error err;

	if (!symbols->store.has_servers)
		return DT_EXIT_OK;
	if (dt_fetch_create(&symbols->fetch, &options, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	symbols->store.fetcher = dt_fetch_fetcher(symbols->fetch);
	return DT_EXIT_OK;
}

int dt_door_symbols_open(struct dt_door_symbols *symbols, const struct dt_command *self)
{
	const char *path = symbols->path ? symbols->path : getenv("_NT_SYMBOL_PATH");
	int status;

	symbols->open = false;
	dt_arena_init(&symbols->arena, 1u << 20);
	if (!path || !*path)
		return DT_EXIT_OK;
	if ((status = open_store(symbols, self, path)) != DT_EXIT_OK || (status = open_fetch(symbols)) != DT_EXIT_OK)
		return status;
	symbols->open = true;
	return DT_EXIT_OK;
}

void dt_door_symbols_close(struct dt_door_symbols *symbols)
{
	dt_fetch_destroy(symbols->fetch);
	symbols->fetch = NULL;
	dt_arena_deinit(&symbols->arena);
}

int dt_door_symbols_ask(void *self, const struct dt_ask *ask)
{
	struct dt_door_symbols *symbols = self;
	struct dt_symbol_request request = { .timestamp = ask->timestamp, .size = ask->size, .attempt = ask->attempt, .name = ask->name,
		                             .debug_id = *ask->debug_id ? ask->debug_id : NULL };

	if (ask->kind >= DT_SYMBOL_KIND_COUNT)
		return -1;
	request.kind = (enum dt_symbol_kind)ask->kind;
	return symbols->store.source.ask(&symbols->store, &request);
}

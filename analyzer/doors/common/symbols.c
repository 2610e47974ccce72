#include "doors/common/symbols.h"

#include <stdlib.h>

#include "core/protocol/protocol.h"
#include "doors/common/door.h"

int dt_door_symbols_open(struct dt_door_symbols *symbols, const struct dt_command *self, const char *given)
{
	const char *path = given ? given : getenv("_NT_SYMBOL_PATH");
	struct dt_error err;

	symbols->open = false;
	dt_arena_init(&symbols->arena, 1u << 20);
	if (!path || !*path)
		return DT_EXIT_OK;
	if (dt_symbol_store_open(&symbols->store, path, &symbols->arena, &err) != DT_OK)
		return dt_door_usage(self, "%s", err.text);
	symbols->open = true;
	return DT_EXIT_OK;
}

void dt_door_symbols_close(struct dt_door_symbols *symbols)
{
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

/*
 * symbols.h - the symbol store of a command: --symbols, or $_NT_SYMBOL_PATH, and who asks it.
 */
#ifndef DT_DOOR_SYMBOLS_H
#define DT_DOOR_SYMBOLS_H

#include "facts/symbol/store.h"

struct dt_ask;

struct dt_door_symbols {
	struct dt_arena arena;
	struct dt_symbol_store store;
	bool open; /* a path was given */
};

/* given: of --symbols, NULL when there was none. DT_EXIT_OK, or DT_EXIT_USAGE when the path is wrong (said). */
struct dt_command;
int dt_door_symbols_open(struct dt_door_symbols *symbols, const struct dt_command *self, const char *given);
void dt_door_symbols_close(struct dt_door_symbols *symbols);
/* The question of a worker (self: struct dt_door_symbols) put to the store; as the pool's source has it. */
int dt_door_symbols_ask(void *self, const struct dt_ask *ask);

#endif

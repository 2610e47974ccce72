/*
 * symbols.h - the symbol store of a command: --symbols, or $_NT_SYMBOL_PATH, who asks it, and who downloads for it.
 */
#ifndef DT_DOOR_SYMBOLS_H
#define DT_DOOR_SYMBOLS_H

#include "doors/common/door.h"
#include "facts/symbol/store.h"

struct dt_ask;
struct dt_fetch;

struct dt_door_symbols {
	const char *path; /* of --symbols; NULL when there was none */
	unsigned timeout_s; /* of downloads: without a byte; 0: fleet/fetch's own */
	uint64_t max_bytes; /* of one file; 0 likewise */
	/* Told of what servers did not give, instead of the log; NULL. */
	void (*tell)(void *self, const char *server, const char *file, const char *why);
	void *tell_self;
	struct dt_arena arena;
	struct dt_symbol_store store;
	struct dt_fetch *fetch;
	bool open; /* a path was given */
};

enum { DT_OPTION_SYMBOLS = 260, DT_OPTION_SYMBOLS_TIMEOUT, DT_OPTION_SYMBOLS_MAX };
#define DT_SYMBOLS_LONG_OPTIONS                                                         \
	{ "symbols", required_argument, NULL, DT_OPTION_SYMBOLS },                      \
	{ "symbols-timeout", required_argument, NULL, DT_OPTION_SYMBOLS_TIMEOUT },      \
	{ "symbols-max", required_argument, NULL, DT_OPTION_SYMBOLS_MAX }
#define DT_SYMBOLS_USAGE                                                                                                       \
	"      --symbols PATH             images and PDBs: folders, symbol stores, servers (srv*CACHE*URL), with ';' between\n" \
	"                                 (without it: $_NT_SYMBOL_PATH)\n"                                                     \
	"      --symbols-timeout SECONDS  a symbol server may be silent so long (15)\n"                                         \
	"      --symbols-max SIZE         one download may be so large (1G)\n"

/* Takes --symbols, --symbols-timeout, --symbols-max into *symbols; 1 taken, 0 not an option of it, -1 bad value (said). */
int dt_door_symbols_option(struct dt_door_symbols *symbols, const struct dt_command *self, int option, const char *value);
/* Opens what the options, which stand in *symbols, say. DT_EXIT_OK, or DT_EXIT_USAGE when the path is wrong (said). */
int dt_door_symbols_open(struct dt_door_symbols *symbols, const struct dt_command *self);
void dt_door_symbols_close(struct dt_door_symbols *symbols);
/* The question of a worker (self: struct dt_door_symbols) put to the store; as the pool's source has it. */
int dt_door_symbols_ask(void *self, const struct dt_ask *ask);

#endif

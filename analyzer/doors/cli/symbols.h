/* symbols.h - the parts of the command `symbols`. */
#ifndef DT_CLI_SYMBOLS_H
#define DT_CLI_SYMBOLS_H

#include "doors/cli/cli.h"
#include "doors/common/symbols.h"

struct dt_symbols_call {
	const struct dt_command *self;
	struct dt_door_symbols symbols;
	char **words; /* behind the part's name */
	int count;
};

int dt_cli_symbols_add(struct dt_symbols_call *call);
int dt_cli_symbols_list(struct dt_symbols_call *call);

#endif

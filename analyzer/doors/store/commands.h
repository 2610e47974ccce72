/* commands.h - the commands that look at a store or keep it. */
#ifndef DT_STORE_COMMANDS_H
#define DT_STORE_COMMANDS_H

#include "doors/common/door.h"
#include "fleet/store/store.h"

int dt_store_cmd_incidents(const struct dt_command *self, int argc, char **argv);
int dt_store_cmd_show(const struct dt_command *self, int argc, char **argv);
int dt_store_cmd_rematch(const struct dt_command *self, int argc, char **argv);
int dt_store_cmd_store(const struct dt_command *self, int argc, char **argv);

/* The store of --db or of the environment; NULL: said why, *status is the exit status. */
struct dt_store *dt_store_cmd_open(const struct dt_command *self, const char *db, enum dt_store_mode mode, int *status);

#endif

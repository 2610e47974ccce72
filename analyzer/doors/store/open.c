#include <stdlib.h>

#include "doors/store/commands.h"

struct dt_store *dt_store_cmd_open(const struct dt_command *self, const char *db, enum dt_store_mode mode, int *status)
{
	struct dt_store *store = NULL;
	struct dt_error err;
	enum dt_status opened;

	if (!db) {
		*status = dt_door_usage(self, "--db is missing");
		return NULL;
	}
	opened = dt_store_open(&store, db, mode, &err);
	if (opened == DT_OK)
		return store;
	(void)dt_door_fail("%s", err.text);
	*status = opened == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	return NULL;
}

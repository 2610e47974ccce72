/* migrations.h - the tables of the store, as numbered steps. Private to fleet/store. */
#ifndef DT_STORE_MIGRATIONS_H
#define DT_STORE_MIGRATIONS_H

#include "fleet/store/sql.h"

/* The version this program writes. */
extern const int dt_store_version;

/* The version of what is there; 0: nothing. */
enum dt_status dt_store_version_of(struct dt_sql *db, int *version, struct dt_error *err);
/* Runs the steps that are missing, each in its own transaction. Safe when several do it at once. */
enum dt_status dt_store_migrate(struct dt_sql *db, struct dt_error *err);

#endif

/*
 * config.h - options from a configuration file and the environment: file < environment < command line.
 *
 * The file has `option = value` for every long option, `#` for comments, and [command] before options of one command. It is --config FILE,
 * else $DUMPTRIAGE_CONFIG, else /etc/dumptriage.conf where that exists. The environment has DUMPTRIAGE_DB for --db, and so on. Options
 * without a value take yes or no.
 *
 * What is found is put before the arguments of the command line, so that commands read one list and the last one counts. A
 * password in a URL is refused on the command line, which every user of the machine can read.
 */
#ifndef DT_DOORS_CONFIG_H
#define DT_DOORS_CONFIG_H

#include "core/base/buf.h"
#include "core/base/status.h"

struct dt_config; /* owns the new argument list */

/* argv[0] is the command. *argc and *argv become the whole list. Takes --config, --log-level and --log-format for itself. DT_ERR_USAGE says
 * file, line and what is wrong; DT_ERR_NOT_FOUND: no such file; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_config_apply(struct dt_config **out, int *argc, char ***argv, struct dt_error *err);
void dt_config_free(struct dt_config *config);
/* Whether a command by that name takes options from the file. */
bool dt_config_knows(const char *command);
/* What is in force for a command and whence, a line each; passwords as ***. */
void dt_config_print(const struct dt_config *config, const char *command, struct dt_buf *out);

#endif

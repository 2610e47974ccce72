/*
 * cli.h - the commands of the dumptriage program itself. main.c holds the table; each command has one file.
 */
#ifndef DT_CLI_CLI_H
#define DT_CLI_CLI_H

#include "doors/common/door.h"

int dt_cli_analyze(const struct dt_command *self, int argc, char **argv);
int dt_cli_explain(const struct dt_command *self, int argc, char **argv);
int dt_cli_show(const struct dt_command *self, int argc, char **argv);
int dt_cli_formats(const struct dt_command *self, int argc, char **argv);
int dt_cli_signatures(const struct dt_command *self, int argc, char **argv);
int dt_cli_symbols(const struct dt_command *self, int argc, char **argv);
int dt_cli_config(const struct dt_command *self, int argc, char **argv);
int dt_cli_schema(const struct dt_command *self, int argc, char **argv);

#endif

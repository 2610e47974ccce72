/*
 * door.h - what all commands share: messages, exit statuses, options for output, rules, and running one
 * command of a table.
 */
#ifndef DT_DOORS_DOOR_H
#define DT_DOORS_DOOR_H

#include "core/base/buf.h"
#include "core/base/status.h"
#include "judgement/signature/rules.h"
#include "report/report.h"

/* Exit statuses, the same for every command. */
enum dt_exit {
	DT_EXIT_OK = 0,          /* every input is accounted for */
	DT_EXIT_UNREADABLE = 1,  /* some input could not be analysed, or is damaged; it has a record all the same */
	DT_EXIT_USAGE = 2,       /* wrong usage */
	DT_EXIT_ENVIRONMENT = 3, /* the environment failed: output, memory, rules */
};

struct dt_command {
	const char *name;
	const char *summary;
	const char *usage; /* options and arguments, with newlines */
	int (*run)(const struct dt_command *self, int argc, char **argv);
	const char *program; /* run NULL: the program in libexec that has this command */
};

/* Runs a command with the options of the configuration file and the environment before its own; argv[0] is its name. */
int dt_door_run(const struct dt_command *command, int argc, char **argv);
/* What that found; during a command's run. */
struct dt_config;
const struct dt_config *dt_door_config(void);
/* main() of a program in libexec: runs the command that argv[1] names. */
int dt_door_main(const struct dt_command *commands, size_t count, int argc, char **argv);
/* Becomes the command's program; returns only when that failed. */
int dt_door_exec(const struct dt_command *command, int argc, char **argv);

/* "dumptriage: …" on stderr, with the command's arguments and where its help is behind it. Gives DT_EXIT_USAGE. */
int dt_door_usage(const struct dt_command *self, const char *fmt, ...) DT_PRINTF(2, 3);
/* The value of an option that takes a number from low to high. DT_EXIT_OK, or dt_door_usage's answer with *out as it was. */
int dt_door_number(const struct dt_command *self, const char *name, const char *value, uint64_t low, uint64_t high, uint64_t *out);
int dt_door_unsigned(const struct dt_command *self, const char *name, const char *value, unsigned low, unsigned high, unsigned *out);
/* A size in bytes, or with K, M, G, T behind it in powers of 1024; false for anything else. */
bool dt_door_size_parse(const char *text, uint64_t *out);
/* The value of an option that takes a size of at least 1. */
int dt_door_size(const struct dt_command *self, const char *name, const char *value, uint64_t *out);
/* The value of --url: http:// or https://, kept without slashes at its end for the program's life. */
int dt_door_url(const struct dt_command *self, const char *value, const char **out);
/* The value of --hash: whether small files are hashed, and whether large ones are. */
int dt_door_hash(const struct dt_command *self, const char *value, bool *hash, bool *large);
/* "dumptriage: …" on stderr. Gives DT_EXIT_ENVIRONMENT. */
int dt_door_fail(const char *fmt, ...) DT_PRINTF(1, 2);
/* Whether argv asks for help with --help or -h; then the command's page was printed. */
bool dt_door_help(const struct dt_command *self, int argc, char **argv);

/* Writes to stdout; false (and one message) when that failed. */
bool dt_door_write(const struct dt_buf *buf);
bool dt_door_flush(void);

/* Options that several commands share: how results are printed. */
struct dt_output {
	const struct dt_report_format *format;
	struct dt_report_style style;
	struct dt_buf buf; /* one record */
	size_t written;    /* records so far */
	bool many;         /* more than one record is to come */
};

/* Text, coloured on a terminal. */
void dt_output_init(struct dt_output *output);
void dt_output_deinit(struct dt_output *output);
/* Takes --format, --verbose, --color; 1 taken, 0 not an option of it, -1 bad value (said). */
int dt_output_option(struct dt_output *output, const struct dt_command *self, int option, const char *value);
/* Letters and numbers of those options for getopt_long. */
enum { DT_OPTION_FORMAT = 'f', DT_OPTION_VERBOSE = 'v', DT_OPTION_COLOR = 256 };
#define DT_OUTPUT_LONG_OPTIONS                                        \
	{ "format", required_argument, NULL, DT_OPTION_FORMAT },      \
	{ "verbose", no_argument, NULL, DT_OPTION_VERBOSE },          \
	{ "color", required_argument, NULL, DT_OPTION_COLOR }
#define DT_OUTPUT_SHORT_OPTIONS "f:v"
/* Prints one record; false when stdout failed. */
bool dt_output_record(struct dt_output *output, const struct dt_crash *crash);
/* Ends the output; false when stdout failed. */
bool dt_output_end(struct dt_output *output);

/* The rules in force: of a file or folder, or the built-in ones for NULL; with the carriers of a file, NULL none. NULL on failure (said). */
struct dt_rules *dt_door_rules(const char *path, const char *carriers);
/* The same, but files with errors are told and left out; their number is in *skipped. */
struct dt_rules *dt_door_rules_some(const char *path, const char *carriers, size_t *skipped);

#endif

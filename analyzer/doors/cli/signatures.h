/* signatures.h - the parts of `dumptriage signatures`; each has one file or shares one. */
#ifndef DT_CLI_SIGNATURES_H
#define DT_CLI_SIGNATURES_H

#include "doors/cli/cli.h"
#include "facts/triage/triage.h"

struct dt_signatures_call {
	const struct dt_command *self;
	const char *rules;   /* a file or folder; NULL: the built-in ones */
	const char *samples; /* a folder of dumps for tests */
	const char *id;      /* of a draft */
	const char *out;     /* where to write; NULL: standard output */
	bool keep_going;
	char **words; /* behind the name of the part */
	int count;
};

/* Loads the rules of the call; *skipped counts files that --keep-going left out. NULL on failure (said). */
struct dt_rules *dt_signatures_rules(const struct dt_signatures_call *call, size_t *skipped);
/* The facts of one dump, until the next; NULL on failure (said). */
const struct dt_facts *dt_signatures_facts(struct dt_triage **triage, const char *path);

int dt_signatures_list(const struct dt_signatures_call *call);
int dt_signatures_check(const struct dt_signatures_call *call);
int dt_signatures_test(const struct dt_signatures_call *call);
int dt_signatures_explain(const struct dt_signatures_call *call);
int dt_signatures_new(const struct dt_signatures_call *call);
int dt_signatures_import(const struct dt_signatures_call *call);

#endif

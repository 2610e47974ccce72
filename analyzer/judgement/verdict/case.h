/*
 * case.h - what the parts of the verdict share. Private to judgement/verdict.
 */
#ifndef DT_VERDICT_CASE_H
#define DT_VERDICT_CASE_H

#include "core/base/buf.h"
#include "core/tables/bugcheck.h"
#include "judgement/verdict/verdict.h"

struct dt_case {
	const struct dt_facts *facts;
	struct dt_arena *arena;
	struct dt_judgement *out;           /* blame, bucket and matches are filled */
	const struct dt_reading *reading;   /* of the stop code; NULL: none */
	const struct dt_rules *rules;
	const struct dt_match *match;       /* the best match; NULL: none */
	const struct dt_rule_info *rule;    /* its rule */
	const struct dt_precedence *row;    /* that decides; NULL before */
	unsigned anomalies;                 /* bits 1 << DT_ANOMALY_… */
	bool user;                          /* a dump of a process */
};

/* One row of the table of precedence. */
struct dt_precedence {
	bool (*holds)(const struct dt_case *c);
	enum dt_verdict_class class; /* null: what the signature says */
	int confidence;              /* -1: that of the blame; -2: of the match; 0: null */
	const char *reason;          /* why this class; NULL: other reasons say it */
};

/* Whether the best match decides, and not something that outweighs it. */
static inline bool dt_case_by_rule(const struct dt_case *c)
{
	return c->row && !c->row->class;
}

/* precedence.c: the row that decides; there always is one. */
const struct dt_precedence *dt_precedence(const struct dt_case *c);
extern const struct dt_precedence dt_precedences[];
extern const size_t dt_precedence_count;

/* words.c: the sentence, and the reasons one by one. */
const char *dt_case_summary(const struct dt_case *c);
void dt_case_reasons(const struct dt_case *c, const struct dt_precedence *row);
/* steps.c */
void dt_case_steps(const struct dt_case *c);

/* Appends to a list of texts that was made for DT_MAX_TEXTS; what is over is dropped. */
static inline void dt_case_add(const char **list, size_t *count, const char *text)
{
	if (list && text && *count < DT_MAX_TEXTS)
		list[(*count)++] = text;
}

#endif

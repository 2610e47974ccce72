/*
 * rules.h - signatures of known crashes: loaded once, matched against facts.
 *
 * The language is YAML; signatures/README.md describes it. A rule set is frozen
 * when it is loaded and may be shared by threads.
 */
#ifndef DT_SIGNATURE_RULES_H
#define DT_SIGNATURE_RULES_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"
#include "core/tables/carriers.h"

struct dt_rules;

/* Loads every *.yml of a directory (in name order), or one file. All or nothing:
 * DT_ERR_FORMAT names file, line and column; DT_ERR_IO; DT_ERR_LIMIT; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_rules_load(struct dt_rules **out, const char *path, struct dt_error *err);
/* The same, but a file that cannot be loaded is told to `skip` and left out. */
typedef void (*dt_rules_skip)(void *context, const struct dt_error *why);
DT_MUST_USE enum dt_status dt_rules_load_some(struct dt_rules **out, const char *path, dt_rules_skip skip, void *context,
                                              struct dt_error *err);
/* Loads one rule from text; name stands for the file in messages. */
DT_MUST_USE enum dt_status dt_rules_load_text(struct dt_rules **out, const char *name, const char *text, size_t len,
                                              struct dt_error *err);
/* The signatures built into the program, so that it works without its files. */
DT_MUST_USE enum dt_status dt_rules_load_builtin(struct dt_rules **out, struct dt_error *err);
/* The same with their tests, which costs more time: for who runs or checks them. */
DT_MUST_USE enum dt_status dt_rules_load_builtin_tested(struct dt_rules **out, struct dt_error *err);
void dt_rules_free(struct dt_rules *rules);

/* First 16 hex digits of the hash over the rules' contents; the same rules in any order of files give the same. */
const char *dt_rules_hash(const struct dt_rules *rules);
size_t dt_rules_count(const struct dt_rules *rules);

struct dt_doc;

/* What the rule must say of a sample of samples/, or of facts written in the rule. */
struct dt_rule_test {
	const char *name;             /* what it shows; NULL: not given */
	const char *sample;           /* NULL: an inline record */
	const struct dt_doc *record;  /* its fields */
	const struct dt_doc *change;  /* what replaces some of them; NULL: nothing */
	enum dt_grade grade;          /* DT_grade_NULL: it must not match */
	const char *file;             /* where the test stands */
	unsigned line, column;
};
/* The facts of an inline record, in the arena. DT_ERR_FORMAT names file, line and column; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_rule_test_facts(const struct dt_rule_test *test, struct dt_arena *arena, struct dt_facts *out,
                                              struct dt_error *err);

/* Texts that a rule does not have are NULL. */
struct dt_rule_info {
	const char *id, *title, *version, *status, *level, *category, *description, *author, *date;
	const char *const *references;
	size_t reference_count;
	const char *const *next_steps; /* Markdown, in order */
	size_t next_step_count;
	const char *const *tags;
	size_t tag_count;
	const struct dt_rule_test *tests;
	size_t test_count;
	enum dt_verdict_class class; /* what a confirmed or probable match makes of the crash */
};
const struct dt_rule_info *dt_rule_info(const struct dt_rules *rules, size_t index);
/* The rule with an id, or NULL. */
const struct dt_rule_info *dt_rule_find(const struct dt_rules *rules, const char *id);

/* What the rule alone makes of facts. */
enum dt_grade dt_rules_grade(const struct dt_rules *rules, size_t index, const struct dt_facts *facts);

/* Whether the rule of an id may match a crash of which only bugcheck.code, fault.module and dump.build are known (each may be null: not
 * known). False only when no facts with these values can match. */
bool dt_rule_may_match(const struct dt_rules *rules, const char *id, const struct dt_facts *columns);

/* The signatures that match, best grade first, then by id. Lists live in the
 * arena; texts are borrowed from rules. Gives the count; arena->failed on lack of memory. */
size_t dt_rules_match(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_arena *arena,
                      struct dt_match **out);

/* Rows of a file of carriers, behind those that the rules have: the program's own and the 'carriers.conf' of their folder. For who has just
 * loaded the rules: the hash changes. DT_ERR_FORMAT names file, line and column; DT_ERR_IO; DT_ERR_LIMIT; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_rules_add_carriers(struct dt_rules *rules, const char *path, struct dt_error *err);
/* Borrowed from rules. */
const struct dt_carriers *dt_rules_carriers(const struct dt_rules *rules);

/* What the facts say of the host beside its crash, from the list of vulnerable drivers of the rules: the one of their folder
 * (vulnerable-drivers.tsv), else the built-in one. Gives the count; arena->failed on lack of memory. */
size_t dt_rules_findings(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_arena *arena,
                         struct dt_finding **out);

/* The rule of an id over facts, spelled out: conditions, facts, states, values. False when there is no such rule. */
bool dt_rule_explain(const struct dt_rules *rules, const char *id, const struct dt_facts *facts, struct dt_arena *arena,
                     struct dt_buf *out);
/* A first version of a rule for a crash, as YAML. False when the facts have no stop code and no exception, or out is full. */
bool dt_rule_draft(const struct dt_facts *facts, const char *id, struct dt_buf *out);

#endif

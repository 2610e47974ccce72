/*
 * rule.h - a compiled rule. Private to judgement/signature.
 *
 * A rule is a set of named selections (facts) and conditions over their states.
 * Everything lives in the arena of the rule set and is frozen after loading.
 */
#ifndef DT_SIGNATURE_RULE_H
#define DT_SIGNATURE_RULE_H

#include "core/base/limits.h"
#include "core/model/field.h"
#include "judgement/signature/document.h"
#include "judgement/signature/rules.h"
#include "judgement/signature/vulnerable.h"

/* ---- tests over fields ------------------------------------------------ */

enum dt_op {
	DT_OP_EQUALS = 0,
	DT_OP_CONTAINS,
	DT_OP_STARTS,
	DT_OP_ENDS,
	DT_OP_GT,
	DT_OP_GTE,
	DT_OP_LT,
	DT_OP_LTE,
	DT_OP_BETWEEN,   /* values[0] <= x <= values[1] */
	DT_OP_IN,        /* one of several ranges */
	DT_OP_RE,        /* a regular expression finds something in the text */
	DT_OP_BYTES,     /* a byte pattern at a place */
	DT_OP_EXISTS,
	DT_OP_CANONICAL, /* an address as the crashed machine's processor takes it */
};

/* What a test compares with; which member holds depends on the field's kind. */
struct dt_operand {
	uint64_t number, last; /* IN: from the one to the other */
	const char *text;
	const struct dt_pattern *pattern; /* RE */
	struct dt_bytes bytes, mask; /* a byte pattern; mask 0 for "??" */
};

enum dt_check_kind {
	DT_CHECK_TEST,
	DT_CHECK_ALL,      /* of the children */
	DT_CHECK_ANY,
	DT_CHECK_NOT,      /* child 0 */
	DT_CHECK_WHEN,     /* child 0 says whether child 1 can be judged */
	DT_CHECK_ELEMENTS, /* child 0 holds for `run` elements in a row of a list */
};

struct dt_check {
	enum dt_check_kind kind;
	const struct dt_doc *node; /* where it is written */
	struct dt_check **children;
	size_t count;

	/* TEST and ELEMENTS */
	const char *field; /* the path as it is written */
	struct dt_path path;
	size_t run;
	size_t first; /* only so many elements from the begin are looked at */

	/* TEST */
	enum dt_field_kind type; /* of the value */
	enum dt_op op;
	struct dt_operand *values;
	size_t value_count;
	bool every;              /* all values instead of one of them */
	bool if_known;           /* an unknown value does not speak against the fact */
	bool version;            /* text seen as a dotted version, part by part */
	uint64_t mask;           /* numbers are seen through it; all ones by default */
	bool has_other;          /* fieldref: compared with another field of the facts */
	struct dt_path other;
	/* BYTES on an object of bytes with an address (code): start, and the ip that `at` counts from */
	bool placed;
	struct dt_path start, ip;
	int64_t at;
};

struct dt_selection {
	const char *name, *title;
	const struct dt_doc *node;
	struct dt_check *check;
	const char **show; /* fields whose values the evidence prints; NULL: those that are tested */
	struct dt_path *show_paths;
	size_t show_count;
};

/* ---- conditions over selections --------------------------------------- */

enum dt_condition_kind { DT_COND_AND, DT_COND_OR, DT_COND_NOT, DT_COND_STATE, DT_COND_OF };

struct dt_condition {
	enum dt_condition_kind kind;
	const struct dt_condition *left, *right;
	size_t selection;         /* STATE */
	enum dt_fact_state state; /* STATE */
	uint32_t set;             /* OF: bits of selections */
	unsigned need;            /* OF: how many of them are present */
};

/* A test of stop code or module without which no grade holds. */
struct dt_gate {
	const struct dt_check *check;
	bool needed; /* it must be present; else it must only not be contradicted */
};

struct dt_rule {
	struct dt_rule_info info;
	const struct dt_doc *document;
	struct dt_selection *selections;
	size_t selection_count;
	const struct dt_condition *condition;     /* must hold for any grade; NULL: none */
	const struct dt_condition *grade[DT_grade_COUNT]; /* NULL: never */
	bool has_grades;
	/* Most crashes fail one, and nothing else is looked at. */
	struct dt_gate gates[4];
	size_t gate_count;
};

/* index.c: rules by the module or the stop code that they need; the rest is always tried. */
struct dt_index_code {
	uint64_t code;
	uint32_t rule;
};
struct dt_index_module {
	const char *module;
	uint32_t rule;
};
struct dt_index {
	struct dt_index_code *codes;
	struct dt_index_module *modules;
	uint32_t *rest;
	size_t code_count, module_count, rest_count;
};
struct dt_index_set {
	uint64_t bits[DT_MAX_RULES / 64];
};

struct dt_rules {
	struct dt_arena arena;
	struct dt_rule **rule; /* sorted by id */
	size_t count;
	size_t cap;
	struct dt_index index;
	struct dt_vulnerable vulnerable;
	struct dt_carriers carriers;
	char hash[17];
	dt_rules_skip skip; /* while loading: who is told of a file that is left out; NULL: none may be */
	void *skip_context;
	size_t skipped;
};

/* rule.c: compiles a document. Errors as dt_rules_load. */
DT_MUST_USE enum dt_status dt_rule_compile(struct dt_rule **out, const struct dt_doc *document, struct dt_arena *arena,
                                           struct dt_error *err);
/* selection.c: `name: {...}` of detection. */
DT_MUST_USE enum dt_status dt_selection_compile(struct dt_selection *out, const struct dt_doc *node,
                                                struct dt_arena *arena, struct dt_error *err);
/* test.c: one `field|modifiers: values` over an object. */
DT_MUST_USE enum dt_status dt_test_compile(struct dt_check *out, const struct dt_doc *node,
                                           const struct dt_object *object, struct dt_arena *arena, struct dt_error *err);
/* value.c: one value of a test, as out->type and out->op want it. */
DT_MUST_USE enum dt_status dt_value_compile(struct dt_operand *out, const struct dt_check *test, const struct dt_doc *node,
                                            const struct dt_words *words, struct dt_arena *arena, struct dt_error *err);
/* range.c: "1..5", "0xffff800000000000/17" or one value; test as for dt_value_compile. */
DT_MUST_USE enum dt_status dt_range_compile(struct dt_operand *out, const struct dt_check *test, const struct dt_doc *node,
                                            struct dt_arena *arena, struct dt_error *err);
/* range.c: "7.11.18110.0", at most four parts of 16 bits, as one number that sorts like the version; what is not written is 0. */
bool dt_version_parse(const char *text, uint64_t *out);
/* pattern.c: a regular expression, compiled into the arena; nothing has to be freed. */
DT_MUST_USE enum dt_status dt_pattern_compile(const struct dt_pattern **out, const struct dt_doc *node,
                                              struct dt_arena *arena, struct dt_error *err);
/* Missing where the matcher gave up at its limits, or had no memory. */
enum dt_fact_state dt_pattern_state(const struct dt_pattern *pattern, const char *text);
/* condition.c: text over the rule's selections. */
DT_MUST_USE enum dt_status dt_condition_compile(const struct dt_condition **out, const struct dt_doc *node,
                                                const struct dt_rule *rule, struct dt_arena *arena, struct dt_error *err);

/* outlook.c: fills the rule's gates; whether facts pass them. */
void dt_rule_find_gates(struct dt_rule *rule);
bool dt_rule_passes_gates(const struct dt_rule *rule, const struct dt_facts *facts);
/* index.c: false on lack of memory; the rules that may match facts, in the order of rules->rule. */
bool dt_index_build(struct dt_rules *rules);
void dt_index_find(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_index_set *out);
/* match.c: the state of one fact. */
enum dt_fact_state dt_selection_state(const struct dt_selection *selection, const struct dt_facts *facts);
/* The elements of a list that a test of the kind ELEMENTS is about: the longest run of them, and where it begins. */
size_t dt_elements_run(const struct dt_check *check, const struct dt_facts *facts, const void *object, size_t *first);
/* condition.c: the grade that states give; DT_grade_NULL: no match. States of DT_MAX_EVIDENCE selections; those that are 0 are found
 * out from the facts when they are asked for. */
bool dt_condition_holds(const struct dt_condition *condition, const struct dt_rule *rule, const struct dt_facts *facts,
                        enum dt_fact_state *states);
enum dt_grade dt_rule_grade(const struct dt_rule *rule, const struct dt_facts *facts, enum dt_fact_state *states);
/* evidence.c: what the dump has for a fact, in words; NULL when it has nothing. */
const char *dt_evidence_value(const struct dt_selection *selection, const struct dt_facts *facts, struct dt_arena *arena);

/* The wildcards * and ? ('\' before one takes it as it is), ASCII case ignored. */
bool dt_glob_fold(const char *pattern, const char *text);

#endif

/*
 * lint.h - what is not wrong in a rule but does not mean what its author thinks.
 */
#ifndef DT_SIGNATURE_LINT_H
#define DT_SIGNATURE_LINT_H

#include "judgement/signature/rules.h"

/* Told of each finding: "file:line:column: text". */
typedef void (*dt_lint_said)(void *context, const char *message);

/* All rules, in order. Gives the number of findings, SIZE_MAX on lack of memory. */
size_t dt_rules_lint(const struct dt_rules *rules, dt_lint_said said, void *context);

#endif

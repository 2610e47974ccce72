/* lint_parts.h - what the files of the linter share. Private to judgement/signature. */
#ifndef DT_SIGNATURE_LINT_PARTS_H
#define DT_SIGNATURE_LINT_PARTS_H

#include "judgement/signature/lint.h"
#include "judgement/signature/rule.h"

struct dt_lint {
	dt_lint_said said;
	void *context;
	size_t count;
};

/* One finding, with the node's place before it. */
void dt_lint_say(struct dt_lint *l, const struct dt_doc *at, const char *fmt, ...) DT_PRINTF(3, 4);
/* lint_check.c: tests that nothing or everything fits. */
void dt_lint_check(struct dt_lint *l, const struct dt_check *check);

#endif

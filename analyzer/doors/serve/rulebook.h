/*
 * rulebook.h - the signatures in force, taken up again when their files change: all of them or none. Thread-safe.
 */
#ifndef DT_SERVE_RULEBOOK_H
#define DT_SERVE_RULEBOOK_H

#include "judgement/signature/rules.h"

struct dt_rulebook;

/* path: a file or a folder, which outlives the book; NULL: the built-in signatures, which never change. carriers: a file likewise; NULL none.
 * Errors as dt_rules_load. */
DT_MUST_USE enum dt_status dt_rulebook_open(struct dt_rulebook **out, const char *path, const char *carriers, struct dt_error *err);
void dt_rulebook_close(struct dt_rulebook *book);

/* The rules in force; they stay as they are until they are given back. */
const struct dt_rules *dt_rulebook_take(struct dt_rulebook *book);
void dt_rulebook_give(struct dt_rulebook *book, const struct dt_rules *rules);

/* Looks whether the files changed since the last look, and loads them anew. true: other rules are in force now. */
bool dt_rulebook_refresh(struct dt_rulebook *book);
/* Why the files as they are now are not in force; false: they are. */
bool dt_rulebook_error(struct dt_rulebook *book, struct dt_error *out);

#endif

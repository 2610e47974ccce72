/*
 * verdict.h - judge(facts, rules): from what the dump says to what we make of it.
 *
 * A pure function: no clock, no files, no state. The same facts and rules give
 * the same judgement, at analysis and at any rematch (the time of judging is passed in).
 */
#ifndef DT_VERDICT_VERDICT_H
#define DT_VERDICT_VERDICT_H

#include "core/base/arena.h"
#include "core/model/crash.h"
#include "judgement/signature/rules.h"

/* Fills *out; it lives in the arena and borrows from facts and rules.
 * rules may be NULL (no signatures). now: FILETIME for judged.at. DT_ERR_NOMEM only. */
DT_MUST_USE enum dt_status dt_judge(const struct dt_facts *facts, const struct dt_rules *rules, uint64_t now,
                                    struct dt_arena *arena, struct dt_judgement *out, struct dt_error *err);

#endif

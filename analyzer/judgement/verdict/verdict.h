/*
 * verdict.h - judge(facts, rules): from what the dump says to what we make of it.
 *
 * A pure function: no clock, no files, no state. The same facts and rules give
 * the same judgement, at analysis and at any rematch (the time of judging is passed in).
 *
 * The class is the first row of the table of precedence (precedence.c) that
 * holds. A signature decides from grade probable on; a possible match is told, with
 * its steps, and changes no class.
 *
 * confidence says how sure it is that the class (and who is named) is right:
 *   90..100  the dump's own bytes prove it, or the stop code itself says it
 *   70..89   strong evidence, another explanation is unlikely
 *   40..69   likely; worth acting on, not worth a claim against a vendor
 *    1..39   a hint
 *   null     undetermined, unreadable: there is nothing to be sure of
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

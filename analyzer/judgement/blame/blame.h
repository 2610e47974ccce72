/*
 * blame.h - who is at fault, from facts alone: by code before by stack.
 */
#ifndef DT_BLAME_BLAME_H
#define DT_BLAME_BLAME_H

#include "core/base/arena.h"
#include "core/model/crash.h"

/* Fills *out (arena). Never names a carrier; module NULL with a reason where the evidence names nobody. */
void dt_blame(const struct dt_facts *facts, struct dt_arena *arena, struct dt_blame *out);

#endif

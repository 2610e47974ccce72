/*
 * blame.h - who is at fault, from facts alone: by code before by stack.
 *
 * The rules in their order; the first that says something ends the search:
 *   1. the processor ran in the middle of an instruction, or memory holds other code than the module's file: nobody
 *   2. a driver that is not Windows' own called KeBugCheckEx: that driver
 *   3. stop codes whose stack is no evidence (tables/bugchecks.def): nobody
 *   4. stop codes whose parameters name a module or an object: its driver
 *   5. a jump to where no code is: who called
 *   6. stop codes found late (heap): candidates only, they may be victims
 *   7. otherwise where the fault is, else the first frame that is no carrier
 *
 * Who is a carrier (tables/carriers.h) is told by rows of modules and functions: ignored ones are never named; a fault in a "maybe" or a
 * "last" is that of a better claim behind it, where the stack up to there is certain.
 *
 * confidence says how sure it is that the named module is at fault, 0 to 100;
 * null where none is named. 85 and more: a pointer or an exact caller names it.
 * 60 to 84: its own instruction faulted, or unwinding leads to it. 40 to 59:
 * checked call sites lead to it, or it is Windows' own. Below 40: a hint.
 * For heap codes it is the chance of the candidates together.
 */
#ifndef DT_BLAME_BLAME_H
#define DT_BLAME_BLAME_H

#include "core/base/arena.h"
#include "core/model/crash.h"
#include "core/tables/carriers.h"

/* Fills *out (arena). carriers NULL: the built-in rows. Never names a carrier; module NULL with a reason where the evidence names nobody. */
void dt_blame(const struct dt_facts *facts, const struct dt_carriers *carriers, struct dt_arena *arena, struct dt_blame *out);

/* Whether an image of this dump is Windows' own, as far as its record or its name tells. */
bool dt_blame_is_microsoft(const struct dt_facts *facts, const char *module);
/* Bits 1 << DT_ANOMALY_… of the facts. */
unsigned dt_blame_anomalies(const struct dt_facts *facts);

#endif

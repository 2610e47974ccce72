/*
 * invariants.h - what holds for every record, whatever the input was.
 */
#ifndef DT_TEST_INVARIANTS_H
#define DT_TEST_INVARIANTS_H

#include "core/model/crash.h"

/* Checks a judged record and both of its codecs. NULL when all holds, else what does not (static text, until the
 * next call). */
const char *invariants_broken(const struct dt_crash *crash);

#endif

/*
 * explain.h - a stop code and its parameters in words, by the rows that the analysis of dumps uses.
 */
#ifndef DT_REPORT_EXPLAIN_H
#define DT_REPORT_EXPLAIN_H

#include "core/base/buf.h"
#include "core/model/crash.h"

/* What a photo of a blue screen or a line of the event log says. count: how many of the four parameters are known.
 * machine DT_machine_NULL and build 0 are "not known": then readings that depend on them are printed with their condition. */
void dt_explain_write(uint32_t code, const uint64_t *parameters, size_t count, enum dt_machine machine, uint32_t build,
                      struct dt_buf *out);

#endif

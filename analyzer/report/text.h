/*
 * text.h - the report for a person: one screen, verdict first, then what to do,
 * then the evidence with what is missing and what contradicts.
 */
#ifndef DT_REPORT_TEXT_H
#define DT_REPORT_TEXT_H

#include "report/report.h"

void dt_report_text(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);

#endif

/* encodings.h - the formats for other systems: rows of formats.c. */
#ifndef DT_REPORT_ENCODINGS_H
#define DT_REPORT_ENCODINGS_H

#include "report/report.h"

void dt_report_ecs(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);
void dt_report_ocsf(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);
void dt_report_cef(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);
void dt_report_markdown(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);
void dt_report_ticket(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);

#endif

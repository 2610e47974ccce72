/*
 * report.h - a judged crash written for somebody; formats.c lists the formats.
 */
#ifndef DT_REPORT_REPORT_H
#define DT_REPORT_REPORT_H

#include "core/base/buf.h"
#include "core/model/crash.h"

struct dt_report_style {
	bool colour;    /* terminal colours */
	unsigned width; /* columns of the terminal; 0: 100 */
	bool verbose;   /* all modules, registers, frames and notes */
	bool unmasked;  /* events for a SIEM: names of users stay in paths */
	const char *name_space; /* ecs: of the data stream; NULL: default */
};

struct dt_report_format {
	const char *name;  /* as in --format */
	const char *title;
	void (*write)(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out);
	/* What stands between two records and around them; NULL: nothing. */
	const char *begin, *between, *end;
};

extern const struct dt_report_format *const dt_report_formats[];
extern const size_t dt_report_format_count;
/* NULL when there is none of that name. */
const struct dt_report_format *dt_report_format(const char *name);

#endif

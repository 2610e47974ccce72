/*
 * incidents.h - incidents written for a person or for a program. The rows are plain values; whoever has them fills them in.
 */
#ifndef DT_REPORT_INCIDENTS_H
#define DT_REPORT_INCIDENTS_H

#include "report/report.h"

/* A value and how many crashes have it. */
struct dt_report_count {
	const char *text;
	uint64_t crashes;
};

struct dt_report_incident {
	uint64_t id;
	const char *kind;  /* signature, own, family */
	const char *key, *title, *state, *reason;
	bool outbreak;
	uint64_t hosts, crashes, unknown_hosts, untimed, suspect_hosts;
	int64_t first, last; /* seconds of the Unix clock; 0 unknown */
	/* details, for one incident */
	const struct dt_report_count *builds, *module_builds, *families, *host_names;
	size_t build_count, module_build_count, family_count, host_count;
	const struct dt_report_bar { int64_t hour; uint64_t crashes, onsets; } *bars;
	size_t bar_count;
};

/* One line each, under a head. */
void dt_report_incidents_head(const struct dt_report_style *style, struct dt_buf *out);
void dt_report_incident_line(const struct dt_report_incident *incident, const struct dt_report_style *style, struct dt_buf *out);
/* All of one, with a bar chart over time. */
void dt_report_incident_page(const struct dt_report_incident *incident, const struct dt_report_style *style, struct dt_buf *out);
/* A JSON object on one line, with its details where there are any. */
void dt_report_incident_json(const struct dt_report_incident *incident, struct dt_buf *out);
/* "41 hosts and 7 crashes of unknown hosts" */
void dt_report_incident_hosts(const struct dt_report_incident *incident, struct dt_buf *out);
/* What a chart's bars are each: "hour", "6 hours", "day", "90 days". Gives out. */
enum { DT_REPORT_STEP_MAX = 40 };
const char *dt_report_step(int64_t hours, char out[DT_REPORT_STEP_MAX]);
/* What is said behind the number of suspect hosts, and of crashes without a time. */
const char *dt_report_suspects(uint64_t hosts);
const char *dt_report_untimed(uint64_t crashes);

#endif

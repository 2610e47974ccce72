/*
 * incident_event.h - an incident as an event for a SIEM or as the body of a webhook.
 */
#ifndef DT_REPORT_INCIDENT_EVENT_H
#define DT_REPORT_INCIDENT_EVENT_H

#include "core/base/arena.h"
#include "report/incidents.h"

struct dt_incident_event {
	const struct dt_report_incident *incident;
	const char *id;       /* of the event */
	uint64_t now;         /* FILETIME: an incident is of now, not of its crashes */
	bool first;           /* nothing was sent of it before */
	bool unmasked;
	const char *name_space; /* ecs; NULL: default */
	const char *server;   /* address of a serve, for links; NULL: none */
};

/* The state's word; "outbreak" for one. */
const char *dt_incident_event_state(const struct dt_report_incident *incident);
/* Whether a security team should look: an outbreak, or a known incident. */
bool dt_incident_event_alert(const struct dt_report_incident *incident);
/* 0 to 100 */
unsigned dt_incident_event_severity(const struct dt_report_incident *incident);

/* One line each, with its end. */
void dt_incident_event_ecs(const struct dt_incident_event *event, struct dt_buf *out);
void dt_incident_event_ocsf(const struct dt_incident_event *event, struct dt_buf *out);
void dt_incident_event_cef(const struct dt_incident_event *event, struct dt_buf *out);

/* A JSON template in which {{id}}, {{time}}, {{incident}}, {{kind}}, {{key}}, {{title}}, {{state}}, {{message}}, {{first}}, {{last}}, {{url}}
 * stand for texts (escaped, to be put between quotes; url is empty without a server) and {{hosts}}, {{crashes}}, {{severity}} for numbers.
 * template NULL: one that has all of them. DT_ERR_USAGE: an unknown name. The result ends without a line's end. */
DT_MUST_USE enum dt_status dt_incident_event_template(const struct dt_incident_event *event, const char *template, struct dt_buf *out,
                                                      struct dt_error *err);

#endif

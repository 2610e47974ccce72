/* The table of schemes. */
#include "fleet/sink/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleet/sink/kinds.h"

enum { SYSLOG_MAX = 7800 }; /* with its header below the 8 KiB that receivers take in one piece */

#define JSON "ecs ocsf"
#define ANY "ecs ocsf cef"
#define KIND(kind) dt_##kind##_open, dt_##kind##_send, NULL, dt_##kind##_close
static const struct dt_sink_scheme schemes[] = {
	{ "file:", "ecs", ANY, 0, false, dt_file_sink_open, dt_file_sink_send, dt_file_sink_reopen, dt_file_sink_close },
	{ "-", "ecs", ANY, 0, false, dt_file_sink_open, dt_file_sink_send, NULL, dt_file_sink_close },
	{ "https://", "ecs", "ecs", 0, false, KIND(bulk_sink) },
	{ "http://", "ecs", "ecs", 0, false, KIND(bulk_sink) },
	{ "splunk+https://", "ecs", JSON, 0, false, KIND(hec_sink) },
	{ "splunk+http://", "ecs", JSON, 0, false, KIND(hec_sink) },
	{ "syslog+tls://", "cef", ANY, SYSLOG_MAX, false, KIND(syslog_sink) },
	{ "syslog+tcp://", "cef", ANY, SYSLOG_MAX, false, KIND(syslog_sink) },
	{ "syslog+udp://", "cef", ANY, SYSLOG_MAX, false, KIND(syslog_sink) },
	{ "webhook+https://", "template", "template", 0, true, KIND(webhook_sink) },
	{ "webhook+http://", "template", "template", 0, true, KIND(webhook_sink) },
};

const struct dt_sink_scheme *dt_sink_scheme(const char *url)
{
	if (!strcmp(url, "-"))
		return &schemes[1];
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strcmp(schemes[i].scheme, "-") != 0 && !strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)))
			return &schemes[i];
	return NULL;
}

/* Whoever lists processes reads a URL of the command line. */
static bool secret_inside(const char *url)
{
	const char *authority = strstr(url, "://"), *end;

	if (!authority)
		return false;
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	return memchr(authority, '@', (size_t)(end - authority)) != NULL;
}

enum dt_status dt_sink_open(struct dt_sink **out, const struct dt_sink_options *options, struct dt_error *err)
{
	const struct dt_sink_scheme *scheme = dt_sink_scheme(options->url);

	*out = NULL;
	if (!scheme)
		return dt_fail(err, DT_ERR_USAGE, "a receiver is file:PATH, -, https://HOST/, splunk+https://HOST/, syslog+tls://HOST:PORT, webhook+https://HOST/, not '%.60s'",
		               options->url);
	if (secret_inside(options->url))
		return dt_fail(err, DT_ERR_USAGE, "a secret does not belong into a URL%s%s", options->secret_hint ? ": " : "",
		               options->secret_hint ? options->secret_hint : "");
	return scheme->open(out, scheme, options, err);
}

void dt_sink_send(struct dt_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	memset(report, 0, sizeof(*report));
	for (size_t i = 0; i < count; i++) {
		events[i].result = DT_SINK_RETRY;
		events[i].reason[0] = '\0';
	}
	sink->scheme->send(sink, events, count, report);
}

void dt_sink_reopen(struct dt_sink *sink)
{
	if (sink->scheme->reopen)
		sink->scheme->reopen(sink);
}

void dt_sink_close(struct dt_sink *sink)
{
	if (sink)
		sink->scheme->close(sink);
}

void dt_sink_mark(struct dt_sink_event *event, enum dt_sink_result result, const char *fmt, ...)
{
	va_list args;

	event->result = result;
	va_start(args, fmt);
	vsnprintf(event->reason, sizeof(event->reason), fmt, args);
	va_end(args);
}

void dt_sink_mark_all(struct dt_sink_event *events, size_t count, enum dt_sink_result result, const char *reason)
{
	for (size_t i = 0; i < count; i++)
		dt_sink_mark(&events[i], result, "%s", reason);
}

void dt_sink_problem(struct dt_sink_report *report, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->problem, sizeof(report->problem), fmt, args);
	va_end(args);
}

bool dt_sink_stopping(const struct dt_sink_stop *stop)
{
	return stop->asked && stop->asked(stop->self);
}

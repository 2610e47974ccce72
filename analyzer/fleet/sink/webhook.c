/*
 * A POST for each incident, signed: X-Dumptriage-Signature: sha256=HMAC-SHA-256 of the body under the secret. The receiver knows a resend by the
 * event's id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash/hash.h"
#include "fleet/sink/http.h"
#include "fleet/sink/kinds.h"

struct webhook_sink {
	struct dt_sink base;
	struct dt_client *http;
	char *secret; /* NULL: not signed */
};

enum dt_status dt_webhook_sink_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options,
                                    struct dt_error *err)
{
	struct webhook_sink *sink = calloc(1, sizeof(*sink));
	enum dt_status status;

	if (!sink || (options->secret && !(sink->secret = strdup(options->secret)))) {
		free(sink);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	sink->base.scheme = scheme;
	status = dt_client_open(&sink->http, options->url + strlen("webhook+"), options, err);
	if (status != DT_OK)
		dt_webhook_sink_close(&sink->base);
	else
		*out = &sink->base;
	return status;
}

static void send_one(struct webhook_sink *sink, struct dt_sink_event *event, struct dt_sink_report *report)
{
	char signature[2 * DT_SHA256_SIZE + 1], header[120];
	struct dt_client_answer answer;

	if (sink->secret) {
		dt_hmac_sha256_text((struct dt_bytes){ (const uint8_t *)sink->secret, strlen(sink->secret) }, event->body, signature);
		snprintf(header, sizeof(header), "X-Dumptriage-Signature: sha256=%s", signature);
	}
	dt_client_post(sink->http, "", "application/json", sink->secret ? header : NULL, event->body, &answer);
	long status = answer.status;
	char why[200];
	dt_client_explain(&answer, why);
	if (status >= 200 && status < 300) {
		dt_sink_mark(event, DT_SINK_ACCEPTED, "%s", "");
	} else if (status >= 400 && status < 500 && status != 401 && status != 403 && status != 404 && status != 408 && status != 429) {
		dt_sink_mark(event, DT_SINK_REJECTED, "%s", why);
	} else {
		dt_sink_mark(event, DT_SINK_RETRY, "%s", why);
		dt_sink_problem(report, "%s", why);
		report->retry_after_s = answer.retry_after_s;
	}
}

/* One that is away is not asked for each event anew. */
void dt_webhook_sink_send(struct dt_sink *base, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	for (size_t i = 0; i < count && !report->problem[0]; i++)
		send_one((struct webhook_sink *)base, &events[i], report);
}

void dt_webhook_sink_close(struct dt_sink *base)
{
	struct webhook_sink *sink = (struct webhook_sink *)base;

	dt_client_close(sink->http);
	free(sink->secret);
	free(sink);
}

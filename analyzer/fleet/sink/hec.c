/*
 * Splunk's HTTP Event Collector. 200 says that the events look valid, not that they are kept: with --ack the indexer is asked until it has them.
 * An event that the collector cannot read is named by its number; those before it were taken, and all but it come again.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"
#include "core/hash/hash.h"
#include "core/model/json.h"
#include "fleet/sink/http.h"
#include "fleet/sink/kinds.h"

enum { MAX_REQUEST = 64 << 20, ACK_STEP_MS = 200 };

struct hec_sink {
	struct dt_sink base;
	struct dt_client *http;
	struct dt_buf body;
	bool ack;
	unsigned timeout_s;
	char channel[64]; /* a header; empty without ack */
};

/* Codes of an answer that concern an event, not the token, the index or the server. */
static bool concerns_event(int64_t code)
{
	return code == 6 || code == 12 || code == 13 || code == 15;
}

static void make_channel(char out[64])
{
	char hex[33];

	dt_random_hex(16, hex);
	snprintf(out, 64, "X-Splunk-Request-Channel: %.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

enum dt_status dt_hec_sink_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options, struct dt_error *err)
{
	struct hec_sink *sink;
	enum dt_status status;

	if (!options->secret)
		return dt_fail(err, DT_ERR_USAGE, "the collector wants a token%s%s", options->secret_hint ? ": " : "",
		               options->secret_hint ? options->secret_hint : "");
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	sink->base.scheme = scheme;
	sink->ack = options->ack;
	sink->timeout_s = options->timeout_s;
	dt_buf_init(&sink->body, MAX_REQUEST);
	if (sink->ack)
		make_channel(sink->channel);
	status = dt_client_open(&sink->http, options->url + strlen("splunk+"), options, err);
	if (status == DT_OK)
		status = dt_client_authorize(sink->http, "Splunk", options->secret, err);
	if (status != DT_OK)
		dt_hec_sink_close(&sink->base);
	else
		*out = &sink->base;
	return status;
}

static void put_event(struct dt_buf *out, const struct dt_sink_event *event)
{
	uint64_t time = event->time > DT_TIME_UNIX_EPOCH ? event->time - DT_TIME_UNIX_EPOCH : 0;

	dt_buf_putc(out, '{');
	if (time)
		dt_buf_printf(out, "\"time\":%llu.%03llu,", (unsigned long long)(time / DT_TIME_SECOND), (unsigned long long)(time % DT_TIME_SECOND / 10000));
	if (event->host) {
		dt_buf_puts(out, "\"host\":");
		dt_json_write_text(event->host, out);
		dt_buf_putc(out, ',');
	}
	dt_buf_printf(out, "\"source\":\"dumptriage\",\"sourcetype\":\"dumptriage:%s\",\"event\":", event->incident ? "incident" : "crash");
	dt_buf_append(out, event->body.data, event->body.len);
	dt_buf_puts(out, "}\n");
}

/* Whether the indexer has what an acknowledgement id stands for; asked until the time for an answer is over. */
static bool acknowledged(struct hec_sink *sink, int64_t id)
{
	struct dt_client_answer answer;
	char question[64], key[24];

	snprintf(question, sizeof(question), "{\"acks\":[%lld]}", (long long)id);
	snprintf(key, sizeof(key), "%lld", (long long)id);
	for (unsigned waited = 0; waited <= sink->timeout_s * 1000; waited += ACK_STEP_MS) {
		dt_client_post(sink->http, "/services/collector/ack", "application/json", sink->channel,
		             (struct dt_bytes){ (const uint8_t *)question, strlen(question) }, &answer);
		json_t *root = answer.status == 200 ? json_loadb(answer.body, answer.len, 0, NULL) : NULL;
		bool has = json_is_true(json_object_get(json_object_get(root, "acks"), key));
		json_decref(root);
		if (has || answer.status != 200 || dt_client_ended(sink->http))
			return has;
		nanosleep(&(struct timespec){ 0, ACK_STEP_MS * 1000000L }, NULL);
	}
	return false;
}

static void take_success(struct hec_sink *sink, json_t *root, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	json_t *id = json_object_get(root, "ackId");

	if (sink->ack && (!json_is_integer(id) || !acknowledged(sink, json_integer_value(id)))) {
		dt_sink_problem(report, json_is_integer(id) ? "the indexer has not acknowledged in time" : "the token has no indexer acknowledgement");
		dt_sink_mark_all(events, count, DT_SINK_RETRY, report->problem);
		return;
	}
	dt_sink_mark_all(events, count, DT_SINK_ACCEPTED, "");
}

static void send_some(struct hec_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report);

static void halves(struct hec_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	send_some(sink, events, count / 2, report);
	send_some(sink, events + count / 2, count - count / 2, report);
}

/* An answer in the collector's own words, or anything else. */
static void take_answer(struct hec_sink *sink, struct dt_sink_event *events, size_t count, const struct dt_client_answer *answer,
                        struct dt_sink_report *report)
{
	json_t *root = json_loadb(answer->body ? answer->body : "", answer->len, 0, NULL), *code = json_object_get(root, "code");
	json_t *number = json_object_get(root, "invalid-event-number");
	bool item = answer->status == 400 && json_is_integer(code) && concerns_event(json_integer_value(code));
	size_t bad = json_is_integer(number) && json_integer_value(number) >= 0 ? (size_t)json_integer_value(number) : SIZE_MAX;
	char why[200];

	dt_client_explain(answer, why);
	if (answer->status == 200 && json_is_integer(code) && json_integer_value(code) == 0) {
		take_success(sink, root, events, count, report);
	} else if (item && count > 1 && bad < count) {
		dt_sink_mark(&events[bad], DT_SINK_REJECTED, "%s", why);
		if (bad)
			send_some(sink, events, bad, report);
		if (bad + 1 < count)
			send_some(sink, events + bad + 1, count - bad - 1, report);
	} else if ((item || answer->status == 413) && count > 1) {
		halves(sink, events, count, report);
	} else {
		dt_sink_mark_all(events, count, item || answer->status == 413 ? DT_SINK_REJECTED : DT_SINK_RETRY, why);
		if (!item && answer->status != 413)
			dt_sink_problem(report, "%s", why);
	}
	if (answer->retry_after_s)
		report->retry_after_s = answer->retry_after_s;
	json_decref(root);
}

static void send_some(struct hec_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	struct dt_client_answer answer;

	dt_buf_reset(&sink->body);
	for (size_t i = 0; i < count; i++)
		put_event(&sink->body, &events[i]);
	if (!dt_buf_ok(&sink->body) && count > 1) {
		halves(sink, events, count, report);
		return;
	}
	dt_client_post(sink->http, "/services/collector/event", "application/json", sink->ack ? sink->channel : NULL, dt_buf_bytes(&sink->body), &answer);
	take_answer(sink, events, count, &answer, report);
}

void dt_hec_sink_send(struct dt_sink *base, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	send_some((struct hec_sink *)base, events, count, report);
}

void dt_hec_sink_close(struct dt_sink *base)
{
	struct hec_sink *sink = (struct hec_sink *)base;

	dt_client_close(sink->http);
	dt_buf_deinit(&sink->body);
	free(sink);
}

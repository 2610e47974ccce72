/*
 * Elasticsearch's and OpenSearch's _bulk: `create` into the data stream logs-dumptriage.crash-NAMESPACE under the event's id. A resend is
 * answered with 409 for the item, which is as good as 201. A request that is too large is halved.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/sink/http.h"
#include "fleet/sink/kinds.h"

enum { MAX_REQUEST = 64 << 20, MAX_NAMESPACE = 100 };

struct bulk_sink {
	struct dt_sink base;
	struct dt_client *http;
	struct dt_buf body;
	char path[200];
};

/* Lower case, no - and nothing that a path would read otherwise. */
static bool good_namespace(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.");

	return len && len <= MAX_NAMESPACE && !name[len];
}

/* user:password is Basic; else an API key, as Elasticsearch gives it out in its encoded form. */
static enum dt_status authorize(struct bulk_sink *sink, const char *secret, struct dt_error *err)
{
	if (secret && strchr(secret, ':'))
		return dt_client_basic(sink->http, secret, err);
	return dt_client_authorize(sink->http, "ApiKey", secret, err);
}

enum dt_status dt_bulk_sink_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options, struct dt_error *err)
{
	const char *name_space = options->name_space ? options->name_space : "default";
	struct bulk_sink *sink;

	if (!good_namespace(name_space))
		return dt_fail(err, DT_ERR_USAGE, "--namespace takes up to %d lower-case letters, digits, '_' and '.', not '%.60s'", MAX_NAMESPACE, name_space);
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	sink->base.scheme = scheme;
	dt_buf_init(&sink->body, MAX_REQUEST);
	snprintf(sink->path, sizeof(sink->path), "/logs-dumptriage.crash-%s/_bulk", name_space);
	enum dt_status status = dt_client_open(&sink->http, options->url, options, err);
	if (status == DT_OK)
		status = authorize(sink, options->secret, err);
	if (status != DT_OK)
		dt_bulk_sink_close(&sink->base);
	else
		*out = &sink->base;
	return status;
}

/* 400 and the like for one item: it will never be taken. */
static void take_item(struct dt_sink_event *event, json_t *item)
{
	json_t *create = json_object_get(item, "create"), *error = json_object_get(create, "error");
	const char *type = json_string_value(json_object_get(error, "type")), *reason = json_string_value(json_object_get(error, "reason"));
	int status = (int)json_integer_value(json_object_get(create, "status"));

	if ((status >= 200 && status < 300) || status == 409)
		dt_sink_mark(event, DT_SINK_ACCEPTED, "%s", "");
	else if (status >= 400 && status < 500 && status != 429 && status != 401 && status != 403 && status != 404 && status != 408)
		dt_sink_mark(event, DT_SINK_REJECTED, "%d %.60s: %.120s", status, type ? type : "rejected", reason ? reason : "");
	else
		dt_sink_mark(event, DT_SINK_RETRY, "%d %.60s: %.120s", status, type ? type : "no status", reason ? reason : "");
}

/* What is no answer of _bulk, a proxy's page in HTML for one, says nothing of any event. */
static void take_answer(struct dt_sink_event *events, size_t count, const struct dt_client_answer *answer, struct dt_sink_report *report)
{
	json_t *root = json_loadb(answer->body, answer->len, 0, NULL), *items = json_object_get(root, "items");

	if (json_array_size(items) != count) {
		dt_sink_problem(report, "the answer is not one of _bulk: HTTP %ld, %zu bytes", answer->status, answer->len);
		dt_sink_mark_all(events, count, DT_SINK_RETRY, report->problem);
	} else {
		for (size_t i = 0; i < count; i++) {
			take_item(&events[i], json_array_get(items, i));
			if (events[i].result == DT_SINK_RETRY)
				dt_sink_problem(report, "%s", events[i].reason);
		}
	}
	json_decref(root);
}

static void send_some(struct bulk_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	struct dt_client_answer answer;

	dt_buf_reset(&sink->body);
	for (size_t i = 0; i < count; i++) {
		dt_buf_printf(&sink->body, "{\"create\":{\"_id\":\"%s\"}}\n", events[i].id);
		dt_buf_append(&sink->body, events[i].body.data, events[i].body.len);
		dt_buf_putc(&sink->body, '\n');
	}
	bool large = !dt_buf_ok(&sink->body);
	if (!large) {
		dt_client_post(sink->http, sink->path, "application/x-ndjson", NULL, dt_buf_bytes(&sink->body), &answer);
		large = answer.status == 413;
	}
	/* One request that holds a thing that cannot be read is refused whole: halves find it. */
	if ((large || answer.status == 400) && count > 1) {
		send_some(sink, events, count / 2, report);
		send_some(sink, events + count / 2, count - count / 2, report);
		return;
	}
	if (large) {
		dt_sink_mark_all(events, count, DT_SINK_REJECTED, "413: the event is larger than the receiver takes");
		return;
	}
	if (answer.status == 200) {
		take_answer(events, count, &answer, report);
		return;
	}
	char why[200];
	dt_client_explain(&answer, why);
	dt_sink_mark_all(events, count, answer.status == 400 ? DT_SINK_REJECTED : DT_SINK_RETRY, why);
	if (answer.status != 400)
		dt_sink_problem(report, "%s", why);
	if (answer.retry_after_s)
		report->retry_after_s = answer.retry_after_s;
}

void dt_bulk_sink_send(struct dt_sink *base, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	send_some((struct bulk_sink *)base, events, count, report);
}

void dt_bulk_sink_close(struct dt_sink *base)
{
	struct bulk_sink *sink = (struct bulk_sink *)base;

	dt_client_close(sink->http);
	dt_buf_deinit(&sink->body);
	free(sink);
}

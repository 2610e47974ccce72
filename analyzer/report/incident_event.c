/* Incidents in the encodings of a SIEM, and in a webhook's template. */
#include "report/incident_event.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/json.h"
#include "report/cef.h"
#include "report/envelope.h"
#include "report/event.h"
#include "report/object.h"

const char *dt_incident_event_state(const struct dt_report_incident *incident)
{
	return incident->outbreak ? "outbreak" : incident->state;
}

static bool known(const struct dt_report_incident *incident)
{
	return !strcmp(incident->kind, "signature");
}

bool dt_incident_event_alert(const struct dt_report_incident *incident)
{
	return incident->outbreak || known(incident);
}

unsigned dt_incident_event_severity(const struct dt_report_incident *incident)
{
	return incident->outbreak ? 95 : known(incident) ? 90 : 50;
}

/* What the encodings print: texts masked, times as the event has them. */
struct said {
	const char *title, *key, *message, *state;
	uint64_t first, last; /* FILETIME, 0 unknown */
};

static uint64_t filetime(int64_t seconds)
{
	return seconds > 0 ? dt_time_from_unix((uint64_t)seconds) : 0;
}

static void say(const struct dt_incident_event *event, struct dt_arena *arena, struct said *out)
{
	const struct dt_report_incident *incident = event->incident;
	const char *title = incident->title ? incident->title : incident->key;
	struct dt_buf hosts;

	dt_buf_init(&hosts, 256);
	dt_report_incident_hosts(incident, &hosts);
	out->title = event->unmasked ? title : dt_mask_user(title, arena);
	out->key = event->unmasked ? incident->key : dt_mask_user(incident->key, arena);
	out->state = dt_incident_event_state(incident);
	out->first = filetime(incident->first);
	out->last = filetime(incident->last);
	out->message = dt_arena_printf(arena, "%s: %s on %s, %llu %s", out->state, out->title ? out->title : "incident", dt_buf_text(&hosts),
	                               (unsigned long long)incident->crashes, dt_text_plural(incident->crashes, "crash", "crashes"));
	dt_buf_deinit(&hosts);
}

static void put_cluster(struct dt_put *w, const char *name, const struct dt_incident_event *event, const struct said *said)
{
	const struct dt_report_incident *incident = event->incident;

	dt_put_open(w, name, '{');
	dt_put_number(w, "id", (int64_t)incident->id);
	dt_put_text(w, "kind", incident->kind);
	dt_put_text(w, "key", said->key);
	dt_put_text(w, "title", said->title);
	dt_put_text(w, "state", said->state);
	dt_put_number(w, "hosts", (int64_t)incident->hosts);
	dt_put_number(w, "crashes", (int64_t)incident->crashes);
	dt_put_number(w, "crashes_of_unknown_hosts", (int64_t)incident->unknown_hosts);
	dt_put_close(w, '}');
}

static void put_ecs_event(struct dt_put *w, const struct dt_incident_event *event, const struct said *said)
{
	dt_put_open(w, "event", '{');
	dt_put_text(w, "id", event->id);
	dt_put_text(w, "kind", dt_incident_event_alert(event->incident) ? "alert" : "event");
	dt_put_texts(w, "category", (const char *const[]){ "host" }, 1);
	dt_put_texts(w, "type", (const char *const[]){ "info" }, 1);
	dt_put_ecs_source(w);
	dt_put_text(w, "action", event->incident->outbreak ? "crash-outbreak" : "crash-incident");
	dt_put_text(w, "reason", event->incident->reason);
	dt_put_number(w, "severity", dt_incident_event_severity(event->incident));
	dt_put_time(w, "created", event->now);
	dt_put_time(w, "start", said->first);
	dt_put_time(w, "end", said->last);
	dt_put_close(w, '}');
}

void dt_incident_event_ecs(const struct dt_incident_event *event, struct dt_buf *out)
{
	struct dt_put w = { .out = out };
	struct dt_arena arena;
	struct said said;

	dt_arena_init(&arena, 1u << 20);
	say(event, &arena, &said);
	dt_put_open(&w, NULL, '{');
	dt_put_ecs_head(&w, event->now, said.message, event->name_space);
	put_ecs_event(&w, event, &said);
	if (known(event->incident)) {
		dt_put_open(&w, "rule", '{');
		dt_put_text(&w, "id", said.key);
		dt_put_text(&w, "name", said.title);
		dt_put_text(&w, "category", "known-incident");
		dt_put_close(&w, '}');
	}
	dt_put_ecs_observer(&w);
	dt_put_open(&w, "dumptriage", '{');
	put_cluster(&w, "cluster", event, &said);
	dt_put_close(&w, '}');
	dt_put_close(&w, '}');
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, NULL, &arena);
	dt_arena_deinit(&arena);
}

static void put_findings(struct dt_put *w, const struct dt_incident_event *event, const struct said *said)
{
	dt_put_open(w, "finding_info_list", '[');
	dt_put_open(w, NULL, '{');
	dt_put_text(w, "uid", said->key);
	dt_put_text(w, "title", said->title);
	dt_put_number(w, "related_events_count", (int64_t)event->incident->crashes);
	if (said->first)
		dt_put_number(w, "first_seen_time", dt_time_to_unix_ms(said->first));
	if (said->last)
		dt_put_number(w, "last_seen_time", dt_time_to_unix_ms(said->last));
	if (known(event->incident))
		dt_put_ocsf_analytic(w, said->key, said->title, NULL);
	dt_put_close(w, '}');
	dt_put_close(w, ']');
}

/* Incident Finding (2005). The class wants a group that it is assigned to: nobody told us one. */
void dt_incident_event_ocsf(const struct dt_incident_event *event, struct dt_buf *out)
{
	bool outbreak = event->incident->outbreak;
	struct dt_put w = { .out = out };
	struct dt_arena arena;
	struct said said;

	dt_arena_init(&arena, 1u << 20);
	say(event, &arena, &said);
	dt_put_open(&w, NULL, '{');
	dt_put_number(&w, "activity_id", event->first ? 1 : 2);
	dt_put_text(&w, "activity_name", event->first ? "Create" : "Update");
	dt_put_number(&w, "category_uid", 2);
	dt_put_text(&w, "category_name", "Findings");
	dt_put_number(&w, "class_uid", 2005);
	dt_put_text(&w, "class_name", "Incident Finding");
	dt_put_number(&w, "type_uid", event->first ? 200501 : 200502);
	dt_put_number(&w, "time", dt_time_to_unix_ms(event->now));
	if (said.first)
		dt_put_number(&w, "start_time", dt_time_to_unix_ms(said.first));
	if (said.last)
		dt_put_number(&w, "end_time", dt_time_to_unix_ms(said.last));
	dt_put_number(&w, "severity_id", outbreak ? 5 : known(event->incident) ? 4 : 3);
	dt_put_text(&w, "severity", outbreak ? "Critical" : known(event->incident) ? "High" : "Medium");
	dt_put_number(&w, "status_id", 1);
	dt_put_text(&w, "status", "New");
	dt_put_text(&w, "message", said.message);
	dt_put_text(&w, "desc", event->incident->reason ? event->incident->reason : said.message);
	dt_put_open(&w, "assignee_group", '{');
	dt_put_text(&w, "name", "unassigned");
	dt_put_close(&w, '}');
	dt_put_open(&w, "metadata", '{');
	dt_put_text(&w, "version", "1.6.0");
	dt_put_text(&w, "uid", event->id);
	dt_put_text(&w, "correlation_uid", said.key);
	dt_put_ocsf_log(&w);
	dt_put_texts(&w, "profiles", (const char *const[]){ "incident" }, 1);
	dt_put_ocsf_product(&w);
	dt_put_close(&w, '}');
	put_findings(&w, event, &said);
	put_cluster(&w, "unmapped", event, &said);
	dt_put_close(&w, '}');
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, NULL, &arena);
	dt_arena_deinit(&arena);
}

void dt_incident_event_cef(const struct dt_incident_event *event, struct dt_buf *out)
{
	const struct dt_report_incident *incident = event->incident;
	struct dt_arena arena;
	struct dt_buf line;
	struct said said;
	char number[24];

	dt_arena_init(&arena, 1u << 20);
	dt_buf_init(&line, 1u << 17);
	say(event, &arena, &said);
	dt_buf_puts(&line, "CEF:0|dumptriage|dumptriage|" DT_VERSION "|");
	dt_cef_header(&line, incident->outbreak ? "crash-outbreak" : "crash-incident");
	dt_cef_header(&line, said.title ? said.title : "incident");
	dt_buf_printf(&line, "%u|", dt_incident_event_severity(incident) / 10);
	dt_cef_time(&line, "rt", event->now);
	dt_cef_time(&line, "start", said.first);
	dt_cef_time(&line, "end", said.last);
	dt_cef_value(&line, "externalId", event->id);
	dt_cef_value(&line, "act", said.state);
	dt_cef_value(&line, "cat", incident->kind);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)incident->crashes);
	dt_cef_value(&line, "cnt", number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)incident->hosts);
	dt_cef_labelled(&line, "cn1", "hosts", number);
	snprintf(number, sizeof(number), "i%llu", (unsigned long long)incident->id);
	dt_cef_labelled(&line, "cs1", "incident", number);
	dt_cef_labelled(&line, "cs2", "key", said.key);
	dt_cef_value(&line, "reason", incident->reason);
	dt_cef_value(&line, "msg", said.message);
	dt_buf_append(out, dt_buf_text(&line), line.len);
	dt_buf_putc(out, '\n');
	dt_buf_share_failure(out, &line, &arena);
	dt_buf_deinit(&line);
	dt_arena_deinit(&arena);
}

/* ---- templates ------------------------------------------------------------------ */

static const char everything[] =
	"{\"event\":\"{{id}}\",\"time\":\"{{time}}\",\"incident\":\"{{incident}}\",\"kind\":\"{{kind}}\",\"key\":\"{{key}}\",\"title\":\"{{title}}\","
	"\"state\":\"{{state}}\",\"severity\":{{severity}},\"hosts\":{{hosts}},\"crashes\":{{crashes}},\"first\":\"{{first}}\",\"last\":\"{{last}}\",\"url\":\"{{url}}\","
	"\"text\":\"{{message}}\"}";

/* The inside of a JSON string. */
static void put_inside(const char *text, struct dt_buf *out)
{
	struct dt_buf literal;

	dt_buf_init(&literal, 1u << 18);
	dt_json_write_text(text ? text : "", &literal);
	if (literal.len >= 2)
		dt_buf_append(out, literal.data + 1, literal.len - 2);
	dt_buf_share_failure(out, &literal, NULL);
	dt_buf_deinit(&literal);
}

static bool put_number_named(const struct dt_incident_event *event, const char *name, size_t len, struct dt_buf *out)
{
	const struct { const char *name; uint64_t value; } numbers[] = {
		{ "hosts", event->incident->hosts }, { "crashes", event->incident->crashes }, { "severity", dt_incident_event_severity(event->incident) },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strlen(numbers[i].name) == len && !strncmp(numbers[i].name, name, len)) {
			dt_buf_u64(out, numbers[i].value);
			return true;
		}
	return false;
}

static bool put_text_named(const struct dt_incident_event *event, const struct said *said, const char *name, size_t len, struct dt_arena *arena,
                           struct dt_buf *out)
{
	char now[DT_TIME_TEXT_MAX] = "", first[DT_TIME_TEXT_MAX] = "", last[DT_TIME_TEXT_MAX] = "", id[24];

	(void)dt_time_format(event->now, now);
	if (said->first)
		(void)dt_time_format(said->first, first);
	if (said->last)
		(void)dt_time_format(said->last, last);
	snprintf(id, sizeof(id), "i%llu", (unsigned long long)event->incident->id);
	const char *url = event->server ? dt_arena_printf(arena, "%s/incidents/%llu", event->server, (unsigned long long)event->incident->id) : "";
	const struct { const char *name, *value; } texts[] = {
		{ "id", event->id },        { "time", now },           { "incident", id },          { "kind", event->incident->kind }, { "key", said->key },
		{ "title", said->title },   { "state", said->state },  { "message", said->message }, { "first", first },                { "last", last },
		{ "url", url },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i].name) == len && !strncmp(texts[i].name, name, len)) {
			put_inside(texts[i].value, out);
			return true;
		}
	return false;
}

static enum dt_status fill(const struct dt_incident_event *event, const struct said *said, const char *template, struct dt_arena *arena,
                           struct dt_buf *out, struct dt_error *err)
{
	const char *at = template;

	while (*at) {
		const char *open = strstr(at, "{{"), *close = open ? strstr(open, "}}") : NULL;
		if (!close)
			break;
		size_t len = (size_t)(close - open) - 2;
		dt_buf_append(out, at, (size_t)(open - at));
		if (!put_number_named(event, open + 2, len, out) && !put_text_named(event, said, open + 2, len, arena, out))
			return dt_fail(err, DT_ERR_USAGE, "the template has {{%.*s}}, which is no name of an incident's event", len < 40 ? (int)len : 40, open + 2);
		at = close + 2;
	}
	dt_buf_puts(out, at);
	return DT_OK;
}

enum dt_status dt_incident_event_template(const struct dt_incident_event *event, const char *template, struct dt_buf *out, struct dt_error *err)
{
	struct dt_arena arena;
	struct said said;

	dt_arena_init(&arena, 1u << 20);
	say(event, &arena, &said);
	enum dt_status status = fill(event, &said, template ? template : everything, &arena, out, err);
	dt_buf_share_failure(out, NULL, &arena);
	dt_arena_deinit(&arena);
	return status;
}

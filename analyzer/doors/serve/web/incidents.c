/* The pages of incidents: the table of all, and one of them over time. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "doors/serve/web/web.h"

enum { VALUES = 20, HOSTS = 100 };

static void state(struct dt_buf *out, const struct dt_report_incident *incident)
{
	const char *word = incident->outbreak ? "outbreak" : incident->state ? incident->state : "unknown";

	dt_buf_printf(out, "<span class=\"chip state-%s\">%s</span>", word, word);
}

static const char *name_of(const struct dt_report_incident *incident)
{
	return incident->title ? incident->title : incident->key;
}

static void row(struct dt_buf *out, const struct dt_report_incident *incident)
{
	dt_buf_puts(out, "<tr><td data-label=\"State\">");
	state(out, incident);
	dt_buf_printf(out, "</td><td data-label=\"What\"><a href=\"/incidents/%llu\">", (unsigned long long)incident->id);
	dt_web_text(out, name_of(incident));
	dt_buf_printf(out, "</a></td><td data-label=\"By\">%s</td><td data-label=\"Hosts\">%llu%s</td><td data-label=\"Crashes\">%llu</td><td data-label=\"First\">",
	              incident->kind, (unsigned long long)incident->hosts, incident->unknown_hosts ? "+" : "", (unsigned long long)incident->crashes);
	dt_web_seconds(out, incident->first);
	dt_buf_puts(out, "</td><td data-label=\"Last\">");
	dt_web_seconds(out, incident->last);
	dt_buf_puts(out, "</td></tr>\n");
}

static void choices(struct dt_buf *out, const char *name, const char *label, const char *const *words, const char *chosen)
{
	dt_buf_printf(out, "<label>%s <select name=\"%s\"><option value=\"\">all</option>", label, name);
	for (; *words; words++)
		dt_buf_printf(out, "<option%s>%s</option>", chosen && !strcmp(chosen, *words) ? " selected" : "", *words);
	dt_buf_puts(out, "</select></label> ");
}

static void spans(struct dt_buf *out, const char *chosen)
{
	static const char *const rows[][2] = { { "2d", "two days" }, { "7d", "a week" }, { "30d", "30 days" }, { "all", "everything" } };

	dt_buf_puts(out, "<label>Chart of <select name=\"span\">");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		dt_buf_printf(out, "<option value=\"%s\"%s>%s</option>", rows[i][0], chosen && !strcmp(chosen, rows[i][0]) ? " selected" : "", rows[i][1]);
	dt_buf_puts(out, "</select></label> ");
}

static void suspects(struct dt_buf *out, const struct dt_web_incidents *view)
{
	if (!view->suspect_count)
		return;
	dt_buf_puts(out, "<section aria-labelledby=\"suspects\"><h2 id=\"suspects\">Hosts that crash in many ways</h2>\n<p>Suspect their memory and processor "
	                 "first; they weigh less in every incident.</p>\n<ul>\n");
	for (size_t i = 0; i < view->suspect_count; i++) {
		dt_buf_puts(out, "<li><a href=\"/crashes?host=");
		dt_web_url_part(out, view->suspects[i].host);
		dt_buf_puts(out, "\">");
		dt_web_text(out, view->suspects[i].host);
		dt_buf_puts(out, "</a>: ");
		dt_web_text(out, view->suspects[i].reason);
		dt_buf_puts(out, "</li>\n");
	}
	dt_buf_puts(out, "</ul></section>\n");
}

void dt_web_incidents(const struct dt_web_frame *frame, const struct dt_web_incidents *view, struct dt_buf *out)
{
	static const char *const kinds[] = { "signature", "own", "family", NULL };
	static const char *const states[] = { "outbreak", "growing", "new", "steady", "over", NULL };

	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>Incidents</h1>\n");
	if (view->as_of) {
		dt_buf_printf(out, "<p>%llu %s of %llu %s; states as of the newest crash, ", (unsigned long long)view->crashes,
		              dt_text_plural(view->crashes, "crash", "crashes"), (unsigned long long)view->hosts, dt_text_plural(view->hosts, "host", "hosts"));
		dt_web_seconds(out, view->as_of);
		dt_buf_puts(out, ".</p>\n");
	} else if (view->crashes) {
		dt_buf_printf(out, "<p>%llu %s of %llu %s; no crash has a plausible time.</p>\n", (unsigned long long)view->crashes,
		              dt_text_plural(view->crashes, "crash", "crashes"), (unsigned long long)view->hosts, dt_text_plural(view->hosts, "host", "hosts"));
	}
	dt_buf_puts(out, "<form class=\"filter\" method=\"get\" action=\"/incidents\">");
	choices(out, "kind", "Grouped by", kinds, view->kind);
	choices(out, "state", "State", states, view->state);
	spans(out, view->span);
	dt_buf_puts(out, "<button>Show</button></form>\n");
	dt_web_chart(out, &view->chart);
	if (!view->count) {
		dt_buf_puts(out, "<p class=\"empty\">No incident.</p>\n");
	} else {
		dt_buf_puts(out, "<table class=\"list\"><thead><tr><th scope=\"col\">State</th><th scope=\"col\">What</th><th scope=\"col\">By</th>"
		                 "<th scope=\"col\">Hosts</th><th scope=\"col\">Crashes</th><th scope=\"col\">First</th><th scope=\"col\">Last</th></tr></thead><tbody>\n");
		for (size_t i = 0; i < view->count; i++)
			row(out, &view->incidents[i]);
		dt_buf_puts(out, "</tbody></table>\n");
	}
	suspects(out, view);
	dt_web_end(frame, out);
}

static void counts(struct dt_buf *out, const char *label, const struct dt_report_count *values, size_t count)
{
	if (!count)
		return;
	dt_buf_printf(out, "<div><dt>%s</dt><dd>", label);
	for (size_t i = 0; i < count && i < VALUES; i++) {
		dt_buf_puts(out, i ? ", " : "");
		dt_web_text(out, values[i].text);
		dt_buf_printf(out, " (%llu)", (unsigned long long)values[i].crashes);
	}
	if (count > VALUES)
		dt_buf_printf(out, " and %zu more", count - VALUES);
	dt_buf_puts(out, "</dd></div>\n");
}

static void hosts(struct dt_buf *out, const struct dt_report_incident *incident)
{
	if (!incident->host_count)
		return;
	dt_buf_printf(out, "<details%s><summary>%zu %s</summary><ul class=\"hosts\">\n", incident->host_count <= 12 ? " open" : "", incident->host_count,
	              dt_text_plural(incident->host_count, "host", "hosts"));
	for (size_t i = 0; i < incident->host_count && i < HOSTS; i++) {
		dt_buf_puts(out, "<li><a href=\"/crashes?host=");
		dt_web_url_part(out, incident->host_names[i].text);
		dt_buf_puts(out, "\">");
		dt_web_text(out, incident->host_names[i].text);
		dt_buf_printf(out, "</a> (%llu)</li>\n", (unsigned long long)incident->host_names[i].crashes);
	}
	dt_buf_puts(out, "</ul>");
	if (incident->host_count > HOSTS)
		dt_buf_printf(out, "<p>and %zu more</p>", incident->host_count - HOSTS);
	dt_buf_puts(out, "</details>\n");
}

static void facts(struct dt_buf *out, const struct dt_web_incident *view)
{
	const struct dt_report_incident *incident = view->incident;

	dt_buf_puts(out, "<dl class=\"facts\">\n<div><dt>Seen on</dt><dd>");
	dt_report_incident_hosts(incident, out);
	dt_buf_printf(out, "; %llu %s</dd></div>\n<div><dt>From</dt><dd>", (unsigned long long)incident->crashes,
	              dt_text_plural(incident->crashes, "crash", "crashes"));
	dt_web_seconds(out, incident->first);
	dt_buf_puts(out, " to ");
	dt_web_seconds(out, incident->last);
	dt_buf_puts(out, "</dd></div>\n<div><dt>State</dt><dd>");
	dt_web_text(out, incident->reason);
	dt_buf_puts(out, "</dd></div>\n");
	if (view->burst) {
		dt_buf_puts(out, "<div><dt>Outbreak</dt><dd>");
		dt_web_text(out, view->burst);
		dt_buf_puts(out, "</dd></div>\n");
	}
	if (incident->suspect_hosts)
		dt_buf_printf(out, "<div><dt>Beware</dt><dd>%llu of these hosts %s</dd></div>\n", (unsigned long long)incident->suspect_hosts,
		              dt_report_suspects(incident->suspect_hosts));
	if (incident->untimed)
		dt_buf_printf(out, "<div><dt>No time</dt><dd>%llu %s</dd></div>\n", (unsigned long long)incident->untimed,
		              dt_report_untimed(incident->untimed));
	counts(out, "OS builds", incident->builds, incident->build_count);
	counts(out, "Module builds", incident->module_builds, incident->module_build_count);
	counts(out, "Families", incident->families, incident->family_count);
	dt_buf_printf(out, "<div><dt>Grouped by</dt><dd>%s <code>", incident->kind);
	dt_web_text(out, incident->key);
	dt_buf_puts(out, "</code></dd></div>\n</dl>\n");
}

void dt_web_incident(const struct dt_web_frame *frame, const struct dt_web_incident *view, struct dt_buf *out)
{
	const struct dt_report_incident *incident = view->incident;
	char id[32];

	snprintf(id, sizeof(id), "i%llu", (unsigned long long)incident->id);
	dt_web_begin(frame, out);
	dt_buf_puts(out, "<h1>");
	dt_web_text(out, name_of(incident));
	dt_buf_puts(out, "</h1>\n<p>");
	state(out, incident);
	dt_buf_puts(out, "</p>\n");
	if (view->next_step_count) {
		dt_buf_puts(out, "<section aria-labelledby=\"steps\"><h2 id=\"steps\">What to do</h2>\n");
		dt_web_steps(out, view->next_steps, view->next_step_count, id);
		dt_buf_puts(out, "</section>\n");
	}
	dt_buf_puts(out, "<section aria-labelledby=\"time\"><h2 id=\"time\">Over time</h2>\n");
	if (view->chart.bar_count)
		dt_web_chart(out, &view->chart);
	else
		dt_buf_puts(out, "<p class=\"empty\">No crash of it has a plausible time.</p>\n");
	facts(out, view);
	hosts(out, incident);
	dt_buf_puts(out, "</section>\n<section aria-labelledby=\"crashes\"><h2 id=\"crashes\">Crashes</h2>\n");
	dt_web_table(out, &view->latest, "None.");
	dt_buf_puts(out, "</section>\n");
	dt_web_end(frame, out);
}

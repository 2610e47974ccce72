#include "report/incidents.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/json.h"

enum { BARS = 24, BAR_WIDTH = 40, VALUES = 12 };

static void day(int64_t seconds, char out[24])
{
	struct tm tm;
	time_t at = (time_t)seconds;

	if (!seconds || !gmtime_r(&at, &tm))
		snprintf(out, 24, "-");
	else
		strftime(out, 24, "%Y-%m-%d %H:%M", &tm);
}

static void colour(const struct dt_report_style *style, const char *code, struct dt_buf *out)
{
	if (style->colour)
		dt_buf_printf(out, "\x1b[%sm", code);
}

void dt_report_incident_hosts(const struct dt_report_incident *incident, struct dt_buf *out)
{
	if (incident->hosts || !incident->unknown_hosts)
		dt_buf_printf(out, "%llu %s", (unsigned long long)incident->hosts, dt_text_plural(incident->hosts, "host", "hosts"));
	if (incident->hosts && incident->unknown_hosts)
		dt_buf_puts(out, " and ");
	if (incident->unknown_hosts)
		dt_buf_printf(out, "%llu %s of unknown hosts", (unsigned long long)incident->unknown_hosts,
		              dt_text_plural(incident->unknown_hosts, "crash", "crashes"));
}

void dt_report_incidents_head(const struct dt_report_style *style, struct dt_buf *out)
{
	colour(style, "1", out);
	dt_buf_puts(out, "id       state     hosts  crashes  first             last              what\n");
	colour(style, "0", out);
}

void dt_report_incident_line(const struct dt_report_incident *incident, const struct dt_report_style *style, struct dt_buf *out)
{
	unsigned width = style->width ? style->width : 120;
	size_t room = width > 100 ? width - 78 : 44, len;
	const char *what = incident->title ? incident->title : incident->key;
	char first[24], last[24];

	day(incident->first, first);
	day(incident->last, last);
	len = dt_text_fit(what, room);
	dt_buf_printf(out, "i%-7llu ", (unsigned long long)incident->id);
	if (incident->outbreak)
		colour(style, "1;31", out);
	dt_buf_printf(out, "%-8s", incident->outbreak ? "outbreak" : incident->state);
	if (incident->outbreak)
		colour(style, "0", out);
	dt_buf_printf(out, " %5llu%s %8llu  %-16s  %-16s  %-9s %.*s\n", (unsigned long long)incident->hosts, incident->unknown_hosts ? "+" : " ",
	              (unsigned long long)incident->crashes, first, last, incident->kind, (int)len, what);
}

static void counts_line(const char *name, const struct dt_report_count *counts, size_t count, struct dt_buf *out)
{
	if (!count)
		return;
	dt_buf_printf(out, "%-14s", name);
	for (size_t i = 0; i < count && i < VALUES; i++)
		dt_buf_printf(out, "%s%s (%llu)", i ? ", " : "", counts[i].text, (unsigned long long)counts[i].crashes);
	if (count > VALUES)
		dt_buf_printf(out, " and %zu more", count - VALUES);
	dt_buf_putc(out, '\n');
}

const char *dt_report_suspects(uint64_t hosts)
{
	return dt_text_plural(hosts, "crashes in many ways and may have bad hardware; it weighs less",
	                      "crash in many ways and may have bad hardware; they weigh less");
}

const char *dt_report_untimed(uint64_t crashes)
{
	return dt_text_plural(crashes, "crash has no plausible time and is in no statistics", "crashes have no plausible time and are in no statistics");
}

const char *dt_report_step(int64_t hours, char out[DT_REPORT_STEP_MAX])
{
	bool days = hours % 24 == 0;
	int64_t n = days ? hours / 24 : hours;

	if (n == 1)
		snprintf(out, DT_REPORT_STEP_MAX, "%s", days ? "day" : "hour");
	else
		snprintf(out, DT_REPORT_STEP_MAX, "%lld %s", (long long)n, days ? "days" : "hours");
	return out;
}

/* Steps that give at most BARS bars: hours, days, weeks ... */
static int64_t bar_step(int64_t hours)
{
	static const int64_t steps[] = { 1, 2, 6, 12, 24, 48, 168, 336, 720, 2160, 8760 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (hours / steps[i] < BARS)
			return steps[i];
	return hours / BARS + 1;
}

static void chart(const struct dt_report_incident *incident, struct dt_buf *out)
{
	int64_t first = incident->bar_count ? incident->bars[0].hour : 0;
	int64_t step = incident->bar_count ? bar_step(incident->bars[incident->bar_count - 1].hour - first) : 1;
	uint64_t crashes[BARS + 1] = { 0 }, onsets[BARS + 1] = { 0 }, most = 1;
	char unit[DT_REPORT_STEP_MAX];
	size_t used = 0;

	if (!incident->bar_count)
		return;
	for (size_t i = 0; i < incident->bar_count; i++) {
		size_t at = (size_t)((incident->bars[i].hour - first) / step);
		at = at > BARS ? BARS : at;
		crashes[at] += incident->bars[i].crashes;
		onsets[at] += incident->bars[i].onsets;
		most = crashes[at] > most ? crashes[at] : most;
		used = at + 1;
	}
	dt_buf_printf(out, "\ncrashes by %s (# crashes, the count of hosts that began behind it)\n", dt_report_step(step, unit));
	for (size_t i = 0; i < used; i++) {
		char at[24];
		day((first + (int64_t)i * step) * 3600, at);
		size_t bar = (size_t)((crashes[i] * BAR_WIDTH + most - 1) / most);
		dt_buf_printf(out, "  %-16s %.*s%*s %llu", at, (int)bar, "########################################", (int)(BAR_WIDTH - bar), "",
		              (unsigned long long)crashes[i]);
		if (onsets[i])
			dt_buf_printf(out, " (%llu)", (unsigned long long)onsets[i]);
		dt_buf_putc(out, '\n');
	}
}

void dt_report_incident_page(const struct dt_report_incident *incident, const struct dt_report_style *style, struct dt_buf *out)
{
	char first[24], last[24];

	day(incident->first, first);
	day(incident->last, last);
	colour(style, "1", out);
	dt_buf_printf(out, "i%llu  %s: %s\n", (unsigned long long)incident->id, incident->outbreak ? "outbreak" : incident->state,
	              incident->title ? incident->title : incident->key);
	colour(style, "0", out);
	dt_buf_printf(out, "%-14s%s %s\n", "grouped by", incident->kind, incident->key);
	dt_buf_printf(out, "%-14s", "seen on");
	dt_report_incident_hosts(incident, out);
	dt_buf_printf(out, "; %llu %s\n", (unsigned long long)incident->crashes, dt_text_plural(incident->crashes, "crash", "crashes"));
	if (incident->suspect_hosts)
		dt_buf_printf(out, "%-14s%llu of these hosts %s\n", "", (unsigned long long)incident->suspect_hosts,
		              dt_report_suspects(incident->suspect_hosts));
	dt_buf_printf(out, "%-14s%s to %s UTC\n", "from", first, last);
	if (incident->untimed)
		dt_buf_printf(out, "%-14s%llu %s\n", "", (unsigned long long)incident->untimed, dt_report_untimed(incident->untimed));
	if (incident->reason)
		dt_buf_printf(out, "%-14s%s: %s\n", "state", incident->state, incident->reason);
	counts_line("OS builds", incident->builds, incident->build_count, out);
	counts_line("module builds", incident->module_builds, incident->module_build_count, out);
	counts_line("families", incident->families, incident->family_count, out);
	counts_line("hosts", incident->host_names, incident->host_count, out);
	chart(incident, out);
}

static void json_time(const char *name, int64_t seconds, struct dt_buf *out)
{
	char text[DT_TIME_TEXT_MAX];

	dt_json_write_member(name, seconds > 0 && dt_time_format(dt_time_from_unix((uint64_t)seconds), text) ? text : NULL, out);
}

static void json_counts(const char *name, const struct dt_report_count *counts, size_t count, struct dt_buf *out)
{
	dt_buf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		dt_buf_puts(out, i ? ",{\"value\":" : "{\"value\":");
		dt_json_write_text(counts[i].text, out);
		dt_buf_printf(out, ",\"crashes\":%llu}", (unsigned long long)counts[i].crashes);
	}
	dt_buf_putc(out, ']');
}

void dt_report_incident_json(const struct dt_report_incident *incident, struct dt_buf *out)
{
	dt_buf_printf(out, "{\"schema\":\"dumptriage.incident/1\",\"id\":%llu", (unsigned long long)incident->id);
	dt_json_write_member("kind", incident->kind, out);
	dt_json_write_member("key", incident->key, out);
	dt_json_write_member("title", incident->title, out);
	dt_json_write_member("state", incident->state, out);
	dt_json_write_member("reason", incident->reason, out);
	dt_buf_printf(out, ",\"outbreak\":%s,\"hosts\":%llu,\"crashes\":%llu,\"crashes_of_unknown_hosts\":%llu,\"crashes_without_time\":%llu,\"suspect_hosts\":%llu",
	              incident->outbreak ? "true" : "false", (unsigned long long)incident->hosts, (unsigned long long)incident->crashes,
	              (unsigned long long)incident->unknown_hosts, (unsigned long long)incident->untimed, (unsigned long long)incident->suspect_hosts);
	json_time("first", incident->first, out);
	json_time("last", incident->last, out);
	if (incident->bars) {
		json_counts("os_builds", incident->builds, incident->build_count, out);
		json_counts("module_builds", incident->module_builds, incident->module_build_count, out);
		json_counts("families", incident->families, incident->family_count, out);
		json_counts("host_names", incident->host_names, incident->host_count, out);
		dt_buf_puts(out, ",\"hours\":[");
		for (size_t i = 0; i < incident->bar_count; i++) {
			dt_buf_puts(out, i ? ",{\"hour\":" : "{\"hour\":");
			char text[DT_TIME_TEXT_MAX];
			dt_time_format(dt_time_from_unix((uint64_t)(incident->bars[i].hour * 3600)), text);
			dt_json_write_text(text, out);
			dt_buf_printf(out, ",\"crashes\":%llu,\"hosts_begun\":%llu}", (unsigned long long)incident->bars[i].crashes,
			              (unsigned long long)incident->bars[i].onsets);
		}
		dt_buf_putc(out, ']');
	}
	dt_buf_putc(out, '}');
}

#include <stdio.h>

#include "core/base/text.h"
#include "fleet/incident/incident.h"

enum { HOURS_OF_DAY = 24, DAY_S = 86400 };
#define GROWING_LOG10_P (-3.0)

const char *const dt_incident_state_words[] = { "new", "growing", "steady", "over" };

static uint32_t onsets(struct dt_series series, int64_t from, int64_t until)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < series.count; i++)
		if (series.hours[i].hour >= from && series.hours[i].hour < until)
			sum += series.hours[i].onsets;
	return sum;
}

/* The last week against the three before, both as shares of the fleet's. */
static bool more_than_before(struct dt_series incident, int64_t hour, uint32_t *week, double *expected)
{
	uint32_t before = onsets(incident, hour - 28 * HOURS_OF_DAY, hour - 7 * HOURS_OF_DAY);

	*week = onsets(incident, hour - 7 * HOURS_OF_DAY, hour);
	*expected = (before + 0.5) / 3.0;
	return *week >= DT_BURST_HOSTS && dt_burst_log10_tail(*week, before, 1.0 / 3.0) < GROWING_LOG10_P;
}

struct dt_incident_status dt_incident_status(struct dt_series incident, struct dt_series fleet, int64_t first, int64_t last, int64_t now)
{
	struct dt_incident_status out = { .state = DT_STATE_STEADY };
	int64_t hour = now / 3600 + 1;
	uint32_t week;
	double expected;

	out.burst = dt_burst_find(incident, fleet, hour - 7 * HOURS_OF_DAY, hour);
	out.outbreak = out.burst.found;
	if (!last || now - last > 14 * DAY_S) {
		out.state = DT_STATE_OVER;
		snprintf(out.reason, sizeof(out.reason), last ? "no crash for %lld days" : "no crash has a plausible time", (long long)((now - last) / DAY_S));
	} else if (out.burst.found && out.burst.end > hour - 2 * HOURS_OF_DAY) {
		out.state = DT_STATE_GROWING;
		long long hours = out.burst.end - out.burst.begin;
		snprintf(out.reason, sizeof(out.reason), "%u %s in %lld %s, %.2g expected", out.burst.hosts, dt_text_plural(out.burst.hosts, "host", "hosts"),
		         hours, dt_text_plural((uint64_t)hours, "hour", "hours"), out.burst.expected);
	} else if (first > now) {
		out.state = DT_STATE_NEW;
		snprintf(out.reason, sizeof(out.reason), "not seen yet: its first crash is later");
	} else if (first && now - first < 7 * DAY_S) {
		out.state = DT_STATE_NEW;
		long long days = (now - first) / DAY_S;
		snprintf(out.reason, sizeof(out.reason), "first seen %lld %s ago", days, dt_text_plural((uint64_t)days, "day", "days"));
	} else if (more_than_before(incident, hour, &week, &expected)) {
		out.state = DT_STATE_GROWING;
		snprintf(out.reason, sizeof(out.reason), "%u hosts in the last 7 days, %.2g expected", week, expected);
	} else {
		snprintf(out.reason, sizeof(out.reason), "nothing unusual in the last 7 days");
	}
	return out;
}

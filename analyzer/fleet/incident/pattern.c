#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fleet/incident/incident.h"

enum { WINDOW_S = 7 * 86400, MAX_WAYS = 16 };

/* A family whose module is only where it was seen ("av:read|?nt") and the same with nobody known ("av:read|?") are not two ways. */
static bool same_way(const char *a, const char *b)
{
	size_t bar = strcspn(a, "|");

	if (!strcmp(a, b))
		return true;
	return strncmp(a, b, bar + 1) == 0 && a[bar] == '|' && (a[bar + 1] == '?' || b[bar + 1] == '?');
}

struct ways {
	const char *family[MAX_WAYS];
	size_t count, with_sign;
};

static void add_way(struct ways *ways, const struct dt_host_crash *row)
{
	ways->with_sign += row->hardware_sign;
	for (size_t i = 0; i < ways->count; i++)
		if (same_way(ways->family[i], row->family))
			return;
	if (ways->count < MAX_WAYS)
		ways->family[ways->count++] = row->family;
}

static bool counts(const struct dt_host_crash *row)
{
	return row->time > 0 && row->family && !row->known_incident;
}

static void tell(const struct ways *ways, struct dt_host_pattern *out)
{
	char day[2][16] = { "", "" };
	struct tm tm;
	size_t at = 0;

	for (int i = 0; i < 2; i++) {
		time_t seconds = (time_t)(i ? out->until : out->from);
		if (gmtime_r(&seconds, &tm))
			strftime(day[i], sizeof(day[i]), "%Y-%m-%d", &tm);
	}
	at = (size_t)snprintf(out->reason, sizeof(out->reason), "%zu different crashes from %s to %s:", ways->count, day[0], day[1]);
	for (size_t i = 0; i < ways->count && at < sizeof(out->reason) - 40; i++)
		at += (size_t)snprintf(out->reason + at, sizeof(out->reason) - at, "%s %.40s", i ? "," : "", ways->family[i]);
}

struct dt_host_pattern dt_host_pattern(const struct dt_host_crash *rows, size_t count)
{
	struct dt_host_pattern best = { 0 };

	for (size_t first = 0; first < count; first++) {
		struct ways ways = { .count = 0 };
		int64_t until = 0;
		if (!counts(&rows[first]))
			continue;
		for (size_t i = first; i < count && rows[i].time - rows[first].time <= WINDOW_S; i++)
			if (counts(&rows[i])) {
				add_way(&ways, &rows[i]);
				until = rows[i].time;
			}
		if (ways.count <= best.different)
			continue;
		best = (struct dt_host_pattern){ .suspect = ways.count >= 4 || (ways.count >= 3 && ways.with_sign > 0), .different = ways.count,
			                         .from = rows[first].time, .until = until };
		tell(&ways, &best);
	}
	return best;
}

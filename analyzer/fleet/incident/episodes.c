#include <string.h>

#include "fleet/incident/incident.h"

size_t dt_episodes(const int64_t *times, size_t count, int64_t *onsets)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (i == 0 || times[i] - times[i - 1] >= DT_EPISODE_GAP)
			onsets[n++] = times[i] / 3600;
	return n;
}

void dt_series_weigh(struct dt_series incident, struct dt_series suspects, struct dt_hour *out)
{
	size_t at = 0;

	for (size_t i = 0; i < incident.count; i++) {
		out[i] = incident.hours[i];
		while (at < suspects.count && suspects.hours[at].hour < out[i].hour)
			at++;
		if (at == suspects.count || suspects.hours[at].hour != out[i].hour)
			continue;
		uint32_t theirs = suspects.hours[at].onsets < out[i].onsets ? suspects.hours[at].onsets : out[i].onsets;
		out[i].onsets = out[i].onsets - theirs + (uint32_t)(theirs * DT_SUSPECT_WEIGHT);
	}
}

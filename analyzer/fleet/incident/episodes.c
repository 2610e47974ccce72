#include "fleet/incident/incident.h"
size_t dt_episodes(const int64_t *times, size_t count, int64_t *onsets)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || times[i] - times[i - 1] >= 24 * 3600)
			onsets[n++] = times[i] / 3600;
	return n;
}

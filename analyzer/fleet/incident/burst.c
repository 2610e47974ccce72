#include <math.h>

#include "fleet/incident/incident.h"

enum { DAY = 24, BASELINE = 28 * DAY };
static const int64_t windows[] = { 2, 6, 24 };

double dt_burst_log10_tail(uint32_t k, double before, double share)
{
	double r = before + 0.5, q = share / (1 + share), factor = 1, sum = 1, first;
	int sign;

	if (k == 0)
		return 0;
	/* below the mean the tail is near 1, and of no interest */
	if (k <= r * share)
		return log10(0.5);
	first = lgamma_r(k + r, &sign) - lgamma_r(r, &sign) - lgamma_r(k + 1.0, &sign) - r * log1p(share) + k * log(q);
	for (uint32_t i = k; i < k + 1000000u && factor > 1e-12; i++) {
		factor *= (i + r) / (i + 1.0) * q;
		sum += factor;
	}
	return (first + log(sum)) / M_LN10;
}

/* Onsets of the hours in [from, until), which moves forward only. */
struct cursor {
	struct dt_series series;
	bool placed;
	size_t low, high;
	int64_t sum;
};

/* The first hour not before one. */
static size_t first_from(struct dt_series series, int64_t hour)
{
	size_t low = 0, high = series.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (series.hours[middle].hour < hour)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Windows move forward: both ends do, too. */
static int64_t slide(struct cursor *cursor, int64_t from, int64_t until)
{
	if (!cursor->placed)
		cursor->low = cursor->high = first_from(cursor->series, from);
	cursor->placed = true;
	while (cursor->high < cursor->series.count && cursor->series.hours[cursor->high].hour < until)
		cursor->sum += cursor->series.hours[cursor->high++].onsets;
	while (cursor->low < cursor->high && cursor->series.hours[cursor->low].hour < from)
		cursor->sum -= cursor->series.hours[cursor->low++].onsets;
	return cursor->sum;
}

/* How much of the baseline's onsets the window should have: its part of the time, more when the rest of the fleet had more. */
static double share_of(double rest_window, double rest_before, double hours, double window)
{
	double factor = (rest_window + 1) / (rest_before * window / hours + 1);

	return window / hours * (factor > 1 ? factor : 1);
}

static void try_window(struct dt_series incident, struct dt_series fleet, int64_t window, int64_t from, int64_t until, struct dt_burst *best)
{
	struct cursor now = { .series = incident }, before = { .series = incident };
	struct cursor fleet_now = { .series = fleet }, fleet_before = { .series = fleet };
	int64_t origin = fleet.count ? fleet.hours[0].hour : 0;

	for (size_t i = first_from(incident, from); i < incident.count; i++) {
		int64_t end = incident.hours[i].hour + 1, begin = end - window;
		if (end <= from || end > until || !incident.hours[i].onsets)
			continue;
		int64_t start = begin - BASELINE > origin ? begin - BASELINE : origin;
		int64_t hours = begin - start > DAY ? begin - start : DAY;
		int64_t k = slide(&now, begin, end), b = slide(&before, start, begin);
		int64_t rest_now = slide(&fleet_now, begin, end) - k, rest_before = slide(&fleet_before, start, begin) - b;
		if (k < DT_BURST_HOSTS)
			continue;
		double share = share_of(rest_now > 0 ? (double)rest_now : 0, rest_before > 0 ? (double)rest_before : 0, (double)hours, (double)window);
		double expected = ((double)b + 0.5) * share, log10_p = dt_burst_log10_tail((uint32_t)k, (double)b, share);
		if (log10_p < DT_BURST_LOG10_P && (!best->found || log10_p < best->log10_p))
			*best = (struct dt_burst){ true, begin, end, (uint32_t)k, expected, log10_p };
	}
}

struct dt_burst dt_burst_find(struct dt_series incident, struct dt_series fleet, int64_t from, int64_t until)
{
	struct dt_burst best = { 0 };

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		try_window(incident, fleet, windows[i], from, until, &best);
	return best;
}

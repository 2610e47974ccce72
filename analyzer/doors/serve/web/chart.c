/* A time chart as inline SVG, of an incident or of the fleet: bars of crashes, with the hosts that began as a darker part, bursts marked. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "doors/serve/web/web.h"

enum { WIDTH = 720, HEIGHT = 220, LEFT = 52, TOP = 12, BOTTOM = 34, RIGHT = 8, MAX_BARS = 170, TABLE_ROWS = 200, LABELS = 4, LABEL_WIDTH = 140 };

struct scale {
	int64_t first;  /* hour of the first bar */
	int64_t step;   /* hours of one bar */
	size_t count;   /* bars */
	uint64_t most;
	uint64_t crashes[MAX_BARS], onsets[MAX_BARS];
};

static int64_t step_for(int64_t hours)
{
	static const int64_t steps[] = { 1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160, 8760 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (hours / steps[i] < MAX_BARS - 1)
			return steps[i];
	return hours / (MAX_BARS - 1) + 1;
}

static void measure(struct scale *scale, const struct dt_web_chart *chart)
{
	const struct dt_report_bar *bars = chart->bars;
	size_t count = chart->bar_count;
	int64_t first = chart->from ? chart->from : bars[0].hour, last = chart->from ? chart->until - 1 : bars[count - 1].hour;

	memset(scale, 0, sizeof(*scale));
	scale->step = step_for(last - first);
	/* Bars begin at whole steps, so that days are days. */
	scale->first = first - first % scale->step;
	scale->count = (size_t)((last - scale->first) / scale->step) + 1;
	for (size_t i = 0; i < count; i++) {
		int64_t at = (bars[i].hour - scale->first) / scale->step;
		if (at < 0 || at >= MAX_BARS)
			continue;
		scale->crashes[at] += bars[i].crashes;
		scale->onsets[at] += bars[i].onsets;
		scale->count = (size_t)at + 1 > scale->count ? (size_t)at + 1 : scale->count;
	}
	for (size_t i = 0; i < scale->count; i++)
		scale->most = scale->crashes[i] > scale->most ? scale->crashes[i] : scale->most;
	scale->most = scale->most ? scale->most : 1;
}

static double x_of(const struct scale *scale, int64_t hour)
{
	double share = (double)(hour - scale->first) / (double)(scale->step * (int64_t)scale->count);

	return LEFT + (share < 0 ? 0 : share > 1 ? 1 : share) * (WIDTH - LEFT - RIGHT);
}

static void moment(int64_t hour, bool day_only, char out[32])
{
	time_t at = (time_t)(hour * 3600);
	struct tm tm;

	if (!gmtime_r(&at, &tm) || !strftime(out, 32, day_only ? "%Y-%m-%d" : "%m-%d %H:00", &tm))
		snprintf(out, 32, "?");
}

static void bar(struct dt_buf *out, const struct scale *scale, size_t i)
{
	double room = HEIGHT - TOP - BOTTOM, x = x_of(scale, scale->first + (int64_t)i * scale->step);
	double wide = (double)(WIDTH - LEFT - RIGHT) / (double)scale->count, gap = wide > 4 ? 1 : 0;
	double tall = room * (double)scale->crashes[i] / (double)scale->most, begun = room * (double)scale->onsets[i] / (double)scale->most;
	char at[32];

	if (!scale->crashes[i])
		return;
	moment(scale->first + (int64_t)i * scale->step, scale->step >= 24, at);
	tall = tall < 1 ? 1 : tall;
	dt_buf_printf(out, "<g><title>%s: %llu %s, %llu %s began</title><rect class=\"crashes\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", at,
	              (unsigned long long)scale->crashes[i], dt_text_plural(scale->crashes[i], "crash", "crashes"), (unsigned long long)scale->onsets[i],
	              dt_text_plural(scale->onsets[i], "host", "hosts"), x, HEIGHT - BOTTOM - tall, wide - gap, tall);
	if (scale->onsets[i])
		dt_buf_printf(out, "<rect class=\"hosts\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x, HEIGHT - BOTTOM - begun, wide - gap, begun);
	dt_buf_puts(out, "</g>\n");
}

static void axes(struct dt_buf *out, const struct scale *scale)
{
	size_t apart = (scale->count + LABELS - 1) / LABELS;

	dt_buf_printf(out, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM);
	dt_buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%llu</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n", LEFT - 6,
	              TOP + 10, (unsigned long long)scale->most, LEFT - 6, HEIGHT - BOTTOM);
	for (size_t i = 0; i < scale->count; i += apart) {
		int64_t hour = scale->first + (int64_t)i * scale->step;
		char at[32];
		moment(hour, scale->step >= 24, at);
		/* The last one may have no room to its right. */
		bool late = x_of(scale, hour) > WIDTH - RIGHT - LABEL_WIDTH;
		dt_buf_printf(out, "<text x=\"%.1f\" y=\"%d\"%s>%s</text>", late ? (double)(WIDTH - RIGHT) : x_of(scale, hour), HEIGHT - BOTTOM + 22,
		              late ? " text-anchor=\"end\"" : "", at);
	}
	dt_buf_putc(out, '\n');
}

static void burst(struct dt_buf *out, const struct scale *scale, const struct dt_web_burst *burst)
{
	if (burst->end <= burst->begin || burst->end <= scale->first)
		return;
	double from = x_of(scale, burst->begin), to = x_of(scale, burst->end);
	double wide = to - from < 3 ? 3 : to - from;
	dt_buf_printf(out, "<rect class=\"burst\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>", from, TOP, wide, HEIGHT - TOP - BOTTOM);
	dt_web_text(out, burst->what ? burst->what : "the outbreak");
	/* Bars may cover all of it; the mark above them is always seen. */
	dt_buf_printf(out, "</title></rect>\n<rect class=\"mark\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"4\"/>\n", from, TOP - 8, wide);
}

/* The same as a table, for who cannot see it. */
static void table(struct dt_buf *out, const struct scale *scale)
{
	dt_buf_puts(out, "<details><summary>The chart as a table</summary><table><thead><tr><th scope=\"col\">From (UTC)</th>"
	                 "<th scope=\"col\">Crashes</th><th scope=\"col\">Hosts that began</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < scale->count && i < TABLE_ROWS; i++) {
		char at[32];
		if (!scale->crashes[i])
			continue;
		moment(scale->first + (int64_t)i * scale->step, scale->step >= 24, at);
		dt_buf_printf(out, "<tr><td>%s</td><td>%llu</td><td>%llu</td></tr>\n", at, (unsigned long long)scale->crashes[i],
		              (unsigned long long)scale->onsets[i]);
	}
	dt_buf_puts(out, "</tbody></table></details>\n");
}

void dt_web_chart(struct dt_buf *out, const struct dt_web_chart *chart)
{
	struct scale scale;

	if (!chart->bar_count)
		return;
	measure(&scale, chart);
	char unit[DT_REPORT_STEP_MAX];
	dt_buf_printf(out, "<figure><figcaption>Crashes by %s <span class=\"key crashes\">crashes</span> <span class=\"key hosts\">hosts that began</span>%s"
	                   "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Crashes over time; the table below has the numbers\">\n",
	              dt_report_step(scale.step, unit), chart->burst_count ? " <span class=\"key burst\">outbreak</span>" : "", WIDTH, HEIGHT);
	for (size_t i = 0; i < chart->burst_count; i++)
		burst(out, &scale, &chart->bursts[i]);
	for (size_t i = 0; i < scale.count; i++)
		bar(out, &scale, i);
	axes(out, &scale);
	dt_buf_puts(out, "</svg></figure>\n");
	table(out, &scale);
}

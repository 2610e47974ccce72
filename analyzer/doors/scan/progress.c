/* A line that is written over on a terminal; a plain line every 10 s where there is none. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/scan/scan.h"

enum { TERMINAL_MS = 200, PLAIN_MS = 10000 };

void dt_progress_init(struct dt_progress *progress, bool quiet)
{
	memset(progress, 0, sizeof(*progress));
	progress->terminal = isatty(STDERR_FILENO);
	progress->quiet = quiet;
	progress->begun = progress->said = dt_time_steady_ms();
}

static void eta(const struct dt_progress *progress, double rate, char out[48])
{
	uint64_t left = progress->total > progress->done ? progress->total - progress->done : 0;
	uint64_t seconds = rate > 0 ? (uint64_t)((double)left / rate) : 0;

	if (!progress->total_known || rate <= 0)
		snprintf(out, 48, "%s", progress->total_known ? "" : ", still finding files");
	else
		snprintf(out, 48, ", %" PRIu64 ":%02" PRIu64 " left", seconds / 60, seconds % 60);
}

void dt_progress_tick(struct dt_progress *progress)
{
	int64_t now = dt_time_steady_ms();
	double seconds = (double)(now - progress->begun) / 1000.0, rate;
	char left[48];

	if (progress->quiet || now - progress->said < (progress->terminal ? TERMINAL_MS : PLAIN_MS))
		return;
	progress->said = now;
	rate = seconds > 0 ? (double)progress->done / seconds : 0;
	eta(progress, rate, left);
	fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 "%s done, %.0f a second%s, %" PRIu64 " unchanged, %" PRIu64 " known %s%s",
	        progress->terminal ? "\r\x1b[K" : "dumptriage: scan: ", progress->done, progress->total, progress->total_known ? "" : "+", rate, left,
	        progress->unchanged, progress->known, dt_text_plural(progress->known, "incident", "incidents"), progress->terminal ? "" : "\n");
	fflush(stderr);
}

void dt_progress_end(struct dt_progress *progress)
{
	if (progress->terminal && !progress->quiet && progress->said != progress->begun)
		fputs("\r\x1b[K", stderr);
}

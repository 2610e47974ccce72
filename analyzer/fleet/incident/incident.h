/*
 * incident.h - what a group of crashes amounts to: pure functions over rows.
 * docs/incidents.md has the reasons and the measured error rates.
 *
 * Times are seconds of the Unix clock, by the crashed machines' clocks; an hour is seconds / 3600.
 *
 * Episode: crashes of one host in one incident, chained while the gap between neighbours is under 24 hours. A boot loop of
 * twenty crashes is one. It counts once, in the hour of its first crash: its onset. Crashes of unknown hosts
 * and crashes without a plausible time are in no series of onsets.
 */
#ifndef DT_INCIDENT_INCIDENT_H
#define DT_INCIDENT_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DT_EPISODE_GAP (24 * 3600)

/* The hours of a host's onsets. times: sorted; onsets has room for count. Gives how many there are. */
size_t dt_episodes(const int64_t *times, size_t count, int64_t *onsets);

struct dt_hour {
	int64_t hour;
	uint32_t crashes, onsets;
};
/* Sorted by hour, each hour once; hours without crashes are absent. */
struct dt_series {
	const struct dt_hour *hours;
	size_t count;
};

/* ---- bursts ---------------------------------------------------------------
 *
 * The fleet-scaled gamma-Poisson test. In a window of 2, 6 or 24 hours the incident had k onsets. From the 28 days before the window
 * (as far as the fleet's own record reaches back, a day at least) its rate is estimated, with the doubt that few onsets or a
 * short record leave, and it is known how many onsets the rest of the fleet had. When all the fleet reports more than it used to, so may the incident: its expectation grows with the rest.
 * A burst has k >= DT_BURST_HOSTS and a probability under DT_BURST_P to come from the expectation.
 */
#define DT_BURST_HOSTS 5
#define DT_BURST_LOG10_P (-8.0)

struct dt_burst {
	bool found;
	int64_t begin, end; /* hours, half open */
	uint32_t hosts;     /* onsets in the window */
	double expected;
	double log10_p;
};

/* The least probable burst of a window that ends within [from, until) (hours). */
struct dt_burst dt_burst_find(struct dt_series incident, struct dt_series fleet, int64_t from, int64_t until);
/* log10 of the probability of k onsets or more in a window, when `before` were seen in a baseline of which the window is `share`: the
 * predictive distribution of a Poisson rate with Jeffreys' prior, a negative binomial. 0 for k 0. */
double dt_burst_log10_tail(uint32_t k, double before, double share);

/* ---- states ---------------------------------------------------------------- */

enum dt_incident_state { DT_STATE_NEW, DT_STATE_GROWING, DT_STATE_STEADY, DT_STATE_OVER };
extern const char *const dt_incident_state_words[]; /* "new", "growing", "steady", "over" */

struct dt_incident_status {
	enum dt_incident_state state;
	bool outbreak;         /* a burst ended within the last 7 days */
	struct dt_burst burst; /* the strongest of them */
	char reason[160];
};
/* over: no crash for 14 days. new: its first crash is less than 7 days ago. growing: a burst within the last 2 days, or the last 7 days
 * hold more onsets than the 21 before make likely (p < 0.001). steady: otherwise. first, last: of its crashes, 0 unknown. */
struct dt_incident_status dt_incident_status(struct dt_series incident, struct dt_series fleet, int64_t first, int64_t last, int64_t now);

/* ---- outbreaks --------------------------------------------------------------- */

enum dt_story_kind { DT_STORY_SIGNATURE = 1, DT_STORY_OWN, DT_STORY_FAMILY };

struct dt_story {
	enum dt_story_kind kind;
	const char *key;
	const char *const *families; /* OWN and SIGNATURE: keys of the families its crashes are of */
	size_t family_count;
	struct dt_burst burst;
};
/* One outbreak for one story: a bucket whose family bursts at the same time is part of the family's; a family whose crashes have a
 * signature that bursts at the same time is part of the signature's. Marks parts[i] for stories that are
 * part of another; gives the number of outbreaks left. */
size_t dt_outbreaks(const struct dt_story *stories, size_t count, bool *parts);

/* ---- hosts -------------------------------------------------------------------- */

/* A host that crashes in several different ways within days has bad hardware more often than several bad drivers. */
struct dt_host_crash {
	int64_t time; /* 0: not plausible; left out */
	const char *family;
	bool known_incident; /* left out: it is explained */
	bool hardware_sign;  /* class hardware */
};
struct dt_host_pattern {
	bool suspect;
	size_t different;     /* ways, within the window */
	int64_t from, until;  /* seconds: first and last crash of the window */
	char reason[256];
};
/* Suspect: within 7 days at least 4 ways to crash, or 3 of which one has a sign of bad hardware. rows: sorted by time. */
struct dt_host_pattern dt_host_pattern(const struct dt_host_crash *rows, size_t count);

/* What a suspect host's onset weighs among others'. */
#define DT_SUSPECT_WEIGHT 0.25
/* The incident's series with the onsets of suspect hosts weighed (rounded down for each hour). out has room for incident.count. */
void dt_series_weigh(struct dt_series incident, struct dt_series suspects, struct dt_hour *out);

#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "fleet/incident/incident.h"

#define T0 INT64_C(1721365200)
#define H0 (T0 / 3600)
#define SERIES(array) ((struct dt_series){ array, sizeof(array) / sizeof(array[0]) })

static void a_boot_loop_is_one_episode(void **state)
{
	int64_t times[20], onsets[20];
	(void)state;

	for (int i = 0; i < 20; i++)
		times[i] = T0 + i * 3 * 3600; /* over midnight and for 57 hours */
	assert_int_equal(dt_episodes(times, 20, onsets), 1);
	assert_int_equal(onsets[0], H0);
	times[19] = times[18] + DT_EPISODE_GAP;
	assert_int_equal(dt_episodes(times, 20, onsets), 2);
	times[19] = times[18] + DT_EPISODE_GAP - 1;
	assert_int_equal(dt_episodes(times, 20, onsets), 1);
	assert_int_equal(dt_episodes(times, 0, onsets), 0);
}

/* Against sums of the negative binomial's terms, made apart from this program in exact fractions where r is whole. */
static void tail(void **state)
{
	(void)state;
	assert_float_equal((float)dt_burst_log10_tail(5, 0.5, 1.0 / 3), -3.010300f, 0.001); /* r 1: (1/4)^5 */
	assert_float_equal((float)dt_burst_log10_tail(1, 0.5, 0.001), -3.000434f, 0.001);  /* (1/1001)^1 */
	assert_float_equal((float)dt_burst_log10_tail(2, 1.5, 0.25), -0.982967f, 0.001);   /* r 2: 1 - p^2 - 2 p^2 q, p 4/5 */
	assert_true(dt_burst_log10_tail(0, 3, 1) == 0);
	assert_true(dt_burst_log10_tail(1000000, 500000, 1) < -1000);
	assert_true(isfinite(dt_burst_log10_tail(1000000, 999998, 1)));
	assert_true(dt_burst_log10_tail(3, 10, 1) > -0.5);
}

/* A fleet that had a crash of something else every three hours for 60 days. */
static size_t quiet_fleet(struct dt_hour *fleet)
{
	size_t n = 0;

	for (int64_t hour = H0 - 60 * 24; hour <= H0 + 24; hour += 3)
		fleet[n++] = (struct dt_hour){ hour, 1, 1 };
	return n;
}

static struct dt_burst burst_of(uint32_t hosts, uint32_t fleet_extra)
{
	struct dt_hour fleet[1000], incident[] = { { H0, hosts, hosts } };
	size_t n = quiet_fleet(fleet);

	for (size_t i = 0; i < n; i++)
		if (fleet[i].hour == H0)
			fleet[i].onsets += hosts + fleet_extra;
	return dt_burst_find(SERIES(incident), (struct dt_series){ fleet, n }, H0 - 24, H0 + 24);
}

static void twenty_hosts_in_an_hour_are_a_burst(void **state)
{
	struct dt_burst burst = burst_of(20, 0);
	(void)state;

	assert_true(burst.found);
	assert_int_equal(burst.hosts, 20);
	assert_true(burst.end == H0 + 1);
	assert_true(burst_of(300, 0).found);
	assert_false(burst_of(4, 0).found);
}

/* One host each of three hundred drivers: each incident has one onset. */
static void three_hundred_drivers_are_no_burst(void **state)
{
	(void)state;
	assert_false(burst_of(1, 299).found);
}

/* A collection that brings everything at once is no outbreak of anything. */
static void a_fleet_that_reports_more_is_no_burst(void **state)
{
	(void)state;
	assert_true(burst_of(6, 0).found);
	assert_false(burst_of(6, 3000).found);
}

static void twenty_crashes_of_one_host_are_no_burst(void **state)
{
	struct dt_hour fleet[1000], incident[] = { { H0, 20, 1 } };
	size_t n = quiet_fleet(fleet);
	(void)state;

	assert_false(dt_burst_find(SERIES(incident), (struct dt_series){ fleet, n }, H0 - 24, H0 + 24).found);
}

static uint64_t random_state = 88172645463325252u;

static double uniform(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (double)(random_state >> 11) / 9007199254740992.0;
}

static uint32_t poisson(double mean)
{
	double limit = exp(-mean), product = uniform();
	uint32_t k = 0;

	while (product > limit) {
		product *= uniform();
		k++;
	}
	return k;
}

/* 400 incidents of steady rates over 120 days in a fleet with working hours and weekends. */
static void steady_fleets_raise_no_alarm(void **state)
{
	enum { INCIDENTS = 400, HOURS = 120 * 24 };
	static struct dt_hour incidents[INCIDENTS][HOURS], fleet[HOURS];
	static size_t counts[INCIDENTS];
	unsigned alarms = 0, tested = 0;
	size_t fleet_count = 0;
	(void)state;

	for (int64_t hour = 0; hour < HOURS; hour++) {
		double rhythm = (hour % 24 >= 8 && hour % 24 < 18 ? 2.0 : 0.3) * (hour / 24 % 7 >= 5 ? 0.2 : 1.0);
		uint32_t all = 0;
		for (size_t i = 0; i < INCIDENTS; i++) {
			uint32_t n = poisson(0.002 * (double)(1 + i % 100) * rhythm);
			if (n)
				incidents[i][counts[i]++] = (struct dt_hour){ H0 + hour, n, n };
			all += n;
		}
		if (all)
			fleet[fleet_count++] = (struct dt_hour){ H0 + hour, all, all };
	}
	for (size_t i = 0; i < INCIDENTS; i++)
		for (int64_t week = 0; week < HOURS; week += 7 * 24, tested++) {
			struct dt_burst burst = dt_burst_find((struct dt_series){ incidents[i], counts[i] }, (struct dt_series){ fleet, fleet_count },
			                                      H0 + week, H0 + week + 7 * 24);
			if (burst.found)
				printf("hour %lld: %u hosts, %g expected, 1e%.1f\n", (long long)(burst.end - H0), burst.hosts, burst.expected, burst.log10_p);
			alarms += burst.found;
		}
	printf("%u false alarms in %u weeks of incidents\n", alarms, tested);
	assert_int_equal(alarms, 0);
}

static void states(void **state)
{
	struct dt_hour fleet[1000], old[] = { { H0 - 30 * 24, 2, 2 } }, steady[60], growing[60];
	struct dt_series all = { fleet, quiet_fleet(fleet) };
	(void)state;

	assert_int_equal(dt_incident_status(SERIES(old), all, T0 - 30 * 86400, T0 - 30 * 86400, T0).state, DT_STATE_OVER);
	assert_int_equal(dt_incident_status(SERIES(old), all, T0 - 86400, T0 - 86400, T0).state, DT_STATE_NEW);
	for (int64_t i = 0; i < 60; i++)
		steady[i] = growing[i] = (struct dt_hour){ H0 - (60 - i) * 24, 1, 1 };
	assert_int_equal(dt_incident_status(SERIES(steady), all, T0 - 60 * 86400, T0 - 86400, T0).state, DT_STATE_STEADY);
	for (int64_t i = 54; i < 60; i++)
		growing[i].onsets = 5;
	assert_int_equal(dt_incident_status(SERIES(growing), all, T0 - 60 * 86400, T0 - 86400, T0).state, DT_STATE_GROWING);
	assert_int_equal(dt_incident_status((struct dt_series){ NULL, 0 }, all, 0, 0, T0).state, DT_STATE_OVER);
	/* As of a time before it: not yet, and no negative number of days. */
	assert_string_equal(dt_incident_status(SERIES(old), all, T0, T0, 0).reason, "not seen yet: its first crash is later");
	assert_string_equal(dt_incident_status(SERIES(old), all, T0 - 86400, T0, T0).reason, "first seen 1 day ago");
	assert_string_equal(dt_incident_status(SERIES(old), all, T0 - 2 * 86400, T0, T0).reason, "first seen 2 days ago");
}

static struct dt_burst at(int64_t hour, uint32_t hosts)
{
	return (struct dt_burst){ .found = true, .begin = hour, .end = hour + 2, .hosts = hosts };
}

/* One driver in six builds on three hundred hosts: one outbreak. */
static void builds_of_one_driver_are_one_outbreak(void **state)
{
	const char *const family[] = { "av:read|bad.sys" };
	struct dt_story stories[8] = { 0 };
	bool parts[8];
	(void)state;

	for (int i = 0; i < 6; i++)
		stories[i] = (struct dt_story){ DT_STORY_OWN, "own", family, 1, at(H0, 50) };
	stories[6] = (struct dt_story){ DT_STORY_FAMILY, "av:read|bad.sys", NULL, 0, at(H0, 300) };
	assert_int_equal(dt_outbreaks(stories, 7, parts), 1);
	assert_false(parts[6]);
	/* the same driver, months before: another story */
	stories[7] = (struct dt_story){ DT_STORY_OWN, "own", family, 1, at(H0 - 2000, 50) };
	assert_int_equal(dt_outbreaks(stories, 8, parts), 2);
	/* a signature tells the family */
	stories[7] = (struct dt_story){ DT_STORY_SIGNATURE, "sig", family, 1, at(H0, 300) };
	assert_int_equal(dt_outbreaks(stories, 8, parts), 1);
	assert_false(parts[7]);
	/* a signature of few of the family's crashes does not */
	stories[7].burst.hosts = 20;
	assert_int_equal(dt_outbreaks(stories, 8, parts), 2);
	/* what did not burst is none */
	stories[6].burst.found = false;
	stories[7].burst.found = false;
	assert_int_equal(dt_outbreaks(stories, 8, parts), 6);
}

static void hosts_that_crash_in_many_ways(void **state)
{
	struct dt_host_crash rows[] = {
		{ T0, "av:read|a.sys", false, false },          { T0 + 3600, "0x1a/0x41792|?", false, false },
		{ T0 + 7200, "av:write|b.sys", false, false },  { T0 + 9000, "av:read|a.sys", false, false },
		{ T0 + 9000, "0x139/0x3|c.sys", false, false },
	};
	(void)state;

	assert_true(dt_host_pattern(rows, 5).suspect);
	assert_int_equal(dt_host_pattern(rows, 5).different, 4);
	assert_non_null(strstr(dt_host_pattern(rows, 5).reason, "0x139/0x3|c.sys"));
	assert_non_null(strstr(dt_host_pattern(rows, 5).reason, "2024-07-19"));
	assert_false(dt_host_pattern(rows, 4).suspect);
	rows[1].hardware_sign = true;
	assert_true(dt_host_pattern(rows, 4).suspect);
	rows[1].hardware_sign = false;
	rows[4].known_incident = true; /* explained */
	assert_false(dt_host_pattern(rows, 5).suspect);
	rows[4] = (struct dt_host_crash){ T0 + 30 * 86400, "0x139/0x3|c.sys", false, false }; /* weeks later */
	assert_false(dt_host_pattern(rows, 5).suspect);
	rows[4] = (struct dt_host_crash){ T0 + 9001, "av:write|?nt", false, false }; /* not a way of its own */
	assert_false(dt_host_pattern(rows, 5).suspect);
	assert_false(dt_host_pattern(rows, 0).suspect);
}

static void suspects_weigh_less(void **state)
{
	struct dt_hour incident[] = { { 10, 9, 9 }, { 11, 4, 4 }, { 12, 1, 1 } }, suspects[] = { { 10, 8, 8 }, { 12, 1, 1 } }, out[3];
	(void)state;

	dt_series_weigh(SERIES(incident), SERIES(suspects), out);
	assert_int_equal(out[0].onsets, 3);
	assert_int_equal(out[1].onsets, 4);
	assert_int_equal(out[2].onsets, 0);
	assert_int_equal(out[0].crashes, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_loop_is_one_episode),
		cmocka_unit_test(tail),
		cmocka_unit_test(twenty_hosts_in_an_hour_are_a_burst),
		cmocka_unit_test(three_hundred_drivers_are_no_burst),
		cmocka_unit_test(a_fleet_that_reports_more_is_no_burst),
		cmocka_unit_test(twenty_crashes_of_one_host_are_no_burst),
		cmocka_unit_test(steady_fleets_raise_no_alarm),
		cmocka_unit_test(states),
		cmocka_unit_test(builds_of_one_driver_are_one_outbreak),
		cmocka_unit_test(hosts_that_crash_in_many_ways),
		cmocka_unit_test(suspects_weigh_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * killpoint.h - named places at which a test can have the program killed.
 *
 * With DUMPTRIAGE_KILL_AT=NAME:N in the environment the process kills itself (SIGKILL, as nobody
 * can catch it) when it comes to place NAME for the N-th time. Without it a place costs one comparison.
 */
#ifndef DT_BASE_KILLPOINT_H
#define DT_BASE_KILLPOINT_H

#include <stdbool.h>

/* Reads the environment; before the first place. */
void dt_kill_points_arm(void);
extern bool dt_kill_armed;
void dt_kill_reached(const char *name);

static inline void dt_kill_point(const char *name)
{
	if (__builtin_expect(dt_kill_armed, false))
		dt_kill_reached(name);
}

#endif

#include "core/base/killpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

bool dt_kill_armed;
static char place[64];
static unsigned long left;

void dt_kill_points_arm(void)
{
	const char *wanted = getenv("DUMPTRIAGE_KILL_AT"), *colon = wanted ? strchr(wanted, ':') : NULL;

	if (!colon || (size_t)(colon - wanted) >= sizeof(place))
		return;
	memcpy(place, wanted, (size_t)(colon - wanted));
	place[colon - wanted] = '\0';
	left = strtoul(colon + 1, NULL, 10);
	dt_kill_armed = left > 0;
}

void dt_kill_reached(const char *name)
{
	if (!strcmp(name, place) && --left == 0)
		raise(SIGKILL);
}

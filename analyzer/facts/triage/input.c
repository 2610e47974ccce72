/* What the caller says of the input: its host. */
#include "core/base/names.h"
#include "facts/triage/pass.h"

void dt_host_given(struct dt_facts *facts, const char *host, struct dt_arena *arena)
{
	const char *name = dt_host_fold(arena, host);

	if (!name)
		return;
	facts->host.name = name;
	facts->host.source = DT_HOST_GIVEN;
}

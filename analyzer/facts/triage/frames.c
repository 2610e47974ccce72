/* The stack: walked from the fault where its registers are known, else from the header's context. */
#include "facts/triage/pass.h"

static bool can_start(const struct dt_context *context)
{
	return dt_context_ip(context).known && dt_context_sp(context).known;
}

void dt_pass_frames(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_walk walk = {
		.dump = dump,
		.symbols = pass->symbols,
		.decoder = pass->decoder,
		.context = &pass->context,
		.holes = pass->holes,
		.hole_count = pass->hole_count,
	};

	/* A user-mode context has its stack in user memory, which kernel minidumps do not hold. */
	if (!can_start(&pass->context) || (dt_dump_is_kernel(dump) && pass->context.user_mode)) {
		if (!can_start(&dump->context))
			return;
		walk.context = &dump->context;
		walk.entry = pass->at_bugcheck_entry;
	}
	pass->facts->stack_count = dt_stack_walk(&walk, pass->arena, pass->notes, &pass->facts->stack);
}

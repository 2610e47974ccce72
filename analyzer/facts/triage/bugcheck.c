/* The stop code, its name and its parameters in words. */
#include "core/base/buf.h"
#include "facts/triage/pass.h"

static void meanings(struct dt_pass *pass, struct dt_bugcheck *out)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_buf buf;

	if (!pass->reading)
		return;
	out->meanings = DT_ARENA_ARRAY(pass->arena, 4, const char *);
	dt_buf_init(&buf, 4096);
	for (size_t i = 0; out->meanings && i < 4; i++) {
		dt_buf_reset(&buf);
		dt_parameter_print(pass->reading, i, dump->bugcheck_parameter[i], dump->machine, (uint32_t)dump->build.value,
		                   &buf);
		out->meanings[out->meanings_count++] = dt_arena_strdup(pass->arena, dt_buf_text(&buf));
	}
	dt_buf_deinit(&buf);
}

void dt_pass_bugcheck(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_bugcheck *out;
	bool flag;

	if (!dump->has_bugcheck || !(out = DT_ARENA_NEW(pass->arena, struct dt_bugcheck)))
		return;
	uint32_t code = dt_bugcheck_unflag(dump->bugcheck_code, &flag);
	pass->reading = dt_bugcheck_reading(code, dump->bugcheck_parameter, dump->machine, (uint32_t)dump->build.value);
	out->code = dt_some(code);
	out->name = dt_bugcheck_name(code);
	out->minidump_flag = dt_bool3(flag);
	out->parameters = DT_ARENA_ARRAY(pass->arena, 4, uint64_t);
	for (size_t i = 0; out->parameters && i < 4; i++)
		out->parameters[out->parameters_count++] = dump->bugcheck_parameter[i];
	meanings(pass, out);
	pass->facts->bugcheck = out;
}

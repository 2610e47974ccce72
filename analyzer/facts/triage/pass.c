/* What the passes share. */
#include "facts/triage/pass.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

bool dt_pass_role(const struct dt_pass *pass, enum dt_role role, uint64_t *value)
{
	int index = pass->reading ? dt_reading_role(pass->reading, role) : -1;

	if (index < 0)
		return false;
	*value = pass->dump->bugcheck_parameter[index];
	return true;
}

void dt_pass_hole(struct dt_pass *pass, uint64_t va, uint64_t len)
{
	if (va && pass->hole_count < DT_MAX_HOLES)
		pass->holes[pass->hole_count++] = (struct dt_stack_hole){ va, len };
}

bool dt_pass_is_full(struct dt_pass *pass, const char *list, size_t count, size_t most)
{
	if (count < most)
		return false;
	dt_note_add(pass->notes, DT_NOTE_WARNING, list, "more than %zu; the rest is not listed", most);
	return true;
}

void dt_pass_anomaly(struct dt_pass *pass, enum dt_anomaly_kind kind, const char *fmt, ...)
{
	struct dt_facts *facts = pass->facts;
	char text[400];
	va_list args;

	if (!facts->anomalies)
		facts->anomalies = DT_ARENA_ARRAY(pass->arena, DT_MAX_ANOMALIES, struct dt_anomaly);
	if (!facts->anomalies || dt_pass_is_full(pass, "anomalies", facts->anomalies_count, DT_MAX_ANOMALIES))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	facts->anomalies[facts->anomalies_count++] =
		(struct dt_anomaly){ .kind = kind, .text = dt_arena_strdup(pass->arena, text) };
}

const char *dt_pass_absence(const struct dt_pass *pass, uint64_t va)
{
	const char *absence = dt_memory_absence(&pass->dump->memory, va);
	const char *text = absence ? dt_arena_printf(pass->arena, ": %s", absence) : NULL;

	return text ? text : "";
}

bool dt_pass_locate(const struct dt_pass *pass, uint64_t va, const char **module, struct dt_opt *offset)
{
	const struct dt_module *found = dt_dump_module_at(pass->dump, va);

	if (!found)
		return false;
	*module = found->name;
	*offset = dt_some(va - found->base.value);
	return true;
}

void dt_pass_suspect(struct dt_pass *pass, uint64_t va, const char *from)
{
	struct dt_facts *facts = pass->facts;
	struct dt_suspect suspect = { .from = from };

	if (!dt_pass_locate(pass, va, &suspect.module, &suspect.offset) || !suspect.module)
		return;
	for (size_t i = 0; i < facts->suspects_count; i++)
		if (!strcmp(facts->suspects[i].from, from) && dt_text_equal_fold(facts->suspects[i].module, suspect.module))
			return;
	if (!facts->suspects)
		facts->suspects = DT_ARENA_ARRAY(pass->arena, DT_MAX_SUSPECTS, struct dt_suspect);
	if (facts->suspects && !dt_pass_is_full(pass, "suspects", facts->suspects_count, DT_MAX_SUSPECTS))
		facts->suspects[facts->suspects_count++] = suspect;
}

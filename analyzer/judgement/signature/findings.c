/* What the facts say about the host beside its crash: drivers with known vulnerabilities. */
#include "core/base/limits.h"
#include "judgement/signature/rule.h"

static void add(struct dt_finding *out, const struct dt_module *module, const char *id, size_t len, struct dt_arena *arena)
{
	out->kind = "vulnerable-driver";
	out->module = module->name;
	out->text = dt_arena_printf(arena, "%s is loaded, in a build with known vulnerabilities that attackers bring along; that is no cause of the crash",
	                            module->name);
	out->reference = dt_arena_printf(arena, "https://www.loldrivers.io/drivers/%.*s/", (int)len, id);
}

static void say_rest(struct dt_finding *last, size_t rest, struct dt_arena *arena)
{
	last->text = dt_arena_printf(arena, "%s; %zu more such drivers are loaded", last->text, rest);
}

size_t dt_rules_findings(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_arena *arena,
                         struct dt_finding **out)
{
	size_t count = 0;

	*out = NULL;
	for (size_t i = 0; i < facts->modules_count; i++) {
		const struct dt_module *module = &facts->modules[i];
		size_t len = 0;
		if (!module->name || !module->timestamp.known)
			continue;
		const char *id = dt_vulnerable_find(&rules->vulnerable, module->name, module->timestamp.value,
		                                    module->size.known ? &module->size.value : NULL, &len);
		if (!id)
			continue;
		if (!*out && !(*out = DT_ARENA_ARRAY(arena, DT_MAX_FINDINGS, struct dt_finding)))
			return 0;
		if (count < DT_MAX_FINDINGS)
			add(&(*out)[count], module, id, len, arena);
		count++;
	}
	if (count > DT_MAX_FINDINGS)
		say_rest(&(*out)[DT_MAX_FINDINGS - 1], count - DT_MAX_FINDINGS, arena);
	return count < DT_MAX_FINDINGS ? count : DT_MAX_FINDINGS;
}

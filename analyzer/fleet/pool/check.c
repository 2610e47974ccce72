/* Facts that came from a worker are input: what readers of records rely on is checked once, here. */
#include "core/base/text.h"
#include "fleet/pool/pool.h"

static bool inside(const struct dt_facts *facts, const char *name, struct dt_opt offset, struct dt_opt ip)
{
	if (!name)
		return true;
	if (!offset.known || !ip.known)
		return false;
	for (size_t i = 0; i < facts->modules_count; i++) {
		const struct dt_module *m = &facts->modules[i];
		if (ip.value - m->base.value == offset.value && offset.value < m->size.value && m->name &&
		    dt_text_equal_fold(m->name, name))
			return true;
	}
	return false;
}

const char *dt_pool_facts_broken(const struct dt_facts *facts)
{
	if (!facts->schema || !dt_text_equal_fold(facts->schema, DT_CRASH_SCHEMA))
		return "the schema is another one";
	if (!inside(facts, facts->fault.module, facts->fault.offset, facts->fault.ip))
		return "the fault lies outside its module";
	for (size_t i = 0; i < facts->stack_count; i++)
		if (facts->stack[i].unloaded != DT_TRUE &&
		    !inside(facts, facts->stack[i].module, facts->stack[i].offset, facts->stack[i].ip))
			return "a frame lies outside its module";
	if (facts->bugcheck && facts->bugcheck->parameters_count != 4)
		return "a stop code has four parameters";
	return NULL;
}

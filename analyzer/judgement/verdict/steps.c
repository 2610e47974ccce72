/* What to do next: from the signature, else from the table by class. */
#include <string.h>

#include "core/tables/codes.h"
#include "core/tables/images.h"
#include "judgement/verdict/case.h"

enum when { ANY, NAMED, UNNAMED, SECURITY, FOREIGN, AWAY, UNREAD, DAMAGED, STORAGE, PROGRAM, SYSTEM, SMALL };

static const struct step {
	enum dt_verdict_class class;
	enum when when;
	const char *text;
} steps[] = {
#define DT_STEP(class, when, text) { DT_CLASS_##class, when, text },
#include "judgement/verdict/next_steps.def"
};

/* Whether a dump of Windows lacks memory that another one would have: by its kind, or because little of it could be read. */
static bool is_small(const struct dt_case *c)
{
	const struct dt_facts *facts = c->facts;

	return !c->user && (facts->dump.kind == DT_KIND_TRIAGE || facts->dump.kind == DT_KIND_HEADER_ONLY || !facts->modules_count);
}

static bool applies(const struct dt_case *c, enum when when)
{
	const char *module = c->out->blame.module;
	enum dt_failure_kind failed = c->facts->failure ? c->facts->failure->kind : DT_failure_kind_NULL;

	switch (when) {
	case NAMED:
		return module != NULL;
	case UNNAMED:
		return module == NULL;
	case SECURITY:
		return module && dt_image_is_security(module);
	case STORAGE:
		return dt_exception_kind(c->facts->exception.code.value) == DT_EXCEPTION_STORAGE;
	case PROGRAM:
		return c->user;
	case SYSTEM:
		return !c->user;
	case SMALL:
		return is_small(c);
	case FOREIGN:
		return failed == DT_FAILURE_NOT_A_DUMP;
	case AWAY:
		return failed == DT_FAILURE_IO;
	case UNREAD:
		return failed == DT_FAILURE_UNSUPPORTED;
	case DAMAGED:
		return failed != DT_FAILURE_IO && failed != DT_FAILURE_UNSUPPORTED;
	default:
		return true;
	}
}

static const char *fill(const struct dt_case *c, const char *text)
{
	const char *at = strstr(text, "{module}");

	if (!at)
		return text;
	return dt_arena_printf(c->arena, "%.*s%s%s", (int)(at - text), text, c->out->blame.module, at + strlen("{module}"));
}

static void add(const struct dt_case *c, const char *text)
{
	dt_case_add(c->out->verdict.next_steps, &c->out->verdict.next_steps_count, text);
}

static void add_rule(const struct dt_case *c)
{
	for (size_t i = 0; i < c->rule->next_step_count; i++)
		add(c, c->rule->next_steps[i]);
}

/* One step with branches: it alone says nothing to do, and they hold under its condition only. */
static void add_perhaps(const struct dt_case *c)
{
	add(c, dt_arena_printf(c->arena, "If other computers crash the same way, it may be: %s. Then:", c->rule->title));
	for (size_t i = 0; i < c->rule->next_step_count; i++) {
		const char *step = c->rule->next_steps[i];
		add(c, !strncmp(step, "- ", 2) ? step : dt_arena_printf(c->arena, "- %s", step));
	}
}

static void add_class(const struct dt_case *c)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].class == c->out->verdict.class && applies(c, steps[i].when))
			add(c, fill(c, steps[i].text));
}

/* A match that does not decide adds its steps behind those of the class. */
void dt_case_steps(const struct dt_case *c)
{
	struct dt_verdict *verdict = &c->out->verdict;
	bool sure = dt_case_by_rule(c);

	verdict->next_steps = DT_ARENA_ARRAY(c->arena, DT_MAX_TEXTS, const char *);
	if (sure && c->rule->next_step_count) {
		add_rule(c);
		return;
	}
	add_class(c);
	if (!sure && c->match && c->rule && c->rule->next_step_count)
		add_perhaps(c);
}

#include "judgement/blame/blame.h"
#include "judgement/bucket/bucket.h"
#include "judgement/verdict/case.h"

static struct dt_opt confidence(const struct dt_case *c, const struct dt_precedence *row)
{
	if (row->confidence > 0)
		return dt_some((uint64_t)row->confidence);
	if (row->confidence == -2)
		return dt_some(c->match->grade == DT_GRADE_CONFIRMED ? 98 : 80);
	if (row->confidence == -1 && c->out->blame.module)
		return c->out->blame.confidence;
	/* That the application crashed is certain; where in it is what is not known. */
	if (row->confidence == -1)
		return dt_some(40);
	return (struct dt_opt){ 0 };
}

static void match(struct dt_case *c)
{
	if (!c->rules)
		return;
	c->out->judged.rules = dt_rules_hash(c->rules);
	c->out->matches_count = dt_rules_match(c->rules, c->facts, c->arena, &c->out->matches);
	c->out->findings_count = dt_rules_findings(c->rules, c->facts, c->arena, &c->out->findings);
	if (c->out->matches_count) {
		c->match = &c->out->matches[0];
		c->rule = dt_rule_find(c->rules, c->match->signature);
	}
}

static const struct dt_reading *reading(const struct dt_facts *facts)
{
	const struct dt_bugcheck *bugcheck = facts->bugcheck;

	if (!bugcheck || !bugcheck->code.known)
		return NULL;
	return dt_bugcheck_reading((uint32_t)bugcheck->code.value, bugcheck->parameters_count == 4 ? bugcheck->parameters : NULL,
	                           facts->dump.machine, (uint32_t)facts->dump.build.value);
}

static void decide(struct dt_case *c)
{
	struct dt_verdict *verdict = &c->out->verdict;
	const struct dt_precedence *row = c->row = dt_precedence(c);

	verdict->class = row->class ? row->class : c->rule->class;
	verdict->confidence = confidence(c, row);
	verdict->summary = dt_case_summary(c);
	dt_case_reasons(c, row);
	dt_case_steps(c);
}

enum dt_status dt_judge(const struct dt_facts *facts, const struct dt_rules *rules, uint64_t now, struct dt_arena *arena,
                        struct dt_judgement *out, struct dt_error *err)
{
	struct dt_case c = { .facts = facts, .arena = arena, .out = out, .rules = rules };

	*out = (struct dt_judgement){ .judged.at = now };
	c.user = facts->dump.format == DT_FORMAT_USER;
	c.reading = reading(facts);
	c.anomalies = dt_blame_anomalies(facts);
	dt_blame(facts, rules ? dt_rules_carriers(rules) : NULL, arena, &out->blame);
	dt_bucket(facts, &out->blame, arena, &out->bucket);
	match(&c);
	decide(&c);
	if (arena->failed)
		return dt_fail(err, DT_ERR_NOMEM, "judging: the arena is full");
	return DT_OK;
}

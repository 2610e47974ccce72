/* dumptriage signatures test, explain, new: rules held against facts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/model/field.h"
#include "doors/cli/signatures.h"

struct trials {
	const struct dt_signatures_call *call;
	const struct dt_rules *rules;
	struct dt_triage *triage;
	struct dt_arena arena;
	size_t passed, failed, skipped;
};

static const char *grade_name(enum dt_grade grade)
{
	return grade ? dt_word(&dt_words_grade, grade) : "none";
}

static void fail_test(struct trials *t, const struct dt_rule_test *test, const char *text)
{
	t->failed++;
	printf("%s:%u:%u: %s%s%s\n", test->file, test->line, test->column, test->name ? test->name : test->sample ? test->sample : "",
	       test->name || test->sample ? ": " : "", text);
}

/* The dump of a sample, by its name in the folder; NULL: not there. */
static const struct dt_facts *sample_facts(struct trials *t, const char *name)
{
	static const char *const ends[] = { "", ".dmp", ".mdmp" };

	for (size_t i = 0; t->call->samples && i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *path = dt_arena_printf(&t->arena, "%s/%s%s", t->call->samples, name, ends[i]);
		if (path && !access(path, R_OK))
			return dt_signatures_facts(&t->triage, path);
	}
	return NULL;
}

static void try_one(struct trials *t, size_t rule, const struct dt_rule_test *test)
{
	const struct dt_facts *facts;
	struct dt_facts made;
	struct dt_error err;
	char text[96];

	dt_arena_reset(&t->arena);
	if (test->sample) {
		facts = sample_facts(t, test->sample);
		if (!facts && !t->call->samples) {
			t->skipped++;
			return;
		}
		if (!facts) {
			fail_test(t, test, "there is no such sample that can be read");
			return;
		}
	} else if (dt_rule_test_facts(test, &t->arena, &made, &err) != DT_OK) {
		t->failed++;
		puts(err.text);
		return;
	} else {
		facts = &made;
	}
	enum dt_grade found = dt_rules_grade(t->rules, rule, facts);
	if (found == test->grade) {
		t->passed++;
		return;
	}
	(void)snprintf(text, sizeof(text), "expected %s, found %s", grade_name(test->grade), grade_name(found));
	fail_test(t, test, text);
}

int dt_signatures_test(const struct dt_signatures_call *call)
{
	size_t left_out;
	struct dt_rules *rules = dt_signatures_rules(call, &left_out);
	struct trials t = { .call = call, .rules = rules };

	if (!rules)
		return DT_EXIT_UNREADABLE;
	dt_arena_init(&t.arena, DT_MAX_ARENA);
	for (size_t i = 0; i < dt_rules_count(rules); i++)
		for (size_t k = 0; k < dt_rule_info(rules, i)->test_count; k++)
			try_one(&t, i, &dt_rule_info(rules, i)->tests[k]);
	printf("%zu %s: %zu %s passed, %zu failed, %zu skipped%s\n", dt_rules_count(rules), dt_text_plural(dt_rules_count(rules), "signature", "signatures"),
	       t.passed, dt_text_plural(t.passed, "test", "tests"), t.failed, t.skipped,
	       t.skipped ? " (samples: --samples DIR names their folder)" : "");
	dt_arena_deinit(&t.arena);
	dt_triage_destroy(t.triage);
	dt_rules_free(rules);
	return t.failed || left_out ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

int dt_signatures_explain(const struct dt_signatures_call *call)
{
	size_t left_out;
	struct dt_rules *rules = dt_signatures_rules(call, &left_out);
	struct dt_triage *triage = NULL;
	struct dt_arena arena;
	struct dt_buf buf;
	int status = DT_EXIT_UNREADABLE;

	if (!rules)
		return DT_EXIT_ENVIRONMENT;
	const struct dt_facts *facts = dt_signatures_facts(&triage, call->words[1]);
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_buf_init(&buf, 4u << 20);
	if (facts && !dt_rule_explain(rules, call->words[0], facts, &arena, &buf))
		status = dt_door_usage(call->self, "there is no signature '%s'", call->words[0]);
	else if (facts)
		status = dt_door_write(&buf) ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&buf);
	dt_arena_deinit(&arena);
	dt_triage_destroy(triage);
	dt_rules_free(rules);
	return status;
}

/* A draft that does not load, or does not match the dump it was made from, is not handed out. */
static bool draft_holds(const struct dt_buf *draft, const struct dt_facts *facts)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;

	if (dt_rules_load_text(&rules, "draft", dt_buf_text(draft), draft->len, &err) != DT_OK)
		return dt_door_fail("the draft does not load: %s", err.text), false;
	bool holds = dt_rules_grade(rules, 0, facts) != DT_grade_NULL;
	dt_rules_free(rules);
	return holds || (dt_door_fail("the draft does not match its dump"), false);
}

int dt_signatures_new(const struct dt_signatures_call *call)
{
	struct dt_triage *triage = NULL;
	const struct dt_facts *facts = dt_signatures_facts(&triage, call->words[0]);
	struct dt_buf buf;
	int status = DT_EXIT_UNREADABLE;

	dt_buf_init(&buf, 1u << 20);
	if (facts && !dt_rule_draft(facts, call->id ? call->id : "new-signature", &buf))
		(void)dt_door_fail("%s: it has no stop code and no exception to make a signature of", call->words[0]);
	else if (facts && draft_holds(&buf, facts))
		status = dt_door_write(&buf) ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&buf);
	dt_triage_destroy(triage);
	return status;
}

/*
 * Regular expressions, by PCRE2 under limits: a pattern may be as bad as it likes and costs a bounded number of steps for each text.
 * They are compiled once, into the arena of the rules; matching shares them between threads.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "judgement/signature/rule.h"

/* Texts of a record are mostly short; a sound pattern needs some hundred steps for one. */
enum { MAX_PATTERN = 1024, MAX_NESTED = 32, MAX_STEPS = 20000, MAX_DEPTH = 500, MAX_HEAP_KIB = 1024 };

struct dt_pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
};

static void *from_arena(size_t size, void *arena)
{
	return dt_arena_alloc(arena, size);
}

static void to_arena(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

static bool compile(struct dt_pattern *pattern, const struct dt_doc *node, struct dt_arena *arena, int *error, size_t *at)
{
	pcre2_general_context *memory = pcre2_general_context_create(from_arena, to_arena, arena);
	pcre2_compile_context *how = memory ? pcre2_compile_context_create(memory) : NULL;

	*error = PCRE2_ERROR_NOMEMORY;
	if (!how || !(pattern->limits = pcre2_match_context_create(memory)))
		return false;
	(void)pcre2_set_max_pattern_length(how, MAX_PATTERN);
	(void)pcre2_set_parens_nest_limit(how, MAX_NESTED);
	(void)pcre2_set_match_limit(pattern->limits, MAX_STEPS);
	(void)pcre2_set_depth_limit(pattern->limits, MAX_DEPTH);
	(void)pcre2_set_heap_limit(pattern->limits, MAX_HEAP_KIB);
	pattern->code = pcre2_compile((PCRE2_SPTR)node->text, node->len, PCRE2_UTF | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
	                              error, at, how);
	return pattern->code != NULL;
}

enum dt_status dt_pattern_compile(const struct dt_pattern **out, const struct dt_doc *node, struct dt_arena *arena,
                                  struct dt_error *err)
{
	struct dt_pattern *pattern = DT_ARENA_NEW(arena, struct dt_pattern);
	int error = PCRE2_ERROR_NOMEMORY;
	size_t at = 0;

	if (node->len == 0)
		return dt_doc_fail(node, err, "the regular expression is empty");
	if (pattern && compile(pattern, node, arena, &error, &at)) {
		*out = pattern;
		return DT_OK;
	}
	PCRE2_UCHAR why[120] = "";
	(void)pcre2_get_error_message(error, why, sizeof(why));
	if (error == PCRE2_ERROR_NOMEMORY || arena->failed)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", node->file);
	return dt_doc_fail_inside(node, at, err, "the regular expression: %s", (const char *)why);
}

enum dt_fact_state dt_pattern_state(const struct dt_pattern *pattern, const char *text)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int found = data ? pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, pattern->limits)
	                 : PCRE2_ERROR_NOMEMORY;

	pcre2_match_data_free(data);
	if (found >= 0)
		return DT_FACT_PRESENT;
	return found == PCRE2_ERROR_NOMATCH ? DT_FACT_CONTRADICTED : DT_FACT_MISSING;
}

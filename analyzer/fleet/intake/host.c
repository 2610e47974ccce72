/* Which host a dump comes from, by its place in the tree. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "fleet/intake/intake.h"

enum { MATCH_LIMIT = 100000, MAX_FOLDER = 64 };

struct dt_host_rule {
	unsigned folder; /* dir:N; 0: a pattern */
	pcre2_code *pattern;
	pcre2_match_data *match;
	pcre2_match_context *limits;
};

static enum dt_status compile(struct dt_host_rule *rule, const char *text, struct dt_error *err)
{
	int code;
	PCRE2_SIZE at;
	uint32_t groups = 0;

	rule->pattern = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_CASELESS, &code, &at, NULL);
	if (!rule->pattern) {
		PCRE2_UCHAR words[160] = "";
		pcre2_get_error_message(code, words, sizeof(words));
		return dt_fail(err, DT_ERR_USAGE, "--host-from '%.100s': %s at character %zu", text, (const char *)words, at + 1);
	}
	pcre2_pattern_info(rule->pattern, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups != 1)
		return dt_fail(err, DT_ERR_USAGE, "--host-from '%.100s' has %u groups; it takes one, in ( ), for the host's name", text, groups);
	rule->match = pcre2_match_data_create_from_pattern(rule->pattern, NULL);
	rule->limits = pcre2_match_context_create(NULL);
	if (!rule->match || !rule->limits)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	pcre2_set_match_limit(rule->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(rule->limits, MATCH_LIMIT);
	return DT_OK;
}

enum dt_status dt_host_rule_create(struct dt_host_rule **out, const char *text, struct dt_error *err)
{
	struct dt_host_rule *rule = calloc(1, sizeof(*rule));
	enum dt_status status = DT_OK;
	uint64_t folder;

	if (!rule)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (!strncmp(text, "dir:", 4)) {
		if (!dt_text_parse_u64(text + 4, false, &folder) || folder < 1 || folder > MAX_FOLDER)
			status = dt_fail(err, DT_ERR_USAGE, "--host-from '%.60s': dir: takes a number from 1 to %d", text, MAX_FOLDER);
		else
			rule->folder = (unsigned)folder;
	} else {
		status = compile(rule, text, err);
	}
	if (status != DT_OK) {
		dt_host_rule_free(rule);
		return status;
	}
	*out = rule;
	return DT_OK;
}

void dt_host_rule_free(struct dt_host_rule *rule)
{
	if (!rule)
		return;
	pcre2_match_data_free(rule->match);
	pcre2_match_context_free(rule->limits);
	pcre2_code_free(rule->pattern);
	free(rule);
}

bool dt_host_rule_counts_folders(const struct dt_host_rule *rule)
{
	return rule->folder != 0;
}

/* The last part of a path is the file: it is no folder. Nor are "." and an empty part; with "..", it is not known where the path leads. */
static const char *folder_of(const char *relative, unsigned folder, struct dt_arena *arena)
{
	if (*relative == '/')
		return NULL;
	for (unsigned at = 1;;) {
		size_t len = strcspn(relative, "/");
		if (!relative[len] || (len == 2 && !strncmp(relative, "..", 2)))
			return NULL;
		bool counts = len > 1 || (len == 1 && *relative != '.');
		if (counts && at++ == folder)
			return dt_arena_strndup(arena, relative, len);
		relative += len + 1;
	}
}

const char *dt_host_rule_apply(const struct dt_host_rule *rule, const char *relative, struct dt_arena *arena)
{
	if (rule->folder)
		return folder_of(relative, rule->folder, arena);
	if (pcre2_match(rule->pattern, (PCRE2_SPTR)relative, strlen(relative), 0, 0, rule->match, rule->limits) < 2)
		return NULL;
	PCRE2_SIZE *at = pcre2_get_ovector_pointer(rule->match);
	if (at[2] == PCRE2_UNSET || at[3] <= at[2])
		return NULL;
	return dt_arena_strndup(arena, relative + at[2], at[3] - at[2]);
}

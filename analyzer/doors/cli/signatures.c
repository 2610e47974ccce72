/* dumptriage signatures: list, check, test, explain, new, import-vulnerable. */
#include "doors/cli/signatures.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "judgement/signature/lint.h"

enum { OPTION_KEEP_GOING = 300, OPTION_SAMPLES, OPTION_SIGNATURES, OPTION_ID, OPTION_OUT };

static const struct part {
	const char *name;
	int (*run)(const struct dt_signatures_call *call);
	int least, most; /* words behind it */
	bool path;       /* the last word is that of the rules */
	const char *wants;
} parts[] = {
	{ "list", dt_signatures_list, 0, 1, true, "a file or a folder, or nothing" },
	{ "check", dt_signatures_check, 0, 1, true, "a file or a folder, or nothing" },
	{ "test", dt_signatures_test, 0, 1, true, "a file or a folder, or nothing" },
	{ "explain", dt_signatures_explain, 2, 2, false, "the id of a signature and a dump" },
	{ "new", dt_signatures_new, 1, 1, false, "a dump" },
	{ "import-vulnerable", dt_signatures_import, 1, 1, false, "a file of loldrivers.io, drivers.json" },
};

struct dt_rules *dt_signatures_rules(const struct dt_signatures_call *call, size_t *skipped)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;

	*skipped = 0;
	if (!call->rules && dt_rules_load_builtin_tested(&rules, &err) != DT_OK)
		(void)dt_door_fail("signatures: %s", err.text);
	if (!call->rules)
		return rules;
	return call->keep_going ? dt_door_rules_some(call->rules, NULL, skipped) : dt_door_rules(call->rules, NULL);
}

const struct dt_facts *dt_signatures_facts(struct dt_triage **triage, const char *path)
{
	struct dt_triage_options options = { 0 };
	const struct dt_facts *facts;
	struct dt_error err;

	if (!*triage && dt_triage_create(triage, &err) != DT_OK) {
		(void)dt_door_fail("%s", err.text);
		return NULL;
	}
	facts = dt_triage_path(*triage, path, &options);
	if (!facts->failure || facts->bugcheck || facts->exception.code.known)
		return facts;
	(void)dt_door_fail("%s: %s", path, facts->failure->text ? facts->failure->text : "cannot be analysed");
	return NULL;
}

int dt_signatures_list(const struct dt_signatures_call *call)
{
	size_t skipped;
	struct dt_rules *rules = dt_signatures_rules(call, &skipped);

	if (!rules)
		return DT_EXIT_ENVIRONMENT;
	for (size_t i = 0; i < dt_rules_count(rules); i++) {
		const struct dt_rule_info *rule = dt_rule_info(rules, i);
		printf("%s  version %s  %s  %s\n    %s\n", rule->id, rule->version, rule->status ? rule->status : "-",
		       rule->category ? rule->category : "-", rule->title);
	}
	dt_rules_free(rules);
	return skipped ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

static void print_finding(void *context, const char *message)
{
	(void)context;
	puts(message);
}

/* All errors at once: who checks wants to know them all. */
int dt_signatures_check(const struct dt_signatures_call *call)
{
	struct dt_signatures_call all = *call;
	size_t skipped, count, findings;
	struct dt_rules *rules;

	all.keep_going = true;
	rules = dt_signatures_rules(&all, &skipped);

	if (!rules)
		return DT_EXIT_UNREADABLE;
	count = dt_rules_count(rules);
	findings = dt_rules_lint(rules, print_finding, NULL);
	dt_rules_free(rules);
	if (findings == SIZE_MAX)
		return dt_door_fail("signatures: out of memory");
	if (findings || skipped)
		printf("%zu %s, %zu %s, %zu not loaded\n", count, dt_text_plural(count, "signature", "signatures"), findings,
		       dt_text_plural(findings, "finding", "findings"), skipped);
	else
		printf("%zu %s, no errors\n", count, dt_text_plural(count, "signature", "signatures"));
	return findings || skipped ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

static int take_option(struct dt_signatures_call *call, int option)
{
	switch (option) {
	case OPTION_KEEP_GOING:
		call->keep_going = true;
		return DT_EXIT_OK;
	case OPTION_SAMPLES:
		call->samples = optarg;
		return DT_EXIT_OK;
	case OPTION_SIGNATURES:
		call->rules = optarg;
		return DT_EXIT_OK;
	case OPTION_ID:
		call->id = optarg;
		return DT_EXIT_OK;
	case OPTION_OUT:
		call->out = optarg;
		return DT_EXIT_OK;
	default:
		return dt_door_usage(call->self, "wrong option");
	}
}

static int run_part(const struct part *part, struct dt_signatures_call *call)
{
	if (call->count < part->least || call->count > part->most)
		return dt_door_usage(call->self, "signatures %s takes %s", part->name, part->wants);
	if (part->path && call->count)
		call->rules = call->words[0];
	int status = part->run(call);
	return dt_door_flush() ? status : DT_EXIT_ENVIRONMENT;
}

int dt_cli_signatures(const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep-going", no_argument, NULL, OPTION_KEEP_GOING }, { "samples", required_argument, NULL, OPTION_SAMPLES },
		{ "signatures", required_argument, NULL, OPTION_SIGNATURES }, { "id", required_argument, NULL, OPTION_ID },
		{ "out", required_argument, NULL, OPTION_OUT }, { 0 },
	};
	struct dt_signatures_call call = { .self = self };
	int option;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(&call, option) != DT_EXIT_OK)
			return DT_EXIT_USAGE;
	if (optind == argc)
		return dt_door_usage(self, "signatures takes list, check, test, explain, new or import-vulnerable");
	call.words = argv + optind + 1;
	call.count = argc - optind - 1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(argv[optind], parts[i].name))
			return run_part(&parts[i], &call);
	return dt_door_usage(self, "signatures has no '%s': list, check, test, explain, new, import-vulnerable", argv[optind]);
}

/* dumptriage analyze: one record for each input, in the order given. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/time.h"
#include "core/model/field.h"
#include "doors/cli/cli.h"
#include "doors/common/symbols.h"
#include "facts/triage/triage.h"
#include "judgement/verdict/verdict.h"

enum { OPTION_SIGNATURES = 300, OPTION_HOST, OPTION_HASH, OPTION_KEEP_GOING, OPTION_CARRIERS };

struct analysis {
	struct dt_output output;
	struct dt_triage_options options;
	const char *signatures, *carriers;
	bool keep_going; /* signatures with errors are left out */
	struct dt_door_symbols store;
	struct dt_rules *rules;
	struct dt_triage *triage;
	struct dt_arena arena; /* judgements */
	size_t classes[DT_verdict_class_COUNT];
	size_t damaged; /* inputs that could not be analysed, or not completely */
};

static int parse(struct analysis *run, const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = {
		DT_OUTPUT_LONG_OPTIONS,
		{ "signatures", required_argument, NULL, OPTION_SIGNATURES },
		{ "carriers", required_argument, NULL, OPTION_CARRIERS },
		{ "host", required_argument, NULL, OPTION_HOST },
		DT_SYMBOLS_LONG_OPTIONS,
		{ "hash", required_argument, NULL, OPTION_HASH },
		{ "keep-going", no_argument, NULL, OPTION_KEEP_GOING },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, DT_OUTPUT_SHORT_OPTIONS, options, NULL)) != -1) {
		int taken = dt_output_option(&run->output, self, option, optarg);
		if (!taken)
			taken = dt_door_symbols_option(&run->store, self, option, optarg);
		if (taken < 0)
			return DT_EXIT_USAGE;
		if (taken)
			continue;
		if (option == OPTION_SIGNATURES)
			run->signatures = optarg;
		else if (option == OPTION_CARRIERS)
			run->carriers = optarg;
		else if (option == OPTION_HOST)
			run->options.host = optarg;
		else if (option == OPTION_KEEP_GOING)
			run->keep_going = true;
		else if (option != OPTION_HASH)
			return dt_door_usage(self, "wrong option");
		else if (dt_door_hash(self, optarg, &run->options.hash, &run->options.hash_large) != DT_EXIT_OK)
			return DT_EXIT_USAGE;
	}
	return optind < argc ? DT_EXIT_OK : dt_door_usage(self, "no file given");
}

static bool one(struct analysis *run, const char *path)
{
	struct dt_error err;
	struct dt_crash crash = { .facts = *dt_triage_path(run->triage, path, &run->options) };

	dt_arena_reset(&run->arena);
	if (dt_judge(&crash.facts, run->rules, dt_time_now(), &run->arena, &crash.judgement, &err) != DT_OK) {
		(void)dt_door_fail("%s: %s", path, err.text);
		return false;
	}
	run->classes[crash.judgement.verdict.class]++;
	run->damaged += crash.judgement.verdict.class == DT_CLASS_UNREADABLE || crash.facts.failure ||
	                crash.facts.dump.complete == DT_FALSE;
	return dt_output_record(&run->output, &crash);
}

/* A person who asked for several dumps wants to know at the end what they were. */
static void summary(const struct analysis *run)
{
	size_t inputs = 0;

	for (size_t i = 0; i < DT_verdict_class_COUNT; i++)
		inputs += run->classes[i];
	if (inputs < 2 || strcmp(run->output.format->name, "text"))
		return;
	printf("\n%zu inputs:", inputs);
	for (size_t i = 0, shown = 0; i < DT_verdict_class_COUNT; i++)
		if (run->classes[i])
			printf("%s %zu %s", shown++ ? "," : "", run->classes[i], dt_word(&dt_words_verdict_class, (unsigned)i));
	putchar('\n');
}

static int all(struct analysis *run, int count, char **paths)
{
	struct dt_error err;

	size_t skipped;

	if (!(run->rules = run->keep_going ? dt_door_rules_some(run->signatures, run->carriers, &skipped) : dt_door_rules(run->signatures, run->carriers)))
		return DT_EXIT_ENVIRONMENT;
	if (dt_triage_create(&run->triage, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	run->output.many = count > 1;
	for (int i = 0; i < count; i++)
		if (!one(run, paths[i]))
			return DT_EXIT_ENVIRONMENT;
	summary(run);
	if (!dt_output_end(&run->output))
		return DT_EXIT_ENVIRONMENT;
	return run->damaged ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

int dt_cli_analyze(const struct dt_command *self, int argc, char **argv)
{
	struct analysis run = { .options = { .hash = true } };
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_output_init(&run.output);
	dt_arena_init(&run.arena, DT_MAX_ARENA);
	status = parse(&run, self, argc, argv);
	if (status == DT_EXIT_OK)
		status = dt_door_symbols_open(&run.store, self);
	if (run.store.open)
		run.options.symbols = &run.store.store.source;
	if (status == DT_EXIT_OK)
		status = all(&run, argc - optind, argv + optind);
	dt_triage_destroy(run.triage);
	dt_rules_free(run.rules);
	dt_arena_deinit(&run.arena);
	dt_door_symbols_close(&run.store);
	dt_output_deinit(&run.output);
	return status;
}

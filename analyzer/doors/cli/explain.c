/* dumptriage explain: a stop code and its parameters in words, for somebody who has only a photo of the screen. */
#include "report/explain.h"

#include <getopt.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/field.h"
#include "core/tables/bugcheck.h"
#include "doors/cli/cli.h"

enum { OPTION_BUILD = 300, OPTION_MACHINE };

struct question {
	uint32_t code, build;
	enum dt_machine machine;
	uint64_t parameters[4];
	size_t count;
};

static int take_option(struct question *question, const struct dt_command *self, int option, const char *value)
{
	uint64_t number;

	if (option == OPTION_BUILD) {
		if (!dt_text_parse_u64(value, false, &number) || number > UINT32_MAX)
			return dt_door_usage(self, "--build takes a number such as 19041, not '%s'", value);
		question->build = (uint32_t)number;
	} else if (option == OPTION_MACHINE) {
		question->machine = (enum dt_machine)dt_word_value(&dt_words_machine, value);
		if (!question->machine)
			return dt_door_usage(self, "--machine takes x64, x86 or arm64, not '%s'", value);
	} else {
		return dt_door_usage(self, "wrong option");
	}
	return DT_EXIT_OK;
}

/* A negative number would be taken for an option; event logs print hexadecimal only. */
static int take_words(struct question *question, const struct dt_command *self, int count, char **words)
{
	uint64_t number;

	if (count < 1)
		return dt_door_usage(self, "no stop code given");
	if (count > 5)
		return dt_door_usage(self, "a stop code has four parameters, %d were given", count - 1);
	if (!dt_bugcheck_code(words[0], &question->code)) {
		if (!dt_text_parse_u64(words[0], true, &number) || number > UINT32_MAX)
			return dt_door_usage(self, "'%s' is neither a stop code nor the name of one", words[0]);
		question->code = (uint32_t)number;
	}
	for (int i = 1; i < count; i++) {
		size_t len = strlen(words[i]);
		/* "(0x50, 0x0, ...)" is how people copy them. */
		if (len && words[i][len - 1] == ',')
			words[i][len - 1] = '\0';
		if (!dt_text_parse_u64(words[i], true, &question->parameters[question->count]))
			return dt_door_usage(self, "parameter %d, '%s', is not a hexadecimal number of at most 64 bits", i, words[i]);
		question->count++;
	}
	return DT_EXIT_OK;
}

int dt_cli_explain(const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "build", required_argument, NULL, OPTION_BUILD },
		{ "machine", required_argument, NULL, OPTION_MACHINE },
		{ 0 },
	};
	struct question question = { 0 };
	struct dt_buf buf;
	int option, status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(&question, self, option, optarg) != DT_EXIT_OK)
			return DT_EXIT_USAGE;
	if ((status = take_words(&question, self, argc - optind, argv + optind)) != DT_EXIT_OK)
		return status;
	dt_buf_init(&buf, 1u << 20);
	dt_explain_write(question.code, question.parameters, question.count, question.machine, question.build, &buf);
	status = dt_door_write(&buf) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&buf);
	return status;
}

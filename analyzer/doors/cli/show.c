/* dumptriage show: records that were kept as JSON, printed for a person or in another format. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/model/json.h"
#include "doors/cli/cli.h"

/* Reads a whole file, - for standard input. */
static bool slurp(const char *path, struct dt_buf *out)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
	char block[65536];
	size_t n;

	if (!file) {
		(void)dt_door_fail("%s: %s", path, strerror(errno));
		return false;
	}
	while ((n = fread(block, 1, sizeof(block), file)) > 0 && dt_buf_ok(out))
		dt_buf_append(out, block, n);
	bool ok = !ferror(file) && dt_buf_ok(out);
	if (!ok)
		(void)dt_door_fail("%s: %s", path, ferror(file) ? strerror(errno) : "larger than the limit for records");
	if (file != stdin)
		fclose(file);
	return ok;
}

static int print_record(struct dt_output *output, const char *path, size_t line, const char *text, size_t len)
{
	struct dt_arena arena;
	struct dt_crash crash;
	struct dt_error err;
	int status = DT_EXIT_OK;

	dt_arena_init(&arena, DT_MAX_ARENA);
	if (dt_json_read_crash(text, len, &arena, &crash, &err) != DT_OK) {
		fprintf(stderr, "dumptriage: %s:%zu: %s\n", path, line, err.text);
		status = DT_EXIT_UNREADABLE;
	} else if (!dt_output_record(output, &crash)) {
		status = DT_EXIT_ENVIRONMENT;
	}
	dt_arena_deinit(&arena);
	return status;
}

static bool line_is(const char *line, size_t len, char c)
{
	return len == 1 && line[0] == c;
}

/* JSON lines have a record on each line; what --format json writes has it from a line "{" to a line "}", and brackets
 * and commas between records stand on lines of their own. */
static int print_file(struct dt_output *output, const char *path, const struct dt_buf *in)
{
	const char *at = dt_buf_text(in), *end = at + in->len, *eol, *begin = NULL;
	int worst = DT_EXIT_OK;

	for (size_t line = 1; at < end && worst != DT_EXIT_ENVIRONMENT; at = eol + 1, line++) {
		int status = DT_EXIT_OK;
		eol = memchr(at, '\n', (size_t)(end - at));
		eol = eol ? eol : end;
		size_t len = (size_t)(eol - at);
		if (begin && (line_is(at, len, '}') || eol == end)) {
			status = print_record(output, path, line, begin, (size_t)(eol - begin));
			begin = NULL;
		} else if (!begin && line_is(at, len, '{')) {
			begin = at;
		} else if (!begin && len && !line_is(at, len, '[') && !line_is(at, len, ']') && !line_is(at, len, ',')) {
			status = print_record(output, path, line, at, len);
		}
		worst = status > worst ? status : worst;
	}
	return worst;
}

static int print_all(struct dt_output *output, int count, char **paths)
{
	int worst = DT_EXIT_OK;

	output->many = true;
	for (int i = 0; i < count && worst != DT_EXIT_ENVIRONMENT; i++) {
		struct dt_buf in;
		dt_buf_init(&in, 16u * DT_MAX_JSON);
		int status = slurp(paths[i], &in) ? print_file(output, paths[i], &in) : DT_EXIT_ENVIRONMENT;
		worst = status > worst ? status : worst;
		dt_buf_deinit(&in);
	}
	if (worst != DT_EXIT_ENVIRONMENT && !dt_output_end(output))
		worst = DT_EXIT_ENVIRONMENT;
	return worst;
}

int dt_cli_show(const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = { DT_OUTPUT_LONG_OPTIONS, { 0 } };
	struct dt_output output;
	int option, status = DT_EXIT_OK;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_output_init(&output);
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, DT_OUTPUT_SHORT_OPTIONS, options, NULL)) != -1) {
		int taken = dt_output_option(&output, self, option, optarg);
		if (taken <= 0)
			status = taken < 0 ? DT_EXIT_USAGE : dt_door_usage(self, "wrong option");
	}
	if (status == DT_EXIT_OK)
		status = optind < argc ? print_all(&output, argc - optind, argv + optind) : dt_door_usage(self, "no file given");
	dt_output_deinit(&output);
	return status;
}

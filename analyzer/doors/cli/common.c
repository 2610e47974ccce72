/* What the commands share: messages, output, rules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doors/cli/cli.h"

int dt_cli_usage(const struct dt_command *self, const char *fmt, ...)
{
	va_list args;

	fputs("dumptriage: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\nusage: dumptriage %s %s", self->name, self->usage);
	return DT_EXIT_USAGE;
}

int dt_cli_fail(const char *fmt, ...)
{
	va_list args;

	fputs("dumptriage: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return DT_EXIT_ENVIRONMENT;
}

bool dt_cli_help(const struct dt_command *self, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			printf("dumptriage %s: %s\n\nusage: dumptriage %s %s", self->name, self->summary, self->name, self->usage);
			return true;
		}
	return false;
}

bool dt_cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	(void)dt_cli_fail("cannot write to standard output: %s", strerror(errno));
	return false;
}

bool dt_cli_write(const struct dt_buf *buf)
{
	if (!dt_buf_ok(buf)) {
		(void)dt_cli_fail("the output is larger than its limit, or memory ran out");
		return false;
	}
	if (fwrite(dt_buf_text(buf), 1, buf->len, stdout) == buf->len)
		return true;
	(void)dt_cli_fail("cannot write to standard output: %s", strerror(errno));
	return false;
}

struct dt_rules *dt_cli_rules(const char *path)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;

	if ((path ? dt_rules_load(&rules, path, &err) : dt_rules_load_builtin(&rules, &err)) == DT_OK)
		return rules;
	(void)dt_cli_fail("signatures: %s", err.text);
	return NULL;
}

/* What the commands share: messages, rules, tables of commands. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/base/mapping.h"
#include "core/base/text.h"
#include "core/log/log.h"
#include "doors/common/config.h"
#include "doors/common/door.h"

int dt_door_usage(const struct dt_command *self, const char *fmt, ...)
{
	va_list args;

	fputs("dumptriage: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	/* The arguments, not the table of options behind them: the message would leave the screen. */
	const char *options = strstr(self->usage, "\n\n");
	int len = (int)(options ? (size_t)(options - self->usage) : strcspn(self->usage, "\n"));
	fprintf(stderr, "\nusage: dumptriage %s %.*s\n'dumptriage %s --help' says more\n", self->name, len, self->usage, self->name);
	return DT_EXIT_USAGE;
}

int dt_door_number(const struct dt_command *self, const char *name, const char *value, uint64_t low, uint64_t high, uint64_t *out)
{
	uint64_t n;

	if (!dt_text_parse_u64(value, false, &n) || n < low || n > high)
		return dt_door_usage(self, "%s takes a number from %llu to %llu, not '%s'", name, (unsigned long long)low, (unsigned long long)high, value);
	*out = n;
	return DT_EXIT_OK;
}

int dt_door_unsigned(const struct dt_command *self, const char *name, const char *value, unsigned low, unsigned high, unsigned *out)
{
	uint64_t n;
	int status = dt_door_number(self, name, value, low, high, &n);

	if (status == DT_EXIT_OK)
		*out = (unsigned)n;
	return status;
}

bool dt_door_size_parse(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	char digits[24];

	if (!len || len >= sizeof(digits))
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)(unit && *unit ? len - 1 : len), text);
	if (!dt_text_parse_u64(digits, false, out) || !strncmp(digits, "0x", 2))
		return false;
	unsigned shift = unit && *unit ? 10u * (unsigned)(unit - units + 1) : 0;
	if (*out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

int dt_door_size(const struct dt_command *self, const char *name, const char *value, uint64_t *out)
{
	return dt_door_size_parse(value, out) && *out ? DT_EXIT_OK : dt_door_usage(self, "%s takes a size such as 512M or 8G, not '%s'", name, value);
}

int dt_door_url(const struct dt_command *self, const char *value, const char **out)
{
	static char url[2048];
	size_t len = strlen(value);

	if ((strncmp(value, "https://", 8) && strncmp(value, "http://", 7)) || len >= sizeof(url))
		return dt_door_usage(self, "--url takes how people reach the server, such as https://dumps.example.com, not '%s'", value);
	memcpy(url, value, len + 1);
	while (url[len - 1] == '/')
		url[--len] = '\0';
	*out = url;
	return DT_EXIT_OK;
}

int dt_door_hash(const struct dt_command *self, const char *value, bool *hash, bool *large)
{
	if (strcmp(value, "auto") && strcmp(value, "always") && strcmp(value, "never"))
		return dt_door_usage(self, "--hash takes auto, always or never, not '%s'", value);
	*hash = strcmp(value, "never") != 0;
	*large = strcmp(value, "always") == 0;
	return DT_EXIT_OK;
}

int dt_door_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	dt_log_args(DT_LOG_ERROR, "failed", NULL, fmt, args);
	va_end(args);
	return DT_EXIT_ENVIRONMENT;
}

bool dt_door_help(const struct dt_command *self, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			printf("dumptriage %s: %s\n\nusage: dumptriage %s %s", self->name, self->summary, self->name, self->usage);
			return true;
		}
	return false;
}

bool dt_door_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	(void)dt_door_fail("cannot write to standard output: %s", strerror(errno));
	return false;
}

bool dt_door_write(const struct dt_buf *buf)
{
	if (!dt_buf_ok(buf)) {
		(void)dt_door_fail("the output is larger than its limit, or memory ran out");
		return false;
	}
	if (fwrite(dt_buf_text(buf), 1, buf->len, stdout) == buf->len)
		return true;
	(void)dt_door_fail("cannot write to standard output: %s", strerror(errno));
	return false;
}

static struct dt_rules *with_carriers(struct dt_rules *rules, const char *carriers)
{
	struct dt_error err;

	if (!carriers || dt_rules_add_carriers(rules, carriers, &err) == DT_OK)
		return rules;
	(void)dt_door_fail("carriers: %s", err.text);
	dt_rules_free(rules);
	return NULL;
}

struct dt_rules *dt_door_rules(const char *path, const char *carriers)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;

	if ((path ? dt_rules_load(&rules, path, &err) : dt_rules_load_builtin(&rules, &err)) == DT_OK)
		return with_carriers(rules, carriers);
	(void)dt_door_fail("signatures: %s", err.text);
	return NULL;
}

static void skip_rule(void *context, const struct dt_error *why)
{
	++*(size_t *)context;
	fprintf(stderr, "%s\n", why->text);
}

struct dt_rules *dt_door_rules_some(const char *path, const char *carriers, size_t *skipped)
{
	struct dt_rules *rules = NULL;
	struct dt_error err;

	*skipped = 0;
	if (!path)
		return dt_door_rules(NULL, carriers);
	if (dt_rules_load_some(&rules, path, skip_rule, skipped, &err) == DT_OK)
		return with_carriers(rules, carriers);
	(void)dt_door_fail("signatures: %s", err.text);
	return NULL;
}

static struct dt_config *config;

const struct dt_config *dt_door_config(void)
{
	return config;
}

int dt_door_run(const struct dt_command *command, int argc, char **argv)
{
	struct dt_error err;
	enum dt_status status = dt_config_apply(&config, &argc, &argv, &err);

	if (status != DT_OK)
		return dt_door_fail("%s", err.text), status == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	int exit_status = command->run(command, argc, argv);
	dt_config_free(config);
	config = NULL;
	return exit_status;
}

int dt_door_main(const struct dt_command *commands, size_t count, int argc, char **argv)
{
	/* A closed pipe is an error of write, said once, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	dt_mapping_guard();
	dt_kill_points_arm();
	for (size_t i = 0; argc > 1 && i < count; i++)
		if (!strcmp(argv[1], commands[i].name))
			return dt_door_run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "dumptriage: this program is part of dumptriage, which runs it\n");
	return DT_EXIT_USAGE;
}

int dt_door_exec(const struct dt_command *command, int argc, char **argv)
{
	static const char *const places[] = { "", "../libexec/dumptriage/" };
	char self[PATH_MAX], path[PATH_MAX + 128];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)argc;
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s%s%s", self, places[i], command->program);
		if (access(path, X_OK) == 0)
			execv(path, argv);
	}
	return dt_door_fail("%s: the program %s is not there: %s", command->name, command->program, strerror(errno));
}

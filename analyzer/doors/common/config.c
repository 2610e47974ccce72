#include "doors/common/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/log/log.h"

enum { MAX_FILE = 1 << 20, MAX_SETTINGS = 1024 };

static const struct option_row {
	const char *name;
	bool value, secret;
	const char *commands, *yields;
} rows[] = {
#define DT_OPTION_ROW(name, value, secret, commands, yields) { name, value, secret, commands, yields },
#include "doors/common/options.def"
#undef DT_OPTION_ROW
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct setting {
	const struct option_row *row;
	const char *value, *command; /* command NULL: all */
	char source[128];
};

struct dt_config {
	struct dt_arena arena;
	struct setting settings[MAX_SETTINGS];
	size_t count;
	char **argv;
	const char *path; /* of the file, NULL none */
};

static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	if (!strcmp(list, "*"))
		return true;
	for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (!strncmp(at, word, len) && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static const struct option_row *find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* The password of scheme://user:password@...: from *begin to *end. */
static bool password_in(const char *url, const char **begin, const char **end)
{
	const char *scheme = url ? strstr(url, "://") : NULL, *authority = scheme ? scheme + 3 : NULL, *at = NULL, *colon;

	for (const char *c = authority; c && *c && *c != '/' && *c != '?'; c++)
		if (*c == '@')
			at = c;
	colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
	if (!colon || colon + 1 == at)
		return false;
	*begin = colon + 1;
	*end = at;
	return true;
}

static enum dt_status add(struct dt_config *config, const struct option_row *row, const char *value, const char *command, const char *source,
                          struct dt_error *err)
{
	struct setting *setting = &config->settings[config->count];

	if (config->count == MAX_SETTINGS)
		return dt_fail(err, DT_ERR_USAGE, "%s: more than %d settings", source, MAX_SETTINGS);
	if (!row->value && strcmp(value, "yes") && strcmp(value, "no") && strcmp(value, "true") && strcmp(value, "false"))
		return dt_fail(err, DT_ERR_USAGE, "%s: %s takes yes or no, not '%.40s'", source, row->name, value);
	*setting = (struct setting){ .row = row, .value = dt_arena_strdup(&config->arena, value),
		                     .command = command && *command ? dt_arena_strdup(&config->arena, command) : NULL };
	snprintf(setting->source, sizeof(setting->source), "%s", source);
	config->count++;
	return setting->value ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no memory");
}

/* ---- the file ------------------------------------------------------------------ */

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

bool dt_config_knows(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].commands, "*") != 0 && in_list(rows[i].commands, name))
			return true;
	return false;
}

static enum dt_status one_line(struct dt_config *config, char *line, char section[32], const char *source, struct dt_error *err)
{
	const struct option_row *row;
	char *equals;

	line = trim(line);
	if (!*line || *line == '#')
		return DT_OK;
	if (*line == '[') {
		size_t len = strlen(line);
		if (len < 3 || line[len - 1] != ']' || len > 30)
			return dt_fail(err, DT_ERR_USAGE, "%s: expected [command]", source);
		snprintf(section, 32, "%.*s", (int)len - 2, line + 1);
		return dt_config_knows(section) ? DT_OK : dt_fail(err, DT_ERR_USAGE, "%s: there is no command '%s' with options", source, section);
	}
	equals = strchr(line, '=');
	if (!equals)
		return dt_fail(err, DT_ERR_USAGE, "%s: expected option = value, found '%.60s'", source, line);
	*equals = '\0';
	char *name = trim(line), *value = trim(equals + 1);
	row = find_row(name);
	if (!row || (*section && !in_list(row->commands, section)))
		return dt_fail(err, DT_ERR_USAGE, "%s: %s%s has no option '%.40s'", source, *section ? "the command " : "dumptriage", section, name);
	return add(config, row, value, section, source, err);
}

static enum dt_status read_file(struct dt_config *config, const char *path, bool named, struct dt_error *err)
{
	FILE *file = fopen(path, "rbe");
	char line[4096], section[32] = "", source[128];
	enum dt_status status = DT_OK;
	struct stat info;
	const char *begin, *end;

	if (!file && (named || errno != ENOENT))
		return dt_fail(err, DT_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
	if (!file)
		return DT_OK;
	config->path = path;
	for (unsigned number = 1; status == DT_OK && fgets(line, sizeof(line), file); number++) {
		snprintf(source, sizeof(source), "%.100s:%u", path, number);
		if (!strchr(line, '\n') && strlen(line) + 1 == sizeof(line))
			status = dt_fail(err, DT_ERR_USAGE, "%s: the line is longer than %zu bytes", source, sizeof(line) - 2);
		else if (number > MAX_FILE / 16)
			status = dt_fail(err, DT_ERR_USAGE, "%s: too many lines", source);
		else
			status = one_line(config, line, section, source, err);
	}
	bool open_to_others = fstat(fileno(file), &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH));
	fclose(file);
	for (size_t i = 0; i < config->count && open_to_others; i++)
		if (config->settings[i].row->secret && password_in(config->settings[i].value, &begin, &end)) {
			dt_log(DT_LOG_WARNING, "config", NULL, "%s holds a password and can be read by others: chmod 600", path);
			break;
		}
	return status;
}

/* ---- the environment and the command line ----------------------------------------- */

static enum dt_status read_environment(struct dt_config *config, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	char name[64];

	for (size_t i = 0; i < ROWS && status == DT_OK; i++) {
		snprintf(name, sizeof(name), "DUMPTRIAGE_%s", rows[i].name);
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
		const char *value = getenv(name);
		if (value && *value)
			status = add(config, &rows[i], value, NULL, name, err);
	}
	return status;
}

/* Whether the command line has one of the options of a list. */
static bool given(const char *list, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		char name[64];
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(strcspn(argv[i] + 2, "=") > 60 ? 60 : strcspn(argv[i] + 2, "=")), argv[i] + 2);
		if (*list && in_list(list, name))
			return true;
	}
	return false;
}

static enum dt_status refuse_passwords(int argc, char **argv, struct dt_error *err)
{
	const char *begin, *end;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		const struct option_row *row = NULL;
		const char *value = NULL;
		char name[64];
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		size_t len = strcspn(argv[i] + 2, "=");
		snprintf(name, sizeof(name), "%.*s", (int)(len > 60 ? 60 : len), argv[i] + 2);
		row = find_row(name);
		value = argv[i][2 + len] == '=' ? argv[i] + 3 + len : i + 1 < argc ? argv[i + 1] : NULL;
		if (!row || !row->secret || !password_in(value, &begin, &end))
			continue;
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
		return dt_fail(err, DT_ERR_USAGE, "a password on the command line can be read by every user of this machine; "
		               "give the URL as DUMPTRIAGE_%s in the environment, or in the configuration file", name);
	}
	return DT_OK;
}

/* Takes "--name VALUE" or "--name=VALUE" out of the list; NULL when it is not there. */
static const char *take_out(const char *name, int *argc, char **argv)
{
	size_t len = strlen(name);

	for (int i = 1; i < *argc && strcmp(argv[i], "--"); i++) {
		bool apart = !strcmp(argv[i] + (strncmp(argv[i], "--", 2) ? 0 : 2), name) && !strncmp(argv[i], "--", 2) && i + 1 < *argc;
		bool joined = !strncmp(argv[i], "--", 2) && !strncmp(argv[i] + 2, name, len) && argv[i][2 + len] == '=';
		if (!apart && !joined)
			continue;
		const char *value = joined ? argv[i] + 3 + len : argv[i + 1];
		int used = joined ? 1 : 2;
		memmove(&argv[i], &argv[i + used], (size_t)(*argc - i - used + 1) * sizeof(*argv));
		*argc -= used;
		return value;
	}
	return NULL;
}

static const struct setting *last_of(const struct dt_config *config, const char *name, const char *command)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < config->count; i++)
		if (!strcmp(config->settings[i].row->name, name) && (!config->settings[i].command || !strcmp(config->settings[i].command, command)))
			found = &config->settings[i];
	return found;
}

static enum dt_status set_log(const struct dt_config *config, const char *command, int *argc, char **argv, struct dt_error *err)
{
	const struct setting *level_setting = last_of(config, "log-level", command), *format_setting = last_of(config, "log-format", command);
	const char *level = take_out("log-level", argc, argv), *format = take_out("log-format", argc, argv);

	level = level ? level : level_setting ? level_setting->value : NULL;
	format = format ? format : format_setting ? format_setting->value : NULL;
	return dt_log_set(level, format) ? DT_OK
	                                 : dt_fail(err, DT_ERR_USAGE, "--log-level takes error, warning, info or debug; --log-format takes text or json");
}

static bool is_on(const char *value)
{
	return !strcmp(value, "yes") || !strcmp(value, "true");
}

static enum dt_status build(struct dt_config *config, int argc, char **argv, int *new_argc, struct dt_error *err)
{
	int n = 0;

	config->argv = calloc((size_t)argc + config->count + 1, sizeof(*config->argv));
	if (!config->argv)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	config->argv[n++] = argv[0];
	for (size_t i = 0; i < config->count; i++) {
		const struct setting *setting = &config->settings[i];
		const struct option_row *row = setting->row;
		if (!in_list(row->commands, argv[0]) || !strcmp(row->commands, "*") || (setting->command && strcmp(setting->command, argv[0])) ||
		    given(row->yields, argc, argv) || (!row->value && !is_on(setting->value)))
			continue;
		config->argv[n] = (char *)(uintptr_t)(row->value ? dt_arena_printf(&config->arena, "--%s=%s", row->name, setting->value)
		                                                 : dt_arena_printf(&config->arena, "--%s", row->name));
		if (!config->argv[n++])
			return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	for (int i = 1; i < argc; i++)
		config->argv[n++] = argv[i];
	*new_argc = n;
	return DT_OK;
}

enum dt_status dt_config_apply(struct dt_config **out, int *argc, char ***argv, struct dt_error *err)
{
	struct dt_config *config = calloc(1, sizeof(*config));
	const char *command = (*argv)[0], *file, *variable = getenv("DUMPTRIAGE_CONFIG");
	enum dt_status status;

	if (!config)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_arena_init(&config->arena, 16u << 20);
	file = take_out("config", argc, *argv);
	file = file ? file : variable && *variable ? variable : NULL;
	status = refuse_passwords(*argc, *argv, err);
	if (status == DT_OK)
		status = read_file(config, file ? file : "/etc/dumptriage.conf", file != NULL, err);
	if (status == DT_OK)
		status = read_environment(config, err);
	if (status == DT_OK)
		status = set_log(config, command, argc, *argv, err);
	if (status == DT_OK)
		status = build(config, *argc, *argv, argc, err);
	if (status != DT_OK) {
		dt_config_free(config);
		return status;
	}
	*argv = config->argv;
	*out = config;
	return DT_OK;
}

void dt_config_free(struct dt_config *config)
{
	if (!config)
		return;
	dt_arena_deinit(&config->arena);
	free(config->argv);
	free(config);
}

void dt_config_print(const struct dt_config *config, const char *command, struct dt_buf *out)
{
	dt_buf_printf(out, "# %s\n", config->path ? config->path : "no configuration file");
	for (size_t i = 0; i < ROWS; i++) {
		const struct setting *setting = NULL;
		const char *begin, *end;
		if (*command && !in_list(rows[i].commands, command))
			continue;
		setting = last_of(config, rows[i].name, command);
		if (!setting) {
			dt_buf_printf(out, "# %s is not set\n", rows[i].name);
			continue;
		}
		if (rows[i].secret && password_in(setting->value, &begin, &end))
			dt_buf_printf(out, "%s = %.*s***%s", rows[i].name, (int)(begin - setting->value), setting->value, end);
		else
			dt_buf_printf(out, "%s = %s", rows[i].name, setting->value);
		dt_buf_printf(out, "   # %s\n", setting->source);
	}
}

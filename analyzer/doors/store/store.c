/* dumptriage store: status, upgrade, prune, check, backup, export. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/field.h"
#include "core/model/json.h"
#include "doors/common/when.h"
#include "doors/store/commands.h"
#include "fleet/store/feeds.h"

enum { DB = 300, BEFORE, CLASS, HOST, MODULE, DRY, CHANGES };

struct task {
	const char *db;
	struct dt_store_query query;
	bool dry, selected, changes; /* selected: prune was told which crashes; changes: that of those, too */
	struct dt_arena arena; /* of the selection */
	int argc;
	char **argv; /* behind the verb */
};

/* ---- the verbs ------------------------------------------------------------------ */

static int print_health(struct dt_store *store, bool deep)
{
	struct dt_store_health health;
	struct dt_error err;

	if (dt_store_check(store, deep, &health, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	printf("%s, version %d\n", health.url, health.version);
	printf("  %llu %s of %llu %s, %llu %s, %llu %s, %llu %s, %llu deleted\n", (unsigned long long)health.crashes,
	       dt_text_plural(health.crashes, "crash", "crashes"), (unsigned long long)health.files, dt_text_plural(health.files, "file", "files"),
	       (unsigned long long)health.incidents, dt_text_plural(health.incidents, "incident", "incidents"), (unsigned long long)health.hosts,
	       dt_text_plural(health.hosts, "host", "hosts"), (unsigned long long)health.changes, dt_text_plural(health.changes, "change", "changes"),
	       (unsigned long long)health.tombstones);
	for (size_t i = 1; i < DT_verdict_class_COUNT; i++)
		if (health.classes[i])
			printf("  %8llu  %s\n", (unsigned long long)health.classes[i], dt_word(&dt_words_verdict_class, (unsigned)i));
	if (deep && !health.problems)
		puts("nothing disagrees: every count was made again, every record was read");
	if (!dt_door_flush())
		return DT_EXIT_ENVIRONMENT;
	if (!health.problems)
		return DT_EXIT_OK;
	return dt_door_fail("%llu %s: %s", (unsigned long long)health.problems, dt_text_plural(health.problems, "problem", "problems, the first"), health.problem);
}

static int run_status(struct dt_store *store, const struct task *task)
{
	(void)task;
	return print_health(store, false);
}

static int run_check(struct dt_store *store, const struct task *task)
{
	(void)task;
	return print_health(store, true);
}

static int run_upgrade(struct dt_store *store, const struct task *task)
{
	/* Opening did it. */
	(void)task;
	return print_health(store, false);
}

static int run_prune(struct dt_store *store, const struct task *task)
{
	struct dt_error err;
	uint64_t removed;

	if (task->selected) {
		if (dt_store_remove(store, &task->query, task->dry, &removed, &err) != DT_OK)
			return dt_door_fail("%s", err.text);
		printf("%llu %s %s%s\n", (unsigned long long)removed, dt_text_plural(removed, "crash", "crashes"),
		       task->dry ? "would be deleted" : "deleted; a rescan does not bring ",
		       task->dry ? "" : dt_text_plural(removed, "it back", "them back"));
	}
	if (!task->dry) {
		if (dt_store_outbox_sweep(store, &removed, &err) != DT_OK)
			return dt_door_fail("%s", err.text);
		printf("%llu %s dropped that no feed needs\n", (unsigned long long)removed, dt_text_plural(removed, "change", "changes"));
	}
	return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

static int run_backup(struct dt_store *store, const struct task *task)
{
	struct dt_error err;

	if (dt_store_backup(store, task->argv[0], &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	return DT_EXIT_OK;
}

struct export {
	struct dt_arena arena;
	struct dt_buf out;
	bool failed;
};

static bool export_row(void *context, const struct dt_stored *row)
{
	struct export *export = context;
	struct dt_crash crash;
	struct dt_error err;

	dt_arena_reset(&export->arena);
	dt_buf_reset(&export->out);
	if (dt_store_unpack(row, &export->arena, &crash, &err) != DT_OK) {
		(void)dt_door_fail("crash %s: %s", row->key, err.text);
		export->failed = true;
		return true;
	}
	dt_json_write_crash(&crash, DT_JSON_LINE, &export->out);
	dt_buf_putc(&export->out, '\n');
	export->failed |= !dt_door_write(&export->out);
	return !export->failed;
}

static int run_export(struct dt_store *store, const struct task *task)
{
	struct dt_store_query query = task->query;
	struct export export = { 0 };
	struct dt_error err;

	query.records = true;
	dt_arena_init(&export.arena, DT_MAX_ARENA);
	dt_buf_init(&export.out, DT_MAX_JSON);
	enum dt_status status = dt_store_each(store, &query, export_row, &export, &err);
	dt_arena_deinit(&export.arena);
	dt_buf_deinit(&export.out);
	if (status != DT_OK)
		return dt_door_fail("%s", err.text);
	return dt_door_flush() && !export.failed ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

static const struct verb {
	const char *name;
	enum dt_store_mode mode;
	int arguments;
	bool selects; /* takes the options that say which crashes */
	int (*run)(struct dt_store *store, const struct task *task);
} verbs[] = {
	{ "status", DT_STORE_ANY, 0, false, run_status },       { "upgrade", DT_STORE_UPGRADE, 0, false, run_upgrade },
	{ "check", DT_STORE_READ, 0, false, run_check },        { "prune", DT_STORE_READ, 0, true, run_prune },
	{ "backup", DT_STORE_READ, 1, false, run_backup },      { "export", DT_STORE_READ, 0, true, run_export },
};

/* ---- options ---------------------------------------------------------------------- */

static int one(struct task *task, const struct dt_command *self, int option, const char *value)
{
	task->selected |= option == BEFORE || option == CLASS || option == HOST || option == MODULE;
	switch (option) {
	case DB: task->db = value; return DT_EXIT_OK;
	case BEFORE:
		return dt_parse_when(value, &task->query.until)
		               ? DT_EXIT_OK
		               : dt_door_usage(self, "--before takes a day (2024-07-19), a time or an age (365d), not '%s'", value);
	case CLASS:
		task->query.class = (enum dt_verdict_class)dt_word_value(&dt_words_verdict_class, value);
		return task->query.class ? DT_EXIT_OK : dt_door_usage(self, "there is no verdict class '%s'", value);
	case HOST: task->query.host = dt_text_lower(&task->arena, value); return task->query.host ? DT_EXIT_OK : dt_door_fail("no memory");
	case MODULE: task->query.module = dt_text_lower(&task->arena, value); return task->query.module ? DT_EXIT_OK : dt_door_fail("no memory");
	case DRY: task->dry = true; return DT_EXIT_OK;
	case CHANGES: task->changes = true; return DT_EXIT_OK;
	default: return dt_door_usage(self, "wrong option");
	}
}

static int parse(struct task *task, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB },         { "before", required_argument, NULL, BEFORE }, { "class", required_argument, NULL, CLASS },
		{ "host", required_argument, NULL, HOST },     { "module", required_argument, NULL, MODULE }, { "dry-run", no_argument, NULL, DRY },
		{ "changes", no_argument, NULL, CHANGES },    { 0 },
	};
	int option, status = DT_EXIT_OK;

	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		status = one(task, self, option, optarg);
	return status;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int check(const struct task *task, const struct dt_command *self, const struct verb *verb)
{
	if (task->argc != verb->arguments)
		return dt_door_usage(self, "%s takes %s", verb->name, verb->arguments ? "the file to write" : "no argument");
	if ((task->selected || task->dry || task->changes) && (!verb->selects || (task->changes && verb->run != run_prune)))
		return dt_door_usage(self, "%s takes no selection", verb->name);
	if (task->changes && task->selected)
		return dt_door_usage(self, "--changes goes alone: with a selection every prune drops them");
	if (task->changes && task->dry)
		return dt_door_usage(self, "--dry-run counts crashes, not changes");
	if (verb->run == run_prune && !task->selected && !task->changes)
		return dt_door_usage(self, "prune what? --before, --class, --host or --module, or --changes");
	return DT_EXIT_OK;
}

static int run_task(struct task *task, const struct dt_command *self, int argc, char **argv)
{
	int status = parse(task, self, argc, argv);

	if (status != DT_EXIT_OK)
		return status;
	const struct verb *verb = optind < argc ? find_verb(argv[optind]) : NULL;
	if (!verb)
		return dt_door_usage(self, optind < argc ? "there is no verb '%s'" : "what with the store?", optind < argc ? argv[optind] : "");
	task->argc = argc - optind - 1;
	task->argv = argv + optind + 1;
	if ((status = check(task, self, verb)) != DT_EXIT_OK)
		return status;
	struct dt_store *store = dt_store_cmd_open(self, task->db, verb->mode, &status);
	if (!store)
		return status;
	status = verb->run(store, task);
	dt_store_close(store);
	return status;
}

int dt_store_cmd_store(const struct dt_command *self, int argc, char **argv)
{
	struct task task = { 0 };

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_arena_init(&task.arena, 1u << 16);
	int status = run_task(&task, self, argc, argv);
	dt_arena_deinit(&task.arena);
	return status;
}

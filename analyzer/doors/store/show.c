/* dumptriage show ID --db URL: one crash or one incident of a store. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "doors/store/commands.h"
#include "doors/view/incident_view.h"

enum { DB = 300 };

struct show {
	const char *db;
	struct dt_output output;
	struct dt_store *store;
	struct dt_arena arena;
	uint64_t found;
	struct dt_stored row; /* texts in the arena */
};

/* ---- an incident ------------------------------------------------------------- */

static int show_incident(struct show *show, const struct dt_command *self, uint64_t id)
{
	struct dt_report_incident view;
	struct dt_error err;
	struct dt_buf out;
	int status;

	if (strcmp(show->output.format->name, "text") && strcmp(show->output.format->name, "json") && strcmp(show->output.format->name, "jsonl"))
		return dt_door_usage(self, "an incident is shown as text or as json, not as %s", show->output.format->name);
	enum dt_status found = dt_view_incident_details(show->store, id, &show->arena, &view, NULL, &err);
	if (found == DT_ERR_NOT_FOUND) {
		fprintf(stderr, "dumptriage: the store has no incident i%llu\n", (unsigned long long)id);
		return DT_EXIT_UNREADABLE;
	}
	if (found != DT_OK)
		return dt_door_fail("%s", err.text);
	dt_buf_init(&out, 64u << 20);
	if (!strcmp(show->output.format->name, "text")) {
		dt_report_incident_page(&view, &show->output.style, &out);
	} else {
		dt_report_incident_json(&view, &out);
		dt_buf_putc(&out, '\n');
	}
	status = dt_door_write(&out) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&out);
	return status;
}

/* ---- a crash ------------------------------------------------------------------- */

static bool take_row(void *context, const struct dt_stored *row)
{
	struct show *show = context;

	if (show->found++)
		return show->found < 10;
	show->row = dt_stored_keep(row, &show->arena);
	return true;
}

static bool print_incident(void *context, const struct dt_stored_incident *row)
{
	(void)context;
	printf("  i%-7llu %llu %s, %llu %s  %s\n", (unsigned long long)row->id, (unsigned long long)row->hosts, dt_text_plural(row->hosts, "host", "hosts"),
	       (unsigned long long)row->crashes, dt_text_plural(row->crashes, "crash", "crashes"), row->title ? row->title : row->key);
	return true;
}

/* What the store knows beside the record; never part of it. */
static enum dt_status print_around(struct show *show, struct dt_error *err)
{
	struct dt_review review;
	enum dt_status status;

	printf("\nin the store: crash %s, %llu %s\n", show->row.key, (unsigned long long)show->row.files, dt_text_plural(show->row.files, "file", "files"));
	status = dt_store_incidents(show->store, &(struct dt_store_incident_query){ .crash = show->row.id }, print_incident, NULL, err);
	if (status != DT_OK || !show->row.host)
		return status;
	/* an id that no incident has: only hosts are looked at */
	status = dt_review_make(show->store, &(struct dt_review_options){ .id = UINT64_MAX >> 1 }, &show->arena, &review, err);
	for (size_t i = 0; status == DT_OK && i < review.host_count; i++)
		if (!strcmp(review.hosts[i].name, show->row.host))
			printf("  this host crashes in many ways, suspect its hardware: %s\n", review.hosts[i].pattern.reason);
	return status;
}

static int show_crash(struct show *show, const char *key)
{
	const struct dt_store_query query = { .key = key, .records = true, .count_files = true, .limit = 3 };
	struct dt_crash crash;
	struct dt_error err;

	if (dt_store_each(show->store, &query, take_row, show, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	if (show->found != 1) {
		fprintf(stderr, "dumptriage: the store has %s crash whose id begins with '%.64s'\n", show->found ? "more than one" : "no", key);
		return DT_EXIT_UNREADABLE;
	}
	if (dt_store_unpack(&show->row, &show->arena, &crash, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	if (!dt_output_record(&show->output, &crash) || !dt_output_end(&show->output))
		return DT_EXIT_ENVIRONMENT;
	if (!strcmp(show->output.format->name, "text") && print_around(show, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

int dt_store_cmd_show(const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = { DT_OUTPUT_LONG_OPTIONS, { "db", required_argument, NULL, DB }, { 0 } };
	struct show show = { 0 };
	uint64_t id;
	int option, status = DT_EXIT_OK;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_output_init(&show.output);
	dt_arena_init(&show.arena, 512u << 20);
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, DT_OUTPUT_SHORT_OPTIONS, table, NULL)) != -1) {
		int taken = dt_output_option(&show.output, self, option, optarg);
		if (taken < 0)
			status = DT_EXIT_USAGE;
		else if (!taken && option != DB)
			status = dt_door_usage(self, "wrong option");
		else if (!taken)
			show.db = optarg;
	}
	if (status == DT_EXIT_OK && optind + 1 != argc)
		status = dt_door_usage(self, "show takes the id of one crash, or of one incident");
	if (status == DT_EXIT_OK && (show.store = dt_store_cmd_open(self, show.db, DT_STORE_READ, &status))) {
		const char *wanted = argv[optind];
		if (wanted[0] == 'i' && dt_text_parse_u64(wanted + 1, false, &id) && id)
			status = show_incident(&show, self, id);
		else
			status = show_crash(&show, wanted);
	}
	dt_store_close(show.store);
	dt_arena_deinit(&show.arena);
	dt_output_deinit(&show.output);
	return status;
}

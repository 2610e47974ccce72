/* dumptriage merge: the parts of one scan into a store. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/json.h"
#include "doors/scan/parts.h"

enum { OPTION_DB = 300, OPTION_PARTIAL, OPTION_SIGNATURES, OPTION_CARRIERS };

struct merge {
	const char *db, *signatures, *carriers;
	bool partial;
	struct dt_rules *rules;
	struct dt_store *store;
	struct dt_intake intake;
	struct dt_arena arena;
	uint64_t records;
};

static int parse(struct merge *merge, const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, OPTION_DB },
		{ "partial", no_argument, NULL, OPTION_PARTIAL },
		{ "carriers", required_argument, NULL, OPTION_CARRIERS },
		{ "signatures", required_argument, NULL, OPTION_SIGNATURES },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case OPTION_DB: merge->db = optarg; break;
		case OPTION_PARTIAL: merge->partial = true; break;
		case OPTION_SIGNATURES: merge->signatures = optarg; break;
		case OPTION_CARRIERS: merge->carriers = optarg; break;
		default: return dt_door_usage(self, "wrong option");
		}
	if (!merge->db)
		return dt_door_usage(self, "--db is missing");
	return optind < argc ? DT_EXIT_OK : dt_door_usage(self, "no part given");
}

static enum dt_status count_only(void *context, const char *line, size_t len, struct dt_error *err)
{
	(void)context;
	(void)line;
	(void)len;
	(void)err;
	return DT_OK;
}

/* All parts of one scan, each once, each with its end. */
static int check_parts(const struct merge *merge, int count, char **paths)
{
	struct dt_part_head first = { 0 }, head;
	struct dt_error err;
	unsigned char *seen = NULL;
	uint32_t missing = 0, one = 0;
	int status = DT_EXIT_OK;

	for (int i = 0; i < count && status == DT_EXIT_OK; i++) {
		bool complete;
		off_t good;
		if (dt_part_read(paths[i], &head, &complete, count_only, NULL, &good, &err) != DT_OK)
			status = dt_door_fail("%s", err.text);
		else if (i == 0 && (first = head, head.shards > 1000000 || !(seen = calloc(head.shards, 1))))
			status = dt_door_fail("%s: of %u shards", paths[i], head.shards);
		else if (strcmp(head.run, first.run) != 0 || head.shards != first.shards)
			status = dt_door_fail("%s is of another scan than %s", paths[i], paths[0]);
		else if (!complete && !merge->partial)
			status = dt_door_fail("%s has no end: its scan was not finished (--partial takes it all the same)", paths[i]);
		else
			seen[head.shard] = 1;
	}
	for (uint32_t i = 0; status == DT_EXIT_OK && i < first.shards; i++)
		if (!seen[i] && missing++ == 0)
			one = i;
	free(seen);
	if (missing && !merge->partial)
		return dt_door_fail("%u of the %u parts of this scan %s shard %u (--partial merges what is there)", missing, first.shards,
		                    dt_text_plural(missing, "is missing,", "are missing, the first is"), one);
	return status;
}

/* Judged again: the parts may have been written by older rules than the ones in force here. */
static enum dt_status take(void *context, const char *line, size_t len, struct dt_error *err)
{
	struct merge *merge = context;
	struct dt_crash crash, judged;
	enum dt_status status;

	dt_arena_reset(&merge->arena);
	status = dt_json_read_crash(line, len, &merge->arena, &crash, err);
	if (status == DT_OK)
		status = dt_intake_judge(&merge->intake, &crash.facts, NULL, DT_host_source_NULL, &judged, err);
	if (status == DT_OK)
		status = dt_intake_store(&merge->intake, &judged, err);
	merge->records += status == DT_OK;
	return status;
}

static int merge_all(struct merge *merge, int count, char **paths)
{
	struct dt_error err;
	enum dt_status status = DT_OK;

	for (int i = 0; i < count && status == DT_OK; i++) {
		struct dt_part_head head;
		bool complete;
		off_t good;
		status = dt_part_read(paths[i], &head, &complete, take, merge, &good, &err);
	}
	if (status == DT_OK)
		status = dt_intake_commit(&merge->intake, &err);
	if (status != DT_OK)
		return dt_door_fail("%s", err.text);
	printf("%llu %s of %d %s: %llu new %s, %llu changed, %llu known already\n", (unsigned long long)merge->records,
	       dt_text_plural(merge->records, "record", "records"), count, dt_text_plural((uint64_t)count, "part", "parts"),
	       (unsigned long long)merge->intake.counts.added, dt_text_plural(merge->intake.counts.added, "crash", "crashes"), (unsigned long long)merge->intake.counts.changed,
	       (unsigned long long)merge->intake.counts.unchanged);
	return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

int dt_scan_merge(const struct dt_command *self, int argc, char **argv)
{
	struct merge merge = { 0 };
	struct dt_error err;
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = parse(&merge, self, argc, argv);
	if (status == DT_EXIT_OK)
		status = check_parts(&merge, argc - optind, argv + optind);
	if (status != DT_EXIT_OK)
		return status;
	if (!(merge.rules = dt_door_rules(merge.signatures, merge.carriers)))
		return DT_EXIT_ENVIRONMENT;
	dt_arena_init(&merge.arena, DT_MAX_ARENA);
	if (dt_store_open(&merge.store, merge.db, DT_STORE_WRITE, &err) != DT_OK) {
		status = dt_door_fail("%s", err.text);
	} else {
		dt_intake_init(&merge.intake, merge.store, merge.rules);
		status = merge_all(&merge, argc - optind, argv + optind);
		dt_intake_deinit(&merge.intake);
	}
	dt_store_close(merge.store);
	dt_arena_deinit(&merge.arena);
	dt_rules_free(merge.rules);
	return status;
}

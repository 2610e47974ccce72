/* dumptriage incidents, and `show` of one incident. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/common/when.h"
#include "doors/store/commands.h"
#include "doors/view/incident_view.h"

enum { DB = 300, KIND, LIMIT, AT };
enum { SHOWN = 40 };

struct listing {
	const char *db;
	bool json;
	struct dt_review_options review;
	unsigned limit;
};

static int one(struct listing *listing, const struct dt_command *self, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case DB: listing->db = value; return DT_EXIT_OK;
	case 'f':
		listing->json = !strcmp(value, "json") || !strcmp(value, "jsonl");
		return listing->json || !strcmp(value, "text") ? DT_EXIT_OK : dt_door_usage(self, "--format takes text, json or jsonl, not '%s'", value);
	case KIND:
		return dt_view_kind_parse(value, &listing->review.kind) ? DT_EXIT_OK : dt_door_usage(self, "--kind takes signature, own or family, not '%s'", value);
	case LIMIT:
		return dt_door_unsigned(self, "--limit", value, 1, 100000, &listing->limit);
	case AT:
		if (!dt_parse_when(value, &number) || number < DT_TIME_UNIX_EPOCH)
			return dt_door_usage(self, "--at takes a time from 1970 on such as 2024-07-19T06:00:00Z, a day, or an age such as 30d, not '%s'", value);
		listing->review.now = dt_some((uint64_t)dt_time_to_unix(number));
		return DT_EXIT_OK;
	default: return dt_door_usage(self, "wrong option");
	}
}

static int parse(struct listing *listing, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB },       { "format", required_argument, NULL, 'f' }, { "kind", required_argument, NULL, KIND },
		{ "limit", required_argument, NULL, LIMIT }, { "at", required_argument, NULL, AT },      { 0 },
	};
	int option, status = DT_EXIT_OK;

	listing->limit = SHOWN;
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "f:", table, NULL)) != -1)
		status = one(listing, self, option, optarg);
	if (status == DT_EXIT_OK && optind < argc)
		status = dt_door_usage(self, "'%s' is one too many", argv[optind]);
	return status;
}

static void minute(int64_t seconds, char out[24])
{
	time_t at = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&at, &tm))
		strftime(out, 24, "%Y-%m-%d %H:%M", &tm);
}

static void print_text(const struct listing *listing, const struct dt_review *review, struct dt_buf *out)
{
	struct dt_output output;
	char now[24] = "-";
	size_t shown = 0;

	dt_output_init(&output);
	if (!review->fleet.id) {
		dt_buf_puts(out, "the store has no crash that belongs to an incident\n");
		dt_output_deinit(&output);
		return;
	}
	minute(review->now, now);
	dt_buf_printf(out, "%llu %s of %llu %s; ", (unsigned long long)review->fleet.crashes, dt_text_plural(review->fleet.crashes, "crash", "crashes"),
	              (unsigned long long)review->fleet.hosts, dt_text_plural(review->fleet.hosts, "host", "hosts"));
	if (review->now || listing->review.now.known)
		dt_buf_printf(out, "states as of %s UTC%s", now, listing->review.now.known ? "" : ", the newest crash");
	else
		dt_buf_puts(out, "no crash has a plausible time");
	dt_buf_printf(out, "; %zu %s\n\n", review->outbreaks, dt_text_plural(review->outbreaks, "outbreak", "outbreaks"));
	dt_report_incidents_head(&output.style, out);
	for (; shown < review->count && shown < listing->limit; shown++) {
		struct dt_report_incident view;
		dt_view_incident(&review->incidents[shown], &view);
		dt_report_incident_line(&view, &output.style, out);
	}
	if (shown < review->count)
		dt_buf_printf(out, "and %zu more (--limit)\n", review->count - shown);
	for (size_t i = 0; i < review->count; i++) {
		if (!review->incidents[i].outbreak)
			continue;
		dt_buf_printf(out, "\noutbreak i%llu: ", (unsigned long long)review->incidents[i].stored.id);
		dt_view_burst(&review->incidents[i].status.burst, out);
		dt_buf_putc(out, '\n');
	}
	if (review->host_count)
		dt_buf_puts(out, "\nhosts that crash in many ways: suspect their hardware first\n");
	for (size_t i = 0; i < review->host_count; i++)
		dt_buf_printf(out, "  %-16s %s\n", review->hosts[i].name, review->hosts[i].pattern.reason);
	dt_output_deinit(&output);
}

static void print_json(const struct listing *listing, const struct dt_review *review, struct dt_buf *out)
{
	for (size_t i = 0; i < review->count && i < listing->limit; i++) {
		struct dt_report_incident view;
		dt_view_incident(&review->incidents[i], &view);
		dt_report_incident_json(&view, out);
		dt_buf_putc(out, '\n');
	}
}

int dt_store_cmd_incidents(const struct dt_command *self, int argc, char **argv)
{
	struct listing listing = { 0 };
	struct dt_review review;
	struct dt_arena arena;
	struct dt_error err;
	struct dt_buf out;
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = parse(&listing, self, argc, argv);
	if (status != DT_EXIT_OK)
		return status;
	struct dt_store *store = dt_store_cmd_open(self, listing.db, DT_STORE_READ, &status);
	if (!store)
		return status;
	dt_arena_init(&arena, 512u << 20);
	dt_buf_init(&out, 256u << 20);
	if (listing.limit > 500)
		listing.review.limit = listing.limit;
	if (dt_review_make(store, &listing.review, &arena, &review, &err) != DT_OK) {
		status = dt_door_fail("%s", err.text);
	} else {
		(listing.json ? print_json : print_text)(&listing, &review, &out);
		status = dt_door_write(&out) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	dt_buf_deinit(&out);
	dt_arena_deinit(&arena);
	dt_store_close(store);
	return status;
}

/* The options of `feed`, and secrets: from a file or from the environment, never from the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/common/when.h"
#include "doors/feed/feed.h"

enum { DB = 300, TO, ENCODING, FOLLOW, SINCE, REPLAY, SECRET, CA, NAMESPACE, TEMPLATE, UNMASKED, ACK, SIZE, AGE, KEEP, BATCH, TIMEOUT, GIVE_UP, METRICS };
enum { MAX_SECRET = 4096, MAX_TEMPLATE = 1 << 20 };

/* A number with K, M, G behind it (bytes), or with s, m, h, d (seconds). */
static int scaled(const struct dt_command *self, const char *name, const char *value, const char *units, const uint64_t *scales, uint64_t *out)
{
	char digits[24];
	size_t len = strspn(value, "0123456789");
	const char *unit = value[len] ? strchr(units, value[len]) : NULL;

	snprintf(digits, sizeof(digits), "%.*s", len < 20 ? (int)len : 20, value);
	if (!len || len > 12 || (value[len] && (!unit || value[len + 1])) || !dt_text_parse_u64(digits, false, out))
		return dt_door_usage(self, "%s takes a number with one of '%s' behind it, not '%s'", name, units, value);
	*out *= unit ? scales[unit - units] : 1;
	return DT_EXIT_OK;
}

static int one(struct dt_feed_command *feed, const struct dt_command *self, int option, const char *value)
{
	static const uint64_t bytes[] = { 1u << 10, 1u << 20, 1u << 30 }, seconds[] = { 1, 60, 3600, 86400 };
	struct dt_deliver_options *deliver = &feed->deliver;
	uint64_t n = 0;
	int status = DT_EXIT_OK;

	switch (option) {
	case DB: deliver->db = value; break;
	case TO: deliver->sink.url = value; break;
	case ENCODING: deliver->encoding = value; break;
	case FOLLOW: feed->follow = true; break;
	case SINCE:
		deliver->start.since_given = true;
		if (!dt_parse_when(value, &deliver->start.since))
			return dt_door_usage(self, "--since takes a time such as 2024-07-19T06:00:00Z, a day, or an age such as 30d, not '%s'", value);
		break;
	case REPLAY: deliver->start.replay = true; break;
	case SECRET: feed->secret_file = value; break;
	case CA: deliver->sink.ca_file = value; break;
	case NAMESPACE: deliver->sink.name_space = value; break;
	case TEMPLATE: feed->template_file = value; break;
	case UNMASKED: deliver->unmasked = true; break;
	case ACK: deliver->sink.ack = true; break;
	case SIZE: return scaled(self, "--rotate-size", value, "KMG", bytes, &deliver->sink.rotate_bytes);
	case AGE:
		status = scaled(self, "--rotate-time", value, "smhd", seconds, &n);
		deliver->sink.rotate_s = n < UINT32_MAX ? (unsigned)n : UINT32_MAX;
		break;
	case KEEP: status = dt_door_number(self, "--rotate-keep", value, 0, 1000, &n), deliver->sink.keep = (unsigned)n; break;
	case BATCH: status = dt_door_number(self, "--batch", value, 1, 10000, &n), deliver->batch = (size_t)n; break;
	case TIMEOUT: status = dt_door_number(self, "--timeout", value, 1, 3600, &n), deliver->sink.timeout_s = (unsigned)n; break;
	case GIVE_UP: status = dt_door_number(self, "--give-up", value, 0, 86400, &n), feed->give_up_s = (unsigned)n; break;
	case METRICS: feed->metrics = value; break;
	default: return dt_door_usage(self, "wrong option");
	}
	return status;
}

static int read_file(const char *path, size_t max, const char *what, struct dt_buf *out)
{
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t n;

	if (!file)
		return dt_door_fail("%s %s: %s", what, path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		dt_buf_append(out, block, n);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (failed || !dt_buf_ok(out) || memchr(dt_buf_text(out), '\0', out->len))
		return dt_door_fail("%s %s cannot be read, or is no text of at most %zu bytes", what, path, max);
	return DT_EXIT_OK;
}

/* The first line; what stands in the environment counts less than a file. */
static int read_secret(struct dt_feed_command *feed)
{
	const char *environment = getenv("DUMPTRIAGE_FEED_SECRET");
	int status = DT_EXIT_OK;

	if (feed->secret_file)
		status = read_file(feed->secret_file, MAX_SECRET, "the secret's file", &feed->secret);
	else if (environment)
		dt_buf_puts(&feed->secret, environment);
	while (feed->secret.len && strchr("\r\n", feed->secret.data[feed->secret.len - 1]))
		feed->secret.data[--feed->secret.len] = '\0';
	if (feed->secret.len)
		feed->deliver.sink.secret = dt_buf_text(&feed->secret);
	if (status == DT_EXIT_OK && feed->secret_file && !feed->secret.len)
		status = dt_door_fail("the secret's file %s is empty", feed->secret_file);
	return status;
}

int dt_feed_parse(struct dt_feed_command *feed, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB },               { "to", required_argument, NULL, TO },
		{ "encoding", required_argument, NULL, ENCODING },   { "follow", no_argument, NULL, FOLLOW },
		{ "since", required_argument, NULL, SINCE },         { "replay", no_argument, NULL, REPLAY },
		{ "secret-file", required_argument, NULL, SECRET },  { "ca-file", required_argument, NULL, CA },
		{ "namespace", required_argument, NULL, NAMESPACE }, { "template", required_argument, NULL, TEMPLATE },
		{ "unmasked", no_argument, NULL, UNMASKED },         { "ack", no_argument, NULL, ACK },
		{ "rotate-size", required_argument, NULL, SIZE },    { "rotate-time", required_argument, NULL, AGE },
		{ "rotate-keep", required_argument, NULL, KEEP },    { "batch", required_argument, NULL, BATCH },
		{ "timeout", required_argument, NULL, TIMEOUT },     { "give-up", required_argument, NULL, GIVE_UP },
		{ "metrics", required_argument, NULL, METRICS },     { 0 },
	};
	int option, status = DT_EXIT_OK;

	feed->give_up_s = 30;
	feed->deliver.sink = (struct dt_sink_options){ .rotate_bytes = 100u << 20, .rotate_s = 86400, .keep = 7, .timeout_s = 30 };
	dt_buf_init(&feed->secret, MAX_SECRET);
	dt_buf_init(&feed->template, MAX_TEMPLATE);
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		status = one(feed, self, option, optarg);
	if (status == DT_EXIT_OK && optind < argc) {
		feed->word = argv[optind++];
		if ((strcmp(feed->word, "status") != 0 && strcmp(feed->word, "retry") != 0) || optind < argc)
			return dt_door_usage(self, "'%s' is one too many", optind < argc ? argv[optind] : feed->word);
	}
	if (status == DT_EXIT_OK && (!feed->deliver.db || (!feed->word && !feed->deliver.sink.url)))
		return dt_door_usage(self, feed->deliver.db ? "--to is missing" : "--db is missing");
	if (status == DT_EXIT_OK && !feed->word)
		status = read_secret(feed);
	if (status == DT_EXIT_OK && feed->template_file) {
		status = read_file(feed->template_file, MAX_TEMPLATE, "the template", &feed->template);
		feed->deliver.template = dt_buf_text(&feed->template);
	}
	return status;
}

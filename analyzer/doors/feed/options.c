/* The options of `feed`. Secrets come from a file or from the environment, never from the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/common/secret.h"
#include "doors/common/when.h"
#include "doors/feed/feed.h"

enum { DB = 300, TO, ENCODING, FOLLOW, SINCE, REPLAY, SECRET, CA, NAMESPACE, TEMPLATE, UNMASKED, ACK, SIZE, AGE, KEEP, BATCH, TIMEOUT, GIVE_UP, METRICS, URL };
enum { MAX_TEMPLATE = 1 << 20 };

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
	case TO:
		deliver->sink.url = value;
		deliver->sink.secret_hint = "--secret-file FILE, or DUMPTRIAGE_FEED_SECRET in the environment";
		break;
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
	case URL: status = dt_door_url(self, value, &deliver->server); break;
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

/* status [FEED], retry [FEED [WHAT...]], remove FEED */
static int parse_words(struct dt_feed_command *feed, const struct dt_command *self, int count, char **words)
{
	if (!dt_feed_is_word(words[0]))
		return dt_door_usage(self, "'%s' is one too many", words[0]);
	feed->word = words[0];
	feed->feed = count > 1 ? words[1] : NULL;
	if (!strcmp(feed->word, "remove") && !feed->feed)
		return dt_door_usage(self, "remove which feed? 'feed status' lists them");
	if (strcmp(feed->word, "retry") != 0 && count > 2)
		return dt_door_usage(self, "'%s' is one too many", words[2]);
	feed->letters = words + 2;
	feed->letter_count = count > 2 ? (size_t)count - 2 : 0;
	return DT_EXIT_OK;
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
		{ "metrics", required_argument, NULL, METRICS },     { "url", required_argument, NULL, URL },
		{ 0 },
	};
	int option, status = DT_EXIT_OK;

	feed->give_up_s = 30;
	feed->deliver.sink = (struct dt_sink_options){ .rotate_bytes = 100u << 20, .rotate_s = 86400, .keep = 7, .timeout_s = 30 };
	dt_buf_init(&feed->secret, DT_SECRET_MAX);
	dt_buf_init(&feed->template, MAX_TEMPLATE);
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		status = one(feed, self, option, optarg);
	if (status == DT_EXIT_OK && optind < argc)
		status = parse_words(feed, self, argc - optind, argv + optind);
	if (status == DT_EXIT_OK && (!feed->deliver.db || (!feed->word && !feed->deliver.sink.url)))
		return dt_door_usage(self, feed->deliver.db ? "--to is missing" : "--db is missing");
	if (status == DT_EXIT_OK && !feed->word)
		status = dt_door_secret(feed->secret_file, "DUMPTRIAGE_FEED_SECRET", &feed->secret, &feed->deliver.sink.secret);
	if (status == DT_EXIT_OK && feed->template_file) {
		status = dt_door_read_text(feed->template_file, "the template", &feed->template);
		feed->deliver.template = dt_buf_text(&feed->template);
	}
	return status;
}

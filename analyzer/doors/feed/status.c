/* feed status, retry, remove: the feeds of a store, what each is owed, what its receiver rejected and why. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/feed/feed.h"

enum { LETTERS = 20, FEEDS = 64, NAME = 600 };

struct listing {
	const struct dt_feed_command *command;
	struct dt_buf out;
	struct { uint64_t id, dead; char name[NAME]; } feeds[FEEDS];
	size_t count;
	uint64_t shown; /* letters of the feed that is listed */
};

static void put_time(struct dt_buf *out, const char *before, uint64_t time)
{
	char text[DT_TIME_TEXT_MAX];

	if (time && dt_time_format(time / DT_TIME_SECOND * DT_TIME_SECOND, text))
		dt_buf_printf(out, "%s%s", before, text);
}

/* What a receiver wrote goes to a terminal: it is cleaned. */
static void put_clean(struct dt_buf *out, const char *text)
{
	struct dt_arena arena;

	dt_arena_init(&arena, 1u << 20);
	const char *clean = dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)text, strlen(text) });
	dt_buf_puts(out, clean ? clean : "");
	dt_arena_deinit(&arena);
}

/* ---- which feed ------------------------------------------------------------------- */

/* By its number, its whole name, or its receiver. */
static bool is_meant(const char *word, uint64_t id, const char *name)
{
	const char *space = strrchr(name, ' ');
	uint64_t number;

	if (dt_text_parse_u64(word, false, &number))
		return number == id;
	return !strcmp(word, name) || (space && strlen(word) == (size_t)(space - name) && !strncmp(word, name, strlen(word)));
}

static bool take_name(void *context, const struct dt_feed *feed)
{
	struct listing *listing = context;

	if (!listing->command->feed || is_meant(listing->command->feed, feed->id, feed->name)) {
		listing->feeds[listing->count].id = feed->id;
		listing->feeds[listing->count].dead = feed->dead;
		snprintf(listing->feeds[listing->count++].name, NAME, "%s", feed->name);
	}
	return listing->count < FEEDS;
}

/* The one feed that the words name. */
static int one_feed(struct dt_store *store, struct listing *listing)
{
	struct dt_error err;

	listing->count = 0;
	if (dt_store_feeds(store, take_name, listing, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	if (listing->count == 1)
		return DT_EXIT_OK;
	(void)dt_door_fail(listing->count ? "more than one feed goes to %s: name it by its number" : "there is no feed %s; 'feed status' lists them",
	                   listing->command->feed);
	return DT_EXIT_USAGE;
}

/* ---- status ------------------------------------------------------------------------ */

static void put_trouble(struct dt_buf *out, const struct dt_feed *feed)
{
	if (feed->error) {
		put_time(out, "  nothing arrives since ", feed->error_at);
		dt_buf_puts(out, ": ");
		put_clean(out, feed->error);
		dt_buf_putc(out, '\n');
	}
	if (feed->note) {
		dt_buf_puts(out, "  note: ");
		put_clean(out, feed->note);
		dt_buf_putc(out, '\n');
	}
}

static bool take_feed(void *context, const struct dt_feed *feed)
{
	struct listing *listing = context;
	size_t before = listing->count;
	struct dt_buf *out = &listing->out;

	(void)take_name(listing, feed);
	if (listing->count == before)
		return true;
	dt_buf_printf(out, "feed %llu: ", (unsigned long long)feed->id);
	put_clean(out, feed->name);
	put_time(out, "\n  made ", feed->registered);
	dt_buf_printf(out, "; %llu %s sent", (unsigned long long)feed->sent, dt_text_plural(feed->sent, "event", "events"));
	put_time(out, ", the last at ", feed->sent_at);
	dt_buf_printf(out, "\n  %llu %s, %llu rejected", (unsigned long long)feed->owed, dt_text_plural(feed->owed, "change waits", "changes wait"),
	              (unsigned long long)feed->dead);
	if (feed->incidents)
		dt_buf_printf(out, "; %llu %s to be looked at", (unsigned long long)feed->incidents, dt_text_plural(feed->incidents, "incident is", "incidents are"));
	dt_buf_putc(out, '\n');
	put_trouble(out, feed);
	return listing->count < FEEDS;
}

static bool take_letter(void *context, const struct dt_feed_letter *letter)
{
	struct listing *listing = context;
	struct dt_buf *out = &listing->out;

	dt_buf_printf(out, "  rejected: %s%s", letter->incident ? "incident i" : "crash ", letter->ref);
	put_time(out, " at ", letter->at);
	dt_buf_puts(out, letter->retry ? ", goes out again with the next 'feed'\n    " : "\n    ");
	put_clean(out, letter->reason);
	dt_buf_putc(out, '\n');
	listing->shown++;
	return true;
}

static enum dt_status list_letters(struct dt_store *store, struct listing *listing, size_t at, struct dt_error *err)
{
	uint64_t dead = listing->feeds[at].dead;
	enum dt_status status;

	if (!dead)
		return DT_OK;
	listing->shown = 0;
	dt_buf_printf(&listing->out, "\nfeed %llu, rejected by its receiver ('feed retry %llu' sends it again):\n", (unsigned long long)listing->feeds[at].id,
	              (unsigned long long)listing->feeds[at].id);
	status = dt_store_feed_dead(store, listing->feeds[at].id, false, LETTERS, take_letter, listing, err);
	if (dead > listing->shown)
		dt_buf_printf(&listing->out, "  and %llu more, younger ones\n", (unsigned long long)(dead - listing->shown));
	return status;
}

static int status_of(struct dt_store *store, struct listing *listing)
{
	struct dt_error err;
	enum dt_status status;

	if (listing->command->feed) {
		int found = one_feed(store, listing);
		if (found != DT_EXIT_OK)
			return found;
	}
	listing->count = 0;
	status = dt_store_feeds(store, take_feed, listing, &err);
	if (status == DT_OK && !listing->count)
		dt_buf_puts(&listing->out, "There is no feed yet: 'dumptriage feed --db URL --to RECEIVER' makes one.\n");
	for (size_t i = 0; i < listing->count && status == DT_OK; i++)
		status = list_letters(store, listing, i, &err);
	return status == DT_OK ? DT_EXIT_OK : dt_door_fail("%s", err.text);
}

/* ---- retry, remove ------------------------------------------------------------------- */

/* i17 is an incident, anything else the beginning of a crash's id. */
static enum dt_status retry_one(struct dt_store *store, uint64_t feed, const char *what, uint64_t *count, struct dt_error *err)
{
	bool incident = what[0] == 'i' && isdigit((unsigned char)what[1]);

	return dt_store_feed_retry_one(store, feed, incident, incident ? what + 1 : what, count, err);
}

static int retry(struct dt_store *store, struct listing *listing)
{
	const struct dt_feed_command *command = listing->command;
	uint64_t feed = 0, count = 0, all = 0;
	struct dt_error err;
	enum dt_status status = DT_OK;

	if (command->feed) {
		int found = one_feed(store, listing);
		if (found != DT_EXIT_OK)
			return found;
		feed = listing->feeds[0].id;
	}
	if (!command->letter_count)
		status = dt_store_feed_retry(store, feed, &all, &err);
	for (size_t i = 0; i < command->letter_count && status == DT_OK; i++) {
		status = retry_one(store, feed, command->letters[i], &count, &err);
		if (status == DT_OK && !count) {
			(void)dt_door_fail("feed %llu has no rejected crash or incident '%.64s'", (unsigned long long)feed, command->letters[i]);
			return DT_EXIT_USAGE;
		}
		all += count;
	}
	if (status != DT_OK)
		return dt_door_fail("%s", err.text);
	dt_buf_printf(&listing->out, "%llu rejected %s again with the next 'dumptriage feed'\n", (unsigned long long)all, dt_text_plural(all, "event goes out", "events go out"));
	return DT_EXIT_OK;
}

static int forget(struct dt_store *store, struct listing *listing)
{
	struct dt_error err;
	int found = one_feed(store, listing);

	if (found != DT_EXIT_OK)
		return found;
	if (dt_store_feed_remove(store, listing->feeds[0].id, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	dt_buf_puts(&listing->out, "forgotten: ");
	put_clean(&listing->out, listing->feeds[0].name);
	dt_buf_puts(&listing->out, "; nothing is kept back for it any more\n");
	return DT_EXIT_OK;
}

static const struct {
	const char *word;
	int (*run)(struct dt_store *store, struct listing *listing);
} words[] = { { "status", status_of }, { "retry", retry }, { "remove", forget } };

bool dt_feed_is_word(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, word))
			return true;
	return false;
}

int dt_feed_words(const struct dt_feed_command *feed)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	struct dt_store *store = NULL;
	struct dt_error err;
	int status = DT_EXIT_ENVIRONMENT;

	if (!listing)
		return dt_door_fail("no memory");
	listing->command = feed;
	dt_buf_init(&listing->out, 16u << 20);
	if (dt_store_open(&store, feed->deliver.db, DT_STORE_READ, &err) != DT_OK)
		status = dt_door_fail("%s", err.text);
	for (size_t i = 0; store && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, feed->word))
			status = words[i].run(store, listing);
	dt_store_close(store);
	if (status == DT_EXIT_OK && (!dt_door_write(&listing->out) || !dt_door_flush()))
		status = DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&listing->out);
	free(listing);
	return status;
}

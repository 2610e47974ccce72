/* feed status, feed retry: what is owed, what was rejected and why. */
#include <stdio.h>

#include "core/base/time.h"
#include "core/base/text.h"
#include "core/base/arena.h"
#include "doors/feed/feed.h"

enum { LETTERS = 20, FEEDS = 64 };

struct listing {
	struct dt_buf out;
	uint64_t ids[FEEDS];
	size_t count;
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
	const char *clean = dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)text, __builtin_strlen(text) });
	dt_buf_puts(out, clean ? clean : "");
	dt_arena_deinit(&arena);
}

static bool take_feed(void *context, const struct dt_feed *feed)
{
	struct listing *listing = context;

	put_clean(&listing->out, feed->name);
	dt_buf_printf(&listing->out, "\n  %llu sent, %llu changes owed, %llu rejected", (unsigned long long)feed->sent, (unsigned long long)feed->owed,
	              (unsigned long long)feed->dead);
	put_time(&listing->out, "; registered ", feed->registered);
	put_time(&listing->out, "; last sent ", feed->sent_at);
	dt_buf_putc(&listing->out, '\n');
	if (feed->error) {
		put_time(&listing->out, "  nothing arrives since ", feed->error_at);
		dt_buf_puts(&listing->out, ": ");
		put_clean(&listing->out, feed->error);
		dt_buf_putc(&listing->out, '\n');
	}
	listing->ids[listing->count++] = feed->dead ? feed->id : 0;
	return listing->count < FEEDS;
}

static bool take_letter(void *context, const struct dt_feed_letter *letter)
{
	struct listing *listing = context;

	dt_buf_printf(&listing->out, "  rejected%s %s%s", letter->retry ? ", to be sent again:" : ":", letter->incident ? "incident i" : "crash ", letter->ref);
	put_time(&listing->out, " at ", letter->at);
	dt_buf_puts(&listing->out, ": ");
	put_clean(&listing->out, letter->reason);
	dt_buf_putc(&listing->out, '\n');
	return true;
}

static enum dt_status list(struct dt_store *store, struct listing *listing, struct dt_error *err)
{
	enum dt_status status = dt_store_feeds(store, take_feed, listing, err);

	if (status == DT_OK && !listing->count)
		dt_buf_puts(&listing->out, "no feed is registered\n");
	for (size_t i = 0; i < listing->count && status == DT_OK; i++) {
		if (!listing->ids[i])
			continue;
		dt_buf_printf(&listing->out, "rejected by feed %zu, the oldest %d:\n", i + 1, LETTERS);
		status = dt_store_feed_dead(store, listing->ids[i], false, LETTERS, take_letter, listing, err);
	}
	return status;
}

int dt_feed_status(const struct dt_feed_command *feed, bool retry)
{
	struct dt_store *store = NULL;
	struct listing listing = { 0 };
	struct dt_error err;
	uint64_t count = 0;
	enum dt_status status = dt_store_open(&store, feed->deliver.db, DT_STORE_READ, &err);
	bool ok = true;

	dt_buf_init(&listing.out, 16u << 20);
	if (status == DT_OK && retry) {
		status = dt_store_feed_retry(store, 0, &count, &err);
		dt_buf_printf(&listing.out, "%llu rejected events are sent again by the next 'dumptriage feed'\n", (unsigned long long)count);
	} else if (status == DT_OK) {
		status = list(store, &listing, &err);
	}
	dt_store_close(store);
	if (status == DT_OK)
		ok = dt_door_write(&listing.out) && dt_door_flush();
	dt_buf_deinit(&listing.out);
	if (status != DT_OK)
		return dt_door_fail("%s", err.text);
	return ok ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
}

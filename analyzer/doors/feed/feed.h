/* feed.h - the feed's commands. Private to doors/feed. */
#ifndef DT_DOORS_FEED_H
#define DT_DOORS_FEED_H

#include "doors/common/door.h"
#include "fleet/deliver/deliver.h"

struct dt_feed_command {
	struct dt_deliver_options deliver;
	const char *secret_file, *template_file, *metrics;
	bool follow;
	unsigned give_up_s;
	struct dt_buf secret, template;
	const char *word; /* status, retry, remove; NULL: deliver */
	const char *feed; /* behind the word: which feed; NULL all */
	char **letters;   /* behind that: what to try again */
	size_t letter_count;
};

/* Reads the options. Gives an exit status. */
int dt_feed_parse(struct dt_feed_command *feed, const struct dt_command *self, int argc, char **argv);
int dt_feed_feed(const struct dt_command *self, int argc, char **argv);
/* feed status, retry, remove */
bool dt_feed_is_word(const char *word);
int dt_feed_words(const struct dt_feed_command *feed);

#endif

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
	const char *word; /* status, retry; NULL: deliver */
};

/* Reads the options. Gives an exit status. */
int dt_feed_parse(struct dt_feed_command *feed, const struct dt_command *self, int argc, char **argv);
int dt_feed_feed(const struct dt_command *self, int argc, char **argv);
/* feed status, feed retry */
int dt_feed_status(const struct dt_feed_command *feed, bool retry);

#endif

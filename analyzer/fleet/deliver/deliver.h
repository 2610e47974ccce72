/*
 * deliver.h - one delivery: a store's changes to one receiver, at least once. Takes a batch of what is owed, makes events, sends them and keeps what
 * became of each. Between a step's sending and its keeping the program may be killed: the next one sends the same events with the same
 * ids. One delivery is used by one thread.
 */
#ifndef DT_DELIVER_DELIVER_H
#define DT_DELIVER_DELIVER_H

#include "fleet/sink/sink.h"
#include "fleet/store/feeds.h"

struct dt_deliver_options {
	const char *db;
	struct dt_sink_options sink; /* borrowed for the delivery's life */
	const char *encoding;        /* NULL: the sink's own */
	const char *template;        /* of a webhook; NULL: the one that has everything */
	const char *server;          /* address of a serve, for links in a webhook's body; NULL none */
	bool unmasked;
	size_t batch;                /* changes taken at once; 0: 1000 */
	struct dt_feed_start start;
};

struct dt_deliver_report {
	size_t taken;    /* changes and letters that were looked at */
	size_t sent, rejected, again; /* events */
	unsigned wait_ms; /* before the next step: nothing arrives, or the receiver wants so */
	char problem[240]; /* why; "" */
};

struct dt_deliver;
/* Registers the feed in the store. DT_ERR_USAGE, and the store's errors. *fresh (may be NULL): it is a new one. */
DT_MUST_USE enum dt_status dt_deliver_open(struct dt_deliver **out, const struct dt_deliver_options *options, bool *fresh, struct dt_error *err);
/* One batch. taken 0 and wait_ms 0: nothing is owed. A store that is away is in the report; an error is one that does not pass. */
DT_MUST_USE enum dt_status dt_deliver_step(struct dt_deliver *deliver, struct dt_deliver_report *report, struct dt_error *err);
struct dt_deliver_backlog {
	uint64_t changes;   /* that the feed is behind */
	uint64_t incidents; /* that it has yet to look at */
	uint64_t dead;      /* what its receiver rejected */
};
/* false: the store does not say. */
bool dt_deliver_backlog(struct dt_deliver *deliver, struct dt_deliver_backlog *out);
/* Waits until something changed in the store, or for so long. */
void dt_deliver_wait(struct dt_deliver *deliver, int timeout_ms);
/* The sink's file was moved away. */
void dt_deliver_reopen(struct dt_deliver *deliver);
void dt_deliver_close(struct dt_deliver *deliver);

#endif

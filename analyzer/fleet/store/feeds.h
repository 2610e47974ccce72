/*
 * feeds.h - who is told of the store's changes, and which changes each is still owed.
 *
 * A feed owns the outbox's rows until their receiver took them. What is settled is known by a floor and by single rows above it. The floor
 * is a pair (transaction, number), and it only rises to rows of transactions that no running one can come before: on PostgreSQL two
 * writers commit in another order than their rows' numbers say, and a floor over numbers alone would lose the later one. On SQLite
 * there is one writer, and the transaction is always 0.
 *
 * Errors as in store.h. Writing happens in transactions of its own that wait for no other writer on PostgreSQL.
 */
#ifndef DT_STORE_FEEDS_H
#define DT_STORE_FEEDS_H

#include "fleet/store/store.h"

struct dt_feed_start {
	bool since_given; /* a new feed begins with what was changed from `since` on (FILETIME; 0: everything), else with what comes now */
	uint64_t since;
	bool replay;      /* a feed that is there forgets what it sent and begins again */
};
/* Registers the feed when it is new. *fresh: it was. */
DT_MUST_USE enum dt_status dt_store_feed_open(struct dt_store *store, const char *name, const struct dt_feed_start *start, uint64_t *id,
                                              bool *fresh, struct dt_error *err);

/* A place in the outbox. */
struct dt_feed_mark {
	int64_t xid, seq;
};
struct dt_feed_row {
	struct dt_feed_mark mark;
	bool incident;
	char ref[DT_STORE_KEY_MAX];
	bool settled; /* for the one who delivers */
};
/* The oldest rows that are owed, at most room. *horizon: with fewer than room, everything up to it is either among them or settled. */
DT_MUST_USE enum dt_status dt_store_feed_owed(struct dt_store *store, uint64_t feed, struct dt_feed_row *rows, size_t room, size_t *count,
                                              struct dt_feed_mark *horizon, struct dt_error *err);

/* A crash's host and packed record, and the id of the event that was last sent for it ("" none). index: which of the keys it has. Borrowed for the call. */
typedef enum dt_status (*dt_feed_crash_row)(void *context, size_t index, const struct dt_stored *crash, const char *sent, struct dt_error *err);
enum { DT_FEED_CRASHES = 16 };
/* The crashes of so many keys at most, all different, in any order; those that were deleted are passed by. Errors of row end it. */
DT_MUST_USE enum dt_status dt_store_feed_crashes(struct dt_store *store, uint64_t feed, const char *const refs[], size_t count,
                                                 dt_feed_crash_row row, void *context, struct dt_error *err);

/* What a feed knows of an incident. */
struct dt_feed_incident {
	uint64_t incident;
	bool owed;      /* to be looked at */
	char state[16]; /* last sent; "" never */
	uint64_t hosts; /* likewise */
	uint64_t at;    /* FILETIME, likewise */
};
typedef bool (*dt_feed_incident_row)(void *context, const struct dt_feed_incident *row);
/* Those to be looked at that were not sent after `before` (FILETIME). */
DT_MUST_USE enum dt_status dt_store_feed_incidents(struct dt_store *store, uint64_t feed, uint64_t before, dt_feed_incident_row row,
                                                   void *context, struct dt_error *err);

struct dt_feed_letter {
	bool incident;
	const char *ref, *event, *reason;
	uint64_t at;
	bool retry;
};
typedef bool (*dt_feed_letter_row)(void *context, const struct dt_feed_letter *letter);
/* What was rejected. retry: only those that shall be tried again. */
DT_MUST_USE enum dt_status dt_store_feed_dead(struct dt_store *store, uint64_t feed, bool retry, uint64_t limit, dt_feed_letter_row row,
                                              void *context, struct dt_error *err);
/* All that was rejected shall be tried again; feed 0: of every feed. */
DT_MUST_USE enum dt_status dt_store_feed_retry(struct dt_store *store, uint64_t feed, uint64_t *count, struct dt_error *err);
/* One crash, by the beginning of its key, or one incident, by its number; feed 0: of every feed. */
DT_MUST_USE enum dt_status dt_store_feed_retry_one(struct dt_store *store, uint64_t feed, bool incident, const char *ref, uint64_t *count,
                                                   struct dt_error *err);

/* What became of a batch. */
struct dt_feed_outcome {
	uint64_t feed;
	const struct dt_feed_row *rows; /* as they were read; those with `settled` are */
	size_t row_count;
	bool complete;                  /* fewer came than there was room for */
	struct dt_feed_mark horizon;
	const struct dt_feed_letter *sent, *dead; /* sent: accepted; of both ref and event count */
	size_t sent_count, dead_count;
	const struct dt_feed_incident *incidents; /* as they are to be kept */
	size_t incident_count;
	const char *const *gone; /* crashes that are not there any more */
	size_t gone_count;
};
/* Keeps it, in one transaction. Incidents of settled rows become ones to be looked at. */
DT_MUST_USE enum dt_status dt_store_feed_settle(struct dt_store *store, const struct dt_feed_outcome *outcome, struct dt_error *err);
/* Why nothing goes out, for `feed status`. */
DT_MUST_USE enum dt_status dt_store_feed_error(struct dt_store *store, uint64_t feed, const char *text, struct dt_error *err);
/* It does go out; what is to be known of the receiver all the same, NULL nothing. */
DT_MUST_USE enum dt_status dt_store_feed_note(struct dt_store *store, uint64_t feed, const char *text, struct dt_error *err);
/* Forgets a feed and all that is kept for it. DT_ERR_NOT_FOUND. */
DT_MUST_USE enum dt_status dt_store_feed_remove(struct dt_store *store, uint64_t feed, struct dt_error *err);

struct dt_feed {
	uint64_t id;
	const char *name;
	uint64_t owed, dead, sent; /* changes; what the receiver rejected; events */
	uint64_t incidents;        /* that are to be looked at again: something of theirs changed */
	uint64_t registered, sent_at; /* FILETIME; 0 never */
	const char *error;            /* why nothing goes out; NULL none */
	uint64_t error_at;            /* since when */
	const char *note;             /* NULL none */
};
typedef bool (*dt_feed_view)(void *context, const struct dt_feed *feed);
DT_MUST_USE enum dt_status dt_store_feeds(struct dt_store *store, dt_feed_view view, void *context, struct dt_error *err);

/* Drops changes that every feed has settled, and that one which begins now need not see: those with a later one of the same crash or incident
 * behind them, and deletions. In many small transactions. */
DT_MUST_USE enum dt_status dt_store_outbox_sweep(struct dt_store *store, uint64_t *removed, struct dt_error *err);
/* Whether that was last done a day ago. */
DT_MUST_USE enum dt_status dt_store_outbox_sweep_due(struct dt_store *store, bool *due, struct dt_error *err);

/* Waits until another program wrote, or for so long. */
void dt_store_wait(struct dt_store *store, int timeout_ms);

#endif

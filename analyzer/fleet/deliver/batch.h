/* batch.h - what a step works on. Private to fleet/deliver. */
#ifndef DT_DELIVER_BATCH_H
#define DT_DELIVER_BATCH_H

#include "core/base/arena.h"
#include "fleet/deliver/deliver.h"
#include "fleet/deliver/encoders.h"

/* The receiver's encoding, as functions of the report. */
struct dt_incident_event;
struct dt_encoding {
	const char *name;
	void (*incident)(const struct dt_incident_event *event, struct dt_buf *out); /* NULL: the template */
};

enum dt_item_state {
	DT_ITEM_NOTHING, /* the receiver knows it already, or it is none of its business */
	DT_ITEM_GONE,    /* deleted meanwhile */
	DT_ITEM_BAD,     /* cannot be made into an event */
	DT_ITEM_EVENT,
};

/* A crash or an incident of the batch, however many changes name it. */
struct dt_item {
	const char *ref;
	bool incident;
	enum dt_item_state state;
	const char *reason; /* BAD */
	struct dt_sink_event made;   /* crash, EVENT: by an encoder */
	struct dt_sink_event *event; /* EVENT */
	struct dt_feed_incident kept; /* incident: as it is kept when the event was accepted */
	struct dt_feed_incident before;
};

struct dt_batch {
	struct dt_arena arena;
	struct dt_feed_row *rows;
	size_t *row_items; /* the item of each row; SIZE_MAX: an incident's, which is only flagged */
	size_t row_count, room;
	struct dt_feed_mark horizon;
	struct dt_item *items;
	size_t item_count, item_room;
	struct dt_sink_event *events;
	size_t event_count;
	size_t *slots, slot_count; /* hash of crashes' refs -> item + 1 */
};

struct dt_deliver {
	struct dt_deliver_options options;
	char *db, *name;
	const struct dt_encoding *encoding;
	struct dt_sink *sink;
	struct dt_store *store; /* NULL: to be opened again */
	uint64_t feed;
	struct dt_batch batch;
	struct dt_encoders *encoders; /* NULL: the sink takes no crashes */
	struct dt_item *asked[DT_FEED_CRASHES]; /* crashes that are to be read */
	size_t asked_count;
	struct dt_lot *lot;           /* being filled; NULL none */
	struct dt_buf text;           /* an incident's event */
	unsigned failures; /* steps in a row in which nothing arrived */
	bool told;         /* the store has a problem or a note, or may have one of an earlier run */
	char note[240];    /* that was told; "" none */
	int64_t reviewed_ms; /* or when it began */
	bool reviewed;
	int64_t swept_ms; /* when we looked whether the outbox is to be swept; 0 never */
	uint64_t random;
};

/* The item of a crash, made when it is new; NULL without memory. *fresh: it was made. */
struct dt_item *dt_batch_item(struct dt_batch *batch, const char *ref, bool *fresh);
/* An item that stands for itself. */
struct dt_item *dt_batch_add(struct dt_batch *batch, const char *ref, bool incident);
/* A place for an event; body is copied. */
struct dt_sink_event *dt_batch_event(struct dt_batch *batch, const struct dt_buf *body);

/* A text without its line's end. */
struct dt_bytes dt_batch_line(const struct dt_buf *text);

/* Has a crash's record read and encoded. They are read several at once; what waits is read by the second function. */
enum dt_status dt_deliver_crash(struct dt_deliver *deliver, struct dt_item *item, struct dt_error *err);
enum dt_status dt_deliver_asked(struct dt_deliver *deliver, struct dt_error *err);
/* What was read so far is encoded, however little it is. */
void dt_deliver_pass_on(struct dt_deliver *deliver);
/* Waits for the encoders; the batch's events are those of the crashes then. */
enum dt_status dt_deliver_crashes_made(struct dt_deliver *deliver, struct dt_error *err);
/* The encoders' work. */
void dt_deliver_encode(void *context, struct dt_encoder *encoder, struct dt_lot *lot);
/* Adds items for the incidents that are due. */
enum dt_status dt_deliver_incidents(struct dt_deliver *deliver, struct dt_error *err);
/* Adds one that was rejected before, whether it is due or not. */
enum dt_status dt_deliver_incident_again(struct dt_deliver *deliver, uint64_t id, struct dt_error *err);

#endif

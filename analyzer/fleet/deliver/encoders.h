/*
 * encoders.h - threads that turn crashes, as the store keeps them, into events, while the delivery's own thread reads the store. Crashes are handed
 * over in lots; what a lot is made of belongs to the encoder until dt_encoders_join(). Private to fleet/deliver.
 */
#ifndef DT_DELIVER_ENCODERS_H
#define DT_DELIVER_ENCODERS_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "fleet/store/store.h"

enum { DT_LOT = 32 };

struct dt_item;
struct dt_lot {
	struct dt_arena arena; /* what the rows point to */
	struct { struct dt_item *item; struct dt_stored row; char sent[40]; } crashes[DT_LOT];
	size_t count, bytes; /* bytes: of packed records */
	struct dt_lot *next; /* by the encoders */
};

/* What a thread works with. */
struct dt_encoder {
	struct dt_arena record; /* one crash */
	struct dt_arena bodies; /* events; until dt_encoders_begin() */
	struct dt_buf text;
	bool no_memory;
};

typedef void (*dt_encode)(void *context, struct dt_encoder *encoder, struct dt_lot *lot);

struct dt_encoders;
/* A thread for each processor, of a few at most. memory: of all events of a batch, bytes. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_encoders_open(struct dt_encoders **out, dt_encode encode, void *context, size_t memory, struct dt_error *err);
/* A new batch: the events of the last one go. */
void dt_encoders_begin(struct dt_encoders *encoders);
/* An empty lot; waits until one is free, which bounds what is under way. */
struct dt_lot *dt_encoders_lot(struct dt_encoders *encoders);
/* Gives a lot back, to be worked on. */
void dt_encoders_put(struct dt_encoders *encoders, struct dt_lot *lot);
/* Waits until everything is done. false: there was no memory for an event. */
bool dt_encoders_join(struct dt_encoders *encoders);
void dt_encoders_close(struct dt_encoders *encoders);

#endif

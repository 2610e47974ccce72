/* From crashes of the store to events: one thread reads, others decode and encode. */
#include <stdio.h>
#include <string.h>

#include "fleet/deliver/batch.h"
#include "report/event.h"
#include "report/report.h"

/* Packed records that are handed over at once; the lot's arena has room for the largest one behind that. */
enum { LOT_FULL = 8 << 20 };

/* ---- an encoder's work: it writes to its own item, and to nothing else that is shared ---- */

struct making {
	const struct dt_deliver *deliver;
	struct dt_encoder *encoder;
	struct dt_item *item;
};

static void bad(const struct making *making, const char *reason)
{
	making->item->state = DT_ITEM_BAD;
	making->item->reason = dt_arena_strdup(&making->encoder->bodies, reason);
}

static void write_event(const struct making *making, const struct dt_crash *crash)
{
	const struct dt_deliver_options *options = &making->deliver->options;
	const struct dt_report_style style = { .unmasked = options->unmasked, .name_space = options->sink.name_space };

	dt_buf_reset(&making->encoder->text);
	dt_report_format(making->deliver->encoding->name)->write(crash, &style, &making->encoder->text);
}

/* What a receiver takes in one piece: the stack is the first to go. */
static bool fits(const struct making *making, struct dt_crash *crash)
{
	const struct dt_buf *text = &making->encoder->text;
	size_t max = making->deliver->sink->scheme->max_body;

	write_event(making, crash);
	if (max && text->len > max) {
		crash->facts.stack_count = 0;
		write_event(making, crash);
	}
	if (max && text->len > max) {
		crash->judgement.verdict.next_steps_count = 0;
		write_event(making, crash);
	}
	return dt_buf_ok(text) && (!max || text->len <= max);
}

static bool out_of_memory(const struct making *making)
{
	making->encoder->no_memory |= making->encoder->record.no_memory || making->encoder->text.no_memory;
	return making->encoder->no_memory;
}

static void make(const struct making *making, struct dt_crash *crash, const char *sent)
{
	struct dt_arena *bodies = &making->encoder->bodies;
	struct dt_event event;

	dt_event_head(crash, making->deliver->encoding->name, &making->encoder->record, &event);
	if (!making->encoder->record.no_memory && !strcmp(event.id, sent))
		return;
	bool right = fits(making, crash);
	/* An event that lacks what there was no memory for is not the crash's, and not to be set aside as one that cannot be sent. */
	if (out_of_memory(making))
		return;
	if (!right) {
		bad(making, "the event is larger than the receiver takes in one piece");
		return;
	}
	making->item->made = (struct dt_sink_event){
		.body = dt_arena_bytes(bodies, dt_batch_line(&making->encoder->text)), .id = dt_arena_strdup(bodies, event.id),
		.host = dt_arena_strdup(bodies, crash->facts.host.name), .time = event.time, .created = event.created, .severity = event.severity,
	};
	making->item->state = DT_ITEM_EVENT;
}

void dt_deliver_encode(void *context, struct dt_encoder *encoder, struct dt_lot *lot)
{
	struct dt_crash crash;
	struct dt_error err;

	for (size_t i = 0; i < lot->count; i++) {
		const struct making making = { context, encoder, lot->crashes[i].item };
		dt_arena_reset(&encoder->record);
		if (dt_store_unpack(&lot->crashes[i].row, &encoder->record, &crash, &err) != DT_OK)
			bad(&making, err.text);
		else
			make(&making, &crash, lot->crashes[i].sent);
		/* One that is too large for anybody must not stand in the way of the others. */
		if (!out_of_memory(&making) && encoder->record.failed)
			bad(&making, "its record needs more memory than one crash may have");
		encoder->no_memory |= encoder->bodies.failed;
	}
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Into the lot that is being filled; one that is full is passed on. */
static enum dt_status take_crash(void *context, size_t index, const struct dt_stored *crash, const char *sent, struct dt_error *err)
{
	struct dt_deliver *deliver = context;

	if (!deliver->lot)
		deliver->lot = dt_encoders_lot(deliver->encoders);
	struct dt_lot *lot = deliver->lot;
	struct dt_item *item = deliver->asked[index];
	item->state = DT_ITEM_NOTHING;
	lot->crashes[lot->count].item = item;
	lot->crashes[lot->count].row = (struct dt_stored){
		.key = item->ref, .facts = dt_arena_bytes(&lot->arena, crash->facts), .judgement = dt_arena_bytes(&lot->arena, crash->judgement),
		.host = dt_arena_strdup(&lot->arena, crash->host), .host_source = crash->host_source,
	};
	snprintf(lot->crashes[lot->count].sent, sizeof(lot->crashes[lot->count].sent), "%s", sent);
	if (lot->arena.failed)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	lot->count++;
	lot->bytes += crash->facts.len + crash->judgement.len;
	if (lot->count == DT_LOT || lot->bytes >= LOT_FULL)
		dt_deliver_pass_on(deliver);
	return DT_OK;
}

enum dt_status dt_deliver_asked(struct dt_deliver *deliver, struct dt_error *err)
{
	const char *refs[DT_FEED_CRASHES];
	size_t count = deliver->asked_count;

	for (size_t i = 0; i < count; i++) {
		refs[i] = deliver->asked[i]->ref;
		deliver->asked[i]->state = DT_ITEM_GONE; /* until it is found */
	}
	deliver->asked_count = 0;
	return count ? dt_store_feed_crashes(deliver->store, deliver->feed, refs, count, take_crash, deliver, err) : DT_OK;
}

enum dt_status dt_deliver_crash(struct dt_deliver *deliver, struct dt_item *item, struct dt_error *err)
{
	item->state = DT_ITEM_NOTHING;
	if (!deliver->encoders)
		return DT_OK;
	deliver->asked[deliver->asked_count++] = item;
	return deliver->asked_count == DT_FEED_CRASHES ? dt_deliver_asked(deliver, err) : DT_OK;
}

void dt_deliver_pass_on(struct dt_deliver *deliver)
{
	if (deliver->lot)
		dt_encoders_put(deliver->encoders, deliver->lot);
	deliver->lot = NULL;
}

enum dt_status dt_deliver_crashes_made(struct dt_deliver *deliver, struct dt_error *err)
{
	struct dt_batch *batch = &deliver->batch;

	dt_deliver_pass_on(deliver);
	if (deliver->encoders && !dt_encoders_join(deliver->encoders))
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the events of one batch; a smaller --batch needs less");
	/* In the order of the changes, whichever thread was the first. */
	for (size_t i = 0; i < batch->item_count; i++) {
		struct dt_item *item = &batch->items[i];
		if (item->incident || item->state != DT_ITEM_EVENT)
			continue;
		item->event = &batch->events[batch->event_count++];
		*item->event = item->made;
	}
	return DT_OK;
}

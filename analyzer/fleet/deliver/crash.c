/* From a crash of the store to an event. */
#include <string.h>

#include "fleet/deliver/batch.h"
#include "report/event.h"
#include "report/report.h"

struct load {
	struct dt_deliver *deliver;
	struct dt_item *item;
	char sent[40];
	bool found, no_memory;
};

static void bad(struct load *load, const char *reason)
{
	load->item->state = DT_ITEM_BAD;
	load->item->reason = dt_arena_strdup(&load->deliver->batch.arena, reason);
}

static void write_event(struct dt_deliver *deliver, const struct dt_crash *crash)
{
	const struct dt_report_style style = { .unmasked = deliver->options.unmasked, .name_space = deliver->options.sink.name_space };

	dt_buf_reset(&deliver->text);
	dt_report_format(deliver->encoding->name)->write(crash, &style, &deliver->text);
}

/* What a receiver takes in one piece: the stack is the first to go. */
static bool fits(struct dt_deliver *deliver, struct dt_crash *crash)
{
	size_t max = deliver->sink->scheme->max_body;

	write_event(deliver, crash);
	if (max && deliver->text.len > max) {
		crash->facts.stack_count = 0;
		write_event(deliver, crash);
	}
	if (max && deliver->text.len > max) {
		crash->judgement.verdict.next_steps_count = 0;
		write_event(deliver, crash);
	}
	return dt_buf_ok(&deliver->text) && (!max || deliver->text.len <= max);
}

static void make(struct load *load, struct dt_crash *crash)
{
	struct dt_deliver *deliver = load->deliver;
	struct dt_event event;

	dt_event_make(crash, deliver->encoding->name, true, &deliver->record, &event);
	if (!strcmp(event.id, load->sent)) {
		load->item->state = DT_ITEM_NOTHING;
		return;
	}
	if (!fits(deliver, crash)) {
		bad(load, "the event is larger than the receiver takes in one piece");
		return;
	}
	struct dt_sink_event *made = dt_batch_event(&deliver->batch, &deliver->text);
	if (!made) {
		load->no_memory = true;
		return;
	}
	made->id = dt_arena_strdup(&deliver->batch.arena, event.id);
	made->host = dt_arena_strdup(&deliver->batch.arena, crash->facts.host.name);
	made->time = event.time;
	made->created = event.created;
	made->severity = event.severity;
	load->item->event = made;
	load->item->state = DT_ITEM_EVENT;
}

static bool take(void *context, const struct dt_stored *row)
{
	struct load *load = context;
	struct dt_crash crash;
	struct dt_error err;

	/* Keys are looked for by their beginning. */
	if (strcmp(row->key, load->item->ref) != 0)
		return true;
	load->found = true;
	dt_arena_reset(&load->deliver->record);
	if (dt_store_unpack(row, &load->deliver->record, &crash, &err) != DT_OK)
		bad(load, err.text);
	else
		make(load, &crash);
	return false;
}

enum dt_status dt_deliver_crash(struct dt_deliver *deliver, struct dt_item *item, struct dt_error *err)
{
	struct load load = { .deliver = deliver, .item = item };
	enum dt_status status;

	item->state = DT_ITEM_NOTHING;
	if (deliver->sink->scheme->incidents_only)
		return DT_OK;
	status = dt_store_feed_sent(deliver->store, deliver->feed, item->ref, load.sent, err);
	if (status == DT_OK)
		status = dt_store_each(deliver->store, &(struct dt_store_query){ .key = item->ref, .records = true }, take, &load, err);
	if (status == DT_OK && !load.found)
		item->state = DT_ITEM_GONE;
	if (status == DT_OK && load.no_memory)
		status = dt_fail(err, DT_ERR_NOMEM, "no memory for the events of one batch; a smaller --batch needs less");
	return status;
}

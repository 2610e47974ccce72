#include "fleet/deliver/batch.h"

#include <string.h>

static size_t hash(const char *text)
{
	uint64_t value = 14695981039346656037u;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 1099511628211u;
	return (size_t)(value ^ (value >> 29));
}

struct dt_item *dt_batch_add(struct dt_batch *batch, const char *ref, bool incident)
{
	const char *copy = dt_arena_strdup(&batch->arena, ref);

	if (batch->item_count == batch->item_room || !copy)
		return NULL;
	batch->items[batch->item_count] = (struct dt_item){ .ref = copy, .incident = incident };
	return &batch->items[batch->item_count++];
}

struct dt_item *dt_batch_item(struct dt_batch *batch, const char *ref, bool *fresh)
{
	size_t at = hash(ref) % batch->slot_count;

	*fresh = false;
	/* There are twice as many slots as items: a free one comes. */
	for (; batch->slots[at]; at = (at + 1) % batch->slot_count)
		if (!strcmp(batch->items[batch->slots[at] - 1].ref, ref))
			return &batch->items[batch->slots[at] - 1];
	*fresh = true;
	struct dt_item *item = dt_batch_add(batch, ref, false);
	if (item)
		batch->slots[at] = batch->item_count;
	return item;
}

struct dt_bytes dt_batch_line(const struct dt_buf *text)
{
	struct dt_bytes bytes = dt_buf_bytes(text);

	if (bytes.len && bytes.data[bytes.len - 1] == '\n')
		bytes.len--;
	return bytes;
}

struct dt_sink_event *dt_batch_event(struct dt_batch *batch, const struct dt_buf *body)
{
	if (!dt_buf_ok(body))
		return NULL;
	struct dt_sink_event *event = &batch->events[batch->event_count];
	*event = (struct dt_sink_event){ .body = dt_arena_bytes(&batch->arena, dt_batch_line(body)) };
	if (batch->arena.failed)
		return NULL;
	batch->event_count++;
	return event;
}

/* scan --enqueue: names of dumps into the fleet's queue instead of reading them here. */
#include <stdio.h>

#include "core/base/text.h"
#include "doors/scan/enqueue.h"
#include "fleet/intake/location.h"
#include "fleet/queue/queue.h"

struct enqueue {
	struct dt_queue *queue;
	struct dt_arena arena;
	struct dt_buf message;
	uint64_t sent, failed;
};

static enum dt_status send_one(struct enqueue *enqueue, const struct dt_found *found, const char *host, const struct dt_host_rule *rule,
                               struct dt_error *err)
{
	struct dt_location location = { .path = found->path };

	dt_arena_reset(&enqueue->arena);
	dt_buf_reset(&enqueue->message);
	location.host = dt_scan_host(host, rule, found, &enqueue->arena);
	dt_location_write(&location, &enqueue->arena, &enqueue->message);
	if (!dt_buf_ok(&enqueue->message))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	enqueue->sent++;
	return dt_queue_publish(enqueue->queue, dt_buf_bytes(&enqueue->message), err);
}

enum dt_status dt_scan_enqueue(struct dt_walk *walk, const char *url, const char *host, const struct dt_host_rule *rule, bool *lacking,
                               struct dt_error *err)
{
	struct enqueue enqueue = { 0 };
	struct dt_walk_counts counts;
	struct dt_found found;
	enum dt_status status, next;

	dt_arena_init(&enqueue.arena, 1u << 20);
	dt_buf_init(&enqueue.message, 1u << 20);
	status = dt_queue_open(&enqueue.queue, url, 0, err);
	while (status == DT_OK && (next = dt_walk_next(walk, -1, &found)) == DT_OK) {
		if (found.status == DT_OK) {
			status = send_one(&enqueue, &found, host, rule, err);
		} else {
			fprintf(stderr, "dumptriage: %s: %s\n", found.path, found.err.text);
			enqueue.failed++;
			*lacking |= found.named;
		}
		dt_found_free(&found);
	}
	dt_walk_counts(walk, &counts);
	if (status == DT_OK && counts.no_memory)
		status = dt_fail(err, DT_ERR_NOMEM, "no memory to find some files");
	if (status == DT_OK)
		status = dt_queue_flush(enqueue.queue, err);
	if (status == DT_OK)
		printf("%llu %s in the queue, each confirmed; %llu %s left out\n", (unsigned long long)enqueue.sent, dt_text_plural(enqueue.sent, "message", "messages"),
		       (unsigned long long)enqueue.failed, dt_text_plural(enqueue.failed, "name", "names"));
	dt_queue_close(enqueue.queue);
	dt_buf_deinit(&enqueue.message);
	dt_arena_deinit(&enqueue.arena);
	return status;
}

/*
 * queue.h - the fleet's queue: a RabbitMQ quorum queue with publisher confirms and acknowledgements by message.
 *
 * The queue carries where a dump lies, never its bytes. A message that is taken and not acknowledged comes back when its taker dies. What
 * comes back for the third time goes to the queue NAME.dead, where a person finds it (x-delivery-limit, dead-letter exchange).
 *
 * URL: amqp://user:password@host:port/vhost?queue=NAME. Defaults: guest, guest, 5672, /, dumptriage.
 * Errors: DT_ERR_USAGE the URL; DT_ERR_IO the broker or the way to it, after which only dt_queue_close may be called.
 */
#ifndef DT_QUEUE_QUEUE_H
#define DT_QUEUE_QUEUE_H

#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_queue;

struct dt_queue_url {
	char host[256], user[128], password[128], vhost[128], name[128];
	int port;
};
/* DT_ERR_USAGE says what is wrong, without the password. */
DT_MUST_USE enum dt_status dt_queue_url_parse(const char *url, struct dt_queue_url *out, struct dt_error *err);

/* Connects, declares the queue and its dead letters, switches confirms on. prefetch: messages taken and not yet acknowledged, at
 * most; 0: this side only publishes. */
DT_MUST_USE enum dt_status dt_queue_open(struct dt_queue **out, const char *url, unsigned prefetch, struct dt_error *err);
void dt_queue_close(struct dt_queue *queue);

/* Sends a persistent message; many may be under way. */
DT_MUST_USE enum dt_status dt_queue_publish(struct dt_queue *queue, struct dt_bytes body, struct dt_error *err);
/* Waits until the broker has confirmed every message: it is on the disks of a majority. */
DT_MUST_USE enum dt_status dt_queue_flush(struct dt_queue *queue, struct dt_error *err);

struct dt_delivery {
	uint64_t tag;
	struct dt_bytes body; /* valid until the next call */
	bool redelivered;
	unsigned attempts;    /* deliveries before this one, as far as the broker says */
};
/* DT_ERR_NOT_FOUND: none within timeout_ms. */
DT_MUST_USE enum dt_status dt_queue_take(struct dt_queue *queue, int timeout_ms, struct dt_delivery *out, struct dt_error *err);
/* It is done, for good. */
DT_MUST_USE enum dt_status dt_queue_ack(struct dt_queue *queue, uint64_t tag, struct dt_error *err);
/* It failed: it comes back, or goes to the dead letters when it came for the third time. */
DT_MUST_USE enum dt_status dt_queue_reject(struct dt_queue *queue, uint64_t tag, struct dt_error *err);

#endif

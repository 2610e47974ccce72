#include "fleet/queue/queue.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNEL = 1, HEARTBEAT_S = 60, FRAME_MAX = 131072, DELIVERY_LIMIT = 2, CONNECT_S = 10, UNCONFIRMED_MAX = 1000 };

struct dt_queue {
	amqp_connection_state_t connection;
	struct dt_queue_url url;
	amqp_bytes_t name;
	uint64_t published, confirmed;
	bool refused; /* the broker could not take a message */
	amqp_envelope_t envelope;
	bool has_envelope;
};

static enum dt_status failed(const struct dt_queue *queue, const char *what, const char *why, struct dt_error *err)
{
	return dt_fail(err, DT_ERR_IO, "queue %s at %s:%d: %s: %s", queue->url.name, queue->url.host, queue->url.port, what, why);
}

static enum dt_status reply(const struct dt_queue *queue, const char *what, amqp_rpc_reply_t got, struct dt_error *err)
{
	char text[160] = "the connection broke";

	if (got.reply_type == AMQP_RESPONSE_NORMAL)
		return DT_OK;
	if (got.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
		snprintf(text, sizeof(text), "%s", amqp_error_string2(got.library_error));
	} else if (got.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && got.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *close = got.reply.decoded;
		snprintf(text, sizeof(text), "%.*s", (int)(close->reply_text.len < 150 ? close->reply_text.len : 150), (const char *)close->reply_text.bytes);
	} else if (got.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && got.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *close = got.reply.decoded;
		snprintf(text, sizeof(text), "%.*s", (int)(close->reply_text.len < 150 ? close->reply_text.len : 150), (const char *)close->reply_text.bytes);
	}
	return failed(queue, what, text, err);
}

static amqp_table_entry_t entry(const char *key, amqp_field_value_t value)
{
	return (amqp_table_entry_t){ .key = amqp_cstring_bytes(key), .value = value };
}

static amqp_field_value_t text_value(const char *text)
{
	amqp_field_value_t value = { .kind = AMQP_FIELD_KIND_UTF8 };

	value.value.bytes = amqp_cstring_bytes(text);
	return value;
}

static amqp_field_value_t number_value(int32_t number)
{
	amqp_field_value_t value = { .kind = AMQP_FIELD_KIND_I32 };

	value.value.i32 = number;
	return value;
}

/* The default exchange routes by the queue's name: dead letters need no exchange of their own. */
static enum dt_status declare(struct dt_queue *queue, struct dt_error *err)
{
	char dead[136];
	snprintf(dead, sizeof(dead), "%s.dead", queue->url.name);
	amqp_table_entry_t quorum[] = { entry("x-queue-type", text_value("quorum")) };
	amqp_table_entry_t all[] = {
		entry("x-queue-type", text_value("quorum")),
		entry("x-delivery-limit", number_value(DELIVERY_LIMIT)),
		entry("x-dead-letter-exchange", text_value("")),
		entry("x-dead-letter-routing-key", text_value(dead)),
		entry("x-dead-letter-strategy", text_value("at-least-once")),
		entry("x-overflow", text_value("reject-publish")),
	};
	const amqp_table_t quorum_table = { 1, quorum }, table = { 6, all };

	amqp_queue_declare(queue->connection, CHANNEL, amqp_cstring_bytes(dead), 0, 1, 0, 0, quorum_table);
	enum dt_status status = reply(queue, "declare dead letters", amqp_get_rpc_reply(queue->connection), err);
	if (status != DT_OK)
		return status;
	amqp_queue_declare(queue->connection, CHANNEL, queue->name, 0, 1, 0, 0, table);
	return reply(queue, "declare", amqp_get_rpc_reply(queue->connection), err);
}

static enum dt_status connect_queue(struct dt_queue *queue, unsigned prefetch, struct dt_error *err)
{
	struct timeval patience = { CONNECT_S, 0 };
	amqp_socket_t *socket = amqp_tcp_socket_new(queue->connection);
	enum dt_status status;

	if (!socket)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	int code = amqp_socket_open_noblock(socket, queue->url.host, queue->url.port, &patience);
	if (code != AMQP_STATUS_OK)
		return failed(queue, "connect", amqp_error_string2(code), err);
	status = reply(queue, "log in",
	               amqp_login(queue->connection, queue->url.vhost, 0, FRAME_MAX, HEARTBEAT_S, AMQP_SASL_METHOD_PLAIN, queue->url.user,
	                          queue->url.password), err);
	if (status != DT_OK)
		return status;
	amqp_channel_open(queue->connection, CHANNEL);
	status = reply(queue, "open a channel", amqp_get_rpc_reply(queue->connection), err);
	if (status == DT_OK)
		status = declare(queue, err);
	if (status == DT_OK && prefetch == 0) {
		amqp_confirm_select(queue->connection, CHANNEL);
		return reply(queue, "confirms", amqp_get_rpc_reply(queue->connection), err);
	}
	if (status == DT_OK) {
		amqp_basic_qos(queue->connection, CHANNEL, 0, (uint16_t)prefetch, 0);
		status = reply(queue, "prefetch", amqp_get_rpc_reply(queue->connection), err);
	}
	if (status == DT_OK) {
		amqp_basic_consume(queue->connection, CHANNEL, queue->name, amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
		status = reply(queue, "consume", amqp_get_rpc_reply(queue->connection), err);
	}
	return status;
}

enum dt_status dt_queue_open(struct dt_queue **out, const char *url, unsigned prefetch, struct dt_error *err)
{
	struct dt_queue *queue = calloc(1, sizeof(*queue));
	enum dt_status status;

	if (!queue || !(queue->connection = amqp_new_connection())) {
		free(queue);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	status = dt_queue_url_parse(url, &queue->url, err);
	queue->name = amqp_cstring_bytes(queue->url.name);
	if (status == DT_OK)
		status = connect_queue(queue, prefetch, err);
	if (status != DT_OK) {
		dt_queue_close(queue);
		return status;
	}
	*out = queue;
	return DT_OK;
}

void dt_queue_close(struct dt_queue *queue)
{
	if (!queue)
		return;
	if (queue->has_envelope)
		amqp_destroy_envelope(&queue->envelope);
	amqp_destroy_connection(queue->connection);
	free(queue);
}

/* One frame of the broker's: a confirm, a refusal, or the end. */
static enum dt_status take_confirm(struct dt_queue *queue, struct dt_error *err)
{
	struct timeval patience = { HEARTBEAT_S, 0 };
	amqp_frame_t frame;
	int code = amqp_simple_wait_frame_noblock(queue->connection, &frame, &patience);

	if (code != AMQP_STATUS_OK)
		return failed(queue, "confirm", amqp_error_string2(code), err);
	if (frame.frame_type != AMQP_FRAME_METHOD)
		return DT_OK;
	if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
		const amqp_basic_ack_t *ack = frame.payload.method.decoded;
		queue->confirmed = ack->multiple ? (ack->delivery_tag > queue->confirmed ? ack->delivery_tag : queue->confirmed) : queue->confirmed + 1;
		return DT_OK;
	}
	if (frame.payload.method.id == AMQP_BASIC_NACK_METHOD || frame.payload.method.id == AMQP_BASIC_RETURN_METHOD)
		return failed(queue, "publish", "the broker refused a message", err);
	if (frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD || frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD)
		return failed(queue, "publish", "the broker closed the connection", err);
	return DT_OK;
}

enum dt_status dt_queue_publish(struct dt_queue *queue, struct dt_bytes body, struct dt_error *err)
{
	amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG,
		                               .delivery_mode = AMQP_DELIVERY_PERSISTENT };
	int code;

	properties.content_type = amqp_cstring_bytes("application/json");
	while (queue->published - queue->confirmed >= UNCONFIRMED_MAX) {
		enum dt_status status = take_confirm(queue, err);
		if (status != DT_OK)
			return status;
	}
	code = amqp_basic_publish(queue->connection, CHANNEL, amqp_empty_bytes, queue->name, 1, 0, &properties,
	                          (amqp_bytes_t){ body.len, (void *)(uintptr_t)body.data });
	if (code != AMQP_STATUS_OK)
		return failed(queue, "publish", amqp_error_string2(code), err);
	queue->published++;
	return DT_OK;
}

enum dt_status dt_queue_flush(struct dt_queue *queue, struct dt_error *err)
{
	enum dt_status status = DT_OK;

	while (status == DT_OK && queue->confirmed < queue->published)
		status = take_confirm(queue, err);
	return status;
}

/* What the broker counts; older ones say nothing the first time. */
static unsigned attempts(const amqp_message_t *message)
{
	const amqp_table_t *headers = message->properties._flags & AMQP_BASIC_HEADERS_FLAG ? &message->properties.headers : NULL;

	for (int i = 0; headers && i < headers->num_entries; i++) {
		const amqp_table_entry_t *header = &headers->entries[i];
		if (header->key.len != 16 || memcmp(header->key.bytes, "x-delivery-count", 16) != 0)
			continue;
		switch (header->value.kind) {
		case AMQP_FIELD_KIND_I64: return (unsigned)header->value.value.i64;
		case AMQP_FIELD_KIND_I32: return (unsigned)header->value.value.i32;
		case AMQP_FIELD_KIND_I16: return (unsigned)header->value.value.i16;
		case AMQP_FIELD_KIND_I8: return (unsigned)header->value.value.i8;
		case AMQP_FIELD_KIND_U8: return header->value.value.u8;
		default: return 0;
		}
	}
	return 0;
}

enum dt_status dt_queue_take(struct dt_queue *queue, int timeout_ms, struct dt_delivery *out, struct dt_error *err)
{
	struct timeval patience = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	if (queue->has_envelope)
		amqp_destroy_envelope(&queue->envelope);
	queue->has_envelope = false;
	amqp_maybe_release_buffers(queue->connection);
	amqp_rpc_reply_t got = amqp_consume_message(queue->connection, &queue->envelope, &patience, 0);
	if (got.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && got.library_error == AMQP_STATUS_TIMEOUT)
		return DT_ERR_NOT_FOUND;
	if (got.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && got.library_error == AMQP_STATUS_UNEXPECTED_STATE)
		return failed(queue, "take", "the broker closed the channel or the queue", err);
	enum dt_status status = reply(queue, "take", got, err);
	if (status != DT_OK)
		return status;
	queue->has_envelope = true;
	*out = (struct dt_delivery){ .tag = queue->envelope.delivery_tag,
		                     .body = { queue->envelope.message.body.bytes, queue->envelope.message.body.len },
		                     .redelivered = queue->envelope.redelivered != 0,
		                     .attempts = attempts(&queue->envelope.message) };
	return DT_OK;
}

enum dt_status dt_queue_ack(struct dt_queue *queue, uint64_t tag, struct dt_error *err)
{
	int code = amqp_basic_ack(queue->connection, CHANNEL, tag, 0);

	return code == AMQP_STATUS_OK ? DT_OK : failed(queue, "acknowledge", amqp_error_string2(code), err);
}

enum dt_status dt_queue_reject(struct dt_queue *queue, uint64_t tag, struct dt_error *err)
{
	int code = amqp_basic_nack(queue->connection, CHANNEL, tag, 0, 1);

	return code == AMQP_STATUS_OK ? DT_OK : failed(queue, "reject", amqp_error_string2(code), err);
}

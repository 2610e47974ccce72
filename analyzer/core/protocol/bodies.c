/* The bodies of the messages, field by field. */
#include <string.h>

#include "core/base/text.h"
#include "core/protocol/protocol.h"

static void put(struct dt_buf *out, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		dt_buf_putc(out, (char)(value >> 8 * i & 0xff));
}

void dt_hello_write(const struct dt_hello *hello, struct dt_buf *out)
{
	put(out, hello->version, 4);
	put(out, hello->flags, 4);
	put(out, hello->memory_limit, 8);
	put(out, hello->cpu_seconds, 4);
}

bool dt_hello_read(struct dt_bytes body, struct dt_hello *out)
{
	return body.len == 20 && dt_bytes_u32(body, 0, &out->version) && dt_bytes_u32(body, 4, &out->flags) &&
	       dt_bytes_u64(body, 8, &out->memory_limit) && dt_bytes_u32(body, 16, &out->cpu_seconds);
}

void dt_ready_write(const struct dt_ready *ready, struct dt_buf *out)
{
	put(out, ready->version, 4);
	put(out, ready->mechanisms, 4);
}

bool dt_ready_read(struct dt_bytes body, struct dt_ready *out)
{
	return body.len == 8 && dt_bytes_u32(body, 0, &out->version) && dt_bytes_u32(body, 4, &out->mechanisms);
}

void dt_job_write(const struct dt_job *job, struct dt_buf *out)
{
	put(out, job->flags, 4);
	put(out, job->skip, 4);
	dt_buf_append(out, job->path, strlen(job->path) + 1);
}

/* A text that ends with the body, and nowhere before. */
static const char *last_text(struct dt_bytes body, size_t off)
{
	if (body.len <= off || memchr(body.data + off, 0, body.len - off) != body.data + body.len - 1)
		return NULL;
	return (const char *)body.data + off;
}

bool dt_job_read(struct dt_bytes body, struct dt_job *out)
{
	out->path = last_text(body, 8);
	return out->path && dt_bytes_u32(body, 0, &out->flags) && dt_bytes_u32(body, 4, &out->skip);
}

void dt_member_message_write(uint32_t index, const char *name, struct dt_buf *out)
{
	put(out, index, 4);
	dt_buf_append(out, name, strlen(name) + 1);
}

bool dt_member_message_read(struct dt_bytes body, uint32_t *index, const char **name)
{
	*name = last_text(body, 4);
	/* Escapes make a name longer than its bytes. */
	return *name && dt_bytes_u32(body, 0, index) && *index < DT_MAX_MEMBERS && body.len <= 4 + 8 * DT_MAX_MEMBER_NAME &&
	       dt_text_is_clean(*name, strlen(*name));
}

void dt_ask_write(const struct dt_ask *ask, struct dt_buf *out)
{
	put(out, ask->kind, 4);
	put(out, ask->timestamp, 4);
	put(out, ask->size, 4);
	put(out, ask->attempt, 4);
	dt_buf_append(out, ask->debug_id, strlen(ask->debug_id) + 1);
	dt_buf_append(out, ask->name, strlen(ask->name) + 1);
}

bool dt_ask_read(struct dt_bytes body, struct dt_ask *out)
{
	enum { TEXTS = 16 };
	struct dt_bytes texts = dt_bytes_clip(body, TEXTS, body.len);
	const uint8_t *end = texts.len ? memchr(texts.data, 0, texts.len) : NULL;

	if (!end || texts.len > 2 * (DT_MAX_ASK_TEXT + 1) || (size_t)(end - texts.data) > DT_MAX_ASK_TEXT)
		return false;
	out->debug_id = (const char *)texts.data;
	out->name = last_text(body, TEXTS + (size_t)(end - texts.data) + 1);
	return out->name && strlen(out->name) <= DT_MAX_ASK_TEXT && dt_bytes_u32(body, 0, &out->kind) &&
	       dt_bytes_u32(body, 4, &out->timestamp) && dt_bytes_u32(body, 8, &out->size) && dt_bytes_u32(body, 12, &out->attempt);
}

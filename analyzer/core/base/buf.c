#include "core/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

#define FIRST_CAP 256

void dt_buf_init(struct dt_buf *buf, size_t max)
{
	*buf = (struct dt_buf){ .max = max };
}

void dt_buf_deinit(struct dt_buf *buf)
{
	free(buf->data);
	*buf = (struct dt_buf){ .max = buf->max };
}

void dt_buf_reset(struct dt_buf *buf)
{
	buf->len = 0;
	buf->failed = buf->no_memory = false;
	if (buf->data)
		buf->data[0] = 0;
}

static bool grow(struct dt_buf *buf, size_t more)
{
	if (buf->failed || buf->len > buf->max || more > buf->max - buf->len || buf->max == SIZE_MAX) {
		buf->failed = true;
		return false;
	}
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap ? buf->cap : FIRST_CAP;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	char *data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = buf->no_memory = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

/* Room for more bytes and the NUL behind them. */
static inline bool reserve(struct dt_buf *buf, size_t more)
{
	if (!buf->failed && more < buf->cap - buf->len)
		return true;
	return grow(buf, more);
}

void dt_buf_append(struct dt_buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = 0;
}

void dt_buf_putc(struct dt_buf *buf, char c)
{
	if (!reserve(buf, 1))
		return;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = 0;
}

void dt_buf_puts(struct dt_buf *buf, const char *text)
{
	dt_buf_append(buf, text, strlen(text));
}

void dt_buf_printf(struct dt_buf *buf, const char *fmt, ...)
{
	va_list args;
	char none[1];
	va_start(args, fmt);
	int len = vsnprintf(none, sizeof none, fmt, args);
	va_end(args);
	if (len < 0)
		buf->failed = true;
	if (len < 0 || !reserve(buf, (size_t)len))
		return;
	va_start(args, fmt);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
}

static const char digits[] = "0123456789abcdef";

void dt_buf_hex(struct dt_buf *buf, uint64_t value)
{
	char text[18];
	size_t at = sizeof text;
	do
		text[--at] = digits[value & 15];
	while (value >>= 4);
	text[--at] = 'x';
	text[--at] = '0';
	dt_buf_append(buf, text + at, sizeof text - at);
}

void dt_buf_u64(struct dt_buf *buf, uint64_t value)
{
	char text[20];
	size_t at = sizeof text;
	do
		text[--at] = digits[value % 10];
	while (value /= 10);
	dt_buf_append(buf, text + at, sizeof text - at);
}

void dt_buf_hexbytes(struct dt_buf *buf, struct dt_bytes bytes)
{
	if (bytes.len > SIZE_MAX / 2) {
		buf->failed = true;
		return;
	}
	if (!reserve(buf, 2 * bytes.len))
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		buf->data[buf->len++] = digits[bytes.data[i] >> 4];
		buf->data[buf->len++] = digits[bytes.data[i] & 15];
	}
	buf->data[buf->len] = 0;
}

void dt_buf_share_failure(struct dt_buf *out, const struct dt_buf *part, const struct dt_arena *arena)
{
	out->failed |= (part && part->failed) || (arena && arena->failed);
	out->no_memory |= (part && part->no_memory) || (arena && arena->no_memory);
}

/*
 * buf.h - a growing buffer for output, with a maximum given at init.
 *
 * Like an arena it remembers failure: writers need not check each call, the
 * one who uses the result asks dt_buf_ok() once.
 */
#ifndef DT_BASE_BUF_H
#define DT_BASE_BUF_H

#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_buf {
	char *data; /* NUL-terminated once anything was written */
	size_t len; /* without the NUL */
	size_t cap;
	size_t max;
	bool failed;
	bool no_memory; /* failed because the system refused memory, not because it is full */
};

void dt_buf_init(struct dt_buf *buf, size_t max);
void dt_buf_deinit(struct dt_buf *buf);
/* Empties it, keeps the memory, clears failed. */
void dt_buf_reset(struct dt_buf *buf);
static inline bool dt_buf_ok(const struct dt_buf *buf)
{
	return !buf->failed;
}
struct dt_arena;
/* out fails where a buffer or an arena failed that it was made with (NULL: none), and for the same reason. */
void dt_buf_share_failure(struct dt_buf *out, const struct dt_buf *part, const struct dt_arena *arena);
/* The text written so far, "" when there is none. Borrowed until the next write. */
static inline const char *dt_buf_text(const struct dt_buf *buf)
{
	return buf->data ? buf->data : "";
}
static inline struct dt_bytes dt_buf_bytes(const struct dt_buf *buf)
{
	return (struct dt_bytes){ (const uint8_t *)buf->data, buf->len };
}

void dt_buf_append(struct dt_buf *buf, const void *data, size_t len);
void dt_buf_putc(struct dt_buf *buf, char c);
void dt_buf_puts(struct dt_buf *buf, const char *text);
void dt_buf_printf(struct dt_buf *buf, const char *fmt, ...) DT_PRINTF(2, 3);
/* "0x" and lower-case hex without leading zeros. */
void dt_buf_hex(struct dt_buf *buf, uint64_t value);
/* An unsigned number in decimal. */
void dt_buf_u64(struct dt_buf *buf, uint64_t value);
/* Two lower-case hex digits a byte. */
void dt_buf_hexbytes(struct dt_buf *buf, struct dt_bytes bytes);

#endif

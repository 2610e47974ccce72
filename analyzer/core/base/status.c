#include "core/base/status.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static enum dt_status fill(struct dt_error *err, enum dt_status status, const char *fmt, va_list args)
{
	/* More than is kept, so that a cut through a character or an escape is seen. */
	char text[sizeof err->text + 16];
	if (!err)
		return status;
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = 0;
	size_t len = dt_text_fit(text, sizeof err->text - 1);
	memcpy(err->text, text, len);
	err->text[len] = 0;
	err->status = status;
	return status;
}

enum dt_status dt_fail(struct dt_error *err, enum dt_status status, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(err, status, fmt, args);
	va_end(args);
	if (err) {
		err->has_off = false;
		err->off = 0;
	}
	return status;
}

enum dt_status dt_fail_at(struct dt_error *err, enum dt_status status, uint64_t off, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(err, status, fmt, args);
	va_end(args);
	if (err) {
		err->has_off = true;
		err->off = off;
	}
	return status;
}

const char *dt_status_name(enum dt_status status)
{
	static const char *const names[DT_STATUS_COUNT] = {
		[DT_OK] = "ok",
		[DT_ERR_TRUNCATED] = "truncated",
		[DT_ERR_FORMAT] = "format",
		[DT_ERR_NOT_A_DUMP] = "not-a-dump",
		[DT_ERR_UNSUPPORTED] = "unsupported",
		[DT_ERR_NOT_FOUND] = "not-found",
		[DT_ERR_LIMIT] = "limit",
		[DT_ERR_NOMEM] = "memory",
		[DT_ERR_IO] = "io",
		[DT_ERR_USAGE] = "usage",
	};
	return (unsigned)status < DT_STATUS_COUNT ? names[status] : "unknown";
}

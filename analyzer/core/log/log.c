#include "core/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/json.h"

static const char *const words[] = { "error", "warning", "info", "debug" };
static const int priorities[] = { 3, 4, 6, 7 }; /* syslog's */
static enum dt_log_level threshold = DT_LOG_INFO;
static bool json;

bool dt_log_set(const char *level, const char *format)
{
	bool found = !level;

	for (size_t i = 0; level && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i], level)) {
			threshold = (enum dt_log_level)i;
			found = true;
		}
	if (format && strcmp(format, "text") && strcmp(format, "json"))
		return false;
	if (format)
		json = !strcmp(format, "json");
	return found;
}

bool dt_log_wanted(enum dt_log_level level)
{
	return level <= threshold;
}

static void json_line(struct dt_buf *out, enum dt_log_level level, const char *event, const char *id, const char *message)
{
	char now[DT_TIME_TEXT_MAX] = "";

	dt_time_format(dt_time_now(), now);
	dt_buf_printf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", now, words[level], event);
	if (id) {
		dt_buf_puts(out, ",\"id\":");
		dt_json_write_text(id, out);
	}
	dt_buf_puts(out, ",\"message\":");
	dt_json_write_text(message, out);
	dt_buf_puts(out, "}\n");
}

static void text_line(struct dt_buf *out, enum dt_log_level level, const char *id, const char *message)
{
	char now[DT_TIME_TEXT_MAX] = "";

	if (getenv("JOURNAL_STREAM"))
		dt_buf_printf(out, "<%d>", priorities[level]);
	else if (level > DT_LOG_WARNING && !isatty(STDERR_FILENO) && dt_time_format(dt_time_now(), now))
		dt_buf_printf(out, "%s ", now);
	dt_buf_puts(out, "dumptriage: ");
	/* An error is what the program ends with: its text says so. */
	if (level != DT_LOG_ERROR)
		dt_buf_printf(out, "%s: ", words[level]);
	if (id)
		dt_buf_printf(out, "%s: ", id);
	dt_buf_printf(out, "%s\n", message);
}

void dt_log_args(enum dt_log_level level, const char *event, const char *id, const char *fmt, va_list args)
{
	struct dt_arena arena;
	struct dt_buf out;
	char raw[2048];

	if (!dt_log_wanted(level))
		return;
	vsnprintf(raw, sizeof(raw), fmt, args);
	dt_arena_init(&arena, 1u << 20);
	dt_buf_init(&out, 1u << 16);
	const char *message = dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)raw, strlen(raw) });
	const char *name = id ? dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)id, strlen(id) }) : NULL;
	if (json)
		json_line(&out, level, event, name, message ? message : "");
	else
		text_line(&out, level, name, message ? message : "");
	/* One write: lines of several threads do not mix. Nobody is left to tell when it fails. */
	if (write(STDERR_FILENO, dt_buf_text(&out), out.len) < 0)
		threshold = DT_LOG_ERROR;
	dt_buf_deinit(&out);
	dt_arena_deinit(&arena);
}

void dt_log(enum dt_log_level level, const char *event, const char *id, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	dt_log_args(level, event, id, fmt, args);
	va_end(args);
}

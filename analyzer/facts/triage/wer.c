/*
 * Report.wer, which Windows Error Reporting leaves beside a dump: UTF-16LE with a byte order mark, lines of key=value. Few have
 * the computer's name; those of corporate collections do.
 */
#include "facts/triage/wer.h"

#include <string.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/text.h"

enum { MAX_REPORT = 256 << 10, MAX_KEY = 64 };

static const char *const keys[] = { "ComputerName", "MachineName" };

static uint16_t unit(const uint8_t *data, size_t i)
{
	return (uint16_t)(data[2 * i] | data[2 * i + 1] << 8);
}

/* Whether the line [from, until) (units) is `key=...` for one of the keys; *value: where its value begins. */
static bool is_host_line(const uint8_t *data, size_t from, size_t until, size_t *value)
{
	char key[MAX_KEY + 1];
	size_t n = 0;

	while (from + n < until && n < MAX_KEY && unit(data, from + n) != '=' && unit(data, from + n) < 0x80) {
		key[n] = (char)unit(data, from + n);
		n++;
	}
	key[n] = '\0';
	if (from + n >= until || unit(data, from + n) != '=')
		return false;
	*value = from + n + 1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (dt_text_equal_fold(key, keys[i]))
			return true;
	return false;
}

const char *dt_wer_host(int fd, struct dt_arena *arena)
{
	uint8_t *data = dt_arena_alloc(arena, MAX_REPORT);
	ssize_t got = data ? pread(fd, data, MAX_REPORT, 0) : 0;
	size_t count = got > 0 ? (size_t)got / 2 : 0, value;

	if (count < 2 || unit(data, 0) != 0xfeff)
		return NULL;
	for (size_t from = 1, until; from < count; from = until + 1) {
		for (until = from; until < count && unit(data, until) != '\n' && unit(data, until) != '\r'; until++)
			;
		if (is_host_line(data, from, until, &value))
			return dt_host_fold(arena, dt_text_from_utf16(arena, (struct dt_bytes){ data + 2 * value, 2 * (until - value) }));
	}
	return NULL;
}

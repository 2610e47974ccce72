#include "fleet/intake/location.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"

enum { MAX_MESSAGE = 65536 };

void dt_location_write(const struct dt_location *location, struct dt_arena *arena, struct dt_buf *out)
{
	const char *raw = dt_path_raw(arena, location->path);
	json_t *object = json_object();

	if (raw)
		json_object_set_new(object, "path_raw", json_string(raw));
	else
		json_object_set_new(object, "path", json_string_nocheck(location->path));
	if (location->host)
		json_object_set_new(object, "host", json_string(location->host));
	char *text = json_dumps(object, JSON_COMPACT);
	if (text)
		dt_buf_puts(out, text);
	else
		out->failed = true;
	free(text);
	json_decref(object);
}

static int digit(char c)
{
	const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* NULL when it is no base64 of a path. */
static const char *from_base64(const char *text, struct dt_arena *arena)
{
	size_t len = strlen(text), n = 0;
	char *out = dt_arena_array(arena, len / 4 * 3 + 1, 1);
	uint32_t bits = 0;

	for (size_t i = 0; out && i < len; i++) {
		int value = digit(text[i]);
		if (text[i] == '=' && i + 2 >= len)
			break;
		if (value < 0 || len % 4)
			return NULL;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 > 0)
			out[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	return out && strlen(out) == n && n ? out : NULL;
}

enum dt_status dt_location_read(struct dt_bytes message, struct dt_arena *arena, struct dt_location *out, struct dt_error *err)
{
	json_error_t where;
	json_t *object = message.len <= MAX_MESSAGE ? json_loadb((const char *)message.data, message.len, 0, &where) : NULL;
	const char *path = json_string_value(json_object_get(object, "path")), *raw = json_string_value(json_object_get(object, "path_raw"));
	const char *host = json_string_value(json_object_get(object, "host"));

	*out = (struct dt_location){ .path = path ? dt_arena_strdup(arena, path) : raw ? from_base64(raw, arena) : NULL,
		                     .host = dt_arena_strdup(arena, host) };
	json_decref(object);
	if (out->path && *out->path)
		return DT_OK;
	return dt_fail(err, DT_ERR_FORMAT, "the message names no dump: expected {\"path\": \"...\"}, found %.*s", (int)(message.len < 80 ? message.len : 80),
	               message.data ? (const char *)message.data : "");
}

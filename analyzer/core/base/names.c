#include "core/base/names.h"

#include <string.h>

#include "core/base/text.h"

static bool is_utf8(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;

	while (*p) {
		unsigned more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : 4;
		if (more > 3)
			return false;
		uint32_t code = more == 0 ? *p : *p & (0x3fu >> more);
		for (p++; more > 0; more--, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			code = code << 6 | (*p & 0x3f);
		}
		if (code >= 0xd800 && code < 0xe000)
			return false;
	}
	return true;
}

static const char *base64(struct dt_arena *arena, const uint8_t *in, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = dt_arena_array(arena, (len + 2) / 3 * 4 + 1, 1), *at = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0u);
		*at++ = digits[v >> 18];
		*at++ = digits[v >> 12 & 63];
		*at++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*at++ = n > 2 ? digits[v & 63] : '=';
	}
	return out;
}

const char *dt_path_raw(struct dt_arena *arena, const char *path)
{
	return is_utf8(path) ? NULL : base64(arena, (const uint8_t *)path, strlen(path));
}

/* An address is not cut: 10.0.0.7 is not a host called 10. */
static bool is_address(const char *name)
{
	return strchr(name, ':') || strspn(name, "0123456789.") == strlen(name);
}

const char *dt_host_fold(struct dt_arena *arena, const char *name)
{
	size_t len = !name ? 0 : is_address(name) ? strlen(name) : strcspn(name, ".");

	if (len == 0 || len > DT_HOST_MAX)
		return NULL;
	char *folded = dt_arena_array(arena, len + 1, 1);
	if (!folded)
		return NULL;
	for (size_t i = 0; i < len; i++)
		folded[i] = dt_text_fold(name[i]);
	return dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)folded, len });
}

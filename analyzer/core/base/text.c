#include "core/base/text.h"

#include <string.h>

#include "core/base/limits.h"

#define ESCAPE_BEGIN      0x27E8u
#define ESCAPE_TEXT_BEGIN "\xE2\x9F\xA8"
#define ESCAPE_TEXT_END   "\xE2\x9F\xA9"
#define ESCAPE_MARK       3  /* bytes of each of the two */
#define ESCAPE_MAX        14 /* bytes of the longest escape: two marks, U+ and six digits */
#define REPEAT(byte)      (UINT64_C(0x0101010101010101) * (byte))

/* Code points that are valid and still must not reach a terminal or a page. */
static bool must_escape(uint32_t cp)
{
	if (cp < 0x80)
		return cp < 0x20 || cp == 0x7F;
	return cp < 0xA0 || (cp >= 0xD800 && cp <= 0xDFFF) || cp == 0x200E || cp == 0x200F ||
	       (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == ESCAPE_BEGIN;
}

/* Bytes of a character by its first one; 0 when none begins so. */
static size_t utf8_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Bytes of the character that begins at p, and its code point; 0 when it is not valid UTF-8. */
static size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *cp)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = len ? utf8_len(p[0]) : 0;
	if (n == 0 || n > len)
		return 0;
	uint32_t value = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3Fu);
	}
	if (value < smallest[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*cp = value;
	return n;
}

size_t dt_text_decode(const char *text, size_t len, uint32_t *code_point)
{
	return utf8_decode((const uint8_t *)text, len, code_point);
}

/* Where converted text goes: first measured (out is NULL), then written. */
struct sink {
	char *out;
	size_t len;
};

static bool put(struct sink *sink, const char *text, size_t len)
{
	if (len > DT_MAX_TEXT - sink->len)
		return false;
	if (sink->out)
		memcpy(sink->out + sink->len, text, len);
	sink->len += len;
	return true;
}

static bool put_escape(struct sink *sink, const char *prefix, uint32_t value, unsigned min_digits)
{
	char text[ESCAPE_MAX + 1] = ESCAPE_TEXT_BEGIN;
	size_t len = ESCAPE_MARK;
	unsigned count = min_digits;
	while (count < 6 && value >> 4 * count)
		count++;
	while (*prefix)
		text[len++] = *prefix++;
	while (count--)
		text[len++] = "0123456789ABCDEF"[value >> 4 * count & 15];
	memcpy(text + len, ESCAPE_TEXT_END, ESCAPE_MARK);
	return put(sink, text, len + ESCAPE_MARK);
}

static bool put_code_point(struct sink *sink, uint32_t cp)
{
	char c[4];
	if (must_escape(cp))
		return put_escape(sink, "U+", cp, 4);
	if (cp < 0x80) {
		c[0] = (char)cp;
		return put(sink, c, 1);
	}
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		c[i] = (char)(0x80 | (cp & 0x3F));
	c[0] = (char)((0xF00u >> n & 0xF0) | cp);
	return put(sink, c, n);
}

/* The code point at off and how many bytes it takes: a lone surrogate is its own. */
static size_t utf16_decode(struct dt_bytes b, size_t off, uint32_t *cp)
{
	uint16_t high = dt_bytes_u16_or(b, off, 0), low = dt_bytes_u16_or(b, off + 2, 0);
	if ((high & 0xFC00) == 0xD800 && (low & 0xFC00) == 0xDC00) {
		*cp = 0x10000u + ((high & 0x3FFu) << 10 | (low & 0x3FFu));
		return 4;
	}
	*cp = high;
	return 2;
}

static void convert_utf16(struct sink *sink, struct dt_bytes b)
{
	uint32_t cp;
	for (size_t off = 0; dt_bytes_has(b, off, 2);) {
		off += utf16_decode(b, off, &cp);
		if (cp == 0 || !put_code_point(sink, cp))
			return;
	}
}

static void convert_utf8(struct sink *sink, struct dt_bytes b)
{
	for (size_t off = 0; off < b.len && b.data[off];) {
		uint32_t cp;
		size_t n = utf8_decode(b.data + off, b.len - off, &cp);
		if (n ? !put_code_point(sink, cp) : !put_escape(sink, "x", b.data[off], 2))
			return;
		off += n ? n : 1;
	}
}

static const char *convert(struct dt_arena *arena, struct dt_bytes b,
                           void (*to)(struct sink *, struct dt_bytes))
{
	struct sink sink = { NULL, 0 };
	to(&sink, b);
	char *out = dt_arena_alloc(arena, sink.len + 1);
	if (!out)
		return NULL;
	sink = (struct sink){ out, 0 };
	to(&sink, b);
	out[sink.len] = 0;
	return out;
}

const char *dt_text_from_utf16(struct dt_arena *arena, struct dt_bytes utf16)
{
	return convert(arena, utf16, convert_utf16);
}

const char *dt_text_from_utf8(struct dt_arena *arena, struct dt_bytes utf8)
{
	return convert(arena, utf8, convert_utf8);
}

static bool is_upper_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* Bytes of the escape that begins at text, 0 when it is none of ours. */
static size_t escape_len(const char *text, size_t len)
{
	size_t at = ESCAPE_MARK, least = 2, most = 2, digits = 0;
	if (len < ESCAPE_MARK || memcmp(text, ESCAPE_TEXT_BEGIN, ESCAPE_MARK) != 0 || at == len)
		return 0;
	if (text[at] == 'U' && at + 1 < len && text[at + 1] == '+') {
		at++;
		least = 4;
		most = 6;
	} else if (text[at] != 'x') {
		return 0;
	}
	for (at++; at < len && digits < most && is_upper_hex(text[at]); digits++)
		at++;
	if (digits < least || len - at < ESCAPE_MARK || memcmp(text + at, ESCAPE_TEXT_END, ESCAPE_MARK) != 0)
		return 0;
	return at + ESCAPE_MARK;
}

/* Bytes of the character or escape at text, 0 when clean text cannot have it there. */
static size_t unit_len(const char *text, size_t len)
{
	uint32_t cp;
	size_t n = utf8_decode((const uint8_t *)text, len, &cp);
	if (n == 0 || !must_escape(cp))
		return n;
	return cp == ESCAPE_BEGIN ? escape_len(text, len) : 0;
}

static uint64_t load64(const char *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
	return w;
}

/* Not zero when a byte is outside 0x20..0x7E: a borrow or carry out of a byte only follows one that is. */
static uint64_t not_plain(uint64_t w)
{
	return (w | (w - REPEAT(0x20)) | (w + REPEAT(0x01))) & REPEAT(0x80);
}

/* Whether all bytes are printable ASCII. Nearly all text is; it is looked at eight bytes at a time. */
static bool is_plain(const char *text, size_t len)
{
	if (len < 8) {
		uint64_t w = REPEAT(0x20);
		memcpy(&w, text, len);
		return !not_plain(w);
	}
	uint64_t bad = not_plain(load64(text + len - 8));
	for (size_t i = 0; i + 8 < len; i += 8)
		bad |= not_plain(load64(text + i));
	return !bad;
}

bool dt_text_is_clean(const char *text, size_t len)
{
	if (is_plain(text, len))
		return true;
	for (size_t i = 0, n; i < len; i += n) {
		n = text[i] >= 0x20 && text[i] < 0x7F ? 1 : unit_len(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

size_t dt_text_fit(const char *text, size_t max)
{
	size_t len = strnlen(text, max), at = 0;
	if (len < max || text[max] == 0)
		return len;
	while (at < max) {
		size_t n = unit_len(text + at, strnlen(text + at, ESCAPE_MAX));
		n += n == 0; /* not clean: as good as a character */
		if (n > max - at)
			break;
		at += n;
	}
	return at;
}

const char *dt_text_lower(struct dt_arena *arena, const char *text)
{
	char *copy = (char *)(uintptr_t)dt_arena_strdup(arena, text);

	for (char *c = copy; c && *c; c++)
		*c = dt_text_fold(*c);
	return copy;
}

bool dt_text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool dt_text_equal_fold(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && dt_text_fold(*a) == dt_text_fold(*b)) {
		a++;
		b++;
	}
	return dt_text_fold(*a) == dt_text_fold(*b);
}

bool dt_text_starts_fold(const char *text, const char *prefix)
{
	if (!text || !prefix)
		return false;
	while (*prefix && dt_text_fold(*text) == dt_text_fold(*prefix)) {
		text++;
		prefix++;
	}
	return *prefix == 0;
}

bool dt_text_ends_fold(const char *text, const char *suffix)
{
	if (!text || !suffix)
		return false;
	size_t len = strlen(text), n = strlen(suffix);
	return n <= len && dt_text_equal_fold(text + len - n, suffix);
}

const char *dt_text_basename(const char *path)
{
	const char *name = path;
	for (const char *p = path; p && *p; p++)
		if (*p == '\\' || *p == '/')
			name = p + 1;
	return name;
}

bool dt_text_parse_u64(const char *text, bool hex_default, uint64_t *out)
{
	if (!text)
		return false;
	bool prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t base = prefix || hex_default ? 16 : 10, value = 0;
	const char *p = prefix ? text + 2 : text;
	for (bool digit = false;; p++) {
		if (*p == '`' && hex_default && digit && p[1]) {
			digit = false;
			continue;
		}
		if (*p == 0 && digit)
			break;
		uint64_t d = (uint64_t)dt_text_hex_digit(*p);
		if (d >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, d, &value))
			return false;
		digit = true;
	}
	*out = value;
	return true;
}

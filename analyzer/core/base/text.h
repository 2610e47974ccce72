/*
 * text.h - text from outside made into UTF-8 that is safe to print and to store.
 *
 * What text of ours may hold: valid UTF-8 without control characters (C0, DEL,
 * C1), without bidirectional controls (U+200E/F, U+202A-E, U+2066-9) and without
 * U+2028/9. Everything else becomes a visible, reversible escape between
 * U+27E8 and U+27E9: a code point as U+ and four to six hex digits, an invalid
 * byte as x and two digits; a real U+27E8 is escaped too, so that no
 * text can look like an escape that it is not. Digits are upper case. Text is
 * cut at DT_MAX_TEXT bytes, never inside a character or an escape.
 */
#ifndef DT_BASE_TEXT_H
#define DT_BASE_TEXT_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"

/* UTF-16LE bytes (an odd last byte is ignored) up to the first NUL or the end. NULL when the arena is full. */
const char *dt_text_from_utf16(struct dt_arena *arena, struct dt_bytes utf16);
/* UTF-8 or unknown 8-bit text up to the first NUL or the end. NULL when the arena is full. */
const char *dt_text_from_utf8(struct dt_arena *arena, struct dt_bytes utf8);
/* Whether text (NUL-terminated) is what this header promises. len is its length. */
bool dt_text_is_clean(const char *text, size_t len);
/* Length of the longest beginning of text (NUL-terminated) that has at most max
 * bytes and ends neither inside a character nor inside an escape. */
size_t dt_text_fit(const char *text, size_t max);

/* Bytes (1 to 4) of the UTF-8 character at text and its code point; 0 when none of at most len bytes is there. */
size_t dt_text_decode(const char *text, size_t len, uint32_t *code_point);

/* An ASCII capital as its small letter; every other byte as it is. */
static inline char dt_text_fold(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The value of a hex digit in either case; -1 when c is none. */
static inline int dt_text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = dt_text_fold(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* text with its ASCII capitals as small letters, in the arena. NULL for NULL, and when the arena is full. */
const char *dt_text_lower(struct dt_arena *arena, const char *text);
/* The same bytes. NULL equals only NULL. */
bool dt_text_equal(const char *a, const char *b);
/* ASCII case folded, locale ignored. NULL equals only NULL. */
bool dt_text_equal_fold(const char *a, const char *b);
bool dt_text_starts_fold(const char *text, const char *prefix);
bool dt_text_ends_fold(const char *text, const char *suffix);
/* Behind the last '\\' or '/'. Borrowed from path; NULL for NULL. */
const char *dt_text_basename(const char *path);
/* The form of a word, or of what is said with it, that goes with a number: one for 1, many for any other. */
static inline const char *dt_text_plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* A number written as 0x…, 0X… or decimal digits (hex_default: bare digits are hex, and ` may separate
 * them as debuggers print). The whole text must be consumed; false otherwise or on overflow. */
bool dt_text_parse_u64(const char *text, bool hex_default, uint64_t *out);

#endif

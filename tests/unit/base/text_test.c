#include <stdlib.h>
#include <string.h>

#include "../arena.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#define L "\xE2\x9F\xA8" /* U+27E8 */
#define R "\xE2\x9F\xA9" /* U+27E9 */

static const char *utf8(const char *text)
{
	return dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)text, strlen(text) });
}

static const char *utf16(size_t count, const uint16_t *units)
{
	uint8_t bytes[64];
	for (size_t i = 0; i < count; i++) {
		bytes[2 * i] = (uint8_t)units[i];
		bytes[2 * i + 1] = (uint8_t)(units[i] >> 8);
	}
	return dt_text_from_utf16(&arena, (struct dt_bytes){ bytes, 2 * count });
}
#define UTF16(...) \
	utf16(sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t), (uint16_t[]){ __VA_ARGS__ })

static void keeps_text(void **state)
{
	static const char *const same[] = {
		"", "a", "CSAgent.sys", "C:\\Windows\\System32\\drivers\\\"x\".sys", "\xC3\xA4\xC2\xA0", "\xE4\xB8\xAD\xE6\x96\x87",
		"\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBD", R, "\xE2\x80\x8D", "\xE2\x81\xA5\xE2\x81\xAA\xE2\x80\xAF",
	};
	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_string_equal(utf8(same[i]), same[i]);
		assert_true(dt_text_is_clean(same[i], strlen(same[i])));
	}
	assert_string_equal(UTF16('a', 0xE4, 0x4E2D, 0xD83D, 0xDE00), "a\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x98\x80");
}

static void escapes_what_is_not_safe(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\tb", "a" L "U+0009" R "b" },
		{ "\x1B[31m", L "U+001B" R "[31m" },
		{ "\x7F", L "U+007F" R },
		{ "\xC2\x85", L "U+0085" R },
		{ "\xC2\x9F", L "U+009F" R },
		{ "\xE2\x80\x8E\xE2\x80\x8F", L "U+200E" R L "U+200F" R },
		{ "\xE2\x80\xA8\xE2\x80\xA9", L "U+2028" R L "U+2029" R },
		{ "a\xE2\x80\xAEgpj.exe", "a" L "U+202E" R "gpj.exe" },
		{ "\xE2\x81\xA6\xE2\x81\xA9", L "U+2066" R L "U+2069" R },
		{ L "U+0009" R, L "U+27E8" R "U+0009" R },
		{ "a\x92z", "a" L "x92" R "z" },
		{ "\xC0\x80", L "xC0" R L "x80" R },                    /* NUL in two bytes */
		{ "\xC3", L "xC3" R },                                  /* cut */
		{ "\xE4\xB8", L "xE4" R L "xB8" R },                    /* cut */
		{ "\xED\xA0\x80", L "xED" R L "xA0" R L "x80" R },      /* a surrogate */
		{ "\xF4\x90\x80\x80", L "xF4" R L "x90" R L "x80" R L "x80" R }, /* past U+10FFFF */
		{ "\xE0\x81\x81", L "xE0" R L "x81" R L "x81" R },      /* longer than needed */
		{ "\xFF\xFE", L "xFF" R L "xFE" R },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(utf8(cases[i].in), cases[i].out);
		assert_true(dt_text_is_clean(cases[i].out, strlen(cases[i].out)));
		assert_false(dt_text_is_clean(cases[i].in, strlen(cases[i].in)) && cases[i].in[0] != L[0]);
	}
	assert_string_equal(UTF16('a', 0xD800, 'b'), "a" L "U+D800" R "b");
	assert_string_equal(UTF16(0xDC01, 0xD801), L "U+DC01" R L "U+D801" R);
	assert_string_equal(UTF16(0xD801, 0xD801, 0xDC00), L "U+D801" R "\xF0\x90\x90\x80");
	assert_string_equal(UTF16(0x27E8, 7), L "U+27E8" R L "U+0007" R);
}

static void ends_at_nul(void **state)
{
	(void)state;
	assert_string_equal(UTF16('a', 0, 'b'), "a");
	assert_string_equal(dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)"a\0b", 3 }), "a");
	assert_string_equal(dt_text_from_utf16(&arena, (struct dt_bytes){ (const uint8_t *)"a\0b", 3 }), "a");
	assert_string_equal(dt_text_from_utf16(&arena, (struct dt_bytes){ NULL, 0 }), "");
	assert_string_equal(dt_text_from_utf8(&arena, (struct dt_bytes){ NULL, 0 }), "");
}

static void cuts_long_text(void **state)
{
	size_t len = 70000;
	char *in = malloc(len + 1);
	(void)state;
	assert_non_null(in);
	for (size_t lead = 0; lead < 12; lead++) {
		memset(in, '\a', len);
		memset(in, 'x', lead);
		const char *text = dt_text_from_utf8(&arena, (struct dt_bytes){ (const uint8_t *)in, len });
		assert_true(strlen(text) <= DT_MAX_TEXT && strlen(text) > DT_MAX_TEXT - 16);
		assert_true(dt_text_is_clean(text, strlen(text)));
	}
	free(in);
	struct dt_arena small;
	dt_arena_init(&small, 10);
	assert_null(dt_text_from_utf8(&small, (struct dt_bytes){ (const uint8_t *)"abc", 3 }));
	assert_true(small.failed);
	dt_arena_deinit(&small);
}

static void knows_clean_text(void **state)
{
	static const char *const unclean[] = {
		L, L "x9" R, L "x9g" R, L "xab" R, L "U+12" R, L "U+123" R, L "U+1234567" R, L "U1234" R, L "U+1234", L "x92", "\xE2\x9F",
	};
	char text[40];
	(void)state;
	for (size_t i = 0; i < sizeof unclean / sizeof *unclean; i++)
		assert_false(dt_text_is_clean(unclean[i], strlen(unclean[i])));
	assert_true(dt_text_is_clean(L "U+10FFFF" R L "xFF" R, strlen(L "U+10FFFF" R L "xFF" R)));
	/* Every byte at every place, so that each lane and the tail of the fast way are looked at. */
	for (size_t len = 1; len <= 33; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned byte = 0; byte < 256; byte++) {
				memset(text, 'a', len);
				text[at] = (char)byte;
				assert_int_equal(dt_text_is_clean(text, len), byte >= 0x20 && byte < 0x7F);
			}
}

/* What is made clean is clean, for random bytes of both encodings. */
static void makes_anything_clean(void **state)
{
	uint32_t seed = 1;
	uint8_t in[48];
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof in; i++) {
			seed = seed * 1664525 + 1013904223;
			in[i] = (uint8_t)((seed >> 24) | (i % 3 ? 0x80 : 1));
		}
		const char *a = dt_text_from_utf8(&arena, (struct dt_bytes){ in, sizeof in });
		assert_true(dt_text_is_clean(a, strlen(a)));
		const char *b = dt_text_from_utf16(&arena, (struct dt_bytes){ in, sizeof in });
		assert_true(dt_text_is_clean(b, strlen(b)));
		dt_arena_reset(&arena);
	}
}

static void fits_whole_characters(void **state)
{
	static const char text[] = "ab\xC3\xA4" L "U+0007" R "c";
	static const size_t fit[] = { 0, 1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 16, 17, 17, 17 };
	(void)state;
	for (size_t max = 0; max < sizeof fit / sizeof *fit; max++)
		assert_int_equal(dt_text_fit(text, max), fit[max]);
	assert_int_equal(dt_text_fit("", 5), 0);
	assert_int_equal(dt_text_fit("\x80\x80\x80", 2), 2); /* not clean, and still an end */
}

static void folds_ascii_only(void **state)
{
	(void)state;
	assert_true(dt_text_equal_fold("CSAgent.SYS", "csagent.sys"));
	assert_false(dt_text_equal_fold("a", "ab"));
	assert_false(dt_text_equal_fold("ab", "a"));
	assert_false(dt_text_equal_fold("\xC3\x84", "\xC3\xA4"));
	assert_false(dt_text_equal_fold("@", "`"));
	assert_true(dt_text_equal_fold(NULL, NULL));
	assert_false(dt_text_equal_fold(NULL, ""));
	assert_true(dt_text_starts_fold("NTOSKRNL", "ntos"));
	assert_true(dt_text_starts_fold("n", ""));
	assert_false(dt_text_starts_fold("nt", "nto"));
	assert_false(dt_text_starts_fold(NULL, "a"));
	assert_true(dt_text_ends_fold("x.SYS", ".sys"));
	assert_false(dt_text_ends_fold("sys", ".sys"));
	assert_false(dt_text_ends_fold(NULL, ""));
	assert_string_equal(dt_text_basename("C:\\a\\b.sys"), "b.sys");
	assert_string_equal(dt_text_basename("/a/b"), "b");
	assert_string_equal(dt_text_basename("b"), "b");
	assert_string_equal(dt_text_basename("a/"), "");
	assert_null(dt_text_basename(NULL));
}

static void parses_numbers(void **state)
{
	static const struct {
		const char *text;
		bool hex;
		uint64_t value;
	} good[] = {
		{ "0", false, 0 }, { "10", false, 10 }, { "0x10", false, 16 }, { "0XfF", false, 255 }, { "10", true, 16 },
		{ "fffff801`12345678", true, 0xfffff80112345678 }, { "0xfffff801`12345678", true, 0xfffff80112345678 },
		{ "18446744073709551615", false, UINT64_MAX }, { "0xffffffffffffffff", false, UINT64_MAX }, { "00000000000000000001", true, 1 },
	};
	static const struct {
		const char *text;
		bool hex;
	} bad[] = {
		{ "", false }, { "", true }, { "0x", false }, { "x1", true }, { "1a", false }, { "0x1g", false }, { " 1", false },
		{ "1 ", false }, { "-1", false }, { "+1", false }, { "18446744073709551616", false }, { "0x10000000000000000", false },
		{ "`1", true }, { "1`", true }, { "1``2", true }, { "1`2", false }, { "0x`1", true }, { NULL, true },
	};
	uint64_t value;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(dt_text_parse_u64(good[i].text, good[i].hex, &value));
		assert_true(value == good[i].value);
	}
	value = 77;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(dt_text_parse_u64(bad[i].text, bad[i].hex, &value));
	assert_int_equal(value, 77);
}

static void compares_and_lowers(void **state)
{
	(void)state;
	assert_true(dt_text_equal(NULL, NULL));
	assert_true(dt_text_equal("a", "a"));
	assert_false(dt_text_equal("a", NULL));
	assert_false(dt_text_equal("a", "A"));
	assert_string_equal(dt_text_lower(&arena, "CSAgent\xc3\x84@[.SYS"), "csagent\xc3\x84@[.sys");
	assert_null(dt_text_lower(&arena, NULL));
}

static void hex_digits_of_both_cases(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *found = c ? strchr(digits, c) : NULL;
		int at = found ? (int)(found - digits) : -1;
		assert_int_equal(dt_text_hex_digit((char)c), at > 15 ? at - 6 : at);
	}
}

static void words_go_with_their_number(void **state)
{
	(void)state;
	assert_string_equal(dt_text_plural(1, "crash", "crashes"), "crash");
	assert_string_equal(dt_text_plural(0, "crash", "crashes"), "crashes");
	assert_string_equal(dt_text_plural(2, "crash", "crashes"), "crashes");
	assert_string_equal(dt_text_plural(UINT64_C(0x100000001), "crash", "crashes"), "crashes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_text),
		cmocka_unit_test(escapes_what_is_not_safe),
		cmocka_unit_test(ends_at_nul),
		cmocka_unit_test(cuts_long_text),
		cmocka_unit_test(knows_clean_text),
		cmocka_unit_test(makes_anything_clean),
		cmocka_unit_test(fits_whole_characters),
		cmocka_unit_test(folds_ascii_only),
		cmocka_unit_test(parses_numbers),
		cmocka_unit_test(compares_and_lowers),
		cmocka_unit_test(hex_digits_of_both_cases),
		cmocka_unit_test(words_go_with_their_number),
	};
	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}

/* The words of a recipe's line as numbers, times and bytes. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "recipe.h"

enum { FILETIME_SECOND = 10000000 };
static const uint64_t filetime_1970 = 116444736000000000u;

static uint64_t slid(const struct recipe *recipe, uint64_t value)
{
	if (value < 0xffff800000000000u || value >= 0xffffffff00000000u)
		return value;
	if (value >> 40 == 0xfffff8)
		return value + recipe->slide.images;
	/* The page that user and kernel share has one address on every machine. */
	return value >> 32 == 0xfffff780 ? value : value + recipe->slide.others;
}

static uint64_t number(struct recipe *recipe, const struct line *line, const char *text, const char **end)
{
	char *stop;

	errno = 0;
	uint64_t value = strtoull(text, &stop, 0);
	if (errno || stop == text || *text == '-' || (*stop && *stop != (end ? ',' : '\0')))
		recipe_fail(recipe, line, "'%s' is not a number", text);
	if (end)
		*end = stop;
	return slid(recipe, value);
}

uint64_t recipe_number(struct recipe *recipe, const struct line *line, size_t word)
{
	if (word < line->words)
		return number(recipe, line, line->word[word], NULL);
	recipe_fail(recipe, line, "%s needs a number as word %zu", line->word[0], word);
	return 0;
}

size_t recipe_length(struct recipe *recipe, const struct line *line, size_t word, size_t most)
{
	uint64_t value = recipe_number(recipe, line, word);

	if (value <= most)
		return (size_t)value;
	recipe_fail(recipe, line, "%s takes at most %zu bytes here", line->word[0], most);
	return 0;
}

const char *recipe_name(struct recipe *recipe, const struct line *line, size_t word)
{
	if (word < line->words)
		return line->word[word];
	recipe_fail(recipe, line, "%s needs a name as word %zu", line->word[0], word);
	return "";
}

const char *recipe_value(const struct line *line, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 1; i < line->words; i++)
		if (!strncmp(line->word[i], key, len) && line->word[i][len] == '=')
			return line->word[i] + len + 1;
	return NULL;
}

uint64_t recipe_value_number(struct recipe *recipe, const struct line *line, const char *key, uint64_t fallback)
{
	const char *value = recipe_value(line, key);

	return value ? number(recipe, line, value, NULL) : fallback;
}

static size_t numbers(struct recipe *recipe, const struct line *line, const char *at, uint64_t *out, size_t max)
{
	size_t count = 0;

	while (at && !recipe->failed) {
		if (count == max) {
			recipe_fail(recipe, line, "'%s': at most %zu numbers", at, max);
			break;
		}
		out[count++] = number(recipe, line, at, &at);
		if (*at != ',')
			break;
		at++;
	}
	return count;
}

size_t recipe_value_numbers(struct recipe *recipe, const struct line *line, const char *key, uint64_t *out,
                            size_t max)
{
	return numbers(recipe, line, recipe_value(line, key), out, max);
}

size_t recipe_numbers(struct recipe *recipe, const struct line *line, size_t word, uint64_t *out, size_t max)
{
	return numbers(recipe, line, recipe_name(recipe, line, word), out, max);
}

uint64_t recipe_setting(struct recipe *recipe, const char *keyword, uint64_t fallback)
{
	const struct line *line = recipe_last(recipe, keyword);

	return line ? recipe_number(recipe, line, 1) : fallback;
}

const char *recipe_word(const struct recipe *recipe, const char *keyword, const char *fallback)
{
	const struct line *line = recipe_last(recipe, keyword);

	return line && line->words > 1 ? line->word[1] : fallback;
}

uint64_t recipe_time(struct recipe *recipe, const struct line *line, size_t word)
{
	struct tm tm = { 0 };

	if (word >= line->words || !strchr(line->word[word], 'T'))
		return recipe_number(recipe, line, word);
	const char *end = strptime(line->word[word], "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end || strcmp(end, "Z") != 0)
		recipe_fail(recipe, line, "'%s' is not a time like 2024-07-19T05:12:33Z", line->word[word]);
	return (uint64_t)timegm(&tm) * FILETIME_SECOND + filetime_1970;
}

uint32_t recipe_unix_time(struct recipe *recipe, const struct line *line, size_t word)
{
	uint64_t time = recipe_time(recipe, line, word);

	return time < filetime_1970 ? 0 : (uint32_t)((time - filetime_1970) / FILETIME_SECOND);
}

uint64_t recipe_seconds(struct recipe *recipe, const char *keyword)
{
	const struct line *line = recipe_last(recipe, keyword);
	char *end = NULL;
	double seconds = 0;

	if (line) {
		seconds = strtod(recipe_name(recipe, line, 1), &end);
		if (!end || *end || !(seconds >= 0 && seconds < 1e10))
			recipe_fail(recipe, line, "%s takes seconds", keyword);
	}
	return recipe->failed ? 0 : (uint64_t)(seconds * FILETIME_SECOND + 0.5);
}

static int digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Appends the bytes of the hex digits of text; an open half byte stays in *high (-1: none). */
static void take_digits(struct recipe *recipe, const struct line *line, const char *text, uint8_t *out,
                        size_t *len, int *high)
{
	for (; *text; text++) {
		int value = digit(*text);
		if (value < 0) {
			recipe_fail(recipe, line, "'%c' is not a hex digit", *text);
			return;
		}
		if (*high >= 0)
			out[(*len)++] = (uint8_t)(*high << 4 | value);
		*high = *high >= 0 ? -1 : value;
	}
}

uint8_t *recipe_hex(struct recipe *recipe, const struct line *line, size_t from, size_t *len)
{
	uint8_t *out = malloc(strlen(line->rest) + 1);
	int high = -1;

	if (!out)
		abort();
	*len = 0;
	for (size_t w = from; w < line->words && !recipe->failed; w++)
		take_digits(recipe, line, line->word[w], out, len, &high);
	if (high >= 0)
		recipe_fail(recipe, line, "an odd number of hex digits");
	return out;
}

void recipe_digits(struct recipe *recipe, const struct line *line, const char *text, uint8_t *out, size_t size)
{
	size_t len = 0;
	int high = -1;

	memset(out, 0, size);
	if (strlen(text) != 2 * size)
		recipe_fail(recipe, line, "'%s' is not %zu hex digits", text, 2 * size);
	else
		take_digits(recipe, line, text, out, &len, &high);
}

#include "recipe.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void recipe_fail(struct recipe *recipe, const struct line *line, const char *fmt, ...)
{
	va_list args;
	int at = 0;

	if (recipe->failed)
		return;
	recipe->failed = true;
	if (line)
		at = snprintf(recipe->error, recipe->error_size, "%s:%u: ", line->file, line->number);
	va_start(args, fmt);
	if (at >= 0 && (size_t)at < recipe->error_size)
		vsnprintf(recipe->error + at, recipe->error_size - (size_t)at, fmt, args);
	va_end(args);
}

/* Cuts a line at blanks; "quoted words" keep theirs. */
static void cut(struct recipe *recipe, struct line *line)
{
	char *at = line->text;

	while (*at) {
		while (isspace((unsigned char)*at))
			*at++ = '\0';
		if (!*at)
			break;
		if (line->words == MAX_WORDS) {
			recipe_fail(recipe, line, "more than %d words", MAX_WORDS);
			return;
		}
		line->word[line->words++] = at;
		bool quoted = false;
		for (; *at && (quoted || !isspace((unsigned char)*at)); at++)
			if (*at == '"') {
				quoted = !quoted;
				memmove(at, at + 1, strlen(at));
				at--;
			}
	}
}

static void drop(struct recipe *recipe, const struct line *by)
{
	size_t dropped = 0;

	for (size_t i = 0; i < recipe->count; i++) {
		struct line *line = &recipe->lines[i];
		if (line == by || line->dropped || by->words < 2 || strcmp(line->word[0], by->word[1]))
			continue;
		if (by->words > 2 && (line->words < 2 || strcasecmp(line->word[1], by->word[2])))
			continue;
		line->dropped = true;
		dropped++;
	}
	if (!dropped)
		recipe_fail(recipe, by, "nothing to drop");
}

static bool inherit(struct recipe *recipe, const struct line *line, const char *folder, unsigned depth)
{
	char path[4096];
	char *text = NULL;
	size_t len = 0;

	if (line->words != 2 || strchr(line->word[1], '/') || depth > 3) {
		recipe_fail(recipe, line, "base takes the name of a recipe in the same folder");
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, line->word[1]);
	FILE *in = fopen(path, "rbe");
	if (!in) {
		recipe_fail(recipe, line, "%s: %s", path, strerror(errno));
		return false;
	}
	bool ok = getdelim(&text, &len, '\0', in) >= 0;
	fclose(in);
	if (ok)
		ok = recipe_parse(recipe, line->word[1], folder, text, strlen(text), depth + 1);
	free(text);
	return ok;
}

static bool take_line(struct recipe *recipe, const char *file, const char *folder, unsigned number, const char *at, size_t n,
                      unsigned depth)
{
	while (n && isspace((unsigned char)at[n - 1]))
		n--;
	while (n && isspace((unsigned char)*at)) {
		at++;
		n--;
	}
	if (n == 0 || *at == '#')
		return true;
	if (recipe->count == MAX_LINES) {
		recipe_fail(recipe, NULL, "%s: more than %d lines", file, MAX_LINES);
		return false;
	}
	struct line *line = &recipe->lines[recipe->count++];
	*line = (struct line){ .text = strndup(at, n), .rest = strndup(at, n), .number = number, .file = file };
	cut(recipe, line);
	if (!strcmp(line->word[0], "base"))
		return inherit(recipe, line, folder, depth);
	if (!strcmp(line->word[0], "drop"))
		drop(recipe, line);
	return !recipe->failed;
}

bool recipe_parse(struct recipe *recipe, const char *name, const char *folder, const char *text, size_t len, unsigned depth)
{
	const char *base = strrchr(name, '/'), *end = text + len;

	if (!recipe->lines)
		recipe->lines = calloc(MAX_LINES, sizeof(*recipe->lines));
	if (recipe->file_count == sizeof(recipe->files) / sizeof(recipe->files[0]))
		return false;
	char *file = recipe->files[recipe->file_count++] = strdup(base ? base + 1 : name);
	for (unsigned number = 1; text < end && !recipe->failed; number++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		if (!eol)
			eol = end;
		if (!take_line(recipe, file, folder, number, text, (size_t)(eol - text), depth))
			return false;
		text = eol + (eol < end);
	}
	return !recipe->failed;
}

void recipe_free(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->count; i++) {
		free(recipe->lines[i].text);
		free(recipe->lines[i].rest);
	}
	for (size_t i = 0; i < recipe->file_count; i++)
		free(recipe->files[i]);
	free(recipe->lines);
}

const struct line *recipe_next(const struct recipe *recipe, const char *keyword, const struct line *after)
{
	for (size_t i = after ? (size_t)(after - recipe->lines) + 1 : 0; i < recipe->count; i++)
		if (!recipe->lines[i].dropped && !strcmp(recipe->lines[i].word[0], keyword))
			return &recipe->lines[i];
	return NULL;
}

const struct line *recipe_last(const struct recipe *recipe, const char *keyword)
{
	const struct line *last = NULL, *line = NULL;

	while ((line = recipe_next(recipe, keyword, line)))
		last = line;
	return last;
}

static uint64_t number(struct recipe *recipe, const struct line *line, const char *text)
{
	char *end;

	errno = 0;
	uint64_t value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		recipe_fail(recipe, line, "'%s' is not a number", text);
	return value;
}

uint64_t recipe_number(struct recipe *recipe, const struct line *line, size_t word)
{
	if (word >= line->words) {
		recipe_fail(recipe, line, "%s needs a number as word %zu", line->word[0], word);
		return 0;
	}
	return number(recipe, line, line->word[word]);
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

	return value ? number(recipe, line, value) : fallback;
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

	if (word < line->words && strchr(line->word[word], 'T')) {
		const char *end = strptime(line->word[word], "%Y-%m-%dT%H:%M:%S", &tm);
		if (!end || strcmp(end, "Z"))
			recipe_fail(recipe, line, "'%s' is not a time like 2024-07-19T05:12:33Z", line->word[word]);
		return ((uint64_t)timegm(&tm) + 11644473600u) * 10000000u;
	}
	return recipe_number(recipe, line, word);
}

uint8_t *recipe_hex(struct recipe *recipe, const struct line *line, size_t from, size_t *len)
{
	uint8_t *out = malloc(strlen(line->rest) + 1);
	int high = -1;

	*len = 0;
	for (size_t w = from; w < line->words; w++)
		for (const char *p = line->word[w]; *p; p++) {
			int digit = isdigit((unsigned char)*p) ? *p - '0' : isxdigit((unsigned char)*p) ? tolower(*p) - 'a' + 10 : -1;
			if (digit < 0) {
				recipe_fail(recipe, line, "'%c' is not a hex digit", *p);
				return out;
			}
			if (high < 0) {
				high = digit;
			} else {
				out[(*len)++] = (uint8_t)(high << 4 | digit);
				high = -1;
			}
		}
	if (high >= 0)
		recipe_fail(recipe, line, "an odd number of hex digits");
	return out;
}

/* The lines of a recipe: reading, inheriting, dropping, finding. */
#include "recipe.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* The end of the word that begins at `at`; takes out the quotes, between which blanks belong to the word. */
static char *word_end(struct recipe *recipe, const struct line *line, char *at)
{
	bool quoted = false;

	while (*at && (quoted || !isspace((unsigned char)*at))) {
		if (*at == '"') {
			quoted = !quoted;
			memmove(at, at + 1, strlen(at));
		} else {
			at++;
		}
	}
	if (quoted)
		recipe_fail(recipe, line, "a quote that does not end");
	return at;
}

static void cut(struct recipe *recipe, struct line *line)
{
	char *at = line->text;

	while (*at && !recipe->failed) {
		if (line->words == MAX_WORDS) {
			recipe_fail(recipe, line, "more than %d words", MAX_WORDS);
			return;
		}
		line->word[line->words++] = at;
		at = word_end(recipe, line, at);
		while (isspace((unsigned char)*at))
			*at++ = '\0';
	}
}

/* `drop KEYWORD [SECOND]`: the lines above with that keyword, or only those with that second word, are as if
 * not written. */
static void drop(struct recipe *recipe, const struct line *by)
{
	size_t dropped = 0;

	if (by->words < 2) {
		recipe_fail(recipe, by, "drop takes a keyword");
		return;
	}
	for (size_t i = 0; i < recipe->count; i++) {
		struct line *line = &recipe->lines[i];
		if (line == by || line->dropped || strcmp(line->word[0], by->word[1]) != 0)
			continue;
		if (by->words > 2 && (line->words < 2 || strcasecmp(line->word[1], by->word[2]) != 0))
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
	size_t size = 0;

	if (line->words != 2 || strchr(line->word[1], '/') || depth >= MAX_BASES) {
		recipe_fail(recipe, line, "base takes the name of a recipe in the same folder, at most %d deep",
		            MAX_BASES);
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, line->word[1]);
	FILE *in = fopen(path, "rbe");
	ssize_t len = in ? getdelim(&text, &size, '\0', in) : -1;
	if (len < 0)
		recipe_fail(recipe, line, "%s: %s", line->word[1], in ? "empty" : strerror(errno));
	if (in)
		fclose(in);
	bool ok = len >= 0 && recipe_parse(recipe, line->word[1], folder, text, (size_t)len, depth + 1);
	free(text);
	return ok;
}

/* A copy without control characters that C would take for an end. */
static char *copy_text(const char *at, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		abort();
	memcpy(copy, at, n);
	copy[n] = '\0';
	return copy;
}

static bool take_line(struct recipe *recipe, const char *file, const char *folder, unsigned number,
                      const char *at, size_t n, unsigned depth)
{
	for (; n && isspace((unsigned char)at[n - 1]); n--)
		;
	for (; n && isspace((unsigned char)*at); n--)
		at++;
	if (n == 0 || *at == '#')
		return true;
	if (recipe->count == MAX_LINES) {
		recipe_fail(recipe, NULL, "%s:%u: more than %d lines", file, number, MAX_LINES);
		return false;
	}
	struct line *line = &recipe->lines[recipe->count++];
	*line = (struct line){
		.text = copy_text(at, n), .rest = copy_text(at, n), .number = number, .file = file
	};
	if (memchr(at, '\0', n))
		recipe_fail(recipe, line, "a zero byte");
	cut(recipe, line);
	if (recipe->failed || line->words == 0)
		return !recipe->failed;
	if (!strcmp(line->word[0], "base"))
		return inherit(recipe, line, folder, depth);
	if (!strcmp(line->word[0], "drop"))
		drop(recipe, line);
	return !recipe->failed;
}

bool recipe_parse(struct recipe *recipe, const char *name, const char *folder, const char *text, size_t len,
                  unsigned depth)
{
	const char *slash = strrchr(name, '/'), *end = text + len;

	if (!recipe->lines)
		recipe->lines = calloc(MAX_LINES, sizeof(*recipe->lines));
	if (!recipe->lines)
		abort();
	if (recipe->file_count == MAX_FILES) {
		recipe_fail(recipe, NULL, "%s: more than %d recipes in one", name, MAX_FILES);
		return false;
	}
	char *file = recipe->files[recipe->file_count++] =
		copy_text(slash ? slash + 1 : name, strlen(slash ? slash + 1 : name));
	for (unsigned number = 1; text < end; number++) {
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

size_t recipe_count(const struct recipe *recipe, const char *keyword)
{
	const struct line *line = NULL;
	size_t count = 0;

	while ((line = recipe_next(recipe, keyword, line)))
		count++;
	return count;
}

/*
 * recipe.h - a recipe taken apart: lines of words, inherited lines resolved. Private to the builder.
 */
#ifndef SAMPLE_RECIPE_H
#define SAMPLE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_WORDS = 64, MAX_LINES = 4096 };

struct line {
	char *text;  /* owned copy, cut into words */
	char *rest;  /* the line behind its first word, uncut; owned */
	char *word[MAX_WORDS];
	size_t words;
	unsigned number;
	const char *file; /* for messages */
	bool dropped;
};

struct recipe {
	struct line *lines;
	size_t count;
	char *files[8];
	size_t file_count;
	char *error; /* the sample's error buffer */
	size_t error_size;
	bool failed;
};

/* "file:12: ..." into the error buffer; the first error stays. */
void recipe_fail(struct recipe *recipe, const struct line *line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool recipe_parse(struct recipe *recipe, const char *name, const char *folder, const char *text, size_t len, unsigned depth);
void recipe_free(struct recipe *recipe);

/* The last line with a keyword, or NULL; the next one behind `after` (NULL: the first). */
const struct line *recipe_last(const struct recipe *recipe, const char *keyword);
const struct line *recipe_next(const struct recipe *recipe, const char *keyword, const struct line *after);
/* A number word (0x… or decimal); fails the recipe when it is none. */
uint64_t recipe_number(struct recipe *recipe, const struct line *line, size_t word);
/* key=value among the words: the value, or NULL. */
const char *recipe_value(const struct line *line, const char *key);
uint64_t recipe_value_number(struct recipe *recipe, const struct line *line, const char *key, uint64_t fallback);
/* The number of a single-valued keyword's first word. */
uint64_t recipe_setting(struct recipe *recipe, const char *keyword, uint64_t fallback);
const char *recipe_word(const struct recipe *recipe, const char *keyword, const char *fallback);
/* 100 ns since 1601 of "2024-07-19T05:12:33Z"; a plain number is taken as it is. */
uint64_t recipe_time(struct recipe *recipe, const struct line *line, size_t word);
/* Hex digits of word `from` and all behind it into bytes (malloc'd). */
uint8_t *recipe_hex(struct recipe *recipe, const struct line *line, size_t from, size_t *len);

#endif

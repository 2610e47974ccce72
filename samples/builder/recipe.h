/*
 * recipe.h - a recipe taken apart: lines of words, inherited lines resolved. Private to the builder.
 *
 * What a keyword means is not known here, but for `base` and `drop`, which put recipes together.
 */
#ifndef SAMPLE_RECIPE_H
#define SAMPLE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_WORDS = 64, MAX_LINES = 8192, MAX_FILES = 8, MAX_BASES = 3 };

struct line {
	char *text; /* owned copy, cut into words */
	char *rest; /* owned copy, uncut, without blanks around it */
	char *word[MAX_WORDS];
	size_t words; /* at least 1 */
	unsigned number;
	const char *file; /* for messages */
	bool dropped;
};

/*
 * Moves all addresses of a machine, as another start of Windows would: images (0xfffff800… to 0xfffff8ff…) by
 * `images` bytes, all other kernel addresses but those of the last 4 GiB and of the shared page by `others`.
 */
struct slide {
	uint64_t images, others;
};

struct recipe {
	struct line *lines;
	size_t count;
	char *files[MAX_FILES];
	size_t file_count;
	struct slide slide;
	char *error; /* the sample's error buffer */
	size_t error_size;
	bool failed;
};

/* "file:12: ..." into the error buffer (without a line: the text alone); the first error stays. */
void recipe_fail(struct recipe *recipe, const struct line *line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Takes the lines of a text behind those that are there. False with the error set. */
bool recipe_parse(struct recipe *recipe, const char *name, const char *folder, const char *text, size_t len,
                  unsigned depth);
void recipe_free(struct recipe *recipe);

/* The last line with a keyword, or NULL; the next one behind `after` (NULL: the first). */
const struct line *recipe_last(const struct recipe *recipe, const char *keyword);
const struct line *recipe_next(const struct recipe *recipe, const char *keyword, const struct line *after);
size_t recipe_count(const struct recipe *recipe, const char *keyword);

/* A number word (0x… or decimal), slid; fails the recipe when it is none. */
uint64_t recipe_number(struct recipe *recipe, const struct line *line, size_t word);
/* A length: as recipe_number(), and fails the recipe where it is over most. */
size_t recipe_length(struct recipe *recipe, const struct line *line, size_t word, size_t most);
/* key=value among the words: the value, or NULL. */
const char *recipe_value(const struct line *line, const char *key);
uint64_t recipe_value_number(struct recipe *recipe, const struct line *line, const char *key,
                             uint64_t fallback);
/* The numbers of key=1,2,3, at most max; how many there are. */
size_t recipe_value_numbers(struct recipe *recipe, const struct line *line, const char *key, uint64_t *out,
                            size_t max);
/* The numbers of a word 1,2,3. */
size_t recipe_numbers(struct recipe *recipe, const struct line *line, size_t word, uint64_t *out, size_t max);
/* The number, or the word, of a single-valued keyword's last line. */
uint64_t recipe_setting(struct recipe *recipe, const char *keyword, uint64_t fallback);
const char *recipe_word(const struct recipe *recipe, const char *keyword, const char *fallback);
/* A word that must be there. */
const char *recipe_name(struct recipe *recipe, const struct line *line, size_t word);
/* 100 ns since 1601 of "2024-07-19T05:12:33Z"; a plain number is taken as it is. */
uint64_t recipe_time(struct recipe *recipe, const struct line *line, size_t word);
/* The same in seconds since 1970; 0 where the time is before that. */
uint32_t recipe_unix_time(struct recipe *recipe, const struct line *line, size_t word);
/* 100 ns of a keyword's seconds with a fraction. */
uint64_t recipe_seconds(struct recipe *recipe, const char *keyword);
/* Hex digits of word `from` and all behind it into bytes (malloc'd, never NULL). */
uint8_t *recipe_hex(struct recipe *recipe, const struct line *line, size_t from, size_t *len);
/* Exactly 2 * size hex digits of a text into bytes; fails the recipe otherwise. */
void recipe_digits(struct recipe *recipe, const struct line *line, const char *text, uint8_t *out, size_t size);

#endif

/* The list of vulnerable drivers is searched by halving in its text: nothing is parsed for a start-up that does not need it. */
#include "judgement/signature/vulnerable.h"

#include <stdint.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"

enum { MAX_NAME = 64, COLUMNS = 4 };

struct line {
	const char *column[COLUMNS];
	size_t len[COLUMNS];
};

/* The columns of the line at `at`; gives where the next begins, 0 when there are more or fewer. */
static size_t split(const struct dt_vulnerable *list, size_t at, struct line *out)
{
	size_t column = 0;

	*out = (struct line){ .column[0] = list->text + at };
	for (; at < list->len && list->text[at] != '\n'; at++) {
		if (list->text[at] != '\t') {
			out->len[column]++;
			continue;
		}
		if (++column == COLUMNS)
			return 0;
		out->column[column] = list->text + at + 1;
	}
	return column == COLUMNS - 1 ? at + (at < list->len) : 0;
}

static size_t skip_head(const struct dt_vulnerable *list)
{
	size_t at = 0;

	while (at < list->len && list->text[at] == '#') {
		const char *end = memchr(list->text + at, '\n', list->len - at);
		at = end ? (size_t)(end - list->text) + 1 : list->len;
	}
	return at;
}

static bool parse_hex(const char *text, size_t len, uint64_t *out)
{
	char number[24];

	if (len < 3 || len >= sizeof(number) || memcmp(text, "0x", 2))
		return false;
	memcpy(number, text, len);
	number[len] = 0;
	return dt_text_parse_u64(number, false, out) && *out <= UINT32_MAX;
}

static int compare_name(const struct line *line, const char *name)
{
	size_t i = 0;

	while (i < line->len[0] && name[i] && line->column[0][i] == dt_text_fold(name[i]))
		i++;
	if (i == line->len[0])
		return name[i] ? -1 : 0;
	return (int)(unsigned char)line->column[0][i] - (int)(unsigned char)dt_text_fold(name[i]);
}

/* ---- which names there are --------------------------------------------- */

/* FNV-1a over the folded name, as a place among the bits. */
static unsigned hash_name(const char *name, size_t len)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)dt_text_fold(name[i])) * UINT32_C(16777619);
	return (hash >> 16) ^ (hash & 0xffff);
}

static void note_names(struct dt_vulnerable *list)
{
	size_t at = skip_head(list);

	while (at < list->len) {
		const char *line = list->text + at, *end = memchr(line, '\n', list->len - at);
		size_t len = end ? (size_t)(end - line) : list->len - at;
		const char *tab = memchr(line, '\t', len);
		unsigned bit = hash_name(line, tab ? (size_t)(tab - line) : len);
		list->names[bit / 64] |= UINT64_C(1) << bit % 64;
		at += len + 1;
	}
}

static bool may_have(const struct dt_vulnerable *list, const char *name)
{
	unsigned bit = hash_name(name, strlen(name));

	return list->names[bit / 64] >> bit % 64 & 1;
}

void dt_vulnerable_trust(struct dt_vulnerable *out, const char *text, size_t len)
{
	*out = (struct dt_vulnerable){ .text = text, .len = len };
	note_names(out);
}

/* ---- form -------------------------------------------------------------- */

static bool is_name(const struct line *line)
{
	for (size_t i = 0; i < line->len[0]; i++)
		if ((unsigned char)line->column[0][i] < 0x20 || line->column[0][i] == 0x7f || dt_text_fold(line->column[0][i]) != line->column[0][i])
			return false;
	return line->len[0] > 0 && line->len[0] <= MAX_NAME;
}

static bool is_id(const struct line *line)
{
	for (size_t i = 0; i < line->len[3]; i++)
		if (!strchr("0123456789abcdef-", line->column[3][i]) || !line->column[3][i])
			return false;
	return line->len[3] > 0 && line->len[3] <= 40;
}

static const char *mistake(const struct line *line, size_t *column)
{
	uint64_t number;

	*column = 0;
	if (!is_name(line))
		return "a name of at most 64 characters, in lower case";
	*column = 1;
	if (line->len[1] != 10 || !parse_hex(line->column[1], line->len[1], &number))
		return "a timestamp, 0x and 8 digits";
	*column = 2;
	if ((line->len[2] != 1 || line->column[2][0] != '-') && !parse_hex(line->column[2], line->len[2], &number))
		return "a size, 0x and digits, or '-'";
	*column = 3;
	return is_id(line) ? NULL : "the id of an entry";
}

/* Names and timestamps only grow. */
static bool in_order(const struct line *before, const struct line *line)
{
	size_t len = before->len[0] < line->len[0] ? before->len[0] : line->len[0];
	int order = memcmp(before->column[0], line->column[0], len);

	if (order || before->len[0] != line->len[0])
		return order < 0 || (order == 0 && before->len[0] < line->len[0]);
	return memcmp(before->column[1], line->column[1], 10) <= 0;
}

enum dt_status dt_vulnerable_init(struct dt_vulnerable *out, const char *file, const char *text, size_t len, struct dt_error *err)
{
	struct line line, before = { { 0 }, { 0 } };
	unsigned number = 1;
	size_t at, next, column;

	*out = (struct dt_vulnerable){ .text = text, .len = len };
	if (len > DT_MAX_VULNERABLE_FILE)
		return dt_fail(err, DT_ERR_LIMIT, "%s: %zu bytes, a list of drivers has at most %u", file, len, DT_MAX_VULNERABLE_FILE);
	at = skip_head(out);
	for (size_t i = 0; i < at; i++)
		number += text[i] == '\n';
	for (; at < len; at = next, number++) {
		if (!(next = split(out, at, &line)))
			return dt_fail(err, DT_ERR_FORMAT, "%s:%u:1: expected name, timestamp, size and id between tabs", file, number);
		const char *wanted = mistake(&line, &column);
		if (wanted)
			return dt_fail(err, DT_ERR_FORMAT, "%s:%u:%zu: expected %s", file, number, (size_t)(line.column[column] - line.column[0]) + 1,
			               wanted);
		if (before.column[0] && !in_order(&before, &line))
			return dt_fail(err, DT_ERR_FORMAT, "%s:%u:1: the lines are not in ascending order", file, number);
		before = line;
	}
	note_names(out);
	return DT_OK;
}

/* ---- search ------------------------------------------------------------ */

static size_t line_begin(const struct dt_vulnerable *list, size_t at, size_t least)
{
	while (at > least && list->text[at - 1] != '\n')
		at--;
	return at;
}

/* The first line with the name, or with a greater one. */
static size_t find_name(const struct dt_vulnerable *list, const char *name)
{
	size_t low = skip_head(list), least = low, high = list->len;

	while (low < high) {
		size_t middle = line_begin(list, (low + high) / 2, least);
		struct line line;
		size_t next = split(list, middle, &line);
		if (!next)
			return list->len;
		if (compare_name(&line, name) < 0)
			low = next;
		else
			high = middle;
	}
	return low;
}

const char *dt_vulnerable_find(const struct dt_vulnerable *list, const char *name, uint64_t timestamp, const uint64_t *size,
                               size_t *len)
{
	size_t next;

	if (!may_have(list, name))
		return NULL;
	for (size_t at = find_name(list, name); at < list->len; at = next) {
		struct line line;
		uint64_t built, wanted;
		if (!(next = split(list, at, &line)) || compare_name(&line, name) != 0)
			return NULL;
		if (!parse_hex(line.column[1], line.len[1], &built) || built != timestamp)
			continue;
		if (size && parse_hex(line.column[2], line.len[2], &wanted) && wanted != *size)
			continue;
		*len = line.len[3];
		return line.column[3];
	}
	return NULL;
}

#include "core/tables/carriers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/embedded.h"
#include "core/base/limits.h"
#include "core/base/text.h"

extern const struct dt_embedded dt_builtin_carriers[];

enum { MOST_NAME = 255 };

/* ---- reading ------------------------------------------------------------------------- */

struct word {
	const char *at;
	size_t len;
};

struct line {
	const char *file;
	unsigned number;
	const char *begin, *at, *end;
	struct dt_error *err;
};

static bool next_word(struct line *line, struct word *out)
{
	while (line->at < line->end && (*line->at == ' ' || *line->at == '\t'))
		line->at++;
	out->at = line->at;
	while (line->at < line->end && *line->at != ' ' && *line->at != '\t')
		line->at++;
	out->len = (size_t)(line->at - out->at);
	return out->len && *out->at != '#';
}

static enum dt_status wrong(const struct line *line, const struct word *word, const char *expected)
{
	struct word found = *word;
	bool none = !found.len || *found.at == '#';

	return dt_fail(line->err, DT_ERR_FORMAT, "%s:%u:%u: expected %s, found %s%.*s%s", line->file, line->number, (unsigned)(found.at - line->begin) + 1,
	               expected, none ? "the end of the line" : "'", none ? 0 : (int)(found.len < 64 ? found.len : 64), found.at, none ? "" : "'");
}

static bool is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && !memcmp(word->at, text, word->len);
}

/* A name with or without a star at its end. */
static bool read_name(const char *at, size_t len, uint16_t *out, bool *star)
{
	*star = len && at[len - 1] == '*';
	*out = (uint16_t)(len - *star);
	return len && len <= MOST_NAME && !memchr(at, '*', *out);
}

/* A star may stand before the extension, too. */
static bool read_module(const char *at, size_t len, struct dt_carrier *row)
{
	const char *star = memchr(at, '*', len);
	size_t head = star ? (size_t)(star - at) : len, tail = star ? len - head - 1 : 0;

	row->module = at;
	if (tail) {
		if (star[1] != '.' || memchr(star + 1, '*', tail) || len > MOST_NAME)
			return false;
		row->extension = star + 1;
		row->extension_len = (uint16_t)tail;
	}
	return read_name(at, star ? head + 1 : len, &row->module_len, &row->module_star);
}

static enum dt_status read_who(const struct line *line, const struct word *word, struct dt_carrier *row)
{
	const char *mark = memchr(word->at, '!', word->len);
	size_t len = mark ? (size_t)(mark - word->at) : word->len, rest = mark ? word->len - len - 1 : 0;

	if (!read_module(word->at, len, row))
		return wrong(line, word, "a module's file name, a star at most at its end or before its extension");
	if (!mark)
		return DT_OK;
	row->function = mark + 1;
	if (!read_name(mark + 1, rest, &row->function_len, &row->function_star))
		return wrong(line, &(struct word){ mark + 1, rest }, "a function's name, a star at most at its end");
	return DT_OK;
}

static enum dt_status read_kind(const struct line *line, const struct word *word, struct dt_carrier *row)
{
	static const char *const words[] = { [DT_CARRIER_IGNORE] = "ignore", [DT_CARRIER_MAYBE] = "maybe", [DT_CARRIER_LAST] = "last" };

	for (unsigned i = DT_CARRIER_IGNORE; i <= DT_CARRIER_LAST; i++)
		if (is(word, words[i])) {
			row->kind = (enum dt_carrier_kind)i;
			return DT_OK;
		}
	return wrong(line, word, "ignore, maybe or last");
}

/* kind stays none for a line without a row. */
static enum dt_status read_line(struct line *line, struct dt_carrier *row)
{
	struct word word;
	enum dt_status status;

	*row = (struct dt_carrier){ 0 };
	if (!next_word(line, &word))
		return DT_OK;
	row->kernel = is(&word, "kernel");
	if (!row->kernel && !is(&word, "user"))
		return wrong(line, &word, "kernel or user");
	if (!next_word(line, &word))
		return wrong(line, &word, "MODULE or MODULE!FUNCTION");
	if ((status = read_who(line, &word, row)) != DT_OK)
		return status;
	(void)next_word(line, &word);
	if ((status = read_kind(line, &word, row)) != DT_OK)
		return status;
	return next_word(line, &word) ? wrong(line, &word, "the end of the line") : DT_OK;
}

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || !strncasecmp(a, b, a_len));
}

/* Says what the last row about the same frames says already: a copy of the program's own file adds nothing. */
static bool is_said(const struct dt_carriers *list, const struct dt_carrier *row)
{
	for (size_t i = list->count; i > 0; i--) {
		const struct dt_carrier *other = &list->rows[i - 1];
		if (other->kernel == row->kernel && other->module_star == row->module_star && other->function_star == row->function_star &&
		    !other->function == !row->function && same_text(other->module, other->module_len, row->module, row->module_len) &&
		    same_text(other->extension, other->extension_len, row->extension, row->extension_len) &&
		    same_text(other->function, other->function_len, row->function, row->function_len))
			return other->kind == row->kind;
	}
	return false;
}

/* One more row; the rows before may be shared, and are copied when they move. */
static enum dt_status append(struct dt_carriers *list, const struct dt_carrier *row, struct dt_arena *arena, struct dt_error *err)
{
	if (list->count == DT_MAX_CARRIERS)
		return dt_fail(err, DT_ERR_LIMIT, "carriers: more than %u rows", DT_MAX_CARRIERS);
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 128;
		struct dt_carrier *more = DT_ARENA_ARRAY(arena, room, struct dt_carrier);
		if (!more)
			return dt_fail(err, DT_ERR_NOMEM, "carriers: no memory");
		if (list->count)
			memcpy(more, list->rows, list->count * sizeof(*more));
		list->rows = more;
		list->room = room;
	}
	list->rows[list->count++] = *row;
	return DT_OK;
}

/* The rows point into the text. */
static enum dt_status add_rows(struct dt_carriers *list, const char *file, struct dt_bytes text, struct dt_arena *arena, struct dt_error *err)
{
	const char *at = (const char *)text.data, *end = at + text.len;
	enum dt_status status = DT_OK;
	struct dt_carrier row;

	for (unsigned number = 1; status == DT_OK && at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at)), *last = stop ? stop : end;
		struct line line = { file, number, at, at, last > at && last[-1] == '\r' ? last - 1 : last, err };
		status = read_line(&line, &row);
		if (status == DT_OK && row.kind && !is_said(list, &row))
			status = append(list, &row, arena, err);
		at = stop ? stop + 1 : end;
	}
	return status;
}

enum dt_status dt_carriers_add(struct dt_carriers *list, const char *file, const char *text, size_t len, struct dt_arena *arena, struct dt_error *err)
{
	struct dt_bytes copy = dt_arena_bytes(arena, (struct dt_bytes){ (const uint8_t *)text, len });

	/* Nothing has no place in memory to count from. */
	if (!len)
		return DT_OK;
	return copy.len == len ? add_rows(list, file, copy, arena, err) : dt_fail(err, DT_ERR_NOMEM, "%s: no memory", file);
}

/* ---- the program's own ------------------------------------------------------------------ */

enum { BUILTIN_ROOM = 512 };
static struct dt_carrier builtin_rows[BUILTIN_ROOM];
static struct dt_carriers builtin = { .rows = builtin_rows, .room = BUILTIN_ROOM };

/* Takes no memory, and so cannot fail for want of it. */
static void read_builtin(void)
{
	const struct dt_bytes text = { (const uint8_t *)dt_builtin_carriers[0].data, dt_builtin_carriers[0].len };
	struct dt_arena none;
	struct dt_error err;

	dt_arena_init(&none, 0);
	/* A test reads the file: it is our mistake when it is wrong, or has more rows than there is room for. */
	if (add_rows(&builtin, dt_builtin_carriers[0].name, text, &none, &err) != DT_OK)
		abort();
}

const struct dt_carriers *dt_carriers_builtin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_builtin);
	return &builtin;
}

/* ---- finding ----------------------------------------------------------------------------- */

static bool fits(const char *row, size_t len, bool star, const char *name)
{
	return !strncasecmp(row, name, len) && (star || !name[len]);
}

static bool fits_module(const struct dt_carrier *row, const char *module)
{
	size_t len = strlen(module);

	return fits(row->module, row->module_len, row->module_star, module) &&
	       (!row->extension || (len >= (size_t)row->module_len + row->extension_len &&
	                            !strncasecmp(module + len - row->extension_len, row->extension, row->extension_len)));
}

/* How much a row says: a full name more than any beginning of it. */
static unsigned weight(size_t len, bool star)
{
	return (unsigned)len * 2 + !star;
}

enum dt_carrier_kind dt_carriers_find(const struct dt_carriers *list, bool kernel, const char *module, const char *function)
{
	enum dt_carrier_kind kind = DT_CARRIER_NONE;
	unsigned best_module = 0, best_function = 0;
	char first = module ? dt_text_fold(module[0]) : 0;

	list = list ? list : dt_carriers_builtin();
	for (size_t i = 0; module && i < list->count; i++) {
		const struct dt_carrier *row = &list->rows[i];
		/* Nearly all rows are another name's, which their first letter tells. */
		if (row->kernel != kernel || (row->module_len && dt_text_fold(row->module[0]) != first) || !fits_module(row, module))
			continue;
		bool whole = !row->function || (row->function_star && !row->function_len);
		if (!whole && (!function || !fits(row->function, row->function_len, row->function_star, function)))
			continue;
		unsigned of_module = weight((size_t)row->module_len + row->extension_len, row->module_star), of_function = whole ? 0 : weight(row->function_len, row->function_star);
		if (kind && (of_module < best_module || (of_module == best_module && of_function < best_function)))
			continue;
		kind = row->kind;
		best_module = of_module;
		best_function = of_function;
	}
	return kind;
}

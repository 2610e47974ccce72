#include "facts/symbol/breakpad.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"

enum { MOST_NAME = 1024 };

struct dt_breakpad_row {
	uint32_t rva, len; /* len 0: PUBLIC */
	uint32_t name, name_len; /* in the file */
};

/* ---- lines ------------------------------------------------------------------------- */

struct line {
	const char *at, *end;
};

static bool next_line(struct dt_bytes file, size_t *off, struct line *out)
{
	if (*off >= file.len)
		return false;
	const char *begin = (const char *)file.data + *off, *end = memchr(begin, '\n', file.len - *off);
	size_t len = end ? (size_t)(end - begin) : file.len - *off;
	*off += len + (end != NULL);
	if (len && begin[len - 1] == '\r')
		len--;
	*out = (struct line){ begin, begin + len };
	return true;
}

static bool word(struct line *line, struct line *out)
{
	while (line->at < line->end && *line->at == ' ')
		line->at++;
	const char *begin = line->at;
	while (line->at < line->end && *line->at != ' ')
		line->at++;
	*out = (struct line){ begin, line->at };
	return begin < line->at;
}

static bool is(const struct line *text, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(text->end - text->at) == len && !memcmp(text->at, what, len);
}

/* Up to eight hex digits. */
static bool number(struct line *line, uint32_t *out)
{
	struct line digits;
	uint32_t value = 0;

	if (!word(line, &digits) || digits.end - digits.at > 8)
		return false;
	for (const char *c = digits.at; c < digits.end; c++) {
		int digit = dt_text_hex_digit(*c);
		if (digit < 0)
			return false;
		value = value << 4 | (unsigned)digit;
	}
	*out = value;
	return true;
}

/* FUNC and PUBLIC; false for all other records, and for what is not whole. */
static bool read_row(struct dt_bytes file, struct line line, struct dt_breakpad_row *out)
{
	struct line what, multiple;
	uint32_t parameters;

	if (!word(&line, &what) || (!is(&what, "FUNC") && !is(&what, "PUBLIC")))
		return false;
	struct line rest = line;
	if (word(&rest, &multiple) && is(&multiple, "m"))
		line = rest;
	out->len = 0;
	if (!number(&line, &out->rva) || (is(&what, "FUNC") && (!number(&line, &out->len) || !out->len)) || !number(&line, &parameters))
		return false;
	while (line.at < line.end && *line.at == ' ')
		line.at++;
	out->name = (uint32_t)(line.at - (const char *)file.data);
	out->name_len = line.end - line.at < MOST_NAME ? (uint32_t)(line.end - line.at) : MOST_NAME;
	return out->name_len;
}

/* ---- the file -------------------------------------------------------------------------- */

static bool read_module(struct dt_breakpad *sym, struct line line)
{
	struct line what, system, machine, id;

	if (!word(&line, &what) || !is(&what, "MODULE") || !word(&line, &system) || !word(&line, &machine) || !word(&line, &id) ||
	    (size_t)(id.end - id.at) >= sizeof(sym->debug_id))
		return false;
	memcpy(sym->debug_id, id.at, (size_t)(id.end - id.at));
	return true;
}

static size_t count_rows(struct dt_bytes file)
{
	struct dt_breakpad_row row;
	struct line line;
	size_t count = 0;

	for (size_t off = 0; count <= DT_MAX_SYM_ROWS && next_line(file, &off, &line);)
		count += read_row(file, line, &row);
	return count;
}

enum dt_status dt_breakpad_open(struct dt_breakpad *sym, struct dt_bytes file, struct dt_arena *arena, struct dt_error *err)
{
	struct line line;
	size_t off = 0, count;

	*sym = (struct dt_breakpad){ .file = file, .arena = arena };
	if (file.len > UINT32_MAX || !next_line(file, &off, &line) || !read_module(sym, line))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, ".sym file: expected a MODULE record");
	count = count_rows(file);
	if (count > DT_MAX_SYM_ROWS)
		return dt_fail(err, DT_ERR_LIMIT, ".sym file: more than %u functions", DT_MAX_SYM_ROWS);
	sym->rows = DT_ARENA_ARRAY(arena, count, struct dt_breakpad_row);
	if (!sym->rows)
		return dt_fail(err, DT_ERR_NOMEM, ".sym file: no memory for %zu functions", count);
	for (off = 0; sym->count < count && next_line(file, &off, &line);)
		sym->count += read_row(file, line, &sym->rows[sym->count]);
	return DT_OK;
}

/* Rows need not be sorted. A function around the address is better than a label before it. */
static const struct dt_breakpad_row *find(const struct dt_breakpad *sym, uint32_t rva)
{
	const struct dt_breakpad_row *before = NULL;

	for (size_t i = 0; i < sym->count; i++) {
		const struct dt_breakpad_row *row = &sym->rows[i];
		if (row->len && rva - row->rva < row->len)
			return row;
		if (!row->len && row->rva <= rva && (!before || row->rva > before->rva))
			before = row;
	}
	return before;
}

bool dt_breakpad_symbol_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_breakpad_symbol *out)
{
	const struct dt_breakpad_row *row = find(sym, rva);

	if (!row)
		return false;
	*out = (struct dt_breakpad_symbol){ .rva = row->rva, .len = row->len };
	out->name = dt_text_from_utf8(sym->arena, dt_bytes_clip(sym->file, row->name, row->name_len));
	return out->name;
}

#include "facts/symbol/breakpad.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "facts/symbol/frame.h"

enum { MOST_NAME = 1024, MOST_PROGRAM = 512 };

struct dt_breakpad_row {
	uint32_t rva, len; /* len 0: PUBLIC */
	uint32_t name, name_len; /* in the file */
};

struct dt_breakpad_stack {
	uint32_t rva, len;
	uint32_t line, line_len; /* in the file, behind the type */
	bool program;            /* FrameData; else FPO_DATA */
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

/* STACK WIN type begin size prolog epilog parameters saved locals most has_program, and the program or whether ebp was pushed. */
static bool read_stack(struct dt_bytes file, struct line line, struct dt_breakpad_stack *out)
{
	struct line what, system;
	uint32_t type;

	if (!word(&line, &what) || !is(&what, "STACK") || !word(&line, &system) || !is(&system, "WIN") || !number(&line, &type) ||
	    (type != 0 && type != 4))
		return false;
	*out = (struct dt_breakpad_stack){ .line = (uint32_t)(line.at - (const char *)file.data), .line_len = (uint32_t)(line.end - line.at),
		                           .program = type == 4 };
	return number(&line, &out->rva) && number(&line, &out->len) && out->len;
}

static bool read_frame(const struct dt_breakpad *sym, const struct dt_breakpad_stack *row, struct dt_symbol_frame *out)
{
	const char *text = (const char *)sym->file.data + row->line;
	struct line line = { text, text + row->line_len };
	uint32_t begin, len, epilog, most, last;

	*out = (struct dt_symbol_frame){ 0 };
	if (!number(&line, &begin) || !number(&line, &len) || !number(&line, &out->prolog) || !number(&line, &epilog) || !number(&line, &out->params) ||
	    !number(&line, &out->saved) || !number(&line, &out->locals) || !number(&line, &most) || !number(&line, &last))
		return false;
	out->begin = begin;
	out->len = len;
	if (!row->program) {
		out->saves_ebp = number(&line, &last) && last;
		return true;
	}
	while (line.at < line.end && *line.at == ' ')
		line.at++;
	if (last != 1 || line.at == line.end || line.end - line.at > MOST_PROGRAM)
		return false;
	out->program = dt_arena_strndup(sym->arena, line.at, (size_t)(line.end - line.at));
	return out->program;
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

/* Only 32-bit files have any. */
static enum dt_status open_stacks(struct dt_breakpad *sym, struct dt_error *err)
{
	struct dt_breakpad_stack row;
	struct line line;
	size_t count = 0;

	for (size_t off = 0; count <= DT_MAX_SYM_ROWS && next_line(sym->file, &off, &line);)
		count += read_stack(sym->file, line, &row);
	if (count > DT_MAX_SYM_ROWS)
		return dt_fail(err, DT_ERR_LIMIT, ".sym file: more than %u frames", DT_MAX_SYM_ROWS);
	sym->stacks = DT_ARENA_ARRAY(sym->arena, count, struct dt_breakpad_stack);
	if (!sym->stacks)
		return dt_fail(err, DT_ERR_NOMEM, ".sym file: no memory for %zu frames", count);
	for (size_t off = 0; sym->stack_count < count && next_line(sym->file, &off, &line);)
		sym->stack_count += read_stack(sym->file, line, &sym->stacks[sym->stack_count]);
	return DT_OK;
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
	return open_stacks(sym, err);
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

/* The innermost stretch around rva; a program says more than counts. */
bool dt_breakpad_frame_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_symbol_frame *out)
{
	const struct dt_breakpad_stack *best = NULL;

	for (size_t i = 0; i < sym->stack_count; i++) {
		const struct dt_breakpad_stack *row = &sym->stacks[i];
		if (row->rva > rva || rva - row->rva >= row->len || (best && (best->program != row->program ? best->program : best->rva >= row->rva)))
			continue;
		best = row;
	}
	if (!best || !read_frame(sym, best, out))
		return false;
	out->into = rva - out->begin;
	return true;
}

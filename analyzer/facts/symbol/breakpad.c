#include "facts/symbol/breakpad.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "facts/symbol/frame.h"

enum { MOST_NAME = 1024, MOST_PROGRAM = 512, MOST_CHANGES = 256 };

struct dt_breakpad_row {
	uint32_t rva, len; /* len 0: PUBLIC */
	uint32_t name, name_len; /* in the file */
};

struct dt_breakpad_stack {
	uint32_t rva, len;
	uint32_t line, line_len; /* in the file: of WIN behind the type, of CFI INIT the rules */
	enum { STACK_FPO, STACK_PROGRAM, STACK_RULES } kind;
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

static bool read_cfi(struct line *line, bool *init, uint32_t *begin, uint32_t *len);

static bool read_init(struct dt_bytes file, struct line line, struct dt_breakpad_stack *out)
{
	bool init;

	if (!read_cfi(&line, &init, &out->rva, &out->len) || !init || !out->len)
		return false;
	out->line = (uint32_t)(line.at - (const char *)file.data);
	out->line_len = (uint32_t)(line.end - line.at);
	out->kind = STACK_RULES;
	return true;
}

/* STACK WIN type begin size prolog epilog parameters saved locals most has_program, and the program or whether ebp was pushed. */
static bool read_stack(struct dt_bytes file, struct line line, struct dt_breakpad_stack *out)
{
	struct line what, system;
	uint32_t type;

	if (line.end - line.at < 10 || *line.at != 'S')
		return false;
	if (read_init(file, line, out))
		return true;
	if (!word(&line, &what) || !is(&what, "STACK") || !word(&line, &system) || !is(&system, "WIN") || !number(&line, &type) ||
	    (type != 0 && type != 4))
		return false;
	*out = (struct dt_breakpad_stack){ .line = (uint32_t)(line.at - (const char *)file.data), .line_len = (uint32_t)(line.end - line.at),
		                           .kind = type == 4 ? STACK_PROGRAM : STACK_FPO };
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
	if (row->kind == STACK_FPO) {
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

/* A file of more frames than there may be, or of none, still has names. */
static void open_stacks(struct dt_breakpad *sym)
{
	struct dt_breakpad_stack row;
	struct line line;
	size_t count = 0;

	for (size_t off = 0; count < DT_MAX_SYM_ROWS && next_line(sym->file, &off, &line);)
		count += read_stack(sym->file, line, &row);
	sym->stacks = count ? DT_ARENA_ARRAY(sym->arena, count, struct dt_breakpad_stack) : NULL;
	for (size_t off = 0; sym->stacks && sym->stack_count < count && next_line(sym->file, &off, &line);)
		sym->stack_count += read_stack(sym->file, line, &sym->stacks[sym->stack_count]);
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
	open_stacks(sym);
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

/* The innermost stretch around rva; a program says more than counts. */
bool dt_breakpad_frame_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_symbol_frame *out)
{
	const struct dt_breakpad_stack *best = NULL;

	for (size_t i = 0; i < sym->stack_count; i++) {
		const struct dt_breakpad_stack *row = &sym->stacks[i];
		if (row->kind == STACK_RULES || row->rva > rva || rva - row->rva >= row->len ||
		    (best && (best->kind != row->kind ? best->kind == STACK_PROGRAM : best->rva >= row->rva)))
			continue;
		best = row;
	}
	if (!best || !read_frame(sym, best, out))
		return false;
	out->into = rva - out->begin;
	return true;
}

/* ---- rules ------------------------------------------------------------------------------ */

/* The rest of "STACK CFI INIT begin size" or of "STACK CFI begin". */
static bool read_cfi(struct line *line, bool *init, uint32_t *begin, uint32_t *len)
{
	struct line what, system, rest;

	if (!word(line, &what) || !is(&what, "STACK") || !word(line, &system) || !is(&system, "CFI"))
		return false;
	rest = *line;
	*init = word(&rest, &what) && is(&what, "INIT");
	if (*init)
		*line = rest;
	*len = 0;
	return number(line, begin) && (!*init || number(line, len));
}

/* Where the rules of the function around rva begin: behind its INIT record, with its rules in *first. Functions do not overlap. */
static bool find_init(const struct dt_breakpad *sym, uint32_t rva, size_t *off, struct line *first)
{
	struct line rest;

	for (size_t i = 0; i < sym->stack_count; i++) {
		const struct dt_breakpad_stack *row = &sym->stacks[i];
		if (row->kind != STACK_RULES || rva - row->rva >= row->len)
			continue;
		*off = row->line;
		*first = (struct line){ (const char *)sym->file.data + row->line, (const char *)sym->file.data + row->line + row->line_len };
		(void)next_line(sym->file, off, &rest);
		return true;
	}
	return false;
}

static bool set_rule(const struct dt_breakpad *sym, struct dt_symbol_cfi *out, const struct line *name, const char *begin, const char *end)
{
	size_t len = (size_t)(name->end - name->at) - 1; /* without the colon */
	unsigned i = 0;

	if (len == 0 || len >= DT_CFI_NAME || end - begin > MOST_PROGRAM)
		return false;
	while (i < out->count && (strlen(out->rules[i].name) != len || memcmp(out->rules[i].name, name->at, len)))
		i++;
	if (i == DT_CFI_RULES)
		return false;
	if (i == out->count)
		memcpy(out->rules[out->count++].name, name->at, len);
	return (out->rules[i].text = dt_arena_strndup(sym->arena, begin, (size_t)(end - begin))) != NULL;
}

/* "NAME: words NAME: words"; what a line says replaces what was said before. */
static bool set_rules(const struct dt_breakpad *sym, struct dt_symbol_cfi *out, struct line line)
{
	struct line name = { NULL, NULL }, next;
	const char *begin = line.at, *end = line.at;

	while (word(&line, &next)) {
		bool names = next.end[-1] == ':';
		if (names && name.at && !set_rule(sym, out, &name, begin, end))
			return false;
		if (names) {
			name = next;
			begin = line.at;
		} else if (!name.at) {
			return false;
		}
		end = next.end;
	}
	return name.at && end > name.end && set_rule(sym, out, &name, begin, end);
}

bool dt_breakpad_cfi_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_symbol_cfi *out)
{
	struct line line;
	uint32_t begin, len;
	size_t off;
	bool init;

	memset(out, 0, sizeof(*out));
	if (!find_init(sym, rva, &off, &line) || !set_rules(sym, out, line))
		return false;
	for (unsigned n = 0; n < MOST_CHANGES && next_line(sym->file, &off, &line); n++) {
		if (!read_cfi(&line, &init, &begin, &len) || init || begin > rva)
			return true;
		if (!set_rules(sym, out, line))
			return false;
	}
	return true;
}

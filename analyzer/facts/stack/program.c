#include "facts/stack/program.h"

#include <string.h>

#include "core/base/text.h"

enum { MOST_WORDS = 512, MOST_DEPTH = 32 };

struct operand {
	uint64_t value;
	struct dt_program_variable *variable; /* NULL: a value */
};

struct machine {
	struct dt_program *program;
	struct operand stack[MOST_DEPTH];
	size_t depth;
};

/* The number of a variable; that behind the last one: there is none of that name. */
static size_t place_of(const struct dt_program *program, const char *name, size_t len)
{
	size_t i = 0;

	while (i < program->count && (strlen(program->variables[i].name) != len || memcmp(program->variables[i].name, name, len)))
		i++;
	return i;
}

static struct dt_program_variable *variable(struct dt_program *program, const char *name, size_t len)
{
	size_t at = place_of(program, name, len);

	if (len == 0 || len >= DT_PROGRAM_NAME)
		return NULL;
	if (at < program->count)
		return &program->variables[at];
	if (program->count == DT_PROGRAM_VARIABLES)
		return NULL;
	struct dt_program_variable *fresh = &program->variables[program->count++];
	*fresh = (struct dt_program_variable){ 0 };
	memcpy(fresh->name, name, len);
	return fresh;
}

static uint64_t cut(const struct dt_program *program, uint64_t value)
{
	return program->wide ? value : (uint32_t)value;
}

bool dt_program_set(struct dt_program *program, const char *name, uint64_t value)
{
	struct dt_program_variable *row = variable(program, name, strlen(name));

	if (!row)
		return false;
	row->value = cut(program, value);
	return row->known = true;
}

const struct dt_program_variable *dt_program_get(const struct dt_program *program, const char *name)
{
	size_t at = place_of(program, name, strlen(name));

	return at < program->count && program->variables[at].known ? &program->variables[at] : NULL;
}

static bool push(struct machine *m, struct operand operand)
{
	if (m->depth == MOST_DEPTH)
		return false;
	m->stack[m->depth++] = operand;
	return true;
}

static bool pop(struct machine *m, uint64_t *out)
{
	if (m->depth == 0)
		return false;
	const struct operand *top = &m->stack[--m->depth];
	*out = top->variable ? top->variable->value : top->value;
	return !top->variable || top->variable->known;
}

static bool assign(struct machine *m)
{
	uint64_t value;

	if (!pop(m, &value) || m->depth == 0 || !m->stack[m->depth - 1].variable)
		return false;
	struct dt_program_variable *to = m->stack[--m->depth].variable;
	to->value = cut(m->program, value);
	return to->known = to->assigned = true;
}

static bool fetch(struct machine *m)
{
	uint64_t va, value;

	return pop(m, &va) && m->program->read(m->program->self, cut(m->program, va), &value) && push(m, (struct operand){ .value = value });
}

static bool calculate(struct machine *m, char what)
{
	uint64_t a, b, value;

	if (!pop(m, &b) || !pop(m, &a) || (strchr("/%@", what) && b == 0))
		return false;
	switch (what) {
	case '+': value = a + b; break;
	case '-': value = a - b; break;
	case '*': value = a * b; break;
	case '/': value = a / b; break;
	case '%': value = a % b; break;
	default: value = a - a % b; break;
	}
	return push(m, (struct operand){ .value = cut(m->program, value) });
}

static bool literal(const char *word, size_t len, uint64_t *out)
{
	bool negative = len > 1 && word[0] == '-';
	char digits[24];

	if (len - negative >= sizeof(digits))
		return false;
	memcpy(digits, word + negative, len - negative);
	digits[len - negative] = '\0';
	if (!dt_text_parse_u64(digits, false, out))
		return false;
	*out = negative ? 0 - *out : *out;
	return true;
}

/* Rules for ARM64 name registers without a sign before them: only what has a value is one. */
static bool is_register(const struct dt_program *program, const char *word, size_t len)
{
	return *word >= 'a' && *word <= 'z' && place_of(program, word, len) < program->count;
}

static bool step(struct machine *m, const char *word, size_t len)
{
	uint64_t value;

	if (len == 1 && *word == '=')
		return assign(m);
	if (len == 1 && *word == '^')
		return fetch(m);
	if (len == 1 && strchr("+-*/%@", *word))
		return calculate(m, *word);
	if (is_register(m->program, word, len))
		return push(m, (struct operand){ .variable = variable(m->program, word, len) });
	if (*word != '$' && *word != '.')
		return literal(word, len, &value) && push(m, (struct operand){ .value = cut(m->program, value) });
	struct dt_program_variable *row = variable(m->program, word, len);
	return row && push(m, (struct operand){ .variable = row });
}

bool dt_program_run(struct dt_program *program, const char *text)
{
	struct machine m = { .program = program };

	for (unsigned words = 0; *text; words++) {
		text += strspn(text, " \t");
		size_t len = strcspn(text, " \t");
		if (len == 0)
			break;
		if (words == MOST_WORDS || !step(&m, text, len))
			return false;
		text += len;
	}
	return m.depth == 0;
}

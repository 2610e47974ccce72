/*
 * unwind_cfi.c - frames of x64 code without its image, by the rules of a Breakpad file.
 *
 * Every rule is an expression over the registers of the callee and ".cfa", the address behind the return address. Registers that no
 * rule names are kept, where they are such that a function has to keep.
 */
#include <stdio.h>
#include <string.h>

#include "core/tables/machines.h"
#include "facts/stack/program.h"
#include "facts/stack/unwind.h"
#include "facts/symbol/frame.h"

enum { WORD = 8, MOST_TEXT = 600 };

static const struct {
	const char *name;
	unsigned number;
	bool kept; /* by the rules of Windows */
} registers[] = {
	{ "$rax", DT_X64_RAX, false }, { "$rcx", DT_X64_RCX, false }, { "$rdx", DT_X64_RDX, false }, { "$rbx", DT_X64_RBX, true },
	{ "$rsp", DT_X64_RSP, false }, { "$rbp", DT_X64_RBP, true },  { "$rsi", DT_X64_RSI, true },  { "$rdi", DT_X64_RDI, true },
	{ "$r8", DT_X64_R8, false },   { "$r9", DT_X64_R9, false },   { "$r10", DT_X64_R10, false }, { "$r11", DT_X64_R11, false },
	{ "$r12", DT_X64_R12, true },  { "$r13", DT_X64_R13, true },  { "$r14", DT_X64_R14, true },  { "$r15", DT_X64_R15, true },
};
enum { REGISTERS = sizeof(registers) / sizeof(registers[0]) };

static bool read_word(const void *self, uint64_t va, uint64_t *out)
{
	return dt_cursor_word(self, va, out);
}

/* The callee's registers as they are: each rule is worked out from these. */
static void set_up(struct dt_program *program, const struct dt_cursor *cursor)
{
	*program = (struct dt_program){ .wide = true, .read = read_word, .self = cursor };
	for (size_t i = 0; i < REGISTERS; i++) {
		struct dt_opt value = dt_context_get(&cursor->regs, registers[i].number);
		if (registers[i].number == DT_X64_RSP)
			value = dt_some(cursor->sp);
		if (value.known)
			(void)dt_program_set(program, registers[i].name, value.value);
	}
	(void)dt_program_set(program, "$rip", cursor->ip);
}

static const char *rule(const struct dt_symbol_cfi *cfi, const char *name)
{
	for (unsigned i = 0; i < cfi->count; i++)
		if (!strcmp(cfi->rules[i].name, name))
			return cfi->rules[i].text;
	return NULL;
}

/* The value of one rule; cfa NULL: not known yet. */
static bool work_out(const struct dt_cursor *cursor, const char *text, const uint64_t *cfa, uint64_t *out)
{
	struct dt_program program;
	char whole[MOST_TEXT];
	int len = text ? snprintf(whole, sizeof(whole), ".out %s =", text) : -1;

	set_up(&program, cursor);
	if (cfa)
		(void)dt_program_set(&program, ".cfa", *cfa);
	if (len < 0 || len >= MOST_TEXT || !dt_program_run(&program, whole))
		return false;
	*out = dt_program_get(&program, ".out")->value;
	return true;
}

bool dt_unwind_cfi(const struct dt_cursor *cursor, struct dt_step *out, const char **why)
{
	struct dt_symbol_cfi cfi;
	uint64_t cfa, value;

	if (!dt_symbols_cfi(cursor->walk->symbols, cursor->ip - cursor->is_return, &cfi))
		return false;
	if (!work_out(cursor, rule(&cfi, ".cfa"), NULL, &cfa) || !work_out(cursor, rule(&cfi, ".ra"), &cfa, &out->ip)) {
		*why = "the rules of its symbols do not lead to a caller";
		return false;
	}
	out->regs = (struct dt_context){ .machine = DT_MACHINE_X64 };
	for (size_t i = 0; i < REGISTERS; i++) {
		const char *text = rule(&cfi, registers[i].name);
		struct dt_opt same = dt_context_get(&cursor->regs, registers[i].number);
		if (text ? work_out(cursor, text, &cfa, &value) : registers[i].kept && same.known && (value = same.value, true))
			dt_context_set(&out->regs, registers[i].number, value);
	}
	dt_context_set(&out->regs, DT_X64_RSP, cfa);
	dt_context_set(&out->regs, DT_X64_RIP, out->ip);
	out->sp = cfa;
	out->slot = cfa - WORD;
	return true;
}

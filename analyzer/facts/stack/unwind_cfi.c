/*
 * unwind_cfi.c - frames of x64 and ARM64 code without its image, or its unwind data, by the rules of a Breakpad file.
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

enum { MOST_TEXT = 600 };

struct cfi_register {
	const char *name;
	unsigned number;
	bool kept; /* by the rules of Windows */
};

static const struct cfi_register x64[] = {
	{ "$rax", DT_X64_RAX, false }, { "$rcx", DT_X64_RCX, false }, { "$rdx", DT_X64_RDX, false }, { "$rbx", DT_X64_RBX, true },
	{ "$rsp", DT_X64_RSP, false }, { "$rbp", DT_X64_RBP, true },  { "$rsi", DT_X64_RSI, true },  { "$rdi", DT_X64_RDI, true },
	{ "$r8", DT_X64_R8, false },   { "$r9", DT_X64_R9, false },   { "$r10", DT_X64_R10, false }, { "$r11", DT_X64_R11, false },
	{ "$r12", DT_X64_R12, true },  { "$r13", DT_X64_R13, true },  { "$r14", DT_X64_R14, true },  { "$r15", DT_X64_R15, true },
};

static const struct cfi_register arm64[] = {
	{ "x0", 0, false },   { "x1", 1, false },   { "x2", 2, false },   { "x3", 3, false },   { "x4", 4, false },   { "x5", 5, false },
	{ "x6", 6, false },   { "x7", 7, false },   { "x8", 8, false },   { "x9", 9, false },   { "x10", 10, false }, { "x11", 11, false },
	{ "x12", 12, false }, { "x13", 13, false }, { "x14", 14, false }, { "x15", 15, false }, { "x16", 16, false }, { "x17", 17, false },
	{ "x18", 18, true },  { "x19", 19, true },  { "x20", 20, true },  { "x21", 21, true },  { "x22", 22, true },  { "x23", 23, true },
	{ "x24", 24, true },  { "x25", 25, true },  { "x26", 26, true },  { "x27", 27, true },  { "x28", 28, true },
	{ "x29", DT_ARM64_FP, true }, { "x30", DT_ARM64_LR, false }, { "sp", DT_ARM64_SP, false },
};

/* How a machine's rules are written. */
static const struct cfi_machine {
	enum dt_machine machine;
	const struct cfi_register *registers;
	size_t count;
	const char *ip_name;
	unsigned ip, sp, fp;
	bool call_pushes; /* the return address lies right below .cfa; else a register has it until the function saves it */
} machines[] = {
	{ DT_MACHINE_X64, x64, sizeof(x64) / sizeof(x64[0]), "$rip", DT_X64_RIP, DT_X64_RSP, DT_X64_RBP, true },
	{ DT_MACHINE_ARM64, arm64, sizeof(arm64) / sizeof(arm64[0]), "pc", DT_ARM64_PC, DT_ARM64_SP, DT_ARM64_FP, false },
};

static const struct cfi_machine *machine_of(const struct dt_cursor *cursor)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == cursor->walk->dump->machine)
			return &machines[i];
	return NULL;
}

static bool read_word(const void *self, uint64_t va, uint64_t *out)
{
	return dt_cursor_word(self, va, out);
}

/* The callee's registers as they are: each rule is worked out from these. */
static void set_up(struct dt_program *program, const struct dt_cursor *cursor, const struct cfi_machine *machine)
{
	*program = (struct dt_program){ .wide = true, .read = read_word, .self = cursor };
	for (size_t i = 0; i < machine->count; i++) {
		struct dt_opt value = dt_context_get(&cursor->regs, machine->registers[i].number);
		if (machine->registers[i].number == machine->sp)
			value = dt_some(cursor->sp);
		if (value.known)
			(void)dt_program_set(program, machine->registers[i].name, value.value);
	}
	(void)dt_program_set(program, machine->ip_name, cursor->ip);
}

static const char *rule(const struct dt_symbol_cfi *cfi, const char *name)
{
	for (unsigned i = 0; i < cfi->count; i++)
		if (!strcmp(cfi->rules[i].name, name))
			return cfi->rules[i].text;
	return NULL;
}

/* The value of one rule; cfa NULL: not known yet. */
static bool work_out(const struct dt_cursor *cursor, const struct cfi_machine *machine, const char *text, const uint64_t *cfa, uint64_t *out)
{
	struct dt_program program;
	char whole[MOST_TEXT];
	int len = text ? snprintf(whole, sizeof(whole), ".out %s =", text) : -1;

	set_up(&program, cursor, machine);
	if (cfa)
		(void)dt_program_set(&program, ".cfa", *cfa);
	if (len < 0 || len >= MOST_TEXT || !dt_program_run(&program, whole))
		return false;
	*out = dt_program_get(&program, ".out")->value;
	return true;
}

/* Those that a rule names and those that every function keeps; what a rule names and cannot be worked out is not known. */
static void set_registers(const struct dt_cursor *cursor, const struct cfi_machine *machine, const struct dt_symbol_cfi *cfi, uint64_t cfa,
                          struct dt_context *out)
{
	uint64_t value;

	for (size_t i = 0; i < machine->count; i++) {
		const struct cfi_register *reg = &machine->registers[i];
		const char *text = rule(cfi, reg->name);
		struct dt_opt same = dt_context_get(&cursor->regs, reg->number);
		if (text ? work_out(cursor, machine, text, &cfa, &value) : reg->kept && same.known && (value = same.value, true))
			dt_context_set(out, reg->number, value);
	}
}

bool dt_unwind_cfi(const struct dt_cursor *cursor, struct dt_step *out, const char **why)
{
	const struct cfi_machine *machine = machine_of(cursor);
	struct dt_symbol_cfi cfi;
	uint64_t cfa;

	if (!machine || !dt_symbols_cfi(cursor->walk->symbols, cursor->ip - cursor->is_return, &cfi))
		return false;
	if (!work_out(cursor, machine, rule(&cfi, ".cfa"), NULL, &cfa) || !work_out(cursor, machine, rule(&cfi, ".ra"), &cfa, &out->ip)) {
		*why = "the rules of its symbols do not lead to a caller";
		return false;
	}
	if (machine->machine == DT_MACHINE_ARM64)
		out->ip = dt_strip_signature(out->ip);
	out->regs = (struct dt_context){ .machine = machine->machine };
	set_registers(cursor, machine, &cfi, cfa, &out->regs);
	dt_context_set(&out->regs, machine->sp, cfa);
	dt_context_set(&out->regs, machine->ip, out->ip);
	out->sp = cfa;
	out->fp = out->regs.reg[machine->fp];
	out->fp_known = dt_context_get(&out->regs, machine->fp).known;
	out->slot = machine->call_pushes ? cfa - 8 : 0;
	/* Only the frame that runs can have its return address in a register still. */
	out->leaf = !machine->call_pushes && cfa == cursor->sp && !cursor->is_return;
	return true;
}

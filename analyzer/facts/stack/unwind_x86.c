/*
 * unwind_x86.c - frames of x86 code whose symbols say how they are undone.
 *
 * A program finds the return address from ebp, or from where it ought to lie above esp (".raSearch"): behind the parameters that the frame
 * has pushed for the one it called, its local variables and saved registers. A frame that was left by other means than these may have
 * pushed parameters that nobody counted: the return address is then searched for a little higher, and is trusted as a call site.
 *
 * Neither kind of data knows of epilogs: where the fault lies in one, its instructions are followed to the return.
 */
#include <string.h>

#include "core/tables/machines.h"
#include "facts/stack/program.h"
#include "facts/stack/unwind.h"
#include "facts/symbol/frame.h"

enum { MOST_SEARCHED = 16, MOST_EPILOG = 32, WORD = 4 };

/* FPO_DATA in the words of FrameData. */
#define BY_SEARCH "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + ="
#define BY_FRAME "$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + ="

static const struct {
	const char *name;
	unsigned number;
} registers[] = {
	{ "$eip", DT_X86_EIP }, { "$esp", DT_X86_ESP }, { "$ebp", DT_X86_EBP }, { "$ebx", DT_X86_EBX }, { "$esi", DT_X86_ESI }, { "$edi", DT_X86_EDI },
};
enum { REGISTERS = sizeof(registers) / sizeof(registers[0]) };

static bool read_word(const void *self, uint64_t va, uint64_t *out)
{
	return dt_cursor_word(self, va, out);
}

/* In a prolog nothing is reserved yet, and how much is pushed is known at its first instruction only. */
static const char *fpo_program(struct dt_symbol_frame *frame)
{
	bool begun = frame->into > 0;

	if (frame->fpo == DT_FPO_TRAP || frame->fpo == DT_FPO_TSS || (begun && frame->into < frame->prolog))
		return NULL;
	if (frame->fpo == DT_FPO_FRAME && begun)
		return BY_FRAME;
	if (!begun) {
		frame->locals = frame->saved = 0;
		return BY_SEARCH;
	}
	return BY_SEARCH;
}

/* A return address that the bytes before it do not deny. target: of a direct call, else 0. */
static bool is_return(const struct dt_cursor *cursor, uint64_t slot, uint64_t *target)
{
	uint64_t ip;

	return dt_cursor_word(cursor, slot, &ip) && dt_cursor_is_code(cursor, ip) && dt_cursor_site(cursor, ip, target) != DT_SITE_OTHER;
}

struct epilog {
	struct dt_context regs;
	uint64_t esp;
};

static bool pop(const struct dt_cursor *cursor, struct epilog *e, unsigned number)
{
	uint64_t value;

	if (!dt_cursor_word(cursor, e->esp, &value))
		return false;
	e->esp += WORD;
	/* The processor's numbers of registers; esp is no register that epilogs pop. */
	static const unsigned numbers[8] = { DT_X86_EAX, DT_X86_ECX, DT_X86_EDX, DT_X86_EBX, DT_X86_COUNT, DT_X86_EBP, DT_X86_ESI, DT_X86_EDI };
	if (numbers[number] == DT_X86_COUNT)
		return false;
	dt_context_set(&e->regs, numbers[number], value);
	return true;
}

/* One instruction of an epilog that is not its return; gives its length, 0: none. */
static size_t undo_one(const struct dt_cursor *cursor, struct epilog *e, struct dt_bytes code)
{
	uint8_t first = code.len ? code.data[0] : 0, second = code.len > 1 ? code.data[1] : 0;
	struct dt_opt ebp = dt_context_get(&e->regs, DT_X86_EBP);

	if (first >= 0x58 && first <= 0x5f)
		return pop(cursor, e, first & 7);
	if (first == 0x83 && second == 0xc4 && code.len > 2 && code.data[2] < 0x80) { /* add esp, 8 bits */
		e->esp += code.data[2];
		return 3;
	}
	if (first == 0x81 && second == 0xc4 && code.len > 5) { /* add esp, 32 bits */
		e->esp += dt_bytes_u32_or(code, 2, 0);
		return 6;
	}
	if (first == 0x8d && second == 0x65 && code.len > 2 && ebp.known) { /* lea esp, [ebp + 8 bits] */
		e->esp = (uint32_t)(ebp.value + (uint64_t)(int64_t)(int8_t)code.data[2]);
		return 3;
	}
	if (ebp.known && ((first == 0x89 && second == 0xec) || (first == 0x8b && second == 0xe5))) { /* mov esp, ebp */
		e->esp = ebp.value;
		return 2;
	}
	if (first == 0xc9 && ebp.known) { /* leave */
		e->esp = ebp.value;
		return pop(cursor, e, 5);
	}
	return 0;
}

/* A function may end in a jump to another one's first instruction, which then returns for both. frame: of the cursor, NULL none. */
static bool is_tail(const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, struct dt_bytes jump, uint64_t at)
{
	struct dt_symbol_frame other;
	uint64_t target;

	if (!frame || jump.len < 5 || (jump.data[0] != 0xe9 && jump.data[0] != 0xeb))
		return false;
	if (jump.data[0] == 0xe9)
		target = (uint32_t)(at + 5 + dt_bytes_u32_or(jump, 1, 0));
	else
		target = (uint32_t)(at + 2 + (uint64_t)(int64_t)(int8_t)jump.data[1]);
	if (!dt_symbols_frame(cursor->walk->symbols, target, &other) || other.into != 0)
		return false;
	return other.begin < frame->begin || other.begin - frame->begin >= frame->len;
}

/* Whether what follows the cursor is the rest of an epilog; the caller is then what is left. */
static bool by_epilog(const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, struct dt_step *out)
{
	struct epilog e = { .regs = cursor->regs, .esp = cursor->sp };
	uint8_t raw[MOST_EPILOG];
	struct dt_bytes code = { raw, dt_cursor_code(cursor, cursor->ip, raw, sizeof(raw)) };
	size_t at = 0, len;
	uint64_t target;

	while ((len = undo_one(cursor, &e, dt_bytes_clip(code, at, code.len - at))))
		at += len;
	bool returns = at < code.len && (raw[at] == 0xc3 || raw[at] == 0xc2);
	if ((!returns && !is_tail(cursor, frame, dt_bytes_clip(code, at, code.len - at), cursor->ip + at)) || !dt_cursor_word(cursor, e.esp, &out->ip) || !is_return(cursor, e.esp, &target))
		return false;
	out->slot = e.esp;
	out->sp = e.esp + WORD;
	out->params = returns && raw[at] == 0xc2 ? dt_bytes_u16_or(code, at + 1, 0) : 0;
	out->regs = e.regs;
	dt_context_set(&out->regs, DT_X86_EIP, out->ip);
	dt_context_set(&out->regs, DT_X86_ESP, out->sp);
	return true;
}

/* Whether a direct call leads to the function of the frame: both end where it ends. */
static bool leads_here(const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, uint64_t target)
{
	struct dt_symbol_frame callee;

	return target && dt_symbols_frame(cursor->walk->symbols, target, &callee) && callee.into == 0 &&
	       callee.begin + callee.len == frame->begin + frame->len;
}

/*
 * Where the return address lies. Stale ones lie about: one whose call leads to this very function comes first, wherever it is; then the
 * one that the count of pushed bytes leads to. It is certain where both are the same, or where its call does not say whom it called.
 */
static uint64_t search(const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, uint64_t from, bool *certain)
{
	uint64_t target, first = 0;

	*certain = is_return(cursor, from, &first) && (first == 0 || leads_here(cursor, frame, first));
	for (unsigned i = 1; i < MOST_SEARCHED && !*certain; i++)
		if (is_return(cursor, from + i * WORD, &target) && leads_here(cursor, frame, target))
			return from + i * WORD;
	for (unsigned i = 0; i < MOST_SEARCHED && !*certain; i++)
		if (is_return(cursor, from + i * WORD, &target))
			return from + i * WORD;
	return from;
}

static void set_up(struct dt_program *program, const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, uint64_t ra)
{
	*program = (struct dt_program){ .read = read_word, .self = cursor };
	for (size_t i = 0; i < REGISTERS; i++) {
		struct dt_opt value = dt_context_get(&cursor->regs, registers[i].number);
		if (registers[i].number == DT_X86_EBP && cursor->fp_known)
			value = dt_some(cursor->fp);
		if (value.known && registers[i].number != DT_X86_EIP && registers[i].number != DT_X86_ESP)
			(void)dt_program_set(program, registers[i].name, value.value);
	}
	(void)dt_program_set(program, "$eip", cursor->ip);
	(void)dt_program_set(program, "$esp", cursor->sp);
	(void)dt_program_set(program, ".raSearch", ra);
	(void)dt_program_set(program, ".raSearchStart", ra);
	(void)dt_program_set(program, ".cbLocals", frame->locals);
	(void)dt_program_set(program, ".cbSavedRegs", frame->saved);
	(void)dt_program_set(program, ".cbParams", frame->params);
	(void)dt_program_set(program, ".cbCalleeParams", cursor->callee_params);
}

/* Whether the caller has the register as the frame has it now. Programs always say where ebp is; they need not say of the others. */
static bool is_kept(const struct dt_symbol_frame *frame, unsigned number)
{
	if (number == DT_X86_EBP)
		return frame->program || !frame->saves_ebp;
	return frame->saved == 0;
}

static bool take(const struct dt_program *program, const struct dt_symbol_frame *frame, struct dt_step *out)
{
	const struct dt_program_variable *eip = dt_program_get(program, "$eip"), *esp = dt_program_get(program, "$esp");

	if (!eip || !esp || !eip->assigned || !esp->assigned)
		return false;
	out->regs = (struct dt_context){ .machine = DT_MACHINE_X86 };
	for (size_t i = 0; i < REGISTERS; i++) {
		const struct dt_program_variable *row = dt_program_get(program, registers[i].name);
		if (row && (row->assigned || is_kept(frame, registers[i].number)))
			dt_context_set(&out->regs, registers[i].number, row->value);
	}
	out->ip = eip->value;
	out->sp = esp->value;
	out->slot = esp->value - WORD;
	return true;
}

/* FPO_DATA says that ebp was pushed, not where: it is the one saved word that leads to a frame with a return address, if there is just one. */
static void find_ebp(const struct dt_cursor *cursor, const struct dt_symbol_frame *frame, struct dt_step *out)
{
	uint64_t at = cursor->sp + cursor->callee_params, value, target, found = 0;
	unsigned count = 0;

	for (uint32_t i = 0; frame->saves_ebp && !frame->program && i < frame->saved; i += WORD)
		if (dt_cursor_word(cursor, at + i, &value) && value >= out->sp && value % WORD == 0 && is_return(cursor, value + WORD, &target)) {
			found = value;
			count++;
		}
	if (count == 1)
		dt_context_set(&out->regs, DT_X86_EBP, found);
}

static void take_fp(struct dt_step *out)
{
	struct dt_opt ebp = dt_context_get(&out->regs, DT_X86_EBP);

	out->fp_known = ebp.known;
	out->fp = ebp.value;
}

bool dt_unwind_x86(const struct dt_cursor *cursor, struct dt_step *out, const char **why)
{
	struct dt_symbol_frame frame;
	struct dt_program program;
	bool certain;

	bool known = dt_symbols_frame(cursor->walk->symbols, cursor->ip - cursor->is_return, &frame);
	if (cursor->first && by_epilog(cursor, known ? &frame : NULL, out)) {
		take_fp(out);
		out->params = known ? frame.params : out->params;
		return true;
	}
	if (!known)
		return false;
	const char *text = frame.program ? frame.program : fpo_program(&frame);
	if (!text)
		return false;
	uint64_t ra = search(cursor, &frame, (uint32_t)(cursor->sp + cursor->callee_params + frame.locals + frame.saved), &certain);
	set_up(&program, cursor, &frame, ra);
	if (!dt_program_run(&program, text) || !take(&program, &frame, out)) {
		*why = "the program of its symbols does not lead to a caller";
		return false;
	}
	find_ebp(cursor, &frame, out);
	take_fp(out);
	out->params = frame.params;
	out->guessed = strstr(text, ".raSearch") && !certain;
	return true;
}

/*
 * unwind_arm64.c - packed data and .xdata of ARM64.
 *
 * Both are turned into one list of operations, one for each instruction of the prolog, the last one first: an instruction that has not run,
 * or that an epilog has undone, is left out by its number. Layout and meaning: "ARM64 exception handling" of Microsoft's documentation. Return
 * addresses may be signed; the signature is taken off.
 */
#include "facts/stack/unwind.h"

enum { MOST_OPS = 1024, MOST_CODE_BYTES = 1020, MOST_EPILOGS = 1024, NO_REG = 0xff };

enum kind {
	OP_NOP,
	OP_ALLOC,      /* sp += value */
	OP_LOAD,       /* a, b = [sp + value] */
	OP_POP,        /* a, b = [sp]; sp += value */
	OP_NEXT,       /* the pair behind that of the operation that follows */
	OP_SET_FP,     /* sp = fp */
	OP_ADD_FP,     /* sp = fp - value */
	OP_TRAP, OP_MACHINE, OP_CONTEXT,
	OP_CLEAR,      /* unwound to a call: lr is the address */
	OP_BAD,
};

struct op {
	enum kind kind;
	uint8_t a, b; /* registers; NO_REG: of floating point, or none */
	uint32_t value;
};

struct undo {
	const struct dt_cursor *cursor;
	const struct dt_image *image;
	struct dt_step *out;
	struct op ops[MOST_OPS];
	size_t count;        /* all of them */
	size_t prolog;       /* those before end or end_c */
	unsigned next;       /* pairs that wait for their first */
	bool has_lr;
	const char *why;
};

static bool fail(struct undo *undo, const char *why)
{
	undo->why = why;
	return false;
}

static uint64_t sp(const struct undo *undo)
{
	return undo->out->regs.reg[DT_ARM64_SP];
}

static void add(struct undo *undo, enum kind kind, unsigned a, unsigned b, uint32_t value)
{
	if (undo->count < MOST_OPS)
		undo->ops[undo->count++] = (struct op){ kind, (uint8_t)a, (uint8_t)b, value };
}

/* ---- packed data ----------------------------------------------------------------- */

struct packed {
	uint32_t reg_f, reg_i, home, cr, frame; /* frame: bytes */
	uint32_t int_size, saved, local;        /* bytes */
};

static void unpack(uint32_t word, struct packed *p)
{
	*p = (struct packed){ .reg_f = word >> 13 & 7, .reg_i = word >> 16 & 15, .home = word >> 20 & 1, .cr = word >> 21 & 3, .frame = (word >> 23) * 16 };
	p->int_size = 8 * p->reg_i + (p->cr == 1 ? 8 : 0);
	uint32_t saves = p->int_size + (p->reg_f ? 8 * (p->reg_f + 1) : 0);
	p->saved = (saves + (p->home && saves ? 64 : 0) + 15) & ~15u;
	p->local = p->frame > p->saved ? p->frame - p->saved : 0;
}

static void add_alloc(struct undo *undo, uint32_t size)
{
	enum { ONE_INSTRUCTION = 4080 };

	if (size > ONE_INSTRUCTION) {
		add(undo, OP_ALLOC, 0, 0, size - ONE_INSTRUCTION);
		size = ONE_INSTRUCTION;
	}
	if (size)
		add(undo, OP_ALLOC, 0, 0, size);
}

static void add_locals(struct undo *undo, const struct packed *p)
{
	if (p->cr < 2) {
		add_alloc(undo, p->local);
		return;
	}
	add(undo, OP_SET_FP, 0, 0, 0);
	if (p->local <= 512) {
		add(undo, OP_POP, DT_ARM64_FP, DT_ARM64_LR, p->local);
		return;
	}
	add(undo, OP_LOAD, DT_ARM64_FP, DT_ARM64_LR, 0);
	add_alloc(undo, p->local);
}

/* The stores of saved registers, as the prolog has them; the first one makes room for all. */
static size_t saves(const struct packed *p, struct op out[16])
{
	uint32_t doubles = p->reg_f ? p->reg_f + 1 : 0;
	size_t n = 0;

	for (uint32_t i = 0; i < p->reg_i; i += 2) {
		bool pair = i + 1 < p->reg_i;
		out[n++] = (struct op){ OP_LOAD, (uint8_t)(19 + i), (uint8_t)(pair ? 20 + i : p->cr == 1 ? DT_ARM64_LR : NO_REG), 8 * i };
	}
	if (p->cr == 1 && p->reg_i % 2 == 0)
		out[n++] = (struct op){ OP_LOAD, DT_ARM64_LR, NO_REG, 8 * p->reg_i };
	for (uint32_t i = 0; i < doubles; i += 2)
		out[n++] = (struct op){ OP_LOAD, NO_REG, NO_REG, p->int_size + 8 * i };
	if (n) {
		out[0].kind = OP_POP;
		out[0].value = p->saved;
	}
	return n;
}

static void expand(struct undo *undo, uint32_t word)
{
	struct packed p;
	struct op stores[16];

	unpack(word, &p);
	add_locals(undo, &p);
	for (unsigned i = 0; p.home && i < 4; i++)
		add(undo, OP_NOP, 0, 0, 0);
	for (size_t n = saves(&p, stores); n-- > 0;)
		add(undo, stores[n].kind, stores[n].a, stores[n].b, stores[n].value);
	if (p.cr == 2)
		add(undo, OP_NOP, 0, 0, 0); /* signs lr */
	undo->prolog = undo->count;
}

/* ---- .xdata ------------------------------------------------------------------------ */

struct xdata {
	uint32_t length;      /* of the function, bytes */
	uint32_t epilogs;     /* scopes; with single: index of the only one's first code */
	bool single;
	uint32_t scopes, codes, code_bytes; /* offsets from the image's base; bytes */
	uint8_t raw[MOST_CODE_BYTES];
};

static bool word_at(const struct undo *undo, uint32_t rva, uint32_t *out)
{
	uint8_t raw[4];

	return dt_image_read(undo->image, rva, raw, sizeof(raw)) && dt_bytes_u32((struct dt_bytes){ raw, 4 }, 0, out);
}

static bool read_xdata(struct undo *undo, uint32_t rva, struct xdata *out)
{
	uint32_t word, more;

	if (rva > UINT32_MAX - 0x10000 || !word_at(undo, rva, &word))
		return false;
	if (word >> 18 & 3)
		return fail(undo, "its unwind data has a version that is not known");
	out->length = (word & 0x3ffff) * 4;
	out->single = word >> 21 & 1;
	out->epilogs = word >> 22 & 31;
	out->code_bytes = (word >> 27) * 4;
	out->scopes = rva + 4;
	if (!out->epilogs && !out->code_bytes) {
		if (!word_at(undo, rva + 4, &more))
			return false;
		out->epilogs = more & 0xffff;
		out->code_bytes = (more >> 16 & 0xff) * 4;
		out->scopes += 4;
	}
	if (!out->single && out->epilogs > MOST_EPILOGS)
		return fail(undo, "its unwind data lists more epilogs than a function has");
	out->codes = out->scopes + (out->single ? 0 : 4 * out->epilogs);
	return dt_image_read(undo->image, out->codes, out->raw, out->code_bytes);
}

enum code { CODE_MORE, CODE_END, CODE_END_C };

/* Bytes that a code takes by its first one. */
static uint32_t code_length(uint8_t first)
{
	if (first < 0xc0)
		return 1;
	if (first < 0xe0)
		return 2;
	return first == 0xe0 ? 4 : first == 0xe2 ? 2 : first == 0xe7 ? 3 : first >= 0xf8 && first <= 0xfb ? first - 0xf8u + 2 : 1;
}

/* Codes of one byte below 0xc0 and of two below 0xe0: registers and offsets in their bits. */
static struct op saved_registers(uint8_t c, uint8_t d)
{
	uint32_t both = (uint32_t)c << 8 | d, x = 19 + (both >> 6 & 15), z = d & 63;

	if (c < 0x20)
		return (struct op){ OP_ALLOC, 0, 0, (c & 31u) * 16 };
	if (c < 0x40)
		return (struct op){ OP_POP, 19, 20, (c & 31u) * 8 };
	if (c < 0x80)
		return (struct op){ OP_LOAD, DT_ARM64_FP, DT_ARM64_LR, (c & 63u) * 8 };
	if (c < 0xc0)
		return (struct op){ OP_POP, DT_ARM64_FP, DT_ARM64_LR, ((c & 63u) + 1) * 8 };
	if (c < 0xc8)
		return (struct op){ OP_ALLOC, 0, 0, (both & 0x7ff) * 16 };
	if (c < 0xcc)
		return (struct op){ OP_LOAD, (uint8_t)x, (uint8_t)(x + 1), z * 8 };
	if (c < 0xd0)
		return (struct op){ OP_POP, (uint8_t)x, (uint8_t)(x + 1), (z + 1) * 8 };
	if (c < 0xd4)
		return (struct op){ OP_LOAD, (uint8_t)x, NO_REG, z * 8 };
	if (c < 0xd6)
		return (struct op){ OP_POP, (uint8_t)(19 + (both >> 5 & 15)), NO_REG, ((d & 31u) + 1) * 8 };
	if (c < 0xd8)
		return (struct op){ OP_LOAD, (uint8_t)(19 + 2 * (both >> 6 & 7)), DT_ARM64_LR, z * 8 };
	if (c == 0xda || c == 0xdb)
		return (struct op){ OP_POP, NO_REG, NO_REG, (z + 1) * 8 };
	if (c == 0xde)
		return (struct op){ OP_POP, NO_REG, NO_REG, ((d & 31u) + 1) * 8 };
	return (struct op){ c == 0xdf ? OP_BAD : OP_NOP, NO_REG, NO_REG, 0 };
}

static struct op other_code(const uint8_t *at)
{
	switch (at[0]) {
	case 0xe0: return (struct op){ OP_ALLOC, 0, 0, ((uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) * 16 };
	case 0xe1: return (struct op){ OP_SET_FP, 0, 0, 0 };
	case 0xe2: return (struct op){ OP_ADD_FP, 0, 0, at[1] * 8u };
	case 0xe3: case 0xe7: case 0xfc: return (struct op){ OP_NOP, 0, 0, 0 };
	case 0xe6: return (struct op){ OP_NEXT, 0, 0, 0 };
	case 0xe8: return (struct op){ OP_TRAP, 0, 0, 0 };
	case 0xe9: return (struct op){ OP_MACHINE, 0, 0, 0 };
	case 0xea: return (struct op){ OP_CONTEXT, 0, 0, 0 };
	case 0xec: return (struct op){ OP_CLEAR, 0, 0, 0 };
	default: return (struct op){ OP_BAD, 0, 0, 0 };
	}
}

/* The operations from a code on; *before_end counts those up to the first end. */
static bool read_codes(struct undo *undo, const struct xdata *x, uint32_t index, size_t *before_end)
{
	bool ended = false;

	undo->count = 0;
	for (uint32_t at = index, len; at < x->code_bytes; at += len) {
		uint8_t c = x->raw[at];
		len = code_length(c);
		if (len > x->code_bytes - at)
			break;
		if (c == 0xe4 || c == 0xe5) {
			*before_end = ended ? *before_end : undo->count;
			ended = true;
			if (c == 0xe4)
				return true;
			continue;
		}
		struct op op = c < 0xe0 ? saved_registers(c, len == 2 ? x->raw[at + 1] : 0) : other_code(x->raw + at);
		if (op.kind == OP_BAD)
			return fail(undo, "its unwind data has a code that is reserved");
		add(undo, op.kind, op.a, op.b, op.value);
	}
	return fail(undo, "its unwind data has no end");
}

/* ---- where in the function ----------------------------------------------------------- */

/* The operations of an epilog's codes from index on, if at (bytes from the function's begin) lies in it; its last instruction returns. */
static bool in_epilog(struct undo *undo, const struct xdata *x, uint32_t start, uint32_t index, uint32_t at, size_t *skip)
{
	size_t n;

	if (at < start || !read_codes(undo, x, index, &n) || at - start >= 4 * (n + 1))
		return false;
	*skip = (at - start) / 4;
	return true;
}

static bool find_epilog(struct undo *undo, const struct xdata *x, uint32_t at, size_t *skip)
{
	uint32_t scope;
	size_t n;

	if (x->single)
		return read_codes(undo, x, x->epilogs, &n) && 4 * (n + 1) <= x->length &&
		       in_epilog(undo, x, x->length - 4 * (uint32_t)(n + 1), x->epilogs, at, skip);
	for (uint32_t i = 0; i < x->epilogs; i++)
		if (word_at(undo, x->scopes + 4 * i, &scope) && in_epilog(undo, x, (scope & 0x3ffff) * 4, scope >> 22, at, skip))
			return true;
	return false;
}

/* How many operations are left out: those of the prolog that have not run. */
static size_t not_yet_run(const struct undo *undo, uint32_t at)
{
	return at / 4 < undo->prolog ? undo->prolog - at / 4 : 0;
}

static bool prepare_xdata(struct undo *undo, uint32_t rva, uint32_t at, size_t *skip)
{
	struct xdata x;

	*skip = 0;
	if (!read_xdata(undo, rva, &x))
		return false;
	if (!undo->cursor->is_return && find_epilog(undo, &x, at, skip))
		return true;
	undo->why = NULL;
	if (!read_codes(undo, &x, 0, &undo->prolog))
		return false;
	*skip = undo->cursor->is_return ? 0 : not_yet_run(undo, at);
	return true;
}

/* A packed function ends with its prolog turned round and a return; what only sets up costs no instruction there. */
static void prepare_packed(struct undo *undo, const struct dt_image_function *function, uint32_t at, size_t *skip)
{
	size_t n = 0, nops = 0;

	expand(undo, function->unwind);
	*skip = 0;
	if ((function->unwind & 3) == 2 || undo->cursor->is_return)
		return;
	*skip = not_yet_run(undo, at);
	while (nops + n < undo->count) {
		enum kind kind = undo->ops[n + nops].kind;
		if (kind == OP_SET_FP || kind == OP_NOP)
			nops++;
		else
			n++;
	}
	uint32_t length = function->end - function->begin, pac = (function->unwind >> 21 & 3) == 2;
	uint32_t size = 4 * (uint32_t)(n + pac + 1);
	if (size > length || at < length - size)
		return;
	/* The n-th instruction of the epilog undoes the n-th operation that does something. */
	for (size_t done = (at - (length - size)) / 4, i = 0; i < undo->count; i++) {
		bool acts = undo->ops[i].kind != OP_SET_FP && undo->ops[i].kind != OP_NOP;
		if (done && acts) {
			done--;
			undo->ops[i].kind = OP_NOP;
		} else if (!acts) {
			undo->ops[i].kind = OP_NOP;
		}
	}
}

/* ---- undoing ------------------------------------------------------------------------- */

static bool load(struct undo *undo, uint64_t va, unsigned number)
{
	uint64_t value;

	if (number == NO_REG)
		return true;
	if (number >= DT_ARM64_SP || !dt_cursor_word(undo->cursor, va, &value))
		return fail(undo, "its frame reaches outside of the stack");
	dt_context_set(&undo->out->regs, number, value);
	if (number == DT_ARM64_LR) {
		undo->has_lr = true;
		undo->out->slot = va;
	}
	return true;
}

static bool move_sp(struct undo *undo, uint64_t to)
{
	if (to < undo->cursor->begin || to > undo->cursor->end)
		return fail(undo, "its frame reaches outside of the stack");
	dt_context_set(&undo->out->regs, DT_ARM64_SP, to);
	return true;
}

static bool load_pairs(struct undo *undo, const struct op *op, uint64_t at)
{
	for (; undo->next; undo->next--)
		if (op->a != NO_REG && (!load(undo, at + 16 * undo->next, op->a + 2 * undo->next) ||
		                        !load(undo, at + 16 * undo->next + 8, op->a + 2 * undo->next + 1)))
			return false;
	return load(undo, at, op->a) && load(undo, at + 8, op->b);
}

static bool from_frame_pointer(struct undo *undo, uint32_t below)
{
	if (!(undo->out->regs.known >> DT_ARM64_FP & 1))
		return fail(undo, "its frame register is not known");
	return move_sp(undo, undo->out->regs.reg[DT_ARM64_FP] - below);
}

/* Records that a trap leaves on the stack. */
static bool from_record(struct undo *undo, enum kind kind)
{
	const struct dt_memory *memory = &undo->cursor->walk->dump->memory;
	uint8_t raw[DT_CONTEXT_ARM64_SIZE];
	size_t size = kind == OP_TRAP ? (size_t)DT_TRAP_FRAME_ARM64_SIZE : (size_t)DT_CONTEXT_ARM64_SIZE;
	struct dt_bytes bytes = { raw, size };
	struct dt_context context;
	uint64_t to, ip;

	undo->out->slot = sp(undo);
	undo->out->trap = true;
	if (kind == OP_MACHINE) {
		if (!dt_cursor_word(undo->cursor, sp(undo), &to) || !dt_cursor_word(undo->cursor, sp(undo) + 8, &ip))
			return fail(undo, "its frame reaches outside of the stack");
		dt_context_set(&undo->out->regs, DT_ARM64_SP, to);
		undo->out->ip = ip;
		return true;
	}
	if (!dt_memory_read_all(memory, sp(undo), raw, size) ||
	    !(kind == OP_TRAP ? dt_trap_frame_parse_arm64(&context, bytes) : dt_context_parse(&context, DT_MACHINE_ARM64, bytes)))
		return fail(undo, "the record of the trap behind it cannot be read");
	for (unsigned i = 0; i <= DT_ARM64_SP; i++)
		if (context.known >> i & 1)
			dt_context_set(&undo->out->regs, i, context.reg[i]);
	undo->out->ip = context.reg[DT_ARM64_PC];
	undo->out->user_mode = context.user_mode;
	return true;
}

static bool undo_op(struct undo *undo, const struct op *op)
{
	switch (op->kind) {
	case OP_ALLOC:
		return move_sp(undo, sp(undo) + op->value);
	case OP_LOAD:
		return load_pairs(undo, op, sp(undo) + op->value);
	case OP_POP:
		return load_pairs(undo, op, sp(undo)) && move_sp(undo, sp(undo) + op->value);
	case OP_NEXT:
		return ++undo->next < 16 || fail(undo, "its unwind data saves more registers than there are");
	case OP_SET_FP: case OP_ADD_FP:
		return from_frame_pointer(undo, op->value);
	case OP_TRAP: case OP_MACHINE: case OP_CONTEXT:
		return from_record(undo, op->kind);
	default:
		return true;
	}
}

/* The return address is in lr: loaded from the frame, or still there where nothing was called. */
static bool take_lr(struct undo *undo)
{
	if (!undo->has_lr && (undo->cursor->is_return || !(undo->out->regs.known >> DT_ARM64_LR & 1)))
		return false;
	undo->out->leaf = !undo->has_lr;
	undo->out->ip = dt_strip_signature(undo->out->regs.reg[DT_ARM64_LR]);
	dt_context_set(&undo->out->regs, DT_ARM64_PC, undo->out->ip);
	return true;
}

static bool run(struct undo *undo, size_t skip)
{
	for (size_t i = skip; i < undo->count; i++) {
		if (!undo_op(undo, &undo->ops[i]))
			return false;
		if (undo->out->trap)
			return true;
	}
	return take_lr(undo);
}

bool dt_unwind_arm64(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why)
{
	struct undo undo = { .cursor = cursor, .image = image, .out = out };
	uint32_t rva = (uint32_t)(cursor->ip - image->base);
	struct dt_image_function function;
	bool known, ok = true;
	size_t skip = 0;

	out->regs = cursor->regs;
	dt_context_set(&out->regs, DT_ARM64_SP, cursor->sp);
	if (!dt_image_function_at(image, rva - (cursor->is_return ? 4u : 0u), &function, &known))
		ok = known && take_lr(&undo);
	else if (function.unwind & 3)
		prepare_packed(&undo, &function, rva - function.begin, &skip);
	else
		ok = prepare_xdata(&undo, function.unwind, rva - function.begin, &skip);
	ok = ok && (out->ip || run(&undo, skip));
	out->sp = sp(&undo);
	out->fp = out->regs.reg[DT_ARM64_FP];
	out->fp_known = out->regs.known >> DT_ARM64_FP & 1;
	*why = undo.why;
	return ok;
}

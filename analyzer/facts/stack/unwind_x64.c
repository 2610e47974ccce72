/*
 * unwind_x64.c - RUNTIME_FUNCTION and UNWIND_INFO, versions 1 and 2.
 *
 * Codes are listed from the prolog's last instruction to its first, so that they are undone in the order they stand in. In an epilog the
 * instructions themselves are followed: version 1 says nothing of epilogs, and what remains to be done is a few pops. Layout and meaning: "x64
 * exception handling" of Microsoft's documentation; version 2 as Windows' own images have it.
 */
#include "facts/stack/unwind.h"

enum {
	MOST_CHAINED = 32,
	HEAD = 4,
	MOST_CODES = 255,
	FLAG_CHAINED = 4,
	WHOLE_PROLOG = 0x7fffffff,
};
enum {
	PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, SAVE_NONVOL_FAR, EPILOG, SPARE, SAVE_XMM128, SAVE_XMM128_FAR,
	PUSH_MACHFRAME
};

struct info {
	uint8_t raw[HEAD + 2 * (MOST_CODES + 1) + 12];
	struct dt_bytes bytes;
	unsigned version, flags, prolog, count;
	unsigned frame_register, frame_offset; /* register 0: none */
};

/* The frame while it is undone. */
struct undo {
	const struct dt_cursor *cursor;
	const struct dt_image *image;
	struct dt_step *out;
	uint64_t frame_base;
	bool has_frame_base;
	bool epilog;         /* version 2: ip stands in an epilog; only pops remain */
	uint32_t popped;     /* bytes of its pops that have run */
	const char *why;
};

static bool fail(struct undo *undo, const char *why)
{
	undo->why = why;
	return false;
}

static uint64_t rsp(const struct undo *undo)
{
	return undo->out->regs.reg[DT_X64_RSP];
}

/* A stack slot into a register. */
static bool load(struct undo *undo, uint64_t va, unsigned number)
{
	uint64_t value;

	if (!dt_cursor_word(undo->cursor, va, &value))
		return fail(undo, "its frame reaches outside of the stack");
	dt_context_set(&undo->out->regs, number, value);
	return true;
}

static bool move_rsp(struct undo *undo, uint64_t to)
{
	if (to < undo->cursor->begin || to > undo->cursor->end)
		return fail(undo, "its frame reaches outside of the stack");
	dt_context_set(&undo->out->regs, DT_X64_RSP, to);
	return true;
}

static bool pop(struct undo *undo, unsigned number)
{
	uint64_t at = rsp(undo);

	return load(undo, at, number) && (number == DT_X64_RSP || move_rsp(undo, at + 8));
}

static bool pop_return_address(struct undo *undo)
{
	undo->out->slot = rsp(undo);
	if (!pop(undo, DT_X64_RIP))
		return false;
	undo->out->ip = undo->out->regs.reg[DT_X64_RIP];
	return true;
}

/* ---- epilogs by their instructions ---------------------------------------------------- */

struct code {
	uint8_t raw[64];
	struct dt_bytes bytes;
	uint32_t at; /* of the next instruction */
};

static uint8_t byte(const struct code *code, uint32_t off)
{
	return code->at + off < code->bytes.len ? code->bytes.data[code->at + off] : 0;
}

/* add rsp, imm; lea rsp, [frame register + disp]. *done is false where neither stands there. */
static bool release(struct undo *undo, struct code *code, const struct info *info, bool *done)
{
	uint8_t rex = byte(code, 0), op = byte(code, 1), modrm = byte(code, 2);
	bool wide = op == 0x81 || (op == 0x8d && modrm >> 6 == 2);
	uint32_t at = code->at + 3 + (op == 0x8d && (modrm & 7) == 4);
	int64_t value = wide ? (int32_t)dt_bytes_u32_or(code->bytes, at, 0) : at < code->bytes.len ? (int8_t)code->bytes.data[at] : 0;
	uint64_t base;

	*done = true;
	if (rex == 0x48 && (op == 0x83 || op == 0x81) && modrm == 0xc4)
		base = rsp(undo);
	else if ((rex & 0xfe) == 0x48 && op == 0x8d && (modrm & 0x38) == 0x20 && (modrm >> 6 == 1 || modrm >> 6 == 2) && info->frame_register &&
	         info->frame_register == ((modrm & 7u) | (rex & 1u) << 3) && undo->out->regs.known >> info->frame_register & 1)
		base = undo->out->regs.reg[info->frame_register];
	else
		return !(*done = false);
	code->at = at + (wide ? 4 : 1);
	return move_rsp(undo, base + (uint64_t)value);
}

/* Whether a jump leaves the function: a tail call. Parts of one function jump to each other. */
static bool leaves(const struct undo *undo, const struct dt_image_function *function, const struct info *info, uint64_t target)
{
	uint64_t rva = target - undo->image->base;

	return !(info->flags & FLAG_CHAINED) && rva < undo->image->size && (rva < function->begin || rva >= function->end);
}

static bool ends_epilog(const struct undo *undo, const struct code *code, uint64_t va, const struct dt_image_function *function,
                        const struct info *info)
{
	uint8_t a = byte(code, 0), b = byte(code, 1), c = byte(code, 2);
	uint64_t next = va + code->at;

	if (a == 0xc3 || a == 0xc2 || (a == 0xf3 && b == 0xc3))
		return true;
	if (a == 0xe9)
		return leaves(undo, function, info, next + 5 + (uint64_t)(int64_t)(int32_t)dt_bytes_u32_or(code->bytes, code->at + 1, 0));
	if (a == 0xeb)
		return leaves(undo, function, info, next + 2 + (uint64_t)(int64_t)(int8_t)b);
	return (a == 0xff && b == 0x25) || ((a & 0xf8) == 0x48 && b == 0xff && (c & 0x38) == 0x20);
}

/* The registers that an epilog pops, in *out; false when no epilog stands at ip. */
static bool scan_epilog(const struct undo *undo, struct code *code, const struct dt_image_function *function, const struct info *info,
                        uint8_t *pops, unsigned *count)
{
	for (*count = 0; *count < 16 && code->at < code->bytes.len; (*count)++) {
		uint8_t rex = (byte(code, 0) & 0xf0) == 0x40 ? byte(code, 0) : 0, op = byte(code, rex ? 1 : 0);

		if (op < 0x58 || op > 0x5f)
			return ends_epilog(undo, code, undo->cursor->ip, function, info);
		pops[*count] = (uint8_t)((op & 7) | (rex & 1) << 3);
		code->at += rex ? 2 : 1;
	}
	return false;
}

/* *in says whether ip stands in an epilog; then the frame was undone, or the result is false. */
static bool by_epilog(struct undo *undo, const struct dt_image_function *function, const struct info *info, bool *in)
{
	struct dt_context before = undo->out->regs;
	struct code code = { .at = 0 };
	uint8_t pops[16];
	unsigned count;
	bool released;

	*in = false;
	code.bytes = (struct dt_bytes){ code.raw, dt_cursor_code(undo->cursor, undo->cursor->ip, code.raw, sizeof(code.raw)) };
	if (code.bytes.len == 0 || !release(undo, &code, info, &released) || !scan_epilog(undo, &code, function, info, pops, &count)) {
		undo->out->regs = before;
		undo->why = NULL;
		return true;
	}
	*in = true;
	for (unsigned i = 0; i < count; i++)
		if (!pop(undo, pops[i]))
			return false;
	return pop_return_address(undo);
}

/* ---- unwind data ------------------------------------------------------------------- */

static bool read_info(struct undo *undo, uint32_t rva, struct info *out)
{
	if (!dt_image_read(undo->image, rva, out->raw, HEAD))
		return false;
	out->version = out->raw[0] & 7;
	out->flags = out->raw[0] >> 3;
	out->prolog = out->raw[1];
	out->count = out->raw[2];
	out->frame_register = out->raw[3] & 0xf;
	out->frame_offset = (out->raw[3] >> 4) * 16u;
	if (out->version != 1 && out->version != 2)
		return fail(undo, "its unwind data has a version that is not known");
	size_t len = HEAD + 2 * ((out->count + 1u) & ~1u) + (out->flags & FLAG_CHAINED ? 12 : 0);
	if (rva > UINT32_MAX - HEAD || !dt_image_read(undo->image, rva + HEAD, out->raw + HEAD, len - HEAD))
		return false;
	out->bytes = (struct dt_bytes){ out->raw, len };
	return true;
}

static uint8_t code_offset(const struct info *info, unsigned i)
{
	return info->raw[HEAD + 2 * i];
}

static unsigned code_op(const struct info *info, unsigned i)
{
	return info->raw[HEAD + 2 * i + 1] & 0xf;
}

static unsigned code_operand(const struct info *info, unsigned i)
{
	return info->raw[HEAD + 2 * i + 1] >> 4;
}

/* Slots that a code takes; 0: no such code. */
static unsigned slots(const struct info *info, unsigned i)
{
	switch (code_op(info, i)) {
	case PUSH_NONVOL: case ALLOC_SMALL: case SET_FPREG: case PUSH_MACHFRAME: return 1;
	case SAVE_NONVOL: case SAVE_XMM128: return 2;
	case SAVE_NONVOL_FAR: case SAVE_XMM128_FAR: case SPARE: return 3;
	case ALLOC_LARGE: return code_operand(info, i) == 0 ? 2 : code_operand(info, i) == 1 ? 3 : 0;
	case EPILOG: return info->version == 2 ? 1 : 2;
	default: return 0;
	}
}

static uint64_t operand(const struct info *info, unsigned i, unsigned count, uint64_t scale)
{
	size_t at = HEAD + 2 * (i + 1);

	return count == 3 ? dt_bytes_u32_or(info->bytes, at, 0) : dt_bytes_u16_or(info->bytes, at, 0) * scale;
}

static bool set_from_frame_register(struct undo *undo, const struct info *info)
{
	if (!(undo->out->regs.known >> info->frame_register & 1))
		return fail(undo, "its frame register is not known");
	return move_rsp(undo, undo->out->regs.reg[info->frame_register] - info->frame_offset);
}

static bool machine_frame(struct undo *undo, bool has_error_code)
{
	uint64_t at = rsp(undo) + (has_error_code ? 8 : 0), sp, cs;

	undo->out->slot = at;
	if (!load(undo, at, DT_X64_RIP) || !dt_cursor_word(undo->cursor, at + 8, &cs) || !dt_cursor_word(undo->cursor, at + 0x18, &sp))
		return fail(undo, "its frame reaches outside of the stack");
	undo->out->trap = true;
	undo->out->user_mode = (cs & 3) == 3;
	undo->out->ip = undo->out->regs.reg[DT_X64_RIP];
	dt_context_set(&undo->out->regs, DT_X64_RSP, sp); /* may be another stack */
	return true;
}

/* In an epilog of version 2 what was allocated is released, and the first pops may have run. */
static bool undo_in_epilog(struct undo *undo, const struct info *info, unsigned i)
{
	uint32_t len = code_operand(info, i) < 8 ? 1 : 2;

	if (code_op(info, i) != PUSH_NONVOL)
		return true;
	if (undo->popped >= len) {
		undo->popped -= len;
		return true;
	}
	return pop(undo, code_operand(info, i));
}

static bool undo_code(struct undo *undo, const struct info *info, unsigned i, unsigned count)
{
	unsigned number = code_operand(info, i);

	if (undo->epilog)
		return undo_in_epilog(undo, info, i);
	switch (code_op(info, i)) {
	case PUSH_NONVOL:
		return pop(undo, number);
	case ALLOC_LARGE:
		return move_rsp(undo, rsp(undo) + operand(info, i, count, 8));
	case ALLOC_SMALL:
		return move_rsp(undo, rsp(undo) + number * 8 + 8);
	case SET_FPREG:
		return set_from_frame_register(undo, info);
	case SAVE_NONVOL: case SAVE_NONVOL_FAR:
		return load(undo, undo->frame_base + operand(info, i, count, 8), number);
	case PUSH_MACHFRAME:
		return machine_frame(undo, number != 0);
	default:
		return true; /* vector registers hold no addresses of frames; a spare code does nothing */
	}
}

/* Where saved registers are counted from: the frame register once it is set, else the stack pointer as it is. */
static void find_frame_base(struct undo *undo, const struct info *info, uint32_t offset)
{
	bool set = offset >= info->prolog || (info->flags & FLAG_CHAINED);

	for (unsigned i = 0, n; !set && i < info->count && (n = slots(info, i)); i += n)
		set = code_op(info, i) == SET_FPREG && code_offset(info, i) <= offset;
	undo->has_frame_base = true;
	undo->frame_base = rsp(undo);
	if (info->frame_register && set && (undo->out->regs.known >> info->frame_register & 1))
		undo->frame_base = undo->out->regs.reg[info->frame_register] - info->frame_offset;
}

static bool undo_codes(struct undo *undo, const struct info *info, uint32_t offset)
{
	for (unsigned i = 0, n; i < info->count; i += n) {
		n = slots(info, i);
		if (n == 0 || n > info->count - i)
			return fail(undo, "its unwind data has a code that does not exist, or is cut");
		if (code_op(info, i) == EPILOG || (!undo->epilog && code_offset(info, i) > offset))
			continue;
		if (!undo_code(undo, info, i, n))
			return false;
		if (undo->out->trap)
			return true;
	}
	return true;
}

/* Version 2 lists its epilogs by their distance from the function's end. */
static void find_epilog(struct undo *undo, const struct info *info, const struct dt_image_function *function, uint32_t rva)
{
	uint32_t size = 0;

	for (unsigned i = 0; info->version == 2 && i < info->count && code_op(info, i) == EPILOG; i++) {
		uint32_t distance = code_offset(info, i) | code_operand(info, i) << 8;
		if (i == 0) {
			size = code_offset(info, 0);
			distance = code_operand(info, 0) & 1 ? size : 0;
		}
		if (distance && distance <= function->end - function->begin && rva - (function->end - distance) < size) {
			undo->epilog = true;
			undo->popped = rva - (function->end - distance);
		}
	}
}

/* The function's own data, then what it is chained to. */
static bool by_data(struct undo *undo, struct info *info, struct dt_image_function function, uint32_t offset)
{
	for (unsigned depth = 0; depth < MOST_CHAINED; depth++) {
		if (!undo->has_frame_base)
			find_frame_base(undo, info, offset);
		if (!undo_codes(undo, info, offset))
			return false;
		if (undo->out->trap)
			return true;
		if (!(info->flags & FLAG_CHAINED))
			return pop_return_address(undo);
		function.unwind = dt_bytes_u32_or(info->bytes, info->bytes.len - 4, 0);
		offset = WHOLE_PROLOG;
		if (!read_info(undo, function.unwind, info))
			return false;
	}
	return fail(undo, "its unwind data is chained in a loop");
}

/* An entry may stand for another one. */
static bool follow_entries(struct undo *undo, struct dt_image_function *function)
{
	for (unsigned steps = 0; function->unwind & 1; steps++)
		if (steps == MOST_CHAINED || !dt_image_function_read(undo->image, function->unwind & ~3u, function))
			return fail(undo, "its entries lead to each other");
	return true;
}

static bool by_function(struct undo *undo, struct dt_image_function function, uint32_t rva)
{
	struct info info;
	bool done;

	if (!follow_entries(undo, &function) || !read_info(undo, function.unwind, &info))
		return false;
	uint32_t offset = rva >= function.begin && rva < function.end ? rva - function.begin : WHOLE_PROLOG;
	if (!undo->cursor->is_return && offset >= info.prolog) {
		if (!by_epilog(undo, &function, &info, &done))
			return false;
		if (done)
			return true;
		find_epilog(undo, &info, &function, rva);
	}
	return by_data(undo, &info, function, offset);
}

bool dt_unwind_x64(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why)
{
	struct undo undo = { .cursor = cursor, .image = image, .out = out };
	uint32_t rva = (uint32_t)(cursor->ip - image->base);
	struct dt_image_function function;
	bool known, ok;

	out->regs = cursor->regs;
	dt_context_set(&out->regs, DT_X64_RSP, cursor->sp);
	/* A call may be a function's last instruction: what follows belongs to another. */
	if (dt_image_function_at(image, rva - (cursor->is_return ? 1u : 0u), &function, &known))
		ok = by_function(&undo, function, rva);
	else
		ok = known && !cursor->is_return && pop_return_address(&undo); /* a leaf; it calls nobody */
	out->sp = rsp(&undo);
	*why = undo.why;
	return ok;
}

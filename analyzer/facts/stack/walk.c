/* The walk: asks the strategies in turn, frame by frame, and writes the frames down. */
#include "facts/stack/walk.h"

enum { MOST_FRAMES = 64, MOST_TRAPS = 8, FRAMES_WITH_CODE = 16, CODE_BEFORE = 16 };

static bool (*const strategies[])(const struct dt_cursor *cursor, struct dt_step *out) = {
#define DT_STRATEGY(name, doc) dt_strategy_##name,
#include "facts/stack/strategies.def"
};

static struct dt_code *code_before(const struct dt_dump *dump, uint64_t ip, struct dt_arena *arena)
{
	size_t len = dt_memory_span_before(&dump->memory, ip, CODE_BEFORE);
	struct dt_code *code = len ? DT_ARENA_NEW(arena, struct dt_code) : NULL;
	uint8_t *bytes = code ? dt_arena_alloc(arena, len) : NULL;

	if (!bytes)
		return NULL;
	code->start = dt_some(ip - len);
	code->hex = (struct dt_bytes){ bytes, dt_memory_read(&dump->memory, ip - len, bytes, len) };
	return code;
}

static void write_frame(const struct dt_dump *dump, uint64_t ip, enum dt_trust trust, struct dt_frame *out)
{
	const struct dt_module *module = dt_dump_module_at(dump, ip);
	const struct dt_unloaded *gone = module ? NULL : dt_dump_unloaded_at(dump, ip);

	*out = (struct dt_frame){ .ip = dt_some(ip), .trust = trust };
	if (module) {
		out->module = module->name;
		if (module->name)
			out->offset = dt_some(ip - module->base.value);
	} else if (gone) {
		out->module = gone->name;
		out->unloaded = DT_TRUE;
		out->offset = dt_some(ip - gone->start.value);
	}
}

/* A return address may be the first byte behind its function: the call before it is what is named. */
static void name_frame(const struct dt_walk *walk, bool is_return, struct dt_frame *frame)
{
	struct dt_symbol_name name;

	if (!dt_symbols_name(walk->symbols, frame->ip.value - (is_return ? 1 : 0), &name))
		return;
	frame->symbol = name.name;
	frame->displacement = dt_some(frame->ip.value - name.begin);
	frame->symbol_from = name.from;
}

/* Addresses outside [low, high) belong to no image: most words of a stack are told apart by that alone. */
static void image_bounds(struct dt_cursor *cursor)
{
	const struct dt_dump *dump = cursor->walk->dump;

	cursor->low = UINT64_MAX;
	for (size_t i = 0; i < dump->module_count; i++) {
		uint64_t base = dump->modules[i].base.value, end = base + dump->modules[i].size.value;
		cursor->low = base < cursor->low ? base : cursor->low;
		cursor->high = end > cursor->high ? end : cursor->high;
	}
	for (size_t i = 0; i < dump->unloaded_count; i++) {
		uint64_t base = dump->unloaded[i].start.value, end = dump->unloaded[i].end.value;
		cursor->low = base < cursor->low ? base : cursor->low;
		cursor->high = end > cursor->high ? end : cursor->high;
	}
}

/* The stack that holds sp: the dump's own, or where sp stands in other memory, from there on. */
static void stack_bounds(struct dt_cursor *cursor)
{
	const struct dt_walk *walk = cursor->walk;
	uint64_t begin = walk->stack_len ? walk->stack_va : walk->dump->stack_va;
	uint64_t len = walk->stack_len ? walk->stack_len : walk->dump->stack_len;

	if (cursor->sp - begin >= len) {
		begin = cursor->sp & ~UINT64_C(7);
		len = dt_memory_span(&walk->dump->memory, begin, walk->dump->memory.space ? DT_MAX_KERNEL_STACK : DT_MAX_STACK_SCAN);
	}
	cursor->begin = begin;
	cursor->end = begin + len;
	cursor->stack = dt_memory_copy(&walk->dump->memory, begin, len < DT_MAX_STACK_SCAN ? len : DT_MAX_STACK_SCAN);
}

static void begin(struct dt_cursor *cursor, const struct dt_walk *walk)
{
	const struct dt_context *context = walk->context;
	unsigned fp = context->machine == DT_MACHINE_ARM64 ? DT_ARM64_FP : DT_X86_EBP;
	unsigned word = walk->dump->machine == DT_MACHINE_X86 ? 4 : 8;

	*cursor = (struct dt_cursor){ .walk = walk, .exact = true, .first = true, .proved = true, .regs = *context };
	cursor->ip = dt_context_ip(context).value;
	cursor->sp = (dt_context_sp(context).value + word - 1) & ~(uint64_t)(word - 1);
	if (context->machine == DT_MACHINE_ARM64 || context->machine == DT_MACHINE_X86) {
		cursor->fp = context->reg[fp];
		cursor->fp_known = dt_context_get(context, fp).known;
	}
	image_bounds(cursor);
	stack_bounds(cursor);
}

/* Frames lie one above the other; a trap may have come from another stack. */
static bool leads_on(const struct dt_cursor *cursor, const struct dt_step *step)
{
	return step->end || step->sp > cursor->sp || (step->leaf && step->sp == cursor->sp) || (step->trap && cursor->traps < MOST_TRAPS);
}

static bool next(struct dt_cursor *cursor, struct dt_step *step)
{
	for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
		*step = (struct dt_step){ 0 };
		if (strategies[i](cursor, step) && leads_on(cursor, step))
			return true;
	}
	return false;
}

/* The caller becomes the frame to leave. Its registers are known where the step knows them. */
static void advance(struct dt_cursor *cursor, const struct dt_step *step)
{
	cursor->exact = step->trust != DT_TRUST_SCAN;
	cursor->proved = cursor->proved && !step->guessed && (step->trust == DT_TRUST_UNWIND || (cursor->first && step->has_regs));
	cursor->first = false;
	cursor->is_return = !step->trap;
	cursor->callee_params = step->params;
	cursor->ip = step->ip;
	cursor->sp = step->sp;
	cursor->fp = step->fp;
	cursor->fp_known = step->fp_known;
	if (step->has_regs)
		cursor->regs = step->regs;
	else
		cursor->regs.known = 0;
	cursor->traps += step->trap;
	if (step->trap && (step->sp < cursor->begin || step->sp >= cursor->end))
		stack_bounds(cursor);
}

size_t dt_stack_walk(const struct dt_walk *walk, struct dt_arena *arena, struct dt_notes *notes, struct dt_frame **out)
{
	size_t most = walk->max_frames && walk->max_frames < MOST_FRAMES ? walk->max_frames : MOST_FRAMES, count = 0;
	struct dt_frame *frames = DT_ARENA_ARRAY(arena, most, struct dt_frame);
	struct dt_cursor cursor;
	struct dt_step step;

	*out = frames;
	if (!frames || !dt_context_ip(walk->context).known || !dt_context_sp(walk->context).known)
		return 0;
	begin(&cursor, walk);
	cursor.notes = notes;
	write_frame(walk->dump, cursor.ip, DT_TRUST_CONTEXT, &frames[count]);
	name_frame(walk, false, &frames[count++]);
	if (cursor.stack.len == 0)
		dt_note_add(notes, DT_NOTE_INFO, "stack", "the stack at 0x%llx is not in the dump", (unsigned long long)cursor.sp);
	if (cursor.end - cursor.begin > DT_MAX_STACK_SCAN)
		dt_note_add(notes, DT_NOTE_INFO, "stack", "0x%llx bytes, the first %u are looked at", (unsigned long long)(cursor.end - cursor.begin),
		            DT_MAX_STACK_SCAN);
	while (next(&cursor, &step) && !step.end) {
		struct dt_frame *frame = &frames[count];
		if (count == most) {
			dt_note_add(notes, DT_NOTE_INFO, "stack", "more than %zu frames; the rest is not walked", most);
			break;
		}
		write_frame(walk->dump, step.ip, step.trust, frame);
		name_frame(walk, !step.trap, frame);
		if (step.slot)
			frame->slot = dt_some(step.slot);
		frame->code = count < FRAMES_WITH_CODE ? code_before(walk->dump, step.ip, arena) : NULL;
		count++;
		advance(&cursor, &step);
	}
	return count;
}

/* Unwinding by the data of the image at hand: which machine, how far the result is to be trusted, where it ends. */
#include "facts/stack/unwind.h"

static bool by_image(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why)
{
	switch (cursor->walk->dump->machine) {
	case DT_MACHINE_X64:
		return image && dt_unwind_x64(cursor, image, out, why);
	case DT_MACHINE_ARM64:
		return image && dt_unwind_arm64(cursor, image, out, why);
	case DT_MACHINE_X86:
		return dt_unwind_x86(cursor, out, why);
	default:
		return false;
	}
}

/* A dump may have the image and lack the page with its unwind data: then symbols may say the same. */
static bool by_machine(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why)
{
	if (by_image(cursor, image, out, why))
		return true;
	*out = (struct dt_step){ 0 };
	return !*why && dt_unwind_cfi(cursor, out, why);
}

static void say(const struct dt_cursor *cursor, const struct dt_module *module, const char *why)
{
	if (why)
		dt_note_add(cursor->notes, DT_NOTE_WARNING, "stack", "%s+0x%llx cannot be unwound: %s", module->name ? module->name : "an image",
		            (unsigned long long)(cursor->ip - module->base.value), why);
}

/* What was undone from a frame that was only found by its looks is no better than that frame: its bytes must speak for it. */
static bool judge(const struct dt_cursor *cursor, struct dt_step *out)
{
	uint64_t target;

	out->trust = DT_TRUST_UNWIND;
	if (cursor->proved && !out->guessed)
		return true;
	enum dt_site site = dt_cursor_site(cursor, out->ip, &target);
	out->trust = site == DT_SITE_CALL && cursor->exact ? DT_TRUST_CALL_SITE : DT_TRUST_SCAN;
	return site != DT_SITE_OTHER;
}

/* A call to where no code is has stored its return address and nothing else: the caller's registers are those of the fault. */
static bool called_nowhere(const struct dt_cursor *cursor, struct dt_step *out)
{
	uint64_t target;

	if (!cursor->first || cursor->walk->dump->machine != DT_MACHINE_X64 || !dt_cursor_word(cursor, cursor->sp, &out->ip) ||
	    !dt_cursor_is_code(cursor, out->ip) || dt_cursor_site(cursor, out->ip, &target) != DT_SITE_CALL)
		return false;
	out->slot = cursor->sp;
	out->sp = cursor->sp + 8;
	out->regs = cursor->regs;
	out->has_regs = true;
	out->trust = DT_TRUST_CALL_SITE;
	return true;
}

bool dt_strategy_unwind(const struct dt_cursor *cursor, struct dt_step *out)
{
	const struct dt_module *module = dt_dump_module_at(cursor->walk->dump, cursor->ip);
	const struct dt_image *image = cursor->walk->dump->machine == DT_MACHINE_X86 ? NULL : dt_symbols_image(cursor->walk->symbols, module);
	const char *why = NULL;

	if (!module)
		return called_nowhere(cursor, out);
	if (!by_machine(cursor, image, out, &why)) {
		say(cursor, module, why);
		return false;
	}
	if (out->sp % dt_cursor_word_size(cursor)) {
		say(cursor, module, "the stack pointer behind it is not aligned");
		return false;
	}
	out->has_regs = true;
	/* The first frame of a thread has no caller. */
	if (out->ip == 0) {
		out->end = cursor->proved;
		return out->end;
	}
	if (out->trap && out->user_mode) {
		dt_note_add(cursor->notes, DT_NOTE_INFO, "stack", "the walk ends where the kernel was entered from user mode, at 0x%llx",
		            (unsigned long long)out->ip);
		return out->end = true;
	}
	if (!dt_cursor_is_code(cursor, out->ip) && !out->trap) {
		say(cursor, module, "the return address behind it lies in no image");
		return false;
	}
	return judge(cursor, out);
}

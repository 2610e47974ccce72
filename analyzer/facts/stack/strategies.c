/* The ways to find the caller's frame that need no image and no symbols. */
#include "facts/stack/walk.h"

/* A direct call leads to the begin of the function it names; the return into the callee lies behind that begin, mostly within
 * a megabyte: functions are long, modules longer. */
#define FARTHEST_CALLEE (UINT64_C(1) << 20)

bool dt_strategy_entry(const struct dt_cursor *cursor, struct dt_step *out)
{
	uint64_t target;

	if (!cursor->walk->entry || !cursor->first || cursor->walk->dump->machine == DT_MACHINE_ARM64 ||
	    !dt_cursor_word(cursor, cursor->sp, &out->ip))
		return false;
	/* The slot is certain; what is in it must still be a return address if its bytes are there. */
	if (!dt_cursor_is_code(cursor, out->ip) || dt_cursor_site(cursor, out->ip, &target) == DT_SITE_OTHER)
		return false;
	out->slot = cursor->sp;
	out->sp = cursor->sp + dt_cursor_word_size(cursor);
	out->trust = DT_TRUST_CALL_SITE;
	out->regs = cursor->regs; /* nothing has run yet */
	out->has_regs = true;
	return true;
}

/* Both chains: the record at fp must lie on the stack, above where the walk is, and lead upwards. */
static bool chain(const struct dt_cursor *cursor, bool is_signed, struct dt_step *out)
{
	unsigned word = dt_cursor_word_size(cursor);
	uint64_t next;

	if (!cursor->fp_known || cursor->fp < cursor->sp || cursor->fp % word || !dt_cursor_word(cursor, cursor->fp, &next) ||
	    !dt_cursor_word(cursor, cursor->fp + word, &out->ip))
		return false;
	if (is_signed)
		out->ip = dt_strip_signature(out->ip);
	if (!dt_cursor_is_code(cursor, out->ip))
		return false;
	out->slot = cursor->fp + word;
	out->sp = cursor->fp + 2 * word;
	out->fp = next;
	out->fp_known = next > cursor->fp && next < cursor->end;
	out->trust = DT_TRUST_FRAME_POINTER;
	return true;
}

bool dt_strategy_link(const struct dt_cursor *cursor, struct dt_step *out)
{
	return cursor->walk->dump->machine == DT_MACHINE_ARM64 && chain(cursor, true, out);
}

bool dt_strategy_frame_pointer(const struct dt_cursor *cursor, struct dt_step *out)
{
	uint64_t target;

	if (cursor->walk->dump->machine != DT_MACHINE_X86 || !chain(cursor, false, out))
		return false;
	return dt_cursor_site(cursor, out->ip, &target) != DT_SITE_OTHER;
}

/* Stale return addresses pass every byte check: one whose call leads elsewhere than to the frame below it is left out.
 * A call through an import or a thunk stays in the caller's own image, and says nothing. */
static bool consistent(const struct dt_cursor *cursor, uint64_t caller, uint64_t target)
{
	const struct dt_dump *dump = cursor->walk->dump;
	const struct dt_module *from = dt_dump_module_at(dump, caller), *to = dt_dump_module_at(dump, target);

	if (target == 0 || !cursor->exact)
		return true;
	if (cursor->ip >= target && cursor->ip - target < FARTHEST_CALLEE && to == dt_dump_module_at(dump, cursor->ip))
		return true;
	return from == to && to != dt_dump_module_at(dump, cursor->ip);
}

bool dt_strategy_call_site(const struct dt_cursor *cursor, struct dt_step *out)
{
	unsigned word = dt_cursor_word_size(cursor);
	uint64_t target;

	for (uint64_t slot = cursor->sp; dt_cursor_word(cursor, slot, &out->ip); slot += word) {
		if (!dt_cursor_is_code(cursor, out->ip) || dt_cursor_in_hole(cursor, slot))
			continue;
		enum dt_site site = dt_cursor_site(cursor, out->ip, &target);
		/* A word that may be a frame, and cannot be checked, is the scan's: frames stay in order. */
		if (site == DT_SITE_ABSENT)
			return false;
		if (site == DT_SITE_CALL && consistent(cursor, out->ip, target)) {
			out->slot = slot;
			out->sp = slot + word;
			out->trust = DT_TRUST_CALL_SITE;
			return true;
		}
	}
	return false;
}

bool dt_strategy_scan(const struct dt_cursor *cursor, struct dt_step *out)
{
	unsigned word = dt_cursor_word_size(cursor);
	uint64_t target;

	for (uint64_t slot = cursor->sp; dt_cursor_word(cursor, slot, &out->ip); slot += word) {
		if (!dt_cursor_is_code(cursor, out->ip) || dt_cursor_in_hole(cursor, slot) ||
		    dt_cursor_site(cursor, out->ip, &target) != DT_SITE_ABSENT)
			continue;
		out->slot = slot;
		out->sp = slot + word;
		out->trust = DT_TRUST_SCAN;
		return true;
	}
	return false;
}

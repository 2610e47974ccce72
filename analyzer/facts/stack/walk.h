/*
 * walk.h - the state of one walk, shared by the strategies. Private to facts/stack.
 */
#ifndef DT_STACK_WALK_H
#define DT_STACK_WALK_H

#include "facts/stack/stack.h"

/* Where the walk is: the frame found last. */
struct dt_cursor {
	const struct dt_walk *walk;
	uint64_t begin, end; /* bounds of the stack: [begin, end) */
	struct dt_bytes stack; /* its bytes from begin on, as far as the dump has them */
	uint64_t ip, sp, fp; /* of the innermost frame not yet left */
	bool fp_known;
	bool exact;          /* ip was found without guessing */
	bool first;          /* it is the context itself */
	bool proved;         /* found by the machine's own rules from the context on; registers too, as far as they are known */
	unsigned traps;      /* crossed so far */
	uint32_t callee_params; /* x86: bytes that the frame has pushed for the one it called */
	bool is_return;      /* ip is a return address: the call before it is what runs */
	struct dt_context regs; /* of the frame; registers that its callees did not keep are not known */
	struct dt_notes *notes;
	uint64_t low, high;  /* addresses below or above hold no module: a cheap first look */
};

/* What a strategy found: the caller's frame. */
struct dt_step {
	uint64_t ip, sp, fp;
	bool fp_known;
	uint64_t slot; /* where ip stood; 0: in a register */
	enum dt_trust trust;
	struct dt_context regs; /* of the caller */
	bool has_regs;
	bool trap;      /* ip was interrupted, and is no return address; sp may be on another stack */
	bool user_mode; /* a trap from user mode */
	uint32_t params; /* x86: bytes of parameters, which lie above slot */
	bool guessed;    /* by data, but not to the word: no more than a call site */
	bool leaf;      /* ip came from a register: the frame has no size */
	bool end;       /* there is no caller: the walk is over */
};

/* A machine word of the stack; false outside its bytes. */
bool dt_cursor_word(const struct dt_cursor *cursor, uint64_t va, uint64_t *out);
unsigned dt_cursor_word_size(const struct dt_cursor *cursor);
/* Whether a slot lies in a record of the walk's holes. */
bool dt_cursor_in_hole(const struct dt_cursor *cursor, uint64_t slot);
/* Whether an address can be code of an image, loaded or once loaded; outside its PE header. */
bool dt_cursor_is_code(const struct dt_cursor *cursor, uint64_t va);

/* Code at va: from the dump, else from the image at hand. Gives the number of bytes. */
size_t dt_cursor_code(const struct dt_cursor *cursor, uint64_t va, void *out, size_t len);

/* An address of arm64 without the signature above its address bits. */
uint64_t dt_strip_signature(uint64_t va);

enum dt_site { DT_SITE_ABSENT, DT_SITE_CALL, DT_SITE_OTHER };
/* What the bytes before a return address are: not in the dump, a call, something else. target: of a direct call, else 0. */
enum dt_site dt_cursor_site(const struct dt_cursor *cursor, uint64_t va, uint64_t *target);

#define DT_STRATEGY(name, doc) bool dt_strategy_##name(const struct dt_cursor *cursor, struct dt_step *out);
#include "facts/stack/strategies.def"

#endif

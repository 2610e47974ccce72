/*
 * stack.h - the frames of the crashing thread.
 *
 * strategies.def lists the ways to find the next frame, best first; the walk
 * asks each in turn, frame by frame. Each frame carries how far it can be
 * trusted. Where the image is at hand its unwind data says where the caller is. Without it there are:
 * the exact caller where the context stands at a function's first instruction,
 * frame pointers (x86, arm64), call sites checked by bytes, and plain scanning.
 */
#ifndef DT_STACK_STACK_H
#define DT_STACK_STACK_H

#include "facts/dump/dump.h"
#include "facts/insn/insn.h"
#include "facts/symbol/symbols.h"

/* Part of the stack whose slots are data, not return addresses: a trap frame, a CONTEXT, an EXCEPTION_RECORD. */
struct dt_stack_hole {
	uint64_t va;
	uint64_t len;
};

struct dt_walk {
	const struct dt_dump *dump;
	struct dt_symbols *symbols;       /* images at hand; NULL: none */
	struct dt_decoder *decoder;       /* may be NULL: no frame is checked by bytes then */
	const struct dt_context *context; /* where the walk begins */
	uint64_t stack_va, stack_len;     /* bounds of the stack; 0: the dump's */
	const struct dt_stack_hole *holes;
	size_t hole_count;
	bool entry;                       /* the context stands at its function's first instruction (KeBugCheckEx): [sp] is its caller */
	size_t max_frames;                /* 0: DT_MAX_FRAMES */
};

/* Walks and gives the frames, innermost first, in the arena. Frame 0 is the
 * context's own (trust context). Never fails: an empty list is an answer; why the walk ended goes to notes.
 * code bytes are attached to the first 16 frames. */
size_t dt_stack_walk(const struct dt_walk *walk, struct dt_arena *arena, struct dt_notes *notes, struct dt_frame **out);

#endif

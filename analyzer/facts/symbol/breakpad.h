/*
 * breakpad.h - names of functions from a Breakpad .sym file.
 *
 * Lines of text: MODULE system machine ID name; FUNC [m] begin size parameters name; PUBLIC [m] begin parameters name; STACK WIN, which is
 * FrameData and FPO_DATA of a PDB; STACK CFI [INIT], rules for registers; numbers in hex. The other records are passed by. Layout: "symbol_files.md" of Breakpad's documentation.
 */
#ifndef DT_SYMBOL_BREAKPAD_H
#define DT_SYMBOL_BREAKPAD_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_breakpad_row;
struct dt_breakpad_stack;

struct dt_breakpad {
	struct dt_bytes file; /* borrowed */
	struct dt_arena *arena;
	char debug_id[64];
	struct dt_breakpad_row *rows;
	size_t count;
	struct dt_breakpad_stack *stacks;
	size_t stack_count;
};

struct dt_breakpad_symbol {
	const char *name; /* clean, in the arena */
	uint32_t rva, len; /* len 0: only the begin is known */
};

/* Finds the lines that name functions. DT_ERR_FORMAT: it does not begin with MODULE. DT_ERR_LIMIT: more than DT_MAX_SYM_ROWS. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_breakpad_open(struct dt_breakpad *sym, struct dt_bytes file, struct dt_arena *arena, struct dt_error *err);
/* The function that holds an offset of the image: the FUNC around it, else the PUBLIC before it. false: none. */
bool dt_breakpad_symbol_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_breakpad_symbol *out);

/* How the frame of x86 code at an offset of the image is undone, by STACK WIN. false: the file does not say. */
struct dt_symbol_frame;
/* The rules in force at an offset of the image, by STACK CFI. false: the file has none, or more than there may be. */
struct dt_symbol_cfi;
bool dt_breakpad_cfi_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_symbol_cfi *out);
bool dt_breakpad_frame_at(const struct dt_breakpad *sym, uint32_t rva, struct dt_symbol_frame *out);

#endif

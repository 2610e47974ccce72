/*
 * frame.h - how the frame of x86 code is undone, as symbols say it.
 *
 * The compiler of x86 keeps no unwind data in the image: a PDB has FPO_DATA (fpo.h of the Windows SDK) and, newer, FrameData, which has a
 * program in postfix for each stretch of code (Microsoft's published sources of the PDB format; LLVM writes them too).
 */
#ifndef DT_SYMBOL_FRAME_H
#define DT_SYMBOL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

struct dt_symbol_frame {
	uint32_t begin, len;             /* of the code, in the image as it was linked */
	uint32_t into;                   /* the address that was asked for, from begin */
	uint32_t locals, params, saved;  /* bytes: of local variables, of parameters on the stack, of registers that were pushed */
	uint32_t prolog;                 /* bytes of code */
	const char *program;             /* "$T0 .raSearch = $eip $T0 ^ = ..."; NULL: fpo says it */
	enum { DT_FPO_OMITTED, DT_FPO_TRAP, DT_FPO_TSS, DT_FPO_FRAME } fpo;
	bool saves_ebp;                  /* FPO: ebp is one of the registers that were pushed */
};

/* Rules of Breakpad's STACK CFI: the caller's registers by expressions in postfix over the callee's; ".cfa" and ".ra" are among them. */
enum { DT_CFI_RULES = 40, DT_CFI_NAME = 12 };
struct dt_symbol_cfi {
	struct {
		char name[DT_CFI_NAME]; /* ".cfa", "$rbx", "x19" */
		const char *text;       /* in the arena of the symbols */
	} rules[DT_CFI_RULES];
	unsigned count;
};

#endif

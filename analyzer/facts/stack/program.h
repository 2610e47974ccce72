/*
 * program.h - programs in postfix that say how a frame is undone: "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =".
 *
 * Words with spaces between: numbers, variables ("$eip", ".cfa"; of ARM64 "x29"), + - * / %, @ (round down to a multiple), ^ (what memory holds there), = (a variable gets a
 * value). Private to facts/stack.
 */
#ifndef DT_STACK_PROGRAM_H
#define DT_STACK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DT_PROGRAM_VARIABLES = 40, DT_PROGRAM_NAME = 16 };

struct dt_program_variable {
	char name[DT_PROGRAM_NAME];
	uint64_t value;
	bool known;
	bool assigned; /* by the program */
};

struct dt_program {
	struct dt_program_variable variables[DT_PROGRAM_VARIABLES];
	size_t count;
	bool wide; /* 64 bits; else all values are cut to 32 */
	bool (*read)(const void *self, uint64_t va, uint64_t *out); /* a word of memory */
	const void *self;
};

/* Gives a variable a value before the program runs; false when there are too many. */
bool dt_program_set(struct dt_program *program, const char *name, uint64_t value);
/* Runs text. false: a word that is none, a value that is not known, a stack that runs over or empty, memory that is not there. */
bool dt_program_run(struct dt_program *program, const char *text);
/* The value of a variable; NULL: it has none. */
const struct dt_program_variable *dt_program_get(const struct dt_program *program, const char *name);

#endif

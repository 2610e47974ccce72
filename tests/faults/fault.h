/*
 * fault.h - calls of the system that fail when a test says so.
 *
 * Programs of the tests are linked with --wrap for each call of calls.def; the wrappers stand in fault.c. What is to fail is said by the
 * environment (DT_FAULT) or, for a process that gets none (the worker), by a file beside the program (NAME.fault), or by a test in the
 * same process:
 *
 *   trace:FILE        fails nothing; writes a line for each distinct call stack: which call it was, the stack's hash, the call, the addresses
 *   nth:N             the N-th call fails
 *   stack:HASH:K      the K-th call with this stack fails; with a + behind it, all later ones, too
 *
 * A stack is known by its innermost addresses, so that it is the same in every thread and in every run.
 */
#ifndef DT_TESTS_FAULT_H
#define DT_TESTS_FAULT_H

#include <stdbool.h>

/* The N-th call from now on fails in this thread's process; 0: none. */
void fault_arm(unsigned long nth);
/* Calls since then; whether one was made to fail. */
unsigned long fault_calls(void);
bool fault_hit(void);

#endif

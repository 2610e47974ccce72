/*
 * codes.h - names of NTSTATUS values, exceptions, fast-fail codes, signals.
 */
#ifndef DT_TABLES_CODES_H
#define DT_TABLES_CODES_H

#include <stdbool.h>
#include <stdint.h>

/* STATUS_… of an NTSTATUS; only the low 32 bits count. NULL when unknown. */
const char *dt_ntstatus_name(uint64_t code);
/* FAST_FAIL_… ; NULL when unknown. */
const char *dt_fast_fail_name(uint64_t code);
/* Exceptions as a person says them: EXCEPTION_… or STATUS_… ; NULL when unknown. */
const char *dt_exception_name(uint64_t code);
/* Whether an exception's ExceptionInformation is {access, address}: access violation, in-page error, guard page. */
bool dt_exception_has_access(uint64_t code);
/* Whether it says that the processor met an instruction it does not know. */
bool dt_exception_is_illegal(uint64_t code);
/* What it says of the program; exceptions that no row names are crashes. */
enum dt_exception_kind {
	DT_EXCEPTION_CRASH = 0,
	DT_EXCEPTION_HEAP,     /* a crash: damage that was found late, by whoever used the memory next */
	DT_EXCEPTION_STORAGE,  /* a crash: a page could not be read from where it is kept */
	DT_EXCEPTION_DEBUGGER, /* a breakpoint, a step, a message to a debugger: a crash only where nobody handled it */
	DT_EXCEPTION_ASKED,    /* no exception: somebody asked for the dump, and the program went on */
	DT_EXCEPTION_HANG,     /* no exception: the program did not answer */
};
enum dt_exception_kind dt_exception_kind(uint64_t code);
/* Whether an exception of that kind is a crash. */
bool dt_exception_is_crash(enum dt_exception_kind kind);
/* The name of a signal (Linux, platform id 0x8201, 0x8203) or Mach exception (0x8101, 0x8102) as Breakpad
 * stores them; NULL when unknown. */
const char *dt_signal_name(uint32_t platform_id, uint32_t code);

#endif

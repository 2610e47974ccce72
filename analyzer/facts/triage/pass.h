/*
 * pass.h - what the triage passes share. Private to facts/triage.
 *
 * A pass reads the dump and what earlier passes found, and writes its own part of
 * the facts. passes.def gives their order; none of them fails: what cannot be
 * found stays null, what is odd becomes a note.
 */
#ifndef DT_TRIAGE_PASS_H
#define DT_TRIAGE_PASS_H

#include "core/tables/bugcheck.h"
#include "facts/dump/dump.h"
#include "facts/insn/insn.h"
#include "facts/stack/stack.h"
#include "facts/triage/triage.h"

#define DT_MAX_HOLES 4

struct dt_pass {
	const struct dt_dump *dump;
	struct dt_facts *facts;
	struct dt_arena *arena;
	struct dt_notes *notes;
	struct dt_decoder *decoder; /* for the dump's machine; NULL when there is none */
	const struct dt_triage_options *options;
	struct dt_symbols *symbols; /* images at hand */

	/* found by the passes, for later ones */
	const struct dt_reading *reading;    /* rows of the stop code; NULL: none */
	struct dt_exception_record record;   /* the EXCEPTION_RECORD that was read */
	struct dt_context context;           /* the fault context; machine null: none */
	struct dt_insn insn;                 /* the faulting instruction */
	bool has_insn;
	bool at_bugcheck_entry;              /* the header context stands at KeBugCheckEx's first instruction */
	struct dt_stack_hole holes[DT_MAX_HOLES]; /* records on the stack: no return addresses there */
	size_t hole_count;
};

/* The value of the stop code's first parameter that has a role. */
bool dt_pass_role(const struct dt_pass *pass, enum dt_role role, uint64_t *value);
/* Remembers a record on the stack. */
void dt_pass_hole(struct dt_pass *pass, uint64_t va, uint64_t len);
/* Whether a list has as many entries as a record may hold; that one more was to come is noted. */
bool dt_pass_is_full(struct dt_pass *pass, const char *list, size_t count, size_t most);
/* Adds evidence of bad hardware or corruption. */
void dt_pass_anomaly(struct dt_pass *pass, enum dt_anomaly_kind kind, const char *fmt, ...) DT_PRINTF(3, 4);
/* Adds a driver that memory or parameters name; the same module from the same place once. */
void dt_pass_suspect(struct dt_pass *pass, uint64_t va, const char *from);
/* ": in the page file" and the like, to end a sentence that says that va is not in the dump; "" where nothing tells. */
const char *dt_pass_absence(const struct dt_pass *pass, uint64_t va);
/* Module name and offset for an address; false and untouched when no module holds it. */
bool dt_pass_locate(const struct dt_pass *pass, uint64_t va, const char **module, struct dt_opt *offset);

#define DT_PASS(name, formats, doc) void dt_pass_##name(struct dt_pass *pass);
#include "facts/triage/passes.def"

/* trap_frame.c: finds the KTRAP_FRAME of a fault on the call stack by its own evidence. ip: the saved
 * instruction pointer it must hold (known false: any); address: the FaultAddress it must hold (known false: not compared). */
bool dt_trap_frame_find(const struct dt_dump *dump, struct dt_opt ip, struct dt_opt address, struct dt_context *out);
/* Whether a KTRAP_FRAME stands at va. */
bool dt_trap_frame_at(const struct dt_dump *dump, uint64_t va, struct dt_context *out);

/* instruction.c: whether the stop is about an access to memory at all. */
bool dt_exception_reports_access(const struct dt_pass *pass);

/* process.c: names a process by the address of its EPROCESS, as far as memory has it. */
bool dt_process_at(const struct dt_dump *dump, uint64_t va, struct dt_arena *arena, const char **name,
                   struct dt_opt *pid);

/* region.c: what memory an address of a program lies in; NULL where nothing tells. */
const char *dt_region_in_words(const struct dt_dump *dump, uint64_t va, struct dt_arena *arena);

/* input.c: the host as the caller gave it. */
void dt_host_given(struct dt_facts *facts, const char *host, struct dt_arena *arena);

/* identity.c: the identity of the crash; NULL where the dump lacks what it is made of. */
const char *dt_crash_id(const struct dt_pass *pass);

#endif

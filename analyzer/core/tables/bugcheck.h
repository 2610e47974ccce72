/*
 * bugcheck.h - what Windows' stop codes and their parameters mean, as rows.
 *
 * The rows stand in bugchecks.def (names: bugcheck_names.def). To teach the
 * program a stop code is to add rows there: context, blame, report and explain
 * work from the roles, none of them knows a code by number.
 */
#ifndef DT_TABLES_BUGCHECK_H
#define DT_TABLES_BUGCHECK_H

#include "core/base/buf.h"
#include "core/model/crash.h"

/* What a parameter is, for the code that reads it. */
enum dt_role {
	DT_ROLE_NONE = 0,         /* nothing the program uses; its text says what it is */
	DT_ROLE_RESERVED,         /* documented as reserved or always zero */
	DT_ROLE_ADDRESS,          /* the virtual address that was accessed */
	DT_ROLE_ACCESS_PF,        /* 0x50 P2: page-fault access, meaning depends on machine and build */
	DT_ROLE_ACCESS_IRQL,      /* 0xA, 0xD1 P3: 0 read, bit 0 write, bit 3 execute */
	DT_ROLE_ACCESS_RW,        /* 0 read, 1 write, 8 execute: ExceptionInformation[0] and its like */
	DT_ROLE_IRQL,             /* interrupt request level, 0..15 */
	DT_ROLE_IP,               /* the instruction pointer of the fault */
	DT_ROLE_EXCEPTION_CODE,   /* NTSTATUS of an exception; 32 bits, often sign-extended */
	DT_ROLE_EXCEPTION_INFO0,  /* ExceptionInformation[0], meaning depends on the exception code */
	DT_ROLE_EXCEPTION_INFO1,  /* ExceptionInformation[1] */
	DT_ROLE_EXCEPTION_RECORD, /* VA of an EXCEPTION_RECORD */
	DT_ROLE_CONTEXT_RECORD,   /* VA of a CONTEXT */
	DT_ROLE_TRAP_FRAME,       /* VA of a KTRAP_FRAME */
	DT_ROLE_NTSTATUS,         /* NTSTATUS that is no exception; 32 bits */
	DT_ROLE_SUBCODE,          /* selects the meaning of the others */
	DT_ROLE_FAST_FAIL,        /* fast-fail code (fast_fail.def) */
	DT_ROLE_PROCESS,          /* VA of an EPROCESS */
	DT_ROLE_THREAD,           /* VA of an ETHREAD */
	DT_ROLE_PROCESS_ID,       /* process or thread id */
	DT_ROLE_IRP,              /* VA of an IRP */
	DT_ROLE_DEVICE_OBJECT,    /* VA of a DEVICE_OBJECT */
	DT_ROLE_PHYSICAL_DEVICE,  /* VA of the DEVICE_OBJECT at the bottom of a stack: its driver is the bus's, mostly not who is at fault */
	DT_ROLE_DRIVER_OBJECT,    /* VA of a DRIVER_OBJECT */
	DT_ROLE_MODULE_ADDRESS,   /* an address inside the responsible module */
	DT_ROLE_MODULE_NAME,      /* VA of the responsible module's name */
	DT_ROLE_CODE_ADDRESS,     /* an address of code that matters, not necessarily guilty */
	DT_ROLE_PTE_ADDRESS,      /* VA of a page-table entry */
	DT_ROLE_PTE_VALUE,        /* contents of a page-table entry */
	DT_ROLE_PTE_BITS,         /* the bits of a page-table entry that are wrong (0x1A/41792 P3) */
	DT_ROLE_EXPECTED,         /* what stood where the next ACTUAL was found; the two are compared bit by bit */
	DT_ROLE_ACTUAL,
	DT_ROLE_POOL_ADDRESS,     /* VA of a pool block */
	DT_ROLE_STACK_ADDRESS,    /* VA on a stack */
	DT_ROLE_ERROR_RECORD,     /* VA of a WHEA_ERROR_RECORD */
	DT_ROLE_OBJECT,           /* VA of some other object */
	DT_ROLE_PROCESSOR,        /* processor number, or VA of its PRCB */
	DT_ROLE_TICKS,            /* a time in clock ticks */
	DT_ROLE_COUNT_OF,         /* a count or size */
	DT_ROLE_FLAGS,            /* bits */
	DT_ROLE_COUNT
};

/* How far the crashing stack is evidence for who is at fault. */
enum dt_blame_rule {
	DT_BLAME_STACK = 0, /* the caller of KeBugCheckEx, then the first frame that is no carrier */
	DT_BLAME_NOBODY,    /* the stack is no evidence and nothing else names anyone */
	DT_BLAME_ROLE,      /* a parameter names a module or object; the stack is no evidence */
	DT_BLAME_HEAP,      /* found late: candidates only, "may be the victim" */
};

/* What the code says by itself about the verdict. */
enum dt_code_class {
	DT_CODE_ANY = 0,
	DT_CODE_HARDWARE,   /* the machine itself reported a hardware error */
	DT_CODE_REQUESTED,  /* somebody asked for the crash: key press, live dump, power button */
	DT_CODE_RECOVERED,  /* Windows went on: a live report */
	DT_CODE_CORRUPTION, /* memory was found corrupt; undetermined by itself */
	DT_CODE_ONE_BIT,    /* hardware when the roles PTE_BITS, or EXPECTED and ACTUAL, differ in one bit; else corruption */
};

/* When a row is the right one. Zero fields do not restrict. */
struct dt_when {
	uint8_t parameter;         /* 1..4: this parameter decides; 0: none does */
	uint64_t low, high;        /* its low 32 bits lie in low..high (both included) */
	unsigned machines;         /* bits 1 << DT_MACHINE_…; 0: all */
	uint32_t build_low;        /* builds build_low..build_high; 0: open */
	uint32_t build_high;
	uint8_t zero;              /* bits 1 << (n - 1): parameter n is 0, in all its bits */
	uint8_t nonzero;           /* the same: parameter n is not 0 */
};

struct dt_parameter {
	enum dt_role role;
	const char *text; /* "virtual address that was referenced"; never NULL */
};

/* One reading of a stop code. */
struct dt_reading {
	uint32_t code;
	struct dt_when when;
	const char *title; /* what this sub-code says, for sub-codes; NULL else */
	struct dt_parameter parameters[4];
	enum dt_blame_rule blame;
	enum dt_code_class class;
	const char *source; /* where it is documented */
};

/* The documented name; NULL for a code no public list names. */
const char *dt_bugcheck_name(uint32_t code);
/* The code of a name or of one of its known other names, in any case; false when there is none. Numbers are not names. */
bool dt_bugcheck_code(const char *name, uint32_t *code);

/* The reading that fits: the first row of the code whose conditions hold. A
 * condition on something unknown (machine DT_machine_NULL, build 0) holds only for rows without
 * that condition. NULL when the code has no rows. parameters may be NULL: then
 * only rows without a parameter condition fit. */
const struct dt_reading *dt_bugcheck_reading(uint32_t code, const uint64_t parameters[4], enum dt_machine machine,
                                             uint32_t build);
/* Whether a row's condition holds when only the first count parameters are known: 1 yes, 0 no, -1 that depends on what
 * is not known. machine DT_machine_NULL and build 0 are not known. parameters may be NULL when count is 0. */
int dt_when_check(const struct dt_when *when, const uint64_t *parameters, size_t count, enum dt_machine machine,
                  uint32_t build);
/* All rows of a code, in order, for explain; at most max. */
size_t dt_bugcheck_readings(uint32_t code, const struct dt_reading *out[], size_t max);
/* The index 0..3 of the first parameter with the role, or -1. */
int dt_reading_role(const struct dt_reading *reading, enum dt_role role);
/* A row's condition in words ("parameter 1 is 0x8, x64"); "" when it has none. */
void dt_when_print(const struct dt_when *when, struct dt_buf *out);

/* What an access parameter says. DT_access_NULL when the value does not decide
 * (0x50 P2 with other bits than the documented ones, or machine or build unknown where they matter). */
enum dt_access dt_role_access(enum dt_role role, uint64_t value, enum dt_machine machine, uint32_t build);
/* Whether what ACCESS_PF says can depend on the machine or build that is not known. */
bool dt_access_is_open(enum dt_machine machine, uint32_t build);

/* What the code itself says of the access: 0xBE is a write, 0xFC an execution. DT_access_NULL for all others: there
 * a parameter says it, or nothing. */
enum dt_access dt_bugcheck_access(uint32_t code);

/* One parameter in words: its text and, where the value has a name, that name
 * ("exception code: STATUS_ACCESS_VIOLATION", "access: write"). Where machine or build decide and are not known, each
 * possible meaning with its condition. The number itself is not printed. */
void dt_parameter_print(const struct dt_reading *reading, size_t index, uint64_t value, enum dt_machine machine,
                        uint32_t build, struct dt_buf *out);
/* What an expert would tell about the code itself, one or two sentences, no advice; NULL when there is none. */
const char *dt_bugcheck_hint(uint32_t code);

/* The minidump writer's flag (code >> 28 == 1): the code without it; *flag says whether it was there. */
static inline uint32_t dt_bugcheck_unflag(uint32_t code, bool *flag)
{
	*flag = code >> 28 == 1;
	return *flag ? code & UINT32_C(0x0fffffff) : code;
}

#endif

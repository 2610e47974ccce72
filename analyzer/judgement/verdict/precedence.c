/* Which class: the first row that holds. */
#include "core/tables/codes.h"
#include "judgement/blame/blame.h"
#include "judgement/verdict/case.h"

#define HAS(c, kind) (((c)->anomalies & 1u << (kind)) != 0)

static bool has_crash(const struct dt_case *c)
{
	return c->facts->bugcheck || c->facts->exception.code.known || c->facts->fault.ip.known;
}

/* A header whose machine is none cannot be believed in anything else. */
static bool is_unreadable(const struct dt_case *c)
{
	return c->facts->failure && (!has_crash(c) || c->facts->dump.machine == DT_machine_NULL);
}

static bool is_confirmed(const struct dt_case *c)
{
	return c->match && c->rule && c->match->grade == DT_GRADE_CONFIRMED;
}

/* What the stop code itself says, and what proves bad hardware, outweighs it. */
static bool is_probable(const struct dt_case *c)
{
	return c->match && c->rule && c->match->grade >= DT_GRADE_PROBABLE;
}

static bool code_class_is(const struct dt_case *c, enum dt_code_class class)
{
	return c->reading && c->reading->class == class;
}

static bool is_requested(const struct dt_case *c)
{
	return code_class_is(c, DT_CODE_REQUESTED);
}

/* Windows itself takes a dump of a living system for its reports (LiveKernelReports); 0x161 is one that somebody asked for, and a tool's
 * mark is no stop code. */
static bool is_live_report(const struct dt_case *c)
{
	enum { LIVE_SYSTEM_DUMP = 0x161 };

	return c->facts->dump.live == DT_TRUE && c->facts->dump.writer != DT_WRITER_TOOL && c->facts->bugcheck && c->facts->bugcheck->code.known &&
	       !dt_opt_is(c->facts->bugcheck->code, LIVE_SYSTEM_DUMP);
}

static bool is_recovered(const struct dt_case *c)
{
	return code_class_is(c, DT_CODE_RECOVERED) || is_live_report(c);
}

static bool is_snapshot(const struct dt_case *c)
{
	return c->facts->dump.live == DT_TRUE;
}

static bool is_reported_hardware(const struct dt_case *c)
{
	return code_class_is(c, DT_CODE_HARDWARE);
}

static bool is_one_bit(const struct dt_case *c)
{
	return HAS(c, DT_ANOMALY_ONE_BIT_PTE);
}

static bool is_illegal(const struct dt_case *c)
{
	return HAS(c, DT_ANOMALY_ILLEGAL_BUT_LEGAL);
}

/* Evidence of corruption that proves nothing alone, and takes the proof from everything else. */
static bool is_doubtful(const struct dt_case *c)
{
	return HAS(c, DT_ANOMALY_MID_INSTRUCTION) || HAS(c, DT_ANOMALY_OPERAND_MISMATCH) ||
	       HAS(c, DT_ANOMALY_ONE_BIT_ADDRESS) || HAS(c, DT_ANOMALY_CODE_DIFFERS) || HAS(c, DT_ANOMALY_ONE_BIT_CODE);
}

static bool is_feature(const struct dt_case *c)
{
	return HAS(c, DT_ANOMALY_CPU_FEATURE) && !c->user;
}

/* A crash reporter puts a mark where the exception would stand. */
static bool is_asked(const struct dt_case *c)
{
	return c->user && dt_exception_kind(c->facts->exception.code.value) == DT_EXCEPTION_ASKED;
}

static bool is_application(const struct dt_case *c)
{
	/* An exception code alone, without a place or a program, is a damaged file rather than a crash. A breakpoint, a message to a debugger
	 * or a dump without exception is what a debugger or a tool took of a living process. */
	if (!c->user || (!c->facts->modules_count && !c->facts->fault.ip.known))
		return false;
	return c->facts->exception.code.known && dt_exception_is_crash(dt_exception_kind(c->facts->exception.code.value));
}

static bool is_blamed(const struct dt_case *c)
{
	return !c->user && c->out->blame.module;
}

/* Below this a blamed driver is where to look first, and no verdict. */
enum { LEAST_FOR_A_VERDICT = 30 };

static bool is_driver(const struct dt_case *c)
{
	return is_blamed(c) && c->out->blame.confidence.value >= LEAST_FOR_A_VERDICT && !dt_blame_is_microsoft(c->facts, c->out->blame.module);
}

/* Whether the dump has what would speak against Windows' own code: its callers, and the instruction to hold against the address. */
static bool is_seen_around(const struct dt_case *c)
{
	const struct dt_facts *facts = c->facts;
	bool has_code = !facts->fault.ip.known || facts->fault.instruction || facts->exception.access == DT_ACCESS_EXECUTE;

	return (facts->stack_count > 1 || facts->dump.complete == DT_TRUE) && has_code;
}

/* The walk ends in Windows itself and nobody else is near. */
static bool is_os(const struct dt_case *c)
{
	const struct dt_blame *blame = &c->out->blame;

	if (!is_blamed(c) || c->anomalies || !dt_blame_is_microsoft(c->facts, blame->module) || !is_seen_around(c))
		return false;
	for (size_t i = 0; i < blame->candidates_count; i++)
		if (!dt_blame_is_microsoft(c->facts, blame->candidates[i].module))
			return false;
	return true;
}

static bool always(const struct dt_case *c)
{
	(void)c;
	return true;
}

const struct dt_precedence dt_precedences[] = {
	{ is_unreadable, DT_CLASS_UNREADABLE, 0, NULL },
	{ is_confirmed, DT_verdict_class_NULL, -2, NULL },
	{ is_requested, DT_CLASS_REQUESTED, 95, "this stop code appears when somebody asks for it" },
	{ is_asked, DT_CLASS_REQUESTED, 95, "the program or a tool asked for this dump, and no exception happened" },
	{ is_recovered, DT_CLASS_RECOVERED, 95, "this code is a report: Windows handled the fault and went on" },
	{ is_snapshot, DT_CLASS_REQUESTED, 90, "the dump was taken of a system that had not crashed" },
	{ is_reported_hardware, DT_CLASS_HARDWARE, 90, "the machine itself reported the error" },
	{ is_one_bit, DT_CLASS_HARDWARE, 85, "one wrong bit is what bad memory makes; software rarely does" },
	{ is_illegal, DT_CLASS_HARDWARE, 75, "no software makes a processor refuse an instruction that it has" },
	{ is_probable, DT_verdict_class_NULL, -2, NULL },
	{ is_doubtful, DT_CLASS_UNDETERMINED, 0,
	  "the dump contradicts itself, which points to bad hardware or corrupted memory but does not prove it" },
	{ is_feature, DT_CLASS_UNDETERMINED, 0, "the processor, or its settings, lacks what the code needs" },
	{ is_application, DT_CLASS_APPLICATION, -1, NULL },
	{ is_driver, DT_CLASS_DRIVER, -1, NULL },
	{ is_os, DT_CLASS_OS, -1, "no driver from outside Windows is near the fault" },
	{ always, DT_CLASS_UNDETERMINED, 0, NULL },
};
const size_t dt_precedence_count = sizeof(dt_precedences) / sizeof(dt_precedences[0]);

const struct dt_precedence *dt_precedence(const struct dt_case *c)
{
	const struct dt_precedence *row = dt_precedences;

	while (!row->holds(c))
		row++;
	return row;
}

#include <string.h>

#include "core/base/text.h"
#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"
#include "core/tables/images.h"
#include "judgement/blame/blame.h"

enum {
	CONFIDENCE_FAULT = 80,
	CONFIDENCE_MICROSOFT = 50, /* more often handed bad data than wrong */
	CONFIDENCE_UNSURE = 35,    /* the dump contradicts itself */
	CONFIDENCE_HEAP = 40,
	CONFIDENCE_DEAD_STACK = 20,
	MAX_GAP = 3, /* frames of mere scanning after which a stack is a heap of old addresses */
};

/* What the rules share. */
struct search {
	const struct dt_facts *facts;
	const struct dt_carriers *carriers; /* NULL: the built-in rows */
	const struct dt_reading *reading; /* NULL: the code has no rows, or a user dump */
	struct dt_arena *arena;
	struct dt_blame *out;
	bool kernel;
	unsigned anomalies;
};

/* How the facts name suspects, and what that is worth. */
static const struct origin {
	const char *from;   /* as dt_suspect.from begins */
	uint64_t confidence; /* 0: a candidate at most */
	const char *reason;
} origins[] = {
	{ "parameter", 90, "a parameter of the stop code points into it" },
	{ "irp-stack-location", 70, "it holds the request that the stop code names" },
	{ "driver-object", 60, "the stop code names its driver object" },
	{ "device-object", 45, "the stop code names its device" },
	{ "irp-completion-routine", 0, "it waits for the request that the stop code names" },
	{ "bugcheck-caller", 0, "it called KeBugCheckEx" },
	{ "execute-caller", 0, "it jumped to where no code is" },
	{ "dead-stack", 0, "it ran on the thread right before" },
};

/* What a frame is worth by how it was found. */
static const struct {
	uint64_t confidence; /* 0: a candidate at most */
	const char *reason;
} trusts[DT_trust_COUNT] = {
	[DT_TRUST_CONTEXT] = { 80, "it ran when the crash happened" },
	[DT_TRUST_UNWIND] = { 70, "it is the first on the unwound stack that does not run others' work" },
	[DT_TRUST_FRAME_POINTER] = { 65, "it is the first on the chain of stack frames that does not run others' work" },
	[DT_TRUST_CALL_SITE] = { 45, "it is the first call on the stack that does not run others' work" },
	[DT_TRUST_SCAN] = { 0, "an address in it lies on the stack" },
};

static const struct dt_module *find_module(const struct dt_facts *facts, const char *name)
{
	for (size_t i = 0; name && i < facts->modules_count; i++)
		if (dt_text_equal_fold(facts->modules[i].name, name))
			return &facts->modules[i];
	return NULL;
}

bool dt_blame_is_microsoft(const struct dt_facts *facts, const char *module)
{
	const struct dt_module *row = find_module(facts, module);

	if (row && row->microsoft == DT_FALSE)
		return false;
	return (row && row->microsoft == DT_TRUE) ||
	       (module && dt_image_is_microsoft(module, facts->dump.format != DT_FORMAT_USER));
}

unsigned dt_blame_anomalies(const struct dt_facts *facts)
{
	unsigned bits = facts->fault.boundary == DT_FALSE ? 1u << DT_ANOMALY_MID_INSTRUCTION : 0;

	for (size_t i = 0; i < facts->anomalies_count; i++)
		bits |= 1u << facts->anomalies[i].kind;
	return bits;
}

/* The kernel itself is never blamed, whatever rows say. */
static enum dt_carrier_kind carrier_kind(const struct search *s, const char *module, const char *function)
{
	if (!module || (s->kernel && dt_image_is_kernel(module)))
		return DT_CARRIER_IGNORE;
	return dt_carriers_find(s->carriers, s->kernel, module, function);
}

static bool is_carrier(const struct search *s, const char *module)
{
	return carrier_kind(s, module, NULL) == DT_CARRIER_IGNORE;
}

static enum dt_carrier_kind frame_kind(const struct search *s, const struct dt_frame *frame)
{
	return carrier_kind(s, frame->module, frame->symbol);
}

static bool is_candidate(const struct search *s, const char *module)
{
	for (size_t i = 0; i < s->out->candidates_count; i++)
		if (dt_text_equal_fold(s->out->candidates[i].module, module))
			return true;
	return false;
}

/* Once a module, never the blamed one, at most DT_MAX_CANDIDATES. */
static void add_candidate(struct search *s, const char *module, struct dt_opt offset, const char *reason)
{
	struct dt_blame *out = s->out;

	if (is_carrier(s, module) || dt_text_equal_fold(out->module, module) || is_candidate(s, module))
		return;
	if (!out->candidates)
		out->candidates = DT_ARENA_ARRAY(s->arena, DT_MAX_CANDIDATES, struct dt_candidate);
	if (out->candidates && out->candidates_count < DT_MAX_CANDIDATES)
		out->candidates[out->candidates_count++] =
			(struct dt_candidate){ .module = module, .offset = offset, .reason = reason };
}

/* ---- naming somebody -------------------------------------------------- */

/* Signs of corruption that make any conclusion from the code that ran unsure. */
static bool is_unsure(const struct search *s)
{
	return (s->anomalies & (1u << DT_ANOMALY_OPERAND_MISMATCH | 1u << DT_ANOMALY_ONE_BIT_ADDRESS |
	                        1u << DT_ANOMALY_ONE_BIT_PTE | 1u << DT_ANOMALY_ILLEGAL_BUT_LEGAL |
	                        1u << DT_ANOMALY_CODE_DIFFERS | 1u << DT_ANOMALY_ONE_BIT_CODE)) != 0;
}

static void blame(struct search *s, const char *module, struct dt_opt offset, uint64_t confidence, const char *reason)
{
	struct dt_blame *out = s->out;
	const char *but = "";

	if (dt_blame_is_microsoft(s->facts, module) && confidence > CONFIDENCE_MICROSOFT) {
		confidence = CONFIDENCE_MICROSOFT;
		but = "; it is part of Windows, which is more often handed bad data than wrong";
	}
	if ((s->anomalies & 1u << DT_ANOMALY_STACK_OVERFLOW) && confidence > CONFIDENCE_UNSURE) {
		confidence = CONFIDENCE_UNSURE;
		but = "; but the stack is used up, and who pushed last need not be who filled it";
	}
	if (is_unsure(s) && confidence > CONFIDENCE_UNSURE) {
		confidence = CONFIDENCE_UNSURE;
		but = "; but the dump has signs of bad hardware or corrupted memory, so this is unsure";
	}
	out->module = module;
	out->offset = offset;
	out->confidence = dt_some(confidence);
	out->reason = dt_arena_printf(s->arena, "%s%s", reason, but);
}

static bool nobody(struct search *s, const char *reason)
{
	s->out->reason = reason;
	return true;
}

static const char *at_offset(const struct search *s, const char *module, struct dt_opt offset)
{
	return offset.known ? dt_arena_printf(s->arena, "%s+0x%llx", module, (unsigned long long)offset.value) : module;
}

/* ---- frames ----------------------------------------------------------- */

static const char *frame_reason(const struct search *s, const struct dt_frame *frame)
{
	return dt_arena_printf(s->arena, "%s%s", trusts[frame->trust].reason,
	                       frame->unloaded == DT_TRUE ? ", though it was unloaded" : "");
}

/* Candidates in the order of the stack; those that were merely scanned for come last. */
static void frame_candidates(struct search *s)
{
	for (int scanned = 0; scanned < 2; scanned++)
		for (size_t i = 0; i < s->facts->stack_count; i++) {
			const struct dt_frame *frame = &s->facts->stack[i];
			if ((trusts[frame->trust].confidence == 0) == scanned && frame_kind(s, frame) != DT_CARRIER_IGNORE)
				add_candidate(s, frame->module, frame->offset, frame_reason(s, frame));
		}
}

/*
 * The first frame that is no carrier; else the first that may be to blame; else the last resort. Each frame is as sure as the surest way to
 * it: past frames that were only scanned for, a checked call site may be older
 * than the crash, so it is worth less and at last nothing.
 */
static const struct dt_frame *first_frame(const struct search *s, uint64_t *confidence)
{
	const struct dt_frame *best = NULL;
	enum dt_carrier_kind best_kind = DT_CARRIER_LAST;
	size_t gap = 0;

	for (size_t i = 0; i < s->facts->stack_count && gap < MAX_GAP && best_kind != DT_CARRIER_NONE; i++) {
		const struct dt_frame *frame = &s->facts->stack[i];
		uint64_t worth = trusts[frame->trust].confidence;
		enum dt_carrier_kind kind = frame_kind(s, frame);
		if (worth == 0) {
			gap++;
			continue;
		}
		if (kind == DT_CARRIER_IGNORE || (best && kind >= best_kind))
			continue;
		best = frame;
		best_kind = kind;
		*confidence = frame->trust == DT_TRUST_CALL_SITE ? worth - 5 * gap : worth;
	}
	return best;
}

/* The function that failed, where symbols name it. */
static const char *fault_function(const struct search *s)
{
	const struct dt_frame *first = s->facts->stack_count ? &s->facts->stack[0] : NULL;

	return first && first->trust == DT_TRUST_CONTEXT && s->facts->fault.ip.known && dt_opt_is(first->ip, s->facts->fault.ip.value) ? first->symbol : NULL;
}

/* Whether a fault in a module that may be to blame is somebody else's: who is behind it, on a stack that is certain up to there. */
static bool has_better_claim(const struct search *s, enum dt_carrier_kind kind)
{
	for (size_t i = 0; kind > DT_CARRIER_IGNORE && i < s->facts->stack_count; i++) {
		const struct dt_frame *frame = &s->facts->stack[i];
		enum dt_carrier_kind other = frame_kind(s, frame);
		if (i && frame->trust != DT_TRUST_UNWIND && frame->trust != DT_TRUST_FRAME_POINTER)
			return false;
		if (i && other != DT_CARRIER_IGNORE && other < kind)
			return true;
	}
	return false;
}

/* ---- the rules -------------------------------------------------------- */

/* What the exception says; CRASH where there is none. */
static enum dt_exception_kind exception_kind(const struct search *s)
{
	return dt_exception_kind(s->facts->exception.code.value);
}

/* Of a program whose dump holds a mark in place of an exception, no instruction failed. */
static bool by_mark(struct search *s)
{
	enum dt_exception_kind kind = s->kernel ? DT_EXCEPTION_CRASH : exception_kind(s);

	if (kind == DT_EXCEPTION_ASKED)
		return nobody(s, "no instruction failed, the dump was asked for");
	if (kind != DT_EXCEPTION_HANG)
		return false;
	nobody(s, "no instruction failed, the program did not answer, and where its thread stood need not be why");
	frame_candidates(s);
	return true;
}

static bool by_boundary(struct search *s)
{
	const struct dt_fault *fault = &s->facts->fault;

	if (!(s->anomalies & 1u << DT_ANOMALY_MID_INSTRUCTION))
		return false;
	return nobody(s, dt_arena_printf(s->arena,
	                                 "the processor ran in the middle of an instruction of %s: no driver can be blamed for that",
	                                 fault->module ? fault->module : "a module"));
}

/* Whoever's code it is: the processor did not run what stands there. */
static bool by_refusal(struct search *s)
{
	if (!(s->anomalies & 1u << DT_ANOMALY_ILLEGAL_BUT_LEGAL))
		return false;
	return nobody(s, "the processor refused an instruction that every processor has: no driver can be blamed for that");
}

/* The processor ran what stands in memory, and that is not what the module's maker wrote. */
static bool by_other_code(struct search *s)
{
	if (!(s->anomalies & (1u << DT_ANOMALY_CODE_DIFFERS | 1u << DT_ANOMALY_ONE_BIT_CODE)))
		return false;
	return nobody(s, dt_arena_printf(s->arena, "memory holds other code of %s than its file: whoever damaged it is to blame, and the dump does not show who",
	                                 s->facts->fault.module ? s->facts->fault.module : "a module"));
}

/* The code asked for a page that could not be read from where it is kept; that is not the code's fault. */
static bool by_storage(struct search *s)
{
	const struct dt_exception *exception = &s->facts->exception;
	const char *status = exception->information_count > 2 ? dt_ntstatus_name(exception->information[2]) : NULL;

	if (exception_kind(s) != DT_EXCEPTION_STORAGE)
		return false;
	return nobody(s, dt_arena_printf(s->arena, "a page could not be read from where it is kept%s%s: the disk, its connection or the network failed, not the code that used the page",
	                                 status ? ", " : "", status ? status : ""));
}

static const struct dt_suspect *suspect_from(const struct search *s, const char *from)
{
	for (size_t i = 0; i < s->facts->suspects_count; i++)
		if (s->facts->suspects[i].from && dt_text_starts_fold(s->facts->suspects[i].from, from))
			return &s->facts->suspects[i];
	return NULL;
}

static bool by_bugcheck_caller(struct search *s)
{
	const struct dt_suspect *caller = suspect_from(s, "bugcheck-caller");

	if (!caller || is_carrier(s, caller->module) || dt_blame_is_microsoft(s->facts, caller->module))
		return false;
	blame(s, caller->module, caller->offset, 90, "it stopped Windows itself: it called KeBugCheckEx");
	return true;
}

static bool by_no_evidence(struct search *s)
{
	if (!s->reading || s->reading->blame != DT_BLAME_NOBODY)
		return false;
	return nobody(s, "with this stop code the stack does not show who is at fault");
}

static void role_candidates(struct search *s)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		const struct dt_suspect *suspect = suspect_from(s, origins[i].from);
		if (suspect)
			add_candidate(s, suspect->module, suspect->offset, origins[i].reason);
	}
}

/* The device at the bottom of a stack is the bus driver's; who is at fault is one of those above it. */
static bool is_of_bus(const struct search *s, const char *from)
{
	return dt_reading_role(s->reading, DT_ROLE_PHYSICAL_DEVICE) >= 0 && !strcmp(from, "device-object");
}

static bool by_role(struct search *s)
{
	if (!s->reading || s->reading->blame != DT_BLAME_ROLE)
		return false;
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]) && !s->out->module; i++) {
		const struct dt_suspect *suspect = suspect_from(s, origins[i].from);
		if (origins[i].confidence && suspect && !is_of_bus(s, origins[i].from) && !is_carrier(s, suspect->module))
			blame(s, suspect->module, suspect->offset, origins[i].confidence, origins[i].reason);
	}
	if (!s->out->module && is_of_bus(s, "device-object") && suspect_from(s, "device-object"))
		nobody(s, "the stop code names a device at the bottom of its stack, which is the bus driver's; who held it up the dump does not show");
	else if (!s->out->module)
		nobody(s, "the stop code names an object whose driver the dump does not show");
	role_candidates(s);
	return true;
}

static bool by_fault(struct search *s)
{
	const struct dt_fault *fault = &s->facts->fault;
	const char *module = fault->module ? fault->module : fault->unloaded;

	enum dt_carrier_kind kind = carrier_kind(s, module, fault_function(s));

	if (!fault->ip.known || kind == DT_CARRIER_IGNORE || has_better_claim(s, kind))
		return false;
	blame(s, module, fault->offset, CONFIDENCE_FAULT,
	      fault->module ? "the instruction that failed is its own" : "the instruction that failed lay in it, after it was unloaded");
	role_candidates(s);
	frame_candidates(s);
	return true;
}

/* An IP that is no code: the module there, if any, is the victim; the caller is what counts. */
static bool by_execute(struct search *s)
{
	const struct dt_suspect *caller = suspect_from(s, "execute-caller");

	if (s->facts->exception.access != DT_ACCESS_EXECUTE)
		return false;
	const struct dt_suspect *before = suspect_from(s, "dead-stack");
	if (caller && !is_carrier(s, caller->module))
		blame(s, caller->module, caller->offset, 60, "its call or jump went to where no code is");
	else if (s->facts->fault.unloaded)
		return by_fault(s);
	else if (before && !is_carrier(s, before->module))
		blame(s, before->module, before->offset, CONFIDENCE_DEAD_STACK,
		      "Windows itself went to where no code is, and this is the only other driver that ran on the thread right "
		      "before: a guess from what it left on the stack");
	else
		nobody(s, "the processor went to where no code is, and the dump does not show who sent it there");
	frame_candidates(s);
	return true;
}

/* Damage that is found late: by the kernel's pools, whose stop codes say so, or by a program's heap. */
static bool is_heap(const struct search *s)
{
	if (!s->kernel)
		return exception_kind(s) == DT_EXCEPTION_HEAP;
	return s->reading && s->reading->blame == DT_BLAME_HEAP;
}

static bool by_heap(struct search *s)
{
	if (!is_heap(s))
		return false;
	nobody(s, "damaged memory was found late, by whoever used it next: the modules on the stack may be the victims");
	add_candidate(s, s->facts->fault.module, s->facts->fault.offset, "it ran when the damage was found; may be the victim");
	frame_candidates(s);
	if (s->out->candidates_count)
		s->out->confidence = dt_some(CONFIDENCE_HEAP / 2);
	return true;
}

static bool by_stack(struct search *s)
{
	const struct dt_fault *fault = &s->facts->fault;
	uint64_t confidence = 0;
	const struct dt_frame *frame = first_frame(s, &confidence);

	if (frame) {
		blame(s, frame->module, frame->offset, confidence, frame_reason(s, frame));
	} else if (fault->module) {
		nobody(s, dt_arena_printf(s->arena, "the fault is in %s, which runs others' work, and the stack does not prove whose",
		                          at_offset(s, fault->module, fault->offset)));
	} else {
		nobody(s, s->facts->stack_count ? "no frame of the stack that can be trusted names anyone" :
		                                  "the dump shows neither where the fault is nor a stack");
	}
	role_candidates(s);
	frame_candidates(s);
	return true;
}

void dt_blame(const struct dt_facts *facts, const struct dt_carriers *carriers, struct dt_arena *arena, struct dt_blame *out)
{
	static bool (*const rules[])(struct search *) = {
		by_mark, by_boundary, by_refusal, by_other_code, by_storage, by_bugcheck_caller, by_no_evidence, by_role, by_execute, by_heap, by_fault, by_stack,
	};
	const struct dt_bugcheck *bugcheck = facts->bugcheck;
	struct search s = { .facts = facts, .carriers = carriers, .arena = arena, .out = out, .kernel = facts->dump.format != DT_FORMAT_USER };

	*out = (struct dt_blame){ 0 };
	s.anomalies = dt_blame_anomalies(facts);
	if (bugcheck && bugcheck->code.known)
		s.reading = dt_bugcheck_reading((uint32_t)bugcheck->code.value,
		                                bugcheck->parameters_count == 4 ? bugcheck->parameters : NULL, facts->dump.machine,
		                                (uint32_t)facts->dump.build.value);
	for (size_t i = 0; !rules[i](&s); i++)
		;
}

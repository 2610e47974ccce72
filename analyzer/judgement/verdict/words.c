/* The verdict in words: one sentence, then the reasons. */
#include "core/model/field.h"
#include "core/tables/images.h"
#include "judgement/verdict/case.h"

enum { MAX_SENTENCE = 2048 };

static const char *take(struct dt_buf *buf, struct dt_arena *arena)
{
	const char *text = dt_buf_ok(buf) ? dt_arena_strdup(arena, dt_buf_text(buf)) : NULL;

	dt_arena_refused(arena, buf->no_memory);
	dt_buf_deinit(buf);
	return text;
}

static void put_place(struct dt_buf *out, const char *module, struct dt_opt offset)
{
	dt_buf_puts(out, module);
	if (offset.known) {
		dt_buf_puts(out, "+");
		dt_buf_hex(out, offset.value);
	}
}

/* "PAGE_FAULT_IN_NONPAGED_AREA (0x50)", or the exception of a process; of a fast fail with its reason. */
static void put_code(struct dt_buf *out, const struct dt_facts *facts)
{
	const struct dt_bugcheck *bugcheck = facts->bugcheck;
	struct dt_opt code = bugcheck ? bugcheck->code : facts->exception.code;
	const char *name = bugcheck ? bugcheck->name : facts->exception.name;

	if (!code.known) {
		dt_buf_puts(out, "no stop code or exception");
		return;
	}
	dt_buf_printf(out, "%s%s", name ? name : bugcheck ? "stop code " : "exception ", name ? " (" : "");
	dt_buf_hex(out, code.value);
	/* abort() and a broken list are fast fails, too: their name alone says that a buffer was overrun. */
	if (name && facts->exception.detail)
		dt_buf_printf(out, ", %s", facts->exception.detail);
	dt_buf_puts(out, name ? ")" : "");
}

/* ", an invalid read at 0x…, in nt+0x…" as far as it is known. */
static void put_fault(struct dt_buf *out, const struct dt_facts *facts)
{
	static const char *const accesses[DT_access_COUNT] = {
		[DT_ACCESS_READ] = "an invalid read",
		[DT_ACCESS_WRITE] = "an invalid write",
		[DT_ACCESS_EXECUTE] = "a jump to where no code is",
	};
	const char *access = accesses[facts->exception.access];

	if (access)
		dt_buf_printf(out, ", %s", access);
	if (facts->fault.module) {
		dt_buf_puts(out, access ? " in " : ", in ");
		put_place(out, facts->fault.module, facts->fault.offset);
	}
}

static void put_blamed(struct dt_buf *out, const struct dt_blame *blame)
{
	const char *product = dt_image_product(blame->module);

	dt_buf_puts(out, blame->module);
	if (product)
		dt_buf_printf(out, " (%s)", product);
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static void put_suspicion(struct dt_buf *out, const struct dt_case *c)
{
	const struct dt_blame *blame = &c->out->blame;

	if (blame->module) {
		dt_buf_puts(out, "; the trace leads to ");
		put_blamed(out, blame);
	}
}

/* ---- one sentence a class --------------------------------------------- */

static void say_signature(struct dt_buf *out, const struct dt_case *c)
{
	dt_buf_printf(out, "%s %s", c->match->grade == DT_GRADE_CONFIRMED ? "This is" : "This is probably", c->match->title);
	dt_buf_puts(out, ": ");
	put_code(out, c->facts);
	put_fault(out, c->facts);
}

static void say_driver(struct dt_buf *out, const struct dt_case *c)
{
	struct dt_opt confidence = c->out->blame.confidence;

	dt_buf_puts(out, confidence.value >= 60 ? "The driver " : "Probably the driver ");
	put_blamed(out, &c->out->blame);
	dt_buf_puts(out, " crashed Windows: ");
	put_code(out, c->facts);
	put_fault(out, c->facts);
}

static void say_hardware(struct dt_buf *out, const struct dt_case *c)
{
	dt_buf_puts(out, "This points to bad hardware: ");
	put_code(out, c->facts);
	if (c->facts->anomalies_count && c->facts->anomalies[0].text)
		dt_buf_printf(out, "; %s", c->facts->anomalies[0].text);
}

static void say_os(struct dt_buf *out, const struct dt_case *c)
{
	dt_buf_puts(out, "Windows' own ");
	dt_buf_puts(out, c->out->blame.module);
	dt_buf_puts(out, " crashed, and no other driver is near the fault: ");
	put_code(out, c->facts);
	put_fault(out, c->facts);
}

static void say_application(struct dt_buf *out, const struct dt_case *c)
{
	const struct dt_blame *blame = &c->out->blame;

	dt_buf_printf(out, "The application %s crashed", or_else(c->facts->process.name, "in this dump"));
	if (blame->module) {
		dt_buf_puts(out, " in ");
		put_blamed(out, blame);
	}
	dt_buf_puts(out, ": ");
	put_code(out, c->facts);
	put_fault(out, c->facts);
}

static void say_requested(struct dt_buf *out, const struct dt_case *c)
{
	bool by_tool = c->facts->dump.writer == DT_WRITER_TOOL;

	if (c->facts->dump.live == DT_TRUE && (!c->facts->bugcheck || by_tool)) {
		dt_buf_printf(out, "No crash: a running system was captured%s", by_tool ? " by a memory-imaging tool" : "");
		return;
	}
	if (c->facts->dump.live == DT_TRUE)
		dt_buf_puts(out, "Somebody asked for a dump of a running system; nothing crashed");
	else
		dt_buf_puts(out, "Somebody asked for this dump; it is no fault of Windows or a driver");
	dt_buf_puts(out, ": ");
	put_code(out, c->facts);
}

static void say_recovered(struct dt_buf *out, const struct dt_case *c)
{
	dt_buf_puts(out, "Windows met a fault, reported it and went on: ");
	put_code(out, c->facts);
	put_suspicion(out, c);
}

static void say_undetermined(struct dt_buf *out, const struct dt_case *c)
{
	if (!c->facts->bugcheck && !c->facts->exception.code.known) {
		dt_buf_puts(out, "The dump holds no crash: no stop code and no exception");
		return;
	}
	dt_buf_puts(out, "The cause cannot be told from this dump: ");
	put_code(out, c->facts);
	put_fault(out, c->facts);
	put_suspicion(out, c);
}

static bool is_no_dump(const struct dt_failure *failure)
{
	return failure->kind == DT_FAILURE_NOT_A_DUMP;
}

static void say_unreadable(struct dt_buf *out, const struct dt_case *c)
{
	const struct dt_failure *failure = c->facts->failure;

	dt_buf_printf(out, "%s: %s", is_no_dump(failure) ? "This is no dump of a known kind" : "The file could not be analysed",
	              or_else(failure->text, "no reason is known"));
}

static void (*const sentences[DT_verdict_class_COUNT])(struct dt_buf *, const struct dt_case *) = {
	[DT_verdict_class_NULL] = say_undetermined,
	[DT_CLASS_KNOWN_INCIDENT] = say_undetermined, /* only a signature gives it */
	[DT_CLASS_DRIVER] = say_driver,
	[DT_CLASS_HARDWARE] = say_hardware,
	[DT_CLASS_OS] = say_os,
	[DT_CLASS_APPLICATION] = say_application,
	[DT_CLASS_REQUESTED] = say_requested,
	[DT_CLASS_RECOVERED] = say_recovered,
	[DT_CLASS_UNDETERMINED] = say_undetermined,
	[DT_CLASS_UNREADABLE] = say_unreadable,
};

const char *dt_case_summary(const struct dt_case *c)
{
	struct dt_buf out;

	dt_buf_init(&out, MAX_SENTENCE);
	if (dt_case_by_rule(c))
		say_signature(&out, c);
	else
		sentences[c->out->verdict.class](&out, c);
	if (out.len && out.data[out.len - 1] != '.')
		dt_buf_putc(&out, '.');
	return take(&out, c->arena);
}

/* ---- reasons ---------------------------------------------------------- */

static void add(const struct dt_case *c, const char *text)
{
	dt_case_add(c->out->verdict.reasons, &c->out->verdict.reasons_count, text);
}

/* What a signature found, then what contradicts it, then what the dump does not say. */
static void evidence(const struct dt_case *c, const struct dt_match *match)
{
	static const struct {
		enum dt_fact_state state;
		const char *word;
	} order[] = {
		{ DT_FACT_PRESENT, "found" },
		{ DT_FACT_CONTRADICTED, "contradicted" },
		{ DT_FACT_MISSING, "missing" },
	};

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < match->evidence_count; i++) {
			const struct dt_evidence *e = &match->evidence[i];
			if (e->state == order[k].state)
				add(c, dt_arena_printf(c->arena, "%s: %s%s%s", order[k].word, e->fact, e->value ? ": " : "",
				                       e->value ? e->value : ""));
		}
}

static void matched(const struct dt_case *c)
{
	for (size_t i = 0; i < c->out->matches_count; i++) {
		const struct dt_match *match = &c->out->matches[i];
		add(c, dt_arena_printf(c->arena, "signature %s: %s match", match->signature, dt_word(&dt_words_grade, match->grade)));
		if (match == c->match)
			evidence(c, match);
	}
}

static void blamed(const struct dt_case *c)
{
	const struct dt_blame *blame = &c->out->blame;

	if (blame->module && blame->reason)
		add(c, dt_arena_printf(c->arena, "blamed: %s, because %s", blame->module, blame->reason));
	else if (blame->reason)
		add(c, dt_arena_printf(c->arena, "nobody is blamed: %s", blame->reason));
	for (size_t i = 0; i < blame->candidates_count && i < 3; i++)
		add(c, dt_arena_printf(c->arena, "candidate: %s, because %s", blame->candidates[i].module,
		                       or_else(blame->candidates[i].reason, "it is near")));
}

/* What an anomaly is a sign of; a stack that is used up and a processor without a feature are neither broken nor damaged. */
static const char *const signs[DT_anomaly_kind_COUNT] = {
	[DT_ANOMALY_CPU_FEATURE] = "evidence about the processor",
	[DT_ANOMALY_STACK_OVERFLOW] = "evidence about the stack",
};

static void anomalies(const struct dt_case *c)
{
	for (size_t i = 0; i < c->facts->anomalies_count; i++) {
		const struct dt_anomaly *anomaly = &c->facts->anomalies[i];
		if (anomaly->text)
			add(c, dt_arena_printf(c->arena, "%s: %s", or_else(signs[anomaly->kind], "evidence of bad hardware or corrupted memory"), anomaly->text));
	}
}

/* Only what was begun can end early. */
static const char *failed(const struct dt_failure *failure)
{
	if (is_no_dump(failure))
		return "the file is no dump of a known kind";
	if (failure->kind == DT_FAILURE_IO)
		return "reading the file failed";
	return failure->kind == DT_FAILURE_UNSUPPORTED ? "reading it is not supported" : "reading the file ended early";
}

void dt_case_reasons(const struct dt_case *c, const struct dt_precedence *row)
{
	struct dt_verdict *verdict = &c->out->verdict;
	const struct dt_facts *facts = c->facts;

	verdict->reasons = DT_ARENA_ARRAY(c->arena, DT_MAX_TEXTS, const char *);
	if (facts->failure)
		add(c, dt_arena_printf(c->arena, "%s: %s", failed(facts->failure), or_else(facts->failure->text, "no reason is known")));
	add(c, row->reason);
	anomalies(c);
	matched(c);
	if (verdict->class != DT_CLASS_UNREADABLE)
		blamed(c);
	if (facts->bugcheck && facts->bugcheck->code.known && !dt_case_by_rule(c))
		add(c, dt_bugcheck_hint((uint32_t)facts->bugcheck->code.value));
}

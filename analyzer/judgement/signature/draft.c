/*
 * A draft of a rule from the facts of one crash: its strongest facts as selections, grades that grow with them, and the crash itself as a
 * test. It is a beginning for a person, who takes out what is chance and gives it a name.
 */
#include <string.h>

#include "core/base/time.h"
#include "core/tables/images.h"
#include "judgement/signature/rule.h"

/* Code before and behind the instruction that identifies the place; enough to be rare, short enough to be in most dumps. */
enum { BEFORE = 16, BEHIND = 8, MAX_SUB_CODE = 0xffff, FRAMES = 8 };

struct draft {
	const struct dt_facts *facts;
	struct dt_buf *out, record;
	const struct dt_module *module; /* of the fault, in the list of modules */
	bool code, sub_code, place, offset, build, bytes, stack, suspect;
	bool foreign; /* the module is none of Microsoft's */
	bool graded[DT_grade_COUNT];
};

/* In single quotes, so that nothing in a name is YAML. */
static void put_quoted(struct dt_buf *out, const char *text)
{
	dt_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			dt_buf_putc(out, '\'');
		dt_buf_putc(out, *text);
	}
	dt_buf_putc(out, '\'');
}

/* As a value of a test, where *, ? and \ mean something else. */
static void put_literal(struct dt_buf *out, const char *text)
{
	dt_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			dt_buf_putc(out, '\'');
		if (strchr("*?\\", *text))
			dt_buf_putc(out, '\\');
		dt_buf_putc(out, *text);
	}
	dt_buf_putc(out, '\'');
}

static const struct dt_module *find_module(const struct dt_facts *facts, const char *name)
{
	for (size_t i = 0; name && i < facts->modules_count; i++)
		if (facts->modules[i].name && !strcmp(facts->modules[i].name, name))
			return &facts->modules[i];
	return NULL;
}

static bool is_foreign(const char *module)
{
	return module && !dt_image_is_microsoft(module, true) && !dt_image_is_carrier(module, true);
}

/* ---- selections ------------------------------------------------------- */

static void put_code(struct draft *d)
{
	const struct dt_bugcheck *bugcheck = d->facts->bugcheck;
	struct dt_opt code = bugcheck ? bugcheck->code : d->facts->exception.code;

	if (!code.known)
		return;
	d->code = true;
	dt_buf_printf(d->out, "  code:\n    title: the %s\n    %s: ", bugcheck ? "stop code" : "exception", bugcheck ? "bugcheck.code" : "exception.code");
	dt_buf_hex(d->out, code.value);
	dt_buf_printf(d->out, "%s%s\n\n", bugcheck && bugcheck->name ? " # " : "", bugcheck && bugcheck->name ? bugcheck->name : "");
	dt_buf_printf(&d->record, "      %s: ", bugcheck ? "bugcheck.code" : "exception.code");
	dt_buf_hex(&d->record, code.value);
	dt_buf_putc(&d->record, '\n');
}

/* A small first parameter is a sub-code more often than an address. */
static void put_sub_code(struct draft *d)
{
	const struct dt_bugcheck *bugcheck = d->facts->bugcheck;

	if (!bugcheck || bugcheck->parameters_count != 4 || d->facts->fault.module || bugcheck->parameters[0] > MAX_SUB_CODE)
		return;
	d->sub_code = true;
	dt_buf_puts(d->out, "  sub_code:\n    title: the first parameter\n    bugcheck.parameters.0: ");
	dt_buf_hex(d->out, bugcheck->parameters[0]);
	dt_buf_puts(d->out, "\n\n");
	dt_buf_puts(&d->record, "      bugcheck.parameters.0: ");
	dt_buf_hex(&d->record, bugcheck->parameters[0]);
	dt_buf_putc(&d->record, '\n');
}

static void put_place(struct draft *d)
{
	const struct dt_fault *fault = &d->facts->fault;

	if (!fault->module)
		return;
	d->place = true;
	d->foreign = is_foreign(fault->module);
	dt_buf_puts(d->out, "  module:\n    title: the faulting instruction lies in this module\n    fault.module: ");
	put_literal(d->out, fault->module);
	dt_buf_puts(d->out, "\n\n");
	dt_buf_puts(&d->record, "      fault.module: ");
	put_quoted(&d->record, fault->module);
	dt_buf_putc(&d->record, '\n');
	if (!fault->offset.known)
		return;
	d->offset = true;
	dt_buf_puts(d->out, "  offset:\n    title: at this offset\n    fault.offset: ");
	dt_buf_hex(d->out, fault->offset.value);
	dt_buf_puts(d->out, "\n\n");
	dt_buf_puts(&d->record, "      fault.offset: ");
	dt_buf_hex(&d->record, fault->offset.value);
	dt_buf_putc(&d->record, '\n');
}

/* An offset means something for one build only. */
static void put_build(struct draft *d)
{
	const struct dt_module *m = d->module;

	if (!m || !m->timestamp.known || !m->size.known)
		return;
	d->build = true;
	dt_buf_puts(d->out, "  build:\n    title: this build of it is loaded; use version|between for a range\n    modules|any:\n      name: ");
	put_literal(d->out, m->name);
	dt_buf_puts(d->out, "\n      timestamp: ");
	dt_buf_hex(d->out, m->timestamp.value);
	dt_buf_puts(d->out, "\n      size: ");
	dt_buf_hex(d->out, m->size.value);
	dt_buf_puts(d->out, "\n\n");
	dt_buf_puts(&d->record, "      modules: [{name: ");
	put_quoted(&d->record, m->name);
	dt_buf_puts(&d->record, ", timestamp: ");
	dt_buf_hex(&d->record, m->timestamp.value);
	dt_buf_puts(&d->record, ", size: ");
	dt_buf_hex(&d->record, m->size.value);
	dt_buf_puts(&d->record, "}]\n");
}

/* The code around the instruction, as much of it as the dump has. */
static void put_bytes(struct draft *d)
{
	const struct dt_fault *fault = &d->facts->fault;
	struct dt_bytes part;
	uint64_t at, before, behind;

	if (!fault->code || !fault->code->start.known || !fault->ip.known || fault->ip.value < fault->code->start.value)
		return;
	at = fault->ip.value - fault->code->start.value;
	if (at >= fault->code->hex.len)
		return;
	before = at < BEFORE ? at : BEFORE;
	behind = fault->code->hex.len - at < BEHIND ? fault->code->hex.len - at : BEHIND;
	if (before + behind < 12 || !dt_bytes_sub(fault->code->hex, at - before, (size_t)(before + behind), &part))
		return;
	d->bytes = true;
	dt_buf_puts(d->out, "  bytes:\n    title: the code around the instruction; put ?? where it holds addresses or offsets\n    fault.code|bytes|at=ip");
	if (before)
		dt_buf_printf(d->out, "-%llu", (unsigned long long)before);
	dt_buf_puts(d->out, ": ");
	dt_buf_hexbytes(d->out, part);
	dt_buf_puts(d->out, "\n\n");
	dt_buf_puts(&d->record, "      fault.ip: ");
	dt_buf_hex(&d->record, fault->ip.value);
	dt_buf_puts(&d->record, "\n      fault.code: {start: ");
	dt_buf_hex(&d->record, fault->ip.value - before);
	dt_buf_puts(&d->record, ", hex: ");
	dt_buf_hexbytes(&d->record, part);
	dt_buf_puts(&d->record, "}\n");
}

static void put_stack(struct draft *d)
{
	for (size_t i = 0; i < d->facts->stack_count && i < FRAMES; i++) {
		const struct dt_frame *frame = &d->facts->stack[i];
		if (!is_foreign(frame->module) || (d->facts->fault.module && !strcmp(frame->module, d->facts->fault.module)))
			continue;
		d->stack = true;
		dt_buf_printf(d->out, "  stack:\n    title: a driver that is near on the stack\n    stack|first=%d:\n      module: ", FRAMES);
		put_literal(d->out, frame->module);
		dt_buf_puts(d->out, "\n\n");
		dt_buf_puts(&d->record, "      stack: [{module: ");
		put_quoted(&d->record, frame->module);
		dt_buf_puts(&d->record, "}]\n");
		return;
	}
}

static void put_suspect(struct draft *d)
{
	for (size_t i = 0; i < d->facts->suspects_count; i++) {
		const struct dt_suspect *suspect = &d->facts->suspects[i];
		if (!is_foreign(suspect->module))
			continue;
		d->suspect = true;
		dt_buf_puts(d->out, "  suspect:\n    title: a driver that the dump itself names\n    suspects|any:\n      module: ");
		put_literal(d->out, suspect->module);
		dt_buf_puts(d->out, "\n\n");
		dt_buf_puts(&d->record, "      suspects: [{module: ");
		put_quoted(&d->record, suspect->module);
		dt_buf_puts(&d->record, "}]\n");
		return;
	}
}

/* ---- grades ----------------------------------------------------------- */

static void put_names(struct dt_buf *out, const bool *use, const char *const *names, size_t count)
{
	const char *and = "";

	for (size_t i = 0; i < count; i++)
		if (use[i]) {
			dt_buf_printf(out, "%s%s", and, names[i]);
			and = " and ";
		}
}

enum { CODE, SUB_CODE, PLACE, OFFSET, BUILD, BYTES, STACK, SUSPECT, NAMES };

/* A place is confirmed by its code, and probable by its offset in one build; a name and a code alone are possible, and not even that where
 * the name is one of Windows' own. Gives the best grade that this crash has. */
static enum dt_grade put_grades(struct draft *d)
{
	static const char *const names[NAMES] = { "code", "sub_code", "module", "offset", "build", "bytes", "stack", "suspect" };
	bool named = (d->place && d->foreign) || d->stack || d->suspect;
	bool confirmed[NAMES] = { [CODE] = d->code, [PLACE] = d->place, [BYTES] = d->bytes, [STACK] = d->stack, [SUSPECT] = d->suspect };
	bool probable[NAMES] = { [CODE] = d->code, [PLACE] = d->place, [OFFSET] = d->offset, [BUILD] = d->build, [STACK] = d->stack };
	bool possible[NAMES] = { [CODE] = d->code, [SUB_CODE] = d->sub_code, [PLACE] = d->place, [STACK] = d->stack, [SUSPECT] = d->suspect };
	bool exact = d->code && d->offset && d->build;
	enum dt_grade best = DT_GRADE_POSSIBLE;

	dt_buf_puts(d->out, "  grades:\n");
	if (d->code && d->bytes) {
		dt_buf_puts(d->out, "    confirmed: ");
		put_names(d->out, confirmed, names, NAMES);
		d->graded[best = DT_GRADE_CONFIRMED] = true;
	}
	if (exact) {
		dt_buf_printf(d->out, "%s    probable: ", best == DT_GRADE_CONFIRMED ? "\n" : "");
		put_names(d->out, probable, names, NAMES);
		best = best == DT_GRADE_CONFIRMED ? best : DT_GRADE_PROBABLE;
		d->graded[DT_GRADE_PROBABLE] = true;
	}
	if (named || best == DT_GRADE_POSSIBLE) {
		dt_buf_printf(d->out, "%s    possible: ", best > DT_GRADE_POSSIBLE ? "\n" : "");
		put_names(d->out, possible, names, NAMES);
		d->graded[DT_GRADE_POSSIBLE] = true;
	}
	dt_buf_putc(d->out, '\n');
	return best;
}

static void put_head(struct draft *d, const char *id)
{
	char today[DT_TIME_TEXT_MAX] = "2025-01-01";

	if (d->facts->dump.time)
		(void)dt_time_format(d->facts->dump.time, today);
	dt_buf_printf(d->out, "id: %s\ntitle: Give it a name that a helpdesk understands\nversion: \"0.1\"\nstatus: experimental\ndate: %.10s\n", id, today);
	dt_buf_printf(d->out, "level: high\ncategory: driver\nclass: %s\ndescription: >\n  A draft from one dump. Take out what is chance, and say what happens and why.\n"
	              "references:\n  - https://example.org/where-this-comes-from\n\ndetection:\n",
	              d->facts->dump.format == DT_FORMAT_USER ? "application" : is_foreign(d->facts->fault.module) ? "driver" : "known-incident");
}

static void put_tests(struct draft *d, enum dt_grade best)
{
	const char *code = d->facts->bugcheck ? "bugcheck.code" : "exception.code";

	dt_buf_puts(d->out, "\nnext_steps:\n  - Say what to do, one step an entry.\n\ntests:\n  - name: the dump that this was made from\n    record:\n");
	dt_buf_append(d->out, dt_buf_text(&d->record), d->record.len);
	dt_buf_printf(d->out, "    grade: %s\n", dt_word(&dt_words_grade, best));
	if (best > DT_GRADE_PROBABLE && d->graded[DT_GRADE_PROBABLE])
		dt_buf_puts(d->out, "  - name: a dump without the code\n    change: {fault.code: null}\n    grade: probable\n");
	if (best > DT_GRADE_POSSIBLE && d->graded[DT_GRADE_POSSIBLE])
		dt_buf_puts(d->out, "  - name: and without the place\n    change: {fault.code: null, fault.offset: null}\n    grade: possible\n");
	dt_buf_printf(d->out, "  - name: another stop code\n    change: {%s: 0xdeadbeef}\n    grade: none\n", code);
}

bool dt_rule_draft(const struct dt_facts *facts, const char *id, struct dt_buf *out)
{
	struct draft d = { .facts = facts, .out = out };

	dt_buf_init(&d.record, 64u << 10);
	d.module = find_module(facts, facts->fault.module);
	put_head(&d, id);
	put_code(&d);
	if (!d.code) {
		dt_buf_deinit(&d.record);
		return false;
	}
	put_sub_code(&d);
	put_place(&d);
	put_build(&d);
	put_bytes(&d);
	put_stack(&d);
	put_suspect(&d);
	put_tests(&d, put_grades(&d));
	bool ok = dt_buf_ok(&d.record) && dt_buf_ok(out);
	dt_buf_deinit(&d.record);
	return ok;
}

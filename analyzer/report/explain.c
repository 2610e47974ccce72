#include "report/explain.h"

#include <string.h>

#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"
#include "core/tables/machines.h"
#include "report/page.h"

enum {
	MAX_READINGS = 256,
	MAX_IN_FULL = 8, /* readings that are printed with all their parameters */
	MAX_PARAMETER = 4096,
};

/* What is asked, and what is known with it. */
struct question {
	struct dt_page *page;
	uint32_t code; /* without the minidump writer's flag */
	const uint64_t *parameters;
	size_t count;
	enum dt_machine machine;
	uint32_t build;
};

static const char *const labels[4] = { "Parameter 1", "Parameter 2", "Parameter 3", "Parameter 4" };

/* ---- one parameter ----------------------------------------------------- */

/* Where an address lies says much by itself. */
static const char *address_words(uint64_t value, enum dt_machine machine)
{
	if (value < 0x1000)
		return "almost NULL";
	if (machine == DT_MACHINE_X86 || value <= UINT32_MAX)
		return NULL;
	if (value == UINT64_MAX)
		return "the processor told no address";
	if (!dt_address_is_canonical(DT_MACHINE_X64, value) && machine != DT_MACHINE_ARM64)
		return "no valid x64 address: its high bits are neither all 0 nor all 1";
	return dt_address_is_kernel(DT_MACHINE_X64, value) ? "kernel memory" : "user memory";
}

/* The exception information is {access, address} for some exceptions, and only then it can be read. */
static bool is_access_information(const struct question *q, const struct dt_reading *reading, enum dt_role role)
{
	int code = dt_reading_role(reading, DT_ROLE_EXCEPTION_CODE);

	return (role == DT_ROLE_EXCEPTION_INFO0 || role == DT_ROLE_EXCEPTION_INFO1) && code >= 0 && (size_t)code < q->count &&
	       dt_exception_has_access(q->parameters[code]);
}

static void put_information(const struct question *q, enum dt_role role, uint64_t value, struct dt_buf *out)
{
	static const struct dt_reading access = {
		.parameters = { { DT_ROLE_ACCESS_RW, "access" }, { DT_ROLE_ADDRESS, "address that was accessed" } },
	};

	dt_parameter_print(&access, role == DT_ROLE_EXCEPTION_INFO1, value, q->machine, q->build, out);
}

static void put_parameter(const struct question *q, const struct dt_reading *reading, size_t index, struct dt_buf *out)
{
	enum dt_role role = reading->parameters[index].role;
	uint64_t value = q->parameters[index];
	bool information = is_access_information(q, reading, role);
	bool is_address = role == DT_ROLE_ADDRESS || role == DT_ROLE_IP || (information && role == DT_ROLE_EXCEPTION_INFO1);

	dt_buf_hex(out, value);
	dt_buf_puts(out, "  ");
	if (information)
		put_information(q, role, value, out);
	else
		dt_parameter_print(reading, index, value, q->machine, q->build, out);
	const char *where = is_address ? address_words(value, q->machine) : NULL;
	if (where)
		dt_buf_printf(out, " (%s)", where);
}

static void parameter_row(const struct question *q, const struct dt_reading *reading, size_t index)
{
	struct dt_buf text;

	dt_buf_init(&text, MAX_PARAMETER);
	if (index < q->count)
		put_parameter(q, reading, index, &text);
	else if (q->count)
		dt_buf_printf(&text, "not given; it would be: %s", reading->parameters[index].text);
	else
		dt_buf_puts(&text, reading->parameters[index].text);
	if (index < q->count || reading->parameters[index].role != DT_ROLE_RESERVED)
		dt_page_row(q->page, labels[index], dt_buf_text(&text));
	dt_buf_deinit(&text);
}

/* ---- one reading ------------------------------------------------------- */

static const char *const class_words[] = {
	[DT_CODE_HARDWARE] = "the machine itself reported a hardware error",
	[DT_CODE_REQUESTED] = "somebody asked for this crash",
	[DT_CODE_RECOVERED] = "a report: Windows went on",
	[DT_CODE_CORRUPTION] = "memory was found corrupt",
	[DT_CODE_ONE_BIT] = "memory was found corrupt; a single wrong bit is what bad memory makes",
};

static const char *const blame_words[] = {
	[DT_BLAME_NOBODY] = "the stack does not show who is at fault",
	[DT_BLAME_ROLE] = "a parameter names what is responsible; the stack does not",
	[DT_BLAME_HEAP] = "found late: who is on the stack may be the victim",
};

static void compare_row(const struct question *q, const struct dt_reading *reading)
{
	int expected = dt_reading_role(reading, DT_ROLE_EXPECTED), actual = dt_reading_role(reading, DT_ROLE_ACTUAL);

	if (expected < 0 || actual < 0 || (size_t)expected >= q->count || (size_t)actual >= q->count)
		return;
	uint64_t differ = q->parameters[expected] ^ q->parameters[actual];
	if (differ && !(differ & (differ - 1)))
		dt_page_rowf(q->page, "Compared", "parameters %d and %d differ in a single bit, bit %u", expected + 1, actual + 1,
		             (unsigned)__builtin_ctzll(differ));
	else
		dt_page_rowf(q->page, "Compared", "parameters %d and %d do not differ in just one bit", expected + 1, actual + 1);
}

/* Where the parameter that chose the reading is given and its value has no name of its own, its line says the title. */
static bool is_said(const struct question *q, const struct dt_reading *reading)
{
	struct dt_buf text;
	unsigned chooser = reading->when.parameter;

	if (!reading->title || chooser == 0 || chooser > q->count)
		return false;
	dt_buf_init(&text, MAX_PARAMETER);
	put_parameter(q, reading, chooser - 1, &text);
	bool said = strstr(dt_buf_text(&text), reading->title) != NULL;
	dt_buf_deinit(&text);
	return said;
}

static void reading_rows(const struct question *q, const struct dt_reading *reading)
{
	if (!is_said(q, reading))
		dt_page_row(q->page, "It says", reading->title);
	for (size_t i = 0; i < 4; i++)
		parameter_row(q, reading, i);
	compare_row(q, reading);
	if ((size_t)reading->class < sizeof(class_words) / sizeof(class_words[0]))
		dt_page_row(q->page, "Kind", class_words[reading->class]);
	if ((size_t)reading->blame < sizeof(blame_words) / sizeof(blame_words[0]))
		dt_page_row(q->page, "Blame", blame_words[reading->blame]);
}

/* ---- all that can be meant --------------------------------------------- */

static void when_row(const struct question *q, const struct dt_reading *reading, const char *otherwise)
{
	struct dt_buf when;

	dt_buf_init(&when, MAX_PARAMETER);
	dt_when_print(&reading->when, &when);
	dt_page_row(q->page, "When", when.len ? dt_buf_text(&when) : otherwise);
	dt_buf_deinit(&when);
}

/* Rows that can be the right one with what is known: all that do not fail, up to the first that holds. */
static size_t possible(const struct question *q, const struct dt_reading *out[MAX_READINGS])
{
	const struct dt_reading *rows[MAX_READINGS];
	size_t known = dt_bugcheck_readings(q->code, rows, MAX_READINGS), count = 0;

	for (size_t i = 0; i < known; i++) {
		int holds = dt_when_check(&rows[i]->when, q->parameters, q->count, q->machine, q->build);
		if (holds)
			out[count++] = rows[i];
		if (holds == 1)
			break;
	}
	return count;
}

static void in_full(const struct question *q, const struct dt_reading *const *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (count > 1) {
			dt_buf_putc(q->page->out, '\n');
			when_row(q, readings[i], "in all other cases");
		}
		reading_rows(q, readings[i]);
	}
}

/* Codes with many sub-codes: what there is, one line each. */
static void in_short(const struct question *q, const struct dt_reading *const *readings, size_t count)
{
	dt_page_rowf(q->page, "Readings", "%zu, by what is not given:", count);
	for (size_t i = 0; i < count; i++) {
		struct dt_buf line;

		dt_buf_init(&line, MAX_PARAMETER);
		dt_when_print(&readings[i]->when, &line);
		if (!line.len)
			dt_buf_puts(&line, "in all other cases");
		dt_buf_printf(&line, ": %s", readings[i]->title ? readings[i]->title : "depends on the value");
		dt_page_row(q->page, "", dt_buf_text(&line));
		dt_buf_deinit(&line);
	}
}

/* A code that no list names can still be told apart by its range: the two high bits of an NTSTATUS are its severity. */
static void unnamed_row(const struct question *q)
{
	const char *status = q->code >> 30 ? dt_ntstatus_name(q->code) : NULL;

	if (status)
		dt_page_rowf(q->page, "Meaning", "no stop code of that number is documented; as an NTSTATUS it is %s", status);
	else if (q->code >= 0xa0000000u)
		dt_page_row(q->page, "Meaning", "in no public list; codes from 0xa0000000 on are mostly a driver's own, and the "
		                                "driver that stopped the machine is the caller of KeBugCheckEx");
	else
		dt_page_row(q->page, "Meaning", "in no public list");
}

static void undescribed(const struct question *q)
{
	for (size_t i = 0; i < q->count; i++)
		dt_page_rowf(q->page, labels[i], "0x%llx  what it means is not in our tables", (unsigned long long)q->parameters[i]);
}

static void answer(const struct question *q)
{
	const struct dt_reading *readings[MAX_READINGS];
	size_t count = possible(q, readings);

	if (count == 0)
		undescribed(q);
	else if (count <= MAX_IN_FULL)
		in_full(q, readings, count);
	else
		in_short(q, readings, count);
	if (count)
		dt_page_row(q->page, "Source", readings[0]->source);
}

void dt_explain_write(uint32_t given, const uint64_t *parameters, size_t count, enum dt_machine machine, uint32_t build,
                      struct dt_buf *out)
{
	const struct dt_report_style style = { 0 };
	struct dt_page page;
	bool flag;
	struct question q = { &page, dt_bugcheck_unflag(given, &flag), parameters, count < 4 ? count : 4, machine, build };
	const char *name = dt_bugcheck_name(q.code);

	dt_page_init(&page, &style, out);
	dt_buf_printf(out, "0x%x %s\n\n", q.code, name ? name : "(no documented name)");
	if (flag)
		dt_page_rowf(&page, "Flag", "0x%x is 0x%x with the mark of the minidump's writer: same meaning, same parameters",
		             given, q.code);
	if (name)
		dt_page_row(&page, "Meaning", dt_bugcheck_hint(q.code));
	else
		unnamed_row(&q);
	answer(&q);
}

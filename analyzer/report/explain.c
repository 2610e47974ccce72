#include "report/explain.h"

#include <stdio.h>
#include <string.h>

#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"
#include "core/tables/machines.h"
#include "report/page.h"

enum { MAX_READINGS = 64 };

/* A code that no list names can still be told apart by its range. */
static void unknown_code(struct dt_page *page, uint32_t code)
{
	const char *status = dt_ntstatus_name(code);

	if (status)
		dt_page_rowf(page, "Meaning", "no stop code of that number is documented; as an NTSTATUS it is %s", status);
	else if (code >= 0xa0000000u)
		dt_page_row(page, "Meaning", "in no public list; codes from 0xa0000000 on are mostly a driver's own, and the "
		                             "driver that stopped the machine is the caller of KeBugCheckEx");
	else
		dt_page_row(page, "Meaning", "in no public list");
}

/* Where an address lies says much by itself. */
static const char *address_words(enum dt_role role, uint64_t value, enum dt_machine machine)
{
	if (role != DT_ROLE_ADDRESS && role != DT_ROLE_IP)
		return NULL;
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

static void parameter(struct dt_page *page, const struct dt_reading *reading, size_t index, uint64_t value,
                      enum dt_machine machine, uint32_t build)
{
	struct dt_buf text;
	char label[32];

	snprintf(label, sizeof(label), "Parameter %zu", index + 1);
	dt_buf_init(&text, 4096);
	dt_buf_hex(&text, value);
	dt_buf_puts(&text, "  ");
	dt_parameter_print(reading, index, value, machine, build, &text);
	const char *where = address_words(reading->parameters[index].role, value, machine);
	if (where)
		dt_buf_printf(&text, " (%s)", where);
	dt_page_row(page, label, dt_buf_text(&text));
	dt_buf_deinit(&text);
}

static void known_reading(struct dt_page *page, const struct dt_reading *reading, const uint64_t *parameters, size_t count,
                          enum dt_machine machine, uint32_t build)
{
	if (reading->title)
		dt_page_row(page, "Here", reading->title);
	for (size_t i = 0; i < count; i++)
		parameter(page, reading, i, parameters[i], machine, build);
	for (size_t i = count; i < 4 && reading->parameters[i].role != DT_ROLE_RESERVED; i++) {
		char label[32];
		snprintf(label, sizeof(label), "Parameter %zu", i + 1);
		dt_page_rowf(page, label, "not given; it would be: %s", reading->parameters[i].text);
	}
}

/* Without parameters: every reading with its condition. */
static void all_readings(struct dt_page *page, const struct dt_reading *const *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dt_buf when;
		dt_buf_init(&when, 256);
		dt_when_print(&readings[i]->when, &when);
		dt_buf_putc(page->out, '\n');
		dt_page_row(page, "When", when.len ? dt_buf_text(&when) : count > 1 ? "in all other cases" : "");
		dt_page_row(page, "It says", readings[i]->title);
		for (size_t p = 0; p < 4; p++) {
			char label[32];
			snprintf(label, sizeof(label), "Parameter %zu", p + 1);
			dt_page_row(page, label, readings[i]->parameters[p].text);
		}
		dt_buf_deinit(&when);
	}
}

void dt_explain_write(uint32_t given, const uint64_t *parameters, size_t count, enum dt_machine machine, uint32_t build,
                      struct dt_buf *out)
{
	const struct dt_report_style style = { 0 };
	const struct dt_reading *readings[MAX_READINGS];
	struct dt_page page;
	bool flag;
	uint32_t code = dt_bugcheck_unflag(given, &flag);
	const char *name = dt_bugcheck_name(code);
	size_t known = dt_bugcheck_readings(code, readings, MAX_READINGS);
	uint64_t all[4] = { 0 };

	dt_page_init(&page, &style, out);
	dt_buf_printf(out, "0x%x %s\n\n", code, name ? name : "(no documented name)");
	if (flag)
		dt_page_rowf(&page, "Flag", "0x%x is 0x%x with the mark of the minidump's writer: same meaning, same parameters", given, code);
	dt_page_row(&page, "Meaning", dt_bugcheck_hint(code));
	if (!name)
		unknown_code(&page, code);
	for (size_t i = 0; i < count && i < 4; i++)
		all[i] = parameters[i];
	const struct dt_reading *reading = count ? dt_bugcheck_reading(code, all, machine, build) : NULL;
	if (reading)
		known_reading(&page, reading, parameters, count, machine, build);
	else if (known)
		all_readings(&page, readings, known);
	else
		for (size_t i = 0; i < count; i++)
			dt_page_rowf(&page, "Parameter", "0x%llx: what it means is not in our tables", (unsigned long long)parameters[i]);
}

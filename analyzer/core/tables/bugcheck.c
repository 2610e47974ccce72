#include "core/tables/bugcheck.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/tables/codes.h"

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct name_row {
	uint32_t code;
	const char *name;
};

struct value_row {
	uint32_t code;
	unsigned parameter;
	uint64_t low, high;
	const char *words;
};

static const struct name_row names[] = {
#define DT_BUGCHECK_NAME(code, name) { code, name },
#include "core/tables/bugcheck_names.def"
};

static const struct name_row hints[] = {
#define DT_HINT(code, words) { code, words },
#include "core/tables/bugcheck_hints.def"
};

static const struct value_row values[] = {
#define DT_VALUE_NAME(code, parameter, low, high, words) { code, parameter, low, high, words },
#include "core/tables/bugcheck_values.def"
};

#define ALWAYS { 0, 0, 0, 0, 0, 0 }
#define P1(n) { 1, n, n, 0, 0, 0 }
#define P1_IN(low, high) { 1, low, high, 0, 0, 0 }
#define SOURCE "Windows driver documentation, bug check code reference"
static const struct dt_reading readings[] = {
#define DT_READING(code, when, title, r1, t1, r2, t2, r3, t3, r4, t4, blame, class)                               \
	{ code, when, title, { { DT_ROLE_##r1, t1 }, { DT_ROLE_##r2, t2 }, { DT_ROLE_##r3, t3 }, { DT_ROLE_##r4, t4 } }, \
	  DT_BLAME_##blame, DT_CODE_##class, SOURCE },
#include "core/tables/bugchecks.def"
};

static const char *name_of(const struct name_row *rows, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return rows[i].name;
	return NULL;
}

const char *dt_bugcheck_name(uint32_t code)
{
	return name_of(names, ROW_COUNT(names), code);
}

const char *dt_bugcheck_hint(uint32_t code)
{
	return name_of(hints, ROW_COUNT(hints), code);
}

bool dt_bugcheck_code(const char *name, uint32_t *code)
{
	for (size_t i = 0; i < ROW_COUNT(names); i++)
		if (!strcasecmp(names[i].name, name)) {
			*code = names[i].code;
			return true;
		}
	return false;
}

static bool holds(const struct dt_when *when, const uint64_t parameters[4], enum dt_machine machine, uint32_t build)
{
	if (when->parameter) {
		if (!parameters)
			return false;
		uint32_t value = (uint32_t)parameters[when->parameter - 1];
		if (value < when->low || value > when->high)
			return false;
	}
	if (when->machines && !(when->machines >> machine & 1))
		return false;
	if ((when->build_low || when->build_high) && build == 0)
		return false;
	return build >= when->build_low && (when->build_high == 0 || build <= when->build_high);
}

const struct dt_reading *dt_bugcheck_reading(uint32_t code, const uint64_t parameters[4], enum dt_machine machine,
                                             uint32_t build)
{
	for (size_t i = 0; i < ROW_COUNT(readings); i++)
		if (readings[i].code == code && holds(&readings[i].when, parameters, machine, build))
			return &readings[i];
	return NULL;
}

size_t dt_bugcheck_readings(uint32_t code, const struct dt_reading *out[], size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < ROW_COUNT(readings) && count < max; i++)
		if (readings[i].code == code)
			out[count++] = &readings[i];
	return count;
}

int dt_reading_role(const struct dt_reading *reading, enum dt_role role)
{
	for (int i = 0; i < 4; i++)
		if (reading->parameters[i].role == role)
			return i;
	return -1;
}

void dt_when_print(const struct dt_when *when, struct dt_buf *out)
{
	if (when->parameter && when->low == when->high)
		dt_buf_printf(out, "parameter %u is 0x%llx", when->parameter, (unsigned long long)when->low);
	else if (when->parameter)
		dt_buf_printf(out, "parameter %u is 0x%llx to 0x%llx", when->parameter, (unsigned long long)when->low,
		              (unsigned long long)when->high);
}

/* From Windows 10 build 10586 on, x64 and x86 report a write as 2 and an execution as 0x10; before, and on ARM64, 1
 * and 8. Bits beside them are the page's own. */
static enum dt_access access_new(uint64_t value)
{
	if (value & 0x10)
		return DT_ACCESS_EXECUTE;
	if (value & 2)
		return DT_ACCESS_WRITE;
	return value == 0 ? DT_ACCESS_READ : DT_access_NULL;
}

static enum dt_access access_old(uint64_t value)
{
	if (value & 8)
		return DT_ACCESS_EXECUTE;
	if (value & 1)
		return DT_ACCESS_WRITE;
	return value == 0 ? DT_ACCESS_READ : DT_access_NULL;
}

static enum dt_access access_page_fault(uint64_t value, enum dt_machine machine, uint32_t build)
{
	bool may_be_new = machine != DT_MACHINE_ARM64 && (build == 0 || build >= 10586);
	bool may_be_old = machine == DT_MACHINE_ARM64 || machine == DT_machine_NULL || build == 0 || build < 10586;

	if (may_be_new && may_be_old) {
		/* Which of the two is open: 2 and 0x10 exist only in the new form, 1 and 8 may mean something else there. */
		if (value == 2 || (value & 0x10))
			return access_new(value);
		return access_new(value) == access_old(value) ? access_new(value) : DT_access_NULL;
	}
	return may_be_new ? access_new(value) : access_old(value);
}

enum dt_access dt_role_access(enum dt_role role, uint64_t value, enum dt_machine machine, uint32_t build)
{
	uint64_t low = value & UINT32_MAX;

	switch (role) {
	case DT_ROLE_ACCESS_PF:
		return access_page_fault(low, machine, build);
	case DT_ROLE_ACCESS_IRQL:
		if (low & 8)
			return DT_ACCESS_EXECUTE;
		if (low == 2)
			return DT_ACCESS_EXECUTE;
		return low & 1 ? DT_ACCESS_WRITE : low == 0 ? DT_ACCESS_READ : DT_access_NULL;
	case DT_ROLE_ACCESS_RW:
		return low == 0 ? DT_ACCESS_READ : low == 1 ? DT_ACCESS_WRITE : low == 8 ? DT_ACCESS_EXECUTE : DT_access_NULL;
	default:
		return DT_access_NULL;
	}
}

static const char *value_name(uint32_t code, size_t index, uint64_t value)
{
	for (size_t i = 0; i < ROW_COUNT(values); i++)
		if (values[i].code == code && values[i].parameter == index + 1 && value >= values[i].low && value <= values[i].high)
			return values[i].words;
	return NULL;
}

static const char *access_words(enum dt_access access)
{
	static const char *const words[] = { NULL, "read", "write", "execute" };

	return words[access];
}

static void print_access(enum dt_role role, uint64_t value, enum dt_machine machine, uint32_t build, struct dt_buf *out)
{
	const char *known = access_words(dt_role_access(role, value, machine, build));

	if (known) {
		dt_buf_printf(out, ": %s", known);
		return;
	}
	if (role != DT_ROLE_ACCESS_PF || (machine && build)) {
		dt_buf_puts(out, ": the value does not say which");
		return;
	}
	const char *new_words = access_words(access_new(value)), *old_words = access_words(access_old(value));
	dt_buf_printf(out, ": %s on x64 and x86 from build 10586; %s on ARM64 and older builds",
	              new_words ? new_words : "undecided", old_words ? old_words : "undecided");
}

void dt_parameter_print(const struct dt_reading *reading, size_t index, uint64_t value, enum dt_machine machine,
                        uint32_t build, struct dt_buf *out)
{
	const struct dt_parameter *parameter = &reading->parameters[index];
	const char *name = value_name(reading->code, index, value & UINT32_MAX);

	dt_buf_puts(out, parameter->text);
	if (!name && parameter->role == DT_ROLE_EXCEPTION_CODE)
		name = dt_exception_name(value);
	if (!name && parameter->role == DT_ROLE_NTSTATUS && value)
		name = dt_ntstatus_name(value);
	if (!name && parameter->role == DT_ROLE_FAST_FAIL)
		name = dt_fast_fail_name(value);
	if (!name && parameter->role == DT_ROLE_SUBCODE && reading->title && reading->when.parameter == index + 1)
		name = reading->title;
	if (name)
		dt_buf_printf(out, ": %s", name);
	else if (parameter->role == DT_ROLE_ACCESS_PF || parameter->role == DT_ROLE_ACCESS_IRQL || parameter->role == DT_ROLE_ACCESS_RW)
		print_access(parameter->role, value, machine, build, out);
}

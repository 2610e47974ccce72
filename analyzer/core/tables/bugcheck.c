#include "core/tables/bugcheck.h"

#include "core/base/text.h"

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct name_row {
	uint32_t code;
	const char *name;
};

static const struct name_row names[] = {
#define DT_BUGCHECK_NAME(code, name) { code, name },
#define DT_BUGCHECK_ALIAS(code, name)
#include "core/tables/bugcheck_names.def"
};

static const struct name_row aliases[] = {
#define DT_BUGCHECK_NAME(code, name)
#define DT_BUGCHECK_ALIAS(code, name) { code, name },
#include "core/tables/bugcheck_names.def"
};

static const struct name_row hints[] = {
#define DT_HINT(code, words) { code, words },
#include "core/tables/bugcheck_hints.def"
};

#define X86 DT_MACHINE_X86
#define X64 DT_MACHINE_X64
#define ALWAYS { 0 }
#define P_IN(n, from, to) { .parameter = (n), .low = (from), .high = (to) }
#define P1(value) P_IN(1, value, value)
#define P2(value) P_IN(2, value, value)
#define P4(value) P_IN(4, value, value)
#define P1_IN(from, to) P_IN(1, from, to)
#define P4_IN(from, to) P_IN(4, from, to)
#define P1_ON(value, machine) { .parameter = 1, .low = (value), .high = (value), .machines = 1u << (machine) }
#define P1_ZERO3(from, to) { .parameter = 1, .low = (from), .high = (to), .zero = 1 << 2 }
#define P1_NONZERO3(from, to) { .parameter = 1, .low = (from), .high = (to), .nonzero = 1 << 2 }
#define ZERO34 { .zero = 1 << 2 | 1 << 3 }
#define SOURCE  "Windows driver documentation, Bug Check "

#define BY_NAME "the name alone: no page describes "
#define UNTOLD  "not documented"

static const struct dt_reading readings[] = {
#define DT_READING(code, when, title, r1, t1, r2, t2, r3, t3, r4, t4, blame, class)                                        \
	{ code, when, title, { { DT_ROLE_##r1, t1 }, { DT_ROLE_##r2, t2 }, { DT_ROLE_##r3, t3 }, { DT_ROLE_##r4, t4 } }, \
	  DT_BLAME_##blame, DT_CODE_##class, SOURCE #code },
#define DT_NAMED(code, class) \
	{ code, ALWAYS, NULL, { { DT_ROLE_NONE, UNTOLD }, { DT_ROLE_NONE, UNTOLD }, { DT_ROLE_NONE, UNTOLD }, { DT_ROLE_NONE, UNTOLD } }, DT_BLAME_NOBODY, DT_CODE_##class, BY_NAME #code },
#include "core/tables/bugchecks.def"
};

static const char *name_of(const struct name_row *rows, size_t count, uint32_t code)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		if (rows[middle].code == code)
			return rows[middle].name;
		if (rows[middle].code < code)
			low = middle + 1;
		else
			count = middle;
	}
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

static const struct name_row *row_of(const struct name_row *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (dt_text_equal_fold(rows[i].name, name))
			return &rows[i];
	return NULL;
}

bool dt_bugcheck_code(const char *name, uint32_t *code)
{
	const struct name_row *row = row_of(names, ROW_COUNT(names), name);

	if (!row)
		row = row_of(aliases, ROW_COUNT(aliases), name);
	if (row)
		*code = row->code;
	return row != NULL;
}

/* ---- conditions: each answers 1 yes, 0 no, -1 not known ---------------- */

static int check_parameter(const struct dt_when *when, const uint64_t *parameters, size_t count)
{
	if (!when->parameter)
		return 1;
	if (when->parameter > count)
		return -1;
	uint32_t value = (uint32_t)parameters[when->parameter - 1];
	return value >= when->low && value <= when->high;
}

static int check_zeros(const struct dt_when *when, const uint64_t *parameters, size_t count)
{
	int known = 1;

	for (unsigned i = 0; i < 4; i++) {
		unsigned zero = when->zero >> i & 1u, nonzero = when->nonzero >> i & 1u;
		if (!zero && !nonzero)
			continue;
		if (i >= count)
			known = -1;
		else if (parameters[i] == 0 ? nonzero : zero)
			return 0;
	}
	return known;
}

static int check_machine(const struct dt_when *when, enum dt_machine machine)
{
	if (!when->machines)
		return 1;
	return machine == DT_machine_NULL ? -1 : (int)(when->machines >> machine & 1u);
}

static int check_build(const struct dt_when *when, uint32_t build)
{
	if (!when->build_low && !when->build_high)
		return 1;
	if (build == 0)
		return -1;
	return build >= when->build_low && (!when->build_high || build <= when->build_high);
}

int dt_when_check(const struct dt_when *when, const uint64_t *parameters, size_t count, enum dt_machine machine,
                  uint32_t build)
{
	const int parts[] = { check_parameter(when, parameters, count), check_zeros(when, parameters, count),
		              check_machine(when, machine), check_build(when, build) };
	int all = 1;

	for (size_t i = 0; i < ROW_COUNT(parts); i++) {
		if (parts[i] == 0)
			return 0;
		if (parts[i] < 0)
			all = -1;
	}
	return all;
}

/* ---- readings ---------------------------------------------------------- */

static size_t first_of(uint32_t code)
{
	size_t low = 0, high = ROW_COUNT(readings);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (readings[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct dt_reading *dt_bugcheck_reading(uint32_t code, const uint64_t parameters[4], enum dt_machine machine,
                                             uint32_t build)
{
	for (size_t i = first_of(code); i < ROW_COUNT(readings) && readings[i].code == code; i++)
		if (dt_when_check(&readings[i].when, parameters, parameters ? 4 : 0, machine, build) == 1)
			return &readings[i];
	return NULL;
}

size_t dt_bugcheck_readings(uint32_t code, const struct dt_reading *out[], size_t max)
{
	size_t count = 0;

	for (size_t i = first_of(code); i < ROW_COUNT(readings) && readings[i].code == code && count < max; i++)
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

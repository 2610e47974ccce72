/* Conditions and parameters of stop codes in words. */
#include "core/model/field.h"
#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct value_row {
	uint32_t code;
	uint32_t first; /* only where parameter 1 has this value; ANY_FIRST: always */
	unsigned parameter;
	uint64_t low, high;
	const char *words;
};

#define ANY_FIRST UINT32_MAX

static const struct value_row values[] = {
#define DT_VALUE_NAME(code, parameter, value, words) { code, ANY_FIRST, parameter, value, value, words },
#define DT_VALUE_UNDER(code, first, parameter, value, words) { code, first, parameter, value, value, words },
#include "core/tables/bugcheck_values.def"
};

/* ---- conditions -------------------------------------------------------- */

static void put_and(struct dt_buf *out, size_t start)
{
	if (out->len != start)
		dt_buf_puts(out, ", ");
}

static void put_machines(unsigned machines, struct dt_buf *out)
{
	const char *between = "";

	for (unsigned i = DT_machine_NULL + 1; i < DT_machine_COUNT; i++)
		if (machines >> i & 1u) {
			dt_buf_printf(out, "%s%s", between, dt_word(&dt_words_machine, i));
			between = " or ";
		}
}

static void put_parameter(const struct dt_when *when, struct dt_buf *out)
{
	dt_buf_printf(out, "parameter %u is ", when->parameter);
	dt_buf_hex(out, when->low);
	if (when->high != when->low) {
		dt_buf_puts(out, " to ");
		dt_buf_hex(out, when->high);
	}
}

static void put_builds(const struct dt_when *when, struct dt_buf *out)
{
	if (when->build_low && when->build_high)
		dt_buf_printf(out, "builds %u to %u", when->build_low, when->build_high);
	else if (when->build_low)
		dt_buf_printf(out, "build %u and later", when->build_low);
	else
		dt_buf_printf(out, "build %u and earlier", when->build_high);
}

void dt_when_print(const struct dt_when *when, struct dt_buf *out)
{
	size_t start = out->len;

	if (when->parameter)
		put_parameter(when, out);
	for (unsigned i = 0; i < 4; i++)
		if ((when->zero | when->nonzero) >> i & 1u) {
			put_and(out, start);
			dt_buf_printf(out, "parameter %u is %s0", i + 1, when->zero >> i & 1u ? "" : "not ");
		}
	if (when->machines) {
		put_and(out, start);
		put_machines(when->machines, out);
	}
	if (when->build_low || when->build_high) {
		put_and(out, start);
		put_builds(when, out);
	}
}

/* ---- parameters -------------------------------------------------------- */

/* Values of 32 bits stand sign-extended in some headers and not in others. */
static bool is_within(const struct value_row *row, uint64_t value)
{
	if (value >> 32 == UINT32_MAX && row->high <= UINT32_MAX)
		value = (uint32_t)value;
	return value >= row->low && value <= row->high;
}

static bool is_under(const struct value_row *row, const struct dt_reading *reading)
{
	const struct dt_when *when = &reading->when;

	return row->first == ANY_FIRST || (when->parameter == 1 && row->first >= when->low && row->first <= when->high);
}

static const char *value_name(const struct dt_reading *reading, size_t index, uint64_t value)
{
	for (size_t i = 0; i < ROW_COUNT(values); i++)
		if (values[i].code == reading->code && values[i].parameter == index + 1 && is_under(&values[i], reading) &&
		    is_within(&values[i], value))
			return values[i].words;
	return NULL;
}

static const char *irql_name(uint64_t irql)
{
	static const char *const low[] = { "PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL" };

	return irql < ROW_COUNT(low) ? low[irql] : NULL;
}

/* The name of a value by its role; NULL where the role's values have none. */
static const char *role_name(enum dt_role role, uint64_t value)
{
	switch (role) {
	case DT_ROLE_EXCEPTION_CODE:
		return (uint32_t)value ? dt_exception_name(value) : NULL;
	case DT_ROLE_NTSTATUS:
		return (uint32_t)value ? dt_ntstatus_name(value) : NULL;
	case DT_ROLE_FAST_FAIL:
		return dt_fast_fail_name(value);
	case DT_ROLE_IRQL:
		return irql_name(value);
	default:
		return NULL;
	}
}

static bool is_access(enum dt_role role)
{
	return role == DT_ROLE_ACCESS_PF || role == DT_ROLE_ACCESS_IRQL || role == DT_ROLE_ACCESS_RW;
}

static const char *access_or(enum dt_access access, const char *otherwise)
{
	return access ? dt_word(&dt_words_access, access) : otherwise;
}

static void put_access(enum dt_role role, uint64_t value, enum dt_machine machine, uint32_t build, struct dt_buf *out)
{
	enum dt_access access = dt_role_access(role, value, machine, build);
	enum dt_access after = dt_role_access(role, value, DT_MACHINE_X64, UINT32_MAX);
	enum dt_access before = dt_role_access(role, value, DT_MACHINE_ARM64, UINT32_MAX);

	if (access || role != DT_ROLE_ACCESS_PF || !dt_access_is_open(machine, build) || after == before)
		dt_buf_printf(out, ": %s", access_or(access, "the value does not say which"));
	else
		dt_buf_printf(out, ": %s on x64 and x86 from build 10586; %s on ARM64 and older builds",
		              access_or(after, "undecided"), access_or(before, "undecided"));
}

static void put_one_bit(uint64_t value, struct dt_buf *out)
{
	if (value && !(value & (value - 1)))
		dt_buf_printf(out, ": a single bit, bit %u", (unsigned)__builtin_ctzll(value));
}

void dt_parameter_print(const struct dt_reading *reading, size_t index, uint64_t value, enum dt_machine machine,
                        uint32_t build, struct dt_buf *out)
{
	const struct dt_parameter *parameter = &reading->parameters[index];
	const char *name = value_name(reading, index, value), *constant = role_name(parameter->role, value);

	dt_buf_puts(out, parameter->text);
	if (!name && reading->title && reading->when.parameter == index + 1)
		name = reading->title;
	if (constant && name)
		dt_buf_printf(out, ": %s (%s)", constant, name);
	else if (constant || name)
		dt_buf_printf(out, ": %s", constant ? constant : name);
	else if (is_access(parameter->role))
		put_access(parameter->role, value, machine, build, out);
	else if (parameter->role == DT_ROLE_PTE_BITS)
		put_one_bit(value, out);
}

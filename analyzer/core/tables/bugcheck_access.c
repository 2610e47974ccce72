/* What a stop code and its parameters say of the access that failed. */
#include "core/tables/bugcheck.h"

/* The build from which x64 and x86 put the new values into 0x50's second parameter: the documentation says "after
 * Windows 10 1507", which is build 10240; the next one is 10586. */
enum { NEW_VALUES_BUILD = 10586 };

/* From then on: 2 write, 0x10 execute. Bits beside them are seen (0x11) and are not documented. */
static enum dt_access access_new(uint32_t value)
{
	if (value & 0x10)
		return DT_ACCESS_EXECUTE;
	if (value & 2)
		return DT_ACCESS_WRITE;
	return value == 0 ? DT_ACCESS_READ : DT_access_NULL;
}

/* Before, and on ARM64: 1 write, 8 execute. The same bits stand in 0xA and 0xD1. */
static enum dt_access access_old(uint32_t value)
{
	if (value & 8)
		return DT_ACCESS_EXECUTE;
	if (value & 1)
		return DT_ACCESS_WRITE;
	return value == 0 ? DT_ACCESS_READ : DT_access_NULL;
}

/* Which of the two is open. 0x10 exists in the new values only. */
static enum dt_access access_either(uint32_t value)
{
	enum dt_access after = access_new(value), before = access_old(value);

	if (value == 2 || after == DT_ACCESS_EXECUTE || after == before)
		return after;
	return DT_access_NULL;
}

bool dt_access_is_open(enum dt_machine machine, uint32_t build)
{
	if (machine == DT_MACHINE_ARM64 || (build && build < NEW_VALUES_BUILD))
		return false;
	return machine == DT_machine_NULL || build == 0;
}

static enum dt_access access_page_fault(uint32_t value, enum dt_machine machine, uint32_t build)
{
	if (dt_access_is_open(machine, build))
		return access_either(value);
	return machine == DT_MACHINE_ARM64 || build < NEW_VALUES_BUILD ? access_old(value) : access_new(value);
}

/* 0xD1's page has 2 as a second value for an execution. */
static enum dt_access access_irql(uint32_t value)
{
	return value == 2 ? DT_ACCESS_EXECUTE : access_old(value);
}

static enum dt_access access_record(uint64_t value)
{
	switch (value) {
	case 0:
		return DT_ACCESS_READ;
	case 1:
		return DT_ACCESS_WRITE;
	case 8:
		return DT_ACCESS_EXECUTE;
	default:
		return DT_access_NULL;
	}
}

enum dt_access dt_role_access(enum dt_role role, uint64_t value, enum dt_machine machine, uint32_t build)
{
	switch (role) {
	case DT_ROLE_ACCESS_PF:
		return access_page_fault((uint32_t)value, machine, build);
	case DT_ROLE_ACCESS_IRQL:
		return access_irql((uint32_t)value);
	case DT_ROLE_ACCESS_RW:
		return access_record((uint32_t)value);
	default:
		return DT_access_NULL;
	}
}

enum dt_access dt_bugcheck_access(uint32_t code)
{
	static const struct {
		uint32_t code;
		enum dt_access access;
	} rows[] = {
		{ 0xbe, DT_ACCESS_WRITE },
		{ 0xfc, DT_ACCESS_EXECUTE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].access;
	return DT_access_NULL;
}

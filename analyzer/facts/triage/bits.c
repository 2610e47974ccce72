/* Values that differ from good ones in one bit: what memory or an address line with a fault produces. */
#include "core/base/buf.h"
#include "facts/triage/pass.h"

static bool one_bit(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static unsigned bit_number(uint64_t value)
{
	return (unsigned)__builtin_ctzll(value);
}

/* A page-table entry with one wrong bit; or a value that differs from what it should be in one. */
static void page_tables(struct dt_pass *pass)
{
	uint64_t bits, expected, actual;

	if (!pass->reading || pass->reading->class != DT_CODE_ONE_BIT)
		return;
	if (dt_pass_role(pass, DT_ROLE_PTE_BITS, &bits) && one_bit(bits))
		dt_pass_anomaly(pass, DT_ANOMALY_ONE_BIT_PTE, "a page-table entry has one wrong bit: bit %u (0x%llx)",
		                bit_number(bits), (unsigned long long)bits);
	else if (dt_pass_role(pass, DT_ROLE_EXPECTED, &expected) && dt_pass_role(pass, DT_ROLE_ACTUAL, &actual) &&
	         one_bit(expected ^ actual))
		dt_pass_anomaly(pass, DT_ANOMALY_ONE_BIT_PTE, "0x%llx stands where 0x%llx was expected: they differ in bit %u",
		                (unsigned long long)actual, (unsigned long long)expected, bit_number(expected ^ actual));
}

/*
 * NULL plus little, but for one high bit: a pointer that was NULL, and a bit that flipped. Bits below 16 make
 * ordinary small numbers, bits 31 and 32 are what software leaves when it mixes 32-bit halves.
 */
static void near_null(struct dt_pass *pass)
{
	const struct dt_facts *facts = pass->facts;
	struct dt_opt address = facts->exception.address;

	if (address.known && address.value == UINT64_MAX)
		address = facts->fault.operand_address;
	if (!address.known || pass->dump->machine == DT_MACHINE_X86 || !dt_exception_reports_access(pass))
		return;
	uint64_t high = address.value & ~UINT64_C(0xfff);
	if (one_bit(high) && bit_number(high) >= 20 && bit_number(high) != 31 && bit_number(high) != 32)
		dt_pass_anomaly(pass, DT_ANOMALY_ONE_BIT_ADDRESS, "the address 0x%llx is NULL plus 0x%llx but for bit %u",
		                (unsigned long long)address.value, (unsigned long long)(address.value & 0xfff),
		                bit_number(high));
}

void dt_pass_bits(struct dt_pass *pass)
{
	page_tables(pass);
	near_null(pass);
}

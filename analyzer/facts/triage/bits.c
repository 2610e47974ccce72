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
		dt_pass_anomaly(pass, DT_ANOMALY_ONE_BIT_PTE,
		                "0x%llx and 0x%llx, which the stop code compares, differ in bit %u",
		                (unsigned long long)expected, (unsigned long long)actual, bit_number(expected ^ actual));
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

/*
 * The stack ran out: the processor could not push, or a program's guard page was hit. Who
 * pushed last is not who filled the stack. KTHREAD.StackLimit stands at 0x30 on x64, from 9600 to 26100.
 */
static void stack_overflow(struct dt_pass *pass)
{
	enum { STACK_LIMIT = 0x30, NEAR = 0x400 };
	const struct dt_dump *dump = pass->dump;
	struct dt_opt sp = dt_context_sp(&pass->context);
	uint64_t limit;

	if (dump->format == DT_FORMAT_USER) {
		if (dt_opt_is(pass->facts->exception.code, 0xc00000fd))
			dt_pass_anomaly(pass, DT_ANOMALY_STACK_OVERFLOW, "the thread's stack is used up: who runs now need not be who filled it");
		return;
	}
	if (dump->machine != DT_MACHINE_X64 || !sp.known || !dt_bytes_u64(dump->thread.bytes, STACK_LIMIT, &limit) ||
	    !dt_address_is_kernel(DT_MACHINE_X64, limit) || limit % 0x1000 || sp.value - (limit - NEAR) >= 2 * NEAR)
		return;
	dt_pass_anomaly(pass, DT_ANOMALY_STACK_OVERFLOW,
	                "the stack pointer 0x%llx is at the thread's stack limit 0x%llx: the kernel stack is used up, and who "
	                "pushed last need not be who filled it",
	                (unsigned long long)sp.value, (unsigned long long)limit);
}

void dt_pass_bits(struct dt_pass *pass)
{
	stack_overflow(pass);
	page_tables(pass);
	near_null(pass);
}

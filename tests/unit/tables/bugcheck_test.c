/* Stop codes: which row is the right one, and what it says, by the documentation of each code. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/tables/bugcheck.h"

#define K UINT64_C(0xffff800012345678) /* some kernel address */

struct expected {
	uint32_t code;
	uint64_t parameters[4];
	enum dt_machine machine;
	const char *title; /* a part of it; NULL: none is asked for */
	enum dt_role roles[4];
	enum dt_blame_rule blame;
	enum dt_code_class class;
};

#define R(role) DT_ROLE_##role
#define ROLES(a, b, c, d) { R(a), R(b), R(c), R(d) }
#define X64 DT_MACHINE_X64

static const struct expected cases[] = {
	{ 0x1, { K, 0, 0, 1 }, X64, "worker", ROLES(MODULE_ADDRESS, NONE, NONE, SUBCODE), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0x1, { K, 0, 0, 0 }, X64, "system call", ROLES(CODE_ADDRESS, NONE, NONE, SUBCODE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xa, { 8, 2, 1, K }, X64, NULL, ROLES(ADDRESS, IRQL, ACCESS_IRQL, IP), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xd1, { 8, 2, 1, K }, X64, NULL, ROLES(ADDRESS, IRQL, ACCESS_IRQL, IP), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x18, { K, K, 0, 0 }, X64, NULL, ROLES(OBJECT, OBJECT, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x19, { 2, K, 0x10, 0 }, X64, "special pool", ROLES(SUBCODE, POOL_ADDRESS, COUNT_OF, RESERVED), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x19, { 3, K, K, K }, X64, "free list", ROLES(SUBCODE, POOL_ADDRESS, POOL_ADDRESS, POOL_ADDRESS), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x19, { 0xe, 0, 0, 0 }, X64, "freed block", ROLES(SUBCODE, RESERVED, RESERVED, RESERVED), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x19, { 0x21, K, 0x40, 5 }, X64, "behind the block", ROLES(SUBCODE, POOL_ADDRESS, COUNT_OF, NONE), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x19, { 0x25, 0, 0, 0 }, X64, "freed block", ROLES(SUBCODE, RESERVED, RESERVED, RESERVED), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x31, 0, 0, 0 }, X64, "relocations", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x3f, 1, 2, 3 }, X64, "checksum", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x403, K, 2, 3 }, X64, "page table", ROLES(SUBCODE, NONE, EXPECTED, ACTUAL), DT_BLAME_NOBODY, DT_CODE_ONE_BIT },
	{ 0x1a, { 0x41792, K, UINT64_C(1) << 37, 0 }, X64, "corrupt", ROLES(SUBCODE, PTE_ADDRESS, PTE_BITS, NONE), DT_BLAME_NOBODY, DT_CODE_ONE_BIT },
	{ 0x1a, { 0x41287, K, 0, 0 }, X64, "page fault", ROLES(SUBCODE, ADDRESS, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x41790, K, 2, 0 }, X64, "page-table page", ROLES(SUBCODE, OBJECT, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x41790, K, 2, 0 }, DT_MACHINE_X86, "page-table page", ROLES(SUBCODE, NONE, COUNT_OF, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x5003, 0, 0, 0 }, X64, "hardware", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x5200, K, 1, 2 }, X64, "free list", ROLES(SUBCODE, POOL_ADDRESS, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x1233, 0, 0, 0 }, X64, "not locked", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1a, { 0x1236, K, K, 0 }, X64, "descriptor list", ROLES(SUBCODE, OBJECT, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1a, { 0x1238, 0, 0, 0 }, X64, NULL, ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1a, { 0x1240, K, K, 0 }, X64, "resident", ROLES(SUBCODE, OBJECT, PTE_ADDRESS, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1a, { 0x1241, K, K, 0 }, X64, "unmapped", ROLES(SUBCODE, OBJECT, PTE_ADDRESS, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 0x61946, K, 0, 0 }, X64, "MmProbeAndLockPages", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1a, { 1233, 0, 0, 0 }, X64, NULL, ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1a, { 41792, 0, 0, 0 }, X64, NULL, ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1e, { 0xc0000005, K, 0, 0 }, X64, NULL, ROLES(EXCEPTION_CODE, IP, EXCEPTION_INFO0, EXCEPTION_INFO1), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x24, { 0, K, K, 0 }, X64, NULL, ROLES(NONE, EXCEPTION_RECORD, CONTEXT_RECORD, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x3b, { 0xc0000005, K, K, 0 }, X64, NULL, ROLES(EXCEPTION_CODE, IP, CONTEXT_RECORD, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x3d, { K, K, 0, 0 }, X64, NULL, ROLES(EXCEPTION_RECORD, CONTEXT_RECORD, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x44, { K, 0, 0, 0 }, X64, NULL, ROLES(IRP, RESERVED, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x4a, { K, 2, 0, K }, X64, NULL, ROLES(CODE_ADDRESS, IRQL, RESERVED, NONE), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x4e, { 7, 1, 1, 0 }, X64, "more often", ROLES(SUBCODE, NONE, COUNT_OF, RESERVED), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x4e, { 0x9a, 1, 1, 0 }, X64, "input or output", ROLES(SUBCODE, NONE, NONE, COUNT_OF), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x50, { K, 0, K, 2 }, X64, NULL, ROLES(ADDRESS, ACCESS_PF, IP, SUBCODE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x77, { 1, 0, 0, K }, X64, "signature", ROLES(SUBCODE, NONE, RESERVED, STACK_ADDRESS), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x77, { 0xc000009c, 0xc000009c, 0, 0x1000 }, X64, NULL, ROLES(NTSTATUS, NTSTATUS, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x7a, { 3, 0xc000009c, 0, K }, X64, NULL, ROLES(SUBCODE, NTSTATUS, RESERVED, ADDRESS), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x7a, { 4, 0xc000009c, K, K }, X64, NULL, ROLES(SUBCODE, NTSTATUS, OBJECT, ADDRESS), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x7a, { K, 0xc000009c, K, K }, X64, NULL, ROLES(PTE_ADDRESS, NTSTATUS, PTE_VALUE, ADDRESS), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x7e, { 0xc0000005, K, K, K }, X64, NULL, ROLES(EXCEPTION_CODE, IP, EXCEPTION_RECORD, CONTEXT_RECORD), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x7f, { 8, K, K, K }, X64, "double fault", ROLES(SUBCODE, TRAP_FRAME, NONE, IP), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x7f, { 8, K, 0, 0 }, DT_MACHINE_X86, "double fault", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x8e, { 0xc0000005, K, K, 0 }, DT_MACHINE_X86, NULL, ROLES(EXCEPTION_CODE, IP, TRAP_FRAME, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x93, { 4, K, 0, 1 }, X64, "referenced", ROLES(NONE, OBJECT, RESERVED, SUBCODE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x9c, { 0, K, 0, 0 }, X64, NULL, ROLES(NONE, OBJECT, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_HARDWARE },
	{ 0x9f, { 1, K, 0, 0 }, X64, "freed", ROLES(SUBCODE, DEVICE_OBJECT, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x9f, { 2, K, K, K }, X64, "completed", ROLES(SUBCODE, DEVICE_OBJECT, DEVICE_OBJECT, DRIVER_OBJECT), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0x9f, { 3, K, K, K }, X64, "too long", ROLES(SUBCODE, PHYSICAL_DEVICE, OBJECT, IRP), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0x9f, { 4, 300, K, K }, X64, "Plug and Play", ROLES(SUBCODE, NONE, THREAD, OBJECT), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x9f, { 0x500, 0, K, K }, X64, "completed", ROLES(SUBCODE, RESERVED, DEVICE_OBJECT, DEVICE_OBJECT), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0xa0, { 0xa, 0, 0, 0 }, X64, "asked for", ROLES(SUBCODE, SUBCODE, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_REQUESTED },
	{ 0xa0, { 0x10e, 0, 1, 2 }, X64, "disk", ROLES(SUBCODE, RESERVED, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0xbe, { K, 0, K, 0 }, X64, NULL, ROLES(ADDRESS, PTE_VALUE, TRAP_FRAME, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc1, { K, 8, 9, 0x22 }, X64, "bad address", ROLES(POOL_ADDRESS, COUNT_OF, COUNT_OF, SUBCODE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc1, { 2, 0, 9, 0x30 }, X64, "allocated", ROLES(IRQL, NONE, COUNT_OF, SUBCODE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc2, { 7, 0, 1, K }, X64, "freed before", ROLES(SUBCODE, RESERVED, NONE, POOL_ADDRESS), DT_BLAME_HEAP, DT_CODE_ANY },
	{ 0xc2, { 2, K, 1, 0 }, X64, "corrupt", ROLES(SUBCODE, POOL_ADDRESS, NONE, RESERVED), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0xc2, { 8, 3, 0, 9 }, X64, "allocated", ROLES(SUBCODE, IRQL, NONE, COUNT_OF), DT_BLAME_HEAP, DT_CODE_ANY },
	{ 0xc4, { 0x62, K, 0, 3 }, X64, "unloaded", ROLES(SUBCODE, MODULE_NAME, RESERVED, COUNT_OF), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc4, { 0x1001, K, 0, 0 }, X64, "deadlock", ROLES(SUBCODE, OBJECT, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc4, { 0x2000, K, 0, 0 }, X64, "executable", ROLES(SUBCODE, MODULE_ADDRESS, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc4, { 0xfa, K, 0, 2 }, X64, "completion", ROLES(SUBCODE, MODULE_ADDRESS, IRQL, IRQL), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0xc4, { 0x91001, K, K, 0 }, X64, "NDIS", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc5, { 8, 2, 0, K }, X64, NULL, ROLES(ADDRESS, IRQL, ACCESS_IRQL, IP), DT_BLAME_STACK, DT_CODE_CORRUPTION },
	{ 0xc9, { 0xe, 3, K, 0 }, X64, "IoCompleteRequest", ROLES(SUBCODE, IRQL, IRP, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc9, { 0x224, K, K, 0 }, X64, "status", ROLES(SUBCODE, MODULE_ADDRESS, IRP, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xc9, { 0x23c, 0, 0, 0 }, X64, "cancel", ROLES(SUBCODE, RESERVED, RESERVED, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xce, { K, 0x10, K, 0 }, X64, NULL, ROLES(ADDRESS, ACCESS_PF, IP, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xd5, { K, 0, K, 0 }, X64, NULL, ROLES(ADDRESS, ACCESS_PF, IP, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xd8, { K, 1, 2, 3 }, X64, NULL, ROLES(MODULE_NAME, COUNT_OF, COUNT_OF, COUNT_OF), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xda, { 0x101, K, 1, 2 }, X64, "somebody else", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xe2, { 0, 0, 0, 0 }, X64, NULL, ROLES(RESERVED, RESERVED, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_REQUESTED },
	{ 0xe3, { K, K, K, 0 }, X64, NULL, ROLES(OBJECT, THREAD, OBJECT, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xe6, { 0x26, K, 0, 0 }, X64, "IOMMU", ROLES(SUBCODE, DEVICE_OBJECT, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xea, { K, K, K, 1 }, X64, NULL, ROLES(THREAD, OBJECT, MODULE_NAME, COUNT_OF), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xed, { K, 0xc0000032, 0, 0 }, X64, NULL, ROLES(DEVICE_OBJECT, NTSTATUS, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0xef, { K, 0, 0, 0 }, X64, "process", ROLES(PROCESS, SUBCODE, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0xef, { K, 1, 0, 0 }, X64, "thread", ROLES(THREAD, SUBCODE, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0xf4, { 3, K, K, K }, X64, "process", ROLES(SUBCODE, PROCESS, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0xf4, { 6, K, K, K }, X64, "thread", ROLES(SUBCODE, THREAD, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0xf7, { 1, 2, 3, 0 }, X64, NULL, ROLES(NONE, NONE, NONE, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xfc, { K, 0, K, 0 }, X64, NULL, ROLES(ADDRESS, PTE_VALUE, TRAP_FRAME, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xfe, { 5, K, 0, K }, X64, "hardware", ROLES(SUBCODE, OBJECT, NONE, OBJECT), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x101, { 0x18, 0, K, 3 }, X64, NULL, ROLES(TICKS, RESERVED, PROCESSOR, PROCESSOR), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x109, { 1, 2, 3, 1 }, X64, NULL, ROLES(RESERVED, RESERVED, RESERVED, SUBCODE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x10d, { 0xd, K, K, 0 }, X64, "power", ROLES(SUBCODE, OBJECT, IRP, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x10d, { 4, 0, K, 0 }, X64, "NULL", ROLES(SUBCODE, RESERVED, MODULE_ADDRESS, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x116, { K, K, 0, 4 }, X64, NULL, ROLES(OBJECT, MODULE_ADDRESS, NTSTATUS, NONE), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0x117, { K, K, 0, 4 }, X64, NULL, ROLES(OBJECT, MODULE_ADDRESS, NONE, NONE), DT_BLAME_ROLE, DT_CODE_RECOVERED },
	{ 0x141, { K, K, 0, 4 }, X64, NULL, ROLES(OBJECT, MODULE_ADDRESS, NONE, NONE), DT_BLAME_ROLE, DT_CODE_RECOVERED },
	{ 0x119, { 2, 0, 0, 0 }, X64, NULL, ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x119, { 0x1000, 0, 0, 0 }, X64, "memory", ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x124, { 0, K, 0xbe000000, 0x800400 }, X64, "machine check", ROLES(SUBCODE, ERROR_RECORD, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_HARDWARE },
	{ 0x124, { 4, K, 0, 0 }, X64, NULL, ROLES(SUBCODE, ERROR_RECORD, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_HARDWARE },
	{ 0x124, { 0x10, K, 0, 0 }, X64, "driver", ROLES(SUBCODE, ERROR_RECORD, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x12b, { K, 5, 0, 0 }, X64, "single wrong bit", ROLES(NONE, NONE, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_HARDWARE },
	{ 0x12b, { 0xc00002c4, 5, K, K }, X64, "compressed", ROLES(NONE, COUNT_OF, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x12b, { 0xc00002c4, 5, UINT64_C(0xffff800000000000), K }, X64, "compressed", ROLES(NONE, COUNT_OF, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x133, { 0, 0x501, 0x500, K }, X64, "one deferred", ROLES(SUBCODE, TICKS, TICKS, OBJECT), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x133, { 1, 0x1e00, K, 0 }, X64, "added up", ROLES(SUBCODE, TICKS, OBJECT, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x139, { 3, K, K, 0 }, X64, NULL, ROLES(FAST_FAIL, TRAP_FRAME, EXCEPTION_RECORD, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x13a, { 0x12, K, K, 0 }, X64, NULL, ROLES(SUBCODE, OBJECT, POOL_ADDRESS, RESERVED), DT_BLAME_HEAP, DT_CODE_CORRUPTION },
	{ 0x144, { 3, K, K, K }, X64, "corrupt", ROLES(SUBCODE, IRP, OBJECT, DEVICE_OBJECT), DT_BLAME_ROLE, DT_CODE_ANY },
	{ 0x144, { 0x1003, K, 0, 0 }, X64, NULL, ROLES(SUBCODE, OBJECT, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_RECOVERED },
	{ 0x144, { 0x3000, K, 0, 0 }, X64, NULL, ROLES(SUBCODE, OBJECT, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_RECOVERED },
	{ 0x154, { K, K, 0, 0 }, X64, NULL, ROLES(OBJECT, OBJECT, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x15f, { 2, K, 0, 0 }, X64, "device", ROLES(SUBCODE, OBJECT, NONE, RESERVED), DT_BLAME_NOBODY, DT_CODE_RECOVERED },
	{ 0x161, { 0, 0, 0, 0 }, X64, NULL, ROLES(NONE, RESERVED, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_REQUESTED },
	{ 0x164, { 0xc, K, 5, 4 }, X64, "palette", ROLES(SUBCODE, OBJECT, NONE, COUNT_OF), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0x1c7, { 0, K, 1, 2 }, X64, NULL, ROLES(SUBCODE, NONE, NONE, NONE), DT_BLAME_NOBODY, DT_CODE_CORRUPTION },
	{ 0x1c8, { 0x1b58, K, 0, 0 }, DT_MACHINE_ARM64, NULL, ROLES(NONE, OBJECT, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_REQUESTED },
	{ 0x1ca, { 1, 2, 3, 4 }, X64, NULL, ROLES(NONE, NONE, NONE, PROCESSOR), DT_BLAME_NOBODY, DT_CODE_ANY },
	{ 0x1d2, { 0, K, 0, 0 }, X64, NULL, ROLES(SUBCODE, NONE, RESERVED, RESERVED), DT_BLAME_STACK, DT_CODE_ANY },
	{ 0xdeaddead, { 0, 0, 0, 0 }, X64, NULL, ROLES(RESERVED, RESERVED, RESERVED, RESERVED), DT_BLAME_NOBODY, DT_CODE_REQUESTED },
};

static void each_sub_code_finds_its_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct expected *want = &cases[i];
		const struct dt_reading *row = dt_bugcheck_reading(want->code, want->parameters, want->machine, 19041);
		if (!row)
			fail_msg("case %zu: 0x%x has no row", i, want->code);
		if (want->title && (!row->title || !strstr(row->title, want->title)))
			fail_msg("0x%x/0x%llx: title '%s', not '%s'", want->code, (unsigned long long)want->parameters[0],
			         row->title ? row->title : "(none)", want->title);
		for (size_t p = 0; p < 4; p++)
			if (row->parameters[p].role != want->roles[p])
				fail_msg("0x%x/0x%llx: parameter %zu has role %u, not %u", want->code,
				         (unsigned long long)want->parameters[0], p + 1, row->parameters[p].role, want->roles[p]);
		if (row->blame != want->blame || row->class != want->class)
			fail_msg("0x%x/0x%llx: blame %u, class %u", want->code, (unsigned long long)want->parameters[0], row->blame,
			         row->class);
	}
}

/* Conditions compare 32 bits; "is 0" compares all of them. */
static void conditions_compare_the_low_half(void **state)
{
	const uint64_t parameters[4] = { UINT64_C(0xffffffff00041792), K, 4, 0 };
	const struct dt_reading *row = dt_bugcheck_reading(0x1a, parameters, X64, 19041);

	(void)state;
	assert_int_equal(row->class, DT_CODE_ONE_BIT);
}

static void without_parameters_only_rows_without_conditions_fit(void **state)
{
	const struct dt_reading *row = dt_bugcheck_reading(0x1a, NULL, X64, 19041);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->when.parameter, 0);
	row = dt_bugcheck_reading(0x12b, NULL, X64, 19041);
	assert_int_equal(row->class, DT_CODE_CORRUPTION);
}

static void an_unknown_machine_satisfies_no_machine(void **state)
{
	const uint64_t parameters[4] = { 8, K, 0, 0 };
	const struct dt_reading *row = dt_bugcheck_reading(0x7f, parameters, DT_machine_NULL, 0);

	(void)state;
	assert_int_equal(dt_reading_role(row, DT_ROLE_TRAP_FRAME), -1);
}

static void codes_without_rows_have_none(void **state)
{
	const struct dt_reading *rows[4];
	const uint64_t parameters[4] = { 5 };

	(void)state;
	assert_null(dt_bugcheck_reading(0xa0000001, parameters, X64, 9600));
	assert_int_equal(dt_bugcheck_readings(0xa0000001, rows, 4), 0);
	assert_int_equal(dt_bugcheck_readings(0xffffffff, rows, 4), 0);
	assert_int_equal(dt_bugcheck_readings(0, rows, 4), 0);
	assert_int_equal(dt_bugcheck_readings(0x1a, rows, 4), 4);
	assert_null(dt_bugcheck_name(0xa0000001));
	assert_null(dt_bugcheck_name(0));
	assert_null(dt_bugcheck_hint(0xa0000001));
}

static void conditions_with_little_known(void **state)
{
	const uint64_t parameters[4] = { 3, 0, 7, 0 };
	const struct dt_when third = { .parameter = 3, .low = 7, .high = 7 }, first = { .parameter = 1, .low = 1, .high = 3 },
	                     zeros = { .zero = 1 << 1, .nonzero = 1 << 2 }, mine = { .machines = 1u << DT_MACHINE_X64 },
	                     late = { .build_low = 10586 }, early = { .build_high = 9600 };

	(void)state;
	assert_int_equal(dt_when_check(&first, parameters, 4, X64, 0), 1);
	assert_int_equal(dt_when_check(&first, parameters, 0, X64, 0), -1);
	assert_int_equal(dt_when_check(&third, parameters, 2, X64, 0), -1);
	assert_int_equal(dt_when_check(&third, parameters, 3, X64, 0), 1);
	assert_int_equal(dt_when_check(&zeros, parameters, 4, X64, 0), 1);
	assert_int_equal(dt_when_check(&zeros, parameters, 2, X64, 0), -1);
	assert_int_equal(dt_when_check(&zeros, parameters + 1, 3, X64, 0), 0);
	assert_int_equal(dt_when_check(&mine, NULL, 0, DT_machine_NULL, 0), -1);
	assert_int_equal(dt_when_check(&mine, NULL, 0, DT_MACHINE_ARM64, 0), 0);
	assert_int_equal(dt_when_check(&late, NULL, 0, X64, 10586), 1);
	assert_int_equal(dt_when_check(&late, NULL, 0, X64, 10240), 0);
	assert_int_equal(dt_when_check(&late, NULL, 0, X64, 0), -1);
	assert_int_equal(dt_when_check(&early, NULL, 0, X64, 9600), 1);
	assert_int_equal(dt_when_check(&early, NULL, 0, X64, 9601), 0);
}

static void names(void **state)
{
	static const struct {
		uint32_t code;
		const char *name;
	} rows[] = {
		{ 0xa, "IRQL_NOT_LESS_OR_EQUAL" },
		{ 0x50, "PAGE_FAULT_IN_NONPAGED_AREA" },
		{ 0x7e, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED" },
		{ 0xd1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL" },
		{ 0x133, "DPC_WATCHDOG_VIOLATION" },
		{ 0x1000007e, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M" },
		{ 0xdeaddead, "MANUALLY_INITIATED_CRASH1" },
	};
	uint32_t code = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(dt_bugcheck_name(rows[i].code), rows[i].name);
	assert_true(dt_bugcheck_code("page_fault_in_nonpaged_area", &code));
	assert_int_equal(code, 0x50);
	assert_true(dt_bugcheck_code("Soft_Restart_Fatal_Error", &code));
	assert_int_equal(code, 0x70);
	code = 77;
	assert_false(dt_bugcheck_code("PAGE_FAULT_IN_NONPAGED", &code));
	assert_false(dt_bugcheck_code("0x50", &code));
	assert_false(dt_bugcheck_code("", &code));
	assert_int_equal(code, 77);
}

static void the_writer_s_flag(void **state)
{
	bool flag;

	(void)state;
	assert_int_equal(dt_bugcheck_unflag(0x1000007e, &flag), 0x7e);
	assert_true(flag);
	assert_int_equal(dt_bugcheck_unflag(0x7e, &flag), 0x7e);
	assert_false(flag);
	assert_int_equal(dt_bugcheck_unflag(0xdeaddead, &flag), 0xdeaddead);
	assert_false(flag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sub_code_finds_its_row),
		cmocka_unit_test(conditions_compare_the_low_half),
		cmocka_unit_test(without_parameters_only_rows_without_conditions_fit),
		cmocka_unit_test(an_unknown_machine_satisfies_no_machine),
		cmocka_unit_test(codes_without_rows_have_none),
		cmocka_unit_test(conditions_with_little_known),
		cmocka_unit_test(names),
		cmocka_unit_test(the_writer_s_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/tables/machines.h"

#include <string.h>

#include "core/base/buf.h"

static const char *const x64_registers[DT_X64_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
};
static const char *const x86_registers[DT_X86_COUNT] = {
	"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags",
};
static const char *const arm64_registers[DT_ARM64_COUNT] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15", "x16",
	"x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "fp",  "lr",  "sp",  "pc",  "cpsr",
};

static const struct dt_machine_row rows[] = {
	{ DT_MACHINE_X64, "x64", 64, DT_X64_COUNT, x64_registers, DT_X64_RIP, DT_X64_RSP },
	{ DT_MACHINE_X86, "x86", 32, DT_X86_COUNT, x86_registers, DT_X86_EIP, DT_X86_ESP },
	{ DT_MACHINE_ARM64, "arm64", 64, DT_ARM64_COUNT, arm64_registers, DT_ARM64_PC, DT_ARM64_SP },
};

const struct dt_machine_row *dt_machine_row(enum dt_machine machine)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].machine == machine)
			return &rows[i];
	return NULL;
}

int dt_machine_register(enum dt_machine machine, const char *name)
{
	const struct dt_machine_row *row = dt_machine_row(machine);

	for (size_t i = 0; row && i < row->register_count; i++)
		if (!strcmp(row->registers[i], name))
			return (int)i;
	return -1;
}

bool dt_address_is_canonical(enum dt_machine machine, uint64_t address)
{
	if (machine != DT_MACHINE_X64)
		return true;
	return address >> 47 == 0 || address >> 47 == 0x1ffff;
}

bool dt_address_is_kernel(enum dt_machine machine, uint64_t address)
{
	return machine == DT_MACHINE_X86 ? (address & UINT32_MAX) >= 0x80000000u : address >> 63 != 0;
}

/* Releases by the build that the kernel reports. A release that only switches features on (19042 to 19045, 18363, 22631,
 * 26200) keeps the kernel of the one before and its build; programs and some tools report its own build, so both have a row. */
static const struct release {
	uint32_t build;
	const char *client, *server; /* NULL: there was none */
} releases[] = {
	{ 2195, "Windows 2000", "Windows 2000 Server" },
	{ 2600, "Windows XP", NULL },
	{ 3790, "Windows XP x64", "Windows Server 2003" },
	{ 6000, "Windows Vista", NULL },
	{ 6001, "Windows Vista SP1", "Windows Server 2008" },
	{ 6002, "Windows Vista SP2", "Windows Server 2008 SP2" },
	{ 6003, "Windows Vista SP2", "Windows Server 2008 SP2" },
	{ 7600, "Windows 7", "Windows Server 2008 R2" },
	{ 7601, "Windows 7 SP1", "Windows Server 2008 R2 SP1" },
	{ 9200, "Windows 8", "Windows Server 2012" },
	{ 9600, "Windows 8.1", "Windows Server 2012 R2" },
	{ 10240, "Windows 10 1507", NULL },
	{ 10586, "Windows 10 1511", NULL },
	{ 14393, "Windows 10 1607", "Windows Server 2016" },
	{ 15063, "Windows 10 1703", NULL },
	{ 16299, "Windows 10 1709", "Windows Server, version 1709" },
	{ 17134, "Windows 10 1803", "Windows Server, version 1803" },
	{ 17763, "Windows 10 1809", "Windows Server 2019" },
	{ 18362, "Windows 10 1903 or 1909", "Windows Server, version 1903 or 1909" },
	{ 18363, "Windows 10 1909", "Windows Server, version 1909" },
	{ 19041, "Windows 10 2004 to 22H2", "Windows Server, version 2004 or 20H2" },
	{ 19042, "Windows 10 20H2", "Windows Server, version 20H2" },
	{ 19043, "Windows 10 21H1", NULL },
	{ 19044, "Windows 10 21H2", NULL },
	{ 19045, "Windows 10 22H2", NULL },
	{ 20348, NULL, "Windows Server 2022" },
	{ 22000, "Windows 11 21H2", NULL },
	{ 22621, "Windows 11 22H2 or 23H2", NULL },
	{ 22631, "Windows 11 23H2", NULL },
	{ 25398, NULL, "Windows Server, version 23H2" },
	{ 26100, "Windows 11 24H2 or 25H2", "Windows Server 2025" },
	{ 26200, "Windows 11 25H2", NULL },
};

/* product_type of the dump header: 1 workstation, 2 domain controller, 3 server. */
static void put_release(const struct release *row, unsigned product_type, struct dt_buf *out)
{
	bool is_server = product_type == 2 || product_type == 3;

	if (product_type == 0 && row->client && row->server)
		dt_buf_printf(out, "%s or %s", row->client, row->server);
	else if ((is_server && row->server) || !row->client)
		dt_buf_puts(out, row->server);
	else
		dt_buf_puts(out, row->client);
}

void dt_os_name(uint32_t major, uint32_t minor, uint32_t build, unsigned product_type, struct dt_buf *out)
{
	size_t row = 0;

	while (row < sizeof(releases) / sizeof(releases[0]) && releases[row].build != build)
		row++;
	if (row < sizeof(releases) / sizeof(releases[0]))
		put_release(&releases[row], product_type, out);
	else if (major)
		dt_buf_printf(out, "Windows %u.%u", major, minor);
	else
		dt_buf_puts(out, "Windows");
	if (build)
		dt_buf_printf(out, " (build %u)", build);
}

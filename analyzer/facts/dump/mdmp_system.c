/*
 * mdmp_system.c - SystemInfo, MiscInfo, memory counters: the machine and the process.
 */
#include <inttypes.h>

#include "facts/dump/mdmp.h"

struct architecture {
	uint16_t value;
	enum dt_machine machine;
	const char *name;
};

/* PROCESSOR_ARCHITECTURE_ of winnt.h; 0x80.. are Breakpad's own. */
static const struct architecture architectures[] = {
	{ 0, DT_MACHINE_X86, "x86" },
	{ 9, DT_MACHINE_X64, "x64" },
	{ 12, DT_MACHINE_ARM64, "ARM64" },
	{ 1, DT_machine_NULL, "MIPS" },
	{ 2, DT_machine_NULL, "Alpha" },
	{ 3, DT_machine_NULL, "PowerPC" },
	{ 5, DT_machine_NULL, "ARM" },
	{ 6, DT_machine_NULL, "Itanium" },
	{ 0x8001, DT_machine_NULL, "SPARC" },
	{ 0x8002, DT_machine_NULL, "PowerPC 64" },
	{ 0x8003, DT_machine_NULL, "ARM64 in Breakpad's old form" },
	{ 0x8004, DT_machine_NULL, "MIPS 64" },
};

enum {
	S_ARCHITECTURE = 0x00,
	S_PROCESSORS = 0x06,
	S_PRODUCT_TYPE = 0x07,
	S_MAJOR = 0x08,
	S_MINOR = 0x0c,
	S_BUILD = 0x10,
	S_PLATFORM = 0x14,
	S_CSD = 0x18,
	S_VENDOR = 0x20,
	S_VENDOR_LEN = 12,
	S_NEEDED = 0x1c,
};

static void read_architecture(struct mdmp *m, uint16_t value)
{
	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++) {
		if (architectures[i].value != value)
			continue;
		m->dump->machine = architectures[i].machine;
		if (!m->dump->machine) {
			dt_note_add(m->dump->notes, DT_NOTE_WARNING, "system info",
			            "registers of %s are not read", architectures[i].name);
			dt_dump_missing(m->dump, "registers: not read for this processor");
		}
		return;
	}
	dt_note_add(m->dump->notes, DT_NOTE_WARNING, "system info", "processor architecture 0x%x is not known",
	            value);
}

/* "GenuineIntel": the three vendor words of CPUID leaf 0, which only x86 dumps have. */
static void read_vendor(struct mdmp *m, struct dt_bytes bytes)
{
	struct dt_bytes vendor = dt_bytes_clip(bytes, S_VENDOR, S_VENDOR_LEN);

	for (size_t i = 0; i < vendor.len; i++)
		if (vendor.data[i] < 0x20 || vendor.data[i] > 0x7e)
			return;
	if (m->dump->machine == DT_MACHINE_X86 && vendor.len == S_VENDOR_LEN)
		m->dump->cpu = dt_dump_text8(m->dump, vendor);
}

void mdmp_system_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_dump *dump = m->dump;
	struct dt_bytes bytes = stream->bytes;
	uint8_t processors = 0, product = 0;

	if (bytes.len < S_NEEDED)
		return;
	m->has_system = true;
	(void)dt_bytes_u8(bytes, S_PROCESSORS, &processors);
	(void)dt_bytes_u8(bytes, S_PRODUCT_TYPE, &product);
	dump->processors = (struct dt_opt){ processors, processors != 0 };
	dump->product_type = product <= 3 ? product : 0;
	dump->os_major = dt_bytes_u32_or(bytes, S_MAJOR, 0);
	dump->os_minor = dt_bytes_u32_or(bytes, S_MINOR, 0);
	dump->platform_id = dt_bytes_u32_or(bytes, S_PLATFORM, 0);
	uint32_t build = dt_bytes_u32_or(bytes, S_BUILD, 0);
	dump->build = (struct dt_opt){ build, build != 0 };
	dump->os_text = mdmp_string(m, dt_bytes_u32_or(bytes, S_CSD, 0));
	read_architecture(m, dt_bytes_u16_or(bytes, S_ARCHITECTURE, 0));
	read_vendor(m, bytes);
	if (!dt_dump_is_windows(dump))
		dt_note_add(dump->notes, DT_NOTE_INFO, "system info", "platform 0x%" PRIx32 " is not Windows",
		            dump->platform_id);
}

enum {
	M_SIZE_OF_INFO = 0x00,
	M_FLAGS = 0x04,
	M_PROCESS_ID = 0x08,
	M_CREATE_TIME = 0x0c,
	M_USER_TIME = 0x10,
	M_KERNEL_TIME = 0x14,
	M_INTEGRITY = 0x2c,
	M_BUILD_STRING = 0xe8,
	M_BUILD_STRING_LEN = 520,
	M_XSTATE = 0x340,
	M_XSTATE_LEN = 0x210,
};
enum { M_HAS_PROCESS_ID = 1, M_HAS_TIMES = 2, M_HAS_INTEGRITY = 0x10, M_HAS_BUILD_STRING = 0x100 };

struct integrity {
	uint32_t from; /* lowest relative id of the level */
	const char *name;
};

/* SECURITY_MANDATORY_ of winnt.h, highest first. */
static const struct integrity integrity_levels[] = {
	{ 0x5000, "protected" }, { 0x4000, "system" }, { 0x3000, "high" },      { 0x2100, "medium-plus" },
	{ 0x2000, "medium" },    { 0x1000, "low" },    { 0x0000, "untrusted" },
};

static const char *integrity_name(uint32_t level)
{
	if (level > 0x5fff)
		return NULL;
	for (size_t i = 0; i < sizeof(integrity_levels) / sizeof(integrity_levels[0]); i++)
		if (level >= integrity_levels[i].from)
			return integrity_levels[i].name;
	return NULL;
}

void mdmp_misc_info(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_dump *dump = m->dump;
	uint32_t size = dt_bytes_u32_or(stream->bytes, M_SIZE_OF_INFO, 0);
	/* Breakpad leaves SizeOfInfo 0. */
	struct dt_bytes bytes = size ? dt_bytes_clip(stream->bytes, 0, size) : stream->bytes;
	uint32_t flags = dt_bytes_u32_or(bytes, M_FLAGS, 0), value;

	if (flags & M_HAS_PROCESS_ID && dt_bytes_u32(bytes, M_PROCESS_ID, &value))
		dump->process_id = dt_some(value);
	if (flags & M_HAS_TIMES && dt_bytes_u32(bytes, M_CREATE_TIME, &value) && value)
		dump->process_created = dt_some(value);
	if (flags & M_HAS_TIMES && dt_bytes_u32(bytes, M_USER_TIME, &value))
		dump->process_user = dt_some(value);
	if (flags & M_HAS_TIMES && dt_bytes_u32(bytes, M_KERNEL_TIME, &value))
		dump->process_kernel = dt_some(value);
	if (flags & M_HAS_INTEGRITY && dt_bytes_u32(bytes, M_INTEGRITY, &value))
		dump->integrity = integrity_name(value);
	if (flags & M_HAS_BUILD_STRING && dt_bytes_has(bytes, M_BUILD_STRING, M_BUILD_STRING_LEN))
		dump->build_lab = dt_dump_text16(dump, stream->off + M_BUILD_STRING, M_BUILD_STRING_LEN);
	m->xstate = dt_bytes_clip(bytes, M_XSTATE, M_XSTATE_LEN); /* no flag says whether it is there */
}

/* MINIDUMP_SYSTEM_MEMORY_INFO_1: basic information at 4, performance counters at 0x74, in pages. */
void mdmp_system_memory(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_dump *dump = m->dump;
	uint64_t page = dt_bytes_u32_or(stream->bytes, 0x08, 0), pages = dt_bytes_u32_or(stream->bytes, 0x0c, 0);
	uint64_t committed = dt_bytes_u64_or(stream->bytes, 0x7c, 0);
	uint64_t limit = dt_bytes_u64_or(stream->bytes, 0x84, 0);

	if (page < 0x1000 || page > 0x10000 || page & (page - 1) || pages == 0)
		return;
	dump->memory_bytes = dt_some(page * pages);
	if (committed && committed <= limit && limit < UINT64_C(1) << 44) {
		dump->commit_bytes = dt_some(page * committed);
		dump->commit_limit_bytes = dt_some(page * limit);
	}
}

/* MINIDUMP_PROCESS_VM_COUNTERS_2. */
void mdmp_vm_counters(struct mdmp *m, const struct mdmp_stream *stream)
{
	uint64_t private_bytes;

	if (dt_bytes_u16_or(stream->bytes, 0, 0) == 2 && dt_bytes_u64(stream->bytes, 0x58, &private_bytes) &&
	    private_bytes)
		m->dump->private_bytes = dt_some(private_bytes);
}

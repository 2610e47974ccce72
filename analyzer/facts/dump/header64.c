/*
 * header64.c - DUMP_HEADER64, the first 0x2000 bytes of every 64-bit kernel dump.
 *
 * Offsets: WDK types (wdm, ntddk), kdmp-parser, QEMU's win_dump_defs.h; seen on
 * real dumps. Fields that the writer left alone hold "PAGE" and are not known.
 */
#include <inttypes.h>

#include "facts/dump/reader.h"

enum {
	H_MINOR_VERSION = 0x0c,
	H_DIRECTORY_TABLE = 0x10,
	H_MODULE_LIST = 0x20,
	H_PROCESS_LIST = 0x28,
	H_MACHINE = 0x30,
	H_PROCESSORS = 0x34,
	H_BUGCHECK = 0x38,
	H_PARAMETERS = 0x40,
	H_KDBG = 0x80,
	H_CONTEXT = 0x348,
	H_CONTEXT_END = 0xf00,
	H_DUMP_TYPE = 0xf98,
	H_REQUIRED_SPACE = 0xfa0,
	H_SYSTEM_TIME = 0xfa8,
	H_UPTIME = 0x1030,
	H_PRODUCT_TYPE = 0x1040,
	H_ATTRIBUTES = 0x1050,
};

#define LIVE_SYSTEM_DUMP 0x161u
#define MAX_PROCESSORS 2048 /* 32 groups of 64 */

struct image_machine {
	uint32_t value;
	enum dt_machine machine;
	const char *name;
};

/* IMAGE_FILE_MACHINE_ values of winnt.h that Windows ran on. */
static const struct image_machine image_machines[] = {
	{ 0x8664, DT_MACHINE_X64, "x64" },
	{ 0xaa64, DT_MACHINE_ARM64, "ARM64" },
	{ 0x014c, DT_MACHINE_X86, "x86" },
	{ 0x0200, DT_machine_NULL, "Itanium" },
	{ 0x01c4, DT_machine_NULL, "ARM" },
	{ 0x0184, DT_machine_NULL, "Alpha" },
	{ 0x0166, DT_machine_NULL, "MIPS" },
	{ 0x01f0, DT_machine_NULL, "PowerPC" },
};

enum dt_machine dt_image_machine(uint32_t value, const char **name)
{
	for (size_t i = 0; i < sizeof(image_machines) / sizeof(image_machines[0]); i++) {
		if (image_machines[i].value == value) {
			*name = image_machines[i].name;
			return image_machines[i].machine;
		}
	}
	*name = "";
	return DT_machine_NULL;
}

bool dt_header64_is(struct dt_bytes file, uint32_t type)
{
	return dt_bytes_match(file, 0, "PAGEDU64", 8) && dt_opt_is(dt_field32(file, H_DUMP_TYPE), type);
}

void dt_header_bugcheck(struct dt_dump *dump, uint64_t code_off, uint64_t parameter_off, unsigned width)
{
	struct dt_opt code = dt_field32(dump->file, code_off);

	dump->has_bugcheck = code.known && dt_bytes_has(dump->file, parameter_off, 4 * width);
	if (!dump->has_bugcheck)
		return;
	dump->bugcheck_code = (uint32_t)code.value;
	for (unsigned i = 0; i < 4; i++)
		dump->bugcheck_parameter[i] = width == 8 ? dt_bytes_u64_or(dump->file, parameter_off + 8 * i, 0)
		                                         : dt_bytes_u32_or(dump->file, parameter_off + 4 * i, 0);
}

static struct dt_opt time_field(struct dt_dump *dump, const char *name, uint64_t off)
{
	struct dt_opt value = dt_field64(dump->file, off);

	if (value.known && value.value > INT64_MAX) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header", "%s at 0x%" PRIx64 " is negative: 0x%" PRIx64,
		            name, off, value.value);
		value.known = false;
	}
	value.known = value.known && value.value;
	return value;
}

void dt_header_times(struct dt_dump *dump, uint64_t time_off, uint64_t uptime_off)
{
	struct dt_opt time = time_field(dump, "SystemTime", time_off);

	dump->time = time.known ? time.value : 0;
	dump->uptime = time_field(dump, "SystemUpTime", uptime_off);
}

static void read_processors(struct dt_dump *dump)
{
	struct dt_opt count = dt_field32(dump->file, H_PROCESSORS);

	if (count.known && (count.value == 0 || count.value > MAX_PROCESSORS)) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "NumberProcessors at 0x%x is %" PRIu64 ", expected 1 to %d", H_PROCESSORS,
		            count.value, MAX_PROCESSORS);
		return;
	}
	dump->processors = count;
}

static void read_system(struct dt_dump *dump)
{
	struct dt_opt product = dt_field32(dump->file, H_PRODUCT_TYPE);
	struct dt_opt root = dt_field64(dump->file, H_DIRECTORY_TABLE);

	dump->build = dt_field32(dump->file, H_MINOR_VERSION);
	dump->product_type = product.known && product.value <= 3 ? (unsigned)product.value : 0;
	/* The low bits can hold a PCID, the high ones of ARM64 an ASID. */
	uint64_t mask =
		dump->machine == DT_MACHINE_ARM64 ? UINT64_C(0x0000fffffffff000) : UINT64_C(0x000ffffffffff000);
	dump->directory_table_base = root.known ? root.value & mask : 0;
	read_processors(dump);
	dt_header_times(dump, H_SYSTEM_TIME, H_UPTIME);
}

static void read_context(struct dt_dump *dump)
{
	struct dt_bytes bytes = dt_bytes_clip(dump->file, H_CONTEXT, H_CONTEXT_END - H_CONTEXT);

	if (dt_context_parse(&dump->context, dump->machine, bytes))
		dump->context.source = DT_FAULT_HEADER_CONTEXT;
	else
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "the context record at 0x%x is none of this machine: its flags are 0x%" PRIx32,
		            H_CONTEXT, dt_bytes_u32_or(bytes, dump->machine == DT_MACHINE_X64 ? 0x30 : 0, 0));
}

static void read_liveness(struct dt_dump *dump, const struct dt_header64 *header)
{
	if (dt_header64_has(header, DT_ATTRIBUTE_LIVE) ||
	    (dump->has_bugcheck && dump->bugcheck_code == LIVE_SYSTEM_DUMP))
		dump->live = DT_TRUE;
	else if (header->attributes.known)
		dump->live = DT_FALSE;
	if (dt_header64_has(header, DT_ATTRIBUTE_OFFLINE))
		dump->writer = DT_WRITER_OFFLINE;
	else if (dt_opt_is(header->type, 4) && dt_header64_has(header, DT_ATTRIBUTE_KERNEL_TRIAGE))
		dump->writer = DT_WRITER_KERNEL;
}

enum dt_status dt_header64_read(struct dt_dump *dump, struct dt_header64 *out, struct dt_error *err)
{
	struct dt_opt machine = dt_field32(dump->file, H_MACHINE);
	const char *name;

	*out = (struct dt_header64){
		.type = dt_field32(dump->file, H_DUMP_TYPE),
		.attributes = dt_field32(dump->file, H_ATTRIBUTES),
		.required_space = dt_field64(dump->file, H_REQUIRED_SPACE),
		.kdbg_va = dt_field64(dump->file, H_KDBG),
	};
	dump->format = DT_FORMAT_KERNEL;
	dump->machine = dt_image_machine((uint32_t)machine.value, &name);
	dump->kdbg_va = out->kdbg_va.value;
	dump->module_list_va = dt_field64(dump->file, H_MODULE_LIST).value;
	dump->process_list_va = dt_field64(dump->file, H_PROCESS_LIST).value;
	dt_header_bugcheck(dump, H_BUGCHECK, H_PARAMETERS, 8);
	read_system(dump);
	read_liveness(dump, out);
	if (dump->file.len < DT_HEADER64_SIZE)
		return dt_fail_at(err, DT_ERR_TRUNCATED, dump->file.len,
		                  "kernel dump header: 0x%x bytes expected, the file ends at 0x%zx",
		                  DT_HEADER64_SIZE, dump->file.len);
	if (name[0] && (dump->machine == DT_machine_NULL || dump->machine == DT_MACHINE_X86))
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, H_MACHINE,
		                  "kernel dump header: machine 0x%" PRIx64 " (%s) is not read", machine.value,
		                  name);
	if (dump->machine == DT_machine_NULL)
		return dt_fail_at(err, DT_ERR_FORMAT, H_MACHINE,
		                  "kernel dump header: machine 0x%x, expected 0x8664 (x64) or 0xaa64 (ARM64)",
		                  dt_bytes_u32_or(dump->file, H_MACHINE, 0));
	read_context(dump);
	return DT_OK;
}

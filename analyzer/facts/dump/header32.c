/*
 * header32.c - DUMP_HEADER32: 32-bit kernel dumps, of which only the header is read.
 *
 * Offsets: WDK types, QEMU's win_dump_defs.h, volatility; no real file was at hand.
 */
#include <inttypes.h>

#include "facts/dump/reader.h"

enum {
	H_MINOR_VERSION = 0x0c,
	H_DIRECTORY_TABLE = 0x10,
	H_MACHINE = 0x20,
	H_PROCESSORS = 0x24,
	H_BUGCHECK = 0x28,
	H_PARAMETERS = 0x2c,
	H_CONTEXT = 0x320,
	H_CONTEXT_SIZE = 0x4b0,
	H_DUMP_TYPE = 0xf88,
	H_PRODUCT_TYPE = 0xf94,
	H_UPTIME = 0xfb8,
	H_SYSTEM_TIME = 0xfc0,
};

/* DumpType to kind; types above 7 are 64-bit only. */
static const enum dt_kind kinds[] = {
	DT_kind_NULL,   DT_KIND_FULL,        DT_KIND_SUMMARY,       DT_KIND_HEADER_ONLY,
	DT_KIND_TRIAGE, DT_KIND_FULL_BITMAP, DT_KIND_KERNEL_BITMAP, DT_KIND_BITMAP,
};

bool dt_kernel32_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "PAGEDUMP", 8);
}

static void read_facts(struct dt_dump *dump)
{
	struct dt_opt type = dt_field32(dump->file, H_DUMP_TYPE),
		      product = dt_field32(dump->file, H_PRODUCT_TYPE);
	struct dt_opt processors = dt_field32(dump->file, H_PROCESSORS);
	const char *name;

	dump->format = DT_FORMAT_KERNEL;
	dump->machine = dt_image_machine((uint32_t)dt_field32(dump->file, H_MACHINE).value, &name);
	if (type.known && type.value < sizeof(kinds) / sizeof(kinds[0]))
		dump->kind = kinds[type.value];
	dump->build = dt_field32(dump->file, H_MINOR_VERSION);
	if (processors.value >= 1 && processors.value <= 32)
		dump->processors = processors;
	dump->product_type = product.known && product.value <= 3 ? (unsigned)product.value : 0;
	dump->directory_table_base = dt_field32(dump->file, H_DIRECTORY_TABLE).value & ~UINT64_C(0x1f);
	dt_header_bugcheck(dump, H_BUGCHECK, H_PARAMETERS, 4);
	dt_header_times(dump, H_SYSTEM_TIME, H_UPTIME);
}

enum dt_status dt_kernel32_open(struct dt_dump *dump, struct dt_error *err)
{
	read_facts(dump);
	if (dump->file.len < DT_HEADER32_SIZE)
		return dt_fail_at(err, DT_ERR_TRUNCATED, dump->file.len,
		                  "32-bit kernel dump header: 0x%x bytes expected, the file ends at 0x%zx",
		                  DT_HEADER32_SIZE, dump->file.len);
	if (dump->machine != DT_MACHINE_X86)
		return dt_fail_at(err, DT_ERR_FORMAT, H_MACHINE,
		                  "32-bit kernel dump header: machine 0x%x, expected 0x14c (x86)",
		                  dt_bytes_u32_or(dump->file, H_MACHINE, 0));
	if (dt_context_parse(&dump->context, dump->machine, dt_bytes_clip(dump->file, H_CONTEXT, H_CONTEXT_SIZE)))
		dump->context.source = DT_FAULT_HEADER_CONTEXT;
	dt_dump_missing(dump, "memory: not read by this version (32-bit kernel dump)");
	dt_dump_missing(dump, "modules: not read by this version (32-bit kernel dump)");
	dt_dump_missing(dump, "stack: not read by this version (32-bit kernel dump)");
	return DT_OK;
}

/*
 * kernel32.c - DUMP_HEADER32 and what stands behind it: 32-bit kernel dumps of every type.
 *
 * Offsets: WDK types, QEMU's win_dump_defs.h, volatility; no real file was at hand.
 */
#include <inttypes.h>

#include "facts/dump/body.h"

enum {
	H_MINOR_VERSION = 0x0c,
	H_DIRECTORY_TABLE = 0x10,
	H_MODULE_LIST = 0x18,
	H_PROCESS_LIST = 0x1c,
	H_MACHINE = 0x20,
	H_PROCESSORS = 0x24,
	H_BUGCHECK = 0x28,
	H_PARAMETERS = 0x2c,
	H_PAE = 0x5c,
	H_KDBG = 0x60,
	H_CONTEXT = 0x320,
	H_CONTEXT_SIZE = 0x4b0,
	H_DUMP_TYPE = 0xf88,
	H_PRODUCT_TYPE = 0xf94,
	H_UPTIME = 0xfb8,
	H_SYSTEM_TIME = 0xfc0,
};

static const struct dt_header_shape shape = { DT_HEADER32_SIZE, 0x64, 4, 86 };

enum body { BODY_NONE, BODY_FULL, BODY_SUMMARY, BODY_TRIAGE, BODY_BITMAP };

/* By DumpType; those above 7 are 64-bit only. */
static const struct {
	enum dt_kind kind;
	enum body body;
} types[] = {
	[1] = { DT_KIND_FULL, BODY_FULL },         [2] = { DT_KIND_SUMMARY, BODY_SUMMARY },
	[3] = { DT_KIND_HEADER_ONLY, BODY_NONE },  [4] = { DT_KIND_TRIAGE, BODY_TRIAGE },
	[5] = { DT_KIND_FULL_BITMAP, BODY_BITMAP }, [6] = { DT_KIND_KERNEL_BITMAP, BODY_BITMAP },
	[7] = { DT_KIND_BITMAP, BODY_BITMAP },
};

bool dt_kernel32_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "PAGEDUMP", 8);
}

static void read_facts(struct dt_dump *dump)
{
	struct dt_opt product = dt_field32(dump->file, H_PRODUCT_TYPE), processors = dt_field32(dump->file, H_PROCESSORS);
	const char *name;
	uint8_t pae = 0;

	dump->format = DT_FORMAT_KERNEL;
	dump->machine = dt_image_machine((uint32_t)dt_field32(dump->file, H_MACHINE).value, &name);
	dump->build = dt_field32(dump->file, H_MINOR_VERSION);
	if (processors.value >= 1 && processors.value <= 32)
		dump->processors = processors;
	dump->product_type = product.known && product.value <= 3 ? (unsigned)product.value : 0;
	(void)dt_bytes_u8(dump->file, H_PAE, &pae);
	dump->pae = pae == 1;
	dump->directory_table_base = dt_field32(dump->file, H_DIRECTORY_TABLE).value & ~UINT64_C(0x1f);
	dump->kdbg_va = dt_field32(dump->file, H_KDBG).value;
	dump->module_list_va = dt_field32(dump->file, H_MODULE_LIST).value;
	dump->process_list_va = dt_field32(dump->file, H_PROCESS_LIST).value;
	dt_header_bugcheck(dump, H_BUGCHECK, H_PARAMETERS, 4);
	dt_header_times(dump, H_SYSTEM_TIME, H_UPTIME);
}

static void say_no_body(struct dt_dump *dump, uint32_t type)
{
	dt_dump_cut(dump, "body", "DumpType %u has SDMP or FDMP at 0x%x, found 0x%08" PRIx32, type, shape.size,
	            dt_bytes_u32_or(dump->file, shape.size, 0));
	dt_dump_missing(dump, "memory: the file ends before it, or it was not written");
}

static enum dt_status read_body(struct dt_dump *dump, uint32_t type, struct dt_error *err)
{
	bool has_bitmap = dt_body_has_bitmap(dump->file, &shape);

	switch (types[type].body) {
	case BODY_TRIAGE: return dt_triage32_read(dump, err);
	case BODY_FULL: dt_body_full(dump, &shape); break;
	case BODY_NONE: dt_dump_missing(dump, "memory, modules and stack: this kind of dump has none"); break;
	case BODY_SUMMARY:
	case BODY_BITMAP:
		if (!has_bitmap)
			say_no_body(dump, type);
		else if (types[type].body == BODY_SUMMARY)
			dt_body_summary(dump, &shape);
		else
			dt_body_bitmap(dump, &shape);
		break;
	}
	return DT_OK;
}

enum dt_status dt_kernel32_open(struct dt_dump *dump, struct dt_error *err)
{
	uint32_t type = dt_bytes_u32_or(dump->file, H_DUMP_TYPE, DT_FILL32);
	bool known = type >= 1 && type < sizeof(types) / sizeof(types[0]);

	read_facts(dump);
	if (known)
		dump->kind = types[type].kind;
	if (dump->file.len < DT_HEADER32_SIZE)
		return dt_fail_at(err, DT_ERR_TRUNCATED, dump->file.len,
		                  "32-bit kernel dump header: 0x%x bytes expected, the file ends at 0x%zx",
		                  DT_HEADER32_SIZE, dump->file.len);
	if (dump->machine != DT_MACHINE_X86)
		return dt_fail_at(err, DT_ERR_FORMAT, H_MACHINE,
		                  "32-bit kernel dump header: machine 0x%x, expected 0x14c (x86)",
		                  dt_bytes_u32_or(dump->file, H_MACHINE, 0));
	if (!known)
		return dt_fail_at(err, DT_ERR_FORMAT, H_DUMP_TYPE, "32-bit kernel dump header: DumpType 0x%x, expected 1 to 7", type);
	if (dt_context_parse(&dump->context, dump->machine, dt_bytes_clip(dump->file, H_CONTEXT, H_CONTEXT_SIZE)))
		dump->context.source = DT_FAULT_HEADER_CONTEXT;
	return read_body(dump, type, err);
}

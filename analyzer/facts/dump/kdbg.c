/*
 * kdbg.c - KDDEBUGGER_DATA64 as it stands plain in dumps.
 *
 * Offsets: wdbgexts.h of the Windows SDK. The block grows with Windows versions;
 * a field behind its Size is not there.
 */
#include <stddef.h>

#include "facts/dump/reader.h"

enum {
	KDBG_TAG = 0x10,
	KDBG_SIZE = 0x14,
	KDBG_KERN_BASE = 0x18,
	KDBG_MODULE_LIST = 0x48,
	KDBG_PROCESS_LIST = 0x50,
	KDBG_BUGCHECK_DATA = 0x88,
	KDBG_NT_BUILD_LAB = 0x208,
	KDBG_PROCESSOR_BLOCK = 0x218,
	KDBG_UNLOADED_DRIVERS = 0x220,
	KDBG_LAST_UNLOADED = 0x228,
	KDBG_STACK_LIMIT = 0x340,
	KDBG_STACK_BASE = 0x344,
};
enum { KDBG_MIN_SIZE = 0x290, KDBG_MAX_SIZE = 0x1000 };

struct field16 {
	uint16_t off; /* in the block */
	size_t to;    /* in struct dt_kdbg */
};

#define FIELD(off, name) { off, offsetof(struct dt_kdbg, name) }
static const struct field16 fields[] = {
	FIELD(0x29a, off_kthread_teb),
	FIELD(0x29c, off_kthread_kernel_stack),
	FIELD(0x29e, off_kthread_initial_stack),
	FIELD(0x2a0, off_kthread_apc_process),
	FIELD(0x2a8, size_eprocess),
	FIELD(0x2aa, off_eprocess_peb),
	FIELD(0x2ac, off_eprocess_parent_cid),
	FIELD(0x2ae, off_eprocess_directory_table),
	FIELD(0x2b0, size_prcb),
	FIELD(0x2b4, off_prcb_current_thread),
	FIELD(0x2b6, off_prcb_mhz),
	FIELD(0x2ba, off_prcb_vendor),
	FIELD(0x2be, off_prcb_number),
	FIELD(0x2c0, size_ethread),
	FIELD(0x2e6, off_pcr_contained_prcb),
	FIELD(0x2f2, off_prcb_special_registers),
	FIELD(0x338, off_prcb_context),
};

bool dt_kdbg_parse(struct dt_kdbg *out, struct dt_bytes bytes)
{
	uint32_t size = dt_bytes_u32_or(bytes, KDBG_SIZE, 0);
	uint64_t base = dt_bytes_u64_or(bytes, KDBG_KERN_BASE, 0);

	*out = (struct dt_kdbg){ 0 };
	if (!dt_bytes_match(bytes, KDBG_TAG, "KDBG", 4) || size < KDBG_MIN_SIZE || size > KDBG_MAX_SIZE)
		return false;
	if (base == 0 || base & 0xfff)
		return false;
	struct dt_bytes block = dt_bytes_clip(bytes, 0, size);
	out->valid = true;
	out->size = (uint32_t)block.len;
	out->kern_base = base;
	out->nt_build_lab = dt_bytes_u64_or(block, KDBG_NT_BUILD_LAB, 0);
	out->processor_block = dt_bytes_u64_or(block, KDBG_PROCESSOR_BLOCK, 0);
	out->module_list = dt_bytes_u64_or(block, KDBG_MODULE_LIST, 0);
	out->process_list = dt_bytes_u64_or(block, KDBG_PROCESS_LIST, 0);
	out->bugcheck_data = dt_bytes_u64_or(block, KDBG_BUGCHECK_DATA, 0);
	out->unloaded_drivers = dt_bytes_u64_or(block, KDBG_UNLOADED_DRIVERS, 0);
	out->last_unloaded = dt_bytes_u64_or(block, KDBG_LAST_UNLOADED, 0);
	out->off_kthread_stack_limit = dt_bytes_u32_or(block, KDBG_STACK_LIMIT, 0);
	out->off_kthread_stack_base = dt_bytes_u32_or(block, KDBG_STACK_BASE, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		*(uint16_t *)((char *)out + fields[i].to) = dt_bytes_u16_or(block, fields[i].off, 0);
	return true;
}

void dt_kdbg_narrow(struct dt_kdbg *kdbg)
{
	uint64_t *const pointers[] = { &kdbg->kern_base,    &kdbg->nt_build_lab,  &kdbg->processor_block,  &kdbg->module_list,
		                       &kdbg->process_list, &kdbg->bugcheck_data, &kdbg->unloaded_drivers, &kdbg->last_unloaded };

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		*pointers[i] &= UINT32_MAX;
}

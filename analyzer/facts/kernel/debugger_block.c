/*
 * debugger_block.c - KDDEBUGGER_DATA64 in memory, and what stands in for it.
 *
 * Windows keeps the block encoded while it runs and decodes it when it crashes. A capture of a running machine has it
 * encoded; its keys have no exported name. What is needed of it is known by build as well, and is believed
 * only where the structures that it leads to look like what they should be.
 */
#include <inttypes.h>

#include "facts/kernel/walk.h"

enum { MOST_BLOCK = 0x1000 };

/* Offsets that the block would have told. Sources: the blocks of real dumps (9600, 17763, 19041, 26100, and 22000 on ARM64), and the
 * kernel's type information (14393, 22000). 7601 on x86: published structures, not seen in a dump. */
struct build_row {
	enum dt_machine machine;
	uint32_t build; /* and later ones, up to the next row */
	struct dt_kdbg offsets;
};

#define X64_OFFSETS(peb, parent, prcb, special, context, mhz, vendor, process, thread)                                            \
	{                                                                                                                         \
		.off_eprocess_peb = peb, .off_eprocess_parent_cid = parent, .size_prcb = prcb, .off_prcb_special_registers = special,        \
		.off_prcb_context = context, .off_prcb_mhz = mhz, .off_prcb_vendor = vendor, .size_eprocess = process,              \
		.size_ethread = thread, .off_prcb_current_thread = 8, .off_prcb_number = 0x24, .off_kthread_kernel_stack = 0x58,           \
		.off_kthread_initial_stack = 0x28, .off_kthread_apc_process = 0xb8, .off_kthread_teb = 0xf0, .off_pcr_contained_prcb = 0x180, \
		.off_kthread_stack_limit = 0x30, .off_kthread_stack_base = 0x38, .off_eprocess_directory_table = 0x28,                     \
	}

static const struct build_row rows[] = {
	{ DT_MACHINE_X64, 9600, X64_OFFSETS(0x3e8, 0x3d0, 0x5d80, 0x40, 0x5980, 0x5f4, 0x5f0, 0x6f0, 0x778) },
	{ DT_MACHINE_X64, 14393, X64_OFFSETS(0x3f8, 0x3e0, 0x6700, 0x40, 0x6280, 0x44, 0, 0x7c0, 0x7f8) },
	{ DT_MACHINE_X64, 17763, X64_OFFSETS(0x3f8, 0x3e0, 0x7ec0, 0x100, 0x62c0, 0x44, 0x6290, 0x850, 0x810) },
	{ DT_MACHINE_X64, 18362, X64_OFFSETS(0x3f8, 0x3e8, 0x7ec0, 0x100, 0, 0x44, 0, 0x880, 0x810) },
	{ DT_MACHINE_X64, 19041, X64_OFFSETS(0x550, 0x540, 0xaf00, 0x100, 0x85c0, 0x44, 0x8590, 0xa40, 0x898) },
	{ DT_MACHINE_X64, 22000, X64_OFFSETS(0x550, 0x540, 0xaf00, 0x100, 0x89c0, 0x44, 0, 0xa40, 0x898) },
	{ DT_MACHINE_X64, 26100, X64_OFFSETS(0x2e0, 0x2d0, 0xcf00, 0x100, 0x8fc0, 0x44, 0x8f90, 0x840, 0x788) },
};

static const struct build_row *row_of(const struct dt_dump *dump)
{
	const struct build_row *best = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].machine == dump->machine && dump->build.known && rows[i].build <= dump->build.value)
			best = &rows[i];
	return best;
}

static bool read_block(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	uint64_t va = dt_walk_address(walk, dump->kdbg_va);
	struct dt_bytes bytes = dt_memory_copy(&dump->memory, va, MOST_BLOCK);

	struct dt_kdbg kdbg;

	if (!va || !dt_kdbg_parse(&kdbg, bytes))
		return false;
	dump->kdbg = kdbg;
	dump->kdbg_raw = (struct dt_region){ va, dt_bytes_clip(bytes, 0, dump->kdbg.size) };
	if (walk->width == 4)
		dt_kdbg_narrow(&dump->kdbg);
	return true;
}

static void stand_in(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct build_row *row = row_of(dump);
	uint64_t kern_base = dump->kdbg.kern_base, bugcheck_data = dump->kdbg.bugcheck_data; /* from the kernel's exports */
	const char *absence = dump->kdbg_va ? dt_memory_absence(&dump->memory, dt_walk_address(walk, dump->kdbg_va)) : NULL;

	if (dump->kdbg_va)
		dt_note_add(dump->notes, DT_NOTE_INFO, "debugger data", "the block at 0x%" PRIx64 " is %s%s: what it would tell is taken by the build%s",
		            dump->kdbg_va, absence ? "not in the dump: " : "encoded, as in a running system", absence ? absence : "",
		            row ? "" : ", which is not known");
	else
		dt_note_add(dump->notes, DT_NOTE_INFO, "debugger data", "no plain block in the kernel's image, as in a running system: what it would tell is taken by the build%s",
		            row ? "" : ", which is not known");
	if (row)
		dump->kdbg = row->offsets;
	dump->kdbg.kern_base = kern_base;
	dump->kdbg.bugcheck_data = bugcheck_data;
}

void dt_walk_kdbg(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;

	if (!read_block(walk)) {
		stand_in(walk);
		return;
	}
	if (!dt_walk_is_list(walk, walk->module_list))
		walk->module_list = dump->kdbg.module_list;
	if (!walk->process_list)
		walk->process_list = dump->kdbg.process_list;
}

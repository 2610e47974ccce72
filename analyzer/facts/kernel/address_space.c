/*
 * address_space.c - which page tables, and how many levels they have.
 *
 * The header names the root; nothing in it says whether a machine of x64 walks four or five levels. What every
 * Windows maps decides: the page that it shares with all programs, and its list of modules.
 */
#include <inttypes.h>

#include "facts/kernel/walk.h"
#include "facts/kernel/shared_data.h"

enum { MOST_ROOTS = 16 };

struct way {
	enum dt_machine machine;
	enum dt_paging paging;
};
static const struct way ways[] = {
	{ DT_MACHINE_X64, DT_PAGING_X64_4 }, { DT_MACHINE_X64, DT_PAGING_X64_5 }, { DT_MACHINE_X86, DT_PAGING_X86_PAE },
	{ DT_MACHINE_X86, DT_PAGING_X86 },   { DT_MACHINE_ARM64, DT_PAGING_ARM64 },
};

struct choice {
	uint64_t root;
	enum dt_paging paging;
	unsigned signs; /* how many of the things that must be there are */
};

static unsigned signs_of(struct dt_kernel_walk *walk)
{
	return (unsigned)dt_shared_data_is_there(walk->dump) + (unsigned)dt_walk_is_list(walk, walk->module_list);
}

/* Whether the control register of a capture refutes a number of levels. */
static bool is_refuted(const struct dt_cpu_state *cpu, enum dt_paging paging)
{
	const uint64_t la57 = UINT64_C(1) << 12;

	return cpu && ((paging == DT_PAGING_X64_5 && !(cpu->cr4 & la57)) || (paging == DT_PAGING_X64_4 && (cpu->cr4 & la57)));
}

static void try_way(struct dt_kernel_walk *walk, const struct dt_cpu_state *cpu, uint64_t root, enum dt_paging paging, struct choice *best)
{
	struct dt_memory *memory = &walk->dump->memory;
	struct dt_error err;

	if (best->signs == 2 || is_refuted(cpu, paging) || dt_space_open(&memory->space, &walk->dump->physical, paging, root, &err) != DT_OK)
		return;
	unsigned signs = signs_of(walk);
	if (signs > best->signs)
		*best = (struct choice){ root, paging, signs };
	dt_space_close(memory->space);
	memory->space = NULL;
}

static void try_root(struct dt_kernel_walk *walk, const struct dt_cpu_state *cpu, uint64_t root, struct choice *best)
{
	for (size_t i = 0; root && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].machine == walk->dump->machine)
			try_way(walk, cpu, root, ways[i].paging, best);
}

/* Where programs run on page tables of their own, the kernel's root stands in its processor block. */
static void try_shadowed(struct dt_kernel_walk *walk, const struct dt_cpu_state *cpu, struct choice *best)
{
	enum { KERNEL_ROOT = 0x7000 }; /* KPCR.Prcb.KernelDirectoryTableBase, Windows 10 1803 and later */
	struct dt_memory *memory = &walk->dump->memory;
	struct dt_error err;
	uint64_t root = 0;

	if (best->signs || !cpu->kpcr || dt_space_open(&memory->space, &walk->dump->physical, DT_PAGING_X64_4, cpu->cr3, &err) != DT_OK)
		return;
	(void)dt_memory_u64(memory, cpu->kpcr + KERNEL_ROOT, &root);
	dt_space_close(memory->space);
	memory->space = NULL;
	try_root(walk, cpu, root, best);
}

/* Windows maps each top table into itself, in the kernel's half, so that the tables have addresses. Where nothing names a root, such a table
 * is looked for where machines have their first memory (ARM64 boards from 1 GiB on). */
static const struct {
	uint64_t first, count; /* pages */
} windows[] = { { 0, 0x20000 }, { 0x40000, 0x20000 } };

static bool maps_itself(struct dt_bytes table, uint64_t pfn)
{
	enum { ENTRIES = 512, VALID = 1 };

	for (unsigned i = ENTRIES / 2; i < ENTRIES && table.len == DT_PAGE_SIZE; i++) {
		uint64_t entry = dt_bytes_u64_or(table, 8 * (uint64_t)i, 0);

		if ((entry & VALID) && (entry & UINT64_C(0x0000fffffffff000)) >> DT_PAGE_SHIFT == pfn)
			return true;
	}
	return false;
}

static void try_self_mapped(struct dt_kernel_walk *walk, struct choice *best)
{
	struct dt_dump *dump = walk->dump;
	unsigned tries = 0;

	if (dump->machine == DT_MACHINE_X86)
		return;
	for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++)
		for (uint64_t i = 0; i < windows[w].count && best->signs == 0 && tries < MOST_ROOTS; i++) {
			uint64_t pfn = windows[w].first + i;

			if (pfn >= dump->physical.end >> DT_PAGE_SHIFT)
				break;
			if (!maps_itself(dt_physical_at(&dump->physical, pfn << DT_PAGE_SHIFT), pfn))
				continue;
			tries++;
			try_root(walk, NULL, pfn << DT_PAGE_SHIFT, best);
		}
	if (best->signs)
		dt_note_add(dump->notes, DT_NOTE_INFO, "page tables", "nothing names their root; found at 0x%" PRIx64 ", a table that maps itself", best->root);
}

static struct choice choose(struct dt_kernel_walk *walk)
{
	const struct dt_dump *dump = walk->dump;
	struct choice best = { 0 };

	try_root(walk, NULL, dump->directory_table_base, &best);
	for (size_t i = 0; i < dump->cpu_count && i < MOST_ROOTS && best.signs < 1; i++) {
		try_root(walk, &dump->cpus[i], dump->cpus[i].cr3, &best);
		try_shadowed(walk, &dump->cpus[i], &best);
	}
	if (best.signs == 0)
		try_self_mapped(walk, &best);
	return best;
}

bool dt_walk_space(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	struct dt_error err;
	struct choice choice = choose(walk);

	if (!dt_addrxlat_is_there()) {
		dt_dump_missing(dump, "memory: libaddrxlat.so.3 (Debian: libkdumpfile10) is not installed, no address can be translated");
		return false;
	}
	if (choice.signs == 0) {
		dt_dump_cut(dump, "page tables",
		            "with the root 0x%" PRIx64 " neither the page that Windows shares with programs nor its module list can be found",
		            dump->directory_table_base);
		dt_dump_missing(dump, "virtual memory: its page tables are not in the dump, or not where the header says");
		return false;
	}
	if (dt_space_open(&dump->memory.space, &dump->physical, choice.paging, choice.root, &err) != DT_OK)
		return false;
	if (choice.paging == DT_PAGING_X64_5)
		dt_note_add(dump->notes, DT_NOTE_INFO, "page tables", "5 levels");
	dump->directory_table_base = dt_space_root(dump->memory.space);
	return true;
}

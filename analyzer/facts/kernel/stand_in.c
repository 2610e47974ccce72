/*
 * stand_in.c - what KDDEBUGGER_DATA64 would tell, where the dump does not have it.
 *
 * Sizes and offsets by the build, believed only where the structures that they lead to look like what they should be: the process
 * System is the first of its list, and has the number 4 and its name where the build says; where it has them elsewhere, the offsets are taken
 * from there. The array of the processors' blocks is found among the kernel's variables: each block lies in a region that points to itself.
 */
#include <inttypes.h>

#include "facts/kernel/walk.h"

enum {
	MOST_PROCESSORS = 256,
	MOST_CHECKS = 4096,   /* blocks looked at in the search */
	MOST_PROCESS = 0x800, /* bytes of a process that are searched */
	OLD_BUILD = 9600,     /* up to it UniqueProcessId stands 0xf0 before ParentCID, later 0x100 */
	SYSTEM_PID = 4,
};

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
	{ DT_MACHINE_ARM64, 22000,
	  { .off_eprocess_peb = 0x508, .off_eprocess_parent_cid = 0x4f8, .size_prcb = 0x9680, .off_prcb_special_registers = 0x40, .off_prcb_context = 0x8a0,
	    .off_prcb_mhz = 0x6f4, .size_eprocess = 0xc80, .size_ethread = 0x910, .off_prcb_current_thread = 8, .off_prcb_number = 0x24,
	    .off_kthread_kernel_stack = 0x58, .off_kthread_initial_stack = 0x28, .off_kthread_apc_process = 0xb0, .off_kthread_teb = 0xe8,
	    .off_pcr_contained_prcb = 0x980, .off_kthread_stack_limit = 0x30, .off_kthread_stack_base = 0x38, .off_eprocess_directory_table = 0x28 } },
	{ DT_MACHINE_X86, 7601,
	  { .off_eprocess_peb = 0x1a8, .off_eprocess_parent_cid = 0x140, .size_prcb = 0x3628, .off_prcb_special_registers = 0x2ec, .off_prcb_context = 0x3620,
	    .off_prcb_mhz = 0x3c4, .off_prcb_vendor = 0x3bc, .size_eprocess = 0x2c0, .size_ethread = 0x2b8, .off_prcb_current_thread = 4,
	    .off_prcb_number = 0x3cc, .off_kthread_kernel_stack = 0x30, .off_kthread_initial_stack = 0x28, .off_kthread_apc_process = 0x50,
	    .off_kthread_teb = 0x88, .off_pcr_contained_prcb = 0x120, .off_eprocess_directory_table = 0x18 } },
};

static const struct build_row *row_of(const struct dt_dump *dump)
{
	const struct build_row *best = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].machine == dump->machine && dump->build.known && rows[i].build <= dump->build.value)
			best = &rows[i];
	return best;
}


/* ---- the process System proves where a process has its number and its name ------------------- */

static uint32_t pid_distance(const struct dt_kernel_walk *walk)
{
	return walk->width == 4 ? 0x8c : walk->dump->build.value <= OLD_BUILD ? 0xf0 : 0x100;
}

static bool is_system(const struct dt_kernel_walk *walk, struct dt_bytes process, uint32_t parent_cid)
{
	static const uint16_t names[] = { 0x68, 0x70, 0x2c };
	uint64_t pid = walk->width == 4 ? dt_bytes_u32_or(process, parent_cid - pid_distance(walk), 0) :
	                                  dt_bytes_u64_or(process, parent_cid - pid_distance(walk), 0);

	for (size_t i = 0; pid == SYSTEM_PID && i < sizeof(names) / sizeof(names[0]); i++)
		if (dt_bytes_match(process, (uint64_t)parent_cid + names[i], "System", 7))
			return true;
	return false;
}

/* PsInitialSystemProcess by the kernel's exports; 0 where they are not in the dump. */
static uint64_t system_by_export(const struct dt_kernel_walk *walk)
{
	struct dt_image image;
	uint64_t va, process;

	if (!walk->dump->kdbg.kern_base || !dt_image_open(&image, &walk->dump->memory, walk->dump->kdbg.kern_base) ||
	    !dt_image_export(&image, "PsInitialSystemProcess", &va) || !dt_walk_kernel_pointer(walk, va, &process))
		return 0;
	return process;
}

/* The first of the list, by the offset of its links that the build says. */
static uint64_t system_by_list(const struct dt_kernel_walk *walk, uint32_t parent_cid)
{
	uint64_t links;

	if (!parent_cid || !dt_walk_is_list(walk, walk->process_list) || !dt_walk_kernel_pointer(walk, walk->process_list, &links))
		return 0;
	return links - (parent_cid - pid_distance(walk) + walk->width);
}

/* A dispatcher object of the kind of processes, with page tables. The list alone proves only how far number, links and name are apart. */
static bool begins_process(const struct dt_kernel_walk *walk, struct dt_bytes process)
{
	uint16_t root = walk->dump->kdbg.off_eprocess_directory_table;

	return process.len && (process.data[0] & 0x7f) == 3 && dt_bytes_u32_or(process, root, 0) >= DT_PAGE_SIZE;
}

static struct dt_bytes read_process(const struct dt_kernel_walk *walk, uint64_t va)
{
	return va ? dt_memory_copy(&walk->dump->memory, va, MOST_PROCESS) : (struct dt_bytes){ 0 };
}

/* Where the one number and name of System are that stand as far apart as they do in every build; 0 where that is not told. */
static uint16_t find_parent_cid(const struct dt_kernel_walk *walk, struct dt_bytes process)
{
	uint16_t found = 0;

	for (uint32_t at = pid_distance(walk) + walk->width; at < process.len; at += walk->width) {
		if (!is_system(walk, process, at))
			continue;
		if (found)
			return 0;
		found = (uint16_t)at;
	}
	return found;
}

/* Keeps, corrects or drops what the build says of processes. */
static void check_process(struct dt_kernel_walk *walk)
{
	struct dt_kdbg *kdbg = &walk->dump->kdbg;
	uint16_t told = kdbg->off_eprocess_parent_cid, found;
	struct dt_bytes system = read_process(walk, system_by_export(walk)), first = read_process(walk, system_by_list(walk, told));

	if (told && is_system(walk, system.len ? system : first, told) && (system.len || begins_process(walk, first)))
		return;
	found = find_parent_cid(walk, system);
	if (found) {
		/* Peb stands behind ParentCID in all builds, and as far. */
		kdbg->off_eprocess_peb = (uint16_t)(kdbg->off_eprocess_peb ? kdbg->off_eprocess_peb - told + found : 0);
		kdbg->off_eprocess_parent_cid = found;
		dt_note_add(walk->dump->notes, DT_NOTE_INFO, "debugger data", "where a process has its number and name was found in the process System: 0x%x", found);
	} else if (system.len || first.len) {
		kdbg->off_eprocess_parent_cid = 0;
		if (told)
			dt_note_add(walk->dump->notes, DT_NOTE_WARNING, "debugger data",
			            "what the build says of processes does not fit the process System: names and numbers of processes are not known");
	}
}

/* ---- the array of the processors' blocks, KiProcessorBlock ---------------------------------------- */

struct search {
	const struct dt_kernel_walk *walk;
	uint32_t in_page;  /* where in its page a block begins */
	uint64_t wanted;   /* processors */
	unsigned checks;
	uint64_t best;     /* address of the array */
	uint32_t best_len; /* blocks in it */
};

/* KPCR: Self, and on x86 and x64 CurrentPrcb behind it. */
static bool is_block(struct search *s, uint64_t va, uint32_t number)
{
	const struct dt_kdbg *kdbg = &s->walk->dump->kdbg;
	uint64_t region = va - kdbg->off_pcr_contained_prcb, self, current, at = region + (s->walk->width == 4 ? 0x1c : 0x18);
	uint32_t told;

	s->checks++;
	if (!dt_memory_u32(&s->walk->dump->memory, va + kdbg->off_prcb_number, &told) || told != number ||
	    !dt_walk_kernel_pointer(s->walk, at, &self) || self != region)
		return false;
	return s->walk->dump->machine == DT_MACHINE_ARM64 || (dt_walk_pointer(s->walk, at + s->walk->width, &current) && current == va);
}

static uint32_t length_of_array(struct search *s, uint64_t va)
{
	uint32_t n = 0;
	uint64_t block;

	while (n < MOST_PROCESSORS && s->checks < MOST_CHECKS && dt_walk_kernel_pointer(s->walk, va + (uint64_t)n * s->walk->width, &block) &&
	       is_block(s, block, n))
		n++;
	return n;
}

static void search_page(struct search *s, uint64_t va)
{
	const struct dt_memory *memory = &s->walk->dump->memory;
	struct dt_bytes page = dt_memory_view_page(memory, va);

	for (uint64_t off = 0; off + s->walk->width <= page.len && s->checks < MOST_CHECKS; off += s->walk->width) {
		uint64_t word = s->walk->width == 8 ? dt_bytes_u64_or(page, off, 0) : dt_bytes_u32_or(page, off, 0);

		if (word % DT_PAGE_SIZE != s->in_page || !dt_address_is_kernel(s->walk->dump->machine, word))
			continue;
		uint32_t n = length_of_array(s, va + off);
		if (n > s->best_len) {
			s->best = va + off;
			s->best_len = n;
		}
		page = dt_memory_view_page(memory, va); /* reads may have put other bytes in the place of the page's */
	}
}

static void find_processors(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	struct search s = { .walk = walk, .in_page = dump->kdbg.off_pcr_contained_prcb % DT_PAGE_SIZE, .wanted = dump->processors.value };
	struct dt_image_section section;
	struct dt_image image;
	uint32_t searched = 0;

	if (!dump->kdbg.kern_base || !dump->kdbg.off_pcr_contained_prcb || !dt_image_open(&image, &dump->memory, dump->kdbg.kern_base))
		return;
	for (unsigned i = 0; dt_image_section(&image, i, &section); i++)
		for (uint32_t off = 0; section.writable && off < section.size && searched < DT_MAX_SECTION_SEARCH; off += DT_PAGE_SIZE) {
			if (s.best_len && s.best_len >= s.wanted && s.wanted)
				break;
			searched += DT_PAGE_SIZE;
			search_page(&s, image.base + section.rva + off);
		}
	if (!s.best && searched >= DT_MAX_SECTION_SEARCH)
		dt_note_add(dump->notes, DT_NOTE_INFO, "processors", "no list of them in the first %u bytes of the kernel's writable sections", searched);
	dump->kdbg.processor_block = s.best;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

/* What the kernel exports, where its base is known. */
static void take_exports(struct dt_kernel_walk *walk)
{
	struct dt_kdbg *kdbg = &walk->dump->kdbg;
	struct dt_image image;
	uint64_t va;

	if (!kdbg->kern_base || !dt_image_open(&image, &walk->dump->memory, kdbg->kern_base))
		return;
	if (dt_image_export(&image, "NtBuildLab", &va))
		kdbg->nt_build_lab = va;
}

static void say(struct dt_kernel_walk *walk, const struct build_row *row)
{
	struct dt_dump *dump = walk->dump;
	const char *absence = dump->kdbg_va ? dt_memory_absence(&dump->memory, dt_walk_address(walk, dump->kdbg_va)) : NULL;

	if (dump->kdbg_va)
		dt_note_add(dump->notes, DT_NOTE_INFO, "debugger data", "the block at 0x%" PRIx64 " is %s%s: what it would tell is taken by the build%s",
		            dump->kdbg_va, absence ? "not in the dump: " : "none, or encoded in a way that is not known", absence ? absence : "",
		            row ? "" : ", which is not known");
	else
		dt_note_add(dump->notes, DT_NOTE_INFO, "debugger data", "no block in the kernel's image: what it would tell is taken by the build%s",
		            row ? "" : ", which is not known");
}

void dt_walk_stand_in(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct build_row *row = row_of(dump);
	uint64_t kern_base = dump->kdbg.kern_base, bugcheck_data = dump->kdbg.bugcheck_data; /* of the kernel's image */

	say(walk, row);
	if (row)
		dump->kdbg = row->offsets;
	dump->kdbg.kern_base = kern_base;
	dump->kdbg.bugcheck_data = bugcheck_data;
	take_exports(walk);
	check_process(walk);
	find_processors(walk);
}

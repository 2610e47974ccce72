/*
 * guest.c - the kernel of a virtual machine that a hypervisor captured.
 *
 * A capture has no header of Windows. The processor's own tables lead to the kernel: the handler of interrupt 0 lies in
 * it, and its image begins some pages below. What it exports by name (NtBuildNumber, KiBugCheckData, PsLoadedModuleList) is read from there.
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/kernel/walk.h"

enum {
	MOST_PAGES_BELOW = 0x4000, /* 64 MiB: kernels have 10 to 20 */
	MOST_CPUS_TRIED = 4, /* all of a machine's processors have the same kernel */
	MOST_TAGS = 64,      /* words that look like a debugger block's tag */
	GATE = 16,
	KPCR_SELF = 0x18,
	KPCR_VERSION_BLOCK = 0x108,
	VERSION_MODULE_LIST = 0x18,
	VERSION_DEBUGGER_LIST = 0x20,
};

bool dt_walk_find_image(const struct dt_kernel_walk *walk, uint64_t inside, struct dt_image *out)
{
	uint64_t va = inside & ~(uint64_t)(DT_PAGE_SIZE - 1);
	uint8_t mz[2];

	for (unsigned i = 0; i < MOST_PAGES_BELOW && dt_address_is_kernel(walk->dump->machine, va); i++, va -= DT_PAGE_SIZE) {
		if (!dt_memory_read_all(&walk->dump->memory, va, mz, 2) || mz[0] != 'M' || mz[1] != 'Z' ||
		    !dt_image_open(out, &walk->dump->memory, va))
			continue;
		const char *name = dt_image_export_name(out, walk->dump->arena);
		if (name && dt_text_equal_fold(name, "ntoskrnl.exe"))
			return true;
	}
	return false;
}

/* The handler of interrupt 0, in the three pieces of a gate. */
static bool first_handler(const struct dt_kernel_walk *walk, uint64_t idt, uint64_t *out)
{
	uint8_t raw[GATE];
	struct dt_bytes gate = { raw, sizeof(raw) };

	if (!idt || !dt_memory_read_all(&walk->dump->memory, idt, raw, sizeof(raw)))
		return false;
	*out = dt_bytes_u16_or(gate, 0, 0) | (uint64_t)dt_bytes_u16_or(gate, 6, 0) << 16 | (uint64_t)dt_bytes_u32_or(gate, 8, 0) << 32;
	return dt_address_is_kernel(walk->dump->machine, *out);
}

static bool find_kernel(const struct dt_kernel_walk *walk, struct dt_image *out)
{
	const struct dt_dump *dump = walk->dump;
	uint64_t handler;

	for (size_t i = 0; i < dump->cpu_count && i < MOST_CPUS_TRIED; i++) {
		struct dt_opt ip = dt_context_ip(&dump->cpus[i].context);

		if (first_handler(walk, dump->cpus[i].idt, &handler) && dt_walk_find_image(walk, handler, out))
			return true;
		if (ip.known && dt_address_is_kernel(dump->machine, ip.value) && dt_walk_find_image(walk, ip.value, out))
			return true;
	}
	return false;
}

static void take_exports(struct dt_kernel_walk *walk, const struct dt_image *image)
{
	struct dt_dump *dump = walk->dump;
	uint64_t va;
	uint32_t build;

	dump->kdbg.kern_base = image->base;
	if (dt_image_export(image, "NtBuildNumber", &va) && dt_memory_u32(&dump->memory, va, &build) && (build & 0x0fffffff))
		dump->build = dt_some(build & 0x0fffffff);
	if (dt_image_export(image, "PsLoadedModuleList", &va))
		walk->module_list = va;
	if (dt_image_export(image, "KiBugCheckData", &va))
		dump->kdbg.bugcheck_data = va;
}

/* The version block of the processor region, where the kernel still fills it. */
static void take_version_block(struct dt_kernel_walk *walk)
{
	uint64_t block, list, data;

	if (!walk->kpcr || !dt_walk_kernel_pointer(walk, walk->kpcr + KPCR_VERSION_BLOCK, &block))
		return;
	if (!dt_walk_is_list(walk, walk->module_list))
		(void)dt_walk_kernel_pointer(walk, block + VERSION_MODULE_LIST, &walk->module_list);
	if (dt_walk_kernel_pointer(walk, block + VERSION_DEBUGGER_LIST, &list) && dt_walk_kernel_pointer(walk, list, &data))
		walk->dump->kdbg_va = data;
}

/* Looks at what follows each tag in a page; true when one is the kernel's block. An encoded block has no tag to be seen. */
static bool search_page(struct dt_kernel_walk *walk, uint64_t page_va, unsigned *tags)
{
	struct dt_dump *dump = walk->dump;
	struct dt_bytes page = dt_memory_view_page(&dump->memory, page_va);
	uint8_t raw[0x400];
	struct dt_kdbg kdbg;

	for (size_t at = 0x10; at + 4 <= page.len && *tags < MOST_TAGS; at += 8) {
		uint64_t va = page_va + at - 0x10;

		if (!dt_bytes_match(page, at, "KDBG", 4))
			continue;
		(*tags)++;
		struct dt_bytes block = { raw, dt_memory_read(&dump->memory, va, raw, sizeof(raw)) };
		if (dt_kdbg_parse(&kdbg, block) && kdbg.kern_base == dump->kdbg.kern_base) {
			dump->kdbg_va = va;
			return true;
		}
		/* The read may have put other bytes in the place of the page's. */
		page = dt_memory_view_page(&dump->memory, page_va);
	}
	dump->kdbg_va = dt_walk_find_encoded(walk, page_va, page);
	return dump->kdbg_va != 0;
}

/* The debugger block stands in a writable section. */
static void search_debugger_block(struct dt_kernel_walk *walk, const struct dt_image *image)
{
	struct dt_image_section section;
	uint32_t searched = 0;
	unsigned tags = 0;

	for (unsigned i = 0; !walk->dump->kdbg_va && dt_image_section(image, i, &section); i++) {
		for (uint32_t off = 0; section.writable && off < section.size && searched < DT_MAX_SECTION_SEARCH; off += DT_PAGE_SIZE) {
			searched += DT_PAGE_SIZE;
			if (search_page(walk, image->base + section.rva + off, &tags))
				return;
		}
	}
	if (searched >= DT_MAX_SECTION_SEARCH)
		dt_note_add(walk->dump->notes, DT_NOTE_INFO, "debugger data", "no block in the first %u bytes of the kernel's writable sections", searched);
}

static void take_processor(struct dt_kernel_walk *walk)
{
	const struct dt_dump *dump = walk->dump;
	uint64_t self;

	for (size_t i = 0; !walk->kpcr && i < dump->cpu_count; i++)
		if (dt_walk_kernel_pointer(walk, dump->cpus[i].kpcr + KPCR_SELF, &self) && self == dump->cpus[i].kpcr)
			walk->kpcr = self;
}

void dt_walk_guest(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	struct dt_image image;

	if (dump->format != DT_FORMAT_CAPTURE)
		return;
	take_processor(walk);
	if (find_kernel(walk, &image)) {
		take_exports(walk, &image);
		take_version_block(walk);
		search_debugger_block(walk, &image);
	} else {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "kernel", "no image of ntoskrnl.exe below the handlers of the processors' interrupts");
		dt_dump_missing(dump, "kernel: its image could not be found in memory");
		take_version_block(walk);
	}
}

/* ---- the stop code of a capture ------------------------------------------------ */

/* Which processor to show: the one whose fault address is the stop code's; else the one that runs in the kernel. */
static const struct dt_cpu_state *crashed_cpu(const struct dt_dump *dump)
{
	const struct dt_cpu_state *best = dump->cpu_count ? &dump->cpus[0] : NULL;

	for (size_t i = dump->cpu_count; i-- > 0;)
		if (dt_address_is_kernel(dump->machine, dt_context_ip(&dump->cpus[i].context).value))
			best = &dump->cpus[i];
	for (size_t i = 0; dump->has_bugcheck && i < dump->cpu_count; i++)
		if (dump->cpus[i].cr2 && dump->cpus[i].cr2 == dump->bugcheck_parameter[0])
			return &dump->cpus[i];
	return best;
}

static void read_bugcheck(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	uint64_t words[5] = { 0 };

	if (!dump->kdbg.bugcheck_data) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "kernel", "where it keeps the stop code is not known: whether it crashed cannot be said");
		return;
	}
	for (unsigned i = 0; i < 5; i++)
		if (!dt_walk_pointer(walk, dump->kdbg.bugcheck_data + (uint64_t)i * walk->width, &words[i]))
			return;
	dump->live = words[0] == 0 ? DT_TRUE : DT_FALSE;
	if (words[0] == 0)
		return;
	dump->has_bugcheck = true;
	dump->bugcheck_code = (uint32_t)words[0];
	for (unsigned i = 0; i < 4; i++)
		dump->bugcheck_parameter[i] = words[i + 1];
}

void dt_walk_bugcheck(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct dt_cpu_state *cpu;

	if (dump->format != DT_FORMAT_CAPTURE)
		return;
	read_bugcheck(walk);
	if (!(cpu = crashed_cpu(dump)))
		return;
	dump->context = cpu->context;
	dump->context.source = DT_FAULT_HEADER_CONTEXT;
	walk->kpcr = cpu->kpcr ? cpu->kpcr : walk->kpcr;
}

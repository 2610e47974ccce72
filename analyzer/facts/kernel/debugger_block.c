/*
 * debugger_block.c - KDDEBUGGER_DATA64 in memory: plain, decoded, or what stands in for it.
 *
 * Windows keeps the block encoded while it runs and decodes it when it crashes. A capture of a running machine and a tool's dump have
 * it encoded; encoded_block.c decodes it. Where it is not in the dump, or is not encoded as we know, stand_in.c
 * finds what it would tell.
 */
#include <inttypes.h>

#include "facts/kernel/walk.h"

enum { MOST_BLOCK = 0x1000 };

/* The kernel is the first image of its list, and the list's head one of its variables. */
static void find_base(struct dt_kernel_walk *walk)
{
	const uint16_t dll_base = walk->width == 8 ? 0x30 : 0x18; /* KLDR_DATA_TABLE_ENTRY */
	struct dt_image image;
	uint64_t first, base;

	if (walk->dump->kdbg.kern_base || !dt_walk_is_list(walk, walk->module_list) ||
	    !dt_walk_kernel_pointer(walk, walk->module_list, &first) || !dt_walk_kernel_pointer(walk, first + dll_base, &base) ||
	    base % DT_PAGE_SIZE || !dt_image_open(&image, &walk->dump->memory, base) || walk->module_list < base ||
	    walk->module_list - base >= image.size)
		return;
	walk->dump->kdbg.kern_base = base;
}

static struct dt_bytes plain_block(struct dt_kernel_walk *walk, struct dt_bytes bytes)
{
	struct dt_dump *dump = walk->dump;
	struct dt_kdbg kdbg;

	if (dt_kdbg_parse(&kdbg, bytes))
		return bytes;
	bytes = dt_walk_decode(walk, bytes);
	if (bytes.len)
		dt_note_add(dump->notes, DT_NOTE_INFO, "debugger data", "the block at 0x%" PRIx64 " is encoded, as in a running system; it was decoded",
		            dump->kdbg_va);
	return bytes;
}

static bool read_block(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	uint64_t va = dt_walk_address(walk, dump->kdbg_va);
	struct dt_kdbg kdbg;

	if (!va)
		return false;
	struct dt_bytes bytes = plain_block(walk, dt_memory_copy(&dump->memory, va, MOST_BLOCK));
	if (!dt_kdbg_parse(&kdbg, bytes))
		return false;
	dump->kdbg = kdbg;
	dump->kdbg_raw = (struct dt_region){ va, dt_bytes_clip(bytes, 0, dump->kdbg.size) };
	if (walk->width == 4)
		dt_kdbg_narrow(&dump->kdbg);
	return true;
}

void dt_walk_kdbg(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;

	find_base(walk);
	if (!read_block(walk)) {
		dt_walk_stand_in(walk);
		return;
	}
	if (!dt_walk_is_list(walk, walk->module_list))
		walk->module_list = dump->kdbg.module_list;
	if (!dt_walk_is_list(walk, walk->process_list))
		walk->process_list = dump->kdbg.process_list;
}

/*
 * modules.c - PsLoadedModuleList: the images that Windows had loaded.
 *
 * The list is followed as far as each entry points back to where the walk came from; so a list that leads into itself, or
 * somewhere else, ends there. Then it is followed from its other end. Entry offsets: KLDR_DATA_TABLE_ENTRY of the WDK and the kernel's type
 * information (Windows 7 to 11).
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/kernel/walk.h"

struct layout {
	uint16_t base, size, full_name, base_name, checksum, timestamp;
};
static const struct layout layout64 = { 0x30, 0x40, 0x48, 0x58, 0x78, 0x9c };
static const struct layout layout32 = { 0x18, 0x20, 0x24, 0x2c, 0x40, 0 };

static struct dt_opt number(const struct dt_kernel_walk *walk, uint64_t va, uint16_t off)
{
	uint32_t value;

	if (!off || !dt_memory_u32(&walk->dump->memory, va + off, &value) || value == 0)
		return (struct dt_opt){ 0 };
	return dt_some(value);
}

/* The header in memory says which build of the image it is, where the list does not. */
static void read_header(const struct dt_kernel_walk *walk, struct dt_module *out)
{
	struct dt_arena *arena = walk->dump->arena;
	struct dt_image_version version;
	struct dt_image image;

	if (!dt_image_open(&image, &walk->dump->memory, out->base.value))
		return;
	if (!out->size.known || out->size.value == 0)
		out->size = dt_some(image.size);
	if (image.timestamp)
		out->timestamp = dt_some(image.timestamp);
	if (image.checksum)
		out->checksum = dt_some(image.checksum);
	out->debug_id = dt_image_debug_id(&image, arena);
	if (dt_image_version(&image, arena, &version)) {
		out->version = version.file_version;
		out->company = version.company;
	}
}

static bool read_entry(const struct dt_kernel_walk *walk, uint64_t entry, struct dt_module *out)
{
	const struct layout *layout = walk->width == 8 ? &layout64 : &layout32;
	uint64_t base;

	if (!dt_walk_kernel_pointer(walk, entry + layout->base, &base) || base % DT_PAGE_SIZE)
		return false;
	*out = (struct dt_module){ .base = dt_some(base) };
	out->size = number(walk, entry, layout->size);
	out->checksum = number(walk, entry, layout->checksum);
	out->timestamp = number(walk, entry, layout->timestamp);
	const char *path = dt_walk_string(walk, entry + layout->full_name), *name = dt_walk_string(walk, entry + layout->base_name);
	out->name = name ? name : dt_text_basename(path);
	out->path = path && path != dt_text_basename(path) ? path : NULL;
	read_header(walk, out);
	out->size.known = true;
	return true;
}

/* One direction of the list. */
struct direction {
	unsigned forth, back; /* offsets of the links in an entry */
};

/* Takes entries until the head comes again, the cap is reached, or a link cannot be followed. Gives the last entry that was taken;
 * *whole says whether the head was reached. stop: the entry at which the other direction ended, or 0. */
static uint64_t follow(struct dt_kernel_walk *walk, struct direction d, uint64_t stop, bool *whole)
{
	struct dt_dump *dump = walk->dump;
	uint64_t at = walk->module_list, next, back;

	*whole = false;
	for (unsigned steps = 0; steps < DT_MAX_MODULES && dump->module_count < DT_MAX_MODULES; steps++) {
		if (!dt_walk_kernel_pointer(walk, at + d.forth, &next))
			return at;
		if (next == walk->module_list || next == stop) {
			*whole = true;
			return at;
		}
		if (!dt_walk_pointer(walk, next + d.back, &back) || back != at)
			return at;
		if (read_entry(walk, next, &dump->modules[dump->module_count]))
			dump->module_count++;
		at = next;
	}
	return at;
}

static void say_broken(struct dt_kernel_walk *walk, uint64_t at, bool rest)
{
	const char *absence = dt_memory_absence(&walk->dump->memory, at);

	dt_note_add(walk->dump->notes, DT_NOTE_WARNING, "module list",
	            "cannot be followed behind the entry at 0x%" PRIx64 "%s%s; it was %s from its end", at, absence ? ": " : "",
	            absence ? absence : "", rest ? "read" : "followed as far as possible");
	dt_dump_missing(walk->dump, "some modules: the list of them is broken, or not all in the dump");
}

/* Before the walk of PsLoadedModuleList the only image known by name is the kernel. */
static void kernel_alone(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	struct dt_image image;

	dt_dump_missing(dump, "modules: their list is not in the dump");
	if (!dump->kdbg.kern_base || !dt_image_open(&image, &dump->memory, dump->kdbg.kern_base))
		return;
	struct dt_module *kernel = &dump->modules[dump->module_count++];
	*kernel = (struct dt_module){ .base = dt_some(image.base), .size = dt_some(image.size), .name = dt_image_export_name(&image, dump->arena) };
	read_header(walk, kernel);
}

void dt_walk_modules(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct direction forth = { 0, walk->width }, back = { walk->width, 0 };
	bool whole, rest;

	dump->modules = DT_ARENA_ARRAY(dump->arena, DT_MAX_MODULES, struct dt_module);
	if (!dump->modules)
		return;
	if (!dt_walk_is_list(walk, walk->module_list)) {
		kernel_alone(walk);
		return;
	}
	uint64_t end = follow(walk, forth, 0, &whole);
	if (whole)
		return;
	if (dump->module_count == DT_MAX_MODULES) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "module list", "more than %d modules; the rest is not read", DT_MAX_MODULES);
		return;
	}
	(void)follow(walk, back, end, &rest);
	say_broken(walk, end, rest);
}

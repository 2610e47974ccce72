#include "facts/kernel/walk.h"

#include "core/base/text.h"

uint64_t dt_walk_address(const struct dt_kernel_walk *walk, uint64_t value)
{
	return walk->width == 4 ? value & UINT32_MAX : value;
}

bool dt_walk_pointer(const struct dt_kernel_walk *walk, uint64_t va, uint64_t *out)
{
	uint32_t word;

	if (walk->width == 8)
		return dt_memory_u64(&walk->dump->memory, va, out);
	if (!dt_memory_u32(&walk->dump->memory, va, &word))
		return false;
	*out = word;
	return true;
}

bool dt_walk_kernel_pointer(const struct dt_kernel_walk *walk, uint64_t va, uint64_t *out)
{
	uint64_t value;

	if (!dt_walk_pointer(walk, va, &value) || !dt_address_is_kernel(walk->dump->machine, value))
		return false;
	*out = value;
	return true;
}

const char *dt_walk_string(const struct dt_kernel_walk *walk, uint64_t va)
{
	uint8_t head[2], text[DT_MAX_DUMP_STRING];
	uint64_t buffer;

	if (!dt_memory_read_all(&walk->dump->memory, va, head, sizeof(head)) ||
	    !dt_walk_pointer(walk, va + walk->width, &buffer) || !buffer)
		return NULL;
	size_t len = (size_t)(head[0] | head[1] << 8) & ~(size_t)1;
	if (len > sizeof(text))
		dt_note_add(walk->dump->notes, DT_NOTE_WARNING, "names", "a name of more than %d bytes is not read", DT_MAX_DUMP_STRING);
	if (len == 0 || len > sizeof(text) || !dt_memory_read_all(&walk->dump->memory, buffer, text, len))
		return NULL;
	return dt_dump_wide_text(walk->dump, (struct dt_bytes){ text, len });
}

bool dt_walk_is_list(const struct dt_kernel_walk *walk, uint64_t head)
{
	uint64_t first, back;

	return head && dt_walk_kernel_pointer(walk, head, &first) && dt_walk_kernel_pointer(walk, first + walk->width, &back) && back == head;
}

/* "19041.1.amd64fre.vb_release.191206-1406" */
static void build_lab(struct dt_kernel_walk *walk)
{
	walk->dump->build_lab = dt_dump_build_lab(walk->dump);
}

static void (*const steps[])(struct dt_kernel_walk *walk) = {
	dt_walk_shared, dt_walk_guest, dt_walk_kdbg, dt_walk_bugcheck, dt_walk_modules, dt_walk_unloaded, dt_walk_processors, dt_walk_stack, build_lab, dt_walk_host,
};

void dt_kernel_read(struct dt_dump *dump)
{
	struct dt_kernel_walk walk = {
		.dump = dump,
		.width = dump->machine == DT_MACHINE_X86 ? 4 : 8,
		.module_list = dump->module_list_va,
		.process_list = dump->process_list_va,
	};

	if (!dt_physical_is_set(&dump->physical) || !dt_walk_space(&walk))
		return;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		steps[i](&walk);
	dt_dump_index_modules(dump);
}

/*
 * triage64.c - the small kernel dump: PAGEDU64, DumpType 4.
 *
 * Behind the header stands a table of file offsets, TRIAGE_DUMP64, and behind
 * it the parts in any order. Two writers make such files, the kernel while it
 * crashes and a tool that converts a bigger dump later. Neither's habits are
 * relied upon. The end of the triage part is marked TRGD.
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/dump/reader.h"

enum {
	T_BASE = 0x2000,
	T_SIZE = 0x80,
	T_SIZE_OF_DUMP = 0x2004,
	T_VALID_OFFSET = 0x2008,
	T_MM = 0x2014,
	T_UNLOADED = 0x2018,
	T_PRCB = 0x201c,
	T_PROCESS = 0x2020,
	T_THREAD = 0x2024,
	T_STACK = 0x2028,
	T_STACK_SIZE = 0x202c,
	T_DRIVERS = 0x2030,
	T_DRIVER_COUNT = 0x2034,
	T_BROKEN_DRIVER = 0x2040,
	T_OPTIONS = 0x2044,
	T_TOP_OF_STACK = 0x2048,
	T_DATA_PAGE_VA = 0x2060,
	T_DATA_PAGE = 0x2068,
	T_DATA_PAGE_SIZE = 0x206c,
	T_KDBG = 0x2070,
	T_KDBG_SIZE = 0x2074,
	T_BLOCKS = 0x2078,
	T_BLOCK_COUNT = 0x207c,
};

enum { DRIVER_STRIDE = 0x90, UNLOADED_STRIDE = 0x38, BLOCK_STRIDE = 0x10, MM_SIZE = 0x50, MM_SIZE_FIELD = 4 };
enum { OPTIONS_KERNEL = 0x41 };

struct triage {
	struct dt_dump *dump;
	struct dt_header64 header;
	struct dt_bytes file;
};

static uint32_t field(const struct triage *t, uint64_t off)
{
	return dt_bytes_u32_or(t->file, off, 0);
}

/* ---- end marker and length ---------------------------------------------- */

/* The share of the file that is there, for the person who has to fetch it again. */
static void say_cut(struct triage *t, uint64_t wanted)
{
	uint64_t len = t->file.len;

	dt_dump_cut(t->dump, "file", "0x%" PRIx64 " bytes expected, the file ends at 0x%" PRIx64, wanted, len);
	dt_dump_missing(t->dump, dt_arena_printf(t->dump->arena,
	                                         "end of the file: 0x%" PRIx64 " of 0x%" PRIx64
	                                         " bytes are there (%" PRIu64 " %%)",
	                                         len, wanted, len * 100 / wanted));
}

static void check_end(struct triage *t)
{
	uint32_t size = field(t, T_SIZE_OF_DUMP), valid = field(t, T_VALID_OFFSET);
	bool kernel = t->dump->writer == DT_WRITER_KERNEL;

	t->dump->complete = DT_TRUE;
	if (size > t->file.len && size != DT_FILL32) {
		say_cut(t, size);
	} else if (!dt_bytes_match(t->file, valid, "TRGD", 4)) {
		dt_dump_cut(t->dump, "triage block",
		            "no end mark TRGD at 0x%" PRIx32 ": the file was not written to its end, or was "
		            "changed since",
		            valid);
		dt_dump_missing(t->dump, "end mark of the dump");
	} else if (kernel && t->header.required_space.known && t->header.required_space.value <= INT64_MAX &&
	           t->header.required_space.value > t->file.len) {
		say_cut(t, t->header.required_space.value);
	}
}

/* The habits that tell the writers apart, where the header's own flags do not. */
static void tell_writer(struct triage *t)
{
	uint32_t options = field(t, T_OPTIONS);

	if (t->dump->writer)
		return;
	if (options == UINT32_MAX && !t->header.attributes.known)
		t->dump->writer = DT_WRITER_OFFLINE;
	else if (options == OPTIONS_KERNEL)
		t->dump->writer = DT_WRITER_KERNEL;
}

/* ---- memory ------------------------------------------------------------- */

static void read_kdbg(struct triage *t)
{
	struct dt_bytes bytes = dt_dump_part(t->dump, "debugger data", field(t, T_KDBG), field(t, T_KDBG_SIZE));

	if (bytes.len == 0)
		return;
	t->dump->kdbg_raw.bytes = bytes;
	if (dt_kdbg_parse(&t->dump->kdbg, bytes))
		t->dump->kdbg_raw.va = t->header.kdbg_va.known ? t->header.kdbg_va.value : 0;
	else
		dt_note_add(t->dump->notes, DT_NOTE_WARNING, "debugger data",
		            "0x%" PRIx32 " bytes at 0x%" PRIx32 " are no KDBG block", field(t, T_KDBG_SIZE),
		            field(t, T_KDBG));
}

static void add_blocks(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, T_BLOCKS);
	size_t count = dt_dump_entries(dump, "data blocks", off, field(t, T_BLOCK_COUNT), BLOCK_STRIDE,
	                               DT_MAX_RANGES / 2);
	size_t cut = 0;
	uint64_t first_cut = 0;
	struct dt_error err;

	if (count == 0)
		return;
	if (dt_memory_reserve(&dump->memory, count + 8, &err) != DT_OK) {
		dt_dump_cut(dump, "data blocks", "%s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++, off += BLOCK_STRIDE) {
		uint32_t at = dt_bytes_u32_or(t->file, off + 8, 0), len = dt_bytes_u32_or(t->file, off + 12, 0);
		struct dt_bytes bytes = dt_bytes_clip(t->file, at, len);

		if (bytes.len < len && cut++ == 0)
			first_cut = off;
		dt_memory_add(&dump->memory, dt_bytes_u64_or(t->file, off, 0), bytes, DT_RANGE_BLOCK);
	}
	if (cut) {
		dt_dump_cut(dump, "data blocks",
		            "%zu of %zu reach behind the end of the file, the first is described at 0x%" PRIx64,
		            cut, count, first_cut);
		dt_dump_missing(dump, dt_arena_printf(dump->arena, "data blocks: %zu of %zu are not all there",
		                                      cut, count));
	}
}

static void add_stack(struct triage *t)
{
	struct dt_bytes bytes = dt_dump_part(t->dump, "call stack", field(t, T_STACK), field(t, T_STACK_SIZE));
	uint64_t va = dt_bytes_u64_or(t->file, T_TOP_OF_STACK, 0);

	if (!dt_memory_add(&t->dump->memory, va, bytes, DT_RANGE_STACK))
		return;
	t->dump->stack_va = va;
	t->dump->stack_len = bytes.len;
}

static void add_data_page(struct triage *t)
{
	struct dt_bytes bytes =
		dt_dump_part(t->dump, "data page", field(t, T_DATA_PAGE), field(t, T_DATA_PAGE_SIZE));

	dt_memory_add(&t->dump->memory, dt_bytes_u64_or(t->file, T_DATA_PAGE_VA, 0), bytes, DT_RANGE_BLOCK);
}

/* ---- copies of kernel structures ---------------------------------------- */

/* A pointer in a copy; 0 where it is not known or cannot be one. */
static uint64_t pointer_in(const struct triage *t, const struct dt_region *region, uint16_t off)
{
	uint64_t va = off ? dt_bytes_u64_or(region->bytes, off, 0) : 0;

	return (va & 7) == 0 && dt_address_is_kernel(t->dump->machine, va) ? va : 0;
}

/* The address of the PRCB stands in KiProcessorBlock, where a data block has it. The ranges are not in order yet.
 */
static uint64_t prcb_address(const struct triage *t)
{
	const struct dt_kdbg *kdbg = &t->dump->kdbg;
	uint32_t number;

	if (!kdbg->processor_block || !kdbg->off_prcb_number ||
	    !dt_bytes_u32(t->dump->prcb.bytes, kdbg->off_prcb_number, &number) || number > UINT16_MAX)
		return 0;
	uint64_t slot = kdbg->processor_block + 8 * (uint64_t)number;
	for (size_t i = 0; i < t->dump->memory.count; i++) {
		const struct dt_range *range = &t->dump->memory.ranges[i];

		if (slot < range->va || !dt_bytes_has(range->bytes, slot - range->va, 8))
			continue;
		struct dt_region block = { range->va, dt_bytes_clip(range->bytes, slot - range->va, 8) };
		uint64_t va = dt_bytes_u64_or(block.bytes, 0, 0);
		return (va & 7) == 0 && dt_address_is_kernel(t->dump->machine, va) ? va : 0;
	}
	return 0;
}

static void add_region(struct triage *t, const struct dt_region *region)
{
	if (region->va)
		dt_memory_add(&t->dump->memory, region->va, region->bytes, DT_RANGE_COPY);
}

static void add_copies(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	const struct dt_kdbg *kdbg = &dump->kdbg;
	uint32_t mm = field(t, T_MM), mm_size = dt_bytes_u32_or(t->file, (uint64_t)mm + MM_SIZE_FIELD, 0);

	dump->prcb.bytes = dt_dump_part(dump, "processor block", field(t, T_PRCB), kdbg->size_prcb);
	dump->process.bytes = dt_dump_part(dump, "process", field(t, T_PROCESS), kdbg->size_eprocess);
	dump->thread.bytes = dt_dump_part(dump, "thread", field(t, T_THREAD), kdbg->size_ethread);
	dump->mm_storage.bytes =
		dt_dump_part(dump, "memory counters", mm, mm_size && mm_size < MM_SIZE ? mm_size : MM_SIZE);
	dump->prcb.va = prcb_address(t);
	dump->thread.va = pointer_in(t, &dump->prcb, kdbg->off_prcb_current_thread);
	dump->process.va = pointer_in(t, &dump->thread, kdbg->off_kthread_apc_process);
	add_region(t, &dump->prcb);
	add_region(t, &dump->thread);
	add_region(t, &dump->process);
	add_region(t, &dump->kdbg_raw);
}

static void read_memory(struct triage *t)
{
	struct dt_error err;

	read_kdbg(t);
	add_blocks(t);
	add_stack(t);
	add_data_page(t);
	add_copies(t);
	if (dt_memory_seal(&t->dump->memory, t->dump->notes, &err) != DT_OK)
		dt_dump_cut(t->dump, "memory", "%s", err.text);
}

/* ---- drivers ------------------------------------------------------------ */

/* A DUMP_STRING: its length in characters, then UTF-16. NULL when it is not all there. */
static const char *dump_string(struct triage *t, uint32_t off)
{
	uint32_t chars;

	if (off == 0 || !dt_bytes_u32(t->file, off, &chars))
		return NULL;
	return dt_dump_text16(t->dump, (uint64_t)off + 4, (uint64_t)chars * 2);
}

static struct dt_opt unless_zero(uint64_t value)
{
	return (struct dt_opt){ value, value != 0 };
}

/* One DUMP_DRIVER_ENTRY: the offset of the name, then a KLDR_DATA_TABLE_ENTRY in its frozen form. */
static void read_driver(struct triage *t, struct dt_bytes entry, struct dt_module *out)
{
	const char *text = dump_string(t, dt_bytes_u32_or(entry, 0x00, 0));

	out->name = dt_text_basename(text);
	out->path = out->name != text ? text : NULL;
	out->base = dt_some(dt_bytes_u64_or(entry, 0x38, 0));
	out->size = dt_some(dt_bytes_u32_or(entry, 0x48, 0));
	out->checksum = unless_zero(dt_bytes_u32_or(entry, 0x80, 0));
	out->timestamp = unless_zero(dt_bytes_u32_or(entry, 0x88, 0));
}

static void read_drivers(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, T_DRIVERS);
	size_t count = dt_dump_entries(dump, "driver list", off, field(t, T_DRIVER_COUNT), DRIVER_STRIDE,
	                               DT_MAX_MODULES);
	size_t nameless = 0;
	uint64_t first = 0;

	dump->modules = DT_ARENA_ARRAY(dump->arena, count, struct dt_module);
	dump->module_count = dump->modules ? count : 0;
	for (size_t i = 0; i < dump->module_count; i++, off += DRIVER_STRIDE) {
		read_driver(t, dt_bytes_clip(t->file, off, DRIVER_STRIDE), &dump->modules[i]);
		if (!dump->modules[i].name && nameless++ == 0)
			first = off;
	}
	if (nameless) {
		dt_dump_cut(dump, "driver list",
		            "%zu of %zu drivers have no name in the file, the first is described at 0x%" PRIx64,
		            nameless, count, first);
		dt_dump_missing(dump, "names of some drivers");
	}
	if (count == 0)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "driver list", "the dump has none");
}

/* Name: UNICODE_STRING at 0, of which only the length counts; the text follows, 12 characters at most. */
static void read_unloaded_driver(struct triage *t, uint64_t off, struct dt_unloaded *out)
{
	uint32_t chars = dt_bytes_u16_or(t->file, off, 0) / 2u;

	out->name = dt_dump_text16(t->dump, off + 0x10, 2 * (chars < 12 ? chars : 12));
	out->start = dt_some(dt_bytes_u64_or(t->file, off + 0x28, 0));
	out->end = dt_some(dt_bytes_u64_or(t->file, off + 0x30, 0));
}

static void read_unloaded(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, T_UNLOADED);
	uint64_t wanted = dt_bytes_u64_or(dt_dump_part(dump, "unloaded drivers", off, 8), 0, 0);
	size_t count = dt_dump_entries(dump, "unloaded drivers", off ? off + 8 : 0, wanted, UNLOADED_STRIDE,
	                               DT_MAX_UNLOADED);

	dump->unloaded = DT_ARENA_ARRAY(dump->arena, count, struct dt_unloaded);
	dump->unloaded_count = dump->unloaded ? count : 0;
	for (size_t i = 0; i < dump->unloaded_count; i++)
		read_unloaded_driver(t, off + 8 + i * UNLOADED_STRIDE, &dump->unloaded[i]);
}

/* ---- the rest ----------------------------------------------------------- */

static void check_kernel_base(struct dt_dump *dump)
{
	if (!dump->kdbg.valid || dump->module_count == 0)
		return;
	for (size_t i = 0; i < dump->module_count; i++)
		if (dt_opt_is(dump->modules[i].base, dump->kdbg.kern_base))
			return;
	dt_note_add(dump->notes, DT_NOTE_WARNING, "debugger data",
	            "the kernel's base 0x%" PRIx64 " is the base of no driver in the list", dump->kdbg.kern_base);
}

bool dt_triage64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 4);
}

static void read_parts(struct triage *t)
{
	read_memory(t);
	read_drivers(t);
	read_unloaded(t);
	t->dump->broken_driver = dump_string(t, field(t, T_BROKEN_DRIVER));
	t->dump->build_lab = dt_dump_build_lab(t->dump);
	check_kernel_base(t->dump);
	dt_secondary_read(t->dump, field(t, T_SIZE_OF_DUMP));
}

enum dt_status dt_triage64_open(struct dt_dump *dump, struct dt_error *err)
{
	struct triage t = { .dump = dump, .file = dump->file };

	dump->kind = DT_KIND_TRIAGE;
	enum dt_status status = dt_header64_read(dump, &t.header, err);
	if (status != DT_OK)
		return status;
	if (dt_header64_has(&t.header, DT_ATTRIBUTE_ENCRYPTED)) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "the dump is encrypted: only its header can be read");
		dt_dump_missing(dump, "everything behind the header (encrypted)");
		return DT_OK;
	}
	if (!dt_bytes_has(t.file, T_BASE, T_SIZE))
		return dt_fail_at(err, DT_ERR_TRUNCATED, t.file.len,
		                  "triage block: 0x%x bytes expected at 0x%x, the file ends at 0x%zx", T_SIZE,
		                  T_BASE, t.file.len);
	tell_writer(&t);
	check_end(&t);
	read_parts(&t);
	return DT_OK;
}

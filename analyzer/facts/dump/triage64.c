/*
 * triage64.c - the small kernel dump, DumpType 4: PAGEDU64, and PAGEDUMP of 32-bit systems.
 *
 * Behind the header stands a table of file offsets, TRIAGE_DUMP64, and behind
 * it the parts in any order. Two writers make such files, the kernel while it
 * crashes and a tool that converts a bigger dump later. Neither's habits are
 * relied upon. The end of the triage part is marked TRGD.
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/dump/body.h"
#include "facts/dump/reader.h"

/* Where the two widths have their parts: file offsets in TRIAGE_DUMP, then offsets in its entries. */
struct layout {
	unsigned width; /* bytes of a pointer */
	uint32_t base, size;
	uint32_t top_of_stack, data_page_va, data_page, data_page_size, kdbg, kdbg_size, blocks, block_count;
	uint32_t block_stride;
	struct {
		uint32_t stride, base, size, checksum, timestamp;
	} driver; /* DUMP_DRIVER_ENTRY: an offset of the name, then a KLDR_DATA_TABLE_ENTRY in its frozen form */
	struct {
		uint32_t count_size, stride, name, start, end;
	} unloaded;
	uint32_t mm_size;
};

static const struct layout layout64 = {
	8, 0x2000, 0x80, 0x48, 0x60, 0x68, 0x6c, 0x70, 0x74, 0x78, 0x7c, 16,
	{ 0x90, 0x38, 0x48, 0x80, 0x88 }, { 8, 0x38, 0x10, 0x28, 0x30 }, 0x50,
};
/* The 32-bit forms are of the kernel's type information; no real file was at hand. */
static const struct layout layout32 = {
	4, 0x1000, 0x68, 0x48, 0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60, 0x64, 12,
	{ 0x4c, 0x1c, 0x24, 0x44, 0x48 }, { 4, 0x28, 0x08, 0x20, 0x24 }, 0x34,
};

/* The same for both. */
enum {
	T_SIZE_OF_DUMP = 0x04,
	T_VALID_OFFSET = 0x08,
	T_MM = 0x14,
	T_UNLOADED = 0x18,
	T_PRCB = 0x1c,
	T_PROCESS = 0x20,
	T_THREAD = 0x24,
	T_STACK = 0x28,
	T_STACK_SIZE = 0x2c,
	T_DRIVERS = 0x30,
	T_DRIVER_COUNT = 0x34,
	T_BROKEN_DRIVER = 0x40,
	T_OPTIONS = 0x44,
	MM_SIZE_FIELD = 4,
};
enum { OPTIONS_KERNEL = 0x41 };

struct triage {
	struct dt_dump *dump;
	struct dt_header64 header;
	struct dt_bytes file;
	const struct layout *at;
};

static uint32_t field(const struct triage *t, uint64_t off)
{
	return dt_bytes_u32_or(t->file, t->at->base + off, 0);
}

static uint64_t pointer(const struct triage *t, struct dt_bytes bytes, uint64_t off)
{
	return dt_bytes_word_or_zero(bytes, off, t->at->width);
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
	struct dt_bytes bytes = dt_dump_part(t->dump, "debugger data", field(t, t->at->kdbg), field(t, t->at->kdbg_size));

	if (bytes.len == 0)
		return;
	t->dump->kdbg_raw.bytes = bytes;
	if (dt_kdbg_parse(&t->dump->kdbg, bytes) && t->at->width == 4)
		dt_kdbg_narrow(&t->dump->kdbg);
	if (t->dump->kdbg.valid)
		t->dump->kdbg_raw.va = t->header.kdbg_va.known ? t->header.kdbg_va.value : 0;
	else
		dt_note_add(t->dump->notes, DT_NOTE_WARNING, "debugger data",
		            "0x%" PRIx32 " bytes at 0x%" PRIx32 " are no KDBG block", field(t, t->at->kdbg_size),
		            field(t, t->at->kdbg));
}

static void add_blocks(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, t->at->blocks);
	size_t count = dt_dump_entries(dump, "data blocks", off, field(t, t->at->block_count), t->at->block_stride,
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
	for (size_t i = 0; i < count; i++, off += t->at->block_stride) {
		uint32_t at = dt_bytes_u32_or(t->file, off + t->at->width, 0), len = dt_bytes_u32_or(t->file, off + t->at->width + 4, 0);
		struct dt_bytes bytes = dt_bytes_clip(t->file, at, len);

		if (bytes.len < len && cut++ == 0)
			first_cut = off;
		dt_memory_add(&dump->memory, pointer(t, t->file, off), bytes, DT_RANGE_BLOCK);
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
	uint64_t va = pointer(t, t->file, t->at->base + t->at->top_of_stack);

	if (!dt_memory_add(&t->dump->memory, va, bytes, DT_RANGE_STACK))
		return;
	t->dump->stack_va = va;
	t->dump->stack_len = bytes.len;
}

static void add_data_page(struct triage *t)
{
	struct dt_bytes bytes =
		dt_dump_part(t->dump, "data page", field(t, t->at->data_page), field(t, t->at->data_page_size));

	dt_memory_add(&t->dump->memory, pointer(t, t->file, t->at->base + t->at->data_page_va), bytes, DT_RANGE_BLOCK);
}

/* ---- copies of kernel structures ---------------------------------------- */

/* A pointer in a copy; 0 where it is not known or cannot be one. */
static uint64_t pointer_in(const struct triage *t, const struct dt_region *region, uint16_t off)
{
	uint64_t va = off ? pointer(t, region->bytes, off) : 0;

	return va % t->at->width == 0 && dt_address_is_kernel(t->dump->machine, va) ? va : 0;
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
	uint64_t slot = kdbg->processor_block + t->at->width * (uint64_t)number;
	for (size_t i = 0; i < t->dump->memory.count; i++) {
		const struct dt_range *range = &t->dump->memory.ranges[i];

		if (slot < range->va || !dt_bytes_has(range->bytes, slot - range->va, t->at->width))
			continue;
		uint64_t va = pointer(t, range->bytes, slot - range->va);
		return va % t->at->width == 0 && dt_address_is_kernel(t->dump->machine, va) ? va : 0;
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
		dt_dump_part(dump, "memory counters", mm, mm_size && mm_size < t->at->mm_size ? mm_size : t->at->mm_size);
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

static void read_driver(struct triage *t, struct dt_bytes entry, struct dt_module *out)
{
	const char *text = dump_string(t, dt_bytes_u32_or(entry, 0x00, 0));

	out->name = dt_text_basename(text);
	out->path = out->name != text ? text : NULL;
	out->base = dt_some(pointer(t, entry, t->at->driver.base));
	out->size = dt_some(dt_bytes_u32_or(entry, t->at->driver.size, 0));
	out->checksum = dt_some_unless_zero(dt_bytes_u32_or(entry, t->at->driver.checksum, 0));
	out->timestamp = dt_some_unless_zero(dt_bytes_u32_or(entry, t->at->driver.timestamp, 0));
}

static void read_drivers(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, T_DRIVERS);
	size_t count = dt_dump_entries(dump, "driver list", off, field(t, T_DRIVER_COUNT), t->at->driver.stride,
	                               DT_MAX_MODULES);
	size_t nameless = 0;
	uint64_t first = 0;

	dump->modules = DT_ARENA_ARRAY(dump->arena, count, struct dt_module);
	dump->module_count = dump->modules ? count : 0;
	for (size_t i = 0; i < dump->module_count; i++, off += t->at->driver.stride) {
		read_driver(t, dt_bytes_clip(t->file, off, t->at->driver.stride), &dump->modules[i]);
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

	out->name = dt_dump_text16(t->dump, off + t->at->unloaded.name, 2 * (chars < 12 ? chars : 12));
	out->start = dt_some(pointer(t, t->file, off + t->at->unloaded.start));
	out->end = dt_some(pointer(t, t->file, off + t->at->unloaded.end));
}

static void read_unloaded(struct triage *t)
{
	struct dt_dump *dump = t->dump;
	uint64_t off = field(t, T_UNLOADED);
	uint32_t head = t->at->unloaded.count_size;
	uint64_t wanted = pointer(t, dt_dump_part(dump, "unloaded drivers", off, head), 0);
	size_t count = dt_dump_entries(dump, "unloaded drivers", off ? off + head : 0, wanted, t->at->unloaded.stride, DT_MAX_UNLOADED);

	dump->unloaded = DT_ARENA_ARRAY(dump->arena, count, struct dt_unloaded);
	dump->unloaded_count = dump->unloaded ? count : 0;
	for (size_t i = 0; i < dump->unloaded_count; i++)
		read_unloaded_driver(t, off + head + i * t->at->unloaded.stride, &dump->unloaded[i]);
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

/* The parts' table, and where it says the end mark. */
static bool has_triage_body(struct dt_bytes file)
{
	uint32_t valid = dt_bytes_u32_or(file, layout64.base + T_VALID_OFFSET, 0);

	return valid >= layout64.base + layout64.size && dt_bytes_u32_or(file, layout64.base + T_SIZE_OF_DUMP, 0) == valid + 4 &&
	       dt_bytes_match(file, valid, "TRGD", 4);
}

/* Another type that exists, and behind the header what this one has; DumpType alone is not believed against the bytes. */
static bool belies_its_type(struct dt_bytes file)
{
	for (uint32_t type = 1; type <= 10; type++)
		if (type != 4 && dt_header64_is(file, type))
			return has_triage_body(file);
	return false;
}

bool dt_triage64_recognise(struct dt_bytes file)
{
	return dt_header64_is(file, 4) ? !dt_body_is_marked64(file) : belies_its_type(file);
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

static enum dt_status read_triage(struct triage *t, struct dt_error *err)
{
	if (!dt_bytes_has(t->file, t->at->base, t->at->size))
		return dt_fail_at(err, DT_ERR_TRUNCATED, t->file.len,
		                  "triage block: 0x%x bytes expected at 0x%x, the file ends at 0x%zx", t->at->size,
		                  t->at->base, t->file.len);
	tell_writer(t);
	check_end(t);
	read_parts(t);
	return DT_OK;
}

enum dt_status dt_triage32_read(struct dt_dump *dump, struct dt_error *err)
{
	struct triage t = { .dump = dump, .file = dump->file, .at = &layout32 };

	t.header.kdbg_va = dt_some(dump->kdbg_va);
	return read_triage(&t, err);
}

enum dt_status dt_triage64_open(struct dt_dump *dump, struct dt_error *err)
{
	struct triage t = { .dump = dump, .file = dump->file, .at = &layout64 };

	dump->kind = DT_KIND_TRIAGE;
	enum dt_status status = dt_header64_read(dump, &t.header, err);
	if (status != DT_OK)
		return status;
	if (!dt_opt_is(t.header.type, 4))
		dt_note_add(dump->notes, DT_NOTE_WARNING, "body", "DumpType %" PRIu64 " does not go with the triage block at 0x%x: the block is believed",
		            t.header.type.value, layout64.base);
	if (dt_header64_has(&t.header, DT_ATTRIBUTE_ENCRYPTED)) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "the dump is encrypted: only its header can be read");
		dt_dump_missing(dump, "everything behind the header (encrypted)");
		return DT_OK;
	}
	return read_triage(&t, err);
}

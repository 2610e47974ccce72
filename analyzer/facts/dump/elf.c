/*
 * elf.c - ELF cores of virtual machines: dump-guest-memory, virsh dump --memory-only.
 *
 * Each PT_LOAD segment is a run of physical memory. Segments may overlap (with -p) and lie in any order. More of
 * them than 65535 are counted in a section header, which no machine's memory has needed. Offsets: the System V ABI.
 */
#include <inttypes.h>

#include "facts/dump/capture.h"

enum { ELF_TYPE_CORE = 4, PT_LOAD = 1, PT_NOTE = 4, MOST_SEGMENTS = 65535, X86_64 = 62, I386 = 3, AARCH64 = 183 };

/* Where the two classes have their fields. */
struct layout {
	uint8_t width;
	uint8_t phoff, phentsize, phnum;
	uint8_t entry; /* bytes of a program header */
	uint8_t offset, paddr, filesz;
};
static const struct layout layout64 = { 8, 0x20, 0x36, 0x38, 56, 8, 24, 32 };
static const struct layout layout32 = { 4, 0x1c, 0x2a, 0x2c, 32, 4, 12, 16 };

bool dt_elf_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "\x7f\x45LF", 4) && dt_bytes_u16_or(file, 0x10, 0) == ELF_TYPE_CORE;
}

/* The table of program headers; how many of them are there. */
static size_t table(struct dt_dump *dump, const struct layout *layout, uint64_t *off, uint64_t *stride)
{
	*off = dt_bytes_word_or_zero(dump->file, layout->phoff, layout->width);
	*stride = dt_bytes_u16_or(dump->file, layout->phentsize, 0);
	if (*stride < layout->entry) {
		dt_note_add(dump->notes, DT_NOTE_WARNING, "ELF header", "program headers have %" PRIu64 " bytes each, expected %u", *stride,
		            layout->entry);
		return 0;
	}
	return dt_dump_entries(dump, "program headers", *off, dt_bytes_u16_or(dump->file, layout->phnum, 0), *stride, MOST_SEGMENTS);
}

/* Whether the file is of a machine: it has physical addresses, or the notes of processors. A program's core has neither. */
static bool read_segments(struct dt_dump *dump, const struct layout *layout)
{
	uint64_t off, stride;
	size_t count = table(dump, layout, &off, &stride), loads = 0;
	struct dt_extent *extents = DT_ARENA_ARRAY(dump->arena, count, struct dt_extent);
	struct dt_bytes notes = { NULL, 0 };
	struct dt_error err;
	bool placed = false;

	for (size_t i = 0; extents && i < count; i++, off += stride) {
		uint32_t type = dt_bytes_u32_or(dump->file, off, 0);
		uint64_t at = dt_bytes_word_or_zero(dump->file, off + layout->offset, layout->width), len = dt_bytes_word_or_zero(dump->file, off + layout->filesz, layout->width);

		if (type == PT_LOAD)
			extents[loads++] = (struct dt_extent){ dt_bytes_word_or_zero(dump->file, off + layout->paddr, layout->width), len, at };
		if (type == PT_LOAD)
			placed = placed || extents[loads - 1].pa;
		else if (type == PT_NOTE && notes.len == 0)
			notes = dt_dump_part(dump, "notes", at, len);
	}
	dt_capture_notes(dump, notes);
	if (loads == 0)
		dt_dump_missing(dump, "memory: the file has no segment of it");
	else if (dt_physical_set_extents(&dump->physical, extents, loads, dump->notes, &err) != DT_OK)
		dt_dump_cut(dump, "segments", "%s", err.text);
	return placed || dump->cpu_count;
}

/* Segments that the file does not hold to their end. */
static void say_share(struct dt_dump *dump)
{
	uint64_t pages = dump->physical.pages, present = dump->physical.present;

	if (present >= pages)
		return;
	dt_dump_cut(dump, "file", "0x%" PRIx64 " pages of memory expected, the file ends at 0x%zx behind 0x%" PRIx64 " of them", pages,
	            dump->file.len, present);
	dt_dump_missing(dump, dt_arena_printf(dump->arena,
	                                      "end of the file: 0x%" PRIx64 " of 0x%" PRIx64 " pages of memory are there (%" PRIu64 " %%)",
	                                      present, pages, pages > UINT64_MAX / 100 ? present / (pages / 100) : present * 100 / pages));
}

enum dt_status dt_elf_open(struct dt_dump *dump, struct dt_error *err)
{
	uint16_t machine = dt_bytes_u16_or(dump->file, 0x12, 0);
	uint8_t class = 0, order = 0;

	dt_capture_begin(dump, DT_KIND_ELF);
	(void)dt_bytes_u8(dump->file, 4, &class);
	(void)dt_bytes_u8(dump->file, 5, &order);
	if (order != 1 || (class != 1 && class != 2))
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 4, "ELF core: class %u and byte order %u, expected 32 or 64 bits, little-endian", class,
		                  order);
	if (machine != X86_64 && machine != I386 && machine != AARCH64)
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0x12, "ELF core: machine %u, expected 62 (x86-64), 3 (386) or 183 (AArch64)", machine);
	if (machine == AARCH64)
		dump->machine = DT_MACHINE_ARM64;
	if (!dt_bytes_has(dump->file, 0, class == 2 ? 0x40 : 0x34))
		return dt_fail_at(err, DT_ERR_TRUNCATED, dump->file.len, "ELF header: 0x%x bytes expected, the file ends at 0x%zx",
		                  class == 2 ? 0x40 : 0x34, dump->file.len);
	if (!read_segments(dump, class == 2 ? &layout64 : &layout32))
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0, "ELF core: of a program, not of a virtual machine: it has no physical addresses and no notes of processors");
	say_share(dump);
	return DT_OK;
}

/*
 * kdump.c - kdump-compressed captures (makedumpfile's format, as QEMU writes it), plain or flattened.
 *
 * Blocks: a header, a sub header with the notes' place, two bitmaps (memory that exists; pages that are in the file), a descriptor for
 * each such page, pages. A page is found by the rank of its bit. Offsets: makedumpfile's diskdump_mod.h, QEMU's dump.h.
 */
#include <inttypes.h>
#include <string.h>

#include "facts/dump/capture.h"
#include "facts/dump/flat.h"
#include "facts/dump/inflate.h"

enum {
	H_BLOCK_SIZE = 428, /* 64-bit; the 32-bit header's timestamp is shorter by 12 */
	H_SUB_BLOCKS = 432,
	H_BITMAP_BLOCKS = 436,
	H_MAX_PFN = 440,
	S_NOTES = 48,
	S_NOTES_SIZE = 56,
	S_MAX_PFN = 96, /* 64 bits of it, from version 6 on */
	H_VERSION = 8,
	DESCRIPTOR = 24,
	MOST_NOTES = 4 << 20,
};

/* Flags of a page's descriptor. */
static const struct {
	uint32_t flag;
	enum dt_inflate method;
} methods[] = { { 1, DT_INFLATE_ZLIB }, { 2, DT_INFLATE_LZO }, { 4, DT_INFLATE_SNAPPY }, { 0x20, DT_INFLATE_ZSTD } };
#define COMPRESSED 0x27u

struct kdump {
	struct dt_dump *dump;
	struct dt_flat flat;
	struct dt_bits pages;    /* those that are in the file */
	uint64_t descriptors;    /* offset of the first */
	uint32_t missing_methods;
};

bool dt_kdump_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "KDUMP   ", 8) || dt_bytes_match(file, 0, "DISKDUMP", 8);
}

bool dt_flattened_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "makedumpfile", 12);
}

static void say_missing(struct kdump *k, size_t method)
{
	const char *library = dt_inflate_library(methods[method].method);

	if (!(k->missing_methods & methods[method].flag))
		dt_dump_missing(k->dump, dt_arena_printf(k->dump->arena, "memory: %s is not installed, pages that it compressed are not read", library));
	k->missing_methods |= methods[method].flag;
}

static bool inflate(struct kdump *k, uint32_t flags, struct dt_bytes in, uint8_t *out)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!(flags & methods[i].flag))
			continue;
		if (!dt_inflate_is_there(methods[i].method))
			say_missing(k, i);
		return dt_inflate(methods[i].method, in, out, DT_PAGE_SIZE);
	}
	return false;
}

static bool read_page(void *reader, uint64_t pfn, uint8_t *out)
{
	struct kdump *k = reader;
	uint8_t raw[DESCRIPTOR], data[2 * DT_PAGE_SIZE];
	struct dt_bytes descriptor = { raw, sizeof(raw) };

	if (!dt_bits_get(&k->pages, pfn) ||
	    !dt_flat_read(&k->flat, k->descriptors + dt_bits_rank(&k->pages, pfn) * DESCRIPTOR, raw, sizeof(raw)))
		return false;
	uint64_t off = dt_bytes_u64_or(descriptor, 0, 0);
	uint32_t size = dt_bytes_u32_or(descriptor, 8, 0), flags = dt_bytes_u32_or(descriptor, 12, 0);
	/* A page that grows when it is compressed is stored as it is. */
	if (size == 0 || size > sizeof(data) || (!(flags & COMPRESSED) && size != DT_PAGE_SIZE) || !dt_flat_read(&k->flat, off, data, size))
		return false;
	if (flags & COMPRESSED)
		return inflate(k, flags, (struct dt_bytes){ data, size }, out);
	memcpy(out, data, DT_PAGE_SIZE);
	return true;
}

/* Where one of the two headers has its fields: the 64-bit one, unless only the other's block size can be. */
static uint64_t header_shift(struct dt_bytes header)
{
	return dt_bytes_u32_or(header, H_BLOCK_SIZE, 0) != DT_PAGE_SIZE && dt_bytes_u32_or(header, H_BLOCK_SIZE - 12, 0) == DT_PAGE_SIZE ? 12 : 0;
}

/* The machine's name, the fifth of the six texts of 65 bytes that uname() gives. */
static void read_machine(struct kdump *k, struct dt_bytes header)
{
	if (dt_bytes_match(header, H_VERSION + 4 + 4 * 65, "aarch64", 8))
		k->dump->machine = DT_MACHINE_ARM64;
}

static void read_notes(struct kdump *k, struct dt_bytes sub)
{
	uint64_t off = dt_bytes_u64_or(sub, S_NOTES, 0), size = dt_bytes_u64_or(sub, S_NOTES_SIZE, 0);

	dt_capture_notes(k->dump, dt_flat_view(&k->flat, off, size < MOST_NOTES ? size : MOST_NOTES, k->dump->arena));
}

static enum dt_status read_headers(struct kdump *k, struct dt_error *err)
{
	struct dt_dump *dump = k->dump;
	struct dt_bytes header = dt_flat_view(&k->flat, 0, DT_PAGE_SIZE, dump->arena);
	uint64_t shift = header_shift(header);
	uint32_t block = dt_bytes_u32_or(header, H_BLOCK_SIZE - shift, 0);
	uint64_t sub_blocks = dt_bytes_u32_or(header, H_SUB_BLOCKS - shift, 0), bitmap_blocks = dt_bytes_u32_or(header, H_BITMAP_BLOCKS - shift, 0);
	uint64_t max_pfn = dt_bytes_u32_or(header, H_MAX_PFN - shift, 0);

	if (!dt_bytes_match(header, 0, "KDUMP   ", 8))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "kdump header: 0x%x bytes that begin with KDUMP expected", DT_PAGE_SIZE);
	if (block != DT_PAGE_SIZE)
		return dt_fail_at(err, DT_ERR_FORMAT, H_BLOCK_SIZE - shift, "kdump header: blocks of 0x%x bytes, expected 0x%x", block, DT_PAGE_SIZE);
	struct dt_bytes sub = dt_flat_view(&k->flat, DT_PAGE_SIZE, 0x68, dump->arena);
	if (shift == 0 && dt_bytes_u32_or(header, H_VERSION, 0) >= 6 && dt_bytes_u64_or(sub, S_MAX_PFN, 0))
		max_pfn = dt_bytes_u64_or(sub, S_MAX_PFN, 0);
	uint64_t bitmap = DT_PAGE_SIZE * (1 + sub_blocks), half = bitmap_blocks / 2 * DT_PAGE_SIZE;
	struct dt_bytes bits = dt_flat_view(&k->flat, bitmap + half, half, dump->arena);
	if (bits.len == 0)
		return dt_fail_at(err, DT_ERR_TRUNCATED, k->flat.end, "kdump header: a bitmap of 0x%" PRIx64 " bytes at 0x%" PRIx64 " expected, the file ends at 0x%" PRIx64,
		                  half, bitmap + half, k->flat.end);
	if (!dt_bits_init(&k->pages, bits, max_pfn, dump->arena))
		return dt_fail(err, DT_ERR_NOMEM, "no room to index a bitmap of 0x%zx bytes", bits.len);
	k->descriptors = bitmap + 2 * half;
	read_machine(k, header);
	read_notes(k, sub);
	return DT_OK;
}

static void say_share(struct kdump *k)
{
	uint8_t last;
	uint64_t end = k->descriptors + k->pages.set * DESCRIPTOR;

	k->dump->physical.pages = k->pages.set;
	if (k->pages.set == 0 || dt_flat_read(&k->flat, end - 1, &last, 1))
		return;
	dt_dump_cut(k->dump, "file", "the descriptors of 0x%" PRIx64 " pages would end at 0x%" PRIx64 ", the file ends at 0x%" PRIx64, k->pages.set, end,
	            k->flat.end);
	dt_dump_missing(k->dump, "memory: the end of the file");
}

static enum dt_status open_kdump(struct kdump *k, struct dt_error *err)
{
	enum dt_status status = read_headers(k, err);

	if (status != DT_OK)
		return status;
	say_share(k);
	return dt_physical_set_reader(&k->dump->physical, read_page, k, k->pages.count << DT_PAGE_SHIFT, err);
}

static struct kdump *begin(struct dt_dump *dump)
{
	struct kdump *k = DT_ARENA_NEW(dump->arena, struct kdump);

	dt_capture_begin(dump, DT_KIND_KDUMP);
	if (k)
		k->dump = dump;
	return k;
}

enum dt_status dt_kdump_open(struct dt_dump *dump, struct dt_error *err)
{
	struct kdump *k = begin(dump);

	if (!k)
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the capture");
	if (dt_bytes_match(dump->file, 0, "DISKDUMP", 8))
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0, "DISKDUMP: the form that came before kdump, for crashes of Linux; it is not read");
	dt_flat_plain(&k->flat, dump->file);
	return open_kdump(k, err);
}

enum dt_status dt_flattened_open(struct dt_dump *dump, struct dt_error *err)
{
	struct kdump *k = begin(dump);

	if (!k || !dt_flat_open(&k->flat, dump))
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the records of the flattened file");
	return open_kdump(k, err);
}

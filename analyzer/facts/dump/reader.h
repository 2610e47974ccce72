/*
 * reader.h - what the readers of the formats share; for this folder only.
 */
#ifndef DT_DUMP_READER_H
#define DT_DUMP_READER_H

#include "facts/dump/dump.h"

/* A ULONG that the writer did not set holds "PAGE". */
#define DT_FILL32 0x45474150u
#define DT_FILL64 UINT64_C(0x4547415045474150)

#define DT_MAX_DUMP_TEXT (1u << 20) /* bytes of text taken out of one dump */
#define DT_MAX_DUMP_NAME 2048       /* bytes of one name or path in a dump */
#define DT_MAX_DUMP_VALUE 1024      /* bytes of one annotation */

/* The formats' entry points, from formats.def. */
#define DT_DUMP_FORMAT(id, title, signature, is_read, not_read) \
	bool dt_##id##_recognise(struct dt_bytes file);         \
	enum dt_status dt_##id##_open(struct dt_dump *dump, struct dt_error *err);
#include "facts/dump/formats.def"

/* An optional field: unknown where the file ends before it, or it holds the fill. */
struct dt_opt dt_field32(struct dt_bytes file, uint64_t off);
struct dt_opt dt_field64(struct dt_bytes file, uint64_t off);

/* Text of the file, clean UTF-8 in the arena. NULL when it is not all there, empty, too long, or the dump gave
 * its share of text already. len in bytes. */
const char *dt_dump_text16(struct dt_dump *dump, uint64_t off, uint64_t len);
const char *dt_dump_text8(struct dt_dump *dump, struct dt_bytes bytes);

/* len bytes of a named part at off; what there is of them, and dt_dump_cut() when that is not all. Empty without
 * a complaint when off is 0, the fill, or len is 0. */
struct dt_bytes dt_dump_part(struct dt_dump *dump, const char *part, uint64_t off, uint64_t len);
/* The same for count entries of stride bytes: how many of them are there. cap: more are not read, and that is
 * noted. name of the entries in the plural is part. */
size_t dt_dump_entries(struct dt_dump *dump, const char *part, uint64_t off, uint64_t count, uint64_t stride,
                       size_t cap);

/* Says what bytes that no format knows look like. */
enum dt_status dt_dump_describe(struct dt_bytes file, struct dt_error *err);

/* The machine of an IMAGE_FILE_MACHINE_ value; name is never NULL. */
enum dt_machine dt_image_machine(uint32_t value, const char **name);

/* DUMP_HEADER64, beyond what goes into the dump. */
struct dt_header64 {
	struct dt_opt type, attributes, required_space, kdbg_va;
};
enum { DT_HEADER64_SIZE = 0x2000, DT_HEADER32_SIZE = 0x1000 };
/* Bits of Attributes. */
enum {
	DT_ATTRIBUTE_NO_ROOM = 1 << 2,
	DT_ATTRIBUTE_KERNEL_TRIAGE = 1 << 3,
	DT_ATTRIBUTE_LIVE = 1 << 4,
	DT_ATTRIBUTE_OFFLINE = 1 << 5,
	DT_ATTRIBUTE_FILTERED = 1 << 6,
	DT_ATTRIBUTE_ENCRYPTED = 1 << 8,
};
static inline bool dt_header64_has(const struct dt_header64 *header, uint32_t attribute)
{
	return header->attributes.known && (header->attributes.value & attribute);
}
/* Whether the file begins with a 64-bit kernel header of this DumpType. */
bool dt_header64_is(struct dt_bytes file, uint32_t type);
/* Fills the dump from the header: system, bugcheck, context. What there is of a header that is cut off is filled
 * in before DT_ERR_TRUNCATED. DT_ERR_UNSUPPORTED, DT_ERR_FORMAT: the machine. */
enum dt_status dt_header64_read(struct dt_dump *dump, struct dt_header64 *out, struct dt_error *err);
/* The bugcheck at off: code, gap to the parameters, their width (4 or 8). */
void dt_header_bugcheck(struct dt_dump *dump, uint64_t code_off, uint64_t parameter_off, unsigned width);
/* Time and uptime at their offsets; implausible ones are noted and stay unknown. */
void dt_header_times(struct dt_dump *dump, uint64_t time_off, uint64_t uptime_off);

/* The body of a 32-bit minidump, behind a header that was read. DT_ERR_TRUNCATED. */
enum dt_status dt_triage32_read(struct dt_dump *dump, struct dt_error *err);
/* Walks the secondary data that begins at off: behind a minidump's parts, or behind the last page of a dump of memory. Nothing, where none begins there. */
void dt_secondary_read(struct dt_dump *dump, uint64_t off);

#endif

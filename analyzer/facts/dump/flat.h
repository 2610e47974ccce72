/*
 * flat.h - a file as it would be if it were not flattened.
 *
 * makedumpfile's flattened form is a stream of records {offset, length, bytes} that a receiver puts in their places; QEMU
 * writes its kdump files so. Reads by the offsets of the file meant are looked up in the records, nothing is put together.
 */
#ifndef DT_DUMP_FLAT_H
#define DT_DUMP_FLAT_H

#include "facts/dump/reader.h"

struct dt_flat_record {
	uint64_t off, len, at; /* in the file meant, bytes, where they stand */
};

struct dt_flat {
	struct dt_bytes file;
	const struct dt_flat_record *records; /* ascending; NULL: the file is as it is */
	size_t count;
	uint64_t end; /* of the file meant */
};

/* A file that is as it is. */
void dt_flat_plain(struct dt_flat *flat, struct dt_bytes file);
/* The records of a flattened file. What is cut off is noted. false when the arena is full. */
bool dt_flat_open(struct dt_flat *flat, struct dt_dump *dump);
/* All or nothing; out may be larger than any record. Holes between records are zeros. */
bool dt_flat_read(const struct dt_flat *flat, uint64_t off, uint8_t *out, size_t len);
/* The bytes as a view; copied into the arena where several records have them. Empty when they are not all there. */
struct dt_bytes dt_flat_view(const struct dt_flat *flat, uint64_t off, uint64_t len, struct dt_arena *arena);

#endif

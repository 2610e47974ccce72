/*
 * body.h - what stands behind the header of a kernel dump that holds physical memory.
 *
 * The bodies are the same behind the 64-bit and the 32-bit header. Each reader fills dump->physical as far as the
 * body is sound, and says what is not: dt_dump_cut() for what the file should have, a note for what is odd.
 */
#ifndef DT_DUMP_BODY_H
#define DT_DUMP_BODY_H

#include "facts/dump/reader.h"

/* Where a header has what the bodies need. */
struct dt_header_shape {
	uint32_t size;     /* bytes: the body begins there */
	uint32_t runs_off; /* PHYSICAL_MEMORY_DESCRIPTOR */
	unsigned width;    /* bytes of its numbers */
	unsigned most_runs;
};

/* DumpType 1: the pages of the header's runs, one behind the other. */
void dt_body_full(struct dt_dump *dump, const struct dt_header_shape *header);
/* SUMMARY_DUMP as it was up to Windows 7: a bitmap with a header of its own. */
void dt_body_summary(struct dt_dump *dump, const struct dt_header_shape *header);
/* SDMP and FDMP of Windows 8 and later. */
void dt_body_bitmap(struct dt_dump *dump, const struct dt_header_shape *header);
/* RDMP. complete: DumpType 10, which counts its ranges. */
void dt_body_ranges(struct dt_dump *dump, const struct dt_header_shape *header, bool complete);

/* A body by its signature. */
bool dt_body_has_bitmap(struct dt_bytes file, const struct dt_header_shape *header);
bool dt_body_has_ranges(struct dt_bytes file, const struct dt_header_shape *header);

/* Either, behind the 64-bit header. */
bool dt_body_is_marked64(struct dt_bytes file);

/* Takes extents for the dump's memory; says so where there is no room. */
void dt_body_set_extents(struct dt_dump *dump, const struct dt_extent *extents, size_t count);
/* Says what share of the pages that the tables describe is in the file. */
void dt_body_say_share(struct dt_dump *dump);

#endif

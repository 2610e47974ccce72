/*
 * image.h - a PE image as it stands in memory: header, exports, debug identity, version resource.
 *
 * Addresses in an image are offsets from its base. Everything is read through the dump's memory, page by page: what a
 * dump left out is not known. Offsets: the PE format specification of Microsoft; VS_VERSIONINFO of the Windows SDK.
 */
#ifndef DT_IMAGE_IMAGE_H
#define DT_IMAGE_IMAGE_H

#include "facts/memory/memory.h"

enum { DT_IMAGE_EXPORTS = 0, DT_IMAGE_RESOURCES = 2, DT_IMAGE_EXCEPTIONS = 3, DT_IMAGE_RELOCATIONS = 5, DT_IMAGE_DEBUG = 6, DT_IMAGE_DIRECTORIES = 16 };

struct dt_image_directory {
	uint32_t rva, size;
};

struct dt_image {
	const struct dt_memory *memory;
	uint64_t base;
	uint16_t machine; /* IMAGE_FILE_MACHINE_ */
	uint32_t timestamp, size, checksum;
	uint32_t sections_off; /* of the section headers, from the base */
	uint16_t section_count;
	uint32_t directory_count;
	struct dt_image_directory directories[DT_IMAGE_DIRECTORIES];
};

/* Reads the header at base. false when memory has no PE header there. */
bool dt_image_open(struct dt_image *out, const struct dt_memory *memory, uint64_t base);
/* len bytes at an offset from the base, all or none. */
bool dt_image_read(const struct dt_image *image, uint32_t rva, void *out, size_t len);
/* The name that the export directory gives the image, clean, in the arena; NULL when there is none. */
const char *dt_image_export_name(const struct dt_image *image, struct dt_arena *arena);
/* The address of an export; false when it is not among the image's names, or the dump lacks them. */
bool dt_image_export(const struct dt_image *image, const char *name, uint64_t *va);
/* The name of the export that begins at rva exactly, clean, in the arena: first by name where several do. NULL when there is none; a forwarder is none. */
const char *dt_image_export_at(const struct dt_image *image, uint32_t rva, struct dt_arena *arena);
/* The symbol server's key for its PDB: GUID and age; in the arena. NULL when memory does not have it. */
const char *dt_image_debug_id(const struct dt_image *image, struct dt_arena *arena);

/* The file name of its PDB, without folders, clean, in the arena. NULL likewise. */
const char *dt_image_pdb_name(const struct dt_image *image, struct dt_arena *arena);

struct dt_image_section {
	uint32_t rva, size;          /* in memory */
	uint32_t file_off, file_size;
	bool writable;
	bool constant_code; /* may be run, and neither written to nor dropped once the image has started */
};
/* Section index; false behind the last one. */
bool dt_image_section(const struct dt_image *image, unsigned index, struct dt_image_section *out);

/* A function, or a part of one, of the exception directory. */
struct dt_image_function {
	uint32_t begin, end; /* offsets from the base */
	uint32_t unwind;     /* x64: of UNWIND_INFO, or with bit 0 of another entry; arm64: the second word as it stands */
};
/* The entry that covers rva (x64 and arm64; found by bisection). false: none does (a leaf), or memory lacks the directory. *known says
 * which: false when the answer is not known. */
bool dt_image_function_at(const struct dt_image *image, uint32_t rva, struct dt_image_function *out, bool *known);
/* The entry at an offset, as chained ones are given. */
bool dt_image_function_read(const struct dt_image *image, uint32_t entry_rva, struct dt_image_function *out);

/* Whether the loader may have written into [rva, rva + len) because the image is not where it was linked for. *known: false where the table is damaged
 * or not in memory. */
bool dt_image_is_relocated(const struct dt_image *image, uint32_t rva, uint32_t len, bool *known);

/* Lays out the bytes of a PE file as the loader would, as memory at base: header and sections, bounded by the file. The bytes are borrowed
 * for as long as the memory is used; the ranges live in the arena.
 * DT_ERR_FORMAT, with the offset: no PE file, or sections that overlap or lie outside. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_image_lay_out(struct dt_memory *memory, struct dt_arena *arena, struct dt_bytes file, uint64_t base,
                                            struct dt_error *err);

/* Of the version resource; each NULL when it is not there. */
struct dt_image_version {
	const char *file_version; /* "7.15.18513.0" */
	const char *company, *product;
};
/* false when memory has no version resource. */
bool dt_image_version(const struct dt_image *image, struct dt_arena *arena, struct dt_image_version *out);

#endif

/*
 * image.h - a PE image as it stands in memory: header, exports, debug identity, version resource.
 *
 * Addresses in an image are offsets from its base. Everything is read through the dump's memory, page by page: what a
 * dump left out is not known. Offsets: the PE format specification of Microsoft; VS_VERSIONINFO of the Windows SDK.
 */
#ifndef DT_IMAGE_IMAGE_H
#define DT_IMAGE_IMAGE_H

#include "facts/memory/memory.h"

enum { DT_IMAGE_EXPORTS = 0, DT_IMAGE_RESOURCES = 2, DT_IMAGE_EXCEPTIONS = 3, DT_IMAGE_DEBUG = 6, DT_IMAGE_DIRECTORIES = 16 };

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
/* The symbol server's key for its PDB: GUID and age; in the arena. NULL when memory does not have it. */
const char *dt_image_debug_id(const struct dt_image *image, struct dt_arena *arena);

struct dt_image_section {
	uint32_t rva, size; /* in memory */
	bool writable;
};
/* Section index; false behind the last one. */
bool dt_image_section(const struct dt_image *image, unsigned index, struct dt_image_section *out);

/* Of the version resource; each NULL when it is not there. */
struct dt_image_version {
	const char *file_version; /* "7.15.18513.0" */
	const char *company, *product;
};
/* false when memory has no version resource. */
bool dt_image_version(const struct dt_image *image, struct dt_arena *arena, struct dt_image_version *out);

#endif

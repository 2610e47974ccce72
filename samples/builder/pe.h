/* pe.h - the header page of an image as a loader leaves it in memory. Private to the builder. Layouts: Microsoft's PE format specification. */
#ifndef SAMPLE_PE_H
#define SAMPLE_PE_H

#include "recipe.h"

struct pe {
	uint64_t size, timestamp, checksum;
	bool wide;            /* PE32+ */
	const char *name;     /* of the export directory; NULL: none */
	struct {
		const char *name;
		uint32_t rva;
	} exports[5];         /* sorted by name */
	size_t export_count;
	const char *version;  /* "7.15.18513.0"; NULL: no resource */
	const char *company;
	uint32_t data_rva, data_size; /* a writable section; 0: none */
};

enum { PE_PAGE = 0x1000 };
void pe_build(struct recipe *recipe, const struct pe *pe, uint8_t out[PE_PAGE]);

#endif

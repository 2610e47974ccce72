/*
 * source.h - who is asked for an image or a file of symbols.
 *
 * A reader knows what it needs by its identity, and gets an open file or none. Whoever answers (a symbol store on disk, the parent of a
 * sandboxed worker) may be wrong or hostile: the reader checks what it gets.
 */
#ifndef DT_SYMBOL_SOURCE_H
#define DT_SYMBOL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

enum dt_symbol_kind { DT_SYMBOL_IMAGE, DT_SYMBOL_PDB, DT_SYMBOL_BREAKPAD, DT_SYMBOL_KIND_COUNT };

struct dt_symbol_request {
	enum dt_symbol_kind kind;
	const char *name;         /* file name without folders: "driver.sys", "driver.pdb" */
	uint32_t timestamp, size; /* of an image: its key is both */
	const char *debug_id;     /* of symbols: GUID and age; of an image where it is known; NULL */
	unsigned attempt;         /* 0, then one more each time when the file given before was not the one: folders may hold other builds */
};

struct dt_symbol_source {
	void *self;
	/* An open descriptor of a regular file, which becomes the caller's; -1: no. */
	int (*ask)(void *self, const struct dt_symbol_request *request);
};

#endif

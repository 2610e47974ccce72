/*
 * symbols.h - the images of a dump's modules, as far as they are at hand.
 *
 * An image is taken from a file, when the source has the very build that was loaded, else from the dump's own memory. Files are opened when
 * a module is first asked for, and are closed together. A file that is not the module's is refused, and a note says why.
 */
#ifndef DT_SYMBOL_SYMBOLS_H
#define DT_SYMBOL_SYMBOLS_H

#include "facts/dump/dump.h"
#include "facts/image/image.h"
#include "facts/symbol/at_hand.h"
#include "facts/symbol/source.h"

struct dt_symbols_module;

struct dt_symbols {
	const struct dt_dump *dump;
	const struct dt_symbol_source *source; /* NULL: nothing but the dump */
	struct dt_arena *arena;      /* of names that are given */
	struct dt_arena own;         /* of all else: what files ask for cannot take the room of the dump's facts */
	struct dt_notes *notes;
	struct dt_symbols_module **modules; /* one for each of the dump's, NULL until it is asked for; NULL until the first is */
	unsigned files;                    /* open ones */
	unsigned asks;                     /* so far */
};

/* All is borrowed until dt_symbols_close. */
void dt_symbols_open(struct dt_symbols *symbols, const struct dt_dump *dump, const struct dt_symbol_source *source,
                     struct dt_arena *arena, struct dt_notes *notes);
void dt_symbols_close(struct dt_symbols *symbols);

/* The image of a module of the dump; NULL when nobody has it. Lives until dt_symbols_close. symbols may be NULL. */
const struct dt_image *dt_symbols_image(struct dt_symbols *symbols, const struct dt_module *module);
struct dt_symbol_name {
	const char *name; /* in the arena */
	uint64_t begin;   /* of the function */
	enum dt_symbol_source_kind from;
};
/* The function that holds va: by the module's PDB, else by the export that its function begins at. false: nobody knows. symbols may be NULL. */
bool dt_symbols_name(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_name *out);
/* How the frame of x86 code at va is undone, by the PDB or the .sym file of its module. false: nobody knows. symbols may be NULL. */
struct dt_symbol_frame;
bool dt_symbols_frame(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_frame *out);
/* The rules for registers at va, by the .sym file of its module, likewise. */
struct dt_symbol_cfi;
bool dt_symbols_cfi(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_cfi *out);
/* Asks for all of a module, as for a frame in it. */
void dt_symbols_look(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_state *out);
/* Code at va from the image at hand, where the dump does not have it. Gives the number of bytes. */
size_t dt_symbols_code(struct dt_symbols *symbols, uint64_t va, void *out, size_t len);

#endif

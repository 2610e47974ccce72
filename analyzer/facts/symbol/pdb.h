/*
 * pdb.h - names of functions from a PDB (MSF 7).
 *
 * The file stays mapped; only the tables' places are kept. A name comes from the procedures of the compiland that covers the address,
 * which have lengths, else from the public symbols, where the nearest one before the address is taken as debuggers do.
 * Layouts: LLVM's documentation of the PDB file format and Microsoft's published sources of it.
 */
#ifndef DT_SYMBOL_PDB_H
#define DT_SYMBOL_PDB_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

/* A stream: its size and where its list of blocks begins, in the directory. */
struct dt_pdb_stream {
	uint32_t size, list;
};

struct dt_pdb {
	struct dt_bytes file;
	struct dt_arena *arena;
	uint32_t block_size, block_count;
	uint32_t directory_size, directory_map; /* bytes; the block that lists the directory's blocks */
	struct dt_pdb_stream *streams;
	uint32_t stream_count;
	uint32_t age, info_age;
	uint8_t guid[16];
	uint32_t modules_size, contributions_off, contributions_size, contribution_stride; /* in the DBI stream; stride 0: none */
	uint16_t publics, records, sections;    /* streams; 0xffff: none */
	uint16_t omap, fpo, frames, names;      /* likewise; omap: from the image to how it was linked */
	uint32_t public_map_off, public_count;  /* the map of publics by address */
	uint16_t *module_streams;               /* symbol stream of each compiland */
	uint32_t module_count;
};

struct dt_pdb_symbol {
	const char *name; /* in the arena, clean, undecorated (dt_undecorate) */
	uint32_t rva;     /* where it begins; with OMAP: as if the function had stayed in one piece around the address that was asked for */
	uint32_t len;     /* bytes; 0 where only the begin is known */
};

/* Reads the directory and the headers. The bytes and the arena are borrowed for as long as the PDB is used.
 * DT_ERR_FORMAT with the offset; DT_ERR_UNSUPPORTED: no MSF 7; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_pdb_open(struct dt_pdb *pdb, struct dt_bytes file, struct dt_arena *arena, struct dt_error *err);
/* Whether it belongs to an image with this debug identity: GUID and age. */
bool dt_pdb_is(const struct dt_pdb *pdb, const char *debug_id);
/* The key that symbol stores keep it under: GUID and age; in the arena, NULL when that is full. */
const char *dt_pdb_debug_id(const struct dt_pdb *pdb, struct dt_arena *arena);
/* The function that holds an offset of the image. false: none known. */
bool dt_pdb_symbol_at(struct dt_pdb *pdb, uint32_t rva, struct dt_pdb_symbol *out);

/* How the frame of x86 code is undone (pdb_frame.c). false: the PDB does not say. The program lives in the arena. */
struct dt_symbol_frame;
bool dt_pdb_frame_at(struct dt_pdb *pdb, uint32_t rva, struct dt_symbol_frame *out);
/* An offset of the image as it was linked, before its parts were put elsewhere (OMAP). false: the code was put in afterwards. */
bool dt_pdb_source_rva(const struct dt_pdb *pdb, uint32_t rva, uint32_t *out);

/* A name without its decoration, in the arena: "?f@C@n@@QEAAXXZ" is "n::C::f", "??1C@@..." is "C::~C"; templates, operators and
 * what is not decorated stay as they are. */
const char *dt_undecorate(struct dt_arena *arena, const char *name);

#endif

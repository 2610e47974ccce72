/*
 * identity.h - what a file of images or symbols is, by its own bytes: an image (PE), a PDB, a Breakpad file.
 *
 * Reads headers only. Who fetches or keeps files asks here, so that nothing is kept under another's key.
 */
#ifndef DT_SYMBOL_IDENTITY_H
#define DT_SYMBOL_IDENTITY_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/status.h"
#include "facts/symbol/source.h"

struct dt_symbol_identity {
	enum dt_symbol_kind kind;
	uint32_t timestamp, size; /* of an image */
	const char *debug_id;     /* GUID and age, in the arena; NULL: an image that names no PDB */
	const char *pdb_name;     /* of an image, likewise */
};

/* DT_ERR_UNSUPPORTED: neither of them, with the first bytes; DT_ERR_FORMAT with the offset: damaged; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_symbol_identify(struct dt_bytes file, struct dt_arena *arena, struct dt_symbol_identity *out, struct dt_error *err);
/* Whether the file is what was asked for. DT_ERR_NOT_FOUND: it is another one, with the difference; else as above. */
DT_MUST_USE enum dt_status dt_symbol_check(struct dt_bytes file, const struct dt_symbol_request *request, struct dt_arena *arena,
                                           struct dt_error *err);

#endif

/*
 * carriers.h - who on a stack runs others' work: rows of a text file, the built-in one (signatures/carriers.conf) and those that users add.
 *
 *   SPACE MODULE[!FUNCTION] KIND      kernel ndis.sys ignore
 *
 * SPACE: kernel or user. MODULE: a file name; a '*' at its end, or before its extension, stands for any rest. FUNCTION: as symbols name
 * it, with a '*' at most at its end. KIND:
 *   ignore  never blamed: the next frame is asked
 *   maybe   blamed when no frame behind it has a better claim
 *   last    blamed when there is not even a maybe
 * '#' begins a remark. Of several rows that fit, the one that says more of the module counts, then the one that says more of the
 * function, then the later one: the order that Microsoft documents for the owners of its debugger's triage.ini.
 */
#ifndef DT_TABLES_CARRIERS_H
#define DT_TABLES_CARRIERS_H

#include "core/base/arena.h"
#include "core/base/status.h"

enum dt_carrier_kind { DT_CARRIER_NONE, DT_CARRIER_IGNORE, DT_CARRIER_MAYBE, DT_CARRIER_LAST };

struct dt_carrier {
	const char *module, *extension, *function; /* in the text, not ended; function NULL: the whole module */
	uint16_t module_len, extension_len, function_len; /* of what stands before the star; of what stands behind the module's */
	bool module_star, function_star, kernel;
	enum dt_carrier_kind kind;
};

struct dt_carriers {
	struct dt_carrier *rows;
	size_t count, room;
};

/* The rows of the program itself. Shared, never freed. */
const struct dt_carriers *dt_carriers_builtin(void);
/* Rows of text behind those that are there; text and rows live in the arena, what *list had before stays where it was.
 * DT_ERR_FORMAT names file, line and column; DT_ERR_LIMIT: more than DT_MAX_CARRIERS; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_carriers_add(struct dt_carriers *list, const char *file, const char *text, size_t len, struct dt_arena *arena,
                                           struct dt_error *err);
/* What a frame is. list NULL: by the built-in rows. module NULL is nothing that is known; function NULL: only rows of whole modules count. */
enum dt_carrier_kind dt_carriers_find(const struct dt_carriers *list, bool kernel, const char *module, const char *function);

#endif

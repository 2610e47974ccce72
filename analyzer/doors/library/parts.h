/*
 * parts.h - what stands behind the handles of include/dumptriage.h.
 */
#ifndef DT_LIBRARY_PARTS_H
#define DT_LIBRARY_PARTS_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"
#include "facts/symbol/store.h"
#include "facts/triage/triage.h"
#include "include/dumptriage.h"
#include "judgement/signature/rules.h"

struct dt_analyzer {
	struct dt_triage *triage;
	struct dt_rules *rules;
	struct dt_triage_options options;
	char *host;                    /* what options.host points to */
	struct dt_arena symbol_places; /* of the store */
	struct dt_symbol_store store;  /* what options.symbols points to, once it is open */
	struct dt_error err;           /* of the last call that failed; its text is "" before */
};

/* A record in its binary form, decoded: it borrows from nobody, so it outlives the analyzer and its signatures. */
struct dt_analysis {
	struct dt_buf encoded;
	struct dt_arena arena; /* lists of the record */
	struct dt_crash crash; /* texts lie in encoded */
};

/* The caller's number for a status of ours. */
enum dt_result dt_library_result(enum dt_status status);
/* A copy of the record that stands alone. DT_ERR_LIMIT: over DT_MAX_RECORD; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_library_keep(const struct dt_crash *crash, struct dt_analysis **out, struct dt_error *err);

#endif

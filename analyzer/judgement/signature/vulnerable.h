/*
 * vulnerable.h - the list of drivers with known vulnerabilities, which attackers bring along. Private to judgement/signature.
 *
 * A text file: lines "name<TAB>timestamp<TAB>size<TAB>id" in ascending order of bytes, names in lower case, the timestamp of the PE header as 0x
 * and 8 digits, the size of the image the same way or "-", id that of loldrivers.io. Lines that begin with '#' stand before all others.
 */
#ifndef DT_SIGNATURE_VULNERABLE_H
#define DT_SIGNATURE_VULNERABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct dt_vulnerable {
	const char *text; /* borrowed; searched as it is */
	size_t len;
	uint64_t names[1024]; /* bits of the names' hashes: most drivers of a dump are told apart from all by one look */
};

/* A list whose form and order are known to be right: the built-in one. */
void dt_vulnerable_trust(struct dt_vulnerable *out, const char *text, size_t len);
/* Checks form and order, so that it may be searched. DT_ERR_FORMAT names file, line and column. */
DT_MUST_USE enum dt_status dt_vulnerable_init(struct dt_vulnerable *out, const char *file, const char *text, size_t len,
                                              struct dt_error *err);
/* The id of an entry with this name and build, its length in *len; NULL: none. size NULL: not known. */
const char *dt_vulnerable_find(const struct dt_vulnerable *list, const char *name, uint64_t timestamp, const uint64_t *size,
                               size_t *len);

#endif

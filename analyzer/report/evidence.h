/*
 * evidence.h - the facts of a record as lines for a person.
 */
#ifndef DT_REPORT_EVIDENCE_H
#define DT_REPORT_EVIDENCE_H

#include "report/page.h"

/* What the dump says, from the stop code to what is missing. */
void dt_report_evidence(struct dt_page *page, const struct dt_facts *facts);

/* "csagent.sys+0xe14ed"; "0x1234" where no module holds the address. */
void dt_put_place(struct dt_buf *out, const char *module, struct dt_opt offset, struct dt_opt ip);
/* The text, or "unknown" for NULL. */
const char *dt_or_unknown(const char *text);

#endif

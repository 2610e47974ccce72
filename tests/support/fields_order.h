/*
 * fields_order.h - the order of fields and words that binary records rely on, as
 * text: one line for each, kept in tests/unit/model/fields.order.
 */
#ifndef DT_TEST_FIELDS_ORDER_H
#define DT_TEST_FIELDS_ORDER_H

#include "core/base/buf.h"

/* All lines of the rows as they are now. */
void fields_order_write(struct dt_buf *out);
/* Holds the pinned text against the rows: NULL when each pinned line stands where it stood, else what does not
 * (static text). *added says whether rows are there that are not pinned yet, each at its object's end. */
const char *fields_order_broken(const char *pinned, bool *added);

#endif

/*
 * schema.h - what fields.def says, for others: a JSON Schema (draft 2020-12) and
 * a Markdown table. Both are kept in docs/ and a test compares.
 */
#ifndef DT_MODEL_SCHEMA_H
#define DT_MODEL_SCHEMA_H

#include "core/base/buf.h"

void dt_schema_write(struct dt_buf *out);
void dt_fields_doc_write(struct dt_buf *out);

#endif

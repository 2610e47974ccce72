/*
 * json.h - the record as JSON, made at the edges: --format, --out, API, export.
 */
#ifndef DT_MODEL_JSON_H
#define DT_MODEL_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"

enum dt_json_style {
	DT_JSON_LINE,   /* one line, no spaces, no newline at the end */
	DT_JSON_PRETTY, /* indented by two spaces; a newline at the end */
};

/* Writes every field of the record, null where it is not known. */
void dt_json_write_crash(const struct dt_crash *crash, enum dt_json_style style, struct dt_buf *out);
/* Any object described by fields.def. */
struct dt_object;
void dt_json_write_object(const struct dt_object *object, const void *value, enum dt_json_style style,
                          struct dt_buf *out);
/* A string literal with its quotes, escaped; null for NULL. */
void dt_json_write_text(const char *text, struct dt_buf *out);
/* A further member of an object: ,"name":"text", or null for NULL. */
void dt_json_write_member(const char *name, const char *text, struct dt_buf *out);
/* The same of a number: decimal, or null where it is not known. */
void dt_json_write_number(const char *name, struct dt_opt number, struct dt_buf *out);

/* Reads a record. Members it does not know are ignored; a member of the wrong
 * type, over a cap, or with a schema other than dumptriage.crash/1 is DT_ERR_FORMAT,
 * the text names its path. The record lives in the arena. */
DT_MUST_USE enum dt_status dt_json_read_crash(const char *text, size_t len, struct dt_arena *arena,
                                              struct dt_crash *out, struct dt_error *err);

#endif

/*
 * codec.h - the record as bounded binary: what crosses the worker's pipe and
 * what the store keeps.
 *
 * The bytes: "DTR1", a u8 that names the object (1 facts, 2 judgement, 3 crash),
 * then the object. An object is a count of fields and that many values in the
 * order of fields.def. Each value begins with its wire type (0 null, 1 number
 * as LEB128, 2 length-prefixed bytes or text with a NUL behind, 3 list: count and values,
 * 4 object), so that a reader of another version steps over fields it does not
 * know, and finds null where the writer had none.
 *
 * Decoding trusts nothing: every count and length is held against the bytes
 * that are left and against the caps of fields.def, text must be clean (base/text.h),
 * enumerated values must be in range (one that a newer version wrote becomes null).
 */
#ifndef DT_MODEL_CODEC_H
#define DT_MODEL_CODEC_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"

/* Append the encoded record to out; failure is in out->failed. */
void dt_facts_encode(const struct dt_facts *facts, struct dt_buf *out);
void dt_judgement_encode(const struct dt_judgement *judgement, struct dt_buf *out);
void dt_crash_encode(const struct dt_crash *crash, struct dt_buf *out);

/* Decode into *out (overwritten). Texts and bytes stay in `bytes`, which must
 * outlive the record; lists live in the arena.
 * DT_ERR_TRUNCATED, DT_ERR_FORMAT, DT_ERR_LIMIT with the offset; DT_ERR_NOMEM. On failure *out is undefined. */
DT_MUST_USE enum dt_status dt_facts_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_facts *out,
                                           struct dt_error *err);
DT_MUST_USE enum dt_status dt_judgement_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_judgement *out,
                                               struct dt_error *err);
DT_MUST_USE enum dt_status dt_crash_decode(struct dt_bytes bytes, struct dt_arena *arena, struct dt_crash *out,
                                           struct dt_error *err);

#endif

/*
 * bucket.h - keys that group equal crashes.
 *
 *   own     CLASS|MODULE+OFFSET|SIZE    av:read|csagent.sys+0xe14ed|0x4a0000
 *   family  CLASS|MODULE                av:read|csagent.sys
 *
 * CLASS is what went wrong, not how Windows said it: an invalid access is
 * "av:read", "av:write" or "av:execute" ("av" where the access is not known)
 * whether it became 0x50, 0xA, 0xD1, 0x7E, 0x3B or 0x1E; an other exception is its
 * code ("exc:0xc0000094"); every other stop code is itself, with its sub-code where
 * it has one ("0x9f/0x3", "0x139/0x3", "0x116"). User dumps begin with "u:".
 *
 * MODULE is the blamed module in lower case. Where nobody is blamed it is the
 * module of the fault with a '?' before it, and "?" where that is not known
 * either: such a group shares a symptom, not a culprit. Of a program "|@PROCESS" follows then, since the place is one that
 * all programs have (u:exc:0xc0000374|?ntdll.dll+0xf0000|0x1f8000|@app.exe). SIZE is the size of the image in
 * memory, which tells builds apart; "?" where it is not known. The OS build is never part of a key.
 */
#ifndef DT_BUCKET_BUCKET_H
#define DT_BUCKET_BUCKET_H

#include "core/base/arena.h"
#include "core/model/crash.h"

/* Fills *out (arena). own and family are null for an input without stop code and exception. id and hash are
 * WinDbg's, where they can be known. */
void dt_bucket(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_arena *arena,
               struct dt_bucket *out);

/* WinDbg's FAILURE_BUCKET_ID, in the arena: NULL unless the form is known and the function is proved by symbols, or the form needs none.
 * The stack's certain frames alone count. */
const char *dt_bucket_windbg(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_arena *arena);

/* WinDbg's FAILURE_ID_HASH of a FAILURE_BUCKET_ID: the MD5 of "km:" (user: "um:") and the id, lower case, as
 * UTF-16LE, written as a GUID. NULL when the arena is full. id: ASCII. */
const char *dt_bucket_hash(const char *id, bool kernel, struct dt_arena *arena);

#endif

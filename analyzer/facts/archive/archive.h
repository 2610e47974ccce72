/*
 * archive.h - the files inside a zip, 7z, cab, tar, gz, xz or zst (libarchive), one level deep.
 *
 * For the sandboxed worker: dt_archive_prepare() before the sandbox is entered. Names are only names: nothing is ever written under them. What
 * an archive may cost is capped (limits.h): members, bytes of one, bytes of all in proportion to the archive.
 */
#ifndef DT_ARCHIVE_ARCHIVE_H
#define DT_ARCHIVE_ARCHIVE_H

#include "core/base/arena.h"

struct dt_archive;

struct dt_member {
	uint32_t index;   /* among the regular files, from 0 */
	const char *name; /* cleaned; valid until the next member */
	uint64_t mtime;   /* FILETIME, 0 unknown */
};

/* Loads what libarchive would otherwise load from files later. */
void dt_archive_prepare(void);
/* Whether the descriptor's first bytes are those of an archive this can open. failed: they could not be read (errno), so nobody knows. */
bool dt_archive_is(int fd, bool *failed);
/* fd stays the caller's; name: the archive's own, for compressed single files. DT_ERR_FORMAT, DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_archive_open(struct dt_archive **out, int fd, const char *name, struct dt_error *err);
void dt_archive_close(struct dt_archive *archive);
/* The next regular file. DT_ERR_NOT_FOUND: no more. DT_ERR_FORMAT, DT_ERR_TRUNCATED: damaged from here on. DT_ERR_LIMIT: too many. */
DT_MUST_USE enum dt_status dt_archive_next(struct dt_archive *archive, struct dt_member *out, struct dt_error *err);
/* Writes the member's bytes to spill, from its beginning; spill is cut to them. DT_ERR_LIMIT with the cap that was met, DT_ERR_FORMAT
 * damaged or encrypted, DT_ERR_IO spill cannot be written. The next member can be read after each of these. */
DT_MUST_USE enum dt_status dt_archive_extract(struct dt_archive *archive, int spill, struct dt_error *err);

#endif

/*
 * spool.h - where uploaded bytes lie: a private folder (0700, files 0600), and no name in it comes from outside.
 *
 *   incoming/ID-N   a file that is being received; what is found there at the start was cut off, and is deleted
 *   queued/ID-N     a file that waits to be analysed
 *   queued/ID.json  the upload: it is accepted when this is there, and done when it is gone
 *   kept/SHA256     a dump that is kept for download
 *
 * One server at a time uses a spool. Thread-safe. Errors: DT_ERR_IO, DT_ERR_LIMIT (less than the reserve is free).
 */
#ifndef DT_SERVE_SPOOL_H
#define DT_SERVE_SPOOL_H

#include "core/base/buf.h"
#include "core/base/status.h"

struct dt_spool;

/* Makes the folder when it is not there. reserve: bytes of the disk that uploads leave free. DT_ERR_IO: it cannot be used, or another
 * server uses it. */
DT_MUST_USE enum dt_status dt_spool_open(struct dt_spool **out, const char *path, uint64_t reserve, struct dt_error *err);
void dt_spool_close(struct dt_spool *spool);

/* A file to receive into; the descriptor is the caller's. DT_ERR_LIMIT: the disk is full. */
DT_MUST_USE enum dt_status dt_spool_receive(struct dt_spool *spool, const char *id, unsigned number, int *fd, struct dt_error *err);
/* All of data into it. DT_ERR_LIMIT: the disk is full. */
DT_MUST_USE enum dt_status dt_spool_write(int fd, struct dt_bytes data, struct dt_error *err);
/* Received files become queued ones. */
DT_MUST_USE enum dt_status dt_spool_queue(struct dt_spool *spool, const char *id, unsigned number, struct dt_error *err);
/* The upload is accepted: its description stands beside its files. */
DT_MUST_USE enum dt_status dt_spool_accept(struct dt_spool *spool, const char *id, struct dt_bytes description, struct dt_error *err);
/* A queued file, for reading. */
DT_MUST_USE enum dt_status dt_spool_read(struct dt_spool *spool, const char *id, unsigned number, int *fd, struct dt_error *err);
/* The upload is no longer accepted; its files are dropped or kept after this. */
void dt_spool_close_upload(struct dt_spool *spool, const char *id);
/* Deletes queued files that no accepted upload names: what was cut off between the two. */
void dt_spool_sweep(struct dt_spool *spool);
/* Whether len bytes more leave the reserve free. */
bool dt_spool_has_room(const struct dt_spool *spool, uint64_t len);
/* A queued file is kept as SHA256 (hex), or deleted. */
void dt_spool_keep(struct dt_spool *spool, const char *id, unsigned number, const char *sha256);
void dt_spool_drop(struct dt_spool *spool, const char *id, unsigned number);
/* The upload is done, or was cut off: its description and what is left of its files go. */
void dt_spool_forget(struct dt_spool *spool, const char *id, unsigned files);

/* A kept dump, for reading. DT_ERR_NOT_FOUND. */
DT_MUST_USE enum dt_status dt_spool_kept(struct dt_spool *spool, const char *sha256, int *fd, uint64_t *size, struct dt_error *err);
void dt_spool_drop_kept(struct dt_spool *spool, const char *sha256);
/* Deletes kept dumps older than seconds; gives how many. */
unsigned dt_spool_expire(struct dt_spool *spool, int64_t seconds);

/* The descriptions of accepted uploads that are not done, in the order of their ids. */
typedef void (*dt_spool_found)(void *context, const char *id, struct dt_bytes description);
DT_MUST_USE enum dt_status dt_spool_each(struct dt_spool *spool, dt_spool_found found, void *context, struct dt_error *err);

#endif

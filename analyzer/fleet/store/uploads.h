/*
 * uploads.h - what people sent in: each upload with what was said of it, and the crashes that its files gave.
 *
 * An upload's rows go into the batch of the store (store.h) and are written in the transaction that writes its crashes: there is never
 * an upload of which half is known. Texts are UTF-8 as base/text.h promises. Errors as in store.h.
 */
#ifndef DT_STORE_UPLOADS_H
#define DT_STORE_UPLOADS_H

#include "fleet/store/store.h"

#define DT_UPLOAD_ID 32 /* hex digits of an upload's id */

struct dt_upload {
	const char *id;                  /* DT_UPLOAD_ID hex digits */
	uint64_t at, done;               /* FILETIME: received, stored */
	const char *host, *ticket, *note; /* what the sender said; NULL nothing */
	const char *who;                 /* the sender */
	uint64_t items;                  /* reading: how many results it has */
	const char *address;             /* of the sender; for the audit log, which gets a line with the upload. NULL when read */
};

/* One result of an upload: of a file, or of a member of an archive. */
struct dt_upload_item {
	const char *upload;
	uint32_t number;    /* counts through the upload, from 0 */
	const char *name;   /* the file's, "bag.zip!/pc7/MEMORY.DMP" for a member */
	const char *sha256; /* of the uploaded file, for an archive of the archive */
	uint64_t size;      /* likewise */
	const char *crash;  /* key; reading: NULL when it was deleted */
};

/* Into the batch: the upload itself. */
DT_MUST_USE enum dt_status dt_store_put_upload(struct dt_store *store, const struct dt_upload *upload, struct dt_error *err);
/* Into the batch: a result that is a crash of the store already. */
DT_MUST_USE enum dt_status dt_store_put_item(struct dt_store *store, const struct dt_upload_item *item, struct dt_error *err);

/* DT_ERR_NOT_FOUND: there is no such upload. Texts are copied into the arena. */
DT_MUST_USE enum dt_status dt_store_upload(struct dt_store *store, const char *id, struct dt_arena *arena, struct dt_upload *out,
                                           struct dt_error *err);

/* Exactly one of the three is given. */
struct dt_upload_query {
	const char *upload; /* its items, in their order */
	const char *crash;  /* items that gave this crash (key), the newest upload first */
	const char *sha256; /* items of the newest upload of these bytes whose crashes are all there with facts not older than facts_version */
	uint64_t facts_version;
	uint64_t limit, offset; /* items at most (0: all), behind so many */
};
/* false ends the listing; texts are borrowed until it returns. */
typedef bool (*dt_upload_row)(void *context, const struct dt_upload_item *item);
DT_MUST_USE enum dt_status dt_store_upload_items(struct dt_store *store, const struct dt_upload_query *query, dt_upload_row row,
                                                 void *context, struct dt_error *err);
/* Forgets uploads that were done before (FILETIME). Their crashes stay. */
DT_MUST_USE enum dt_status dt_store_prune_uploads(struct dt_store *store, uint64_t before, struct dt_error *err);

#endif

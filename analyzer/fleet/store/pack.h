/* pack.h - records as the store keeps them: binary (model/codec.h), compressed with zstd. Private to fleet/store. */
#ifndef DT_STORE_PACK_H
#define DT_STORE_PACK_H

#include "core/base/arena.h"
#include "core/base/buf.h"

struct dt_packer;

struct dt_packer *dt_packer_create(void); /* NULL: no memory */
void dt_packer_destroy(struct dt_packer *packer);
/* Appends the compressed bytes. */
enum dt_status dt_pack(struct dt_packer *packer, struct dt_bytes bytes, struct dt_buf *out, struct dt_error *err);
/* Decompresses into the arena; DT_MAX_RECORD at most. */
enum dt_status dt_unpack(struct dt_bytes packed, struct dt_arena *arena, struct dt_bytes *out, struct dt_error *err);

#endif

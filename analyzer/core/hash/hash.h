/*
 * hash.h - SHA-256 and MD5 (libcrypto).
 */
#ifndef DT_HASH_HASH_H
#define DT_HASH_HASH_H

#include "core/base/bytes.h"

#define DT_SHA256_SIZE 32
#define DT_SHA1_SIZE 20 /* only for names (UUID version 5), never where a forger matters */
#define DT_MD5_SIZE 16

/* Never fail for any length; data may be NULL when len is 0. */
void dt_sha256(struct dt_bytes bytes, uint8_t out[DT_SHA256_SIZE]);
void dt_sha1(struct dt_bytes bytes, uint8_t out[DT_SHA1_SIZE]);
void dt_md5(struct dt_bytes bytes, uint8_t out[DT_MD5_SIZE]);
/* Lower-case hex of the SHA-256 and a NUL. */
void dt_sha256_text(struct dt_bytes bytes, char out[2 * DT_SHA256_SIZE + 1]);

#endif

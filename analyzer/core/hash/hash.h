/*
 * hash.h - SHA-256, HMAC-SHA-256, SHA-1 and MD5 (libcrypto); random bytes of the system.
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
/* Any digest as lower-case hex: out has room for 2 * len digits and a NUL. */
void dt_hash_hex(const uint8_t *digest, size_t len, char *out);

/* SHA-256 of bytes that come in pieces. */
struct dt_hasher;
struct dt_hasher *dt_hasher_create(void); /* NULL: no memory */
void dt_hasher_add(struct dt_hasher *hasher, struct dt_bytes bytes);
/* The hex digits of all that was added; nothing may be added after. */
void dt_hasher_text(struct dt_hasher *hasher, char out[2 * DT_SHA256_SIZE + 1]);
void dt_hasher_free(struct dt_hasher *hasher);

/* HMAC-SHA-256 (RFC 2104), in hex. */
void dt_hmac_sha256_text(struct dt_bytes key, struct dt_bytes bytes, char out[2 * DT_SHA256_SIZE + 1]);
/* Whether two texts of secrets are equal, in a time that does not tell where they differ. */
bool dt_equal_secret(const char *a, const char *b);
/* len random bytes as hex digits and a NUL: fit for keys and tokens. The process ends when the system has none. */
void dt_random_hex(size_t len, char *out);

#endif

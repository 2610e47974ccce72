/* The one-shot EVP functions fetch an algorithm from a provider, and the first of
 * them sets up the library for that: more time than the whole analysis of a dump.
 * These do the same computation, with nothing to set up. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/hash/hash.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void dt_sha256(struct dt_bytes bytes, uint8_t out[DT_SHA256_SIZE])
{
	SHA256_CTX state;
	SHA256_Init(&state);
	if (bytes.len)
		SHA256_Update(&state, bytes.data, bytes.len);
	SHA256_Final(out, &state);
}

void dt_sha1(struct dt_bytes bytes, uint8_t out[DT_SHA1_SIZE])
{
	SHA_CTX state;
	SHA1_Init(&state);
	if (bytes.len)
		SHA1_Update(&state, bytes.data, bytes.len);
	SHA1_Final(out, &state);
}

void dt_md5(struct dt_bytes bytes, uint8_t out[DT_MD5_SIZE])
{
	MD5_CTX state;
	MD5_Init(&state);
	if (bytes.len)
		MD5_Update(&state, bytes.data, bytes.len);
	MD5_Final(out, &state);
}

void dt_hash_hex(const uint8_t *digest, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	out[2 * len] = 0;
}

void dt_sha256_text(struct dt_bytes bytes, char out[2 * DT_SHA256_SIZE + 1])
{
	uint8_t digest[DT_SHA256_SIZE];

	dt_sha256(bytes, digest);
	dt_hash_hex(digest, sizeof(digest), out);
}

struct dt_hasher {
	SHA256_CTX state;
};

struct dt_hasher *dt_hasher_create(void)
{
	struct dt_hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher)
		SHA256_Init(&hasher->state);
	return hasher;
}

void dt_hasher_add(struct dt_hasher *hasher, struct dt_bytes bytes)
{
	if (bytes.len)
		SHA256_Update(&hasher->state, bytes.data, bytes.len);
}

void dt_hasher_text(struct dt_hasher *hasher, char out[2 * DT_SHA256_SIZE + 1])
{
	uint8_t digest[DT_SHA256_SIZE];

	SHA256_Final(digest, &hasher->state);
	dt_hash_hex(digest, sizeof(digest), out);
}

void dt_hasher_free(struct dt_hasher *hasher)
{
	free(hasher);
}

enum { HMAC_BLOCK = 64 };

static void hmac_part(const uint8_t key[HMAC_BLOCK], uint8_t pad, struct dt_bytes bytes, uint8_t out[DT_SHA256_SIZE])
{
	uint8_t block[HMAC_BLOCK];
	SHA256_CTX state;

	for (size_t i = 0; i < HMAC_BLOCK; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(&state);
	SHA256_Update(&state, block, sizeof(block));
	if (bytes.len)
		SHA256_Update(&state, bytes.data, bytes.len);
	SHA256_Final(out, &state);
}

void dt_hmac_sha256_text(struct dt_bytes key, struct dt_bytes bytes, char out[2 * DT_SHA256_SIZE + 1])
{
	uint8_t padded[HMAC_BLOCK] = { 0 }, inner[DT_SHA256_SIZE], outer[DT_SHA256_SIZE];

	if (key.len > HMAC_BLOCK)
		dt_sha256(key, padded);
	else if (key.len)
		memcpy(padded, key.data, key.len);
	hmac_part(padded, 0x36, bytes, inner);
	hmac_part(padded, 0x5c, (struct dt_bytes){ inner, sizeof(inner) }, outer);
	dt_hash_hex(outer, sizeof(outer), out);
}

bool dt_equal_secret(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}

void dt_random_hex(size_t len, char *out)
{
	uint8_t bytes[64];

	for (size_t at = 0; at < len; at += sizeof(bytes)) {
		size_t n = len - at < sizeof(bytes) ? len - at : sizeof(bytes);
		if (getrandom(bytes, n, 0) != (ssize_t)n)
			abort();
		dt_hash_hex(bytes, n, out + 2 * at);
	}
}

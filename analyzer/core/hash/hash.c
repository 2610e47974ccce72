/* The one-shot EVP functions fetch an algorithm from a provider, and the first of
 * them sets up the library for that: more time than the whole analysis of a dump.
 * These do the same computation, with nothing to set up. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/hash/hash.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

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

void dt_sha256_text(struct dt_bytes bytes, char out[2 * DT_SHA256_SIZE + 1])
{
	uint8_t digest[DT_SHA256_SIZE];
	dt_sha256(bytes, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	out[2 * DT_SHA256_SIZE] = 0;
}

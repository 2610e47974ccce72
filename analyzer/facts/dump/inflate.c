#include "facts/dump/inflate.h"

#include <pthread.h>

#include "core/base/library.h"

/* The four functions, as the libraries' headers declare them on machines whose long has 64 bits. */
static int (*zlib)(uint8_t *out, unsigned long *out_len, const uint8_t *in, unsigned long in_len);
static int (*lzo)(const uint8_t *in, unsigned long in_len, uint8_t *out, unsigned long *out_len, void *memory);
static int (*snappy)(const char *in, size_t in_len, char *out, size_t *out_len);
static size_t (*zstd)(void *out, size_t out_size, const void *in, size_t in_len);

static bool by_zlib(struct dt_bytes in, uint8_t *out, size_t len)
{
	unsigned long got = len;

	return zlib(out, &got, in.data, in.len) == 0 && got == len;
}

static bool by_lzo(struct dt_bytes in, uint8_t *out, size_t len)
{
	unsigned long got = len;

	return lzo(in.data, in.len, out, &got, NULL) == 0 && got == len;
}

static bool by_snappy(struct dt_bytes in, uint8_t *out, size_t len)
{
	size_t got = len;

	return snappy((const char *)in.data, in.len, (char *)out, &got) == 0 && got == len;
}

/* An error is a number above all lengths. */
static bool by_zstd(struct dt_bytes in, uint8_t *out, size_t len)
{
	return zstd(out, len, in.data, in.len) == len;
}

static const struct library {
	const char *name, *function;
	void *pointer;
	bool (*inflate)(struct dt_bytes in, uint8_t *out, size_t len);
} libraries[DT_INFLATE_COUNT] = {
	[DT_INFLATE_ZLIB] = { "libz.so.1", "uncompress", &zlib, by_zlib },
	[DT_INFLATE_LZO] = { "liblzo2.so.2", "lzo1x_decompress_safe", &lzo, by_lzo },
	[DT_INFLATE_SNAPPY] = { "libsnappy.so.1", "snappy_uncompress", &snappy, by_snappy },
	[DT_INFLATE_ZSTD] = { "libzstd.so.1", "ZSTD_decompress", &zstd, by_zstd },
};

static struct {
	bool tried, there;
} states[DT_INFLATE_COUNT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool dt_inflate_is_there(enum dt_inflate method)
{
	pthread_mutex_lock(&lock);
	if (!states[method].tried)
		states[method].there = dt_library_take(dt_library_open(libraries[method].name), libraries[method].function, libraries[method].pointer);
	states[method].tried = true;
	bool there = states[method].there;
	pthread_mutex_unlock(&lock);
	return there;
}

const char *dt_inflate_library(enum dt_inflate method)
{
	return libraries[method].name;
}

bool dt_inflate(enum dt_inflate method, struct dt_bytes in, uint8_t *out, size_t len)
{
	return in.len && dt_inflate_is_there(method) && libraries[method].inflate(in, out, len);
}

#include "core/base/bytes.h"

#include <string.h>

bool dt_bytes_match(struct dt_bytes b, uint64_t off, const char *text, size_t n)
{
	return dt_bytes_has(b, off, n) && (n == 0 || memcmp(b.data + off, text, n) == 0);
}

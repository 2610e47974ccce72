/* Any bytes as a compressed file of a symbol store. */
#include "facts/symbol/cabinet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_bytes file = { data, len }, out;
	struct dt_error err;

	if (dt_cabinet_is(file) && dt_cabinet_unpack(file, &out, &err) == DT_OK)
		dt_cabinet_free(out);
	return 0;
}

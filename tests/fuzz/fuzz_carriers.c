/* Any bytes as rows of carriers. */
#include "core/tables/carriers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_carriers list = { 0 };
	struct dt_arena arena;
	struct dt_error err;

	dt_arena_init(&arena, 16u << 20);
	if (dt_carriers_add(&list, "fuzz", (const char *)data, len, &arena, &err) == DT_OK)
		(void)dt_carriers_find(&list, true, "driver.sys", "DriverDispatch");
	dt_arena_deinit(&arena);
	return 0;
}

/* Any bytes as a list of vulnerable drivers: what is accepted is searched. */
#include "judgement/signature/vulnerable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[] = { "a.sys", "driver.sys", "zz.sys", "" };
	static const uint64_t sizes[] = { 0, 0x8000 };
	struct dt_vulnerable list;
	struct dt_error err;
	size_t id;

	if (dt_vulnerable_init(&list, "list.tsv", (const char *)data, len, &err) != DT_OK)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t size = 0; size < 3; size++)
			for (uint64_t timestamp = 0; timestamp < 2; timestamp++)
				(void)dt_vulnerable_find(&list, names[i], timestamp ? 0x5f000000 : 1, size < 2 ? &sizes[size] : NULL, &id);
	return 0;
}

/* Any bytes as a Report.wer. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "facts/triage/wer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct dt_arena arena;

	if (fd < 0)
		fd = memfd_create("wer", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	dt_arena_init(&arena, 1u << 20);
	(void)dt_wer_host(fd, &arena);
	dt_arena_deinit(&arena);
	return 0;
}

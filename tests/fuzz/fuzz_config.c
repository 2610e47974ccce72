/* Any bytes as a configuration file, for a command that has options. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doors/common/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	char path[64], *words[] = { (char[]){ "serve" }, (char[]){ "--config" }, path, NULL }, **argv = words;
	struct dt_config *config = NULL;
	struct dt_error err;
	struct dt_buf out;
	int argc = 3;

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len || fchmod(fd, 0600))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	dt_buf_init(&out, 1u << 20);
	if (dt_config_apply(&config, &argc, &argv, &err) == DT_OK)
		dt_config_print(config, "serve", &out);
	dt_config_free(config);
	dt_buf_deinit(&out);
	return 0;
}

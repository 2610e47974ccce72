/* Any bytes as an archive: its members, each unpacked. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "facts/archive/archive.h"

enum { MOST_MEMBERS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("archive", MFD_CLOEXEC), spill = memfd_create("spill", MFD_CLOEXEC);
	struct dt_archive *archive = NULL;
	struct dt_member member;
	struct dt_error err;
	bool failed;

	if (fd < 0 || spill < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	if (dt_archive_is(fd, &failed) && dt_archive_open(&archive, fd, "fuzz.zip", &err) == DT_OK)
		for (unsigned i = 0; i < MOST_MEMBERS && dt_archive_next(archive, &member, &err) == DT_OK; i++)
			(void)dt_archive_extract(archive, spill, &err);
	dt_archive_close(archive);
	close(fd);
	close(spill);
	return 0;
}

#include "fleet/fetch/missing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/hash/hash.h"

enum { PARTIAL_S = 86400, MOST_REASON = 199 };

static bool marker(const char *cache, const char *server, const char *file, char path[PATH_MAX])
{
	struct dt_hasher *hasher = dt_hasher_create();
	char name[2 * DT_SHA256_SIZE + 1];

	if (!hasher)
		return false;
	dt_hasher_add(hasher, (struct dt_bytes){ (const uint8_t *)server, strlen(server) + 1 });
	dt_hasher_add(hasher, (struct dt_bytes){ (const uint8_t *)file, strlen(file) });
	dt_hasher_text(hasher, name);
	dt_hasher_free(hasher);
	return snprintf(path, PATH_MAX, "%s/" DT_FETCH_OWN_FOLDER "/missing-%s", cache, name) < PATH_MAX;
}

static bool is_old(const struct stat *st, uint64_t most_s)
{
	time_t now = time(NULL);

	/* A time in the future is a clock that was set: it would hold for ever. */
	return st->st_mtime > now || (uint64_t)(now - st->st_mtime) >= most_s;
}

/* true: it stays, and counts as a memory. */
static bool sweep_one(int folder, const char *name, uint64_t remember_s)
{
	bool memory = !strncmp(name, "missing-", 8), partial = !strncmp(name, "partial-", 8);
	struct stat st;

	if ((!memory && !partial) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!is_old(&st, memory ? remember_s : PARTIAL_S))
		return memory;
	(void)unlinkat(folder, name, 0);
	return false;
}

/* The cache, and what is above it. */
static void make_folders(const char *cache)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", cache) >= (int)sizeof(path))
		return;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0777);
		*slash = '/';
	}
	(void)mkdir(path, 0777);
}

enum dt_status dt_missing_open(const char *cache, uint64_t remember_s, unsigned *count, struct dt_error *err)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	*count = 0;
	make_folders(cache);
	if (snprintf(path, sizeof(path), "%s/" DT_FETCH_OWN_FOLDER, cache) >= (int)sizeof(path))
		return dt_fail(err, DT_ERR_IO, "its name is too long");
	if ((mkdir(path, 0777) != 0 && errno != EEXIST) || access(path, W_OK | X_OK) != 0 || !(folder = opendir(path)))
		return dt_fail(err, DT_ERR_IO, "it cannot be written: %s", strerror(errno));
	for (unsigned i = 0; i < 2 * DT_MAX_MISSING && (entry = readdir(folder)); i++)
		*count += sweep_one(dirfd(folder), entry->d_name, remember_s);
	closedir(folder);
	return DT_OK;
}

bool dt_missing_known(const char *cache, const char *server, const char *file, uint64_t remember_s, char why[200])
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (!marker(cache, server, file, path) || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) < 0)
		return false;
	bool known = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !is_old(&st, remember_s);
	ssize_t n = known ? read(fd, why, MOST_REASON) : 0;
	why[n > 0 ? n : 0] = '\0';
	(void)close(fd);
	return known;
}

void dt_missing_remember(const char *cache, const char *server, const char *file, const char *why)
{
	char path[PATH_MAX];
	int fd;

	/* Without it the server is asked again: nothing is lost. */
	if (!marker(cache, server, file, path) || (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666)) < 0)
		return;
	(void)!write(fd, why, strnlen(why, MOST_REASON));
	(void)futimens(fd, NULL);
	(void)close(fd);
}

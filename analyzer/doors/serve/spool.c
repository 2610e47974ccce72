#include "doors/serve/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/time.h"

enum { NAME_SIZE = 96, MAX_DESCRIPTION = 4 << 20 };

struct dt_spool {
	int root, incoming, queued, kept;
	uint64_t reserve;
	char path[PATH_MAX];
};

static enum dt_status fail(const char *what, struct dt_error *err)
{
	enum dt_status status = errno == ENOSPC || errno == EDQUOT ? DT_ERR_LIMIT : errno == ENOENT ? DT_ERR_NOT_FOUND : DT_ERR_IO;

	return dt_fail(err, status, "spool: %s: %s", what, strerror(errno));
}

/* Names are made of an id and a number of ours; anything else is no name. */
static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static const char *name_of(const char *id, unsigned number, char out[NAME_SIZE])
{
	if (!is_hex(id, 32))
		return "";
	snprintf(out, NAME_SIZE, "%s-%u", id, number);
	return out;
}

static int open_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* What was being received when a server ended. */
static void empty(int folder)
{
	DIR *dir = fdopendir(dup(folder));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlinkat(folder, entry->d_name, 0);
	if (dir)
		closedir(dir);
}

static enum dt_status open_all(struct dt_spool *spool, struct dt_error *err)
{
	struct stat info;

	if (mkdir(spool->path, 0700) && errno != EEXIST)
		return fail(spool->path, err);
	spool->root = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->root < 0 || fstat(spool->root, &info))
		return fail(spool->path, err);
	if (info.st_uid != geteuid() || (info.st_mode & 077))
		return dt_fail(err, DT_ERR_IO, "spool: %s can be read by others (dumps are memory): chmod 700, and owned by this user", spool->path);
	if (flock(spool->root, LOCK_EX | LOCK_NB))
		return dt_fail(err, DT_ERR_IO, "spool: %s is used by another server", spool->path);
	if ((spool->incoming = open_folder(spool->root, "incoming")) < 0 || (spool->queued = open_folder(spool->root, "queued")) < 0 ||
	    (spool->kept = open_folder(spool->root, "kept")) < 0)
		return fail(spool->path, err);
	empty(spool->incoming);
	return DT_OK;
}

enum dt_status dt_spool_open(struct dt_spool **out, const char *path, uint64_t reserve, struct dt_error *err)
{
	struct dt_spool *spool = calloc(1, sizeof(*spool));
	enum dt_status status;

	if (!spool)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	spool->root = spool->incoming = spool->queued = spool->kept = -1;
	spool->reserve = reserve;
	snprintf(spool->path, sizeof(spool->path), "%s", path);
	status = open_all(spool, err);
	if (status != DT_OK) {
		dt_spool_close(spool);
		return status;
	}
	*out = spool;
	return DT_OK;
}

void dt_spool_close(struct dt_spool *spool)
{
	if (!spool)
		return;
	const int all[] = { spool->incoming, spool->queued, spool->kept, spool->root };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] >= 0)
			close(all[i]);
	free(spool);
}

bool dt_spool_has_room(const struct dt_spool *spool, uint64_t len)
{
	struct statvfs disk;

	if (fstatvfs(spool->root, &disk))
		return true;
	uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
	return available >= spool->reserve && available - spool->reserve >= len;
}

enum dt_status dt_spool_receive(struct dt_spool *spool, const char *id, unsigned number, int *fd, struct dt_error *err)
{
	char name[NAME_SIZE] = "";

	if (!dt_spool_has_room(spool, 0))
		return dt_fail(err, DT_ERR_LIMIT, "spool: the disk is nearly full");
	*fd = openat(spool->incoming, name_of(id, number, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd >= 0 ? DT_OK : fail("receive", err);
}

enum dt_status dt_spool_write(int fd, struct dt_bytes data, struct dt_error *err)
{
	while (data.len) {
		ssize_t n = write(fd, data.data, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail("write", err);
		data.data += n;
		data.len -= (size_t)n;
	}
	return DT_OK;
}

enum dt_status dt_spool_queue(struct dt_spool *spool, const char *id, unsigned number, struct dt_error *err)
{
	char name[NAME_SIZE] = "";

	name_of(id, number, name);
	return renameat(spool->incoming, name, spool->queued, name) ? fail("queue", err) : DT_OK;
}

enum dt_status dt_spool_accept(struct dt_spool *spool, const char *id, struct dt_bytes description, struct dt_error *err)
{
	char name[NAME_SIZE];
	enum dt_status status;

	if (!is_hex(id, 32))
		return dt_fail(err, DT_ERR_USAGE, "spool: no id");
	snprintf(name, sizeof(name), "%s.json", id);
	int fd = openat(spool->incoming, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail("accept", err);
	status = dt_spool_write(fd, description, err);
	if (close(fd) && status == DT_OK)
		status = fail("accept", err);
	if (status == DT_OK && renameat(spool->incoming, name, spool->queued, name))
		status = fail("accept", err);
	if (status != DT_OK)
		unlinkat(spool->incoming, name, 0);
	return status;
}

enum dt_status dt_spool_read(struct dt_spool *spool, const char *id, unsigned number, int *fd, struct dt_error *err)
{
	char name[NAME_SIZE] = "";

	*fd = openat(spool->queued, name_of(id, number, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *fd >= 0 ? DT_OK : fail("read", err);
}

void dt_spool_keep(struct dt_spool *spool, const char *id, unsigned number, const char *sha256)
{
	char name[NAME_SIZE] = "";

	if (is_hex(sha256, 64))
		(void)renameat(spool->queued, name_of(id, number, name), spool->kept, sha256);
	/* Its age counts from now. */
	(void)utimensat(spool->kept, sha256, NULL, AT_SYMLINK_NOFOLLOW);
}

void dt_spool_drop(struct dt_spool *spool, const char *id, unsigned number)
{
	char name[NAME_SIZE] = "";

	name_of(id, number, name);
	unlinkat(spool->queued, name, 0);
	unlinkat(spool->incoming, name, 0);
}

void dt_spool_close_upload(struct dt_spool *spool, const char *id)
{
	char name[NAME_SIZE];

	if (!is_hex(id, 32))
		return;
	snprintf(name, sizeof(name), "%s.json", id);
	unlinkat(spool->queued, name, 0);
}

void dt_spool_forget(struct dt_spool *spool, const char *id, unsigned files)
{
	dt_spool_close_upload(spool, id);
	for (unsigned i = 0; i < files; i++)
		dt_spool_drop(spool, id, i);
}

void dt_spool_sweep(struct dt_spool *spool)
{
	DIR *dir = fdopendir(openat(spool->queued, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	struct stat info;
	char name[NAME_SIZE];

	while (dir && (entry = readdir(dir))) {
		if (strlen(entry->d_name) < 34 || entry->d_name[32] != '-')
			continue;
		snprintf(name, sizeof(name), "%.32s.json", entry->d_name);
		if (fstatat(spool->queued, name, &info, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
			unlinkat(spool->queued, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* ---- kept dumps --------------------------------------------------------------------- */

enum dt_status dt_spool_kept(struct dt_spool *spool, const char *sha256, int *fd, uint64_t *size, struct dt_error *err)
{
	struct stat info;

	errno = ENOENT;
	*fd = is_hex(sha256, 64) ? openat(spool->kept, sha256, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (*fd < 0)
		return fail("this dump is not kept", err);
	if (fstat(*fd, &info) || !S_ISREG(info.st_mode)) {
		close(*fd);
		return dt_fail(err, DT_ERR_IO, "spool: it cannot be read");
	}
	*size = (uint64_t)info.st_size;
	return DT_OK;
}

void dt_spool_drop_kept(struct dt_spool *spool, const char *sha256)
{
	if (is_hex(sha256, 64))
		unlinkat(spool->kept, sha256, 0);
}

unsigned dt_spool_expire(struct dt_spool *spool, int64_t seconds)
{
	DIR *dir = fdopendir(openat(spool->kept, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	struct stat info;
	unsigned gone = 0;
	/* Not time(): that is behind by up to a tick, and a file's time may be ahead of it. */
	int64_t now = dt_time_to_unix(dt_time_now());

	while (dir && (entry = readdir(dir)))
		if (is_hex(entry->d_name, 64) && fstatat(spool->kept, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - info.st_mtime >= seconds && unlinkat(spool->kept, entry->d_name, 0) == 0)
			gone++;
	if (dir)
		closedir(dir);
	return gone;
}

/* ---- what waits ------------------------------------------------------------------------ */

static void read_description(struct dt_spool *spool, const char *name, dt_spool_found found, void *context)
{
	int fd = openat(spool->queued, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct dt_buf text;
	char part[16384], id[33];
	ssize_t n;

	dt_buf_init(&text, MAX_DESCRIPTION);
	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		dt_buf_append(&text, part, (size_t)n);
	if (fd >= 0)
		close(fd);
	snprintf(id, sizeof(id), "%.32s", name);
	if (dt_buf_ok(&text))
		found(context, id, dt_buf_bytes(&text));
	dt_buf_deinit(&text);
}

static int is_description(const struct dirent *entry)
{
	return strlen(entry->d_name) == 37 && strspn(entry->d_name, "0123456789abcdef") == 32 && !strcmp(entry->d_name + 32, ".json");
}

enum dt_status dt_spool_each(struct dt_spool *spool, dt_spool_found found, void *context, struct dt_error *err)
{
	struct dirent **names;
	int count = scandirat(spool->queued, ".", &names, is_description, alphasort);

	if (count < 0)
		return fail("list", err);
	for (int i = 0; i < count; i++) {
		read_description(spool, names[i]->d_name, found, context);
		free(names[i]);
	}
	free(names);
	return DT_OK;
}

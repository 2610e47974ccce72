/*
 * A library to preload: makes calls on some files fail or hang, as a bad share or a full disk would.
 *
 *   DT_FAULT_OPEN_HANG     open of a name with this part does not return
 *   DT_FAULT_OPEN_EIO      ... fails with EIO
 *   DT_FAULT_READDIR_HANG  reading a folder whose path has this part does not return
 *   DT_FAULT_READDIR_ESTALE
 *   DT_FAULT_NFS           a path with this part lies on NFS
 *   DT_FAULT_WRITE_ENOSPC  writing to a file whose path has this part fails once DT_FAULT_AFTER bytes were written
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

static int named(const char *variable, const char *path)
{
	const char *part = getenv(variable);

	return part && path && strstr(path, part) != NULL;
}

static int named_fd(const char *variable, int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (!getenv(variable))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return named(variable, path);
}

static void hang(void)
{
	for (;;)
		pause();
}

static int fault_of_open(const char *path)
{
	if (named("DT_FAULT_OPEN_HANG", path))
		hang();
	if (!named("DT_FAULT_OPEN_EIO", path))
		return 0;
	errno = EIO;
	return 1;
}

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	va_list args;

	va_start(args, flags);
	mode_t mode = va_arg(args, mode_t);
	va_end(args);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "open");
	return fault_of_open(path) ? -1 : real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	static int (*real)(int, const char *, int, ...);
	va_list args;

	va_start(args, flags);
	mode_t mode = va_arg(args, mode_t);
	va_end(args);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "openat");
	return fault_of_open(path) ? -1 : real(folder, path, flags, mode);
}

/* What a hardened build (_FORTIFY_SOURCE) calls where the flags are not a constant. */
int __openat_2(int folder, const char *path, int flags);
int __openat_2(int folder, const char *path, int flags)
{
	static int (*real)(int, const char *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "__openat_2");
	return fault_of_open(path) ? -1 : real(folder, path, flags);
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == 437 && fault_of_open((const char *)a[1])) /* openat2 */
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

struct dirent *readdir(DIR *dir)
{
	static struct dirent *(*real)(DIR *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (named_fd("DT_FAULT_READDIR_HANG", dirfd(dir)))
		hang();
	if (named_fd("DT_FAULT_READDIR_ESTALE", dirfd(dir))) {
		errno = ESTALE;
		return NULL;
	}
	return real(dir);
}

int statfs(const char *path, struct statfs *out)
{
	static int (*real)(const char *, struct statfs *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "statfs");
	int status = real(path, out);
	if (status == 0 && named("DT_FAULT_NFS", path))
		out->f_type = 0x6969;
	return status;
}

static int no_space(int fd, size_t len)
{
	static size_t written;
	const char *after = getenv("DT_FAULT_AFTER");

	if (!named_fd("DT_FAULT_WRITE_ENOSPC", fd))
		return 0;
	written += len;
	if (written <= (after ? strtoul(after, NULL, 10) : 0))
		return 0;
	errno = ENOSPC;
	return 1;
}

ssize_t write(int fd, const void *data, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	return no_space(fd, len) ? -1 : real(fd, data, len);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	return no_space(fd, len) ? -1 : real(fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

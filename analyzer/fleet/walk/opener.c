/* The threads that open files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fleet/walk/shared.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Beneath the folder that was given, whatever the names between have become since. */
static int open_beneath(int root, const char *relative, bool link)
{
	struct open_how how = { .flags = OPEN_FLAGS | (link ? 0u : (unsigned)O_NOFOLLOW), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, relative, &how, sizeof(how));
}

static int open_input(const struct dt_walk *walk, const struct dt_found *found)
{
	int fd;

	if (found->root < 0)
		return open(found->path, OPEN_FLAGS);
	fd = open_beneath(walk->roots[found->root], found->path + found->relative, found->link);
	if (fd >= 0 || (errno != ENOSYS && errno != ENAMETOOLONG && errno != EPERM))
		return fd;
	if (found->link)
		return -1;
	return openat(walk->roots[found->root], found->path + found->relative, OPEN_FLAGS | O_NOFOLLOW);
}

static enum dt_status refuse(struct dt_error *err, mode_t mode)
{
	const char *what = S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";

	return dt_fail(err, DT_ERR_IO, "is %s, not a file", what);
}

static void open_one(const struct dt_walk *walk, const struct dt_found *found, struct dt_opened *out)
{
	struct stat info;

	out->fd = open_input(walk, found);
	if (out->fd < 0) {
		int code = errno;
		out->found.status = code == EXDEV ? dt_fail(&out->found.err, DT_ERR_IO, "is a link that leads out of the tree")
		                                  : dt_fail(&out->found.err, DT_ERR_IO, "cannot be opened: %s", strerror(code));
		return;
	}
	if (fstat(out->fd, &info)) {
		out->found.status = dt_fail(&out->found.err, DT_ERR_IO, "cannot be read: %s", strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		out->found.status = refuse(&out->found.err, info.st_mode);
	} else {
		out->found.size = (uint64_t)info.st_size;
		out->found.mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
		return;
	}
	close(out->fd);
	out->fd = -1;
}

/* One try for each folder: a share pays for every name that is not there. */
static int open_report(const char *path, char **without)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	char *name;
	int fd;

	if (*without && strlen(*without) == len && !strncmp(*without, path, len))
		return -1;
	name = malloc(len + sizeof("Report.wer"));
	if (!name)
		return -1;
	memcpy(name, path, len);
	memcpy(name + len, "Report.wer", sizeof("Report.wer"));
	fd = open(name, OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0) {
		name[len] = '\0';
		free(*without);
		*without = name;
		return -1;
	}
	free(name);
	return fd;
}

void *dt_opener_run(void *argument)
{
	struct dt_lane_start start = *(struct dt_lane_start *)argument;
	struct dt_walk *walk = start.walk;
	struct dt_lane *lane = start.lane;
	char *without = NULL;

	free(argument);
	pthread_mutex_lock(&walk->lock);
	while (lane->generation == start.generation && !walk->stopping) {
		struct dt_opened opened = { .fd = -1, .report_fd = -1 };
		if (!walk->wanted.count) {
			walk->openers_wait++;
			pthread_cond_wait(&walk->for_openers, &walk->lock);
			walk->openers_wait--;
			continue;
		}
		struct dt_found found = walk->wanted.items[walk->wanted.first];
		walk->wanted.first = (walk->wanted.first + 1) % DT_WALK_AHEAD;
		walk->wanted.count--;
		lane->at = found;
		lane->opening = true;
		opened.found = found;
		dt_lane_away(walk, lane);
		open_one(walk, &found, &opened);
		if (opened.fd >= 0)
			opened.report_fd = open_report(found.path, &without);
		if (!dt_lane_back(walk, lane, start.generation)) {
			/* Abandoned: the caller was told already, nobody wants what came at last. */
			dt_found_free(&found);
			if (opened.fd >= 0)
				close(opened.fd);
			if (opened.report_fd >= 0)
				close(opened.report_fd);
			break;
		}
		lane->opening = false;
		dt_walk_finish(walk, &opened);
	}
	free(without);
	dt_walk_unref(walk);
	return NULL;
}

/* The thread that finds files. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet/walk/shared.h"

enum { MAX_LINE = 1 << 20, SHOWN = 100, INPUT = 65536 };

/* One run of the walker's thread. The lock is held but around calls that may hang. */
struct run {
	struct dt_walk *walk;
	uint64_t generation;
	bool abandoned;
};

static bool going(const struct run *run)
{
	return !run->abandoned && !run->walk->stopping && run->walk->walker.generation == run->generation;
}

/* The path so far and a name: what the next call is about. */
static void away(struct run *run, const char *name)
{
	struct dt_walk *walk = run->walk;
	size_t len = strlen(name);
	char *what = malloc(walk->path_at + len + 2);

	if (what) {
		if (walk->path_at)
			memcpy(what, walk->path, walk->path_at);
		memcpy(what + walk->path_at, name, len + 1);
	}
	free(walk->walker.what);
	walk->walker.what = what;
	dt_lane_away(walk, &walk->walker);
}

static bool back(struct run *run)
{
	run->abandoned = !dt_lane_back(run->walk, &run->walk->walker, run->generation);
	return !run->abandoned;
}

static bool path_append(struct dt_walk *walk, const char *name)
{
	size_t len = strlen(name);

	if (walk->path_at + len + 2 > walk->path_room) {
		size_t room = (walk->path_at + len + 2) * 2;
		char *more = realloc(walk->path, room);
		if (!more)
			return false;
		walk->path = more;
		walk->path_room = room;
	}
	memcpy(walk->path + walk->path_at, name, len + 1);
	walk->path_at += len;
	return true;
}

/* Hands out path + name. root: number of the path argument, -1 none. No folder is open and no list is read: it is the argument itself. */
static void hand_out(struct run *run, const char *name, int root, const struct stat *info, enum dt_status status, const struct dt_error *err)
{
	struct dt_walk *walk = run->walk;
	size_t len = strlen(name);
	struct dt_found found = { .root = root, .status = status, .relative = walk->root_len, .named = status != DT_OK && !walk->depth && !walk->listing };

	found.path = malloc(walk->path_at + len + 1);
	if (!found.path) {
		walk->counts.no_memory = true;
		return;
	}
	if (walk->path_at)
		memcpy(found.path, walk->path, walk->path_at);
	memcpy(found.path + walk->path_at, name, len + 1);
	if (found.relative > walk->path_at + len)
		found.relative = 0;
	if (err)
		found.err = *err;
	if (info) {
		found.link = S_ISLNK(info->st_mode);
		found.size = found.link ? 0 : (uint64_t)info->st_size;
		found.mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
	}
	if (!dt_walk_push(walk, &walk->walker, run->generation, &found))
		run->abandoned = run->walk->walker.generation != run->generation;
}

static void hand_out_failure(struct run *run, const char *name, int root, int code, const char *what)
{
	struct dt_error err;
	enum dt_status status = code ? dt_fail(&err, DT_ERR_IO, "%s: %s", what, strerror(code)) : dt_fail(&err, DT_ERR_IO, "%s", what);

	hand_out(run, name, root, NULL, status, &err);
}

static bool wanted(struct dt_walk *walk, const char *name, const char *relative)
{
	bool included = walk->options.include_count == 0;

	for (size_t i = 0; i < walk->options.include_count && !included; i++)
		included = fnmatch(walk->include[i], name, FNM_CASEFOLD) == 0;
	included = included && strcasecmp(name, "Report.wer") != 0 &&
	           (!walk->options.shards || dt_walk_hash(relative) % walk->options.shards == walk->options.shard);
	walk->counts.skipped += !included;
	return included;
}

/* May be slow, or hang. NULL: *code says why, 0 that the walk is over. */
static DIR *open_folder(struct run *run, int parent, const char *name, int *code)
{
	away(run, name);
	/* The path argument itself may be a link; folders below it may not. */
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (parent == AT_FDCWD ? 0 : O_NOFOLLOW));
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	*code = errno;
	bool over = !back(run);
	if (dir && !over)
		return dir;
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	*code = over ? 0 : *code;
	return NULL;
}

/* The folder's path behind the walk's, and its level on top. false: no memory, nothing was changed. */
static bool push_level(struct dt_walk *walk, DIR *dir, const char *name)
{
	struct dt_level *level = calloc(1, sizeof(*level));
	size_t before = walk->path_at;

	if (level && path_append(walk, name) && (!walk->path_at || walk->path[walk->path_at - 1] == '/' || path_append(walk, "/"))) {
		level->dir = dir;
		level->path_len = before;
		walk->levels[walk->depth++] = level;
		return true;
	}
	walk->path_at = before;
	free(level);
	return false;
}

static void enter_folder(struct run *run, int parent, const char *name, int root)
{
	struct dt_walk *walk = run->walk;
	int code;

	if (walk->depth == DT_WALK_DEPTH) {
		hand_out_failure(run, name, root, 0, "is a folder more than 256 levels deep");
		return;
	}
	DIR *dir = open_folder(run, parent, name, &code);
	if (!dir) {
		walk->counts.no_memory |= code == ENOMEM;
		if (code && code != ENOMEM)
			hand_out_failure(run, name, root, code, "the folder cannot be opened");
		return;
	}
	walk->counts.folders++;
	if (parent == AT_FDCWD && walk->roots[root] < 0)
		walk->roots[root] = fcntl(dirfd(dir), F_DUPFD_CLOEXEC, 0);
	if (!push_level(walk, dir, name)) {
		walk->counts.no_memory = true;
		closedir(dir);
		return;
	}
	if (parent == AT_FDCWD)
		walk->root_len = walk->path_at;
}

static void leave_folder(struct dt_walk *walk)
{
	struct dt_level *level = walk->levels[--walk->depth];

	walk->path_at = level->path_len;
	closedir(level->dir);
	free(level);
}

/* One name of the innermost folder. type may be DT_UNKNOWN. */
static void one_name(struct run *run, const char *name, int folder, int root)
{
	struct dt_walk *walk = run->walk;
	struct stat info;
	char *relative;
	bool want;
	int failed, code;

	away(run, name);
	failed = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW);
	code = errno;
	if (!back(run))
		return;
	if (!failed && S_ISDIR(info.st_mode)) {
		enter_folder(run, folder, name, root);
		return;
	}
	relative = malloc(walk->path_at - walk->root_len + strlen(name) + 1);
	if (!relative) {
		walk->counts.no_memory = true;
		return;
	}
	memcpy(relative, walk->path + walk->root_len, walk->path_at - walk->root_len);
	memcpy(relative + walk->path_at - walk->root_len, name, strlen(name) + 1);
	want = wanted(walk, name, relative);
	free(relative);
	if (!want)
		return;
	if (failed)
		hand_out_failure(run, name, root, code, "cannot be looked at");
	else if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode))
		hand_out_failure(run, name, root, 0, "is not a file (a pipe, a socket or a device)");
	else
		hand_out(run, name, root, &info, DT_OK, NULL);
}

/* A link that leads to a folder is no input and is not followed. */
static bool links_to_folder(struct run *run, const char *name, int folder, bool *folder_link)
{
	struct stat info;

	away(run, name);
	*folder_link = fstatat(folder, name, &info, 0) == 0 && S_ISDIR(info.st_mode);
	return back(run);
}

/* The innermost folder, all of whose names are handed out. */
static void tell_folder(struct run *run, int root)
{
	struct dt_walk *walk = run->walk;
	struct dt_found found = { .root = root, .folder = true, .path = strndup(walk->path, walk->path_at) };

	if (!found.path)
		walk->counts.no_memory = true;
	else if (!dt_walk_push(walk, &walk->walker, run->generation, &found))
		run->abandoned = walk->walker.generation != run->generation;
}

static void walk_folder(struct run *run, int root)
{
	struct dt_walk *walk = run->walk;
	struct dt_level *level = walk->levels[walk->depth - 1];
	char name[DT_WALK_NAME];
	struct dirent *entry;
	bool folder_link = false;
	int code;

	walk->walker.in_folder = true;
	away(run, "");
	errno = 0;
	entry = readdir(level->dir);
	code = errno;
	if (!back(run)) {
		/* The folder was taken off the path when this thread was given up. */
		closedir(level->dir);
		free(level);
		return;
	}
	walk->walker.in_folder = false;
	if (!entry) {
		if (code)
			hand_out_failure(run, "", root, code, "the folder cannot be read to its end");
		else if (walk->options.tell_folders)
			tell_folder(run, root);
		if (going(run))
			leave_folder(walk);
		return;
	}
	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return;
	snprintf(name, sizeof(name), "%s", entry->d_name);
	if (entry->d_type == DT_LNK && (!links_to_folder(run, name, dirfd(level->dir), &folder_link) || folder_link)) {
		walk->counts.skipped += folder_link;
		return;
	}
	one_name(run, name, dirfd(level->dir), root);
}

/* A path of the command line: a file or a folder. */
static void begin_path(struct run *run, int root)
{
	struct dt_walk *walk = run->walk;
	const char *path = walk->paths[root], *slash = strrchr(path, '/');
	struct stat info;
	int failed, code;

	walk->path_at = walk->root_len = 0;
	away(run, path);
	failed = stat(path, &info);
	code = errno;
	if (!back(run))
		return;
	if (failed) {
		hand_out_failure(run, path, -1, code, "cannot be looked at");
	} else if (S_ISDIR(info.st_mode)) {
		enter_folder(run, AT_FDCWD, path, root);
	} else if (wanted(walk, slash ? slash + 1 : path, slash ? slash + 1 : path)) {
		walk->root_len = slash ? (size_t)(slash - path) + 1 : 0;
		hand_out(run, path, -1, &info, DT_OK, NULL);
	}
}

/* One more character of the line, and room for its end; of a line that is longer than a name can be, the beginning stays. false: no memory. */
static bool line_put(struct dt_walk *walk, char c)
{
	if (walk->line_len + 2 > walk->line_room) {
		size_t room = walk->line_room ? walk->line_room * 2 : 4096;
		char *more = room <= MAX_LINE ? realloc(walk->line, room) : NULL;
		walk->line_cut |= room > MAX_LINE;
		walk->counts.no_memory |= !more && !walk->line_cut;
		if (!more)
			return walk->line_cut;
		walk->line = more;
		walk->line_room = room;
	}
	walk->line[walk->line_len++] = c;
	return true;
}

/* false: the list is at its end, or the walk is over. */
static bool read_list(struct run *run, char end)
{
	struct dt_walk *walk = run->walk;
	int fd = walk->options.list_fd;
	char *input = walk->input;

	pthread_mutex_unlock(&walk->lock);
	ssize_t n = read(fd, input, INPUT);
	pthread_mutex_lock(&walk->lock);
	if (!going(run))
		return false;
	walk->input_at = 0;
	walk->input_len = n > 0 ? (size_t)n : 0;
	if (n <= 0 && walk->line_len) { /* the last name has no end */
		walk->input[0] = end;
		walk->input_len = 1;
	}
	return walk->input_len > 0;
}

/* The next name of the list. Reading may wait as long as whoever writes it does. */
static bool next_line(struct run *run, char **out)
{
	struct dt_walk *walk = run->walk;
	char end = walk->options.list_nul ? '\0' : '\n';

	do {
		while (walk->input_at < walk->input_len) {
			char c = walk->input[walk->input_at++];
			if (!line_put(walk, c))
				return false;
			if (c != end)
				continue;
			walk->line[walk->line_cut ? SHOWN : walk->line_len - 1] = '\0';
			walk->line_len = 0;
			*out = walk->line;
			return true;
		}
	} while (read_list(run, end));
	return false;
}

/* Where the part of a listed name below the list's root begins; 0: it is not below it, or there is none. */
static size_t below_list_root(const struct dt_walk *walk, const char *path)
{
	size_t len = walk->list_root ? strlen(walk->list_root) : 0;

	while (len && walk->list_root[len - 1] == '/')
		len--;
	if (!walk->list_root || strncmp(path, walk->list_root, len) != 0 || path[len] != '/')
		return 0;
	return len + strspn(path + len, "/");
}

static void one_line(struct run *run, const char *path)
{
	struct dt_walk *walk = run->walk;
	const char *slash = strrchr(path, '/');
	struct stat info;
	int failed, code;

	if (!*path || !wanted(walk, slash ? slash + 1 : path, path))
		return;
	char *copy = strdup(path);
	if (!copy) {
		walk->counts.no_memory = true;
		return;
	}
	walk->root_len = below_list_root(walk, path);
	away(run, copy);
	failed = stat(copy, &info);
	code = errno;
	if (back(run)) {
		if (failed)
			hand_out_failure(run, copy, -1, code, "cannot be looked at");
		else
			hand_out(run, copy, -1, &info, DT_OK, NULL);
	}
	free(copy);
}

static void walk_list(struct run *run)
{
	struct dt_walk *walk = run->walk;
	char *line;

	if (!walk->input && !(walk->input = malloc(INPUT))) {
		walk->counts.no_memory = true;
		return;
	}
	walk->listing = true;
	while (going(run) && next_line(run, &line)) {
		run->walk->path_at = run->walk->root_len = 0;
		if (run->walk->line_cut)
			hand_out_failure(run, line, -1, 0, "is longer than a name can be; this is its beginning");
		else
			one_line(run, line);
		run->walk->line_cut = false;
	}
}

void *dt_walker_run(void *argument)
{
	struct dt_lane_start start = *(struct dt_lane_start *)argument;
	struct dt_walk *walk = start.walk;
	struct run run = { .walk = walk, .generation = start.generation };

	free(argument);
	pthread_mutex_lock(&walk->lock);
	while (going(&run) && (walk->depth || walk->path_begun < walk->options.path_count)) {
		if (walk->depth)
			walk_folder(&run, (int)walk->path_begun - 1);
		else
			begin_path(&run, (int)walk->path_begun++);
	}
	if (going(&run) && walk->options.list_fd >= 0)
		walk_list(&run);
	if (going(&run)) {
		walk->over = walk->counts.complete = true;
		dt_wake(&walk->for_caller, walk->caller_waits);
	}
	dt_walk_unref(walk);
	return NULL;
}

/* dumptriage symbols add: images, PDBs and Breakpad files into a store of two tiers, each under its own key. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/base/text.h"
#include "doors/cli/symbols.h"
#include "facts/symbol/identity.h"

enum { MOST_OPEN_FOLDERS = 32 };

/* nftw() has no place for it. */
static struct adding {
	const char *store;
	struct dt_arena arena; /* of one file */
	size_t added, known, other, failed;
	bool broken; /* the store cannot be written */
} adding;

/* Where the file belongs: NAME/KEY/NAME below the store. false: it cannot be found by a key. */
static bool place(const struct dt_symbol_identity *file, const char *name, char folder[PATH_MAX], const char **why)
{
	const struct dt_symbol_request request = { .kind = file->kind, .name = name, .timestamp = file->timestamp, .size = file->size,
		                                   .debug_id = file->debug_id };
	char above[256], key[80];

	*why = "it has no time stamp, which stores are asked by";
	if (!dt_symbol_key(&request, key, sizeof(key)))
		return false;
	*why = "its name is too long";
	return dt_symbol_folder(&request, above, sizeof(above)) && snprintf(folder, PATH_MAX, "%s/%s/%s", adding.store, above, key) < PATH_MAX;
}

static bool make_folders(char *folder)
{
	for (char *slash = strchr(folder + strlen(adding.store) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool made = mkdir(folder, 0777) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return mkdir(folder, 0777) == 0 || errno == EEXIST;
}

static bool write_all(int fd, struct dt_bytes bytes)
{
	for (size_t done = 0; done < bytes.len;) {
		ssize_t n = write(fd, bytes.data + done, bytes.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/* Under another name until it is whole: nobody finds half a file. */
static bool copy(const struct dt_mapping *map, const char *path)
{
	char partial[PATH_MAX];

	if (snprintf(partial, sizeof(partial), "%s.partial-%ld", path, (long)getpid()) >= PATH_MAX)
		return false;
	int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return false;
	bool whole = write_all(fd, map->bytes) && !map->shrunk;
	whole &= close(fd) == 0;
	if (whole && rename(partial, path) == 0)
		return true;
	(void)unlink(partial);
	return false;
}

static bool keep(const struct dt_mapping *map, char *folder, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX)
		return false;
	if (access(path, F_OK) == 0) {
		adding.known++;
		printf("known  %s\n", path + strlen(adding.store) + 1);
		return true;
	}
	if (!make_folders(folder) || !copy(map, path))
		return false;
	adding.added++;
	printf("added  %s\n", path + strlen(adding.store) + 1);
	return true;
}

static void skip(const char *path, const char *why)
{
	adding.failed++;
	(void)dt_door_fail("%s: %s", path, why);
}

/* named: the user asked for this very file; of a folder only what is one is taken. */
static void take(const struct dt_mapping *map, const char *path, bool named)
{
	struct dt_symbol_identity file;
	struct dt_error err;
	char folder[PATH_MAX];
	const char *why, *name = dt_text_basename(path);
	enum dt_status status = dt_symbol_identify(map->bytes, &adding.arena, &file, &err);

	if (status == DT_ERR_UNSUPPORTED && !named)
		adding.other++;
	else if (status != DT_OK)
		skip(path, err.text);
	else if (!place(&file, name, folder, &why))
		skip(path, why);
	else if (!keep(map, folder, name)) {
		int code = errno;
		adding.broken = true;
		adding.failed++;
		(void)dt_door_fail("%s: cannot be kept in %s: %s", path, adding.store, strerror(code));
	}
}

static void add_file(const char *path, bool named)
{
	struct dt_mapping map;
	struct dt_error err;

	if (dt_mapping_open(&map, path, &err) != DT_OK) {
		skip(path, err.text);
		return;
	}
	take(&map, path, named);
	dt_mapping_close(&map);
	dt_arena_reset(&adding.arena);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *where)
{
	if (type == FTW_F && S_ISREG(st->st_mode))
		add_file(path, where->level == 0);
	else if (type == FTW_DNR || type == FTW_NS)
		skip(path, "it cannot be read");
	return adding.broken;
}

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int dt_cli_symbols_add(struct dt_symbols_call *call)
{
	adding = (struct adding){ .store = call->words[0] };
	if (mkdir(adding.store, 0777) != 0 && errno != EEXIST)
		return dt_door_fail("%s: %s", adding.store, strerror(errno));
	if (!is_folder(adding.store))
		return dt_door_usage(call->self, "%s is no folder: the store comes first, files and folders to add behind it", adding.store);
	dt_arena_init(&adding.arena, DT_MAX_ARENA);
	for (int i = 1; i < call->count && !adding.broken; i++)
		if (nftw(call->words[i], visit, MOST_OPEN_FOLDERS, FTW_PHYS) < 0)
			skip(call->words[i], strerror(errno));
	dt_arena_deinit(&adding.arena);
	printf("%zu added, %zu known already, %zu neither images nor symbols, %zu failed\n", adding.added, adding.known, adding.other, adding.failed);
	return adding.broken ? DT_EXIT_ENVIRONMENT : adding.failed ? DT_EXIT_UNREADABLE : DT_EXIT_OK;
}

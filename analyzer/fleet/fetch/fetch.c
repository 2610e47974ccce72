#include "fleet/fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "core/log/log.h"
#include "facts/symbol/cabinet.h"
#include "facts/symbol/identity.h"
#include "fleet/fetch/http.h"
#include "fleet/fetch/missing.h"

enum { TIMEOUT_S = 15, REMEMBER_S = 86400, QUIET_MS = 60000, MOST_BROKEN = 3, MOST_POINTER = 1024, MOST_FILE = 700, MOST_WHY = 200 };

/* What is known of a server. Servers are told apart by their place in the path. */
struct server {
	const struct dt_symbol_place *place;
	char *shown;        /* the URL without a password */
	unsigned broken;    /* failures in a row */
	int64_t quiet_until; /* of the steady clock; 0: it may be asked */
	bool opened, usable; /* its cache */
	unsigned remembered; /* memories in the cache */
};

struct dt_fetch {
	struct dt_fetch_options options;
	struct dt_symbol_fetcher fetcher;
	struct dt_downloader *downloader;
	bool no_downloader;
	struct dt_arena arena; /* of the check of one file */
	struct server servers[DT_MAX_STORE_PLACES];
	size_t server_count;
};

/* One file that is asked for. */
struct task {
	struct dt_fetch *fetch;
	struct server *server;
	const struct dt_symbol_request *request;
	char folder[256];     /* NAME/KEY/ of the store: its NAME */
	const char *key;
	char file[MOST_FILE]; /* NAME/KEY/NAME, for people and for the memory */
	char why[MOST_WHY];
};

/* ---- what became of it ------------------------------------------------------------- */

static void tell(const struct task *task, enum dt_log_level level)
{
	const struct dt_fetch_options *options = &task->fetch->options;

	if (options->tell)
		options->tell(options->self, task->server->shown, task->file, task->why);
	else
		dt_log(level, "symbols", NULL, "%s from %s: %s", task->file, task->server->shown, task->why);
}

/* For a day nobody asks again. */
static void remember_as(struct task *task, const char *file)
{
	if (task->server->remembered < DT_MAX_MISSING) {
		task->server->remembered++;
		dt_missing_remember(task->server->place->cache, task->server->place->where, file, task->why);
	}
}

static void remember(struct task *task)
{
	remember_as(task, task->file);
}

/* What was too large is asked for again under another limit. */
static void name_large(const struct task *task, char out[MOST_FILE + 32])
{
	snprintf(out, MOST_FILE + 32, "%s more than %llu", task->file, (unsigned long long)task->fetch->options.max_bytes);
}

static void remember_large(struct task *task)
{
	char name[MOST_FILE + 32];

	name_large(task, name);
	remember_as(task, name);
}

static bool is_remembered(struct task *task)
{
	const struct dt_symbol_place *place = task->server->place;
	char name[MOST_FILE + 32];

	name_large(task, name);
	return dt_missing_known(place->cache, place->where, task->file, task->fetch->options.remember_s, task->why) ||
	       dt_missing_known(place->cache, place->where, name, task->fetch->options.remember_s, task->why);
}

static void judge_server(struct task *task, enum dt_download outcome)
{
	struct server *server = task->server;

	if (outcome != DT_DOWNLOAD_SILENT && outcome != DT_DOWNLOAD_BROKEN) {
		server->broken = 0;
		return;
	}
	server->broken++;
	if (outcome == DT_DOWNLOAD_BROKEN && server->broken < MOST_BROKEN)
		return;
	server->quiet_until = dt_time_steady_ms() + QUIET_MS;
	server->broken = 0;
	dt_log(DT_LOG_WARNING, "symbol-server", NULL, "%s is left alone for a minute: %s", server->shown, task->why);
}

/* ---- names --------------------------------------------------------------------------- */

/* Everything but letters, digits and a few signs is written in percent; slashes stand where the path is cut. */
static bool put_path(struct dt_buf *url, const char *path)
{
	for (const char *c = path; *c; c++) {
		if ((*c >= '0' && *c <= '9') || (dt_text_fold(*c) >= 'a' && dt_text_fold(*c) <= 'z') || strchr("._-~/", *c))
			dt_buf_putc(url, *c);
		else
			dt_buf_printf(url, "%%%02X", (unsigned char)*c);
	}
	return dt_buf_ok(url);
}

static char *shown_url(const char *url)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url, *at = host + strcspn(host, "/?#");
	char *out = NULL;

	while (at > host && *at != '@')
		at--;
	if (*at != '@' || asprintf(&out, "%.*s%s", (int)(host - url), url, at + 1) < 0)
		return *at == '@' ? NULL : strdup(url);
	return out;
}

/* Control characters in a name come from a hostile dump; no file is called so. */
static bool is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

/* ---- a file of the cache -------------------------------------------------------------- */

static bool cache_path(const struct task *task, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s/%s/%s", task->server->place->cache, task->folder, task->key, name) < PATH_MAX;
}

/* Where a file lies until it is whole: open for writing in the cache's own folder. */
static int open_partial(const struct task *task, char path[PATH_MAX])
{
	char random[17];

	dt_random_hex(8, random);
	if (snprintf(path, PATH_MAX, "%s/" DT_FETCH_OWN_FOLDER "/partial-%s", task->server->place->cache, random) >= PATH_MAX)
		return -1;
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
}

/* NAME and NAME/KEY of the cache. */
static bool make_folders(const struct task *task)
{
	char path[PATH_MAX];
	int name = snprintf(path, sizeof(path), "%s/%s", task->server->place->cache, task->folder);

	if (name >= PATH_MAX || (mkdir(path, 0777) != 0 && errno != EEXIST))
		return false;
	if (name + snprintf(path + name, sizeof(path) - (size_t)name, "/%s", task->key) >= PATH_MAX)
		return false;
	return mkdir(path, 0777) == 0 || errno == EEXIST;
}

/* The whole file takes its place. */
static bool keep(struct task *task, const char *partial, const char *name)
{
	char path[PATH_MAX];

	if (cache_path(task, name, path) && make_folders(task) && rename(partial, path) == 0)
		return true;
	snprintf(task->why, sizeof(task->why), "it cannot be kept in %.120s: %.40s", task->server->place->cache, strerror(errno));
	return false;
}

/* ---- a download -------------------------------------------------------------------------- */

/* Whether what has come is what was asked for. What is packed is unpacked by the reader, in the sandbox. */
static bool check(struct task *task, int fd, bool packed)
{
	struct dt_mapping map;
	struct dt_error err;
	enum dt_status status = dt_mapping_open_fd(&map, fd, &err);

	if (status == DT_OK) {
		if (packed && !dt_cabinet_is(map.bytes))
			status = dt_fail(&err, DT_ERR_FORMAT, "it is no cabinet");
		else if (!packed && !dt_cabinet_is(map.bytes))
			status = dt_symbol_check(map.bytes, task->request, &task->fetch->arena, &err);
		dt_mapping_close(&map);
	}
	dt_arena_reset(&task->fetch->arena);
	if (status != DT_OK)
		snprintf(task->why, sizeof(task->why), "what it sends is refused: %.160s", err.text);
	return status == DT_OK;
}

/* GET of base/path; what it says of the server is kept. */
static enum dt_download download(struct task *task, const char *path, int fd, uint64_t max)
{
	const char *base = task->server->place->where;
	size_t len = strlen(base);
	enum dt_download outcome = DT_DOWNLOAD_LOCAL;
	struct dt_buf url;

	dt_buf_init(&url, 1u << 14);
	dt_buf_printf(&url, "%s%s", base, len && base[len - 1] == '/' ? "" : "/");
	if (put_path(&url, path))
		outcome = dt_download(task->fetch->downloader, dt_buf_text(&url), fd, max, task->why);
	dt_buf_deinit(&url);
	judge_server(task, outcome);
	return outcome;
}

enum step { NEXT, STOP, GOT };

/* Into the cache as name. NEXT: the server has no file of that name. */
static enum step get(struct task *task, const char *path, const char *name, bool packed)
{
	char partial[PATH_MAX];
	enum step step = STOP;
	int fd = open_partial(task, partial);

	if (fd < 0) {
		snprintf(task->why, sizeof(task->why), "it cannot be written into %.120s: %.40s", task->server->place->cache, strerror(errno));
		return STOP;
	}
	enum dt_download outcome = download(task, path, fd, task->fetch->options.max_bytes);
	if (outcome == DT_DOWNLOAD_ABSENT)
		step = NEXT;
	else if (outcome == DT_DOWNLOAD_TOO_LARGE)
		remember_large(task);
	else if (outcome == DT_DOWNLOAD_OK && !check(task, fd, packed))
		remember(task);
	else if (outcome == DT_DOWNLOAD_OK && fsync(fd) != 0)
		snprintf(task->why, sizeof(task->why), "it cannot be written: %.100s", strerror(errno));
	else if (outcome == DT_DOWNLOAD_OK && keep(task, partial, name))
		step = GOT;
	(void)close(fd);
	if (step != GOT)
		(void)unlink(partial);
	return step;
}

/* The path in the server's file.ptr. */
static enum step get_pointer(struct task *task, char text[MOST_POINTER + 1])
{
	char partial[PATH_MAX], path[MOST_FILE + 16];
	int fd = open_partial(task, partial);

	if (fd < 0)
		return STOP;
	(void)unlink(partial);
	snprintf(path, sizeof(path), "%.250s/%.80s/file.ptr", task->folder, task->key);
	enum dt_download outcome = download(task, path, fd, MOST_POINTER);
	ssize_t n = outcome == DT_DOWNLOAD_OK ? pread(fd, text, MOST_POINTER, 0) : 0;
	(void)close(fd);
	/* A page of a server that answers everything is no pointer. */
	if (outcome == DT_DOWNLOAD_ABSENT || outcome == DT_DOWNLOAD_TOO_LARGE)
		return NEXT;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (!strncmp(text, "PATH:", 5))
		memmove(text, text + 5, strlen(text + 5) + 1);
	return outcome == DT_DOWNLOAD_OK ? GOT : STOP;
}

/* A server's pointer leads to another file of that server, never to this machine's files or to a share. */
static bool is_below(const char *target)
{
	return *target && !strchr(target, ':') && *target != '/' && *target != '\\' && !strstr(target, "..") && is_plain(target) && *target != '<';
}

static enum step follow_pointer(struct task *task)
{
	char target[MOST_POINTER + 1];
	enum step step = get_pointer(task, target);

	if (step != GOT)
		return step;
	if (!is_below(target)) {
		snprintf(task->why, sizeof(task->why), "its file.ptr leads elsewhere: '%.120s'", target);
		remember(task);
		return STOP;
	}
	for (char *c = target; *c; c++)
		*c = *c == '\\' ? '/' : *c;
	return get(task, target, task->request->name, false);
}

/* As it is, compressed, elsewhere. */
static enum step by_names(struct task *task)
{
	char path[MOST_FILE + 16], packed[256];
	enum step step;

	snprintf(packed, sizeof(packed), "%s", task->request->name);
	packed[strlen(packed) - 1] = '_';
	if ((step = get(task, task->file, task->request->name, false)) != NEXT)
		return step;
	snprintf(path, sizeof(path), "%.250s/%.80s/%.255s", task->folder, task->key, packed);
	/* Breakpad's servers have neither. */
	if (task->request->kind != DT_SYMBOL_BREAKPAD && ((step = get(task, path, packed, true)) != NEXT || (step = follow_pointer(task)) != NEXT))
		return step;
	snprintf(task->why, sizeof(task->why), "the server does not have it");
	remember(task);
	return STOP;
}

/* ---- a question --------------------------------------------------------------------------- */

static struct server *server_of(struct dt_fetch *fetch, const struct dt_symbol_place *place)
{
	for (size_t i = 0; i < fetch->server_count; i++)
		if (fetch->servers[i].place == place)
			return &fetch->servers[i];
	if (fetch->server_count == DT_MAX_STORE_PLACES)
		return NULL;
	char *shown = shown_url(place->where);
	if (!shown)
		return NULL;
	fetch->servers[fetch->server_count] = (struct server){ .place = place, .shown = shown };
	return &fetch->servers[fetch->server_count++];
}

/* The cache can be written; libcurl is there. Said once. */
static bool can_work(struct dt_fetch *fetch, struct server *server)
{
	struct dt_error err;

	if (!server->opened) {
		server->opened = true;
		server->usable = dt_missing_open(server->place->cache, fetch->options.remember_s, &server->remembered, &err) == DT_OK;
		if (!server->usable)
			dt_log(DT_LOG_ERROR, "symbol-cache", NULL, "the cache %s is not used: %s", server->place->cache, err.text);
	}
	if (!fetch->downloader && !fetch->no_downloader) {
		fetch->no_downloader = dt_downloader_create(&fetch->downloader, fetch->options.timeout_s, &err) != DT_OK;
		if (fetch->no_downloader)
			dt_log(DT_LOG_ERROR, "symbols", NULL, "nothing can be downloaded: %s", err.text);
	}
	return server->usable && fetch->downloader;
}

static bool is_quiet(struct task *task)
{
	int64_t left = task->server->quiet_until - dt_time_steady_ms();

	if (left <= 0)
		return false;
	snprintf(task->why, sizeof(task->why), "the server did not answer before, and is left alone for %lld s more", (long long)(left + 999) / 1000);
	return true;
}

static bool begin(struct task *task)
{
	int len;

	if (!dt_symbol_folder(task->request, task->folder, sizeof(task->folder)) || !is_plain(task->request->name))
		return false;
	len = snprintf(task->file, sizeof(task->file), "%s/%s/%s", task->folder, task->key, task->request->name);
	return len > 0 && (size_t)len < sizeof(task->file) && can_work(task->fetch, task->server);
}

/* What another process has put there meanwhile; else -1. */
static int open_kept(const struct task *task)
{
	char path[PATH_MAX], packed[256];
	int fd = cache_path(task, task->request->name, path) ? dt_symbol_open_file(path) : -1;

	snprintf(packed, sizeof(packed), "%s", task->request->name);
	packed[strlen(packed) - 1] = '_';
	return fd >= 0 || !cache_path(task, packed, path) ? fd : dt_symbol_open_file(path);
}

static int fetch_one(void *self, const struct dt_symbol_place *place, const struct dt_symbol_request *request, const char *key)
{
	struct dt_fetch *fetch = self;
	struct task task = { .fetch = fetch, .request = request, .key = key };
	int fd;

	if (!place->cache || !(task.server = server_of(fetch, place)) || !begin(&task))
		return -1;
	/* A file of the cache that the reader has refused is not fetched again. */
	if ((fd = open_kept(&task)) >= 0) {
		if (request->attempt == 0)
			return fd;
		(void)close(fd);
		return -1;
	}
	if (is_remembered(&task) || is_quiet(&task)) {
		tell(&task, DT_LOG_DEBUG);
		return -1;
	}
	if (by_names(&task) == GOT)
		return open_kept(&task);
	tell(&task, strcmp(task.why, "the server does not have it") ? DT_LOG_WARNING : DT_LOG_INFO);
	return -1;
}

enum dt_status dt_fetch_create(struct dt_fetch **out, const struct dt_fetch_options *options, struct dt_error *err)
{
	struct dt_fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	fetch->options = *options;
	fetch->options.timeout_s = options->timeout_s ? options->timeout_s : TIMEOUT_S;
	fetch->options.max_bytes = options->max_bytes ? options->max_bytes : DT_MAX_DOWNLOAD;
	fetch->options.remember_s = options->remember_s ? options->remember_s : REMEMBER_S;
	fetch->fetcher = (struct dt_symbol_fetcher){ fetch, fetch_one };
	dt_arena_init(&fetch->arena, DT_MAX_ARENA);
	*out = fetch;
	return DT_OK;
}

void dt_fetch_destroy(struct dt_fetch *fetch)
{
	if (!fetch)
		return;
	dt_downloader_destroy(fetch->downloader);
	for (size_t i = 0; i < fetch->server_count; i++)
		free(fetch->servers[i].shown);
	dt_arena_deinit(&fetch->arena);
	free(fetch);
}

const struct dt_symbol_fetcher *dt_fetch_fetcher(struct dt_fetch *fetch)
{
	return &fetch->fetcher;
}

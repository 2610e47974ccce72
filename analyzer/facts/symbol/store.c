#include "facts/symbol/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"

enum { MOST_PATH = 4096, MOST_ENTRIES = 65536, MOST_POINTER = 1024, MOST_KEY = 80 };

/* ---- the path -------------------------------------------------------------------------- */

static bool is_url(const char *text)
{
	return !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
}

/* Where it stands decides what keeps a server's files: the first store of its element, else the last cache* before it. */
struct parsing {
	struct dt_symbol_store *store;
	const char *element_cache, *cache;
	struct dt_error *err;
};

static enum dt_status add(struct parsing *p, const char *where, enum dt_symbol_place_kind kind)
{
	struct dt_symbol_store *store = p->store;

	if (!*where)
		return DT_OK;
	if (store->place_count == DT_MAX_STORE_PLACES)
		return dt_fail(p->err, DT_ERR_USAGE, "symbol path: more than %d places", DT_MAX_STORE_PLACES);
	kind = is_url(where) ? DT_PLACE_SERVER : kind;
	store->places[store->place_count] = (struct dt_symbol_place){ .kind = kind, .where = where };
	if (kind == DT_PLACE_SERVER) {
		store->places[store->place_count].cache = p->element_cache ? p->element_cache : p->cache;
		store->has_servers = true;
	} else if (!p->element_cache) {
		p->element_cache = where;
	}
	store->place_count++;
	return DT_OK;
}

/* One element: words between stars. It is cut apart in place. */
static enum dt_status add_element(struct parsing *p, char *element)
{
	char *rest = strchr(element, '*');
	bool is_cache = rest && rest - element == 5 && !strncasecmp(element, "cache", 5);
	enum dt_status status = DT_OK;

	p->element_cache = NULL;
	if (!rest)
		return add(p, element, DT_PLACE_FOLDER);
	*rest++ = 0;
	if (!strcasecmp(element, "symsrv")) {
		rest = strchr(rest, '*'); /* the name of the server's library */
		if (!rest)
			return DT_OK;
		rest++;
	} else if (strcasecmp(element, "srv") && !is_cache) {
		return dt_fail(p->err, DT_ERR_USAGE, "symbol path: expected srv*, symsrv* or cache*, found '%s*'", element);
	}
	for (char *next; status == DT_OK && rest; rest = next) {
		next = strchr(rest, '*');
		if (next)
			*next++ = 0;
		status = add(p, rest, DT_PLACE_STORE);
	}
	if (is_cache)
		p->cache = p->element_cache;
	return status;
}

static int ask(void *self, const struct dt_symbol_request *request);

enum dt_status dt_symbol_store_open(struct dt_symbol_store *store, const char *path, struct dt_arena *arena, struct dt_error *err)
{
	struct parsing parsing = { .store = store, .err = err };
	enum dt_status status = DT_OK;
	const char *copy = dt_arena_strdup(arena, path);

	*store = (struct dt_symbol_store){ .source = { store, ask } };
	if (!copy)
		return dt_fail(err, DT_ERR_NOMEM, "symbol path: no memory");
	for (char *at = (char *)(uintptr_t)copy, *next; status == DT_OK && at; at = next) {
		next = strchr(at, ';');
		if (next)
			*next++ = 0;
		status = add_element(&parsing, at);
	}
	return status;
}

/* ---- a file ------------------------------------------------------------------------------ */

bool dt_symbol_key(const struct dt_symbol_request *request, char *out, size_t size)
{
	if (request->kind == DT_SYMBOL_IMAGE) {
		snprintf(out, size, "%08X%x", request->timestamp, request->size);
		return request->timestamp != 0;
	}
	snprintf(out, size, "%s", request->debug_id ? request->debug_id : "");
	return *out;
}

/* Names come from a dump: only what can be a single file in a folder is looked for. */
static bool is_name(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return len && len < 256 && text[0] != '.' && !strpbrk(text, "/\\:");
}

static bool is_key(const char *text)
{
	return *text && strlen(text) < MOST_KEY && strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

int dt_symbol_open_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* What one request goes through: places in their order; as many files are passed over as were refused before. */
struct search {
	const struct dt_symbol_request *request;
	char key[MOST_KEY];
	unsigned pass; /* still to pass over */
	int fd;
};

/* true ends the search. */
static bool take(struct search *search, int fd)
{
	if (fd < 0)
		return false;
	if (search->pass == 0) {
		search->fd = fd;
		return true;
	}
	search->pass--;
	(void)close(fd);
	return false;
}

static bool try_path(struct search *search, const char *folder, const char *middle, const char *name)
{
	char path[MOST_PATH];
	int len = snprintf(path, sizeof(path), "%s%s%s/%s", folder, *middle ? "/" : "", middle, name);

	return len > 0 && (size_t)len < sizeof(path) && take(search, dt_symbol_open_file(path));
}

/* The same, or compressed. */
static bool try_name(struct search *search, const char *folder, const char *middle, const char *name)
{
	char packed[256];

	snprintf(packed, sizeof(packed), "%s", name);
	packed[strlen(packed) - 1] = '_';
	return try_path(search, folder, middle, name) || try_path(search, folder, middle, packed);
}

/* file.ptr holds "PATH:" and a path, or the path alone. "MSG:" says why there is none. */
static bool try_pointer(struct search *search, const char *folder, const char *middle)
{
	char path[MOST_PATH], text[MOST_POINTER + 1], *target = text;
	int len = snprintf(path, sizeof(path), "%s/%s/file.ptr", folder, middle), fd;
	ssize_t n;

	if (len <= 0 || (size_t)len >= sizeof(path) || (fd = dt_symbol_open_file(path)) < 0)
		return false;
	n = read(fd, text, MOST_POINTER);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	text[strcspn(text, "\r\n")] = 0;
	if (!strncmp(target, "PATH:", 5))
		target += 5;
	if (!strncmp(target, "MSG:", 4))
		return false;
	if (*target == '/')
		return take(search, dt_symbol_open_file(target));
	for (char *c = target; *c; c++)
		*c = *c == '\\' ? '/' : *c;
	return try_path(search, folder, "", target);
}

bool dt_symbol_folder(const struct dt_symbol_request *request, char *out, size_t size)
{
	const char *name = request->name, *dot = strrchr(name, '.');
	int len;

	/* Breakpad's stores have NAME.pdb/KEY/NAME.sym. */
	if (request->kind == DT_SYMBOL_BREAKPAD && dot)
		len = snprintf(out, size, "%.*s.pdb", (int)(dot - name), name);
	else
		len = snprintf(out, size, "%s", name);
	return len > 0 && (size_t)len < size;
}

/* NAME/KEY/ and what stands there; under the first two letters of the name too. */
static bool try_key(struct search *search, const char *folder, const char *name, const char *key)
{
	struct dt_symbol_request named = *search->request;
	char middle[1024], above[256];

	named.name = name;
	if (!dt_symbol_folder(&named, above, sizeof(above)))
		return false;
	for (unsigned tiers = 2; tiers <= 3; tiers++) {
		if (tiers == 2)
			snprintf(middle, sizeof(middle), "%s/%s", above, key);
		else
			snprintf(middle, sizeof(middle), "%.2s/%s/%s", above, above, key);
		if (try_name(search, folder, middle, name) || try_pointer(search, folder, middle))
			return true;
	}
	return false;
}

static void lower(char *out, size_t size, const char *text)
{
	size_t i = 0;

	for (; text[i] && i + 1 < size; i++)
		out[i] = dt_text_fold(text[i]);
	out[i] = 0;
}

/* Windows does not care for capitals, and stores copied to Linux have names and keys as they came. */
static bool in_store(struct search *search, const char *folder)
{
	char name[256], key[MOST_KEY];
	const char *asked = search->request->name;

	if (!is_key(search->key))
		return false;
	lower(name, sizeof(name), asked);
	lower(key, sizeof(key), search->key);
	const char *const names[] = { asked, name }, *const keys[] = { search->key, key };
	for (size_t n = 0; n < (strcmp(asked, name) ? 2u : 1u); n++)
		for (size_t k = 0; k < (strcmp(search->key, key) ? 2u : 1u); k++)
			if (try_key(search, folder, names[n], keys[k]))
				return true;
	return false;
}

/* A file by its name alone, whatever its capitals. */
static bool in_folder(struct search *search, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	for (unsigned i = 0; dir && !found && i < MOST_ENTRIES && (entry = readdir(dir)); i++)
		if (!strcasecmp(entry->d_name, search->request->name))
			found = try_path(search, folder, "", entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* Debuggers look below "symbols" and the kind of file too. */
static bool in_plain(struct search *search, const char *folder)
{
	const char *dot = strrchr(search->request->name, '.');
	char below[MOST_PATH];

	if (in_folder(search, folder))
		return true;
	if (!dot || !dot[1])
		return false;
	for (unsigned i = 0; i < 2; i++) {
		int len = snprintf(below, sizeof(below), "%s/%s%s", folder, i ? "symbols/" : "", dot + 1);
		if (len > 0 && (size_t)len < sizeof(below) && in_folder(search, below))
			return true;
	}
	return false;
}

/* What a server has given before lies in its cache, which was asked before it. */
static bool on_server(struct search *search, const struct dt_symbol_store *store, const struct dt_symbol_place *place)
{
	return store->fetcher && is_key(search->key) && search->pass == 0 &&
	       take(search, store->fetcher->fetch(store->fetcher->self, place, search->request, search->key));
}

static bool in_place(struct search *search, const struct dt_symbol_store *store, const struct dt_symbol_place *place)
{
	if (place->kind == DT_PLACE_SERVER)
		return on_server(search, store, place);
	return in_store(search, place->where) || (place->kind == DT_PLACE_FOLDER && in_plain(search, place->where));
}

static int ask(void *self, const struct dt_symbol_request *request)
{
	const struct dt_symbol_store *store = self;
	struct search search = { .request = request, .pass = request->attempt, .fd = -1 };

	if (!is_name(request->name))
		return -1;
	if (!dt_symbol_key(request, search.key, sizeof(search.key)))
		search.key[0] = 0;
	for (size_t i = 0; i < store->place_count; i++)
		if (in_place(&search, store, &store->places[i]))
			break;
	return search.fd;
}

/*
 * store.h - images and symbol files in the folders that people have.
 *
 * A path lists places, separated by ';', in the words of _NT_SYMBOL_PATH:
 *   srv*A*B*URL, symsrv*symsrv.dll*A*URL   stores: folders and servers, nearest first
 *   cache*A                                a store
 *   A                                      a folder: files by their name, or a store
 * A store has NAME/KEY/NAME, with NA/NAME/KEY/NAME where it has index2.txt; NAME/KEY/file.ptr says where the file is; the last letter of
 * a compressed file's name is '_'. Nothing is downloaded here: servers are listed with the folder that keeps what comes from them, and
 * are asked through a function that the caller gives (fleet/fetch).
 */
#ifndef DT_SYMBOL_STORE_H
#define DT_SYMBOL_STORE_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "facts/symbol/source.h"

enum { DT_MAX_STORE_PLACES = 32 };

enum dt_symbol_place_kind {
	DT_PLACE_STORE,
	DT_PLACE_FOLDER, /* a store, or a folder in which files may lie by their name alone */
	DT_PLACE_SERVER,
};

struct dt_symbol_place {
	enum dt_symbol_place_kind kind;
	const char *where; /* folder or URL, as named */
	const char *cache; /* of a server: the nearest store before it, which keeps its files; NULL where none is named */
};

/* Who downloads. The file is put into the cache's store before the answer. */
struct dt_symbol_fetcher {
	void *self;
	/* An open descriptor for reading, which becomes the caller's; -1: the server has no such file, or none that is the right one. */
	int (*fetch)(void *self, const struct dt_symbol_place *server, const struct dt_symbol_request *request, const char *key);
};

struct dt_symbol_store {
	struct dt_symbol_source source; /* to ask it; self is the store */
	struct dt_symbol_place places[DT_MAX_STORE_PLACES]; /* in the order in which they are asked */
	size_t place_count;
	bool has_servers;
	const struct dt_symbol_fetcher *fetcher; /* borrowed; NULL: servers are passed by */
};

/* Takes the path apart; its texts live in the arena. Folders that are not there are no error: they are found empty.
 * DT_ERR_USAGE: a word that is not known before a '*', or too many places. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_symbol_store_open(struct dt_symbol_store *store, const char *path, struct dt_arena *arena, struct dt_error *err);

/* The key of a request in a store: time stamp and size of an image, debug identity of symbols. false when there is none. */
bool dt_symbol_key(const struct dt_symbol_request *request, char *out, size_t size);
/* The folder that a file has in a store of two tiers, "driver.pdb" for "driver.sym" of Breakpad's. false when the name is too long. */
bool dt_symbol_folder(const struct dt_symbol_request *request, char *out, size_t size);
/* Opens a regular file for reading, without waiting for anybody. -1: it cannot be, or is something else. */
int dt_symbol_open_file(const char *path);

#endif

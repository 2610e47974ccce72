/*
 * store.h - images and symbol files in the folders that people have.
 *
 * A path lists places, separated by ';', in the words of _NT_SYMBOL_PATH:
 *   srv*A*B*URL, symsrv*symsrv.dll*A*URL   stores: folders and servers, nearest first
 *   cache*A                                a store
 *   A                                      a folder: files by their name, or a store
 * A store has NAME/KEY/NAME, with NA/NAME/KEY/NAME where it has index2.txt; NAME/KEY/file.ptr says where the file is; the last letter of
 * a compressed file's name is '_'. Nothing is downloaded here: servers are only listed.
 */
#ifndef DT_SYMBOL_STORE_H
#define DT_SYMBOL_STORE_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "facts/symbol/source.h"

enum { DT_MAX_STORE_PLACES = 32 };

struct dt_symbol_store {
	struct dt_symbol_source source; /* to ask it; self is the store */
	const char *folders[DT_MAX_STORE_PLACES];
	bool plain[DT_MAX_STORE_PLACES]; /* files may lie in it by their name alone */
	size_t folder_count;
	const char *servers[DT_MAX_STORE_PLACES]; /* URLs, as named */
	size_t server_count;
};

/* Takes the path apart; its texts live in the arena. Folders that are not there are no error: they are found empty.
 * DT_ERR_USAGE: a word that is not known before a '*', or too many places. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_symbol_store_open(struct dt_symbol_store *store, const char *path, struct dt_arena *arena, struct dt_error *err);

/* The key of a request in a store: time stamp and size of an image, debug identity of symbols. false when there is none. */
bool dt_symbol_key(const struct dt_symbol_request *request, char *out, size_t size);

#endif

/*
 * access.h - who may use a server, and who did what with it: tokens and the audit log. The store keeps hashes of tokens, never a token.
 * Errors as in store.h.
 */
#ifndef DT_STORE_ACCESS_H
#define DT_STORE_ACCESS_H

#include "fleet/store/store.h"

/* What a token allows; bits. */
enum dt_scope { DT_SCOPE_UPLOAD = 1, DT_SCOPE_READ = 2, DT_SCOPE_ADMIN = 4, DT_SCOPE_ALL = 7 };

struct dt_token {
	const char *name; /* unique; who uses it */
	const char *hash; /* SHA-256 of the token, 64 hex digits */
	unsigned scopes;
	uint64_t created, revoked; /* FILETIME; revoked 0: in force */
};

/* DT_ERR_USAGE: there is one of that name. */
DT_MUST_USE enum dt_status dt_store_token_add(struct dt_store *store, const struct dt_token *token, struct dt_error *err);
/* DT_ERR_NOT_FOUND: there is none of that name in force. */
DT_MUST_USE enum dt_status dt_store_token_revoke(struct dt_store *store, const char *name, struct dt_error *err);
typedef bool (*dt_token_row)(void *context, const struct dt_token *token);
/* hash NULL: all, by name, revoked ones too; else the one in force with it, if there is one. */
DT_MUST_USE enum dt_status dt_store_tokens(struct dt_store *store, const char *hash, dt_token_row row, void *context, struct dt_error *err);

struct dt_audit {
	uint64_t id, at;      /* given by the store */
	const char *who;      /* a token's name, a user of the proxy, or "local" */
	const char *address;  /* that it came from */
	const char *action;   /* upload, view-raw, download, delete, expire */
	const char *object;   /* id of an upload or a crash */
	const char *detail;   /* NULL none */
};
/* In a transaction of its own. */
DT_MUST_USE enum dt_status dt_store_audit(struct dt_store *store, const struct dt_audit *audit, struct dt_error *err);
typedef bool (*dt_audit_row)(void *context, const struct dt_audit *audit);
/* Lines of the log from before then (FILETIME) go. In a transaction of its own. */
DT_MUST_USE enum dt_status dt_store_prune_audit(struct dt_store *store, uint64_t before, struct dt_error *err);
/* Newest first, below the id `below` (0: from the newest). */
DT_MUST_USE enum dt_status dt_store_audits(struct dt_store *store, uint64_t below, uint64_t limit, dt_audit_row row, void *context,
                                           struct dt_error *err);

#endif

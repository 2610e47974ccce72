/*
 * access.h - who asks, and what they may: tokens, sessions of browsers, users of a proxy; forged requests refused.
 */
#ifndef DT_SERVE_ACCESS_H
#define DT_SERVE_ACCESS_H

#include "doors/serve/http/http.h"
#include "doors/serve/stores.h"
#include "fleet/store/access.h"

enum dt_auth { DT_AUTH_NONE, DT_AUTH_TOKEN, DT_AUTH_PROXY };

struct dt_access_options {
	enum dt_auth auth;
	bool behind_proxy;
	const char *user_header, *role_header; /* of a proxy; NULL none */
	const char *proxies;                   /* addresses of proxies, separated by commas; NULL: loopback */
	unsigned rate, burst;                  /* requests a second of one token, user or address; 0: no limit */
};

#define DT_COOKIE "dumptriage"
#define DT_SESSION_ID 32 /* hex digits */

/* Who asks. */
struct dt_who {
	char name[80];    /* of the token, of the proxy's user, "local"; "" nobody */
	char address[DT_ADDRESS_TEXT_MAX];
	unsigned scopes;
	unsigned wait_s;  /* not 0: its address asks for too many tokens that nobody knows; so many seconds are to be waited */
	bool bearer;      /* said so with a token in a header: no browser was tricked into it */
	bool session;     /* signed in with a page */
	char cookie[DT_SESSION_ID + 1]; /* what the browser has, or is to be given */
	bool new_cookie;
};

struct dt_gate;
DT_MUST_USE enum dt_status dt_access_create(struct dt_gate **out, const struct dt_access_options *options, struct dt_stores *stores,
                                            struct dt_error *err);
void dt_access_free(struct dt_gate *access);

/* Whether the request came in a way that is allowed at all: from the proxy, to a name of this server. NULL, or why not. */
const char *dt_access_channel(const struct dt_gate *access, const struct dt_http_request *request);
/* Fills who. DT_ERR_IO: the store cannot be asked. A token that is not in force gives no scopes; one that is not known yet counts for the
 * address before the store is asked, which may end in wait_s. */
DT_MUST_USE enum dt_status dt_access_identify(struct dt_gate *access, const struct dt_http_request *request, struct dt_who *who,
                                              struct dt_error *err);
/* Too often? Then *wait_s seconds. */
bool dt_access_allow(struct dt_gate *access, const struct dt_who *who, unsigned *wait_s);
/* Whether a changing request was made by a page of this server, or by no browser at all. */
bool dt_access_same_origin(const struct dt_gate *access, const struct dt_http_request *request);

/* The hidden value that forms of this browser carry, 32 hex digits; and whether a form has it. */
#define DT_CSRF_SIZE 33
void dt_access_csrf(const struct dt_gate *access, const struct dt_who *who, char out[DT_CSRF_SIZE]);
bool dt_access_csrf_ok(const struct dt_gate *access, const struct dt_who *who, const char *value);

/* A browser signs in with a token: it gets a new cookie. false: the token is not in force. */
bool dt_access_sign_in(struct dt_gate *access, struct dt_who *who, const char *token);
void dt_access_sign_out(struct dt_gate *access, const struct dt_who *who);
enum dt_auth dt_access_auth(const struct dt_gate *access);
/* Set-Cookie for who's cookie. */
void dt_access_set_cookie(const struct dt_gate *access, struct dt_http_request *request, const struct dt_who *who);

/* "upload,read" as bits; 0: there is a word that is no scope. And back: out has room for 32 bytes. */
unsigned dt_scopes_parse(const char *text);
const char *dt_scopes_text(unsigned scopes, char out[32]);

#endif

#include "doors/serve/access.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "doors/serve/rate.h"

enum { SESSIONS = 1024, SESSION_MS = 12 * 3600 * 1000, CACHED = 256, CACHE_MS = 5000 };

/* A browser that signed in with a token. */
struct session {
	char id[DT_SESSION_ID + 1];
	char hash[2 * DT_SHA256_SIZE + 1];
	int64_t used;
};

/* A token that was found in force a moment ago. */
struct cached {
	char hash[2 * DT_SHA256_SIZE + 1];
	char name[80];
	unsigned scopes;
	int64_t at;
};

struct dt_gate {
	struct dt_access_options options;
	struct dt_stores *stores;
	struct dt_rate *rate;
	char secret[65]; /* of this run: forms made before a restart are not taken after it */
	pthread_mutex_t lock;
	struct session sessions[SESSIONS];
	struct cached cache[CACHED];
};

enum dt_status dt_access_create(struct dt_gate **out, const struct dt_access_options *options, struct dt_stores *stores, struct dt_error *err)
{
	struct dt_gate *access = calloc(1, sizeof(*access));

	if (!access || !(access->rate = dt_rate_create(options->rate, options->burst))) {
		free(access);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	access->options = *options;
	access->stores = stores;
	pthread_mutex_init(&access->lock, NULL);
	dt_random_hex(32, access->secret);
	*out = access;
	return DT_OK;
}

void dt_access_free(struct dt_gate *access)
{
	if (!access)
		return;
	dt_rate_free(access->rate);
	pthread_mutex_destroy(&access->lock);
	free(access);
}

enum dt_auth dt_access_auth(const struct dt_gate *access)
{
	return access->options.auth;
}

/* ---- the channel ---------------------------------------------------------------------- */

static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, ","), at += strspn(at, ", "))
		if (!strncmp(at, word, len) && (!at[len] || at[len] == ',' || at[len] == ' '))
			return true;
	return false;
}

static bool is_proxy(const struct dt_gate *access, const struct dt_http_request *request)
{
	if (!access->options.proxies)
		return dt_http_peer_is_loopback(request);
	return in_list(access->options.proxies, dt_http_peer(request));
}

/* A page of another site can make a browser ask a server of this machine by a name of its own (DNS rebinding): the name tells. */
static bool is_local_name(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);
		if (!strncasecmp(host, names[i], len) && (!host[len] || host[len] == ':'))
			return true;
	}
	return false;
}

const char *dt_access_channel(const struct dt_gate *access, const struct dt_http_request *request)
{
	if (access->options.behind_proxy)
		return is_proxy(access, request) ? NULL : "this server is asked through its proxy only";
	return is_local_name(dt_http_header(request, "Host")) ? NULL : "this server answers to localhost only";
}

/* The last address of X-Forwarded-For is the one our proxy wrote. */
static void client_address(const struct dt_gate *access, const struct dt_http_request *request, char out[DT_ADDRESS_TEXT_MAX])
{
	const char *list = access->options.behind_proxy ? dt_http_header(request, "X-Forwarded-For") : NULL;
	const char *comma = list ? strrchr(list, ',') : NULL, *last = comma ? comma + 1 : list;

	snprintf(out, DT_ADDRESS_TEXT_MAX, "%s", dt_http_peer(request));
	while (last && *last == ' ')
		last++;
	if (last && *last && strspn(last, "0123456789abcdefABCDEF:.") == strlen(last) && strlen(last) < DT_ADDRESS_TEXT_MAX)
		snprintf(out, DT_ADDRESS_TEXT_MAX, "%s", last);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static bool find_cached(struct dt_gate *access, const char *hash, struct dt_who *who)
{
	bool found = false;

	pthread_mutex_lock(&access->lock);
	for (size_t i = 0; i < CACHED && !found; i++) {
		const struct cached *at = &access->cache[i];
		if (strcmp(at->hash, hash) || dt_time_steady_ms() - at->at > CACHE_MS)
			continue;
		snprintf(who->name, sizeof(who->name), "%s", at->name);
		who->scopes = at->scopes;
		found = true;
	}
	pthread_mutex_unlock(&access->lock);
	return found;
}

static void remember(struct dt_gate *access, const char *hash, const struct dt_who *who)
{
	struct cached *oldest = &access->cache[0];

	pthread_mutex_lock(&access->lock);
	for (size_t i = 0; i < CACHED; i++) {
		struct cached *at = &access->cache[i];
		if (!strcmp(at->hash, hash)) {
			oldest = at;
			break;
		}
		if (at->at < oldest->at)
			oldest = at;
	}
	snprintf(oldest->hash, sizeof(oldest->hash), "%s", hash);
	snprintf(oldest->name, sizeof(oldest->name), "%s", who->name);
	oldest->scopes = who->scopes;
	oldest->at = dt_time_steady_ms();
	pthread_mutex_unlock(&access->lock);
}

static bool take_token(void *context, const struct dt_token *token)
{
	struct dt_who *who = context;

	snprintf(who->name, sizeof(who->name), "%s", token->name);
	who->scopes = token->scopes;
	return false;
}

static enum dt_status find_token(struct dt_gate *access, const char *hash, struct dt_who *who, struct dt_error *err)
{
	struct dt_store *store;
	enum dt_status status;
	unsigned wait_s;

	if (find_cached(access, hash, who))
		return DT_OK;
	/* Guesses are held back here, so that they cost the store nothing. */
	if (!dt_rate_allow(access->rate, who->address, dt_time_steady_ms(), &wait_s)) {
		who->wait_s = wait_s;
		return DT_OK;
	}
	status = dt_stores_take(access->stores, &store, err);
	if (status != DT_OK)
		return status;
	status = dt_store_tokens(store, hash, take_token, who, err);
	dt_stores_give(access->stores, store, status != DT_OK);
	if (status == DT_OK && who->scopes)
		remember(access, hash, who);
	return status;
}

static enum dt_status by_token(struct dt_gate *access, const char *token, struct dt_who *who, struct dt_error *err)
{
	char hash[2 * DT_SHA256_SIZE + 1];

	dt_sha256_text((struct dt_bytes){ (const uint8_t *)token, strlen(token) }, hash);
	return find_token(access, hash, who, err);
}

/* ---- sessions ------------------------------------------------------------------------------ */

static bool session_hash(struct dt_gate *access, const char *id, char hash[2 * DT_SHA256_SIZE + 1])
{
	bool found = false;

	pthread_mutex_lock(&access->lock);
	for (size_t i = 0; i < SESSIONS && !found; i++) {
		struct session *at = &access->sessions[i];
		if (!at->id[0] || dt_time_steady_ms() - at->used > SESSION_MS || !dt_equal_secret(at->id, id))
			continue;
		at->used = dt_time_steady_ms();
		memcpy(hash, at->hash, sizeof(at->hash));
		found = true;
	}
	pthread_mutex_unlock(&access->lock);
	return found;
}

bool dt_access_sign_in(struct dt_gate *access, struct dt_who *who, const char *token)
{
	struct session *oldest = &access->sessions[0];
	struct dt_error err;
	struct dt_who found = *who;

	found.scopes = 0;
	if (by_token(access, token, &found, &err) != DT_OK || !found.scopes)
		return false;
	dt_random_hex(DT_SESSION_ID / 2, who->cookie);
	who->new_cookie = true;
	pthread_mutex_lock(&access->lock);
	for (size_t i = 0; i < SESSIONS; i++)
		if (access->sessions[i].used < oldest->used)
			oldest = &access->sessions[i];
	memcpy(oldest->id, who->cookie, sizeof(oldest->id));
	dt_sha256_text((struct dt_bytes){ (const uint8_t *)token, strlen(token) }, oldest->hash);
	oldest->used = dt_time_steady_ms();
	pthread_mutex_unlock(&access->lock);
	return true;
}

void dt_access_sign_out(struct dt_gate *access, const struct dt_who *who)
{
	pthread_mutex_lock(&access->lock);
	for (size_t i = 0; i < SESSIONS; i++)
		if (access->sessions[i].id[0] && !strcmp(access->sessions[i].id, who->cookie))
			memset(&access->sessions[i], 0, sizeof(access->sessions[i]));
	pthread_mutex_unlock(&access->lock);
}

/* ---- who ---------------------------------------------------------------------------------------- */

static void read_cookie(const struct dt_http_request *request, struct dt_who *who)
{
	const char *cookie = dt_http_cookie(request, DT_COOKIE);

	if (cookie && strlen(cookie) == DT_SESSION_ID && strspn(cookie, "0123456789abcdef") == DT_SESSION_ID) {
		snprintf(who->cookie, sizeof(who->cookie), "%s", cookie);
		return;
	}
	dt_random_hex(DT_SESSION_ID / 2, who->cookie);
	who->new_cookie = true;
}

/* A proxy names the user, and perhaps what they may do. */
static void by_proxy(const struct dt_gate *access, const struct dt_http_request *request, struct dt_who *who)
{
	const char *user = access->options.user_header ? dt_http_header(request, access->options.user_header) : NULL;
	const char *role = access->options.role_header ? dt_http_header(request, access->options.role_header) : NULL;

	if (!user || !*user || strlen(user) >= sizeof(who->name) || !dt_text_is_clean(user, strlen(user)))
		return;
	snprintf(who->name, sizeof(who->name), "%s", user);
	if (!access->options.role_header)
		who->scopes = DT_SCOPE_UPLOAD | DT_SCOPE_READ;
	else
		who->scopes = role ? dt_scopes_parse(role) : 0;
}

enum dt_status dt_access_identify(struct dt_gate *access, const struct dt_http_request *request, struct dt_who *who, struct dt_error *err)
{
	const char *header = dt_http_header(request, "Authorization");
	char hash[2 * DT_SHA256_SIZE + 1];
	enum dt_status status = DT_OK;

	memset(who, 0, sizeof(*who));
	client_address(access, request, who->address);
	read_cookie(request, who);
	if (header && !strncasecmp(header, "Bearer ", 7)) {
		who->bearer = true;
		return by_token(access, header + 7 + strspn(header + 7, " "), who, err);
	}
	switch (access->options.auth) {
	case DT_AUTH_NONE:
		snprintf(who->name, sizeof(who->name), "local");
		who->scopes = DT_SCOPE_ALL;
		break;
	case DT_AUTH_PROXY: by_proxy(access, request, who); break;
	case DT_AUTH_TOKEN:
		if (!who->new_cookie && session_hash(access, who->cookie, hash)) {
			status = find_token(access, hash, who, err);
			who->session = who->scopes != 0;
		}
		break;
	}
	return status;
}

bool dt_access_allow(struct dt_gate *access, const struct dt_who *who, unsigned *wait_s)
{
	return dt_rate_allow(access->rate, who->scopes && access->options.auth != DT_AUTH_NONE ? who->name : who->address, dt_time_steady_ms(), wait_s);
}

/* ---- forged requests -------------------------------------------------------------------------------- */

bool dt_access_same_origin(const struct dt_gate *access, const struct dt_http_request *request)
{
	const char *site = dt_http_header(request, "Sec-Fetch-Site"), *origin = dt_http_header(request, "Origin");
	const char *host = dt_http_header(request, "Host"), *forwarded = dt_http_header(request, "X-Forwarded-Host");
	const char *scheme = origin ? strstr(origin, "://") : NULL;

	if (site)
		return !strcmp(site, "same-origin") || !strcmp(site, "none");
	if (!origin)
		return true;
	host = access->options.behind_proxy && forwarded ? forwarded : host;
	return scheme && host && !strcasecmp(scheme + 3, host);
}

void dt_access_csrf(const struct dt_gate *access, const struct dt_who *who, char out[DT_CSRF_SIZE])
{
	char text[2 * DT_SHA256_SIZE + 1];

	dt_hmac_sha256_text((struct dt_bytes){ (const uint8_t *)access->secret, strlen(access->secret) },
	                    (struct dt_bytes){ (const uint8_t *)who->cookie, strlen(who->cookie) }, text);
	snprintf(out, DT_CSRF_SIZE, "%.32s", text);
}

bool dt_access_csrf_ok(const struct dt_gate *access, const struct dt_who *who, const char *value)
{
	char wanted[DT_CSRF_SIZE];

	dt_access_csrf(access, who, wanted);
	return !who->new_cookie && value && dt_equal_secret(wanted, value);
}

void dt_access_set_cookie(const struct dt_gate *access, struct dt_http_request *request, const struct dt_who *who)
{
	char value[160];

	snprintf(value, sizeof(value), DT_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s", who->cookie, access->options.behind_proxy ? "; Secure" : "");
	dt_http_add_header(request, "Set-Cookie", value);
}

/* ---- scopes --------------------------------------------------------------------------------------------- */

static const struct { const char *word; unsigned scopes; } scope_words[] = {
	{ "upload", DT_SCOPE_UPLOAD }, { "read", DT_SCOPE_READ }, { "admin", DT_SCOPE_ALL },
};

unsigned dt_scopes_parse(const char *text)
{
	unsigned scopes = 0;

	while (*text) {
		size_t len = strcspn(text, ", "), i = 0;
		while (i < 3 && (strlen(scope_words[i].word) != len || strncmp(text, scope_words[i].word, len) != 0))
			i++;
		if (i == 3)
			return 0;
		scopes |= scope_words[i].scopes;
		text += len;
		text += strspn(text, ", ");
	}
	return scopes;
}

const char *dt_scopes_text(unsigned scopes, char out[32])
{
	if (scopes & DT_SCOPE_ADMIN)
		snprintf(out, 32, "admin");
	else
		snprintf(out, 32, "%s%s%s", scopes & DT_SCOPE_UPLOAD ? "upload" : "", (scopes & 3) == 3 ? "," : "", scopes & DT_SCOPE_READ ? "read" : "");
	return out;
}

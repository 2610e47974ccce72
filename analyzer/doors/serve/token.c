/* dumptriage token: who may use a server. A token is shown once; the store keeps its hash. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "doors/serve/serve.h"

enum { DB = 300, SCOPES };

static bool print_token(void *context, const struct dt_token *token)
{
	char created[DT_TIME_TEXT_MAX] = "", scopes[32];

	(void)context;
	(void)dt_time_format(token->created - token->created % DT_TIME_SECOND, created);
	printf("%-24s %-12s made %s%s\n", token->name, dt_scopes_text(token->scopes, scopes), created, token->revoked ? ", revoked" : "");
	return true;
}

static int check_add(const struct dt_command *self, const char *name, const char *scopes)
{
	if (!dt_scopes_parse(scopes))
		return dt_door_usage(self, "--scopes takes upload, read and admin, with commas between, not '%s'", scopes);
	if (!*name || strlen(name) > 60 || !dt_text_is_clean(name, strlen(name)))
		return dt_door_usage(self, "a token's name has 1 to 60 bytes of plain text");
	return DT_EXIT_OK;
}

static int add(struct dt_store *store, const char *name, const char *scopes)
{
	struct dt_token token = { .name = name, .scopes = dt_scopes_parse(scopes) };
	char secret[64] = "dt_", hash[2 * DT_SHA256_SIZE + 1];
	struct dt_error err;

	dt_random_hex(24, secret + 3);
	dt_sha256_text((struct dt_bytes){ (const uint8_t *)secret, strlen(secret) }, hash);
	token.hash = hash;
	enum dt_status status = dt_store_token_add(store, &token, &err);
	if (status != DT_OK)
		return dt_door_fail("%s", err.text), status == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	fprintf(stderr, "The token of '%s'. It is shown this once; keep it where secrets are kept.\n", name);
	puts(secret);
	return DT_EXIT_OK;
}

static int revoke(struct dt_store *store, const char *name)
{
	struct dt_error err;
	enum dt_status status = dt_store_token_revoke(store, name, &err);

	if (status != DT_OK)
		return dt_door_fail("%s", err.text), status == DT_ERR_NOT_FOUND ? DT_EXIT_UNREADABLE : DT_EXIT_ENVIRONMENT;
	printf("'%s' is revoked; a running server takes it for 5 seconds more at most\n", name);
	return DT_EXIT_OK;
}

/* Before the store is opened, which may make it. */
static int check(const struct dt_command *self, int argc, char **argv, const char *scopes)
{
	if (argc == 2 && !strcmp(argv[0], "add"))
		return check_add(self, argv[1], scopes);
	if ((argc == 2 && !strcmp(argv[0], "revoke")) || (argc == 1 && !strcmp(argv[0], "list")))
		return DT_EXIT_OK;
	return dt_door_usage(self, "token takes add NAME, list, or revoke NAME");
}

static int run(struct dt_store *store, char **argv, const char *scopes)
{
	struct dt_error err;

	if (!strcmp(argv[0], "add"))
		return add(store, argv[1], scopes);
	if (!strcmp(argv[0], "revoke"))
		return revoke(store, argv[1]);
	return dt_store_tokens(store, NULL, print_token, NULL, &err) == DT_OK ? DT_EXIT_OK : dt_door_fail("%s", err.text);
}

int dt_serve_token(const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = { { "db", required_argument, NULL, DB }, { "scopes", required_argument, NULL, SCOPES }, { 0 } };
	const char *db = NULL, *scopes = "upload,read";
	struct dt_store *store = NULL;
	struct dt_error err;
	int option, status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option != DB && option != SCOPES)
			return dt_door_usage(self, "wrong option");
		*(option == DB ? &db : &scopes) = optarg;
	}
	if (!db)
		return dt_door_usage(self, "--db is missing");
	status = check(self, argc - optind, argv + optind, scopes);
	if (status != DT_EXIT_OK)
		return status;
	/* The first token may come before the server's first start. */
	bool adds = !strcmp(argv[optind], "add");
	enum dt_status opened = dt_store_open(&store, db, adds ? DT_STORE_WRITE : DT_STORE_READ, &err);
	if (opened != DT_OK)
		return dt_door_fail("%s", err.text), opened == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	status = run(store, argv + optind, scopes);
	dt_store_close(store);
	return status == DT_EXIT_OK && !dt_door_flush() ? DT_EXIT_ENVIRONMENT : status;
}

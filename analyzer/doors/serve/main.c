/* dumptriage-serve: the helpdesk's page and its API. */
#include "doors/serve/serve.h"

static const struct dt_command commands[] = {
	{ "serve", "the page and the API: upload dumps, read verdicts",
	  "--db URL [--listen ADDRESS:PORT]\n\n"
	  "      --db URL                   store: a path, sqlite:PATH, postgresql://...\n"
	  "      --listen ADDRESS:PORT      127.0.0.1:8080; other machines reach it through a proxy only\n"
	  "      --spool FOLDER             where uploads lie until they are analysed (beside a SQLite store)\n"
	  "      --max-upload SIZE          of one upload, such as 512M (8G)\n"
	  "      --keep-dumps DAYS          keep dumps for download by administrators (0: deleted once analysed)\n"
	  "      --keep-records DAYS        delete records after so long (0: never)\n"
	  "      --keep-audit DAYS          delete lines of the audit log after so long (0: never)\n"
	  "      --signatures PATH          signatures instead of the built-in ones\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n"
	  DT_SYMBOLS_USAGE
	  "      --url URL                  how people reach the server, for links in tickets\n"
	  "      --webhook URL              a POST for each incident that becomes new, growing or an outbreak\n"
	  "      --webhook-secret-file FILE the key that signs it (or $DUMPTRIAGE_WEBHOOK_SECRET)\n"
	  "      --webhook-template FILE    its body: JSON with {{title}}, {{hosts}} ... (docs/feed.md)\n"
	  "      --webhook-ca-file FILE     certificates instead of the system's\n"
	  "who may use it\n"
	  "      --auth none|token|proxy    none is for loopback only\n"
	  "      --behind-proxy             a proxy in front has TLS; only it is answered (--proxy)\n"
	  "      --proxy ADDRESS,...        addresses of proxies (loopback)\n"
	  "      --user-header NAME         with --auth proxy: the header that names the user\n"
	  "      --role-header NAME         and the one that has scopes: upload, read, admin (else upload and read)\n"
	  "      --rate N  --burst N        requests a second of one token, user or address (50, 200; without auth no limit)\n"
	  "limits\n"
	  "      --jobs N                   processes that read dumps (processors)\n"
	  "      --deadline SECONDS         for one dump (30)\n"
	  "      --queue-limit N            uploads that may wait (10000)\n"
	  "      --spool-reserve SIZE       of the disk that stays free (256M)\n"
	  "      --threads N --connections N  that serve (4), that are served (1200)\n"
	  "      --header-timeout SECONDS   for a request's headers (20)\n"
	  "      --body-grace SECONDS --body-rate BYTES  a body may be slow so long (30), then it has so many a second (1024)\n"
	  "      --grace SECONDS            after SIGTERM, for what is under way (20)\n"
	  "      --no-sandbox               for debugging: read hostile input without protection\n\n"
	  "docs/serve.md says how to run it under systemd behind nginx.\n",
	  dt_serve_serve, NULL },
	{ "token", "who may use a server: tokens",
	  "add NAME [--scopes upload,read,admin] | list | revoke NAME   --db URL\n\n"
	  "      --db URL                   store\n"
	  "      --scopes WORDS             what it allows (upload,read); admin allows everything\n",
	  dt_serve_token, NULL },
};

int main(int argc, char **argv)
{
	return dt_door_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

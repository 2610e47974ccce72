/* dumptriage-feed: a store's changes to a SIEM. */
#include "doors/feed/feed.h"

static const struct dt_command commands[] = {
	{ "feed", "send a store's crashes and incidents to a SIEM",
	  "--db URL --to RECEIVER [--follow]\n"
	  "       dumptriage feed status [FEED] --db URL               what waits, what was rejected and why\n"
	  "       dumptriage feed retry [FEED [CRASH|iINCIDENT ...]] --db URL\n"
	  "       dumptriage feed remove FEED --db URL                 it is not used any more\n\n"
	  "      --db URL                   store: a path, sqlite:PATH, postgresql://...\n"
	  "      --to RECEIVER              file:PATH, - (standard output)\n"
	  "                                 https://HOST/            Elasticsearch, OpenSearch: _bulk\n"
	  "                                 splunk+https://HOST/     Splunk's HTTP Event Collector\n"
	  "                                 syslog+tls://HOST:PORT   RFC 5424; syslog+tcp, syslog+udp\n"
	  "                                 webhook+https://HOST/... a POST for each incident\n"
	  "      --encoding ecs|ocsf|cef    (ecs; syslog: cef)\n"
	  "      --follow                   go on, and send what comes\n"
	  "      --since TIME               a new feed begins there (a time, or an age such as 30d), not with what comes now\n"
	  "      --replay                   send everything again (with --since: from there)\n"
	  "      --secret-file FILE         token, API key, user:password, or the key that signs (or $DUMPTRIAGE_FEED_SECRET)\n"
	  "      --ca-file FILE             certificates instead of the system's\n"
	  "      --namespace NAME           ecs: of the data stream (default)\n"
	  "      --template FILE            webhook: JSON with {{title}}, {{hosts}} ... (docs/feed.md)\n"
	  "      --url URL                  webhook: how people reach the server, for links\n"
	  "      --unmasked                 names of users stay in paths\n"
	  "      --ack                      splunk: wait until the indexer has it\n"
	  "      --rotate-size SIZE --rotate-time AGE --rotate-keep N   file: 100M, 1d, 7; 0: never\n"
	  "      --batch N                  changes taken at once (1000)\n"
	  "      --timeout SECONDS          for the receiver's answer (30)\n"
	  "      --give-up SECONDS          without --follow: end when nothing arrives for so long (30)\n"
	  "      --metrics FILE|ADDR:PORT   Prometheus' text format\n\n"
	  "What a receiver rejects is kept with its reason: 'feed status' lists it, 'feed retry' has it sent again. FEED is the number\n"
	  "that 'feed status' gives, or the receiver.\n"
	  "Exit status: 0 all arrived, 1 something was rejected, 2 wrong usage, 3 something is still owed.\n",
	  dt_feed_feed, NULL },
};

int main(int argc, char **argv)
{
	return dt_door_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

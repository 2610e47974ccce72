/* dumptriage-work: takes dumps from the fleet's queue. */
#include "doors/common/symbols.h"
#include "doors/work/work.h"

static const struct dt_command commands[] = {
	{ "work", "take dumps from a queue and analyse them into a store",
	  "--queue URL --db URL\n\n"
	  "      --queue URL                amqp://user:password@host:port/vhost?queue=NAME\n"
	  "      --db URL                   store: a path, sqlite:PATH, postgresql://...\n"
	  "      --jobs N                   processes that read dumps (processors)\n"
	  "      --idle SECONDS             end when nothing came for so long (0: never)\n"
	  "      --metrics FILE|ADDR:PORT   Prometheus' text format, into a file or served at /metrics\n"
	  "      --signatures PATH          signatures to use instead of the built-in ones\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n"
	  DT_SYMBOLS_USAGE
	  "      --deadline SECONDS         for one dump (30)\n"
	  "      --no-sandbox               for debugging: read hostile input without protection\n\n"
	  "A message is acknowledged when its crash is committed to the store; what fails three times goes to the queue\n"
	  "NAME.dead. 'dumptriage scan PATH --enqueue URL' fills the queue.\n",
	  dt_work_work, NULL },
};

int main(int argc, char **argv)
{
	return dt_door_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

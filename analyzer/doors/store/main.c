/* dumptriage-store: the commands that look at a store or keep it. */
#include "doors/store/commands.h"

static const struct dt_command commands[] = {
	{ "incidents", "the crashes of a store, grouped",
	  "--db URL\n\n"
	  "      --db URL                   store: a path, sqlite:PATH, postgresql://...\n"
	  "      --kind signature|own|family  only groups of that kind\n"
	  "      --limit N                  lines at most (40)\n"
	  "      --at TIME                  states as of then; without it, as of the newest crash\n"
	  "  -f, --format text|json         JSON: an object on each line\n\n"
	  "docs/incidents.md says what the states mean and how an outbreak is told from chance.\n",
	  dt_store_cmd_incidents, NULL },
	{ "show", "a crash or an incident of a store",
	  "ID --db URL\n\n"
	  "ID is i and the number of an incident, or the beginning of a crash's id.\n\n"
	  "      --db URL                   store\n"
	  "  -f, --format FORMAT            text, json, jsonl, markdown, ticket, ecs, ocsf, cef\n"
	  "  -v, --verbose                  text: all frames, modules, registers, notes\n"
	  "      --color auto|always|never  text: colours (auto: on a terminal)\n",
	  dt_store_cmd_show, NULL },
	{ "rematch", "judge the crashes of a store again by the rules in force",
	  "--db URL\n\n"
	  "      --db URL                   store\n"
	  "      --signatures PATH          signatures instead of the built-in ones\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n"
	  "      --signature ID             only crashes that this one may claim, or has claimed\n"
	  "      --dry-run                  say what would change, write nothing\n"
	  "      --jobs N                   threads that judge (processors)\n",
	  dt_store_cmd_rematch, NULL },
	{ "store", "a store's status, upgrade, check, prune, backup, export",
	  "status|upgrade|check|prune|backup FILE|export --db URL\n\n"
	  "      --db URL                   store\n"
	  "prune, export: which crashes\n"
	  "      --before TIME              crashed before a day (2024-07-19), a time or an age (365d)\n"
	  "      --class CLASS              of this verdict\n"
	  "      --host NAME                of this host\n"
	  "      --module NAME              blamed or faulting, lower case\n"
	  "      --dry-run                  prune: only count\n"
	  "      --changes                  prune: only changes that no feed needs (every prune drops them)\n",
	  dt_store_cmd_store, NULL },
};

int main(int argc, char **argv)
{
	return dt_door_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}

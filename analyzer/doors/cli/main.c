/* dumptriage: the table of commands. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "doors/cli/cli.h"
#include "doors/common/symbols.h"

#define OUTPUT_USAGE                                                               \
	"  -f, --format FORMAT            text, json, jsonl, markdown, ticket, ecs, ocsf, cef\n" \
	"  -v, --verbose                  text: all frames, modules, registers, notes\n" \
	"      --color auto|always|never  text: colours (auto: on a terminal)\n"

static const struct dt_command commands[] = {
	{ "analyze", "say what crashed, where, and whether it is a known incident", "FILE...\n\n" OUTPUT_USAGE
	  "      --signatures PATH          signatures to use instead of the built-in ones (a file or a folder)\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n"
	  "      --keep-going               leave out signatures with errors, and say so\n"
	  DT_SYMBOLS_USAGE
	  "      --host NAME                the machine the dumps come from\n"
	  "      --hash auto|always|never   SHA-256 of the file (auto: up to 64 MiB)\n\n"
	  "Exit status: 0 all analysed, 1 some input could not be, or is cut or damaged (it has a record all the\n"
	  "same), 2 wrong usage, 3 the environment failed.\n",
	  dt_cli_analyze, NULL },
	{ "explain", "decode a stop code and its parameters, without a dump", "CODE [P1 [P2 [P3 [P4]]]]\n\n"
	  "CODE is a number or a name: 0x50, 1000007E, PAGE_FAULT_IN_NONPAGED_AREA. Numbers are hexadecimal.\n\n"
	  "      --build N                  OS build, such as 19041\n"
	  "      --machine x64|x86|arm64    the machine\n"
	  "Without them each reading is printed with its condition.\n",
	  dt_cli_explain, NULL },
	{ "scan", "analyse a tree of dumps into a store, or into JSON lines", NULL, NULL, "dumptriage-scan" },
	{ "merge", "put the JSON lines of a scan's shards into a store", NULL, NULL, "dumptriage-scan" },
	{ "work", "take dumps from a queue and analyse them into a store", NULL, NULL, "dumptriage-work" },
	{ "incidents", "the crashes of a store, grouped", NULL, NULL, "dumptriage-store" },
	{ "show", "print records kept as JSON, or with --db a crash or an incident of a store",
	  "FILE.json... (- for standard input)\n       dumptriage show ID --db URL\n\n" OUTPUT_USAGE,
	  dt_cli_show, "dumptriage-store" },
	{ "rematch", "judge the crashes of a store again by the rules in force", NULL, NULL, "dumptriage-store" },
	{ "store", "a store's status, upgrade, check, prune, backup, export", NULL, NULL, "dumptriage-store" },
	{ "serve", "the page and the API: upload dumps, read verdicts", NULL, NULL, "dumptriage-serve" },
	{ "token", "who may use a server: tokens", NULL, NULL, "dumptriage-serve" },
	{ "feed", "send a store's crashes and incidents to a SIEM", NULL, NULL, "dumptriage-feed" },
	{ "formats", "list what can be read and what can be written", "[--markdown]\n\n"
	  "--markdown prints the table of the README.\n", dt_cli_formats, NULL },
	{ "signatures", "the signatures of known crashes: list, check, test, explain, write", "list|check|test [PATH]\n"
	  "       dumptriage signatures explain ID DUMP\n       dumptriage signatures new DUMP\n"
	  "       dumptriage signatures import-vulnerable drivers.json\n\n"
	  "PATH is a file or a folder; without it the built-in signatures.\n\n"
	  "  list                       their ids and titles\n"
	  "  check                      errors, and what loads but does not mean what its author thinks\n"
	  "  test                       the tests in the files\n"
	  "  explain ID DUMP            each condition and each fact of a signature over a dump\n"
	  "  new DUMP                   a draft of a signature from a dump's strongest facts\n"
	  "  import-vulnerable FILE     the list of loldrivers.io as vulnerable-drivers.tsv, for a folder of signatures\n\n"
	  "      --samples DIR              test: the folder that has the dumps of samples\n"
	  "      --signatures PATH          explain: signatures to use instead of the built-in ones\n"
	  "      --id ID                    new: the id of the draft\n"
	  "      --out FILE                 import-vulnerable: where to write (standard output)\n"
	  "      --keep-going               leave out files with errors, and say so\n\n"
	  "Exit status: 0 all is well, 1 an error, a finding or a test that failed.\n", dt_cli_signatures, NULL },
	{ "symbols", "images and symbols: keep them in a store, say what is at hand for a dump", "add STORE FILE|FOLDER...\n"
	  "       dumptriage symbols list DUMP\n\n"
	  "  add STORE FILE|FOLDER...   images, PDBs and Breakpad files into STORE/NAME/KEY/NAME; of folders what is one of them\n"
	  "  list DUMP                  which of its modules have an image and symbols, and why others have none\n\n"
	  DT_SYMBOLS_USAGE
	  "\nExit status: 0 all is well, 1 a file could not be taken or the dump not be read.\n", dt_cli_symbols, NULL },
	{ "config", "print the options in force and where they come from", "[COMMAND] [--config FILE]\n\n"
	  "Options stand in a file (--config FILE, $DUMPTRIAGE_CONFIG, /etc/dumptriage.conf) as 'option = value', behind\n"
	  "[command] for one command only; or in the environment, DUMPTRIAGE_DB for --db. The command line counts most.\n",
	  dt_cli_config, NULL },
	{ "schema", "print the JSON Schema of the crash record", "[--fields]\n\n"
	  "      --fields                   a Markdown table of the fields instead\n", dt_cli_schema, NULL },
};

/* show has two sides: records in files here, crashes in a store there. */
static bool elsewhere(const struct dt_command *command, int argc, char **argv)
{
	bool store = getenv("DUMPTRIAGE_DB") && argc > 2 && access(argv[2], F_OK) && strcmp(argv[2], "-");

	if (!command->run)
		return true;
	for (int i = 2; i < argc && command->program && strcmp(argv[i], "--"); i++)
		store |= !strcmp(argv[i], "--db") || !strncmp(argv[i], "--db=", 5);
	return command->program && store;
}

static void help(FILE *out)
{
	fputs("dumptriage " DT_VERSION ": from a Windows crash dump to a verdict with its evidence\n\n"
	      "usage: dumptriage COMMAND ...\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'dumptriage COMMAND --help' says more.\n", out);
}

int main(int argc, char **argv)
{
	/* A closed pipe is an error of write, said once, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	dt_mapping_guard();
	if (argc < 2) {
		help(stderr);
		return DT_EXIT_USAGE;
	}
	if (argc == 3 && !strcmp(argv[1], "help")) {
		argv[1] = argv[2];
		argv[2] = "--help";
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("dumptriage " DT_VERSION);
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return elsewhere(&commands[i], argc, argv) ? dt_door_exec(&commands[i], argc, argv)
			                                           : dt_door_run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "dumptriage: there is no command '%s'; 'dumptriage --help' lists them\n", argv[1]);
	return DT_EXIT_USAGE;
}

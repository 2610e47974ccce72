/* dumptriage: the table of commands. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mapping.h"
#include "doors/cli/cli.h"

#define OUTPUT_USAGE                                                               \
	"  -f, --format text|json|jsonl   how to print (text)\n"                    \
	"  -v, --verbose                  text: all frames, modules, registers, notes\n" \
	"      --color auto|always|never  text: colours (auto: on a terminal)\n"

static const struct dt_command commands[] = {
	{ "analyze", "say what crashed, where, and whether it is a known incident", "FILE...\n\n" OUTPUT_USAGE
	  "      --signatures PATH          signatures to use instead of the built-in ones (a file or a folder)\n"
	  "      --host NAME                the machine the dumps come from\n"
	  "      --hash auto|always|never   SHA-256 of the file (auto: up to 64 MiB)\n\n"
	  "Exit status: 0 all analysed, 1 some input could not be, or is cut or damaged (it has a record all the\n"
	  "same), 2 wrong usage, 3 the environment failed.\n",
	  dt_cli_analyze },
	{ "explain", "decode a stop code and its parameters, without a dump", "CODE [P1 [P2 [P3 [P4]]]]\n\n"
	  "CODE is a number or a name: 0x50, 1000007E, PAGE_FAULT_IN_NONPAGED_AREA. Numbers are hexadecimal.\n\n"
	  "      --build N                  OS build, such as 19041\n"
	  "      --machine x64|x86|arm64    the machine\n"
	  "Without them each reading is printed with its condition.\n",
	  dt_cli_explain },
	{ "show", "print records that were kept as JSON or JSON lines", "FILE.json... (- for standard input)\n\n" OUTPUT_USAGE,
	  dt_cli_show },
	{ "formats", "list what can be read and what can be written", "\n", dt_cli_formats },
	{ "signatures", "list the signatures of known crashes, or check them", "list|check [PATH]\n\n"
	  "PATH is a file or a folder; without it the built-in signatures.\n", dt_cli_signatures },
	{ "schema", "print the JSON Schema of the crash record", "[--fields]\n\n"
	  "      --fields                   a Markdown table of the fields instead\n", dt_cli_schema },
};

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
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return dt_cli_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("dumptriage " DT_VERSION);
		return dt_cli_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "dumptriage: there is no command '%s'; 'dumptriage --help' lists them\n", argv[1]);
	return DT_EXIT_USAGE;
}

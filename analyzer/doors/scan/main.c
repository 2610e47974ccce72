/* dumptriage-scan: the commands that read many inputs. */
#include "doors/common/symbols.h"
#include "doors/scan/scan.h"

static const struct dt_command commands[] = {
	{ "scan", "analyse a tree of dumps into a store, or into JSON lines",
	  "PATH... (--db URL | --out FILE | --enqueue URL)\n\n"
	  "      --db URL                   store: a path, sqlite:PATH, postgresql://...\n"
	  "      --out FILE.jsonl           JSON lines instead of a store, for 'dumptriage merge'\n"
	  "      --enqueue URL              only names, into the queue that 'dumptriage work' takes from\n"
	  "      --list FILE                names to read, one a line; - for standard input\n"
	  "  -0                             names of the list end with NUL\n"
	  "      --list-root FOLDER         the PATH that --host-from takes for names of the list\n"
	  "      --include PATTERN          only files of such names ('*.dmp'); may be given more than once\n"
	  "      --shard K/N | auto/N       only part K of N, from 0; auto: K is SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX\n"
	  "      --jobs N                   processes that read dumps (processors)\n"
	  "      --host NAME                the machine all dumps come from\n"
	  "      --host-from RULE           dir:N, the N-th folder below PATH; or a pattern with one group\n"
	  "      --signatures PATH          signatures to use instead of the built-in ones\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n"
	  DT_SYMBOLS_USAGE
	  "      --hash auto|always|never   SHA-256 of the files (auto: up to 64 MiB)\n"
	  "      --deadline SECONDS         for one dump (30)\n"
	  "      --open-deadline SECONDS    for one file of the share to open (10)\n"
	  "      --metrics FILE|ADDR:PORT   Prometheus' text format, into a file or served at /metrics\n"
	  "      --no-reanalyse             leave files alone that an older version has read\n"
	  "      --no-sandbox               for debugging: read hostile input without protection\n"
	  "      --strict                   exit status 1 when some input could not be analysed\n"
	  "  -q, --quiet                    no progress\n\n"
	  "Files that have not changed since they were read are not read again. A scan that was stopped goes on\n"
	  "when the same command is given again.\n\n"
	  "Exit status: 0 every input is accounted for, 1 with --strict: some could not be analysed, 2 wrong usage,\n"
	  "3 the environment failed (store, disk, memory), a PATH is not there, or the scan was interrupted.\n",
	  dt_scan_scan, NULL },
	{ "merge", "put the JSON lines of a scan's shards into a store",
	  "FILE.jsonl... --db URL\n\n"
	  "      --db URL                   store\n"
	  "      --partial                  take what is there, though parts are missing or not finished\n"
	  "      --signatures PATH          signatures to judge by instead of the built-in ones\n"
	  "      --carriers FILE            rows of modules and functions that run others' work, beside the built-in ones\n",
	  dt_scan_merge, NULL },
};

int main(int argc, char **argv)
{
	return dt_door_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
